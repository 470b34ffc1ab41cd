#include "media/encoder_bank.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "media/mix_minus.h"
#include "tests/support/audio.h"
#include "tests/support/opus_codec.h"
#include "tests/support/seed.h"
#include "tests/support/speech.h"

namespace media {
namespace {

using test_support::Samples;

Frame frame_of(const Samples& voice, std::size_t index) {
  Frame frame;
  std::copy_n(voice.begin() + static_cast<std::ptrdiff_t>(index * kFrame_samples), kFrame_samples,
              frame.begin());
  return frame;
}

// A room of the bank alone: who speaks is given.
struct Room {
  explicit Room(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      listeners.push_back(std::make_unique<Listener>());
      bank.enroll(*listeners.back(), 0);
    }
  }
  void tick(const std::vector<const Frame*>& own, bool dtx = false) {
    sum_frames(own, total);
    const bool silent = std::ranges::all_of(total, [](auto s) { return s == 0; });
    bank.begin(total, silent);
    for (std::size_t i = 0; i < listeners.size(); ++i) bank.choose(*listeners[i], own[i], dtx);
    bank.encode_common();
  }
  std::span<const std::uint8_t> payload(std::size_t i) const {
    return bank.stream_of(*listeners[i]).payload();
  }
  EncoderBank bank;
  std::vector<std::unique_ptr<Listener>> listeners;
  Sum total{};
};

TEST(EncoderBank, AsManyEncodesAsSpeakersAndOneMore) {
  Room room(50);
  const Samples voice = test_support::speech(110, 40 * 960);
  for (const std::size_t speakers : {0U, 1U, 3U, 8U}) {
    for (std::size_t t = 0; t < 30; ++t) {
      const Frame frame = frame_of(voice, t + 5);
      std::vector<const Frame*> own(50);
      for (std::size_t i = 0; i < speakers; ++i) own[i] = &frame;
      room.tick(own);
    }
    EXPECT_EQ(room.bank.encodes(), speakers + 1);
    for (std::size_t i = speakers; i < 50; ++i) {
      EXPECT_EQ(room.payload(i).data(), room.payload(49).data()) << "one payload for all listeners";
    }
  }
}

TEST(EncoderBank, NobodyOnTheCommonStreamCostsNoCommonEncode) {
  Room room(2);
  const Samples voice = test_support::speech(110, 60 * 960);
  const Frame frame = frame_of(voice, 9);
  for (int t = 0; t < 10; ++t) room.tick({&frame, &frame});
  EXPECT_EQ(room.bank.encodes(), 2U);
  // One falls silent: after half a second the common stream lives again.
  for (int t = 0; t < EncoderBank::kAlike_ticks; ++t) room.tick({&frame, nullptr});
  EXPECT_TRUE(room.listeners[0]->personal());
  EXPECT_FALSE(room.listeners[1]->personal());
  EXPECT_EQ(room.bank.encodes(), 2U);
}

TEST(EncoderBank, EachClassInUseCostsOneEncode) {
  Room room(6);
  room.bank.set_class(1, {.loses = true});
  room.bank.set_class(2, {.bitrate_bps = 16000});
  room.bank.enroll(*room.listeners[0], 1);
  room.bank.enroll(*room.listeners[1], 2);
  const Samples voice = test_support::speech(110, 60 * 960);
  std::size_t full = 0, low = 0;
  for (std::size_t t = 0; t < 50; ++t) {
    const Frame frame = frame_of(voice, t);
    room.tick({nullptr, nullptr, nullptr, nullptr, nullptr, &frame});
    full += room.payload(2).size();
    low += room.payload(1).size();
  }
  EXPECT_EQ(room.bank.encodes(), 4U) << "three classes and the speaker";
  EXPECT_LT(low * 3, full * 2) << "16 against 32 kbit/s";
}

TEST(EncoderBank, SilenceIsHardlySentToWhoLikesItSo) {
  Room room(3);
  std::size_t due = 0;
  unsigned encodes = 0;
  for (int t = 0; t < 1000; ++t) {
    room.tick({nullptr, nullptr, nullptr}, true);
    due += room.bank.due(*room.listeners[0], true) ? 1 : 0;
    encodes += room.bank.encodes();
  }
  EXPECT_LE(due, MixEncoder::kSilenceSent_ticks + 1000 / MixEncoder::kKeepAlive_ticks);
  EXPECT_GE(due, 1000 / MixEncoder::kKeepAlive_ticks);
  EXPECT_EQ(encodes, due) << "and nothing is encoded in vain";
  EXPECT_TRUE(room.bank.due(*room.listeners[0], false));
  const Frame voice = frame_of(test_support::speech(110, 10 * 960), 9);
  room.tick({nullptr, nullptr, &voice}, true);
  EXPECT_TRUE(room.bank.due(*room.listeners[0], true)) << "a voice is sent at once";
}

TEST(EncoderBank, WhoComesBackInASilenceIsNotSentWhatWasSaidBefore) {
  Room room(2);
  const Frame voice = frame_of(test_support::speech(110, 10 * 960), 9);
  for (int t = 0; t < 10; ++t) room.tick({&voice, nullptr}, true);
  const Sum silence{};
  for (unsigned t = 0; t < MixEncoder::kSilenceSent_ticks + 5; ++t) {  // nobody receives
    room.bank.begin(silence, true);
    room.bank.encode_common();
  }
  room.bank.begin(silence, true);
  room.bank.choose(*room.listeners[1], nullptr, true);
  room.bank.encode_common();
  EXPECT_TRUE(room.bank.due(*room.listeners[1], true));
  EXPECT_EQ(room.bank.encodes(), 1U) << "what he is sent was made in this tick";
}

// What a participant hears who speaks, pauses (and goes back to the common stream), and speaks
// again at `onset`; against what he would have heard had he had a personal stream all the time.
struct Switch {
  double first_db = 0, fourth_db = 0;
};

enum class Way { fork, fresh };

Switch switch_to_personal(Way way, std::size_t onset, const Samples& a, const Samples& b,
                          const Samples& own) {
  constexpr EncoderSettings kSettings{.bitrate_bps = 32000};
  MixEncoder common, personal, unbroken;
  common.start(kSettings);
  unbroken.start(kSettings);
  test_support::OpusReceiver heard, reference;
  Switch result;
  bool is_personal = false;
  int own_silence_ticks = 0;
  for (std::size_t t = onset - 58; t < onset + 4; ++t) {
    const bool speaks = t >= onset || (t >= onset - 55 && t < onset - 30);
    const Frame frames[] = {frame_of(a, t), frame_of(b, t), frame_of(own, t)};
    const Frame* in[] = {&frames[0], &frames[1], speaks ? &frames[2] : nullptr};
    Sum total, minus;
    sum_frames(in, total);
    subtract(total, in[2], minus);
    own_silence_ticks = speaks ? 0 : own_silence_ticks + 1;
    if (own_silence_ticks == EncoderBank::kAlike_ticks) is_personal = false;
    if (speaks && !is_personal) {
      is_personal = true;
      if (way == Way::fork) {
        personal.fork(common, kSettings);
      } else {
        personal.start(kSettings);
      }
    }
    const auto shared = common.encode(total);
    const Samples out = heard.decode(is_personal ? personal.encode(minus) : shared);
    const double snr = test_support::snr_db(out, reference.decode(unbroken.encode(minus)));
    if (t == onset) result.first_db = snr;
    if (t == onset + 3) result.fourth_db = snr;
  }
  return result;
}

TEST(EncoderBank, AForkedEncoderIsAsGoodInItsFirstFrameAsInItsFourth) {
  constexpr std::size_t kFrames = 500;
  const Samples a = test_support::speech(110, kFrames * 960, 3.1);
  const Samples b = test_support::speech(190, kFrames * 960, 4.0);
  const Samples own = test_support::speech(150, kFrames * 960, 2.5);
  Switch fork, fresh;
  int switches = 0;
  for (std::size_t onset = 60; onset < kFrames - 20; onset += 23) {
    const Switch forked = switch_to_personal(Way::fork, onset, a, b, own);
    const Switch started = switch_to_personal(Way::fresh, onset, a, b, own);
    fork.first_db += forked.first_db;
    fork.fourth_db += forked.fourth_db;
    fresh.first_db += started.first_db;
    ++switches;
  }
  fork.first_db /= switches;
  fork.fourth_db /= switches;
  fresh.first_db /= switches;
  RecordProperty("fork_first_db", std::to_string(fork.first_db));
  RecordProperty("fork_fourth_db", std::to_string(fork.fourth_db));
  RecordProperty("fresh_first_db", std::to_string(fresh.first_db));
  std::cout << "fork: first frame " << fork.first_db << " dB, fourth " << fork.fourth_db
            << " dB; fresh encoder: first frame " << fresh.first_db << " dB (" << switches
            << " switches)\n";
  EXPECT_GT(fork.first_db, fork.fourth_db - 2);
  EXPECT_GT(fork.first_db, fresh.first_db + 8);
}

// The same through the bank, for one who never spoke before: he is sent, bit by bit, what he
// would be sent had he had a stream of his own from the beginning.
TEST(EncoderBank, WhoBeginsToSpeakHearsNoSwitch) {
  constexpr std::size_t kOnset = 40;
  const Samples other = test_support::speech(110, 60 * 960),
                own = test_support::speech(190, 60 * 960);
  Room room(3);
  MixEncoder unbroken;
  unbroken.start({});
  for (std::size_t t = 0; t < kOnset + 5; ++t) {
    const Frame frames[] = {frame_of(other, t), frame_of(own, t)};
    room.tick({&frames[0], t >= kOnset ? &frames[1] : nullptr, nullptr});
    Sum others;
    const Frame* in[] = {&frames[0]};
    sum_frames(in, others);
    EXPECT_TRUE(std::ranges::equal(room.payload(1), unbroken.encode(others))) << "frame " << t;
  }
  EXPECT_TRUE(room.listeners[1]->personal());
}

// The speaker's own tone is nowhere in what he is sent, from the first
// frame on.
TEST(EncoderBank, TheOwnVoiceIsInNoFrameOfThePersonalStream) {
  constexpr std::size_t kOnset = 50, kFrames = 150;
  const Samples other = test_support::tone(440, 8000, kFrames * 960);
  const Samples own = test_support::tone(970, 8000, kFrames * 960);
  Room room(3);
  test_support::OpusReceiver speaker, listener;
  Samples heard_by_speaker, heard_by_listener;
  for (std::size_t t = 0; t < kFrames; ++t) {
    const Frame frames[] = {frame_of(other, t), frame_of(own, t)};
    room.tick({&frames[0], t >= kOnset ? &frames[1] : nullptr, nullptr});
    const Samples s = speaker.decode(room.payload(1)), l = listener.decode(room.payload(2));
    if (t >= kOnset) {
      heard_by_speaker.insert(heard_by_speaker.end(), s.begin(), s.end());
      heard_by_listener.insert(heard_by_listener.end(), l.begin(), l.end());
    }
  }
  EXPECT_NEAR(test_support::tone_dbfs(heard_by_listener, 970), -12.3, 1);
  EXPECT_NEAR(test_support::tone_dbfs(heard_by_speaker, 440), -12.3, 1);
  EXPECT_LT(test_support::tone_dbfs(heard_by_speaker, 970), -62);
}

TEST(EncoderBank, WhoeverSpeaksInWhateverOrderEverybodyHasAStream) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Room room(12);
  const Samples voice = test_support::speech(110, 60 * 960);
  std::vector<bool> speaking(12);
  for (std::size_t t = 0; t < 400; ++t) {
    for (std::size_t i = 0; i < 12; ++i) {
      if (random() % 20 == 0) speaking[i] = !speaking[i];
      if (random() % 200 == 0) {
        room.bank.enroll(*room.listeners[i], random() % EncoderBank::kClasses);
      }
    }
    const Frame frame = frame_of(voice, t % 50);
    std::vector<const Frame*> own(12);
    for (std::size_t i = 0; i < 12; ++i) {
      own[i] = speaking[i] ? &frame : nullptr;
    }
    room.tick(own);
    for (std::size_t i = 0; i < 12; ++i) {
      ASSERT_EQ(speaking[i] && !room.listeners[i]->personal(), false);
      ASSERT_TRUE(room.bank.stream_of(*room.listeners[i]).started());
      ASSERT_FALSE(room.payload(i).empty());
    }
    ASSERT_LE(room.bank.encodes(), 12U + EncoderBank::kClasses + EncoderBank::kBridges);
  }
}

}  // namespace
}  // namespace media
