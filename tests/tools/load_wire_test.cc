// What a crowd's bad lines and silences are on the wire: callers with bare RTP and, in the mixer's
// place, a socket that keeps what it is sent. What is waited for is a packet or an answer, never a
// time.
#include <gst/gst.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "media/rtp_header.h"
#include "tests/support/eventually.h"
#include "tests/support/net.h"
#include "tools/load/cast.h"
#include "tools/load/crowd.h"
#include "tools/load/speech.h"

namespace load {
namespace {

using namespace std::chrono_literals;

struct Heard {
  std::uint32_t ssrc = 0, timestamp = 0;
  std::uint16_t sequence = 0;
  bool marker = false;
};

std::vector<Role> afflicted(std::size_t callers) {
  static const call::Voice kNoise(comfort_noise(), true);
  return std::vector<Role>(callers, {.afflicted = true, .voice = &kNoise});
}

class Wire {
 public:
  explicit Wire(const LineSpec& line, std::vector<Role> roles = afflicted(1))
      : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
        crowd({.address = "127.0.0.1",
               .plain = true,
               .line = line,
               .seed = 1,
               .callers = std::move(roles)},
              [this](const CrowdEvent& event) { on_event(event); }) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof own;
    if (bind(socket_.get(), reinterpret_cast<sockaddr*>(&own), length) != 0 ||
        getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&own), &length) != 0) {
      throw std::runtime_error("no socket");
    }
    port_ = ntohs(own.sin_port);
  }

  // The caller dials and speaks. Returns its port, and all that was asked for before has been done.
  std::uint16_t dial(std::uint64_t caller) {
    crowd.open({caller});
    media::LegRemote remote;
    remote.candidates.push_back({1, "1", "127.0.0.1", port_, 0, media::CandidateType::host, "", 0});
    crowd.connect({caller}, remote);
    crowd.set_sending({caller}, true);
    EXPECT_TRUE(support::eventually([&] { return opened_port(caller) != 0; }));
    return opened_port(caller);
  }
  void hang_up(std::uint64_t caller) {
    crowd.close({caller});
    EXPECT_TRUE(support::eventually([&] { return opened_port(caller) == 0; }));
  }
  // What has come from that port by now.
  const std::vector<Heard>& from(std::uint16_t port) {
    std::array<std::uint8_t, 1600> bytes;
    sockaddr_in sender{};
    socklen_t length = sizeof sender;
    ssize_t size = 0;
    while ((size = recvfrom(socket_.get(), bytes.data(), bytes.size(), 0,
                            reinterpret_cast<sockaddr*>(&sender), &length)) > 0) {
      const auto datagram = std::span(bytes).first(static_cast<std::size_t>(size));
      if (media::looks_like_rtcp(datagram)) continue;
      if (const auto rtp = media::parse_rtp(datagram)) {
        heard_[ntohs(sender.sin_port)].push_back(
            {rtp->ssrc, rtp->timestamp, rtp->sequence, rtp->marker});
      }
    }
    return heard_[port];
  }
  // Until so many more have come from there.
  bool wait_for(std::uint16_t port, std::size_t more) {
    const std::size_t wanted = from(port).size() + more;
    return support::eventually([&] { return from(port).size() >= wanted; });
  }
  std::uint32_t ssrc_of(std::uint64_t caller) {
    const std::lock_guard lock(mutex_);
    return open_.at(caller).ssrc;
  }

 private:
  void on_event(const CrowdEvent& event) {
    const auto* media = std::get_if<media::Event>(&event);
    if (media == nullptr) return;
    const std::lock_guard lock(mutex_);
    if (const auto* opened = std::get_if<media::LegOpened>(media)) {
      open_[opened->leg.value] = *opened;
    } else if (const auto* closed = std::get_if<media::LegClosed>(media)) {
      open_.erase(closed->leg.value);
    }
  }
  std::uint16_t opened_port(std::uint64_t caller) {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(caller);
    return found == open_.end() ? std::uint16_t{0} : found->second.candidates.at(0).port;
  }

  const support::Fd socket_;
  std::uint16_t port_ = 0;
  std::map<std::uint16_t, std::vector<Heard>> heard_;
  std::mutex mutex_;
  std::map<std::uint64_t, media::LegOpened> open_;

 public:
  Crowd crowd;  // ends before what its events change
};

