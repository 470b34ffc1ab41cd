// What strangers write never reaches libstrophe's tree builder (libstrophe 0.12.2).
#include "signaling/strophe_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "signaling/limits.h"
#include "signaling/namespaces.h"
#include "tests/strophe/harness.h"
#include "tests/support/fake_server.h"
#include "tests/support/in_use.h"
#include "tests/support/prosody.h"
#include "tests/support/raw_client.h"
#include "tests/support/seed.h"

namespace jingle {
namespace {

// A fake server that sends `xml` and then a last message, and keeps what we answered.
struct Hostile {
  explicit Hostile(std::string xml)
      : server([this, xml = std::move(xml)](support::Stream& stream) {
          if (!support::accept_component(stream)) return;
          stream.write(xml + "<message from='a@b/c' to='mixer.localhost' id='last'/>");
          server.record(stream.read_until("</stream:stream>"));
        }) {}

  // False when the stream did not survive until the last message.
  bool run() {
    if (!peer) peer = std::make_unique<Peer>(component(server.port()));
    if (!peer->up()) return false;
    peer->run_until([&] { return peer->seen.find<Message>("last") || !peer->seen.downs.empty(); });
    return peer->seen.find<Message>("last") != nullptr;
  }
  // What we sent until the end.
  std::string answers() {
    peer->connection->disconnect();
    peer->down();
    return server.recorded();
  }

  support::FakeServer server;
  std::unique_ptr<Peer> peer;
};

std::string message(const std::string& content) {
  return "<message from='a@b/c' to='mixer.localhost' id='m'>" + content + "</message>";
}

TEST(Guard, BuildsTreesWithEveryNamespaceExplicit) {
  Hostile hostile(
      message("<body xml:lang='de'>x &lt; <![CDATA[<y>]]>\n</body><p:a xmlns:p='urn:p' p:k='1' "
              "k='2'><b xmlns=''><c/></b><p:d/></p:a>"));
  ASSERT_TRUE(hostile.run());
  const Message& got = *hostile.peer->seen.find<Message>("m");
  EXPECT_EQ(got.xml,
            *Xml::parse("<message xmlns='jabber:client' from='a@b/c' to='mixer.localhost' id='m'>"
                        "<body xml:lang='de'>x &lt; &lt;y&gt;\n</body><a xmlns='urn:p' k='2'>"
                        "<b xmlns=''><c/></b><d/></a></message>"))
      << got.xml.str();
}

TEST(Guard, DropsTheForgedFromOfEveryPrefixXmlIncluded) {
  Hostile hostile(
      "<message from='real@b/c' to='mixer.localhost' id='m' xml:from='victim@b/c' "
      "xml:id='forged' xmlns:x='urn:x' x:to='elsewhere@mixer.localhost' x:type='error'/>");
  ASSERT_TRUE(hostile.run());
  const Message* got = hostile.peer->seen.find<Message>("m");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->from.str(), "real@b/c");
  EXPECT_EQ(got->to.str(), "mixer.localhost");
  EXPECT_EQ(got->type, "");
}

TEST(Guard, NoneOfThirtyTwoForgedSendersIsBelievedThroughProsody) {
  REQUIRE_PROSODY();
  support::Prosody prosody({.accounts = {{"mallory@localhost", "pw"}}});
  Peer peer(component(prosody.component_port()));
  ASSERT_TRUE(peer.up());
  support::RawClient mallory(prosody.c2s_port(), "mallory", "pw", "evil");
  ASSERT_TRUE(mallory.ready());
  for (int i = 0; i < 32; ++i) {
    const std::string n = std::to_string(i);
    mallory.send("<message xmlns:x='urn:x" + n + "' to='room@mixer.localhost' id='m" + n +
                 "' x:from='victim@localhost/home' x:id='forged' x:type='error' "
                 "x:to='other@mixer.localhost'><body>hi</body></message>");
  }
  mallory.send(
      "<message to='room@mixer.localhost' id='m32' xml:from='victim@localhost/home' "
      "xml:x='1'/><message to='room@mixer.localhost' id='m33'><xml:x/></message>");
  ASSERT_TRUE(peer.run_until([&] { return peer.seen.find<Message>("m33"); })) << peer.last_reason();
  ASSERT_EQ(peer.seen.stanzas.size(), 34u);
  for (const Stanza& stanza : peer.seen.stanzas) {
    const auto& got = std::get<Message>(stanza);
    EXPECT_EQ(got.from.str(), "mallory@localhost/evil");
    EXPECT_EQ(got.to.str(), "room@mixer.localhost");
    EXPECT_EQ(got.type, "");
  }
}

TEST(ReservedNamespaceFilter, ChangesOnlyIllegalDeclarationsHoweverTheyAreCut) {
  const std::string uri = "http://www.w3.org/XML/1998/namespace";
  const std::string text = "<a xmlns:ns1='" + uri + "' xxmlns=\"" + uri + "\" xmlns:xml='" + uri +
                           "' b='" + uri + "' xmlns='" + uri.substr(0, 20) + "' xmlns:ns='urn:n'>";
  std::string expected = text;
  for (const std::string& before : {"xmlns:ns1='" + uri, "xxmlns=\"" + uri}) {
    expected[expected.find(before) + before.size() - 1] = 'X';
  }
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    std::string head = text.substr(0, cut), tail = text.substr(cut);
    ReservedNamespaceFilter filter;
    filter.filter(head);
    filter.filter(tail);
    ASSERT_EQ(head + tail, expected) << cut;
  }
}

