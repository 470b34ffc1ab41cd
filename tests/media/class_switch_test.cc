// A listener comes from the stream of one class to that of another: unheard, and at the cost of one
// more encode for half a second, however many come with him.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "media/encoder_bank.h"
#include "tests/media/seams.h"
#include "tests/support/audio.h"
#include "tests/support/opus_codec.h"
#include "tests/support/seed.h"
#include "tests/support/speech.h"

namespace media {
namespace {

using test_support::Samples;

constexpr EncoderSettings kFull{}, kLossy{.loses = true},
    kHeavy{.bitrate_bps = 24000, .loses = true}, kNarrow{.bitrate_bps = 16000},
    kMore{.bitrate_bps = 64000}, kTelephone{.max_rate_hz = 8000};

struct Classes {
  explicit Classes(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) listeners.push_back(std::make_unique<Listener>());
  }
  void tick(const Sum& total, bool dtx = false, const Frame* last_says = nullptr) {
    const bool silent = std::ranges::all_of(total, [](auto s) { return s == 0; });
    bank.begin(total, silent);
    for (auto& listener : listeners) {
      bank.choose(*listener, listener == listeners.back() ? last_says : nullptr, dtx);
    }
    bank.encode_common();
  }
  std::span<const std::uint8_t> payload(std::size_t i) const {
    return bank.stream_of(*listeners[i]).payload();
  }
  EncoderBank bank;
  std::vector<std::unique_ptr<Listener>> listeners;
};

// How far the mover is from what he would hear had his stream gone on: coming onto the bridge, and
// off it. `apart`: how far he is in these frames who has been on that stream all the time. `fresh`,
// `plain`: had he been sent a new encoder's packets instead of the bridge's, or those of the stream
// to which he goes. `near`: how far the mover is from that one when he comes onto the bridge, and
// `stayed` who does not move.
struct Way {
  Seam onto, off, apart, fresh, plain, near, stayed;
  void add(const Way& way) {
    for (Seam Way::*seam :
         {&Way::onto, &Way::off, &Way::apart, &Way::fresh, &Way::plain, &Way::near, &Way::stayed}) {
      (this->*seam).add(way.*seam);
    }
  }
};

std::ostream& operator<<(std::ostream& out, const Way& way) {
  return out << ": onto the bridge " << way.onto.first() << " dB, fourth " << way.onto.fourth()
             << "; off it " << way.off.first() << ", fourth " << way.off.fourth() << ", no seam "
             << way.apart.first() << "; fresh encoder " << way.fresh.first() << "; no bridge "
             << way.plain.first() << "; from where he goes " << way.near.first() << ", before "
             << way.stayed.first() << " (" << way.off.count << " times)\n";
}

void expect_unheard(const Way& way, double slack_db, double above_fresh_db) {
  EXPECT_GT(way.onto.first(), way.onto.fourth() - 2 - slack_db);
  EXPECT_GT(way.off.first(), way.off.fourth() - 2 - 2 * slack_db);
  EXPECT_GT(way.off.first(), way.apart.first() - 2 - slack_db);
  EXPECT_GT(way.near.first(), way.stayed.first() - 1 - slack_db) << "he goes away first";
  EXPECT_GT(way.onto.first(), way.fresh.first() + above_fresh_db);
  EXPECT_GT(way.off.first(), way.fresh.first() + above_fresh_db);
}

// Two listeners stay, each in his class; the third goes from one to the other, and back.
class ToAndFro {
 public:
  explicit ToAndFro(const std::array<EncoderSettings, 2>& classes) : classes_(classes) {
    for (std::size_t i = 0; i < 2; ++i) room_.bank.set_class(i, classes[i]);
    room_.bank.enroll(*room_.listeners[1], 1);
  }
  void tick(const Sum& total) {
    const bool goes = !mover().moving() && ++rests_ > kRest_ticks;
    if (goes) {
      std::swap(from_, to_);
      room_.bank.enroll(*room_.listeners[2], to_);
    }
    const MixEncoder& before = room_.bank.stream_of(mover());
    if (before.started() && since_ >= 3) {  // should he be sent another one in this tick
      unbroken_.fork(before, classes_[goes ? from_ : to_]);
      ear_ = fresh_ear_ = plain_ear_ = heard_;
    }
    room_.tick(total);
    ++since_;
    if (before.started() && &before != &room_.bank.stream_of(mover())) since_ = rests_ = 0;
    const Samples out = heard_.decode(room_.payload(2));
    const Samples here = staying_[from_].decode(room_.payload(from_));
    const Samples there = staying_[to_].decode(room_.payload(to_));
    if (since_ < 4) compare(total, out, here, there);
  }
  const Way& way_from(std::size_t listener_class) const { return ways_[listener_class]; }

