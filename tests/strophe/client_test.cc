// Client mode (RFC 6120, XEP-0198) against a real Prosody and a real ejabberd.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "signaling/namespaces.h"
#include "tests/strophe/harness.h"
#include "tests/support/ejabberd.h"
#include "tests/support/fake_server.h"
#include "tests/support/prosody.h"
#include "tests/support/raw_client.h"

namespace jingle {
namespace {

const std::vector<support::ProsodySpec::Account> kAccounts = {{"bot@localhost", "pw"},
                                                              {"alice@localhost", "pw"}};

TEST(Client, BindsItsResourceAndHearsItsOwnAccountByName) {
  REQUIRE_PROSODY();
  support::Prosody prosody({.accounts = kAccounts});
  Peer bot(client(prosody.c2s_port()));
  ASSERT_TRUE(bot.up()) << bot.last_reason();
  EXPECT_EQ(bot.seen.ups[0].jid.str(), "bot@localhost/focus");
  EXPECT_FALSE(bot.seen.ups[0].resumed);
  ASSERT_TRUE(bot.connection->send(
      Priority::normal, "<iq type='get' id='r1'><query xmlns='jabber:iq:roster'/></iq>"));
  ASSERT_TRUE(bot.run_until([&] { return bot.seen.find<Iq>("r1"); }));
  EXPECT_EQ(bot.seen.find<Iq>("r1")->from.str(), "bot@localhost");
  EXPECT_EQ(bot.seen.find<Iq>("r1")->to.str(), "bot@localhost/focus");
}

TEST(Client, WithoutAResourceTakesTheServersChoice) {
  REQUIRE_PROSODY();
  support::Prosody prosody({.accounts = kAccounts});
  Peer bot(client(prosody.c2s_port(), "bot@localhost"));
  ASSERT_TRUE(bot.up()) << bot.last_reason();
  EXPECT_EQ(bot.seen.ups[0].jid.bare().str(), "bot@localhost");
  EXPECT_FALSE(bot.seen.ups[0].jid.is_bare());
}

TEST(Client, WrongPasswordIsNotAuthorized) {
  REQUIRE_PROSODY();
  support::Prosody prosody({.accounts = kAccounts});
  auto config = client(prosody.c2s_port());
  config.password = "wrong";
  Peer bot(config);
  EXPECT_FALSE(bot.up());
  EXPECT_EQ(bot.last_reason(), "not-authorized");
  EXPECT_TRUE(bot.seen.downs[0].wrong_password);
}

TEST(Client, ComesUpThroughEjabberd) {
  REQUIRE_EJABBERD();
  support::Ejabberd ejabberd({.accounts = {{"bot@localhost", "pw"}}});
  Peer bot(client(ejabberd.c2s_port()));
  ASSERT_TRUE(bot.up()) << bot.last_reason();
  EXPECT_EQ(bot.seen.ups[0].jid.str(), "bot@localhost/focus");
  ASSERT_TRUE(bot.connection->send(
      Priority::normal, "<message to='bot@localhost/focus' id='echo'><body>x</body></message>"));
  ASSERT_TRUE(bot.run_until([&] { return bot.seen.find<Message>("echo"); }));
}

TEST(Client, AnUnknownCertificateIsNotAccepted) {
  REQUIRE_PROSODY();
  support::Prosody prosody({.accounts = kAccounts, .tls = true});
  Peer bot(client(prosody.c2s_port(), "bot@localhost/focus", StropheConfig::Tls::verify));
  EXPECT_FALSE(bot.up());
  EXPECT_THAT(bot.last_reason(), testing::StartsWith("certificate not accepted: "));
  EXPECT_FALSE(bot.seen.downs[0].wrong_password);
}

TEST(Client, AKnownCertificateIsAcceptedForItsHostOnly) {
  REQUIRE_PROSODY();
  support::Prosody prosody({.hosts = {"localhost", "other.localhost"},
                            .accounts = {{"bot@localhost", "pw"}, {"bot@other.localhost", "pw"}},
                            .tls = true});
  ::setenv("SSL_CERT_FILE", prosody.certificate().pem.c_str(), 1);
  Peer bot(client(prosody.c2s_port(), "bot@localhost/focus", StropheConfig::Tls::verify));
  EXPECT_TRUE(bot.up()) << bot.last_reason();
  Peer other(client(prosody.c2s_port(), "bot@other.localhost/x", StropheConfig::Tls::verify));
  EXPECT_FALSE(other.up());
  EXPECT_THAT(other.last_reason(), testing::HasSubstr("ostname mismatch"));
  ::unsetenv("SSL_CERT_FILE");
}

TEST(Client, InsistsOnTlsWhenTheServerOffersNone) {
  REQUIRE_PROSODY();
  support::Prosody prosody({.accounts = kAccounts});
  Peer bot(client(prosody.c2s_port(), "bot@localhost/focus", StropheConfig::Tls::trust_all));
  EXPECT_FALSE(bot.up());
  EXPECT_THAT(bot.last_reason(), testing::HasSubstr("TLS is not supported"));
}

// libstrophe reads 4 KiB of a TLS record of 16 KiB, and nothing tells poll() of the rest.
TEST(Client, TwoHundredKibibytesEachWayOverTlsNeedNoTimer) {
  REQUIRE_PROSODY();
  support::Prosody prosody({.accounts = kAccounts, .tls = true, .disabled_modules = {"smacks"}});
  Peer bot(client(prosody.c2s_port(), "bot@localhost/focus", StropheConfig::Tls::trust_all));
  ASSERT_TRUE(bot.up()) << bot.last_reason();
  for (int i = 0; i < 3; ++i) {
    // Prosody's records are 8 KiB: the last one is now shorter, now longer than one read.
    const std::string body(200 * 1024 + i * 3000, 'x');
    const std::string id = "echo" + std::to_string(i);
    ASSERT_TRUE(bot.connection->send(
        Priority::normal,
        "<message to='bot@localhost/focus' id='" + id + "'><body>" + body + "</body></message>"));
    ASSERT_TRUE(bot.run_without_timers([&] { return bot.seen.find<Message>(id); }));
    EXPECT_EQ(text_of(first_element(bot.seen.find<Message>(id)->xml.root())), body);
  }
}

// Cuts the TCP connection between us and the server, as a network does. Prosody hibernates the
// session.
void cut_network(Peer& peer) { ::shutdown(peer.connection->poll_fd(), SHUT_RDWR); }

TEST(Client, ResumesItsSessionAndLosesNothing) {
  REQUIRE_PROSODY();
  support::Prosody prosody({.accounts = kAccounts, .tls = true});
  Peer bot(client(prosody.c2s_port(), "bot@localhost/focus", StropheConfig::Tls::trust_all));
  Peer alice(client(prosody.c2s_port(), "alice@localhost/desk", StropheConfig::Tls::trust_all));
  ASSERT_TRUE(bot.up()) << bot.last_reason();
  ASSERT_TRUE(alice.up());
  const auto say = [&](const std::string& id) {
    return bot.connection->send(Priority::normal, "<message to='alice@localhost/desk' id='" + id +
                                                      "'><body>hello</body></message>");
  };
  for (int round = 0; round < 3; ++round) {
    const std::string n = std::to_string(round);
    ASSERT_TRUE(say("first" + n));
    ASSERT_TRUE(bot.run_until([&] {
      alice.turn(1ms);
      return alice.seen.find<Message>("first" + n);
    }));
    cut_network(bot);
    // What is said before the break is noticed waits; what is said to us meanwhile waits, too.
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(say("b" + n + "-" + std::to_string(i)));
    ASSERT_TRUE(bot.down());
    EXPECT_EQ(bot.last_reason(), "connection lost");
    alice.connection->send(Priority::normal, "<message to='bot@localhost/focus' id='a" + n + "'/>");
    for (int i = 0; i < 5; ++i) alice.turn(5ms);
    ASSERT_TRUE(bot.up()) << bot.last_reason();
    if (!bot.seen.ups.back().resumed) continue;  // the break came in the middle of a stanza
    EXPECT_EQ(bot.seen.ups.back().jid.str(), "bot@localhost/focus");
    ASSERT_TRUE(bot.run_until([&] {
      alice.turn(1ms);
      return bot.seen.find<Message>("a" + n) && alice.seen.find<Message>("b" + n + "-19");
    }));
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(alice.seen.find<Message>("b" + n + "-" + std::to_string(i))) << round << " " << i;
    }
  }
}

// A server that resumes and then hears nothing (see StropheConnection::check_proof).
TEST(Client, AResumedSessionThatAcknowledgesNothingIsGivenUp) {
  const std::string header =
      "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
      "xmlns:stream='http://etherx.jabber.org/streams' id='1' from='localhost' version='1.0'>";
  support::FakeServer server([&](support::Stream& stream, support::FakeServer& self) {
    stream.read_until("<stream:stream");
    stream.write(header +
                 "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
                 "<mechanism>PLAIN</mechanism></mechanisms></stream:features>");
    stream.read_until("</auth>");
    stream.write("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    stream.read_until("<stream:stream");
    stream.write(header +
                 "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
                 "<sm xmlns='urn:xmpp:sm:3'/></stream:features>");
    if (self.connections() == 3) {  // the second one only looked whether we are there
      stream.read_until("<resume");
      stream.write("<resumed xmlns='urn:xmpp:sm:3' h='0' previd='s1'/>");
      stream.read_to_end();
      return;
    }
    stream.read_until("</iq>");
    stream.write(
        "<iq type='result' id='_xmpp_bind1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
        "<jid>bot@localhost/focus</jid></bind></iq>");
    stream.read_until("<enable");
    stream.write("<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true'/>");
    stream.read_until("<message");
  });
  auto config = client(server.port());
  config.connect_timeout = 1000ms;
  Peer bot(config);
  ASSERT_TRUE(bot.up()) << bot.last_reason();
  ASSERT_TRUE(bot.connection->send(Priority::normal, "<message to='a@b' id='1'/>"));
  ASSERT_TRUE(bot.down());
  ASSERT_TRUE(bot.up()) << bot.last_reason();
  ASSERT_TRUE(bot.seen.ups.back().resumed);
  ASSERT_TRUE(bot.connection->send(Priority::normal, "<message to='a@b' id='2'/>"));
  ASSERT_TRUE(bot.down());
  EXPECT_EQ(bot.last_reason(), "the resumed session is dead");
  ASSERT_TRUE(bot.up()) << bot.last_reason();
  EXPECT_FALSE(bot.seen.ups.back().resumed);
}

TEST(Client, AServerThatForgotTheSessionGivesAFreshOne) {
  REQUIRE_PROSODY();
  support::Prosody prosody({.accounts = kAccounts, .tls = true});
  Peer bot(client(prosody.c2s_port(), "bot@localhost/focus", StropheConfig::Tls::trust_all));
  ASSERT_TRUE(bot.up());
  for (int i = 0; i < 3; ++i) {
    prosody.kill();
    ASSERT_TRUE(bot.down());
    EXPECT_FALSE(bot.up());
    prosody.start();
    ASSERT_TRUE(bot.up()) << bot.last_reason();
    EXPECT_FALSE(bot.seen.ups.back().resumed);
    cut_network(bot);
    ASSERT_TRUE(bot.down());
    ASSERT_TRUE(bot.up());
    EXPECT_TRUE(bot.seen.ups.back().resumed) << "the fresh session has state of its own";
  }
}

TEST(Client, ADisconnectedSessionIsNotResumed) {
  REQUIRE_PROSODY();
  support::Prosody prosody({.accounts = kAccounts});
  Peer bot(client(prosody.c2s_port()));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(bot.up());
    EXPECT_FALSE(bot.seen.ups.back().resumed);
    bot.connection->disconnect();
    ASSERT_TRUE(bot.down());
  }
}

TEST(Client, ResourceConflictIsTheReason) {
  REQUIRE_PROSODY();
  support::Prosody prosody({.accounts = kAccounts});
  Peer first(client(prosody.c2s_port())), second(client(prosody.c2s_port()));
  ASSERT_TRUE(first.up());
  ASSERT_TRUE(second.up());
  ASSERT_TRUE(first.down());
  EXPECT_THAT(first.last_reason(), testing::StartsWith("conflict"));
}

}  // namespace
}  // namespace jingle