TEST(Guard, OversizedStanzasAreLoggedAndAnsweredAndTheStreamSurvives) {
  const std::string big(limits::kMaxStanzaBytes, 'x');
  Hostile hostile(message("<body>" + big + "</body>") +
                  "<iq type='get' id='q&apos;1' from='a@b/c' to='room@mixer.localhost'><q "
                  "xmlns='urn:q' a='" +
                  big + "'/></iq>" +
                  "<iq type='result' id='r1' from='a@b/c' to='room@mixer.localhost'><q>" + big +
                  "</q></iq>");
  ASSERT_TRUE(hostile.run());
  EXPECT_EQ(hostile.peer->seen.stanzas.size(), 1u);
  EXPECT_THAT(hostile.peer->log, testing::ElementsAre("refused a message from 'a@b/c': too big",
                                                      "refused a iq from 'a@b/c': too big",
                                                      "refused a iq from 'a@b/c': too big"));
  const std::string answers = hostile.answers();
  EXPECT_EQ(answers,
            "<iq type='error' id='q&apos;1' to='a@b/c' from='room@mixer.localhost'><error "
            "type='modify'><policy-violation "
            "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq></stream:stream>");
}

// Its server let the JID pass; RFC 6120 §8.2.3 owes the request an answer all the same.
TEST(Guard, ARequestFromAJidThatOurPreparationRefusesIsStillAnswered) {
  Hostile hostile(
      "<iq type='get' id='q1' from='a b@c/d' to='room@mixer.localhost'><q/></iq>"
      "<iq type='result' id='q2' from='a b@c/d' to='room@mixer.localhost'/>");
  ASSERT_TRUE(hostile.run());
  EXPECT_EQ(hostile.answers(),
            "<iq type='error' id='q1' to='a b@c/d' from='room@mixer.localhost'><error "
            "type='modify'><jid-malformed "
            "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq></stream:stream>");
}

TEST(Guard, AStrangersFloodDoesNotFillTheLog) {
  std::string flood;
  for (int i = 0; i < 200; ++i) flood += "<message from='a b@c/d' to='room@mixer.localhost'/>";
  Hostile hostile(flood);
  ASSERT_TRUE(hostile.run());
  EXPECT_THAT(hostile.peer->log, testing::SizeIs(20));
}

TEST(Guard, AStanzaOfExactlyTheLimitPasses) {
  const std::string frame = message("<body></body>");
  const std::string body(limits::kMaxStanzaBytes - frame.size(), 'x');
  Hostile hostile(message("<body>" + body + "</body>"));
  ASSERT_TRUE(hostile.run());
  ASSERT_TRUE(hostile.peer->seen.find<Message>("m"));
  EXPECT_EQ(text_of(first_element(hostile.peer->seen.find<Message>("m")->xml.root())), body);
}

TEST(Guard, DeepNestingIsRefusedAndTheStreamSurvives) {
  std::string open, close;
  for (int i = 0; i < 20000; ++i) open += "<a>", close += "</a>";
  Hostile hostile(message(open + close));
  ASSERT_TRUE(hostile.run());
  EXPECT_EQ(hostile.peer->seen.stanzas.size(), 1u);
  EXPECT_THAT(hostile.peer->log,
              testing::ElementsAre("refused a message from 'a@b/c': nested too deeply"));
}

TEST(Guard, ManyAttributesAreRefused) {
  std::string attributes;
  for (int i = 0; i < 1000; ++i) attributes += " a" + std::to_string(i) + "=''";
  Hostile hostile(message("<a" + attributes + "/>"));
  ASSERT_TRUE(hostile.run());
  EXPECT_EQ(hostile.peer->seen.stanzas.size(), 1u);
}

// libstrophe appends characters and children by walking over all before: seconds each.
TEST(Guard, LineFeedsEntitiesAndSiblingsCostNoMoreThanTheirBytes) {
  std::string siblings, entities;
  for (int i = 0; i < 60000; ++i) siblings += "<a/>";
  for (int i = 0; i < 50000; ++i) entities += "&amp;";
  Hostile hostile(message(siblings) + message("<body>" + std::string(250000, '\n') + "</body>") +
                  message("<body>" + entities + "</body>"));
  ASSERT_TRUE(hostile.run());
  ASSERT_EQ(hostile.peer->seen.stanzas.size(), 4u);
  EXPECT_EQ(count_elements(std::get<Message>(hostile.peer->seen.stanzas[0]).xml.root()), 60000);
}

