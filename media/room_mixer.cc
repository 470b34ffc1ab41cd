#include "media/room_mixer.h"

#include <algorithm>
#include <utility>

#include "media/check.h"
#include "media/listener_loss.h"
#include "media/mix_minus.h"

namespace media {
namespace {

// Keys of one tick that are told; a tick of more is a flood.
constexpr std::size_t kDigits = 64;
constexpr std::int32_t kLeastBitrate_bps = 6000;  // libopus takes no less (RFC 7587 §6.1)
constexpr std::int32_t kMostBitrate_bps = 510000;
constexpr float kMostGain = 4;
// What is played under speech: 12 dB lower within a tenth of a second, and back in half a second.
constexpr float kDucked = 0.25F;
constexpr float kDuck_per_tick = (1 - kDucked) / 5;
constexpr float kUnduck_per_tick = (1 - kDucked) / 25;

EncoderSettings settings_of(const RtpParameters& rtp, const LegPlan& plan, std::uint8_t loss,
                            bool stereo) {
  const auto least = static_cast<std::uint32_t>(kLeastBitrate_bps);
  const auto most = static_cast<std::uint32_t>(kMostBitrate_bps);
  const std::uint32_t wanted =
      plan.max_bitrate_bps != 0 ? plan.max_bitrate_bps : rtp.max_bitrate_bps;
  auto bitrate_bps = static_cast<std::int32_t>(std::clamp(wanted, least, most));
  // What FEC needs is left even then: less would hardly make the packets smaller.
  constexpr auto kFec_bps = EncoderSettings::kLeastForFec_bps;
  if (loss >= ListenerLoss::kHeavy && bitrate_bps > kFec_bps) {
    bitrate_bps = std::max(bitrate_bps / 4 * 3, kFec_bps);
  }
  const bool fec = rtp.use_fec && bitrate_bps >= kFec_bps;
  return {.bitrate_bps = bitrate_bps,
          .loses = fec && loss >= ListenerLoss::kSome,
          .max_rate_hz = static_cast<std::int32_t>(rtp.max_playback_rate_hz),
          .constant_bitrate = rtp.constant_bitrate,
          .stereo = stereo && rtp.stereo && bitrate_bps >= EncoderSettings::kLeastForStereo_bps};
}

bool is_silent(const Frame& frame) {
  return std::all_of(frame.begin(), frame.end(), [](std::int16_t s) { return s == 0; });
}

}  // namespace

RoomMixer::Space::Space(std::size_t legs, std::size_t pieces) {
  legs_.reserve(legs);
  candidates_.reserve(legs);
  order_.reserve(legs);
  ids_.reserve(legs);
  // What is removed stays for one tick more, in which others may come.
  playing_.reserve(2 * pieces);
  frames_.reserve(legs + 2 * pieces);
  sides_.reserve(2 * pieces);
  heard_.reserve(legs);
  named_.reserve(2 * kNamed);
  outgoing_.reserve(legs);
  digits_.reserve(kDigits);
}

void RoomMixer::move_to(Space& space) {
  const auto move = [](auto& from, auto& to) {
    to.assign(from.begin(), from.end());
    from.swap(to);
  };
  move(legs_, space.legs_);
  move(candidates_, space.candidates_);
  move(order_, space.order_);
  move(ids_, space.ids_);
  move(playing_, space.playing_);
  move(digits_, space.digits_);
  forget_tick();
  frames_.swap(space.frames_);
  sides_.swap(space.sides_);
  heard_.swap(space.heard_);
  named_.swap(space.named_);
  outgoing_.swap(space.outgoing_);
}

// What points to those who may go.
void RoomMixer::forget_tick() {
  outgoing_.clear();
  frames_.clear();
  sides_.clear();
  heard_.clear();
  named_.clear();
}

void RoomMixer::add(MixLeg& leg) {
  legs_.push_back(&leg);
  candidates_.push_back({.activity = &leg.activity_});
  ids_.insert(place_of(leg.spec_.contributor_id), leg.spec_.contributor_id);
  order_.resize(legs_.size());
  frames_.reserve(legs_.size() + playing_.size());
  heard_.reserve(legs_.size());
  named_.reserve(2 * kNamed);
  outgoing_.reserve(legs_.size());
  digits_.reserve(kDigits);
  apply_plan(leg);
  refresh_classes();
}

void RoomMixer::remove(MixLeg& leg) {
  const auto found = std::find(legs_.begin(), legs_.end(), &leg);
  if (found == legs_.end()) return;
  candidates_.erase(candidates_.begin() + (found - legs_.begin()));
  legs_.erase(found);
  ids_.erase(place_of(leg.spec_.contributor_id));
  refresh_classes();
  forget_tick();
}

void RoomMixer::update(MixLeg& leg, const MixLegSpec& spec) {
  if (spec.rtp.telephone_event_rate_hz != leg.spec_.rtp.telephone_event_rate_hz) {
    leg.events_ = TelephoneEvents(spec.rtp.telephone_event_rate_hz);
  }
  ids_.erase(place_of(leg.spec_.contributor_id));
  ids_.insert(place_of(spec.contributor_id), spec.contributor_id);
  leg.spec_ = spec;
  apply_plan(leg);
  refresh_classes();
}

void RoomMixer::attach(MixLeg& leg, bool attached) { leg.attached_ = attached; }

void RoomMixer::add(PlaySource& source) {
  playing_.push_back({.source = &source, .frame = {}});
  frames_.reserve(legs_.size() + playing_.size());
  sides_.reserve(playing_.size());
}

void RoomMixer::remove(PlaySource& source) {
  frames_.clear();
  sides_.clear();
  const auto found = std::ranges::find(playing_, &source, &Playing::source);
  if (found == playing_.end()) return;
  if (source.read(found->frame, true)) {
    found->source = nullptr;
  } else {
    playing_.erase(found);
  }
}

void RoomMixer::record(RecordTap* tap) {
  tap_ = tap;
  refresh_classes();
}

void RoomMixer::set_plan(const MixPlan& plan) {
  plan_ = &plan;
  max_speakers_ = plan.max_speakers;
  for (MixLeg* leg : legs_) apply_plan(*leg);
  refresh_classes();
}

void RoomMixer::apply_plan(MixLeg& leg) {
  const LegId id = leg.spec_.leg;
  leg.plan_ = {.leg = id};
  choose_packets(leg);
  if (plan_ == nullptr) return;
  const auto found =
      std::lower_bound(plan_->legs.begin(), plan_->legs.end(), id,
                       [](const LegPlan& entry, LegId wanted) { return entry.leg < wanted; });
  if (found == plan_->legs.end() || found->leg != id) {
    leg.plan_.in_mix = leg.plan_.receives = false;
    return;
  }
  leg.plan_ = *found;
  if (!(leg.plan_.gain >= 0)) leg.plan_.gain = 1;  // also what is no number
  leg.plan_.gain = std::min(leg.plan_.gain, kMostGain);
  choose_packets(leg);
}

void RoomMixer::choose_packets(MixLeg& leg) {
  constexpr std::size_t kFrame_ms = 1000 * kFrame_samples / kSampleRate_hz;
  const std::size_t wanted_ms =
      leg.plan_.packet_ms != 0 ? leg.plan_.packet_ms : leg.spec_.rtp.packet_ms;
  const auto frames = std::clamp<std::size_t>(wanted_ms / kFrame_ms, 1, FramePacker::kMaxFrames);
  if (!leg.packer_ && frames > 1) {
    CHECK(!packers_.empty());
    leg.packer_ = std::move(packers_.back());
    packers_.pop_back();
  }
  if (leg.packer_) leg.packer_->set_frames(frames);
}

void RoomMixer::refresh_classes() {
  classes_.begin();
  bool stereo_liked = false;
  for (MixLeg* leg : legs_) {
    leg->wish_ = settings_of(leg->spec_.rtp, leg->plan_, leg->loss_, stereo_ticks_ > 0);
    classes_.add(leg->wish_);
    stereo_liked = stereo_liked || leg->spec_.rtp.stereo;
  }
  bank_.set_two_channels(stereo_liked);
  if (tap_) classes_.add(tap_->wish_ = best_wish());
  classes_.settle();
  for (MixLeg* leg : legs_) bank_.enroll(leg->listener_, classes_.class_of(leg->wish_));
  if (tap_) bank_.enroll(tap_->listener_, classes_.class_of(tap_->wish_));
  for (std::size_t i = 0; i < ListenerClasses::kClasses; ++i) {
    if (classes_.used(i)) bank_.set_class(i, classes_.settings(i));
  }
  until_refresh_ = kRefresh_ticks;
  refresh_due_ = false;
}

// Of all who listen: a stream that is encoded for one of them costs nothing more.
EncoderSettings RoomMixer::best_wish() const {
  const auto worse = [](const MixLeg* a, const MixLeg* b) {
    const EncoderSettings &x = a->wish_, &y = b->wish_;
    if (x.stereo != y.stereo) return y.stereo;
    if (x.max_rate_hz != y.max_rate_hz) return x.max_rate_hz < y.max_rate_hz;
    if (x.bitrate_bps != y.bitrate_bps) return x.bitrate_bps < y.bitrate_bps;
    return x.loses && !y.loses;
  };
  const auto best = std::ranges::max_element(legs_, worse);
  return best == legs_.end() ? EncoderSettings{} : (*best)->wish_;
}

void RoomMixer::tick(unsigned skipped, std::chrono::nanoseconds late, std::uint32_t now_samples) {
  counters_ = {};
  now_samples_ = now_samples;
  governor_.tick(late);
  bank_.set_complexity(counters_.complexity = governor_.complexity());
  digits_.clear();
  if (tap_) tap_->now_samples_ += std::uint64_t{skipped} * kFrame_samples;
  disbelieved_.begin();
  doubted_.begin();
  for (std::size_t i = 0; i < legs_.size(); ++i) {
    receive(*legs_[i], skipped);
    legs_[i]->activity_.update(listen(*legs_[i], candidates_[i].speaking));
    candidates_[i].may_speak = legs_[i]->plan_.in_mix;
  }
  choose_speakers(candidates_, max_speakers_, order_);
  frames_.clear();
  sides_.clear();
  heard_.clear();
  for (std::size_t i = 0; i < legs_.size(); ++i) freeze(*legs_[i], candidates_[i].speaking);
  play();
  sum();
  name_contributors();
  encode();
  outgoing_.clear();
  for (MixLeg* leg : legs_) {
    leg->timestamp_ += static_cast<std::uint32_t>(kFrame_samples) * (1 + skipped);
    address(*leg);
  }
  counters_.encodes_saved -= std::min(counters_.encodes_saved, counters_.encodes);
}

void RoomMixer::receive(MixLeg& leg, unsigned skipped) {
  leg.voice_.begin(skipped);
  counters_.dropped += leg.take_dropped();
  for (auto bytes = leg.packets_.front(); !bytes.empty(); bytes = leg.packets_.front()) {
    take_packet(leg, bytes);
    leg.packets_.pop();
  }
  if (const auto digit = leg.events_.tick()) press(leg, *digit);
}

void RoomMixer::take_packet(MixLeg& leg, std::span<const std::uint8_t> bytes) {
  const auto packet = parse_rtp(bytes);
  if (!packet) return;
  const RtpParameters& rtp = leg.spec_.rtp;
  if (packet->payload_type == rtp.opus_payload_type) {
    const auto level = read_audio_level(*packet, rtp.ssrc_audio_level);
    const auto contributors = read_contributors(*packet, rtp.csrc_audio_level);
    const auto age = leg.packets_.front_age(now_samples_);
    if (leg.voice_.insert(*packet, level, contributors, age) != PlayoutBuffer::Inserted::invalid) {
      leg.tells_levels_ = level.has_value();
      leg.doubted_ =
          level && level->level_dbov >= kVoiceOff_dbov && packet->payload.size() >= kVoiceBytes;
      if (tap_ && tap_->speakers_ && leg.plan_.in_mix && leg.plan_.recorded) {
        tap_->queue_.push({.now_samples = tap_->now_samples_,
                           .contributor_id = leg.spec_.contributor_id,
                           .ssrc = packet->ssrc,
                           .timestamp = packet->timestamp,
                           .payload = packet->payload});
      }
    }
  } else if (packet->payload_type == rtp.telephone_event) {
    // A new source has timestamps of its own; before or after the old ones means nothing.
    if (packet->ssrc != leg.events_ssrc_)
      leg.events_ = TelephoneEvents(rtp.telephone_event_rate_hz);
    leg.events_ssrc_ = packet->ssrc;
    const auto digit = leg.events_.insert(packet->timestamp, packet->payload);
    if (digit) press(leg, *digit);
  }
}

void RoomMixer::press(const MixLeg& leg, const TelephoneEvents::Digit& digit) {
  if (digits_.size() == kDigits) return;
  digits_.push_back({.leg = leg.spec_.leg, .digit = digit.digit, .duration = digit.duration});
}

// How loud the leg is in this tick: as its packets say (RFC 6464), before anything is decoded, if
// they are believed; else as it measures.
std::uint8_t RoomMixer::listen(MixLeg& leg, bool speaking) {
  leg.measured_ = false;
  if (!leg.plan_.in_mix) return kSilence_dbov;
  const bool believed = leg.tells_levels_ && leg.told_levels_.believed();
  if (leg.tells_levels_) leg.told_dbov_ = leg.voice_.next_level();
  leg.measured_ = measures(leg, speaking);
  std::uint8_t measured_dbov = kSilence_dbov;
  if (leg.measured_ && leg.voice_.has_sound()) {
    measured_dbov = decode_frame(leg);
  } else if (leg.measured_) {
    leg.frame_.fill(0);
  }
  return believed ? leg.told_dbov_ : measured_dbov;
}

bool RoomMixer::measures(MixLeg& leg, bool speaking) {
  if (!leg.tells_levels_) return true;
  if (!leg.told_levels_.believed()) return speaking || disbelieved_.take();
  return leg.doubted_ && !speaking && leg.voice_.has_sound() && doubted_.take();
}

// Decides what the leg says in this tick; from here on it is the same for every listener.
void RoomMixer::freeze(MixLeg& leg, bool speaking) {
  const float gain = speaking ? leg.plan_.gain : 0.0F;
  leg.heard_ = false;
  if (gain == 0 && leg.gain_ == 0) {
    if (!leg.measured_) leg.voice_.pass_over();
    return;
  }
  if (!leg.measured_) decode_frame(leg);
  // What another mixer has mixed is no voice.
  if (leg.filter_ && !leg.plan_.is_mixer) leg.filter_->process(leg.frame_);
  ramp(leg.frame_, leg.gain_, gain, leg.limiter_);
  leg.gain_ = gain;
  leg.level_dbov_ = kSilence_dbov;
  if (is_silent(leg.frame_)) return;
  leg.heard_ = true;
  leg.level_dbov_ = frame_level_dbov(leg.frame_);
  frames_.push_back(&leg.frame_);
  heard_.push_back(&leg);
}

// Returns how loud it is.
std::uint8_t RoomMixer::decode_frame(MixLeg& leg) {
  counters_.decodes += leg.voice_.decode(leg.frame_);
  const std::uint8_t level_dbov = frame_level_dbov(leg.frame_);
  if (leg.tells_levels_) leg.told_levels_.compare(leg.told_dbov_, level_dbov);
  return level_dbov;
}

void RoomMixer::play() {
  std::erase_if(playing_, [](const Playing& each) { return each.over; });
  const float gain = next_play_gain();
  for (Playing& playing : playing_) {
    playing.over = playing.source == nullptr;
    if (playing.source && !playing.source->read(playing.frame)) continue;
    if (playing.source) playing.urgent = playing.source->urgent();
    Limiter fits;  // it need not act: nothing grows
    PlayedFrame& frame = playing.frame;
    if (!playing.urgent) ramp(frame.mid, play_gain_, gain, fits);
    if (!playing.urgent && frame.stereo) ramp(frame.side, play_gain_, gain, fits);
    frames_.push_back(&frame.mid);
    if (frame.stereo) sides_.push_back(&frame.side);
  }
  play_gain_ = gain;
}

float RoomMixer::next_play_gain() {
  const bool covered = !heard_.empty() || std::ranges::any_of(playing_, &Playing::urgent);
  unspoken_ticks_ = covered ? 0 : std::min(unspoken_ticks_ + 1, kUnduck_ticks);
  if (unspoken_ticks_ == kUnduck_ticks) return std::min(1.0F, play_gain_ + kUnduck_per_tick);
  return std::max(kDucked, play_gain_ - kDuck_per_tick);
}

void RoomMixer::sum() {
  sum_frames(frames_, total_);
  silent_ = sides_.empty() &&
            std::all_of(total_.begin(), total_.end(), [](std::int32_t s) { return s == 0; });
  if (!sides_.empty()) sum_frames(sides_, side_);
  const bool before = stereo_ticks_ > 0;
  stereo_ticks_ = sides_.empty() ? std::max(stereo_ticks_ - 1, 0) : kStereo_ticks;
  if (before != (stereo_ticks_ > 0)) refresh_classes();
}

std::vector<std::uint32_t>::iterator RoomMixer::place_of(std::uint32_t id) {
  return std::lower_bound(ids_.begin(), ids_.end(), id);
}

// A leg that is a mixer passes on who contributed to what it says (RFC 3550 §7.3); but of our own
// callers it knows nothing that we do not: it is a loop, or puts words into their mouths.
void RoomMixer::name_contributors() {
  std::sort(heard_.begin(), heard_.end(), [](const MixLeg* a, const MixLeg* b) {
    return a->level_dbov_ != b->level_dbov_ ? a->level_dbov_ < b->level_dbov_
                                            : a->spec_.contributor_id < b->spec_.contributor_id;
  });
  named_.clear();
  for (const MixLeg* leg : heard_) {
    bool by_itself = true;
    for (Contributor contributor : leg->voice_.contributors()) {
      if (!leg->plan_.is_mixer) break;
      if (std::binary_search(ids_.begin(), ids_.end(), contributor.id)) continue;
      if (contributor.level_dbov == LegVoice::kNotTold) contributor.level_dbov = leg->level_dbov_;
      name(*leg, contributor);
      by_itself = false;
    }
    if (by_itself) name(*leg, {.id = leg->spec_.contributor_id, .level_dbov = leg->level_dbov_});
  }
}

void RoomMixer::name(const MixLeg& leg, const Contributor& contributor) {
  std::size_t different = 0;
  bool again = false;
  for (const Named& named : named_) {
    if (!named.again) ++different;
    if (named.contributor.id != contributor.id) continue;
    if (again || named.through == &leg) return;
    again = true;
  }
  if (different == kNamed) return;
  named_.push_back({.contributor = contributor, .through = &leg, .again = again});
}

void RoomMixer::encode() {
  bool losses_changed = false;
  for (MixLeg* leg : legs_) losses_changed = leg->take_loss() || losses_changed;
  refresh_due_ = refresh_due_ || losses_changed;
  if (until_refresh_ > 0) --until_refresh_;
  if (refresh_due_ && until_refresh_ == 0) refresh_classes();
  bank_.begin(total_, silent_, side());
  for (MixLeg* leg : legs_) {
    if (!leg->attached_ || !leg->plan_.receives) continue;
    bank_.choose(leg->listener_, own(*leg), leg->spec_.rtp.use_dtx);
  }
  if (tap_) bank_.choose_mix(tap_->listener_, recorded_sum(), true);
  bank_.encode_common();
  if (tap_) record_mix();
  counters_.encodes = bank_.encodes();
}

// nullptr: all that is heard is recorded.
const Sum* RoomMixer::recorded_sum() {
  const Sum* sum = nullptr;
  for (const MixLeg* leg : heard_) {
    if (leg->plan_.recorded) continue;
    subtract(sum ? *sum : total_, &leg->frame_, tap_->heard_);
    sum = &tap_->heard_;
  }
  return sum;
}

void RoomMixer::record_mix() {
  if (bank_.due(tap_->listener_, true)) {
    tap_->queue_.push(
        {.now_samples = tap_->now_samples_, .payload = bank_.stream_of(tap_->listener_).payload()});
  }
  tap_->now_samples_ += kFrame_samples;
  tap_->told_now_.store(tap_->now_samples_, std::memory_order_release);
}

// The leg's own header for the stream it listens to (RFC 3550 §5.1, §7.1: the CSRCs of a mix).
void RoomMixer::address(MixLeg& leg) {
  const bool receives = leg.attached_ && leg.plan_.receives;
  const bool sent_before = leg.sent_;
  leg.sent_ = receives && bank_.due(leg.listener_, leg.spec_.rtp.use_dtx);
  if (leg.sent_) ++counters_.encodes_saved;
  // RFC 7587 §4.1: the first after a silence.
  leg.marker_ = leg.marker_ || (leg.sent_ && !sent_before);
  Outgoing out{.leg = &leg, .stream = &bank_.stream_of(leg.listener_), .timestamp = leg.timestamp_};
  if (leg.packer_) {
    if (!receives) return leg.packer_->clear();
    const auto packet = leg.packer_->put(
        leg.sent_ ? out.stream->payload() : std::span<const std::uint8_t>{}, leg.timestamp_);
    if (!packet) return;
    out.packed = packet->payload;
    out.timestamp = packet->timestamp;
  } else if (!leg.sent_) {
    return;
  }
  std::array<Contributor, limits::kMaxCsrcs> heard;
  std::size_t count = 0;
  for (const Named& named : named_) {
    if (count == heard.size()) break;
    const std::uint32_t id = named.contributor.id;
    if (named.through == &leg) continue;
    const auto same = [id](const Contributor& each) { return each.id == id; };
    if (named.again && std::any_of(heard.begin(), heard.begin() + count, same)) continue;
    heard[count++] = named.contributor;
  }
  const RtpHeader header{.marker = std::exchange(leg.marker_, false),
                         .payload_type = leg.spec_.rtp.opus_payload_type,
                         .sequence = leg.sequence_++,
                         .timestamp = out.timestamp,
                         .ssrc = leg.spec_.ssrc};
  const std::size_t bytes = write_rtp_header(header, std::span(heard).first(count),
                                             leg.spec_.rtp.csrc_audio_level, leg.header_);
  out.header = std::span(leg.header_).first(bytes);
  outgoing_.push_back(out);
}

}  // namespace media
