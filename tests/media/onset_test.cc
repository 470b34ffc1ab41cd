// Nobody's first syllable is lost: from the second frame on, whoever begins to speak is heard as if
// his decoder had never rested, with RFC 6464 levels (where it has) and without.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/media/room_fixture.h"
#include "tests/support/seed.h"
#include "tests/support/speech.h"

namespace media {
namespace {

using test_support::Samples;

struct Onset {
  bool levels;
  int bitrate_bps, application;
  int ptime_samples;
};

// Quiet noise, and from `onset` on a voice in the middle of a syllable.
Samples begins_to_speak(std::size_t onset, double peak) {
  const Samples voice = test_support::speech(110, 48000, 3.1, peak);
  Samples said(onset + 38400);
  std::uint32_t noise = 1;
  for (std::size_t i = 0; i < said.size(); ++i) {
    noise = noise * 1664525 + 1013904223;
    said[i] = static_cast<std::int16_t>((noise >> 28) - 8);
    if (i >= onset) said[i] = static_cast<std::int16_t>(said[i] + voice[i - onset + 4800]);
  }
  return said;
}

// He sends what is due by this tick, and hears himself without a pause of the decoder.
struct Beginner {
  Beginner(Caller& caller, const Onset& how, double peak)
      : caller(caller),
        how(how),
        sender(how.bitrate_bps, 1, how.application),
        said(begins_to_speak(kOnset_samples, peak)) {}
  void speak(std::size_t ticks) {
    const auto ptime = static_cast<std::size_t>(how.ptime_samples);
    for (; at + ptime <= ticks * kFrame_samples && at + ptime <= said.size(); at += ptime) {
      const auto part = std::span(said).subspan(at, ptime);
      const auto packet = sender.encode(part);
      const double dbfs = test_support::rms_dbfs(part);
      const auto level = static_cast<std::uint8_t>(std::clamp(-dbfs, 0.0, 127.0));
      caller.send(packet, 111, how.levels ? std::optional(level) : std::nullopt,
                  static_cast<std::uint32_t>(1 + at));
      const Samples heard = unbroken.decode(packet);
      reference.insert(reference.end(), heard.begin(), heard.end());
    }
  }
  static constexpr std::size_t kOnset_samples = 72 * kFrame_samples + 300;

