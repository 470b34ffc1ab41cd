#include "media/rtcp_session.h"

#include <gmock/gmock.h>

#include <cmath>
#include <random>

namespace media {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using Bytes = std::vector<std::uint8_t>;
using Duration = ReceptionStatistics::Duration;
constexpr Duration kWall = std::chrono::hours(24 * 365 * 55);  // Unix time at `now` = 0

RtpPacket packet(std::uint16_t sequence, std::uint32_t ssrc = 7) {
  static const Bytes kPayload(80);
  return {.sequence = sequence, .timestamp = sequence * 960U, .ssrc = ssrc, .payload = kPayload};
}

template <class T>
T only(const Bytes& report) {
  const auto parsed = rtcp::parse(report);
  EXPECT_TRUE(parsed && !parsed->empty() && std::holds_alternative<T>(parsed->front()));
  return std::get<T>(parsed->front());
}

TEST(ReceptionStatistics, NothingIsLostInOrder) {
  ReceptionStatistics source(7, 65530);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(source.update(static_cast<std::uint16_t>(65530 + i), 960U * i, 20ms * i));
  }
  EXPECT_EQ(source.lost(), 0);
  const auto block = source.report();
  EXPECT_EQ(block.highest_sequence, 65530U + 99);  // one cycle
  EXPECT_EQ(block.fraction_lost, 0);
  EXPECT_LT(block.jitter, 1U);
}

// Law: with any set of packets dropped and neighbours swapped, lost = dropped.
TEST(ReceptionStatistics, LossIsWhatWasDropped) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 50; ++round) {
    const auto first = static_cast<std::uint16_t>(random());
    ReceptionStatistics source(7, first);
    std::vector<int> order;
    int dropped = 0;
    for (int i = 0; i < 500; ++i) {
      // The first and the last arrive, for before and after them nothing was expected.
      if (i > 0 && i < 499 && random() % 10 == 0) {
        dropped++;
      } else {
        order.push_back(i);
      }
    }
    for (std::size_t i = 1; i + 1 < order.size(); i += 2) {
      if (random() % 4 == 0) std::swap(order[i], order[i + 1]);
    }
    for (const int i : order) {
      source.update(static_cast<std::uint16_t>(first + i), 960U * i, 20ms * i);
    }
    EXPECT_EQ(source.lost(), dropped);
  }
}

TEST(ReceptionStatistics, FractionCoversWhatCameSinceTheLastReport) {
  ReceptionStatistics source(7, 0);
  for (std::uint16_t i = 0; i < 100; ++i) source.update(i, 0, 0s);
  EXPECT_EQ(source.report().fraction_lost, 0);
  for (std::uint16_t i = 100; i < 200; i += 2) source.update(i, 0, 0s);
  source.update(199, 0, 0s);
  const auto block = source.report();
  EXPECT_NEAR(block.fraction_lost, 256 * 49 / 100, 1);
  EXPECT_EQ(block.cumulative_lost, 49);
  EXPECT_EQ(source.report().fraction_lost, 0);
}

TEST(ReceptionStatistics, JitterFollowsTheStandardsFilter) {
  ReceptionStatistics source(7, 0);
  // Alternately 5 ms early and late: |D| = 10 ms = 480 units each time.
  for (std::uint16_t i = 0; i < 400; ++i) {
    source.update(i, i * 960U, 20ms * i + (i % 2 == 0 ? 5ms : -5ms) + 1s);
  }
  EXPECT_NEAR(source.jitter(), 480, 1);
}

TEST(ReceptionStatistics, AJumpIsBelievedWhenASecondPacketFollowsIt) {
  ReceptionStatistics source(7, 0);
  for (std::uint16_t i = 0; i < 10; ++i) source.update(i, 0, 0s);
  EXPECT_FALSE(source.update(40000, 0, 0s));
  EXPECT_FALSE(source.update(20000, 0, 0s));
  EXPECT_EQ(source.lost(), 0);
  EXPECT_TRUE(source.update(20001, 0, 0s));
  EXPECT_EQ(source.lost(), 0);
  EXPECT_EQ(source.report().highest_sequence, 20001U);
}

TEST(RtcpSession, ReceiverReportUntilSomethingWasSent) {
  RtcpSession session(1, "cname", kWall);
  session.rtp_received(packet(10), 0s);
  const auto report = only<rtcp::ReceiverReport>(session.report(1s));
  EXPECT_EQ(report.ssrc, 1U);
  ASSERT_EQ(report.blocks.size(), 1U);
  EXPECT_EQ(report.blocks[0].ssrc, 7U);
  EXPECT_EQ(report.blocks[0].last_sr, 0U);
  session.rtp_sent(packet(1, 1), 2s);
  only<rtcp::SenderReport>(session.report(3s));
  only<rtcp::ReceiverReport>(session.report(4s));
}

