// A listener comes from the stream of one class to that of another: unheard, and at the cost of one
// more encode for half a second, however many come with him.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "media/encoder_bank.h"
#include "media/mix_minus.h"
#include "tests/support/audio.h"
#include "tests/support/opus_codec.h"
#include "tests/support/seed.h"
#include "tests/support/speech.h"

namespace media {
namespace {

using test_support::Samples;

constexpr EncoderSettings kFull{}, kLossy{.expected_loss_percent = 10},
    kHeavy{.bitrate_bps = 24000, .expected_loss_percent = 20}, kNarrow{.bitrate_bps = 16000};

Frame frame_of(const Samples& voice, std::size_t index) {
  Frame frame;
  std::copy_n(voice.begin() + static_cast<std::ptrdiff_t>(index * kFrame_samples), kFrame_samples,
              frame.begin());
  return frame;
}

struct Classes {
  explicit Classes(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) listeners.push_back(std::make_unique<Listener>());
  }
  void tick(const Sum& total, bool dtx = false) {
    const bool silent = std::ranges::all_of(total, [](auto s) { return s == 0; });
    bank.begin(total, silent);
    for (auto& listener : listeners) bank.choose(*listener, nullptr, dtx);
    bank.encode_common();
  }
  std::span<const std::uint8_t> payload(std::size_t i) const {
    return bank.stream_of(*listeners[i]).payload();
  }
  EncoderBank bank;
  std::vector<std::unique_ptr<Listener>> listeners;
};

Sum two_voices(const Samples& a, const Samples& b, std::size_t index) {
  const Frame frames[] = {frame_of(a, index), frame_of(b, index)};
  const Frame* in[] = {&frames[0], &frames[1]};
  Sum total;
  sum_frames(in, total);
  return total;
}

// Frames 1 and 4 after a seam, against a stream that has none.
struct Seam {
  double first_db = 0, fourth_db = 0;
  int count = 0;
  void add(std::size_t frame, double db) {
    if (frame == 0) first_db += db, ++count;
    if (frame == 3) fourth_db += db;
  }
  double first() const { return first_db / count; }
  double fourth() const { return fourth_db / count; }
};
struct Measured {
  Seam onto, off, plain, fresh, there;
};

// One listener changes from `from` to `to`, others stay on both. Each seam against the stream that
// he comes from going on unbroken: `onto` the bridge, and `off` it. `plain`: had he simply been
// sent the other's packets; `fresh`: a new encoder's. `there`: onto the bridge, against the stream
// that he goes to; with other settings the two become alike only later.
Measured measure(const EncoderSettings& from, const EncoderSettings& to) {
  constexpr std::size_t kFrames = 600;
  const Samples a = test_support::speech(110, kFrames * 960, 3.1);
  const Samples b = test_support::speech(190, kFrames * 960, 4.0);
  Measured measured;
  for (std::size_t onset = 60; onset < kFrames - 60; onset += 23) {
    Classes room(3);
    room.bank.set_class(0, from);
    room.bank.set_class(1, to);
    room.bank.enroll(*room.listeners[1], 1);
    MixEncoder fresh, way;  // `way`: his bridge, had it gone on for ever
    test_support::OpusReceiver heard, plain, fresh_heard, there, before, on_the_way;
    const std::size_t arrival = onset + EncoderBank::kAlike_ticks;
    for (std::size_t t = onset - 55; t < arrival + 4; ++t) {
      const Sum total = two_voices(a, b, t);
      if (t == onset) {
        way.fork(room.bank.stream_of(*room.listeners[0]), to);
        fresh.start(to);
        room.bank.enroll(*room.listeners[2], 1);
      }
      room.tick(total);
      const bool moved = t >= onset;
      const Samples out = heard.decode(room.payload(2));
      const Samples goal = there.decode(room.payload(1));
      const Samples stayed = before.decode(room.payload(0));
      const Samples simply = plain.decode(room.payload(moved ? 1 : 0));
      const Samples anew = fresh_heard.decode(moved ? fresh.encode(total) : room.payload(0));
      const Samples unbroken = on_the_way.decode(moved ? way.encode(total) : room.payload(0));
      if (moved) {
        measured.onto.add(t - onset, test_support::snr_db(out, stayed));
        measured.plain.add(t - onset, test_support::snr_db(simply, stayed));
        measured.fresh.add(t - onset, test_support::snr_db(anew, stayed));
        measured.there.add(t - onset, test_support::snr_db(out, goal));
      }
      if (t >= arrival) measured.off.add(t - arrival, test_support::snr_db(out, unbroken));
      EXPECT_EQ(room.listeners[2]->moving(), t >= onset && t < arrival);
    }
  }
  return measured;
}

TEST(ClassSwitch, IsInaudible) {
  const struct {
    const char* name;
    EncoderSettings from, to;
  } switches[] = {{"to FEC", kFull, kLossy},
                  {"to heavy loss", kLossy, kHeavy},
                  {"back from it", kHeavy, kLossy},
                  {"from FEC", kLossy, kFull},
                  {"to less", kFull, kNarrow}};
  for (const auto& each : switches) {
    SCOPED_TRACE(each.name);
    const Measured m = measure(each.from, each.to);
    std::cout << each.name << ": onto the bridge " << m.onto.first() << " dB, fourth "
              << m.onto.fourth() << "; off it " << m.off.first() << ", fourth " << m.off.fourth()
              << "; without one " << m.plain.first() << ", fourth " << m.plain.fourth()
              << "; fresh encoder " << m.fresh.first() << ", fourth " << m.fresh.fourth()
              << "; against the goal " << m.there.first() << ", fourth " << m.there.fourth() << " ("
              << m.onto.count << " switches)\n";
    EXPECT_GT(m.onto.first(), m.onto.fourth() - 2);
    EXPECT_GT(m.off.first(), m.off.fourth() - 2);
    EXPECT_GT(m.onto.first(), m.fresh.first() + 8);
    EXPECT_GT(m.off.first(), m.fresh.first() + 8);
  }
}

// RFC 6716 §2.1.7: at every step a lost frame comes back from the next packet, far better than by
// guessing.
TEST(ClassSwitch, WhoIsExpectedToLoseHasHisLossRepaired) {
  const Samples voice = test_support::speech(110, 300 * 960);
  for (const EncoderSettings& settings :
       {kLossy, EncoderSettings{.expected_loss_percent = 15}, kHeavy,
        EncoderSettings{.bitrate_bps = 24000, .expected_loss_percent = 10}}) {
    MixEncoder encoder;
    encoder.start(settings);
    int error = OPUS_OK;
    const std::unique_ptr<OpusDecoder, decltype(&opus_decoder_destroy)> repaired(
        opus_decoder_create(48000, 1, &error), &opus_decoder_destroy);
    test_support::OpusReceiver guessed, clean;
    double repaired_db = 0, guessed_db = 0;
    Samples lost;
    for (std::size_t t = 0; t < 300; ++t) {
      const Frame frame = frame_of(voice, t);
      Sum sum;
      std::ranges::copy(frame, sum.begin());
      const auto packet = encoder.encode(sum);
      const Samples whole = clean.decode(packet);
      const auto bytes = static_cast<opus_int32>(packet.size());
      if (t % 10 == 9) {
        lost = whole;
        guessed_db += test_support::snr_db(guessed.decode({}), lost);
        continue;
      }
      guessed.decode(packet);
      Samples out(960);
      if (t % 10 == 0 && t > 0) {
        ASSERT_EQ(opus_decode(repaired.get(), packet.data(), bytes, out.data(), 960, 1), 960);
        repaired_db += test_support::snr_db(out, lost);
      }
      ASSERT_EQ(opus_decode(repaired.get(), packet.data(), bytes, out.data(), 960, 0), 960);
    }
    EXPECT_GT(repaired_db / 29, guessed_db / 30 + 4)
        << settings.bitrate_bps << " " << settings.expected_loss_percent;
  }
}

TEST(ClassSwitch, CostsOneEncodeForHalfASecondHoweverManyGo) {
  Classes room(100);
  room.bank.set_class(1, kLossy);
  room.bank.enroll(*room.listeners[0], 1);
  const Samples voice = test_support::speech(110, 120 * 960);
  std::size_t t = 0;
  const auto tick = [&] { room.tick(two_voices(voice, voice, t++)); };
  for (int i = 0; i < 10; ++i) tick();
  EXPECT_EQ(room.bank.encodes(), 2U);
  for (std::size_t i = 1; i < 60; ++i) room.bank.enroll(*room.listeners[i], 1);
  for (int i = 0; i < EncoderBank::kAlike_ticks; ++i) {
    tick();
    ASSERT_EQ(room.bank.encodes(), 3U);
    ASSERT_TRUE(room.listeners[30]->moving());
  }
  tick();
  EXPECT_EQ(room.bank.encodes(), 2U);
  EXPECT_FALSE(room.listeners[30]->moving());
  EXPECT_EQ(room.payload(30).data(), room.payload(0).data());
}

// Nobody is there: the class begins as a copy, and nobody needs a bridge.
TEST(ClassSwitch, ToAnEmptyClassIsOneUnbrokenStream) {
  Classes room(4);
  room.bank.set_class(1, kFull);
  MixEncoder unbroken;
  unbroken.start(kFull);
  const Samples voice = test_support::speech(110, 60 * 960);
  for (std::size_t t = 0; t < 40; ++t) {
    if (t == 20) room.bank.enroll(*room.listeners[1], 1), room.bank.enroll(*room.listeners[2], 1);
    const Sum total = two_voices(voice, voice, t);
    room.tick(total);
    const auto expected = unbroken.encode(total);
    for (const std::size_t i : {0U, 1U, 2U}) {
      ASSERT_TRUE(std::ranges::equal(room.payload(i), expected)) << "listener " << i;
    }
    ASSERT_EQ(room.bank.encodes(), t < 20 ? 1U : 2U);
  }
}

// Whatever changes and whoever speaks: in the end everybody has his class, and every switch goes
// over a copy of what its listener heard, so that nobody's decoder loses its thread: it hears no
// frame far from the mix.
TEST(ClassSwitch, EverybodyArrivesInTheEnd) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Classes room(20);
  for (std::size_t i = 0; i < 4; ++i) room.bank.set_class(i, i % 2 ? kLossy : kFull);
  const Samples voice = test_support::speech(110, 100 * 960);
  for (int round = 0; round < 20; ++round) {
    for (std::size_t t = 0; t < 40; ++t) {
      for (auto& listener : room.listeners) {
        if (random() % 30 == 0) room.bank.enroll(*listener, random() % 4);
      }
      room.tick(two_voices(voice, voice, t), true);
      ASSERT_LE(room.bank.encodes(), EncoderBank::kClasses + EncoderBank::kBridges);
      for (std::size_t i = 0; i < 20; ++i) {
        if (room.bank.due(*room.listeners[i], true)) {
          ASSERT_FALSE(room.payload(i).empty());
        }
      }
    }
    // Twelve ways at most, two at a time.
    for (std::size_t t = 0; t < 7 * (EncoderBank::kAlike_ticks + 1); ++t) {
      room.tick(two_voices(voice, voice, t % 90), true);
    }
    for (auto& listener : room.listeners) EXPECT_FALSE(listener->moving());
  }
}

// On hold in the middle of his move, he is sent his class's stream when he comes back.
TEST(ClassSwitch, WhoHeardNothingForAWhileNeedsNoBridge) {
  Classes room(3);
  room.bank.set_class(1, kLossy);
  room.bank.enroll(*room.listeners[1], 1);
  const Samples voice = test_support::speech(110, 60 * 960);
  for (std::size_t t = 0; t < 10; ++t) room.tick(two_voices(voice, voice, t));
  room.bank.enroll(*room.listeners[2], 1);
  room.tick(two_voices(voice, voice, 10));
  EXPECT_TRUE(room.listeners[2]->moving());
  auto held = std::move(room.listeners[2]);
  room.listeners.pop_back();
  for (std::size_t t = 11; t < 15; ++t) room.tick(two_voices(voice, voice, t));
  EXPECT_EQ(room.bank.encodes(), 2U) << "the bridge is gone with the only one on it";
  room.listeners.push_back(std::move(held));
  room.tick(two_voices(voice, voice, 15));
  EXPECT_FALSE(room.listeners[2]->moving());
  EXPECT_EQ(room.payload(2).data(), room.payload(1).data());
}

}  // namespace
}  // namespace media
