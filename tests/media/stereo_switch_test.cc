// Between mono and stereo nothing breaks: not where a piece in stereo begins and ends, nor where a
// listener comes to stereo or leaves it, nor where a stream is first prepared for it. The law is
// that of class_switch_test.cc: against an unbroken stream the first frame after a seam is within
// 2 dB of the fourth, and of what is heard where there is no seam, and 8 dB above a new encoder's.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "media/encoder_bank.h"
#include "tests/media/seams.h"
#include "tests/support/opus_codec.h"
#include "tests/support/seed.h"

namespace media {
namespace {

using test_support::OpusReceiver;
using test_support::Samples;
using test_support::snr_db;

constexpr EncoderSettings kMono{}, kStereo{.stereo = true};

bool is_stereo(std::span<const std::uint8_t> packet) { return (packet[0] & 4) != 0; }

// How far what is heard after a seam is from an unbroken stream; `apart`: how far another stream is
// in these frames that has no seam, nor the same past: where music begins, it is further in the
// first; `fresh`: had a new encoder begun there.
struct Seams {
  Seam heard, apart, fresh;
  void print(const char* what) const {
    std::cout << what << ": first frame " << heard.first() << " dB, fourth " << heard.fourth()
              << "; no seam " << apart.first() << ", " << apart.fourth() << "; fresh encoder "
              << fresh.first() << " (" << heard.count << " times)\n";
  }
  // Of one way alone it is few frames, each 6 dB about their mean: with the slack of as much again
  // as is asked a way fails for less than one seed in ten thousand.
  void expect_unheard() const {
    EXPECT_GT(heard.first() - heard.fourth(), apart.first() - apart.fourth() - 2 - 4);
    EXPECT_GT(heard.first(), fresh.first() + 8 - 4);
  }
};

// Two people talk; what is played is beside them.
struct Played {
  Played(unsigned seed, std::size_t frames) : talk(seed, frames), music(seed + 1, frames) {}
  Sum mid(std::size_t t) const { return talk.at(t); }
  // Fades in and out within a frame, as pieces do.
  const Sum& side(std::size_t t, bool begins, bool ends) {
    side_ = music.at(t);
    for (int i = 0; i < kFrame_samples; ++i) {
      if (begins) side_[i] = side_[i] * i / kFrame_samples;
      if (ends) side_[i] = side_[i] * (kFrame_samples - i) / kFrame_samples;
    }
    return side_;
  }
  Talk talk, music;

 private:
  Sum side_;
};

// One who was stereo all the time is the measure.
TEST(StereoSwitch, APieceBeginsAndEndsUnheard) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  constexpr std::size_t kRound = 80, kBegin = 30, kEnd = 45, kBack = 75, kRounds = 28;
  Played sound(seed, kRound * kRounds);
  MixEncoder encoder, unbroken, other, fresh;
  encoder.start(kMono, 2);
  unbroken.start(kStereo, 2);
  OpusReceiver heard(2), reference(2), other_ear(2), fresh_ear(2);
  Seams begins, ends;
  for (std::size_t t = 0; t < kRound * kRounds; ++t) {
    const std::size_t at = t % kRound;
    const bool played = at >= kBegin && at <= kEnd;
    const Sum mid = sound.mid(t);
    const Sum* const side = played ? &sound.side(t, at == kBegin, at == kEnd) : nullptr;
    const EncoderSettings& settings = at >= kBegin && at < kBack ? kStereo : kMono;
    if (at == kBegin || at == kBack) {
      fresh.start(settings, 2);
      fresh_ear = heard;
    }
    if (at == 0 || at == kEnd + 1) other.start(kStereo, 2);
    encoder.set(settings);
    const auto packet = encoder.encode(mid, side);
    const Samples beside = other_ear.decode(other.encode(mid, side));
    ASSERT_EQ(is_stereo(packet) && at > kBack + 3, false);
    ASSERT_EQ(!is_stereo(packet) && at > kBegin + 3 && at < kBack, false);
    const Samples out = heard.decode(packet);
    const Samples expected = reference.decode(unbroken.encode(mid, side));
    for (const auto& [seams, seam] : {std::pair(&begins, kBegin), std::pair(&ends, kBack)}) {
      if (at < seam || at > seam + 3) continue;
      const auto since = static_cast<int>(at - seam);
      seams->heard.add(since, snr_db(out, expected));
      seams->apart.add(since, snr_db(beside, expected));
      seams->fresh.add(since, snr_db(fresh_ear.decode(fresh.encode(mid, side)), expected));
    }
  }
  begins.print("it begins");
  begins.expect_unheard();
  ends.print("it has ended");
  ends.expect_unheard();
}

struct StereoRoom {
  explicit StereoRoom(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) listeners.push_back(std::make_unique<Listener>());
  }
  void tick(const Sum& total, const Sum* side) {
    bank.begin(total, false, side);
    for (auto& listener : listeners) bank.choose(*listener, nullptr, false);
    bank.encode_common();
  }
  const MixEncoder& stream(std::size_t i) const { return bank.stream_of(*listeners[i]); }
  EncoderBank bank;
  std::vector<std::unique_ptr<Listener>> listeners;
};

