#include "media/room_mixer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

#include "tests/media/room_fixture.h"
#include "tests/support/seed.h"

namespace media {
namespace {

using test_support::tone_dbfs;
using ::testing::ElementsAre;

constexpr double kTones_hz[] = {440, 610, 970};
constexpr double kAmplitude = 6000;  // -14.7 dBFS

void let_three_speak(TestRoom& room) {
  for (std::size_t i = 0; i < 3; ++i) {
    room[i].tone_hz = kTones_hz[i];
    room[i].amplitude = kAmplitude;
  }
}

TEST(RoomMixer, EachHearsAllOthersAndNotHimself) {
  for (const bool fec : {false, true}) {
    TestRoom room(4, {.use_fec = fec});
    let_three_speak(room);
    room.listening = true;
    room.run(300);
    for (std::size_t listener = 0; listener < 4; ++listener) {
      const auto heard = last_seconds(room[listener].heard, 5);
      double quietest_other = 0;
      for (std::size_t speaker = 0; speaker < 3; ++speaker) {
        if (speaker == listener) continue;
        const double level = tone_dbfs(heard, kTones_hz[speaker]);
        EXPECT_NEAR(level, -14.7, 1.5) << listener << " hears " << speaker;
        quietest_other = std::min(quietest_other, level);
      }
      if (listener < 3) {
        EXPECT_LT(tone_dbfs(heard, kTones_hz[listener]), quietest_other - 50)
            << listener << " hears himself, FEC " << fec;
      }
    }
  }
}

// Before the encoder it is exact: what one hears and what one says make the total, and what the
// others say makes what one hears.
TEST(RoomMixer, OwnVoiceIsExactlyAbsentBeforeTheEncoder) {
  TestRoom room(4);
  let_three_speak(room);
  for (int t = 0; t < 60; ++t) {
    room.tick();
    for (std::size_t k = 0; k < 4; ++k) {
      const Frame* own = room.mixer.own(*room[k].leg);
      for (int i = 0; i < kFrame_samples; ++i) {
        std::int32_t others = 0;
        for (std::size_t o = 0; o < 4; ++o) {
          const Frame* frame = room.mixer.own(*room[o].leg);
          if (o != k && frame) others += (*frame)[i];
        }
        ASSERT_EQ(room.mixer.total()[i] - (own ? (*own)[i] : 0), others);
      }
    }
  }
  EXPECT_NE(room.mixer.own(*room[0].leg), nullptr);
  EXPECT_EQ(room.mixer.own(*room[3].leg), nullptr);
}

class Counted final : public VoiceFilter {
 public:
  explicit Counted(int& frames) : frames_(frames) {}
  void process(Frame& frame) noexcept override {
    ++frames_;
    for (std::int16_t& sample : frame) sample = static_cast<std::int16_t>(sample / 2);
  }

