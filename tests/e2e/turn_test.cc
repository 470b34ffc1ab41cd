// The mixer and a caller in networks that reach each other through a TURN server only. Who serves
// both, XMPP and TURN, is at kServer; nothing is forwarded.
#include <gtest/gtest.h>

#include "tests/e2e/listening.h"
#include "tests/e2e/real_client.h"
#include "tests/e2e/world.h"
#include "tests/support/coturn.h"
#include "tests/support/net_namespace.h"
#include "tests/support/sanitized.h"
#include "tests/support/udp_nat.h"

namespace e2e {
namespace {

using support::NetNamespace;

constexpr char kServer[] = "10.99.9.1";
constexpr char kRelay[] = "10.99.8.1";  // has no way to anybody, nor anybody to it
constexpr char kSecret[] = "north";
constexpr std::uint16_t kFirstPort = 20000, kLastPort = 20007;
constexpr double kAnn_hz = 440;
constexpr double kBob_hz = 610;

class Turn : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_PROSODY();
    REQUIRE_COTURN();
    if (const auto why = NetNamespace::missing(); !why.empty()) GTEST_SKIP() << why;
    server_.emplace();
    mixers_.emplace();
    callers_.emplace();
    server_->ip(std::string("address add ") + kServer + "/32 dev lo");
    server_->ip(std::string("address add ") + kRelay + "/32 dev lo");
    server_->connect(*mixers_, "10.99.1.1/24", "10.99.1.2/24");
    server_->connect(*callers_, "10.99.2.1/24", "10.99.2.2/24");
    mixers_->ip(std::string("route add ") + kServer + "/32 via 10.99.1.1");
    callers_->ip(std::string("route add ") + kServer + "/32 via 10.99.2.1");
    for (const auto* end : {&mixers_, &callers_}) {
      // To a socket that names its interface, as libnice's do, every address is on that link.
      (*end)->ip(std::string("neighbour add ") + kRelay +
                 " lladdr 02:00:00:00:00:01 dev up0 nud permanent");
      // Nothing comes in that nothing goes out to, as with any NAT. (If it does, libnice 0.1.21 may
      // fail: it does not pair its relay with a candidate that it has learned from a check first.)
      (*end)->ip("rule add pref 1 lookup local");
      (*end)->ip("rule del pref 0");
      (*end)->ip(std::string("rule add pref 0 blackhole from ") + kRelay);
    }
    const NetNamespace::Inside inside(*server_);
    coturn_.emplace(support::Coturn::Spec{
        .listen = {"127.0.0.1", kServer}, .relay = kRelay, .secret = kSecret});
    prosody_.emplace(announcing_turn());
  }

  support::ProsodySpec announcing_turn() const {
    auto spec = prosody_spec();
    spec.tls = true;  // a bot wants it
    spec.websocket = true;
    spec.more_modules = {"external_services"};
    const std::string where =
        std::string("host = \"") + kServer + "\"; port = " + std::to_string(coturn_->port());
    spec.extra = std::string("interfaces = { \"127.0.0.1\"; \"") + kServer +
                 "\" }\ncomponent_interfaces = { \"127.0.0.1\"; \"" + kServer +
                 "\" }\nhttp_interfaces = { \"127.0.0.1\"; \"" + kServer +
                 "\" }\nexternal_service_secret = \"" + kSecret +
                 "\"\nexternal_services = {\n  { type = \"stun\"; transport = \"udp\"; " + where +
                 " };\n  { type = \"turn\"; transport = \"udp\"; secret = true; ttl = 600; " +
                 where +
                 " };\n}\nexternal_service_access = { \"mixer.localhost\"; \"localhost\" }\n";
    return spec;
  }

  std::unique_ptr<Mixer> mixer(bool client_mode = false) {
    const NetNamespace::Inside inside(*mixers_);
    auto mixer = std::make_unique<Mixer>(
        *prosody_,
        Mixer::Spec{.client_mode = client_mode, .media = "bitrate = 96000", .host = kServer});
    EXPECT_TRUE(mixer->process().wait_for_output("ice-servers=changed stun=\"", kWait))
        << mixer->log() << prosody_->log();
    return mixer;
  }
  // Where the mixer is, so reached directly; where it is not; there, with the TURN server.
  std::unique_ptr<Call> neighbour(CallSpec spec) {
    const NetNamespace::Inside inside(*mixers_);
    spec.host = kServer;
    return std::make_unique<Call>(*prosody_, spec);
  }
  std::unique_ptr<Call> outside(CallSpec spec) {
    const NetNamespace::Inside inside(*callers_);
    spec.host = kServer;
    return std::make_unique<Call>(*prosody_, spec);
  }
  std::unique_ptr<Call> beyond(CallSpec spec) {
    const auto credentials = support::Coturn::time_limited(kSecret, std::chrono::seconds(600));
    spec.more = {"--turn",          std::string(kServer) + ":" + std::to_string(coturn_->port()),
                 "--turn-username", credentials.username,
                 "--turn-password", credentials.password};
    return outside(std::move(spec));
  }
  CallSpec spec(const std::string& user, double hz, const Mixer& mixer) {
    return {.user = user, .to = mixer.jid(), .play = tone_file(folder_, hz), .record = true};
  }

