// The media of a crowd with bare RTP, as rtp-load has it.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/support/net.h"
#include "tools/load/crowd.h"

namespace load {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Callers who have dialled a socket in the mixer's place.
class Dialled {
 public:
  explicit Dialled(std::size_t callers)
      : mixer_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
        ports_(callers),
        crowd({.address = "127.0.0.1",
               .plain = true,
               .line = {},
               .seed = 1,
               .callers = std::vector<Role>(callers)},
              [this](const CrowdEvent& event) { on_event(event); }) {
    const std::uint16_t port = support::free_udp_port();
    const sockaddr_in own = loopback(port);
    EXPECT_EQ(bind(mixer_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    media::LegRemote remote;
    remote.candidates.push_back({1, "1", "127.0.0.1", port, 0, media::CandidateType::host, "", 0});
    for (std::uint64_t i = 1; i <= callers; ++i) {
      crowd.open({i});
      crowd.connect({i}, remote);
    }
    EXPECT_TRUE(support::eventually([&] {
      const std::lock_guard lock(mutex_);
      return connected_ == callers;
    }));
  }

  void send(std::size_t caller, std::uint8_t number) const {
    const std::array<std::uint8_t, 22> packet{0x80, 100, 0, number};
    const sockaddr_in to = loopback(ports_.at(caller));
    (void)sendto(mixer_.get(), packet.data(), packet.size(), 0,
                 reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  // So many of the crowd's seconds from now of which that is true.
  bool wait_for_seconds(int count, const std::function<bool(const Second&)>& good) {
    const auto from = std::chrono::steady_clock::now();
    return support::eventually([&] {
      const std::lock_guard lock(mutex_);
      return std::ranges::count_if(seconds_, [&](const Second& second) {
               return second.at > from && good(second);
             }) >= count;
    });
  }

 private:
  void on_event(const CrowdEvent& event) {
    const std::lock_guard lock(mutex_);
    if (const auto* second = std::get_if<Second>(&event)) {
      seconds_.push_back(*second);
    } else if (const auto* opened = std::get_if<media::LegOpened>(&std::get<media::Event>(event))) {
      ports_.at(opened->leg.value - 1) = opened->candidates.at(0).port;
    } else if (std::holds_alternative<media::LegConnected>(std::get<media::Event>(event))) {
      ++connected_;
    }
  }

  const support::Fd mixer_;
  std::vector<std::uint16_t> ports_;  // constant once all are connected
  std::mutex mutex_;
  std::size_t connected_ = 0;
  std::vector<Second> seconds_;

 public:
  Crowd crowd;  // ends before what its events change
};

// It moved the figures away from under callers who were still being sent something.
TEST(Crowd, EndsWholeWhilePacketsCome) {
  constexpr std::size_t kCallers = 50;
  Dialled dialled(kCallers);
  const std::jthread flood([&dialled](const std::stop_token& stop) {
    for (std::uint8_t number = 0; !stop.stop_requested(); ++number) {
      for (std::size_t i = 0; i < kCallers; ++i) dialled.send(i, number);
    }
  });
  dialled.crowd.begin();
  // Two, as the first may have begun before.
  EXPECT_TRUE(dialled.wait_for_seconds(2, [](const Second& second) { return second.least > 0; }));
  dialled.crowd.end();
  const Measured measured = dialled.crowd.finish();
  ASSERT_EQ(measured.traffic.size(), kCallers);
  EXPECT_TRUE(std::ranges::all_of(measured.traffic,
                                  [](const Traffic& traffic) { return traffic.received > 0; }));
}

// A gap was counted when a packet ended it, and so never of a mixer that had gone mute for good.
TEST(Crowd, SilenceUntilTheEndIsAGap) {
  enum : std::size_t { mute_mixer, never_sent_to, vanished, hung_up, kCallers };
  Dialled dialled(kCallers);
  dialled.crowd.begin();
  for (const auto caller : {mute_mixer, vanished, hung_up}) dialled.send(caller, 1);
  ASSERT_TRUE(dialled.wait_for_seconds(1, [](const Second& second) { return second.median > 0; }));
  dialled.crowd.vanish({vanished + 1});
  const auto mute_by = std::chrono::steady_clock::now() + 4 * media::kTick;
  ASSERT_TRUE(dialled.wait_for_seconds(
      1, [mute_by](const Second& second) { return second.most == 0 && second.at > mute_by; }));
  dialled.crowd.close({hung_up + 1});
  dialled.crowd.end();
  const auto traffic = dialled.crowd.finish().traffic;
  for (const auto caller : {mute_mixer, never_sent_to, hung_up}) {
    EXPECT_EQ(traffic.at(caller).gaps, 1U) << caller;
    EXPECT_EQ(traffic.at(caller).gaps_of_two, 1U) << caller;
    EXPECT_GT(traffic.at(caller).longest_gap, 3 * media::kTick) << caller;
  }
  EXPECT_EQ(traffic.at(vanished).gaps, 0U) << "he does not listen";
}

}  // namespace
}  // namespace load
