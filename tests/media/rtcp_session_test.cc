#include "media/rtcp_session.h"

#include <gmock/gmock.h>

#include <cmath>
#include <random>

#include "tests/support/seed.h"

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
  const unsigned seed = test_support::test_seed();
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

// RFC 3550 §6.4.1: of every source heard since the last report.
TEST(RtcpSession, EverySourceOfAPeerIsReportedByItself) {
  RtcpSession session(1, "a", kWall);
  for (std::uint16_t i = 0; i < 50; ++i) {
    session.rtp_received(packet(i, 7), 20ms * i);
    if (i % 2 == 0) session.rtp_received(packet(i, 8), 20ms * i, false);  // its video
  }
  auto report = only<rtcp::ReceiverReport>(session.report(1s));
  ASSERT_EQ(report.blocks.size(), 2U);
  std::ranges::sort(report.blocks, {}, &rtcp::ReportBlock::ssrc);
  EXPECT_EQ(report.blocks[0].ssrc, 7U);
  EXPECT_EQ(report.blocks[0].cumulative_lost, 0);
  EXPECT_EQ(report.blocks[1].ssrc, 8U);
  EXPECT_EQ(report.blocks[1].cumulative_lost, 24);
  EXPECT_EQ(report.blocks[1].jitter, 0U) << "whatever its clock is";
  EXPECT_EQ(session.lost(), 0) << "of the audio";
  EXPECT_EQ(session.received(), 50U);
  EXPECT_LT(session.jitter_ms(), 0.1);
}

TEST(RtcpSession, WhoWasNotHeardSinceTheLastReportIsNotInTheNext) {
  RtcpSession session(1, "a", kWall);
  session.rtp_received(packet(0, 7), 0s);
  EXPECT_EQ(only<rtcp::ReceiverReport>(session.report(1s)).blocks.size(), 1U);
  EXPECT_EQ(only<rtcp::ReceiverReport>(session.report(2s)).blocks.size(), 0U);
  session.rtp_received(packet(1, 7), 3s);
  EXPECT_EQ(only<rtcp::ReceiverReport>(session.report(4s)).blocks.size(), 1U);
}

TEST(RtcpSession, HoweverManySourcesThereAreAFewAreKept) {
  RtcpSession session(1, "a", kWall);
  for (std::uint32_t ssrc = 10; ssrc < 1000; ++ssrc) {
    session.rtp_received(packet(0, ssrc), 0s);
    session.rtp_received(packet(2, ssrc), 0s);
  }
  EXPECT_EQ(only<rtcp::ReceiverReport>(session.report(1s)).blocks.size(), RtcpSession::kSources);
  EXPECT_EQ(session.lost(), 990) << "and what the others lost is not forgotten";
}

// RFC 3550 §6.4.1, LSR and DLSR: each source's own.
TEST(RtcpSession, EachSourcesSenderReportIsAnsweredInItsBlock) {
  RtcpSession session(1, "a", kWall), audio(7, "p", kWall), video(8, "p", kWall);
  audio.rtp_sent(packet(0, 7), 0s);
  ASSERT_TRUE(session.rtcp_received(audio.report(10s), 10s)) << "before its first packet";
  session.rtp_received(packet(0, 7), 10s);
  session.rtp_received(packet(0, 8), 10s, false);
  video.rtp_sent(packet(0, 8), 0s);
  ASSERT_TRUE(session.rtcp_received(video.report(11s), 11s));
  auto report = only<rtcp::ReceiverReport>(session.report(12s));
  std::ranges::sort(report.blocks, {}, &rtcp::ReportBlock::ssrc);
  ASSERT_EQ(report.blocks.size(), 2U);
  EXPECT_EQ(report.blocks[0].delay_since_last_sr, 2U << 16);
  EXPECT_EQ(report.blocks[1].delay_since_last_sr, 1U << 16);
  EXPECT_NE(report.blocks[0].last_sr, report.blocks[1].last_sr);
}

// RFC 3550 §6.6.
TEST(RtcpSession, AByeEndsItsSourceAndWhatComesAfterItIsANewOne) {
  RtcpSession session(1, "a", kWall);
  session.rtp_received(packet(0, 7), 0s);
  session.rtp_received(packet(5, 7), 100ms);
  ASSERT_TRUE(session.rtcp_received(
      rtcp::write(std::vector<rtcp::Packet>{rtcp::ReceiverReport{.ssrc = 7, .blocks = {}},
                                            rtcp::Bye{.ssrcs = {7, 99}, .reason = "bye"}}),
      1s));
  EXPECT_TRUE(only<rtcp::ReceiverReport>(session.report(2s)).blocks.empty());
  EXPECT_EQ(session.lost(), 4);
  session.rtp_received(packet(30000, 7), 3s);
  const auto report = only<rtcp::ReceiverReport>(session.report(4s));
  ASSERT_EQ(report.blocks.size(), 1U);
  EXPECT_EQ(report.blocks[0].cumulative_lost, 0);
}

// RFC 5506: reports without the rest of a compound, and feedback alone.
TEST(RtcpSession, ReducedSizeReportsAreTaken) {
  RtcpSession a(1, "a", kWall), b(2, "b", kWall);
  a.rtp_sent(packet(5, 1), 0s);
  b.rtp_received(packet(5, 1), 0s);
  const Bytes pli{0x81, 206, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1};
  EXPECT_TRUE(a.rtcp_received(pli, 1s));
  const auto compound = rtcp::parse(b.report(1s));
  ASSERT_TRUE(compound);
  auto alone = std::get<rtcp::ReceiverReport>(compound->front());
  alone.blocks.at(0).fraction_lost = 128;
  EXPECT_TRUE(a.rtcp_received(rtcp::write(std::vector<rtcp::Packet>{alone}), 1s));
  EXPECT_EQ(a.peer_loss(), 0.5);
}