  Caller& caller;
  const Onset how;
  test_support::OpusSender sender;
  test_support::OpusReceiver unbroken;
  Samples said, reference;
  std::size_t at = 0;
};

class Begins : public ::testing::TestWithParam<Onset> {
 protected:
  void expect_no_loss(TestRoom& room, Beginner& who) {
    Samples heard;
    for (std::size_t t = 1; t <= 100; ++t) {
      who.speak(t);
      room.tick();
      const Frame* own = room.mixer.own(*who.caller.leg);
      const Frame frame = own ? *own : Frame{};
      heard.insert(heard.end(), frame.begin(), frame.end());
    }
    // Where in `heard` the reference is: so many of the shortest packets later.
    constexpr std::size_t kPacket_samples = 480;
    const std::size_t onset = Beginner::kOnset_samples / kFrame_samples;
    double best_db = -100;
    std::size_t delay_samples = 0;
    const auto reference = [&](std::size_t frame) {
      return std::span(who.reference).subspan((onset + frame) * kFrame_samples, kFrame_samples);
    };
    const auto mixed = [&](std::size_t frame) {
      return std::span(heard).subspan((onset + frame) * kFrame_samples + delay_samples,
                                      kFrame_samples);
    };
    for (std::size_t later = 1; later <= 10; ++later) {
      delay_samples = later * kPacket_samples;
      const double snr_db = test_support::snr_db(mixed(8), reference(8));
      if (snr_db > best_db) best_db = snr_db;
      if (snr_db > 20) break;
    }
    ASSERT_GT(best_db, 20) << "in the middle of the talk";
    EXPECT_GT(test_support::snr_db(mixed(0), reference(0)), 6) << "the frame in which he begins";
    for (std::size_t frame = 1; frame < 6; ++frame) {
      EXPECT_GT(test_support::snr_db(mixed(frame), reference(frame)), 20) << "frame " << frame;
    }
  }
  RtpParameters rtp() const {
    return {.ssrc_audio_level = static_cast<std::uint8_t>(GetParam().levels ? 1 : 0)};
  }
};

TEST_P(Begins, AndIsHeardFromTheFirstFrame) {
  TestRoom room(2, rtp());
  Beginner who(room[0], GetParam(), 9000);
  expect_no_loss(room, who);
}

TEST_P(Begins, WhileAllSlotsAreTakenByQuieterOnes) {
  TestRoom room(4, rtp(), 2);
  for (std::size_t i : {1U, 2U}) {
    room[i].tone_hz = 300.0 + 40.0 * static_cast<double>(i);
    room[i].amplitude = 200;
  }
  room[1].spec.rtp.ssrc_audio_level = room[2].spec.rtp.ssrc_audio_level = 0;  // measured
  for (std::size_t i : {1U, 2U}) room.mixer.update(*room[i].leg, room[i].spec);
  Beginner who(room[0], GetParam(), 9000);
  expect_no_loss(room, who);
}

TEST_P(Begins, WhileAllSlotsAreTakenByLouderOnesWhoTalkOn) {
  TestRoom room(4, rtp(), 2);
  for (std::size_t i : {1U, 2U}) {
    room[i].spec.rtp.ssrc_audio_level = 0;  // measured
    room.mixer.update(*room[i].leg, room[i].spec);
    room[i].tone_hz = 300.0 + 40.0 * static_cast<double>(i);
    room[i].amplitude = 4000;
  }
  Beginner who(room[0], GetParam(), 9000);
  expect_no_loss(room, who);
}

TEST_P(Begins, WhileAllSlotsAreTakenByOnesWhoPause) {
  TestRoom room(4, rtp(), 2);
  for (std::size_t i : {1U, 2U}) {
    room[i].spec.rtp.ssrc_audio_level = 0;
    room.mixer.update(*room[i].leg, room[i].spec);
    room[i].tone_hz = 300.0 + 40.0 * static_cast<double>(i);
    room[i].amplitude = 12000;
  }
  Beginner who(room[0], GetParam(), 9000);
  // They stop 200 ms before he begins: longer than what conceals the end, shorter than the
  // hang-over.
  for (std::size_t t = 1; t <= 62; ++t) {
    who.speak(t);
    room.tick();
  }
  EXPECT_NE(room.mixer.own(*room[1].leg), nullptr);
  room[1].amplitude = room[2].amplitude = 0;
  for (std::size_t t = 63; t <= 76; ++t) {
    who.speak(t);
    room.tick();
    if (t * kFrame_samples < Beginner::kOnset_samples + 4 * kFrame_samples) continue;
    EXPECT_NE(room.mixer.own(*room[0].leg), nullptr) << "tick " << t;
  }
}

INSTANTIATE_TEST_SUITE_P(RoomMixer, Begins,
                         ::testing::Values(Onset{true, 32000, OPUS_APPLICATION_VOIP, 960},
                                           Onset{true, 64000, OPUS_APPLICATION_AUDIO, 960},
                                           Onset{true, 16000, OPUS_APPLICATION_VOIP, 2880},
                                           Onset{true, 32000, OPUS_APPLICATION_AUDIO, 480},
                                           Onset{false, 32000, OPUS_APPLICATION_VOIP, 960},
                                           Onset{false, 64000, OPUS_APPLICATION_AUDIO, 960}));

// Up to four more than are heard talk in turns, in a room and in one in which all of them are
// heard: from the second frame on, whoever begins is heard in both, bit by bit the same.
class Onsets : public ::testing::TestWithParam<bool> {};  // with RFC 6464 levels?

TEST_P(Onsets, AreHeardHoweverManyTalk) {
  const bool levels = GetParam();
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr std::size_t kMost = 3;
  constexpr int kApart_ticks = 11, kSilent_ticks = 40;  // kMost begin in half a second
  std::vector<std::vector<std::uint8_t>> packets;
  test_support::OpusSender sender;
  for (std::size_t i = 0; i < 50; ++i) {
    packets.push_back(sender.encode(test_support::tone(440, 6000, kFrame_samples, i * 960)));
  }
  int onsets = 0, left_out = 0;
  for (std::size_t talkers = 1; talkers <= kMost + 4; ++talkers) {
    SCOPED_TRACE(std::to_string(talkers) + " talkers");
    const RtpParameters rtp{.ssrc_audio_level = static_cast<std::uint8_t>(levels ? 1 : 0)};
    TestRoom all(talkers, rtp, talkers), room(talkers, rtp, kMost);
    for (std::size_t i = 0; i < talkers; ++i) {
      all.mixer.attach(*all[i].leg, false);
      room.mixer.attach(*room[i].leg, false);
    }
    std::vector<int> until(talkers, -100), since(talkers), silent(talkers, kSilent_ticks);
    std::vector<bool> heard(talkers);
    int next_begin = 0;
    for (int t = 1; t < 600; ++t) {
      for (std::size_t i = 0; i < talkers; ++i) {
        if (t > until[i] + kSilent_ticks + 20 && t >= next_begin && random() % 10 == 0) {
          next_begin = t + kApart_ticks;
          until[i] = t + kFirstWord_ticks + static_cast<int>(random() % 200);
        }
        if (t > until[i]) continue;
        for (TestRoom* each : {&all, &room}) {
          (*each)[i].send(packets[static_cast<std::size_t>(t) % packets.size()], 111,
                          levels ? std::optional<std::uint8_t>(18) : std::nullopt,
                          static_cast<std::uint32_t>(t * kFrame_samples));
        }
      }
      all.tick();
      room.tick();
      std::size_t voices = 0, entered = 0;
      for (std::size_t i = 0; i < talkers; ++i) {
        const Frame* const own = room.mixer.own(*room[i].leg);
        const Frame* const whole = all.mixer.own(*all[i].leg);
        voices += own ? 1 : 0;
        entered += own && !heard[i] ? 1 : 0;
        heard[i] = own != nullptr;
        if (!whole) {
          ++silent[i];
          continue;
        }
        if (silent[i] >= kSilent_ticks) {
          since[i] = t;
          ++onsets;
        }
        silent[i] = 0;
        left_out += own ? 0 : 1;
        const int age = t - since[i];
        // With levels he is let in two ticks before his first sound.
        if (age == 0 || age + 2 >= kFirstWord_ticks) continue;
        ASSERT_NE(own, nullptr) << "frame " << age << " of who begins in tick " << since[i];
        if (!levels) {
          ASSERT_TRUE(*own == *whole) << "frame " << age;
        }
      }
      ASSERT_LE(voices, kMost + entered) << "one frame to fade";
    }
  }
  EXPECT_GT(onsets, 50);
  EXPECT_GT(left_out, 100) << "who talks on and on";
}
INSTANTIATE_TEST_SUITE_P(RoomMixer, Onsets, ::testing::Bool());

}  // namespace
}  // namespace media