int step(const Heard& before, const Heard& after) {
  return static_cast<std::int16_t>(after.sequence - before.sequence);
}
// Largest and least step from one packet to the next.
std::pair<int, int> steps(const std::vector<Heard>& packets) {
  int most = 0;
  int least = 0xFFFF;
  for (std::size_t i = 1; i < packets.size(); ++i) {
    most = std::max(most, step(packets[i - 1], packets[i]));
    least = std::min(least, step(packets[i - 1], packets[i]));
  }
  return {least, most};
}

class CrowdOnTheWire : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

TEST_F(CrowdOnTheWire, WithAGoodLineAllArrivesInOrderAndNothingIsDelayed) {
  Wire wire({});
  wire.crowd.begin();
  const auto port = wire.dial(1);
  ASSERT_TRUE(wire.wait_for(port, 50));
  EXPECT_EQ(steps(wire.from(port)), std::pair(1, 1));
  const Traffic traffic = wire.crowd.finish().traffic.at(0);
  EXPECT_EQ(traffic.dropped, 0U);
  EXPECT_EQ(traffic.delayed, 0U);
}

TEST_F(CrowdOnTheWire, LossLeavesHolesAndNothingElse) {
  Wire wire({.loss = 0.3, .burst = 3});
  wire.crowd.begin();
  const auto port = wire.dial(1);
  ASSERT_TRUE(support::eventually([&] { return steps(wire.from(port)).second > 2; })) << "a burst";
  const Traffic traffic = wire.crowd.finish().traffic.at(0);
  const auto& packets = wire.from(port);
  EXPECT_GE(steps(packets).first, 1);
  const int all = step(packets.front(), packets.back()) + 1;
  const auto holes = static_cast<std::uint64_t>(all) - packets.size();
  EXPECT_LE(holes, traffic.dropped);
  EXPECT_LE(traffic.sent - packets.size(), traffic.dropped) << "which counts reports, too";
  EXPECT_EQ(traffic.delayed, 0U);
}

TEST_F(CrowdOnTheWire, ALineThatLosesAllIsDead) {
  auto roles = afflicted(2);
  roles[1].afflicted = false;
  Wire wire({.loss = 1}, roles);
  wire.crowd.begin();
  const auto dead = wire.dial(1);
  const auto good = wire.dial(2);
  ASSERT_TRUE(wire.wait_for(good, 50));
  const Measured measured = wire.crowd.finish();
  EXPECT_TRUE(wire.from(dead).empty());
  EXPECT_GT(measured.traffic[0].sent, 0U);
  EXPECT_GE(measured.traffic[0].dropped, measured.traffic[0].sent);
  EXPECT_EQ(measured.traffic[1].dropped, 0U);
}

TEST_F(CrowdOnTheWire, JitterDelaysButKeepsTheOrder) {
  Wire wire({.jitter = 100ms});
  wire.crowd.begin();
  const auto port = wire.dial(1);
  ASSERT_TRUE(wire.wait_for(port, 100));
  const Traffic traffic = wire.crowd.finish().traffic.at(0);
  EXPECT_EQ(steps(wire.from(port)), std::pair(1, 1));
  EXPECT_EQ(traffic.dropped, 0U);
  EXPECT_GE(traffic.delayed, 100U);
}