 private:
  static constexpr int kRest_ticks = 6;
  const Listener& mover() const { return *room_.listeners[2]; }
  void compare(const Sum& total, const Samples& out, const Samples& here, const Samples& there) {
    using test_support::snr_db;
    Way& way = ways_[from_];
    const Samples unbroken = ear_.decode(unbroken_.encode(total));
    if (!mover().moving()) {
      way.off.add(since_, snr_db(out, unbroken));
      way.apart.add(since_, snr_db(there, unbroken));
      return;
    }
    if (since_ == 0) fresh_.start(classes_[to_]);
    way.onto.add(since_, snr_db(out, unbroken));
    way.near.add(since_, snr_db(out, there));
    way.stayed.add(since_, snr_db(here, there));
    way.fresh.add(since_, snr_db(fresh_ear_.decode(fresh_.encode(total)), unbroken));
    way.plain.add(since_, snr_db(plain_ear_.decode(room_.payload(to_)), unbroken));
  }

  const std::array<EncoderSettings, 2> classes_;
  Classes room_{3};
  std::size_t from_ = 1, to_ = 0;
  int since_ = 1000, rests_ = 0;  // ticks after his last seam; of these not on his way
  std::array<Way, 2> ways_;       // by where they begin
  MixEncoder unbroken_, fresh_;
  test_support::OpusReceiver heard_, ear_, fresh_ear_, plain_ear_;
  std::array<test_support::OpusReceiver, 2> staying_;
};

// The law, for any two classes, both ways, and whoever talks: the first frame after a seam is
// within 2 dB of the fourth, of what is heard where there is no seam, and 8 dB above a new
// encoder's; of all ways together, for one alone it is a few frames, and some streams are
// themselves no more than 10 dB apart.
TEST(ClassSwitch, FromAnyClassToAnyOtherIsInaudible) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const struct {
    const char* name;
    EncoderSettings settings;
  } classes[] = {{"full", kFull},   {"FEC", kLossy}, {"heavy loss", kHeavy},
                 {"less", kNarrow}, {"more", kMore}, {"telephone", kTelephone}};
  constexpr std::size_t kFrames = 480;
  const Talk talk(seed, kFrames);
  Way all;
  for (std::size_t a = 0; a < std::size(classes); ++a) {
    for (std::size_t b = a + 1; b < std::size(classes); ++b) {
      ToAndFro walk({classes[a].settings, classes[b].settings});
      for (std::size_t t = 0; t < kFrames; ++t) walk.tick(talk.at(t));
      for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
        const Way& way = walk.way_from(from == a ? 0 : 1);
        SCOPED_TRACE(std::string(classes[from].name) + " to " + classes[to].name);
        std::cout << classes[from].name << " to " << classes[to].name << way;
        expect_unheard(way, 4, 1);
        all.add(way);
      }
    }
  }
  std::cout << "all" << all;
  expect_unheard(all, 0, 8);
}