TEST(RtcpSession, EveryReportCarriesTheCname) {
  RtcpSession session(1, "cname", kWall);
  const auto parsed = rtcp::parse(session.report(1s));
  ASSERT_EQ(parsed->size(), 2U);
  EXPECT_EQ(std::get<rtcp::SourceDescription>(parsed->at(1)).cname, "cname");
}

TEST(RtcpSession, SenderReportTiesTheMediaClockToTheWall) {
  RtcpSession session(1, "cname", kWall);
  session.rtp_sent(packet(100, 1), 10s);
  const auto report = only<rtcp::SenderReport>(session.report(10s + 500ms));
  EXPECT_EQ(report.rtp_timestamp, 100U * 960 + 24000);
  EXPECT_EQ(report.packets, 1U);
  EXPECT_EQ(report.octets, 80U);
  const auto wall = std::chrono::duration_cast<std::chrono::seconds>(kWall).count() + 10;
  EXPECT_EQ(report.ntp >> 32, static_cast<std::uint64_t>(wall) + 2208988800U);
  EXPECT_NEAR(static_cast<double>(report.ntp & 0xffffffffU), 0x80000000U, 5);
}

// A sends SR, 30 ms to B, B holds it 2 s, 40 ms back: 70 ms, whatever their clocks say.
TEST(RtcpSession, RoundTripIsWhatTheReportTookLessWhatThePeerHeldIt) {
  RtcpSession a(1, "a", kWall), b(2, "b", kWall + 77s);
  a.rtp_sent(packet(5, 1), 0s);
  b.rtp_received(packet(5, 1), 30ms);
  ASSERT_TRUE(b.rtcp_received(a.report(100ms), 130ms));
  EXPECT_EQ(a.rtt_ms(), 0);
  ASSERT_TRUE(a.rtcp_received(b.report(130ms + 2s), 170ms + 2s));
  EXPECT_NEAR(a.rtt_ms(), 70, 0.1);
}

TEST(RtcpSession, ALyingPeerDoesNotMakeTheRoundTripAbsurd) {
  RtcpSession a(1, "a", kWall);
  const auto lie = rtcp::write(std::vector<rtcp::Packet>{rtcp::ReceiverReport{
      .ssrc = 2,
      .blocks = {{.ssrc = 1, .fraction_lost = 255, .last_sr = 1, .delay_since_last_sr = 1}}}});
  ASSERT_TRUE(a.rtcp_received(lie, 5s));
  EXPECT_GE(a.rtt_ms(), 0);
  EXPECT_LT(a.rtt_ms(), 60000);
  EXPECT_NEAR(a.peer_loss(), 1, 0.01);
}

TEST(RtcpSession, BlocksAboutOthersAndGarbageChangeNothing) {
  RtcpSession a(1, "a", kWall);
  const auto other = rtcp::write(std::vector<rtcp::Packet>{
      rtcp::ReceiverReport{.ssrc = 2, .blocks = {{.ssrc = 99, .fraction_lost = 255}}}});
  EXPECT_TRUE(a.rtcp_received(other, 1s));
  EXPECT_EQ(a.peer_loss(), 0);
  EXPECT_FALSE(a.rtcp_received(Bytes{0x81, 200, 0, 1, 0, 0, 0, 1}, 1s));
}

TEST(RtcpSession, APeerThatChangesItsSsrcKeepsWhatItLost) {
  RtcpSession session(1, "a", kWall);
  session.rtp_received(packet(0, 7), 0s);
  session.rtp_received(packet(3, 7), 60ms);
  session.rtp_received(packet(1000, 8), 80ms);
  session.rtp_received(packet(1002, 8), 120ms);
  EXPECT_EQ(session.lost(), 3);
  EXPECT_EQ(session.received(), 4U);
}

TEST(RtcpSession, ByeNamesOurSource) {
  RtcpSession session(1, "a", kWall);
  const auto parsed = rtcp::parse(session.bye(1s));
  ASSERT_TRUE(parsed);
  EXPECT_THAT(std::get<rtcp::Bye>(parsed->back()).ssrcs, testing::ElementsAre(1U));
}

}  // namespace
}  // namespace media