// expat 2.6 (and Debian's 2.5.0) waits with a token that came in two pieces until as much again
// has come, unless told not to.
TEST(Guard, AStanzaSplitInTheMiddleOfATagArrivesAtOnce) {
  const std::string id(3000, 'i');
  support::FakeServer server([&](support::Stream& stream) {
    if (!support::accept_component(stream)) return;
    stream.write("<message from='a@b/c' to='mixer.localhost' id='" + id);
    // Whoever answers has read that far.
    stream.read_until("<message");
    stream.write("'/>");
    stream.read_to_end();
  });
  Peer peer(component(server.port()));
  ASSERT_TRUE(peer.up());
  for (int i = 0; i < 10; ++i) peer.turn(20ms);
  ASSERT_TRUE(peer.connection->send(Priority::normal, "<message to='a@b/c'/>"));
  EXPECT_TRUE(peer.run_until([&] { return peer.seen.find<Message>(id); }, 5000ms));
}

// expat remembers every name that it has ever read, and a stranger can always think of another.
TEST(Guard, StrangersNamesDoNotFillTheMemory) {
  std::string all;
  for (int i = 0; i < 400000;) {
    std::string content;
    for (const int end = i + 10000; i < end; ++i) {
      const std::string n = std::to_string(i);
      content += i % 2 == 0 ? "<n" + n + "/>" : "<b a" + n + "='' xmlns:p" + n + "='urn:p'/>";
    }
    all += message(content);
  }
  Hostile hostile(all);
  const std::size_t before = test_support::bytes_in_use();
  ASSERT_TRUE(hostile.run());
  EXPECT_EQ(std::exchange(hostile.peer->seen.stanzas, {}).size(), 41u);
  if (!test_support::kKnowsInUse) GTEST_SKIP() << "a sanitizer keeps what was freed";
  EXPECT_LT(test_support::bytes_in_use(), before + (16u << 20)) << "of 8 MB that were sent";
}

// The parser begins anew between two stanzas, wherever those were cut on their way.
TEST(Guard, StanzasArriveAsTheyWereSentThoughNamesAreForgotten) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<std::string> sent;
  std::string all;
  while (all.size() < 10 * limits::kMaxStanzaBytes) {
    const std::string body(random() % 700, 'x');
    sent.push_back("<body>" + body + "</body><a xmlns='urn:a' k='2'><b/></a>");
    if (random() % 4 == 0) sent.back().clear();
    all += sent.back().empty() ? "<message from='a@b/c' to='mixer.localhost' id='m'/>"
                               : message(sent.back());
    if (random() % 4 == 0) all += ' ';
    if (random() % 200 == 0) all += message(std::string(limits::kMaxStanzaBytes, 'y'));
  }
  Hostile hostile(all);
  ASSERT_TRUE(hostile.run()) << hostile.peer->last_reason();
  ASSERT_EQ(hostile.peer->seen.stanzas.size(), sent.size() + 1);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    ASSERT_EQ(std::get<Message>(hostile.peer->seen.stanzas[i]).xml,
              *Xml::parse("<message xmlns='jabber:client' from='a@b/c' to='mixer.localhost' "
                          "id='m'>" +
                          sent[i] + "</message>"))
        << i;
  }
}

TEST(Guard, BrokenXmlEndsTheConnectionWithAReason) {
  Hostile hostile("<message><oops></message>");
  EXPECT_FALSE(hostile.run());
  EXPECT_THAT(hostile.peer->last_reason(), testing::HasSubstr("not well-formed"));
}

TEST(Guard, ADocumentTypeEndsTheConnectionWithAReason) {
  support::FakeServer server([&](support::Stream& stream) {
    stream.read_until(">");
    stream.write(
        "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>]><stream:stream "
        "xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' "
        "id='1' from='mixer.localhost'>");
    stream.read_to_end();
  });
  Peer peer(component(server.port()));
  EXPECT_FALSE(peer.up());
  EXPECT_THAT(peer.last_reason(), testing::HasSubstr("restricted XML"));
}

TEST(Guard, AnEndlessTagEndsTheConnectionWithAReason) {
  Hostile hostile("<message a='" + std::string(4 * limits::kMaxStanzaBytes, 'x'));
  EXPECT_FALSE(hostile.run());
  EXPECT_EQ(hostile.peer->last_reason(), "oversized XML token");
}

// A contact's stanza with children in the namespaces of the stream is a stanza like any other, and
// libstrophe answers neither these nor pings nor anything else on its own.
TEST(Guard, AnswersNothingByItselfAndTakesNoStanzaForTheStreams) {
  const std::string iq = "<iq type='get' from='a@b/c' to='mixer.localhost' id='";
  Hostile hostile(iq + "1'><ping xmlns='urn:xmpp:ping'/></iq>" + iq +
                  "2'><query xmlns='jabber:iq:version'/></iq>" + iq + "3'><q xmlns='urn:q'/></iq>" +
                  iq + "4'><r xmlns='urn:xmpp:sm:3'/></iq>" + iq +
                  "5'><error xmlns='http://etherx.jabber.org/streams'/></iq>" + iq +
                  "6'><handshake/></iq>");
  ASSERT_TRUE(hostile.run());
  EXPECT_EQ(hostile.peer->seen.stanzas.size(), 7u);
  EXPECT_EQ(hostile.answers(), "</stream:stream>");
}

}  // namespace
}  // namespace jingle
