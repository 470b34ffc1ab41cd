// The media of a crowd with bare RTP, as rtp-load has it.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/support/net.h"
#include "tools/load/crowd.h"

namespace load {
namespace {

constexpr std::size_t kCallers = 50;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// It moved the figures away from under callers who were still being sent something.
TEST(Crowd, EndsWholeWhilePacketsCome) {
  const support::Fd mixer(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const std::uint16_t port = support::free_udp_port();
  const sockaddr_in own = loopback(port);
  ASSERT_EQ(bind(mixer.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);

  std::mutex mutex;
  std::vector<std::uint16_t> ports;
  int seconds = 0;  // in which every caller received something
  Crowd crowd({.address = "127.0.0.1",
               .plain = true,
               .line = {},
               .seed = 1,
               .callers = std::vector<Role>(kCallers)},
              [&](const CrowdEvent& event) {
                const std::lock_guard lock(mutex);
                if (const auto* second = std::get_if<Second>(&event)) {
                  seconds += second->least > 0 ? 1 : 0;
                } else if (const auto* opened =
                               std::get_if<media::LegOpened>(&std::get<media::Event>(event))) {
                  ports.push_back(opened->candidates.at(0).port);
                }
              });
  media::LegRemote remote;
  remote.candidates.push_back({1, "1", "127.0.0.1", port, 0, media::CandidateType::host, "", 0});
  for (std::uint64_t i = 1; i <= kCallers; ++i) {
    crowd.open({i});
    crowd.connect({i}, remote);
  }
  ASSERT_TRUE(support::eventually([&] {
    const std::lock_guard lock(mutex);
    return ports.size() == kCallers;
  }));
  const std::jthread flood([&mixer, ports](const std::stop_token& stop) {
    std::array<std::uint8_t, 22> packet{0x80, 100};
    while (!stop.stop_requested()) {
      ++packet[3];
      for (const std::uint16_t each : ports) {
        const sockaddr_in to = loopback(each);
        (void)sendto(mixer.get(), packet.data(), packet.size(), 0,
                     reinterpret_cast<const sockaddr*>(&to), sizeof to);
      }
    }
  });
  crowd.begin();
  {
    const std::lock_guard lock(mutex);
    seconds = 0;
  }
  EXPECT_TRUE(support::eventually([&] {
    const std::lock_guard lock(mutex);
    return seconds >= 2;  // the first may have begun before
  }));
  crowd.end();
  const Measured measured = crowd.finish();
  ASSERT_EQ(measured.traffic.size(), kCallers);
  EXPECT_TRUE(std::ranges::all_of(measured.traffic,
                                  [](const Traffic& traffic) { return traffic.received > 0; }));
}

}  // namespace
}  // namespace load
