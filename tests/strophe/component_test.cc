// XEP-0114 against a real Prosody and a real ejabberd.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/strophe/harness.h"
#include "tests/support/ejabberd.h"
#include "tests/support/prosody.h"
#include "tests/support/raw_client.h"

namespace jingle {
namespace {

constexpr char kPing[] =
    "<iq type='get' id='p1' from='mixer.localhost' to='localhost'>"
    "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>";

TEST(Component, ComesUpSendsAndReceivesThroughProsody) {
  REQUIRE_PROSODY();
  support::Prosody prosody;
  Peer peer(component(prosody.component_port()));
  ASSERT_TRUE(peer.up()) << peer.last_reason();
  EXPECT_EQ(peer.seen.ups[0].jid.str(), "mixer.localhost");
  EXPECT_FALSE(peer.seen.ups[0].resumed);

  ASSERT_TRUE(peer.connection->send(Priority::normal, kPing));
  ASSERT_TRUE(peer.run_until([&] { return peer.seen.find<Iq>("p1"); }));
  const Iq& answer = *peer.seen.find<Iq>("p1");
  EXPECT_EQ(answer.type, Iq::Type::result);
  EXPECT_EQ(answer.from.str(), "localhost");
  EXPECT_EQ(answer.to.str(), "mixer.localhost");
  EXPECT_EQ(effective_ns(answer.xml.root()), "jabber:client");
  EXPECT_EQ(effective_ns(first_element(answer.xml.root())),
            "http://jabber.org/protocol/disco#info");
}

TEST(Component, ComesUpSendsAndReceivesThroughEjabberd) {
  REQUIRE_EJABBERD();
  support::Ejabberd ejabberd({.accounts = {{"alice@localhost", "pw"}}});
  Peer peer(component(ejabberd.component_port()));
  ASSERT_TRUE(peer.up()) << peer.last_reason();
  support::RawClient alice(ejabberd.c2s_port(), "alice", "pw", "desk");
  ASSERT_TRUE(alice.ready()) << ejabberd.log();

  alice.send("<message to='room@mixer.localhost' id='m1'><body>&lt;hi&gt;</body></message>");
  ASSERT_TRUE(peer.run_until([&] { return peer.seen.find<Message>("m1"); }));
  EXPECT_EQ(peer.seen.find<Message>("m1")->from.str(), "alice@localhost/desk");
  EXPECT_EQ(text_of(first_element(peer.seen.find<Message>("m1")->xml.root())), "<hi>");

  ASSERT_TRUE(
      peer.connection->send(Priority::normal,
                            "<message from='room@mixer.localhost' "
                            "to='alice@localhost/desk' id='m2'><body>echo</body></message>"));
  ASSERT_TRUE(peer.run_until(
      [&] { return alice.stream().read_until("echo</body>", 1ms), alice.stream().found(); }));
}

TEST(Component, WrongSecretIsNotAuthorized) {
  REQUIRE_PROSODY();
  support::Prosody prosody;
  Peer peer(component(prosody.component_port(), "wrong"));
  EXPECT_FALSE(peer.up());
  EXPECT_THAT(peer.last_reason(), testing::StartsWith("not-authorized"));
  EXPECT_TRUE(peer.seen.downs.at(0).wrong_password);
}

TEST(Component, UnknownDomainIsHostUnknown) {
  REQUIRE_PROSODY();
  support::Prosody prosody;
  auto config = component(prosody.component_port());
  config.jid = *Jid::parse("other.localhost");
  Peer peer(config);
  EXPECT_FALSE(peer.up());
  EXPECT_THAT(peer.last_reason(), testing::StartsWith("host-unknown"));
  EXPECT_FALSE(peer.seen.downs.at(0).wrong_password);
}

TEST(Component, SecondConnectionIsAConflict) {
  REQUIRE_PROSODY();
  support::Prosody prosody;
  Peer first(component(prosody.component_port())), second(component(prosody.component_port()));
  ASSERT_TRUE(first.up());
  EXPECT_FALSE(second.up());
  EXPECT_THAT(second.last_reason(), testing::StartsWith("conflict"));
  EXPECT_TRUE(first.seen.downs.empty());
}

TEST(Component, DisconnectSendsWhatIsQueuedAndThenGoesDown) {
  REQUIRE_PROSODY();
  support::Prosody prosody({.accounts = {{"alice@localhost", "pw"}}});
  support::RawClient alice(prosody.c2s_port(), "alice", "pw", "desk");
  ASSERT_TRUE(alice.ready());
  Peer peer(component(prosody.component_port()));
  ASSERT_TRUE(peer.up());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(peer.connection->send(
        Priority::normal, "<message from='mixer.localhost' to='alice@localhost/desk' id='m" +
                              std::to_string(i) + "'/>"));
  }
  peer.connection->disconnect();
  EXPECT_FALSE(peer.connection->send(Priority::urgent, kPing));
  ASSERT_TRUE(peer.down());
  EXPECT_EQ(peer.last_reason(), "disconnected");
  alice.stream().read_until("id='m99'");
  EXPECT_TRUE(alice.stream().found());
  EXPECT_TRUE(peer.up()) << "the same object connects again: " << peer.last_reason();
}

TEST(Component, SurvivesTwentyRestartsOfTheServer) {
  REQUIRE_PROSODY();
  support::Prosody prosody;
  Peer peer(component(prosody.component_port()));
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(peer.up()) << i << " " << peer.last_reason();
    // Alternately the operator's stop and the crash.
    i % 2 ? prosody.kill() : prosody.stop();
    ASSERT_TRUE(peer.down()) << i;
    EXPECT_FALSE(peer.connection->send(Priority::urgent, kPing));
    EXPECT_FALSE(peer.up());
    EXPECT_EQ(peer.last_reason(), "Connection refused");
    prosody.start();
  }
}

TEST(Component, CarriesTwoHundredKibibytesEachWay) {
  REQUIRE_PROSODY();
  support::Prosody prosody({.accounts = {{"alice@localhost", "pw"}}});
  support::RawClient alice(prosody.c2s_port(), "alice", "pw", "desk");
  ASSERT_TRUE(alice.ready());
  Peer peer(component(prosody.component_port()));
  ASSERT_TRUE(peer.up());
  const std::string body(200 * 1024, 'x');
  alice.send("<message to='room@mixer.localhost' id='in'><body>" + body + "</body></message>");
  ASSERT_TRUE(peer.run_until([&] { return peer.seen.find<Message>("in"); }));
  EXPECT_EQ(text_of(first_element(peer.seen.find<Message>("in")->xml.root())), body);
  ASSERT_TRUE(peer.connection->send(
      Priority::normal,
      "<message from='room@mixer.localhost' to='alice@localhost/desk' id='out'><body>" + body +
          "</body></message>"));
  ASSERT_TRUE(peer.run_until(
      [&] { return alice.stream().read_until("</message>", 1ms), alice.stream().found(); }));
}

}  // namespace
}  // namespace jingle