// Somebody who likes stereo joins those who do not: their stream is another encoder's then.
TEST(StereoSwitch, AStreamIsPreparedForItUnheard) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Seams seams;
  for (unsigned round = 0; round < 24; ++round) {
    constexpr std::size_t kJoins = 20;
    Played sound(seed + 2 * round, 100);
    StereoRoom room(1);
    MixEncoder unbroken, other, fresh;
    OpusReceiver heard(2), reference(2), other_ear(2), fresh_ear(2);
    int since = -1;
    for (std::size_t t = 0; t < 100 && since < 3; ++t) {
      if (t == kJoins) room.bank.set_two_channels(true);
      const Sum mid = sound.mid(t);
      if (since >= 0 || room.stream(0).channels() == 2) ++since;
      if (since == 0) {
        ASSERT_GE(t, kJoins + std::size_t{EncoderBank::kAlike_ticks});
        fresh.start(kMono);
        fresh_ear = heard;
      }
      room.tick(mid, nullptr);
      const auto packet = room.stream(0).payload();
      if (t == 0) unbroken.start(kMono);
      if (t == kJoins) other.start(kMono);
      const Samples beside = t < kJoins ? Samples() : other_ear.decode(other.encode(mid));
      const Samples expected = reference.decode(unbroken.encode(mid));
      const Samples out = heard.decode(packet);
      if (since < 0) {
        ASSERT_EQ(out, expected);
        ASSERT_EQ(room.bank.encodes(), t < kJoins ? 1U : 2U);
        continue;
      }
      ASSERT_EQ(room.bank.encodes(), 1U);
      seams.heard.add(since, snr_db(out, expected));
      seams.apart.add(since, snr_db(beside, expected));
      seams.fresh.add(since, snr_db(fresh_ear.decode(fresh.encode(mid)), expected));
    }
    ASSERT_EQ(since, 3);
  }
  seams.print("a stream is prepared");
  seams.expect_unheard();
}

// One listener stays in mono, one in stereo; the third goes to and fro while something is played.
// Coming off the bridge he hears what he would had he stayed on it.
TEST(StereoSwitch, AListenerComesAndGoesUnheard) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  constexpr std::size_t kFrames = 1800;
  constexpr std::array kSettings{kMono, kStereo};
  Played sound(seed, kFrames);
  StereoRoom room(3);
  room.bank.set_two_channels(true);
  room.bank.set_class(1, kStereo);
  room.bank.enroll(*room.listeners[1], 1);
  std::array<Seams, 2> to;
  MixEncoder unbroken, fresh;
  OpusReceiver heard(2), reference(2), fresh_ear(2);
  std::array<OpusReceiver, 2> staying{OpusReceiver(2), OpusReceiver(2)};
  int since = 100, rests = 0;
  for (std::size_t t = 0; t < kFrames; ++t) {
    const Listener& mover = *room.listeners[2];
    if (!mover.moving() && ++rests > 8) {
      room.bank.enroll(*room.listeners[2], 1 - mover.listener_class());
      rests = 0;
    }
    const std::size_t goal = mover.listener_class();
    const bool on_bridge = mover.moving() && t > 0;
    if (on_bridge) {  // should it end in this tick
      unbroken.fork(room.stream(2), kSettings[goal]);
      fresh.start(kSettings[goal], 2);
      reference = fresh_ear = heard;
    }
    const Sum mid = sound.mid(t);
    const Sum& side = sound.side(t, t == 0, false);
    room.tick(mid, &side);
    if (on_bridge && !mover.moving()) since = 0;
    const auto packet = room.stream(2).payload();
    const Samples out = heard.decode(packet);
    const std::array beside{staying[0].decode(room.stream(0).payload()),
                            staying[1].decode(room.stream(1).payload())};
    if (since < 4) {
      const Samples expected = reference.decode(unbroken.encode(mid, &side));
      to[goal].heard.add(since, snr_db(out, expected));
      to[goal].apart.add(since, snr_db(beside[goal], expected));
      to[goal].fresh.add(since, snr_db(fresh_ear.decode(fresh.encode(mid, &side)), expected));
      ASSERT_EQ(is_stereo(packet), goal == 1);
      ++since;
    }
  }
  to[1].print("to stereo");
  to[1].expect_unheard();
  to[0].print("to mono");
  to[0].expect_unheard();
}

// Who likes it was told of nobody's class being stereo when his stream began; it is when he comes
// there.
TEST(StereoSwitch, WhoBeganInMonoIsSentStereoInTheEnd) {
  Played sound(1, 200);
  StereoRoom room(3);
  for (std::size_t t = 0; t < 200; ++t) {
    if (t == 10) {
      room.bank.set_two_channels(true);
      room.bank.set_class(1, kStereo);
      room.bank.enroll(*room.listeners[1], 1);
    }
    if (t == 11) room.bank.enroll(*room.listeners[2], 1);
    room.tick(sound.mid(t), &sound.side(t, false, false));
  }
  EXPECT_FALSE(is_stereo(room.stream(0).payload()));
  for (const std::size_t i : {1U, 2U}) {
    EXPECT_TRUE(is_stereo(room.stream(i).payload()));
    EXPECT_FALSE(room.listeners[i]->moving());
  }
  EXPECT_EQ(room.bank.encodes(), 2U);
}

}  // namespace
}  // namespace media