// RFC 3550 §6.1: a compound begins with a report and has a CNAME; a BYE is its last.
TEST(RtcpSession, WhatWeSendIsACompound) {
  RtcpSession session(1, "cname", kWall);
  for (const Bytes& sent : {session.report(0s), session.bye(1s)}) {
    const auto packets = rtcp::parse(sent);
    ASSERT_TRUE(packets && packets->size() >= 2);
    EXPECT_TRUE(std::holds_alternative<rtcp::ReceiverReport>(packets->at(0)));
    EXPECT_TRUE(std::holds_alternative<rtcp::SourceDescription>(packets->at(1)));
    EXPECT_EQ(sent[0] & 0x20, 0) << "no padding";
  }
}

// RFC 3550 §6.2, §6.3.1.
TEST(RtcpSession, ReportsComeEveryFiveSecondsButNotInStep) {
  EXPECT_EQ(RtcpSession::interval(0, false), 2500ms);
  EXPECT_EQ(RtcpSession::interval(0.5, false), 5s);
  EXPECT_EQ(RtcpSession::interval(1, false), 7500ms);
  EXPECT_GE(RtcpSession::interval(0, true), 500ms);
  EXPECT_LE(RtcpSession::interval(1, true), 1500ms) << "the first comes soon";
}

// RFC 3550 §8.2, by a packet or by a report.
TEST(RtcpSession, APeerWithOurSsrcIsFoundOut) {
  const auto told = [](const rtcp::Packet& packet) {
    RtcpSession session(1, "a", kWall);
    EXPECT_TRUE(session.rtcp_received(rtcp::write(std::vector<rtcp::Packet>{packet}), 0s));
    return session.collided();
  };
  EXPECT_TRUE(told(rtcp::SenderReport{.ssrc = 1, .blocks = {}}));
  EXPECT_TRUE(told(rtcp::ReceiverReport{.ssrc = 1, .blocks = {}}));
  EXPECT_FALSE(told(rtcp::ReceiverReport{.ssrc = 2, .blocks = {{.ssrc = 1}}})) << "about ours";
  RtcpSession session(1, "a", kWall);
  session.rtp_received(packet(0, 2), 0s);
  EXPECT_TRUE(session.rtcp_received(RtcpSession(1, "p", kWall).bye(0s), 0s));
  EXPECT_FALSE(session.collided()) << "it gives it up";
  session.rtp_received(packet(0, 1), 0s);
  EXPECT_TRUE(session.collided());
}

TEST(RtcpSession, ARenewedSourceBeginsToCountAnew) {
  RtcpSession session(1, "a", kWall);
  session.rtp_sent(packet(0, 1), 0s);
  session.rtp_received(packet(0, 1), 0s);
  session.renew(5);
  EXPECT_FALSE(session.collided());
  only<rtcp::ReceiverReport>(session.report(1s));
  session.rtp_sent(packet(1, 5), 1s);
  const auto report = only<rtcp::SenderReport>(session.report(2s));
  EXPECT_EQ(report.ssrc, 5U);
  EXPECT_EQ(report.packets, 1U);
  EXPECT_EQ(report.octets, 80U);
  EXPECT_EQ(session.sent(), 2U) << "of the leg";
  session.rtp_received(packet(1, 1), 2s);
  EXPECT_FALSE(session.collided()) << "it may keep what was ours";
}

// What it is told to expect is what the peer reports of what it was sent, in the peer's measure.
TEST(RtcpSession, WhatThePeerLosesIsToBeExpected) {
  RtcpSession a(1, "a", kWall), b(2, "b", kWall);
  std::uint16_t sequence = 0;
  for (int second = 1; second <= 30; ++second) {
    for (int i = 0; i < 50; ++i, ++sequence) {
      a.rtp_sent(packet(sequence, 1), 1s * second);
      if (sequence % 5 != 0) b.rtp_received(packet(sequence, 1), 1s * second);
    }
    if (second % 5 == 0) {
      ASSERT_TRUE(a.rtcp_received(b.report(1s * second), 1s * second));
    }
  }
  EXPECT_EQ(a.listener_loss().step(), ListenerLoss::kHeavy);
}

TEST(RtcpSession, AReportAboutNothingSentSaysNothingOfTheLoss) {
  RtcpSession a(1, "a", kWall);
  const auto lie = rtcp::write(std::vector<rtcp::Packet>{
      rtcp::ReceiverReport{.ssrc = 2, .blocks = {{.ssrc = 1, .fraction_lost = 255}}}});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(a.rtcp_received(lie, 1s * i));
  EXPECT_EQ(a.listener_loss().step(), 0);
}

TEST(RtcpSession, ByeNamesOurSource) {
  RtcpSession session(1, "a", kWall);
  const auto parsed = rtcp::parse(session.bye(1s));
  ASSERT_TRUE(parsed);
  EXPECT_THAT(std::get<rtcp::Bye>(parsed->back()).ssrcs, testing::ElementsAre(1U));
}

}  // namespace
}  // namespace media
