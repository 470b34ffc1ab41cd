// media/room_mixer.h: one tick of one room. Pure: packets in the legs' rings
// become headers and payloads; no clock, thread or GStreamer. One thread at a time; tick()
// allocates nothing, takes no lock and logs nothing; a VoiceFilter may.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "media/complexity_governor.h"
#include "media/encoder_bank.h"
#include "media/mix_leg.h"
#include "media/play_source.h"
#include "media/record_tap.h"
#include "media/told_levels.h"

namespace media {

class RoomMixer {
 public:
  // One leg's packet of this tick; valid until the next one. Legs on one stream share its payload:
  // their `stream` is the same, and nothing `packed`.
  struct Outgoing {
    MixLeg* leg = nullptr;
    std::span<const std::uint8_t> header{};
    const MixEncoder* stream = nullptr;
    std::uint32_t timestamp = 0;
    std::span<const std::uint8_t> packed{};  // instead, of a leg with longer packets
    std::span<const std::uint8_t> payload() const {
      return packed.empty() ? stream->payload() : packed;
    }
  };
  struct Counters {  // of the last tick
    unsigned encodes = 0;
    unsigned encodes_saved = 0;  // less than one for everybody who is sent something
    unsigned decodes = 0;
    std::uint64_t dropped = 0;  // packets for which the legs' rings had no room before it
    int complexity = MixEncoder::kComplexity;
  };

  explicit RoomMixer(std::size_t max_speakers = limits::kDefaultSpeakers)
      : max_speakers_(max_speakers) {}

  // A leg is as loud as its packets say (RFC 6464), and is decoded when it is heard. Where that
  // shows that they are wrong (ToldLevels), it is measured, as one that tells nothing; of those so
  // many at once, besides who is heard. What says it is silent and is as long as a voice's packets
  // is looked into, too, one leg at a time.
  static constexpr std::size_t kDisbelieved = 8;
  static constexpr std::size_t kVoiceBytes = 40;  // 16 kbit/s, at 20 ms

  // What a mixer with so many legs and pieces keeps of them, made beforehand by another thread.
  class Space;
  // Between ticks; allocates nothing. Up to so many add() allocates nothing either. `space` is what
  // was there before.
  void move_to(Space& space);

  // For legs that are sent longer packets: taken from there, what is left comes back with the next
  // call. Of add() and update() each needs one at most; set_plan() one for each leg that the plan
  // sends longer ones.
  void lend(std::vector<std::unique_ptr<FramePacker>>& packers) { packers_.swap(packers); }

  // Between ticks. The mixer owns none of these. A leg in no plan yet speaks and
  // hears only if there is no plan at all; a plan says how many are heard at once, too.
  void add(MixLeg& leg);
  void remove(MixLeg& leg);
  void update(MixLeg& leg, const MixLegSpec& spec);
  void attach(MixLeg& leg, bool attached);  // false: nobody takes what it would be sent
  // What is played sinks under speech, and is heard in full again when nobody has spoken for a
  // second. Removed, it is faded in the next tick.
  void add(PlaySource& source);
  void remove(PlaySource& source);
  // From the next tick on what the room hears goes there, too; nullptr: no more. One at a time.
  void record(RecordTap* tap);
  // `plan` is sorted by leg and lives until another one is set.
  void set_plan(const MixPlan& plan);

  // 20 ms. `skipped`: how many ticks were left out just before (the machine stood still): the legs'
  // timestamps go on as if they had been. `late`: how long after its time it begins; it decides
  // how much work an encode may be. `now_samples`: its time, on the clock by which the packets came
  // (PacketRing); it wraps.
  void tick(unsigned skipped = 0, std::chrono::nanoseconds late = {},
            std::uint32_t now_samples = PacketRing::kUnknown);

  std::span<const Outgoing> outgoing() const { return outgoing_; }
  std::span<const DigitPressed> digits() const { return digits_; }
  // The full mix of the last tick, limited. Once per tick: the limiter remembers.
  void full_mix(Frame& out) { mix_limiter_.process(total_, out); }
  const Sum& total() const { return total_; }
  // What is played in stereo: the left channel has that much more than total(), the right less.
  // nullptr: nothing is.
  const Sum* side() const { return sides_.empty() ? nullptr : &side_; }
  // What the leg adds to total(); nullptr: nothing.
  const Frame* own(const MixLeg& leg) const { return leg.heard_ ? &leg.frame_ : nullptr; }
  Counters counters() const { return counters_; }
  std::size_t legs() const { return legs_.size(); }

