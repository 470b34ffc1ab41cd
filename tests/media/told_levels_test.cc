// What legs say of how loud they are (RFC 6464) is believed as far as it is so.
#include "media/told_levels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/media/room_fixture.h"
#include "tests/support/seed.h"
#include "tests/support/speech.h"

namespace media {
namespace {

using test_support::Samples;

constexpr RtpParameters kTelling{.ssrc_audio_level = 1};
constexpr double kVoice = 2000;           // a tone's amplitude
constexpr std::uint8_t kVoice_dbov = 27;  // its level
constexpr std::size_t kForLong = 1000;    // ticks

struct Said {
  std::vector<std::uint8_t> payload;
  std::uint8_t level_dbov;
};

// A sound as packets, each with its level.
std::vector<Said> packets_of(const Samples& sound, std::size_t ptime_samples = kFrame_samples,
                             bool constant_bitrate = false) {
  test_support::OpusSender sender;
  if (constant_bitrate) opus_encoder_ctl(sender.get(), OPUS_SET_VBR(0));
  std::vector<Said> packets;
  for (std::size_t at = 0; at + ptime_samples <= sound.size(); at += ptime_samples) {
    const auto part = std::span(sound).subspan(at, ptime_samples);
    const double dbov = std::clamp(-test_support::rms_dbfs(part), 0.0, 127.0);
    packets.push_back({sender.encode(part), static_cast<std::uint8_t>(std::lround(dbov))});
  }
  return packets;
}

const std::vector<Said>& silence() {
  static const auto packets = packets_of(Samples(kFrame_samples * 50));
  return packets;
}
const std::vector<Said>& voice() {
  static const auto packets = packets_of(test_support::tone(440, kVoice, kFrame_samples * 50));
  return packets;
}

// A room whose legs all tell levels and send a packet a tick.
struct Telling : TestRoom {
  Telling(std::size_t legs, std::size_t max_speakers) : TestRoom(legs, kTelling, max_speakers) {
    for (const auto& caller : callers) mixer.attach(*caller->leg, false);
  }
  void says(std::size_t leg, const std::vector<Said>& what, std::uint8_t told_dbov) {
    callers[leg]->send(what[ticks % what.size()].payload, 111, told_dbov,
                       static_cast<std::uint32_t>(1 + ticks * kFrame_samples));
  }
  bool hears(std::size_t leg) { return mixer.own(*callers[leg]->leg) != nullptr; }
};

TEST(ToldLevels, LegsStuckLoudThatSendSilenceYieldToAVoiceWithinTheHangOver) {
  ASSERT_LT(silence().back().payload.size(), RoomMixer::kVoiceBytes);
  ASSERT_EQ(voice().back().level_dbov, kVoice_dbov);
  for (const std::uint8_t stuck_dbov : {0, 15, 25}) {
    for (const std::size_t most : {1U, 2U, 8U}) {
      SCOPED_TRACE(std::to_string(most) + " stuck at " + std::to_string(stuck_dbov));
      Telling room(most + 1, most);
      for (std::size_t t = 0; t < kForLong; ++t) {
        for (std::size_t i = 0; i < most; ++i) room.says(i, silence(), stuck_dbov);
        room.says(most, voice(), kVoice_dbov);
        room.tick();
        if (t <= kVoiceHangOver_ticks) continue;
        ASSERT_TRUE(room.hears(most)) << "tick " << t;
      }
    }
  }
}

TEST(ToldLevels, AndDoNotComeBackByTurns) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  for (const std::size_t most : {1U, 3U}) {
    Telling room(most + 1, most);
    std::vector<bool> lies(most);
    std::size_t unheard = 0;
    for (std::size_t t = 0; t < 3 * kForLong; ++t) {
      for (std::size_t i = 0; i < most; ++i) {
        if (random() % 40 == 0) lies[i] = !lies[i];
        room.says(i, silence(), lies[i] ? 0 : kSilence_dbov);
      }
      room.says(most, voice(), kVoice_dbov);
      room.tick();
      unheard += room.hears(most) ? 0 : 1;
    }
    // A lie is seen for two ticks at least, and has the slot until he pauses.
    constexpr int kEach_ticks =
        ToldLevels::kWrong_ticks + ToldLevels::kWrong_ticks / 2 * kPause_ticks;
    EXPECT_LE(unheard, most * kEach_ticks) << most;
  }
}

// Two seconds of a voice that is as loud as it says buy one lie.
TEST(ToldLevels, WhoSpeaksInBetweenTakesNoMoreThanATenth) {
  Telling room(2, 1);
  std::size_t unheard = 0;
  for (std::size_t t = 0; t < 3 * kForLong; ++t) {
    const bool lies = t % 200 >= 120;
    if (lies) {
      room.says(0, silence(), 0);
    } else {
      room.says(0, voice(), kVoice_dbov);
    }
    room.says(1, voice(), kVoice_dbov);
    room.tick();
    unheard += lies && !room.hears(1) ? 1 : 0;
  }
  EXPECT_LE(unheard, 3 * kForLong / 200 * (kVoiceHangOver_ticks + 1));
}

TEST(ToldLevels, WhoIsStuckLoudAndSpeaksIsNoLouderThanHeIs) {
  Telling room(2, 1);
  for (std::size_t t = 0; t < 200; ++t) {
    room.says(0, voice(), 0);
    room.tick();
  }
  EXPECT_TRUE(room.hears(0));
  for (std::size_t t = 0; t < kFirstWord_ticks; ++t) {
    room.says(0, voice(), 0);
    room.says(1, voice(), kVoice_dbov);
    room.tick();
    if (t < 2) continue;
    EXPECT_TRUE(room.hears(1)) << "he began " << t << " ticks ago";
  }
}

TEST(ToldLevels, WhoIsNotBelievedIsHeardFromHisFirstFrame) {
  Telling room(3, 2);
  for (std::size_t t = 0; t < 300; ++t) {
    room.says(0, silence(), 0);
    for (const std::size_t i : {1U, 2U}) room.says(i, voice(), kVoice_dbov);
    room.tick();
  }
  for (std::size_t t = 0; t < kFirstWord_ticks; ++t) {
    for (const std::size_t i : {0U, 1U, 2U}) room.says(i, voice(), i == 0 ? 0 : kVoice_dbov);
    room.tick();
    if (t < 2) continue;
    EXPECT_TRUE(room.hears(0)) << "he began " << t << " ticks ago";
  }
}

TEST(ToldLevels, WhoSaysSilenceAndSendsAVoiceIsHeardAfterAWhile) {
  constexpr std::size_t kStuck = 3;
  Telling room(20, 8);
  for (std::size_t t = 0; t < kForLong; ++t) {
    for (std::size_t i = 0; i < 20; ++i) {
      room.says(i, i < kStuck ? voice() : silence(), kSilence_dbov);
    }
    room.tick();
    if (t <= (kStuck + 1) * Turns::kTurn_ticks + ToldLevels::kWrong_ticks) continue;
    for (std::size_t i = 0; i < kStuck; ++i) {
      ASSERT_TRUE(room.hears(i)) << i << " in tick " << t;
    }
  }
}

// As many as there may be, each costs no more than its turn.
TEST(ToldLevels, TheDoubtedCostNoMoreThanTheirTurns) {
  constexpr std::size_t kLegs = 60, kMost = 3;
  constexpr unsigned kWithWarmUp = 6;  // decodes where one begins
  const auto noise = packets_of(test_support::tone(440, 2, kFrame_samples * 50), 960, true);
  for (const bool loud : {false, true}) {
    Telling room(kLegs, kMost);
    unsigned all = 0;
    for (std::size_t t = 0; t < kForLong; ++t) {
      for (std::size_t i = 0; i < kLegs; ++i) {
        room.says(i, loud ? silence() : noise, loud ? 0 : 87);
      }
      room.tick();
      const unsigned decodes = room.mixer.counters().decodes;
      ASSERT_LE(decodes, (2 * kMost + RoomMixer::kDisbelieved + 1) * kWithWarmUp) << "tick " << t;
      all += decodes;
    }
    const std::size_t most = loud ? kMost + RoomMixer::kDisbelieved + 1 : 1;
    EXPECT_LE(all, 2 * most * kForLong);
    EXPECT_GE(all, kForLong / 2);
  }
}

// Speech in packets of all lengths, some of which are lost, told by clients that count peaks, too.
TEST(ToldLevels, TheHonestAreBelievedAndNotDecodedWhenTheyAreSilent) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  for (const std::size_t ptime_samples : {480U, 960U, 2880U, 5760U}) {
    const auto said = packets_of(test_support::speech(130, 48000 * 10), ptime_samples);
    for (const unsigned louder_db : {0U, 10U}) {
      SCOPED_TRACE(std::to_string(ptime_samples) + " samples, " + std::to_string(louder_db));
      TestRoom room(3, kTelling);
      std::size_t at = 0, heard = 0;
      for (std::size_t t = 1; t <= 1500; ++t) {
        for (; at + ptime_samples <= t * kFrame_samples; at += ptime_samples) {
          const bool talks = t < 1200 && t % 300 < 200;
          const Said& packet = talks ? said[at / ptime_samples % said.size()] : silence().front();
          const unsigned told = talks ? packet.level_dbov : kSilence_dbov;
          if (random() % 10 == 0) continue;
          room[0].send(packet.payload, 111,
                       static_cast<std::uint8_t>(told - std::min(told, talks ? louder_db : 0)),
                       static_cast<std::uint32_t>(1 + at));
        }
        room.tick();
        heard += room.mixer.own(*room[0].leg) ? 1 : 0;
        if (t > 1300) {
          ASSERT_EQ(room.mixer.counters().decodes, 0U) << "tick " << t;
        }
      }
      EXPECT_GT(heard, 700U);
    }
  }
}