  void talk_through_turn(bool client_mode) {
    const auto mixing = mixer(client_mode);
    const auto ann = beyond(spec("ann", kAnn_hz, *mixing));
    const auto bob = neighbour(spec("bob", kBob_hz, *mixing));
    const std::vector<Heard> recordings{{ann->recording(), kAnn_hz, {kBob_hz}},
                                        {bob->recording(), kBob_hz, {kAnn_hz}}};
    for (const auto& [recording, own_hz, others_hz] : recordings) {
      EXPECT_TRUE(wait_until_heard(recording, others_hz, 5)) << recording;
    }
    for (const auto* each : {&ann, &bob}) EXPECT_EQ((*each)->finish(), 0) << (*each)->output();
    expect_all_but_own_heard(recordings);
    const auto ice = ann->report()["ice"];
    EXPECT_TRUE(ice["local"].string().starts_with(std::string("relay ") + kRelay)) << ice.str();
    EXPECT_TRUE(ice["remote"].string().starts_with(std::string("relay ") + kRelay)) << ice.str();
    EXPECT_TRUE(mixing->process().wait_for_output("peer=ann@localhost/call ", kWait));
    EXPECT_EQ(mixing->logged(std::string("ice_local=\"relay ") + kRelay), 1) << mixing->log();
    EXPECT_EQ(mixing->logged(std::string("ice_remote=\"relay ") + kRelay), 1);
    expect_no_secret(*mixing);
    if (HasFailure()) ADD_FAILURE() << mixing->log() << coturn_->log();
  }

  // What Prosody gave the mixer a moment ago follows from when it expires.
  static void expect_no_secret(const Mixer& mixing) {
    const std::string log = mixing.log();
    for (int seconds = 400; seconds <= 601; ++seconds) {
      const auto credentials =
          support::Coturn::time_limited(kSecret, std::chrono::seconds(seconds));
      EXPECT_EQ(log.find(credentials.password), std::string::npos) << log;
      EXPECT_EQ(log.find(credentials.username), std::string::npos) << log;
    }
  }

  support::TempDir folder_;
  std::optional<NetNamespace> server_, mixers_, callers_;
  std::optional<support::Coturn> coturn_;
  std::optional<support::Prosody> prosody_;
};

TEST_F(Turn, AComponentFindsItByExternalServiceDiscoveryAndIsHeardThroughIt) {
  talk_through_turn(false);
}

TEST_F(Turn, SoDoesABot) { talk_through_turn(true); }

// Chromium's relay and aiortc's, which share no code with ours.
class TurnOfOthers : public Turn, public testing::WithParamInterface<Stack> {
 protected:
  void SetUp() override {
    if (GetParam() == Stack::chromium && test_support::kSanitized) {
      GTEST_SKIP() << "a browser beside a sanitized mixer takes minutes; the preset dev has it";
    }
    if (const auto why = RealClient::missing(GetParam()); !why.empty()) GTEST_SKIP() << why;
    Turn::SetUp();
  }
  RealClient real_client(double hz) {
    const auto credentials = support::Coturn::time_limited(kSecret, std::chrono::seconds(600));
    const NetNamespace::Inside inside(*callers_);
    return {GetParam(),
            *prosody_,
            {.user = "cyd",
             .hz = hz,
             .address = "10.99.2.2",
             .host = kServer,
             .turn = TurnServer{std::string(kServer) + ":" + std::to_string(coturn_->port()),
                                credentials.username, credentials.password}}};
  }
};

