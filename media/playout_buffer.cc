#include "media/playout_buffer.h"

#include <algorithm>
#include <limits>

#include "media/audio_frame.h"

namespace media {
namespace {

constexpr std::int32_t kSamples_per_ms = kSampleRate_hz / 1000;
constexpr int kMaxPacket_samples = 120 * kSamples_per_ms;  // RFC 6716 §3.2.5
constexpr int kGrain_samples = 120;                        // 2.5 ms: Opus conceals multiples of it

bool newer(std::uint16_t a, std::uint16_t b) { return static_cast<std::int16_t>(a - b) > 0; }

}  // namespace

std::optional<int> opus_packet_samples(std::span<const std::uint8_t> payload) {
  if (payload.empty() || payload.size() > limits::kMaxPacketBytes) return std::nullopt;
  const int config = payload[0] >> 3;  // RFC 6716 §3.1, table 2
  int frame = 0;
  if (config < 12) {
    constexpr int kSilk_ms[] = {10, 20, 40, 60};
    frame = kSilk_ms[config % 4] * kSamples_per_ms;
  } else if (config < 16) {
    frame = (config % 2 == 0 ? 10 : 20) * kSamples_per_ms;
  } else {
    frame = 120 << (config % 4);  // 2.5 ms doubled up to 20
  }
  int frames = 1;
  switch (payload[0] & 3) {
    case 0: break;
    case 1:
    case 2: frames = 2; break;
    case 3:
      if (payload.size() < 2) return std::nullopt;
      frames = payload[1] & 0x3F;
      break;
  }
  if (frames == 0 || frames * frame > kMaxPacket_samples) return std::nullopt;
  return frames * frame;
}

PlayoutBuffer::PlayoutBuffer(Config config)
    : least_samples_(static_cast<std::int32_t>(config.least_delay.count()) * kSamples_per_ms),
      most_samples_(static_cast<std::int32_t>(config.most_delay.count()) * kSamples_per_ms),
      slots_(std::make_unique<Slot[]>(kSlots)),
      payloads_(new Payload[kSlots]),
      arrival_({.least_samples = least_samples_, .most_samples = most_samples_}) {}

std::span<const std::uint8_t> PlayoutBuffer::payload(const Slot& slot) const {
  return {payloads_[static_cast<std::size_t>(&slot - slots_.get())], slot.bytes};
}

ContributorList PlayoutBuffer::contributors(const Slot& slot) const {
  const std::uint8_t* const csrcs = payload(slot).data() + slot.bytes;
  return {.csrcs = {csrcs, slot.csrc_bytes}, .levels = {csrcs + slot.csrc_bytes, slot.csrc_levels}};
}

const PlayoutBuffer::Slot* PlayoutBuffer::earliest() const {
  const Slot* found = nullptr;
  for (std::size_t i = 0, left = count_; left > 0; ++i) {
    if (!slots_[i].used) continue;
    --left;
    if (found == nullptr || lead(slots_[i]) < lead(*found)) found = &slots_[i];
  }
  return found;
}

void PlayoutBuffer::release(const Slot& slot) {
  slots_[static_cast<std::size_t>(&slot - slots_.get())].used = false;
  --count_;
}

PlayoutBuffer::Slot& PlayoutBuffer::free_slot() {
  if (count_ == kSlots) release(*earliest());  // the oldest lose
  std::size_t i = 0;
  while (slots_[i].used) ++i;
  return slots_[i];
}

void PlayoutBuffer::drop_before_playhead() {
  for (std::size_t i = 0; i < kSlots; ++i) {
    if (slots_[i].used && lead(slots_[i]) < 0) release(slots_[i]);
  }
}

void PlayoutBuffer::clear() {
  for (std::size_t i = 0; i < kSlots; ++i) slots_[i].used = false;
  count_ = 0;
  started_ = false;
  arrival_.restart();
}

bool PlayoutBuffer::duplicate(std::uint16_t sequence) const {
  const auto age = static_cast<std::uint16_t>(newest_ - sequence);
  return age < 64 && (seen_ >> age & 1) != 0;
}

void PlayoutBuffer::remember(std::uint16_t sequence) {
  if (newer(sequence, newest_)) {
    const auto ahead = static_cast<std::uint16_t>(sequence - newest_);
    seen_ = ahead < 64 ? seen_ << ahead | 1 : 1;
    newest_ = sequence;
  } else if (const auto age = static_cast<std::uint16_t>(newest_ - sequence); age < 64) {
    seen_ |= std::uint64_t{1} << age;
  }
}

void PlayoutBuffer::resync(const RtpPacket& packet, std::int32_t age_samples) {
  arrival_.restart();
  // A tick is left at least: those behind it may be slower.
  const std::int32_t rest = std::max(arrival_.wanted_samples() - age_samples, least_samples_);
  const std::int32_t wait = std::max(0, rest - ahead_samples_);
  playhead_ = packet.timestamp - static_cast<std::uint32_t>(wait);
  // What was played stays played, unless the timestamps have become others.
  if (static_cast<std::int32_t>(packet.timestamp - played_to_) < 0) played_to_ = playhead_;
  last_pulled_ = static_cast<std::uint16_t>(packet.sequence - 1);
  drop_before_playhead();
  starved_samples_ = 0;
}

void PlayoutBuffer::tick(int ahead_samples, unsigned skipped) {
  now_ += static_cast<std::uint32_t>(kFrame_samples) * (1 + skipped);
  ahead_samples_ = ahead_samples;
  stood_still_ = skipped > 0;
}

std::int32_t PlayoutBuffer::delay_samples() const {
  return static_cast<std::int32_t>(arrival_.fastest(now_) - position());
}

std::int32_t PlayoutBuffer::surplus_samples() const {
  if (!started_ || !arrival_.started()) return 0;
  // A peer's timestamps may be half the circle away.
  constexpr std::int32_t kLeast = std::numeric_limits<std::int32_t>::min() / 2;
  return std::max(delay_samples(), kLeast) - arrival_.wanted_samples();
}

PlayoutBuffer::Inserted PlayoutBuffer::take_late(const RtpPacket& packet, std::int32_t late_samples,
                                                 std::int32_t age_samples) {
  if (count_ > 0 || !newer(packet.sequence, newest_)) {
    ++late_;
    return Inserted::late;
  }
  // Nothing newer is there: the talk goes on with this one, later by what was concealed.
  if (late_samples > most_samples_) {
    resync(packet, age_samples);
  } else {
    playhead_ = packet.timestamp;
    // Slower than may be waited for, and all there is: it is what the others are compared with.
    if (delay_samples() > most_samples_) arrival_.restart();
  }
  return Inserted::resynced;
}

PlayoutBuffer::Inserted PlayoutBuffer::take_early(const RtpPacket& packet,
                                                  std::int32_t early_samples,
                                                  std::int32_t age_samples) {
  const std::int32_t excess = early_samples - most_samples_;
  if (count_ == 0 || excess > kMaxPacket_samples) {
    resync(packet, age_samples);  // a jump
    return Inserted::resynced;
  }
  // What had piled up in a stall: the oldest of it is dropped.
  playhead_ += static_cast<std::uint32_t>(excess);
  drop_before_playhead();
  return Inserted::stored;
}

PlayoutBuffer::Inserted PlayoutBuffer::insert(const RtpPacket& packet,
                                              std::optional<AudioLevel> level,
                                              const ContributorList& contributors,
                                              std::optional<std::int32_t> age_samples) {
  const std::optional<int> samples = opus_packet_samples(packet.payload);
  if (!samples) return Inserted::invalid;
  const std::int32_t age = age_samples.value_or(0);
  Inserted outcome = Inserted::stored;
  const auto early = static_cast<std::int32_t>(packet.timestamp - playhead_);
  if (!started_ || packet.ssrc != ssrc_) {
    clear();
    started_ = true;
    ssrc_ = packet.ssrc;
    newest_ = static_cast<std::uint16_t>(packet.sequence - 1);
    seen_ = 0;
    played_to_ = packet.timestamp - static_cast<std::uint32_t>(most_samples_);
    resync(packet, age);
    outcome = Inserted::resynced;
  } else if (duplicate(packet.sequence)) {
    return Inserted::duplicate;
  } else if (early > most_samples_) {
    outcome = take_early(packet, early, age);
  } else if (early < 0) {
    // Beyond the bound all is one; half the circle away cannot be negated.
    outcome = take_late(packet, early < -most_samples_ ? most_samples_ + 1 : -early, age);
  } else if (static_cast<std::int32_t>(packet.timestamp - played_to_) < 0) {
    outcome = Inserted::late;  // its successors have been heard
    ++late_;
  }
  // What is heard at the end of a tick must have come before its beginning.
  const int unseen_samples = age_samples ? kFrame_samples + 1 : 0;
  arrival_.observe(now_ - static_cast<std::uint32_t>(age), packet.timestamp,
                   stood_still_ ? 0 : *samples, unseen_samples);
  remember(packet.sequence);
  if (outcome == Inserted::late) return outcome;
  Slot& slot = free_slot();
  slot = {.used = true,
          .timestamp = packet.timestamp,
          .sequence = packet.sequence,
          .bytes = static_cast<std::uint16_t>(packet.payload.size()),
          .csrc_bytes = static_cast<std::uint8_t>(contributors.csrcs.size()),
          .csrc_levels = static_cast<std::uint8_t>(contributors.levels.size()),
          .samples = *samples,
          .level = level};
  std::uint8_t* to = payloads_[static_cast<std::size_t>(&slot - slots_.get())];
  for (const auto part : {packet.payload, contributors.csrcs, contributors.levels}) {
    to = std::copy(part.begin(), part.end(), to);
  }
  ++count_;
  return outcome;
}

std::optional<PlayoutBuffer::Step> PlayoutBuffer::pull(int wanted_samples) {
  if (!started_) return std::nullopt;
  const Slot* first = earliest();
  // Packets that overlap the last one (a peer that lies about its timestamps) are not played twice.
  while (first != nullptr && lead(*first) < 0) {
    release(*first);
    ++late_;
    first = earliest();
  }
  const int grains = (wanted_samples + kGrain_samples - 1) / kGrain_samples * kGrain_samples;
  Step step;
  if (first != nullptr && lead(*first) == 0) {
    step = {.packet = payload(*first),
            .samples = first->samples,
            .level = first->level,
            .contributors = contributors(*first)};
    last_pulled_ = first->sequence;
    played_to_ = playhead_ + static_cast<std::uint32_t>(first->samples);
    starved_samples_ = 0;
    release(*first);  // its bytes stay until a slot is filled again
  } else if (first != nullptr) {
    // A hole before `first`: lost, or silence that was not sent (DTX: the sequence goes on).
    const std::int32_t hole = lead(*first);
    const bool lost = static_cast<std::uint16_t>(first->sequence - last_pulled_) != 1;
    if (lost && hole <= first->samples) {
      step = {.next = payload(*first), .samples = hole};
    } else {
      // The last of what is lost is left whole for the FEC.
      step.samples = std::min(lost ? hole - first->samples : hole, grains);
    }
  } else {
    step.samples = grains;
    if (starve(step.samples)) return std::nullopt;
  }
  playhead_ += static_cast<std::uint32_t>(step.samples);
  ahead_samples_ += step.samples;
  return step;
}

bool PlayoutBuffer::starve(int samples) {
  starved_samples_ += samples;
  if (starved_samples_ < kForget_samples) return false;
  clear();
  return true;
}

void PlayoutBuffer::skip(int samples) {
  if (!started_) return;
  const bool nothing = count_ == 0;
  playhead_ += static_cast<std::uint32_t>(samples);
  // In their order: what comes next is told from the last of them.
  for (const Slot* first = earliest(); first && lead(*first) < 0; first = earliest()) {
    last_pulled_ = first->sequence;
    played_to_ = playhead_;
    release(*first);
  }
  if (nothing) {
    starve(samples);
  } else {
    starved_samples_ = 0;
  }
}

bool PlayoutBuffer::ready() const {
  const Slot* const first = earliest();
  return first != nullptr && lead(*first) == 0;
}

std::optional<AudioLevel> PlayoutBuffer::peek_level(int samples) const {
  std::optional<AudioLevel> loudest;
  for (std::size_t i = 0, left = count_; left > 0; ++i) {
    const Slot& slot = slots_[i];
    if (!slot.used) continue;
    --left;
    if (lead(slot) >= samples || !slot.level) continue;
    if (!loudest || slot.level->level_dbov < loudest->level_dbov) loudest = slot.level;
  }
  return loudest;
}

void PlayoutBuffer::align(std::uint8_t quiet_dbov) {
  std::int32_t change = surplus_samples();
  if (change >= 0 && change < kSlack_samples) return;
  // Up to the first loud one: who talks on without being heard has pauses, too.
  for (std::size_t i = 0; change > 0 && i < kSlots; ++i) {
    const Slot& slot = slots_[i];
    const bool loud = slot.used && slot.level && slot.level->level_dbov < quiet_dbov;
    if (loud) change = std::clamp(lead(slot), 0, change);
  }
  playhead_ += static_cast<std::uint32_t>(change);
  drop_before_playhead();
}

std::chrono::milliseconds PlayoutBuffer::delay() const {
  return std::chrono::milliseconds(
      started_ && arrival_.started() ? delay_samples() / kSamples_per_ms : 0);
}

}  // namespace media