 private:
  int& frames_;
};

TEST(RoomMixer, AVoiceIsFilteredWhereItIsHeardAndAMixNever) {
  TestRoom room(4);
  int filtered[4] = {};
  for (std::size_t i = 0; i < 4; ++i) {
    Caller& caller = room[i];
    room.mixer.remove(*caller.leg);
    caller.leg = std::make_unique<MixLeg>(caller.spec, std::make_unique<Counted>(filtered[i]));
    room.mixer.add(*caller.leg);
    caller.amplitude = i == 3 ? 0 : kAmplitude;
  }
  MixPlan plan = room.everybody();
  plan.legs[1].is_mixer = true;
  plan.legs[2].in_mix = false;
  room.set_plan(plan);
  room.run(50);
  EXPECT_GT(filtered[0], 40);
  EXPECT_EQ(filtered[1], 0) << "another mixer";
  EXPECT_EQ(filtered[2], 0) << "muted";
  EXPECT_EQ(filtered[3], 0) << "silent";
  EXPECT_NEAR(20 * std::log10(test_support::tone_amplitude(*room.mixer.own(*room[0].leg), 440) /
                              test_support::tone_amplitude(*room.mixer.own(*room[1].leg), 440)),
              -6, 1);
}

TEST(RoomMixer, FiftyLegsCostOneEncodeAndOneForEachWhoSpeaks) {
  for (const std::size_t speakers : {0U, 1U, 3U}) {
    TestRoom room(50);
    for (std::size_t i = 0; i < speakers; ++i) {
      room[i].tone_hz = kTones_hz[i];
      room[i].amplitude = kAmplitude;
    }
    for (int t = 0; t < 50; ++t) {
      room.tick();
      ASSERT_LE(room.mixer.counters().encodes, speakers + 1);
      ASSERT_LE(room.mixer.counters().decodes, speakers);
    }
    EXPECT_EQ(room.mixer.counters().encodes, speakers + 1);
    std::set<const MixEncoder*> common;
    for (std::size_t i = speakers; i < 50; ++i) common.insert(room[i].stream);
    EXPECT_EQ(common.size(), 1U) << "all listeners share one payload";
  }
}

TEST(RoomMixer, PacketsOfEveryLengthKeepTheirPitch) {
  for (const int ptime_samples : {480, 960, 1920, 2880}) {
    TestRoom room(2);
    room[0].tone_hz = 610;
    room[0].amplitude = kAmplitude;
    room[0].ptime_samples = ptime_samples;
    room.listening = true;
    room.run(150);
    EXPECT_NEAR(tone_dbfs(last_second(room[1].heard), 610), -14.7, 1.5) << ptime_samples;
    EXPECT_LT(tone_dbfs(last_second(room[1].heard), 305), -50) << ptime_samples;
    EXPECT_LT(tone_dbfs(last_second(room[1].heard), 1220), -50) << ptime_samples;
  }
}

TEST(RoomMixer, ALegWithLevelsIsDecodedOnlyWhenItSpeaks) {
  TestRoom room(10, {.ssrc_audio_level = 1});
  test_support::OpusSender silence;
  for (int t = 0; t < 40; ++t) {
    for (std::size_t i = 1; i < 10; ++i) {
      room[i].send(silence.encode(test_support::Samples(960)), 111, 127);
    }
    room[0].amplitude = t >= 20 ? kAmplitude : 0;
    room.tick();
    if (t < 20) {
      ASSERT_EQ(room.mixer.counters().decodes, 0U);
    } else if (t > 21) {
      ASSERT_EQ(room.mixer.counters().decodes, 1U);
    }
  }
  EXPECT_EQ(room.mixer.counters().decodes, 1U);
}

TEST(RoomMixer, ALegWithLevelsIsHeardFromItsFirstFrame) {
  TestRoom room(2, {.ssrc_audio_level = 3});
  room[0].tone_hz = 610;
  room.run(50);
  room[0].amplitude = kAmplitude;
  int onset = 0;
  while (room.mixer.own(*room[0].leg) == nullptr && onset < 10) {
    room.tick();
    ++onset;
  }
  EXPECT_LE(onset, 2) << "the target delay of a frame, and the frame";
}

TEST(RoomMixer, AtMostMaxSpeakersAreMixed) {
  TestRoom room(12, {}, 3);
  for (std::size_t i = 0; i < 12; ++i) {
    room[i].tone_hz = 300 + 50.0 * static_cast<double>(i);
    room[i].amplitude = 1000 + 500.0 * static_cast<double>(i);
  }
  room.run(50);
  std::size_t heard = 0;
  for (std::size_t i = 0; i < 12; ++i) heard += room.mixer.own(*room[i].leg) ? 1 : 0;
  EXPECT_EQ(heard, 3U);
  EXPECT_NE(room.mixer.own(*room[11].leg), nullptr) << "the loudest";
  EXPECT_EQ(room.mixer.counters().encodes, 4U);
}

TEST(RoomMixer, APlanSaysHowManyAreMixed) {
  TestRoom room(6);
  for (std::size_t i = 0; i < 6; ++i) room[i].amplitude = 3000;
  for (const std::size_t most : {1U, 4U, 2U}) {
    MixPlan plan = room.everybody();
    plan.max_speakers = most;
    room.set_plan(plan);
    room.run(30);
    std::size_t heard = 0;
    for (std::size_t i = 0; i < 6; ++i) heard += room.mixer.own(*room[i].leg) ? 1 : 0;
    EXPECT_EQ(heard, most);
  }
}

TEST(RoomMixer, ContributorsAreWhoIsHeardLoudestFirstNeverTheListener) {
  TestRoom room(5, {.csrc_audio_level = 2});
  let_three_speak(room);
  room[1].amplitude = 12000;
  room[2].amplitude = 3000;
  room.run(50);
  const auto csrcs = [&](std::size_t i) {
    const auto packet = parse_rtp(*room[i].header);
    std::vector<std::uint32_t> ids;
    for (std::size_t c = 0; c < packet->csrc_count(); ++c) ids.push_back(packet->csrc(c));
    return ids;
  };
  EXPECT_THAT(csrcs(4), ElementsAre(1002, 1001, 1003));
  EXPECT_THAT(csrcs(0), ElementsAre(1002, 1003));
  EXPECT_THAT(csrcs(1), ElementsAre(1001, 1003));
  const auto packet = parse_rtp(*room[4].header);
  const auto levels = find_extension(*packet, 2);
  ASSERT_TRUE(levels);
  ASSERT_EQ(levels->size(), 3U);
  EXPECT_NEAR((*levels)[0], 12, 1);
  EXPECT_NEAR((*levels)[2], 24, 1);
}

TEST(RoomMixer, HowManyEverSpeakContributorsAreAtMostFifteen) {
  TestRoom room(40, {}, 40);
  for (std::size_t i = 0; i < 40; ++i) {
    room[i].tone_hz = 300 + 37.0 * static_cast<double>(i);
    room[i].amplitude = 2000;
  }
  room.run(20);
  for (std::size_t i = 0; i < 40; ++i) {
    const auto packet = parse_rtp(*room[i].header);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->csrc_count(), 15U);
    for (std::size_t c = 0; c < 15; ++c) {
      EXPECT_NE(packet->csrc(c), room[i].spec.contributor_id) << "never the listener's own";
    }
  }
}

TEST(RoomMixer, SequenceAndTimestampAreContinuousPerLeg) {
  TestRoom room(3, {.use_dtx = true});
  room[0].tone_hz = 610;
  std::optional<RtpPacket> last;
  std::size_t last_tick = 0, sent = 0;
  for (std::size_t t = 1; t <= 400; ++t) {
    room[0].amplitude = t / 100 % 2 == 1 ? kAmplitude : 0;
    room.tick();
    if (!room[1].header) continue;
    const auto packet = parse_rtp(*room[1].header);
    ASSERT_TRUE(packet);
    if (last) {
      ASSERT_EQ(packet->sequence, static_cast<std::uint16_t>(last->sequence + 1));
      ASSERT_EQ(packet->timestamp - last->timestamp, 960 * (t - last_tick));
      ASSERT_EQ(packet->marker, t - last_tick > 1) << "the first after a silence";
    } else {
      ASSERT_TRUE(packet->marker);
    }
    last = packet;
    last_tick = t;
    ++sent;
  }
  EXPECT_LT(sent, 320U);
  EXPECT_GT(sent, 200U);
}

TEST(RoomMixer, SkippedTicksAreCountedInTheTimestamps) {
  TestRoom room(2);
  room.tick();
  const auto before = parse_rtp(*room[0].header)->timestamp;
  room.tick(7);
  EXPECT_EQ(parse_rtp(*room[0].header)->timestamp - before, 960U * 8);
}

TEST(RoomMixer, AMutedLegFadesOutAndIsNotDecoded) {
  TestRoom room(3);
  let_three_speak(room);
  room.run(30);
  MixPlan plan = room.everybody();
  plan.legs[0].in_mix = false;
  room.set_plan(plan);
  room.tick();
  const Frame* last = room.mixer.own(*room[0].leg);
  ASSERT_NE(last, nullptr) << "one frame to fade";
  EXPECT_LE(std::abs((*last)[959]), 8);
  room.tick();
  EXPECT_EQ(room.mixer.own(*room[0].leg), nullptr);
  EXPECT_LE(room.mixer.counters().decodes, 2U);
  plan.legs[0].in_mix = true;
  room.set_plan(plan);
  room.run(3);
  EXPECT_NE(room.mixer.own(*room[0].leg), nullptr);
}

TEST(RoomMixer, ALegOnHoldIsSentNothingAndComesBackInStep) {
  TestRoom room(3);
  let_three_speak(room);
  room.run(10);
  const auto before = *parse_rtp(*room[1].header);
  MixPlan plan = room.everybody();
  plan.legs[1].in_mix = plan.legs[1].receives = false;
  room.set_plan(plan);
  for (int t = 0; t < 20; ++t) {
    room.tick();
    ASSERT_EQ(room[1].header, std::nullopt);
  }
  room.set_plan(room.everybody());
  room.tick();
  ASSERT_TRUE(room[1].header);
  const auto after = parse_rtp(*room[1].header);
  EXPECT_EQ(after->timestamp - before.timestamp, 960U * 21);
  EXPECT_EQ(after->sequence, static_cast<std::uint16_t>(before.sequence + 1));
  EXPECT_TRUE(after->marker);
}

TEST(RoomMixer, ALegThePlanDoesNotNameNeitherSpeaksNorHears) {
  TestRoom room(3);
  let_three_speak(room);
  MixPlan plan = room.everybody();
  plan.legs.pop_back();
  room.set_plan(plan);
  room.run(20);
  EXPECT_EQ(room.mixer.own(*room[2].leg), nullptr);
  EXPECT_EQ(room[2].header, std::nullopt);
  EXPECT_NE(room.mixer.own(*room[0].leg), nullptr);
}

TEST(RoomMixer, GainIsAppliedToWhatALegSays) {
  TestRoom room(2);
  room[0].tone_hz = 610;
  room[0].amplitude = 4000;
  room.listening = true;
  for (const auto& [gain, expected] :
       {std::pair{0.5F, -24.3}, std::pair{2.0F, -12.3}, std::pair{1.0F, -18.3}}) {
    MixPlan plan = room.everybody();
    plan.legs[0].gain = gain;
    room.set_plan(plan);
    room.run(100);
    EXPECT_NEAR(tone_dbfs(last_second(room[1].heard), 610), expected, 1) << gain;
  }
}

TEST(RoomMixer, AKeyIsToldOnceAndReachesNeitherDecoderNorMix) {
  TestRoom room(2, {.opus_payload_type = 96, .telephone_event = 101});
  std::vector<DigitPressed> told;
  for (int t = 1; t <= 20; ++t) {
    const bool end = t > 5;
    const int duration = std::min(t, 6) * 960;
    const std::uint8_t event[] = {7, static_cast<std::uint8_t>(end ? 0x8A : 0x0A),
                                  static_cast<std::uint8_t>(duration >> 8),
                                  static_cast<std::uint8_t>(duration)};
    if (t <= 8) room[0].send(event, 101, std::nullopt, 77777);
    room.tick();
    told.insert(told.end(), room.mixer.digits().begin(), room.mixer.digits().end());
    ASSERT_EQ(room.mixer.counters().decodes, 0U);
    ASSERT_TRUE(std::ranges::all_of(room.mixer.total(), [](auto s) { return s == 0; }));
  }
  EXPECT_THAT(told, ElementsAre(DigitPressed{
                        .leg = {1}, .digit = '7', .duration = std::chrono::milliseconds(120)}));
}

// Its timestamps begin anywhere: half of the time "before" those of the keys already told.
TEST(RoomMixer, KeysOfANewSourceAreTold) {
  TestRoom room(2, {.telephone_event = 101});
  const auto press = [&room](std::uint8_t key, std::uint32_t timestamp) {
    room[0].send(std::array<std::uint8_t, 4>{key, 0x8A, 0x03, 0xC0}, 101, std::nullopt, timestamp);
    room.tick();
    return room.mixer.digits().size();
  };
  EXPECT_EQ(press(1, 1'000'000), 1U);
  EXPECT_EQ(press(2, 900'000), 0U) << "an old packet of the same source";
  room[0].ssrc_base = 0x2000;
  EXPECT_EQ(press(3, 900'000), 1U);
}

TEST(RoomMixer, OnlyTheAgreedPayloadTypeIsDecoded) {
  TestRoom room(2, {.opus_payload_type = 34});
  test_support::OpusSender sender;
  for (std::size_t t = 0; t < 20; ++t) {
    const auto packet = sender.encode(test_support::tone(610, kAmplitude, 960, t * 960));
    room[0].send(packet, 111);
    room[1].send(packet, 34);
    room.tick();
  }
  EXPECT_EQ(room.mixer.own(*room[0].leg), nullptr);
  EXPECT_NE(room.mixer.own(*room[1].leg), nullptr);
  EXPECT_EQ(parse_rtp(*room[1].header)->payload_type, 34);
}

// One leg sends whatever: the others hear, bit by bit, what they hear without.
TEST(RoomMixer, BadPacketsOfOneLegChangeNothingForTheOthers) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  TestRoom clean(4), troubled(4);
  let_three_speak(clean);
  let_three_speak(troubled);
  for (int t = 0; t < 100; ++t) {
    for (unsigned i = 0; i < random() % 30; ++i) {
      const auto slot = troubled[3].leg->packets().reserve(1 + random() % limits::kMaxPacketBytes);
      if (slot.empty()) break;
      for (auto& b : slot) b = static_cast<std::uint8_t>(random());
      // Never good Opus of an agreed payload type: that would be speech.
      if (slot.size() > 1) slot[1] = static_cast<std::uint8_t>(random() % 111);
      troubled[3].leg->packets().commit();
    }
    clean.tick();
    troubled.tick();
    for (std::size_t i = 0; i < 3; ++i) {
      ASSERT_EQ(clean[i].header, troubled[i].header);
      const auto a = clean[i].stream->payload(), b = troubled[i].stream->payload();
      ASSERT_TRUE(std::ranges::equal(a, b));
    }
  }
}

TEST(RoomMixer, WhoPlaysIsHeardByEverybody) {
  TestRoom room(2);
  PlaySource music;
  room.mixer.add(music);
  room.listening = true;
  for (std::size_t t = 0; t < 100; ++t) {
    ASSERT_TRUE(music.write(test_support::tone(610, kAmplitude, 960, t * 960)));
    room.tick();
  }
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(tone_dbfs(last_second(room[i].heard), 610), -14.7, 1.5);
  }
  EXPECT_EQ(room.mixer.counters().encodes, 1U);
  room.mixer.remove(music);
  room.run(2);
  EXPECT_TRUE(std::ranges::all_of(room.mixer.total(), [](auto s) { return s == 0; }));
}

TEST(RoomMixer, ALegThatLeavesIsGoneAndTheRestGoesOn) {
  TestRoom room(4);
  let_three_speak(room);
  room.run(20);
  room.mixer.remove(*room[0].leg);
  room.tick();
  EXPECT_EQ(room[0].header, std::nullopt);
  const auto packet = parse_rtp(*room[3].header);
  EXPECT_EQ(packet->csrc_count(), 2U);
}

TEST(RoomMixer, TwoHundredFiftySixTalkersAreMixed) {  // 2^8 and one more
  for (const std::size_t talkers : {256U, 257U}) {
    TestRoom room(talkers, {}, talkers);
    for (std::size_t i = 0; i < talkers; ++i) {
      room[i].tone_hz = 610;
      room[i].amplitude = 3000;
    }
    room.run(3);
    std::size_t heard = 0;
    for (std::size_t i = 0; i < talkers; ++i) heard += room.mixer.own(*room[i].leg) ? 1 : 0;
    EXPECT_EQ(heard, talkers);
  }
}

}  // namespace
}  // namespace media