 private:
  void apply_plan(MixLeg& leg);
  void forget_tick();
  void choose_packets(MixLeg& leg);
  void refresh_classes();
  EncoderSettings best_wish() const;
  // The steps of a tick, in their order.
  void receive(MixLeg& leg, unsigned skipped);
  void take_packet(MixLeg& leg, std::span<const std::uint8_t> bytes);
  void press(const MixLeg& leg, const TelephoneEvents::Digit& digit);
  std::uint8_t listen(MixLeg& leg, bool speaking);
  bool measures(MixLeg& leg, bool speaking);
  void freeze(MixLeg& leg, bool speaking);
  std::uint8_t decode_frame(MixLeg& leg);
  void play();
  float next_play_gain();
  void sum();
  std::vector<std::uint32_t>::iterator place_of(std::uint32_t id);  // in ids_
  void name_contributors();
  void name(const MixLeg& leg, const Contributor& contributor);
  const Sum* recorded_sum();
  void record_mix();
  void encode();
  void address(MixLeg& leg);

  // A contributor, and the leg through which it is heard. One that two legs name stands here twice:
  // neither leg is told of what it named itself.
  struct Named {
    Contributor contributor;
    const MixLeg* through = nullptr;
    bool again = false;
  };
  // Of so many different ones fifteen are left for each listener: he is not told of his own
  // fifteen.
  static constexpr std::size_t kNamed = 2 * limits::kMaxCsrcs;
  // Half a second, after the voice's own hang-over: then what is played comes back.
  static constexpr int kUnduck_ticks = 25;

  // Two seconds after the last stereo sound: longer than between two pieces. Until then the two
  // channels have long been coded alike, so that nothing breaks when there is one.
  static constexpr int kStereo_ticks = 100;

  // What many report in a short time changes the classes once: it costs a look at every leg.
  static constexpr unsigned kRefresh_ticks = 10;

  std::size_t max_speakers_;
  std::vector<MixLeg*> legs_;
  std::vector<SpeakerCandidate> candidates_;  // beside legs_
  std::vector<SpeakerCandidate*> order_;
  Turns disbelieved_{kDisbelieved}, doubted_{1};
  std::vector<std::uint32_t> ids_;  // the legs' contributor ids, sorted
  struct Playing {
    PlaySource* source;  // nullptr: removed, `frame` is its last
    PlayedFrame frame;
    bool urgent = false;
    bool over = false;
  };
  std::vector<Playing> playing_;
  float play_gain_ = 1;                 // that what is played ended with
  int unspoken_ticks_ = kUnduck_ticks;  // since anybody, or what is urgent, was heard; up to there
  int stereo_ticks_ = 0;                // until who likes stereo is sent mono again
  const MixPlan* plan_ = nullptr;
  std::vector<std::unique_ptr<FramePacker>> packers_;
  ListenerClasses classes_;
  RecordTap* tap_ = nullptr;
  bool refresh_due_ = false;
  unsigned until_refresh_ = 0;
  EncoderBank bank_;
  ComplexityGovernor governor_;
  Limiter mix_limiter_;

  // Of the last tick.
  std::uint32_t now_samples_ = PacketRing::kUnknown;
  Sum total_{}, side_{};
  bool silent_ = true;
  std::vector<const Frame*> frames_;  // that make total_
  std::vector<const Frame*> sides_;   // that make side_
  std::vector<const MixLeg*> heard_;  // loudest first
  std::vector<Named> named_;          // by them, in their order
  std::vector<Outgoing> outgoing_;
  std::vector<DigitPressed> digits_;
  Counters counters_;
};

class RoomMixer::Space {
 public:
  Space(std::size_t legs, std::size_t pieces);

 private:
  friend class RoomMixer;
  std::vector<MixLeg*> legs_;
  std::vector<SpeakerCandidate> candidates_;
  std::vector<SpeakerCandidate*> order_;
  std::vector<std::uint32_t> ids_;
  std::vector<Playing> playing_;
  std::vector<const Frame*> frames_, sides_;
  std::vector<const MixLeg*> heard_;
  std::vector<Named> named_;
  std::vector<Outgoing> outgoing_;
  std::vector<DigitPressed> digits_;
};

}  // namespace media
