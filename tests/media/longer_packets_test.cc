// Listeners who like packets of 40 or 60 ms (RFC 4566 §6, ptime), and what it costs: no encode.
#include <gtest/gtest.h>

#include "tests/media/room_fixture.h"

namespace media {
namespace {

using test_support::Samples;

// What a listener hears, packet by packet, lost time left out.
struct Heard {
  Samples samples;
  std::vector<int> packets;  // lengths in samples
  std::vector<std::uint32_t> timestamps;
  std::vector<bool> markers;
  std::uint32_t ends_at = 0;
  bool gap = false;

  void take(Caller& caller) {
    if (!caller.header) return;
    const auto packet = parse_rtp(*caller.header);
    ASSERT_TRUE(packet);
    gap = gap || (!timestamps.empty() && packet->timestamp != ends_at);
    timestamps.push_back(packet->timestamp);
    markers.push_back(packet->marker);
    packets.push_back(*opus_packet_samples(caller.payload));
    ends_at = packet->timestamp + static_cast<std::uint32_t>(packets.back());
    const Samples more = caller.receiver.decode(caller.payload);
    samples.insert(samples.end(), more.begin(), more.end());
  }
};

// 0 and 1 talk; 2 has short packets, 3 those of 40 ms, 4 of 60.
struct LongRoom : TestRoom {
  explicit LongRoom(bool dtx = false) : TestRoom(3, {.use_dtx = dtx}) {
    add({.use_dtx = dtx, .packet_ms = 40});
    add({.use_dtx = dtx, .packet_ms = 60});
    callers[0]->tone_hz = 440;
    callers[1]->tone_hz = 600;
  }
  void run(std::size_t count) {
    for (std::size_t t = 0; t < count; ++t) {
      tick();
      for (std::size_t i = 0; i < callers.size(); ++i) heard[i].take(*callers[i]);
    }
  }
  std::array<Heard, 5> heard;
};

void expect_same_beginning(const Samples& longer, const Samples& shorter, std::size_t least) {
  ASSERT_GE(longer.size(), least);
  ASSERT_LE(longer.size(), shorter.size());
  EXPECT_TRUE(std::equal(longer.begin(), longer.end(), shorter.begin()));
}

TEST(LongerPackets, AreTheSameFramesAndCostNoEncode) {
  LongRoom room;
  room[0].amplitude = room[1].amplitude = 6000;
  room.run(120);
  EXPECT_EQ(room.mixer.counters().encodes, 3U) << "two who talk, and all who listen";
  EXPECT_EQ(room.mixer.counters().encodes_saved, 2U);
  EXPECT_GT(std::ranges::count(room.heard[3].packets, 1920), 54);
  EXPECT_GT(std::ranges::count(room.heard[4].packets, 2880), 36);
  for (const std::size_t i : {3U, 4U}) {
    expect_same_beginning(room.heard[i].samples, room.heard[2].samples, 116 * 960);
    EXPECT_FALSE(room.heard[i].gap);
  }
}

// He begins to speak and stops in the middle of packets: from the common stream to his own and
// back, no frame is left out or sent twice.
TEST(LongerPackets, GoOnWhileTheListenerComesToSpeak) {
  LongRoom room;
  room[0].amplitude = 6000;
  room[3].tone_hz = 800;
  room[4].tone_hz = 900;
  for (const std::size_t pause : {7U, 8U, 9U, 10U, 11U, 12U}) {
    room[3].amplitude = room[4].amplitude = 5000;
    room.run(10 + pause);
    room[3].amplitude = room[4].amplitude = 0;
    room.run(70 + pause);
  }
  for (const std::size_t i : {3U, 4U}) {
    EXPECT_FALSE(room.heard[i].gap);
    EXPECT_LT(test_support::tone_dbfs(room.heard[i].samples, i == 3 ? 800 : 900), -55);
    EXPECT_GT(test_support::tone_dbfs(room.heard[i].samples, 440), -17);
  }
}

// RFC 7587 §3.1.3: a silence ends the packet at once, and its last word does not wait.
TEST(LongerPackets, EndWithTheTalk) {
  LongRoom room(true);
  for (const std::size_t ticks : {13U, 14U, 15U}) {
    room[0].amplitude = 6000;
    room.run(ticks);
    room[0].amplitude = 0;
    room.run(100);
  }
  for (const std::size_t i : {3U, 4U}) {
    EXPECT_EQ(room.heard[i].samples.size(), room.heard[2].samples.size());
    EXPECT_EQ(room.heard[i].samples, room.heard[2].samples);
    EXPECT_TRUE(room.heard[i].gap);
    for (std::size_t k = 1; k < room.heard[i].timestamps.size(); ++k) {
      const std::uint32_t before = room.heard[i].timestamps[k - 1];
      const bool follows = room.heard[i].timestamps[k] ==
                           before + static_cast<std::uint32_t>(room.heard[i].packets[k - 1]);
      EXPECT_EQ(room.heard[i].markers[k], !follows) << "RFC 7587 §4.1, packet " << k;
    }
  }
}

TEST(LongerPackets, ThePlanMayChangeTheirLength) {
  LongRoom room;
  room[0].amplitude = 6000;
  room.run(20);
  MixPlan plan = room.everybody();
  plan.legs[2].packet_ms = 60;
  plan.legs[4].packet_ms = 20;
  room.set_plan(plan);
  room.run(30);
  EXPECT_EQ(room.heard[2].packets.back(), 2880);
  EXPECT_EQ(room.heard[4].packets.back(), 960);
  EXPECT_FALSE(room.heard[2].gap || room.heard[4].gap);
  plan.legs[2].packet_ms = 0;
  room.set_plan(plan);
  room.run(10);
  EXPECT_EQ(room.heard[2].packets.back(), 960) << "as agreed";
  EXPECT_FALSE(room.heard[2].gap);
}

TEST(LongerPackets, NothingIsLeftOfAHold) {
  LongRoom room;
  room[0].amplitude = 6000;
  room.run(20);
  MixPlan plan = room.everybody();
  plan.legs[4].receives = false;
  room.set_plan(plan);
  const auto before = room.heard[4].packets.size();
  room.run(20);
  EXPECT_EQ(room.heard[4].packets.size(), before);
}

}  // namespace
}  // namespace media
