#include "media/playout_buffer.h"

#include <algorithm>

#include "media/audio_frame.h"

namespace media {
namespace {

constexpr std::int32_t kSamples_per_ms = kSampleRate_hz / 1000;
constexpr int kMaxPacket_samples = 120 * kSamples_per_ms;  // RFC 6716 §3.2.5
// With this much too much delay, a packet is dropped even from speech.
constexpr std::int32_t kFarTooMuch_samples = 3 * kFrame_samples;

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
    : target_samples_(static_cast<std::int32_t>(config.target_delay.count()) * kSamples_per_ms),
      max_samples_(static_cast<std::int32_t>(config.max_delay.count()) * kSamples_per_ms),
      slots_(std::make_unique<Slot[]>(kSlots)),
      payloads_(new Payload[kSlots]) {}

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

void PlayoutBuffer::resync(const RtpPacket& packet) {
  ++resyncs_;
  playhead_ = packet.timestamp - static_cast<std::uint32_t>(target_samples_);
  // What was played stays played, unless the timestamps have become others.
  if (static_cast<std::int32_t>(packet.timestamp - played_to_) < 0) played_to_ = playhead_;
  last_pulled_ = static_cast<std::uint16_t>(packet.sequence - 1);
  drop_before_playhead();
  watched_ = late_in_window_ = 0;
  surplus_ = 0;
  starved_samples_ = 0;
}

void PlayoutBuffer::watch(std::int32_t lead) {
  least_lead_ = watched_ == 0 ? lead : std::min(least_lead_, lead);
  most_lead_ = watched_ == 0 ? lead : std::max(most_lead_, lead);
  if (++watched_ < kWindow_packets) return;
  watched_ = late_in_window_ = 0;
  last_delay_ = most_lead_;
  const std::int32_t surplus = least_lead_ - target_samples_;
  // Whole frames only: where in a tick packets come in moves leads by less than one.
  surplus_ = std::max(0, surplus / kFrame_samples * kFrame_samples);
}

PlayoutBuffer::Inserted PlayoutBuffer::take_late(const RtpPacket& packet,
                                                 std::int32_t late_samples) {
  if (count_ == 0 && newer(packet.sequence, newest_)) {
    // Nothing newer is there: the talk goes on with this one, later by what was concealed.
    if (late_samples > max_samples_) {
      resync(packet);
    } else {
      playhead_ = packet.timestamp;
      watched_ = 0;
    }
    return Inserted::resynced;
  }
  ++late_;
  // Held back only against what is there: the bound is taken from it.
  if (count_ > 0 && late_samples <= max_samples_) {
    most_late_ = late_in_window_ == 0 ? late_samples : std::max(most_late_, late_samples);
    if (++late_in_window_ > kLateTolerated) hold_back();
  }
  return Inserted::late;
}

void PlayoutBuffer::hold_back() {
  std::int32_t most_lead = 0;
  for (std::size_t i = 0; i < kSlots; ++i) {
    if (slots_[i].used) most_lead = std::max(most_lead, lead(slots_[i]));
  }
  const std::int32_t wanted = (most_late_ + kFrame_samples - 1) / kFrame_samples * kFrame_samples;
  const std::int32_t back = std::min(wanted, max_samples_ - most_lead);
  if (back > 0) playhead_ -= static_cast<std::uint32_t>(back);
  watched_ = late_in_window_ = 0;
  surplus_ = 0;
}

PlayoutBuffer::Inserted PlayoutBuffer::insert(const RtpPacket& packet,
                                              std::optional<AudioLevel> level,
                                              const ContributorList& contributors) {
  const std::optional<int> samples = opus_packet_samples(packet.payload);
  if (!samples) return Inserted::invalid;
  Inserted outcome = Inserted::stored;
  const auto early = static_cast<std::int32_t>(packet.timestamp - playhead_);
  if (!started_ || packet.ssrc != ssrc_) {
    clear();
    started_ = true;
    ssrc_ = packet.ssrc;
    newest_ = static_cast<std::uint16_t>(packet.sequence - 1);
    seen_ = 0;
    played_to_ = packet.timestamp - static_cast<std::uint32_t>(target_samples_);
    resync(packet);
    outcome = Inserted::resynced;
  } else if (duplicate(packet.sequence)) {
    return Inserted::duplicate;
  } else if (early > max_samples_) {
    // A jump forward, or what had piled up in a stall: only the newest is worth playing.
    resync(packet);
    outcome = Inserted::resynced;
  } else if (early < 0) {
    // Beyond the bound all is one; half the circle away cannot be negated.
    outcome = take_late(packet, early < -max_samples_ ? max_samples_ + 1 : -early);
  } else if (static_cast<std::int32_t>(packet.timestamp - played_to_) < 0) {
    outcome = Inserted::late;  // the playhead was held back, but its successors have been heard
    ++late_;
  } else {
    watch(early);
  }
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

std::optional<PlayoutBuffer::Step> PlayoutBuffer::pull() {
  if (!started_) return std::nullopt;
  const Slot* first = earliest();
  // Packets that overlap the last one (a peer that lies about its timestamps) are not played twice.
  while (first != nullptr && lead(*first) < 0) {
    release(*first);
    ++late_;
    first = earliest();
  }
  Step step;
  if (first != nullptr && lead(*first) == 0) {
    step = {.packet = payload(*first),
            .samples = first->samples,
            .level = first->level,
            .contributors = contributors(*first)};
    last_pulled_ = first->sequence;
    last_samples_ = first->samples;
    played_to_ = playhead_ + static_cast<std::uint32_t>(first->samples);
    starved_samples_ = 0;
    release(*first);  // its bytes stay until a slot is filled again
  } else if (first != nullptr) {
    // A hole before `first`: lost, or silence that was not sent (DTX: the sequence goes on).
    const std::int32_t hole = lead(*first);
    const bool lost = static_cast<std::uint16_t>(first->sequence - last_pulled_) != 1;
    step.samples = std::min(hole, last_samples_);
    if (lost && hole <= first->samples) step = {.next = payload(*first), .samples = hole};
  } else {
    step.samples = kFrame_samples;
    starved_samples_ += kFrame_samples;
    if (starved_samples_ >= kForget_samples) {
      clear();
      return std::nullopt;
    }
  }
  playhead_ += static_cast<std::uint32_t>(step.samples);
  return step;
}

void PlayoutBuffer::skip(int samples) {
  if (!started_) return;
  const std::size_t before = count_;
  playhead_ += static_cast<std::uint32_t>(samples);
  for (std::size_t i = 0; i < kSlots; ++i) {
    if (!slots_[i].used || lead(slots_[i]) >= 0) continue;
    last_pulled_ = slots_[i].sequence;
    last_samples_ = slots_[i].samples;
    played_to_ = playhead_;
    release(slots_[i]);
  }
  starved_samples_ = count_ < before || count_ > 0 ? 0 : starved_samples_ + samples;
  if (starved_samples_ >= kForget_samples) clear();
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

void PlayoutBuffer::adjust(bool quiet) {
  if (surplus_ == 0) return;
  std::int32_t drop = surplus_;
  if (!quiet) {
    const Slot* first = earliest();
    if (surplus_ < kFarTooMuch_samples || first == nullptr) return;
    drop = std::max(kFrame_samples, first->samples);  // a whole packet, not the half of one
  }
  surplus_ = 0;
  watched_ = 0;
  playhead_ += static_cast<std::uint32_t>(drop);
  drop_before_playhead();
}

std::chrono::milliseconds PlayoutBuffer::delay() const {
  return std::chrono::milliseconds(last_delay_ / kSamples_per_ms);
}

}  // namespace media