TEST(ToldLevels, AreBelievedUntilTheyAreWrongForLongAndAgainWhenTheyAreRightForLonger) {
  ToldLevels levels;
  for (int i = 1; i < ToldLevels::kWrong_ticks; ++i) levels.compare(20, kSilence_dbov);
  levels.compare(20, 20 + ToldLevels::kOff_db);
  for (int i = 1; i < ToldLevels::kWrong_ticks; ++i) levels.compare(kSilence_dbov, 30);
  EXPECT_TRUE(levels.believed());
  levels.compare(kSilence_dbov, kSilence_dbov);
  levels.compare(kSilence_dbov, 30);
  EXPECT_FALSE(levels.believed()) << "what says nothing makes nothing good";
  for (int i = 1; i < ToldLevels::kRight_ticks; ++i) levels.compare(30, 30);
  EXPECT_FALSE(levels.believed());
  levels.compare(30, 30);
  EXPECT_TRUE(levels.believed());
}

TEST(Turns, EachHasOneAndNeverMoreThanAtOnce) {
  for (std::size_t at_once = 1; at_once <= 4; ++at_once) {
    for (std::size_t waiting = 1; waiting <= 9; ++waiting) {
      Turns turns(at_once);
      std::vector<int> had(waiting);
      const std::size_t rounds = waiting + 1;
      for (std::size_t t = 0; t < rounds * Turns::kTurn_ticks; ++t) {
        turns.begin();
        std::size_t now = 0;
        for (int& his : had) {
          if (!turns.take()) continue;
          ++his;
          ++now;
        }
        if (t > 0) {
          EXPECT_EQ(now, std::min(at_once, waiting));
        }
        EXPECT_LE(now, at_once);
      }
      for (const int his : had) EXPECT_GE(his, Turns::kTurn_ticks - 1);
    }
  }
}

}  // namespace
}  // namespace media
