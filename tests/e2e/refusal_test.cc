// Who is kept out, and what changes nothing.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>

#include "tests/e2e/world.h"

namespace e2e {
namespace {

class Refusal : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_PROSODY(); }
};

TEST_F(Refusal, AStrangersDomainIsRefused) {
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  Call eve(prosody, {.user = "eve@stranger.example", .to = mixer.jid()});
  EXPECT_EQ(eve.process().wait(kWait), 1) << eve.output();
  EXPECT_EQ(eve.report()["result"].string(), "refused");
  EXPECT_EQ(eve.report()["reason"].string(), "service-unavailable");
  Call ann(prosody, {.user = "ann", .to = mixer.jid()});
  EXPECT_TRUE(ann.wait_for("connected")) << ann.output() << mixer.log();
}

TEST_F(Refusal, AFloodOfCallsFromOneJidIsLimited) {
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody, {.more = "[limits]\ncalls-per-minute = 4\n"});
  Call ann(prosody, {.user = "ann", .to = mixer.jid(), .seconds = 1, .more = {"--count", "12"}});
  EXPECT_EQ(ann.process().wait(kWait), 1) << ann.output();
  int taken = 0;
  int refused = 0;
  for (std::size_t i = 0; i < 12; ++i) {
    const auto report = ann.report(i);
    taken += report["result"].string() == "success" ? 1 : 0;
    if (report["result"].string() != "refused") continue;
    ++refused;
    EXPECT_TRUE(report["reason"].string() == "resource-constraint" ||
                report["reason"].string() == "busy")
        << report.str();
  }
  EXPECT_GT(taken, 0);
  EXPECT_LE(taken, 4);
  EXPECT_EQ(taken + refused, 12) << ann.output();
  Call bob(prosody, {.user = "bob", .to = mixer.jid()});
  EXPECT_TRUE(bob.wait_for("connected")) << "others are not affected" << bob.output();
}

TEST_F(Refusal, AWrongFingerprintIsNeverHeard) {
  const support::TempDir folder;
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  Call ann(prosody, {.user = "ann",
                     .to = mixer.jid(),
                     .play = tone_file(folder, 440),
                     .more = {"--fingerprint-lie"}});
  Call bob(prosody, {.user = "bob", .to = mixer.jid(), .record = true});
  EXPECT_TRUE(bob.wait_for("roster")) << bob.output();
  EXPECT_EQ(ann.process().wait(kWait), 1) << ann.output();
  EXPECT_EQ(ann.report()["reason"].string(), "security-error") << ann.output() << mixer.log();
  EXPECT_EQ(bob.finish(), 0);
  for (const auto& event : bob.events()) {
    EXPECT_EQ(event.str().find("\"ann\""), std::string::npos) << event.str();
  }
}

std::uint16_t port_of(const std::string& candidate) {  // "host 127.0.0.1:4000"
  const auto colon = candidate.rfind(':');
  return colon == std::string::npos
             ? 0
             : static_cast<std::uint16_t>(std::stoi(candidate.substr(colon + 1)));
}

TEST_F(Refusal, RandomBytesOnTheMediaPortChangeNothing) {
  const support::TempDir folder;
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  Call ann(prosody, {.user = "ann", .to = mixer.jid(), .play = tone_file(folder, 440)});
  Call bob(prosody, {.user = "bob", .to = mixer.jid(), .record = true});
  ASSERT_TRUE(ann.wait_for("connected")) << ann.output() << mixer.log();
  ASSERT_TRUE(bob.wait_for("connected")) << bob.output() << mixer.log();
  std::uint16_t port = 0;
  for (const auto& event : ann.events()) {
    if (event["event"].string() == "connected") port = port_of(event["detail"].string());
  }
  ASSERT_NE(port, 0);

  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < 5000; ++i) {
    std::vector<std::uint8_t> bytes(random() % 1500);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    // Half of them look like STUN, DTLS, RTP or RTCP (RFC 7983) at first sight.
    if (!bytes.empty() && random() % 2 == 0) {
      constexpr std::array<std::uint8_t, 6> kFirst{0, 1, 20, 22, 0x80, 0x90};
      bytes[0] = kFirst[random() % kFirst.size()];
    }
    sendto(fd, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  close(fd);

  const std::vector<double> anns_tone{440};
  EXPECT_TRUE(wait_until_heard(bob.recording(), anns_tone, 3));
  EXPECT_EQ(ann.finish(), 0) << ann.output();
  EXPECT_EQ(bob.finish(), 0) << bob.output();
  EXPECT_TRUE(mixer.process().running()) << mixer.log();
}

}  // namespace
}  // namespace e2e