TEST_P(TurnOfOthers, CarriesThemToARoomAndToTheBot) {
  for (const bool client_mode : {false, true}) {
    SCOPED_TRACE(client_mode);
    const auto mixing = mixer(client_mode);
    const auto bob = neighbour(spec("bob", kBob_hz, *mixing));
    RealClient cyd = real_client(kAnn_hz);
    ASSERT_TRUE(cyd.wait_for("online")) << cyd.output() << prosody_->log();
    cyd.say("dial " + mixing->jid());
    EXPECT_TRUE(wait_until_heard(bob->recording(), std::vector<double>{kAnn_hz}, 5));
    EXPECT_TRUE(wait_until_heard(cyd.recording(), std::vector<double>{kBob_hz}, 5));
    cyd.say("hangup");
    EXPECT_TRUE(cyd.wait_for("ended"));
    EXPECT_TRUE(mixing->process().wait_for_output("peer=cyd@localhost/", kWait));
    EXPECT_EQ(mixing->logged(std::string("ice_remote=\"relay ") + kRelay), 1) << mixing->log();
    EXPECT_EQ(cyd.finish(), 0);
    EXPECT_EQ(bob->finish(), 0);
    if (HasFailure()) FAIL() << cyd.output() << mixing->log() << coturn_->log();
  }
}

INSTANTIATE_TEST_SUITE_P(E2e, TurnOfOthers, testing::Values(Stack::chromium, Stack::aiortc),
                         [](const auto& info) -> std::string {
                           return info.param == Stack::chromium ? "Chromium" : "Aiortc";
                         });

TEST_F(Turn, ThatDiesEndsTheCallsThroughItWithAReasonAndNoOthers) {
  const auto mixing = mixer();
  const auto bob = neighbour(spec("bob", kBob_hz, *mixing));
  const auto cyd = neighbour({.user = "cyd", .to = mixing->jid(), .record = true});
  const auto ann = beyond(spec("ann", kAnn_hz, *mixing));
  for (const auto* each : {&ann, &bob, &cyd}) {
    ASSERT_TRUE((*each)->wait_for("connected")) << (*each)->output() << mixing->log();
  }
  ASSERT_TRUE(wait_until_heard(cyd->recording(), std::vector<double>{kBob_hz}, 1));
  const Listening listening({{cyd->recording(), kBob_hz}});
  coturn_->stop();
  // 30 s until consent is lost, and as long for the restart of ICE that is tried then.
  EXPECT_EQ(ann->process().wait(2 * kWait), 1) << ann->output();
  EXPECT_EQ(ann->report()["reason"].string(), "connectivity-error") << ann->output();

  const auto again = beyond(spec("caller1", kAnn_hz, *mixing));
  EXPECT_EQ(again->process().wait(kWait), 1) << again->output();
  EXPECT_EQ(again->report()["reason"].string(), "failed-transport") << again->output();

  listening.expect_no_gaps();
  EXPECT_EQ(bob->finish(), 0) << bob->output();
  EXPECT_EQ(cyd->finish(), 0) << cyd->output();
}

// Behind a 1:1 NAT the mixer offers the address by which the world knows it, and its own ports
// there. Without a TURN server: the caller has none, and the mixer cannot reach him by its own.
TEST_F(Turn, IsNotNeededBehindAOneToOneNatWhoseAddressIsConfigured) {
  std::vector<std::unique_ptr<support::UdpNat>> nat;
  {
    const NetNamespace::Inside inside(*server_);
    for (std::uint16_t port = kFirstPort; port <= kLastPort; ++port) {
      nat.push_back(std::make_unique<support::UdpNat>(support::UdpNat::Address{kServer, port},
                                                      support::UdpNat::Address{"10.99.1.2", port},
                                                      "10.99.1.1"));
    }
  }
  std::unique_ptr<Mixer> mixing;
  {
    const NetNamespace::Inside inside(*mixers_);
    mixing = std::make_unique<Mixer>(
        *prosody_,
        Mixer::Spec{.media = std::string("bitrate = 96000\nexternal-address = \"") + kServer +
                             "\"\nport-range = \"" + std::to_string(kFirstPort) + "-" +
                             std::to_string(kLastPort) + "\"\ndiscover-services = \"off\"",
                    .host = kServer});
  }
  const auto ann = outside(spec("ann", kAnn_hz, *mixing));
  const auto bob = outside(spec("bob", kBob_hz, *mixing));
  EXPECT_TRUE(wait_until_heard(ann->recording(), std::vector<double>{kBob_hz}, 5));
  EXPECT_TRUE(wait_until_heard(bob->recording(), std::vector<double>{kAnn_hz}, 5));
  for (const auto* each : {&ann, &bob}) EXPECT_EQ((*each)->finish(), 0) << (*each)->output();
  EXPECT_TRUE(ann->report()["ice"]["remote"].string().starts_with(std::string("host ") + kServer))
      << ann->report().str();
}

}  // namespace
}  // namespace e2e