TEST_F(CrowdOnTheWire, WhatIsOvertakenIsNotLost) {
  Wire wire({.reorder = 0.3});
  wire.crowd.begin();
  const auto port = wire.dial(1);
  ASSERT_TRUE(support::eventually([&] { return steps(wire.from(port)).first < 0; }));
  ASSERT_TRUE(wire.wait_for(port, 10));
  const Traffic traffic = wire.crowd.finish().traffic.at(0);
  EXPECT_EQ(traffic.dropped, 0U);
  std::vector<int> numbers;
  for (const Heard& packet : wire.from(port)) {
    numbers.push_back(step(wire.from(port).front(), packet));
  }
  std::ranges::sort(numbers);
  numbers.pop_back();  // it may have overtaken one that was still on its way
  for (std::size_t i = 1; i < numbers.size(); ++i) EXPECT_EQ(numbers[i], numbers[i - 1] + 1);
}

TEST_F(CrowdOnTheWire, SilenceIsOfTheTalkersAndEndsWithANewTalkspurt) {
  auto roles = afflicted(3);
  roles[0].talker = true;
  Wire wire({}, roles);
  const auto talker = wire.dial(1);
  const auto listener = wire.dial(2);
  ASSERT_TRUE(wire.wait_for(talker, 10));
  wire.crowd.set_silent(true);
  wire.dial(3);  // it is silent now
  const auto said = wire.from(talker).size();
  ASSERT_TRUE(wire.wait_for(listener, 100));
  EXPECT_EQ(wire.from(talker).size(), said);
  wire.crowd.set_silent(false);
  ASSERT_TRUE(wire.wait_for(talker, 10));
  const auto& packets = wire.from(talker);
  EXPECT_EQ(steps(packets), std::pair(1, 1)) << "nothing was lost";
  for (std::size_t i = 1; i < packets.size(); ++i) {
    const bool resumes = i == said;
    EXPECT_EQ(packets[i].marker, resumes) << i;
    EXPECT_EQ(packets[i].timestamp - packets[i - 1].timestamp > 960, resumes) << i;
  }
}

TEST_F(CrowdOnTheWire, WhoVanishesSaysNothingMore) {
  Wire wire({}, afflicted(3));
  const auto gone = wire.dial(1);
  const auto other = wire.dial(2);
  ASSERT_TRUE(wire.wait_for(gone, 10));
  wire.crowd.vanish({1});
  wire.dial(3);  // it is gone now
  const auto said = wire.from(gone).size();
  ASSERT_TRUE(wire.wait_for(other, 100));
  EXPECT_EQ(wire.from(gone).size(), said);
}

// What a bad line still held of a call went out in the next one, in which it made no sense.
TEST_F(CrowdOnTheWire, AnotherCallSendsNothingOfTheOneBefore) {
  Wire wire({.jitter = 400ms});
  for (int call = 0; call < 5; ++call) {
    const auto port = wire.dial(1);
    const auto before = wire.from(port).size();  // of another call from that port
    ASSERT_TRUE(wire.wait_for(port, 20));
    const auto& packets = wire.from(port);
    for (std::size_t i = before; i < packets.size(); ++i) {
      ASSERT_EQ(packets[i].ssrc, wire.ssrc_of(1)) << "call " << call << ", packet " << i;
    }
    wire.hang_up(1);
  }
}

TEST_F(CrowdOnTheWire, ListenersSendAFrameNowAndThenOrNoiseAllTheTime) {
  Options options;
  options.callers = 1;
  options.talkers = 0;
  const auto frames = [&options] {
    const Cast cast = make_cast(options);
    int sent = 0;
    for (std::uint64_t tick = 0; tick < 1000; ++tick) {
      sent += cast.roles.at(0).voice->frame(tick) != nullptr ? 1 : 0;
    }
    return sent;
  };
  options.listeners = Options::Listeners::dtx;
  EXPECT_EQ(frames(), 50);
  options.listeners = Options::Listeners::noise;
  EXPECT_EQ(frames(), 1000);
}

}  // namespace
}  // namespace load