// Between 14 and 22 kbit/s libopus codes music as it did before: as SILK if it comes from less, as
// CELT if it comes from more.
TEST(ClassSwitch, WhoArrivesIsCodedAsThoseWhoAreThere) {
  constexpr EncoderSettings kLess{.bitrate_bps = 12000}, kMiddle{.bitrate_bps = 20000};
  constexpr std::size_t kFrames = 400, kOnset = 250;
  Classes room(3);
  room.bank.set_class(0, kLess);
  room.bank.set_class(1, {});
  room.bank.enroll(*room.listeners[1], 1);
  std::vector<Samples> chord;
  for (const double hz : {220.0, 277.2, 329.6, 440.0, 1108.7, 3520.0}) {
    chord.push_back(test_support::tone(hz, 2500, kFrames * kFrame_samples));
  }
  std::size_t t = 0;
  const auto tick = [&] {
    Sum total{};
    for (const Samples& tone : chord) {
      const Frame frame = frame_of(tone, t);
      for (std::size_t i = 0; i < kFrame_samples; ++i) total[i] += frame[i];
    }
    room.tick(total);
    ++t;
    return total;
  };
  const auto configuration = [&](std::size_t i) { return room.payload(i)[0] >> 3; };
  while (t < kOnset) {
    if (t == kOnset / 2) room.bank.set_class(1, kMiddle);
    tick();
  }
  MixEncoder alone;
  alone.fork(room.bank.stream_of(*room.listeners[0]), kMiddle);
  room.bank.enroll(*room.listeners[2], 1);
  int on_the_bridge = 0;
  while (room.listeners[2]->moving() && t < kFrames) {
    on_the_bridge = configuration(2);
    alone.encode(tick());
  }
  EXPECT_FALSE(room.listeners[2]->moving());
  EXPECT_EQ(on_the_bridge, configuration(1));
  EXPECT_NE(alone.payload()[0] >> 3, configuration(1)) << "or there is nothing to come to";
}

// RFC 6716 §2.1.7: a lost frame comes back from the next packet, far better than by
// guessing.
TEST(ClassSwitch, WhoIsExpectedToLoseHasHisLossRepaired) {
  const Samples voice = test_support::speech(110, 300 * 960);
  for (const EncoderSettings& settings : {kLossy, kHeavy}) {
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
    EXPECT_GT(repaired_db / 29, guessed_db / 30 + 4) << settings.bitrate_bps;
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

// His class changed in the half second before he goes back: his stream has to become like that
// one's first.
TEST(ClassSwitch, WhoseClassChangesBeforeHeIsBackWaitsAnew) {
  Classes room(3);
  room.bank.set_class(1, kLossy);
  room.bank.enroll(*room.listeners[1], 1);
  const Samples voice = test_support::speech(110, 80 * 960);
  std::size_t t = 0;
  const auto tick = [&](const Frame* own) { room.tick(two_voices(voice, voice, t++), false, own); };
  const Listener& speaker = *room.listeners[2];
  for (int i = 0; i < 10; ++i) {
    const Frame own = frame_of(voice, t);
    tick(&own);
  }
  for (int i = 1; i < EncoderBank::kAlike_ticks; ++i) tick(nullptr);
  room.bank.enroll(*room.listeners[2], 1);
  for (int i = 1; i < EncoderBank::kAlike_ticks; ++i) {
    tick(nullptr);
    ASSERT_TRUE(speaker.personal()) << i << " ticks after the change";
  }
  tick(nullptr);
  EXPECT_FALSE(speaker.personal());
  EXPECT_EQ(room.payload(2).data(), room.payload(1).data());
}

// His own stream stood still meanwhile; his decoder has nothing to go on with.
TEST(ClassSwitch, WhoSpokeAndThenHeardNothingForAWhileIsSentTheCommonStream) {
  Classes room(3);
  const Samples voice = test_support::speech(110, 60 * 960);
  std::size_t t = 0;
  for (; t < 10; ++t) {
    const Frame own = frame_of(voice, t);
    room.tick(two_voices(voice, voice, t), false, &own);
  }
  auto held = std::move(room.listeners[2]);
  room.listeners.pop_back();
  for (; t < 30; ++t) room.tick(two_voices(voice, voice, t));
  room.listeners.push_back(std::move(held));
  room.tick(two_voices(voice, voice, t));
  EXPECT_FALSE(room.listeners[2]->personal());
  EXPECT_EQ(room.payload(2).data(), room.payload(0).data());
  EXPECT_EQ(room.bank.encodes(), 1U);
}

}  // namespace
}  // namespace media
