// A component's room as its own service of personal eventing (XEP-0163), from stanza to stanza.
#include <gmock/gmock.h>

#include "signaling/strophe_send_queue.h"
#include "tests/support/focus_bench.h"
#include "tests/support/presence_schema.h"

namespace {

using namespace test;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
namespace pep = jingle::pep;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kRoom[] = "room@mixer.localhost";
constexpr char kFocus[] = "room@mixer.localhost/focus";
constexpr char kStatus[] = "http://jabber.org/protocol/status";
constexpr char kInfo[] = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
constexpr char kItems[] = "<query xmlns='http://jabber.org/protocol/disco#items'/>";
constexpr char kCaps[] =
    "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:x' ver='1234'/>";

constexpr char kNotFound[] =
    "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";

// The notifications to anybody.
std::vector<mixer::SendMessage> headlines(const Step& step) {
  std::vector<mixer::SendMessage> out = step.all<mixer::SendMessage>();
  std::erase_if(out, [](const mixer::SendMessage& message) { return message.type != "headline"; });
  return out;
}

class RoomShowing : public testing::Test {
 protected:
  explicit RoomShowing(mixer::Config config = RoomShowing::config()) : bench(std::move(config)) {
    bench.client = disco("", std::string(kStatus) + "+notify");
    bench.up();
  }
  static mixer::Config config() {
    mixer::Config config = component_config();
    config.presence.publish = {pep::Node::status, pep::Node::mood};
    config.presence.mood.mood = "happy";
    return config;
  }
  void subscribe() {
    bench.presence("ann@localhost", kRoom, "subscribe");
    bench.presence("ann@localhost", kRoom, "subscribed");
  }
  // The texts that a client was told of.
  static std::vector<std::string> told(const Step& step, const std::string& who = kAnn) {
    std::vector<std::string> out;
    for (const auto& message : headlines(step)) {
      if (message.to != jid(who)) continue;
      EXPECT_EQ(message.from, jid(kRoom));
      const auto xml =
          jingle::Xml::parse("<message xmlns='jabber:client'>" + message.payload + "</message>");
      const auto event = jingle::pubsub::parse_event({"headline", {}, {}, {}, *xml});
      EXPECT_EQ(test_support::presence_complaint(pep::node_of(event.value().node).value(),
                                                 event->items.at(0).payload.str()),
                std::nullopt);
      out.push_back(jingle::text_of(xml->root().select_node("//*[local-name()='text']").node()));
    }
    return out;
  }
  std::vector<std::string> told_when_bob_leaves() {
    Step step = bench.iq("bob@localhost/x", kRoom, terminate("S1"));
    const Step later = bench.wait(5s);
    step.commands.insert(step.commands.end(), later.commands.begin(), later.commands.end());
    return told(step);
  }
  std::string ask(const std::string& payload, const std::string& from = kAnn,
                  const std::string& type = "get", const std::string& to = kRoom) {
    const Step step = bench.iq(from, to, payload, type);
    const auto result = step.reply().result;
    return result ? *result : result.error().xml();
  }
  static std::string pubsub(const std::string& inside) {
    return "<pubsub xmlns='http://jabber.org/protocol/pubsub'>" + inside + "</pubsub>";
  }

  Bench bench;
};

// XEP-0163 §4.3.3; XEP-0115.
TEST_F(RoomShowing, AContactsClientIsAskedWhatItWantsAndToldOfTheCall) {
  subscribe();
  const Step came = bench.presence(kAnn, kRoom, "", kCaps);
  EXPECT_EQ(came.all<mixer::SendIq>().size(), 1u);
  EXPECT_THAT(told(came), IsEmpty()) << "a mood it does not want, a status there is not yet";
  EXPECT_THAT(bench.presence(kAnn, kRoom, "", kCaps).all<mixer::SendIq>(), IsEmpty());
  bench.join("bob@localhost/x");
  EXPECT_THAT(told(bench.wait(6s)), ElementsAre("1 on the call: room"));
  bench.presence(kAnn, kRoom, "unavailable");
  EXPECT_THAT(told(bench.presence(kAnn, kRoom, "", kCaps)), ElementsAre("1 on the call: room"));
  EXPECT_THAT(told_when_bob_leaves(), ElementsAre(""));
}

// XEP-0115 §6.2, §8.4.
TEST_F(RoomShowing, ClientsAreAskedByTheCapsTheyAnnounceAndAgainWhenThoseChange) {
  subscribe();
  bench.join("bob@localhost/x");
  bench.wait(6s);
  bench.answers = false;
  const auto asked = bench.presence(kAnn, kRoom, "", kCaps).all<mixer::SendIq>();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_THAT(asked[0].payload, HasSubstr("node='urn:x#1234'"));
  const auto again = bench.answered(asked[0], "error", kNotFound).all<mixer::SendIq>();
  ASSERT_EQ(again.size(), 1u) << "it has other caps meanwhile";
  EXPECT_THAT(again[0].payload, Not(HasSubstr("node=")));
  EXPECT_THAT(told(bench.answered(again[0], "result", bench.client)),
              ElementsAre("1 on the call: room"));

  // A server leaves out caps that are as before.
  EXPECT_THAT(bench.presence(kAnn, kRoom, "", "<show>away</show>").all<mixer::SendIq>(), IsEmpty());
  bench.join("cyd@localhost/x", kRoom, {.sid = "C"});
  EXPECT_THAT(told(bench.wait(30s)), ElementsAre("2 on the call: room"));

  const auto caps = [](const std::string& more) {
    return "<c xmlns='http://jabber.org/protocol/caps' node='urn:x' " + more + "/>";
  };
  const auto of_old = bench.presence(kAnn, kRoom, "", caps("ver='0.9' ext='mood'"));
  ASSERT_EQ(of_old.all<mixer::SendIq>().size(), 1u);
  EXPECT_THAT(of_old.all<mixer::SendIq>()[0].payload, Not(HasSubstr("node=")))
      << "it stands for a part only";
  bench.answered(of_old.all<mixer::SendIq>()[0], "result", bench.client);

  const auto slow = bench.presence(kAnn, kRoom, "", caps("hash='sha-1' ver='a'"));
  EXPECT_THAT(bench.presence(kAnn, kRoom, "", caps("hash='sha-1' ver='b'")).all<mixer::SendIq>(),
              IsEmpty());
  ASSERT_EQ(slow.all<mixer::SendIq>().size(), 1u);
  const auto once_more =
      bench.answered(slow.all<mixer::SendIq>()[0], "result", bench.client).all<mixer::SendIq>();
  ASSERT_EQ(once_more.size(), 1u) << "that was of its caps before";
  EXPECT_THAT(once_more[0].payload, HasSubstr("node='urn:x#b'"));
  bench.answered(once_more[0], "result", disco(""));
  bench.answers = true;
  EXPECT_THAT(told_when_bob_leaves(), IsEmpty()) << "it wants nothing any more";
}

// XEP-xxxx §9: "users should take care in approving subscribers"
TEST_F(RoomShowing, OnlyThoseWhoSeeItsPresenceAreTold) {
  bench.presence(kAnn, kRoom, "", kCaps);  // to a stranger's it is nothing
  bench.join("bob@localhost/x");
  EXPECT_THAT(told(bench.wait(1min)), IsEmpty());
  subscribe();
  EXPECT_THAT(told(bench.presence(kAnn, kRoom, "", kCaps)), ElementsAre("1 on the call: room"));
  bench.presence("ann@localhost", kRoom, "unsubscribe");
  EXPECT_THAT(told_when_bob_leaves(), IsEmpty());
}

TEST_F(RoomShowing, WhoHidesIsNotPresent) {
  subscribe();
  bench.join("bob@localhost/x");
  bench.wait(6s);
  const std::string negative = std::string(kCaps) + "<priority>-1</priority>";
  EXPECT_THAT(told(bench.presence(kAnn, kRoom, "", negative)), IsEmpty());
  EXPECT_THAT(told(bench.presence(kAnn, kRoom, "", kCaps)), ElementsAre("1 on the call: room"));
}

// XEP-0163 §6; XEP-0060 §5.3, §6.5.7.
TEST_F(RoomShowing, ItsServiceAndNodesAreDiscoveredByThoseWhoMayRead) {
  const std::string info = ask(kInfo);
  EXPECT_THAT(info, Not(HasSubstr("category='pubsub'"))) << "XEP-0163 §5 asks for more than this";
  for (const char* feature : {"access-presence", "auto-subscribe", "filtered-notifications",
                              "last-published", "retrieve-items", "subscribe"}) {
    EXPECT_THAT(info, HasSubstr("pubsub#" + std::string(feature) + "'"));
  }
  for (const char* feature : {"access-open", "access-roster", "access-whitelist", "auto-create",
                              "create-nodes", "item-ids", "publish"}) {
    EXPECT_THAT(info, Not(HasSubstr("pubsub#" + std::string(feature) + "'")))
        << "nobody could use it";
  }
  EXPECT_THAT(info, HasSubstr("urn:xmpp:jingle:1"));
  EXPECT_THAT(ask(kInfo, kAnn, "get", kFocus), Not(HasSubstr("pubsub")));
  EXPECT_THAT(ask(kItems), Not(HasSubstr("node=")));
  const std::string of_node =
      "<query xmlns='http://jabber.org/protocol/disco#info' node='" + std::string(kStatus) + "'/>";
  EXPECT_THAT(ask(of_node), HasSubstr("item-not-found"));
  subscribe();
  EXPECT_THAT(ask(kItems),
              HasSubstr("<item jid='room@mixer.localhost' node='" + std::string(kStatus) + "'/>"));
  EXPECT_THAT(ask(of_node), HasSubstr("<identity category='pubsub' type='leaf'/>"));
}

TEST_F(RoomShowing, ItemsAreThereForWhoeverMayRead) {
  const std::string get = pubsub("<items node='http://jabber.org/protocol/mood'/>");
  EXPECT_THAT(ask(get), HasSubstr("<presence-subscription-required "
                                  "xmlns='http://jabber.org/protocol/pubsub#errors'/>"));
  subscribe();
  EXPECT_THAT(ask(get), HasSubstr("<mood xmlns='http://jabber.org/protocol/mood'><happy/></mood>"));
  // XEP-0060 §6.5.7; a node has one.
  EXPECT_THAT(ask(pubsub("<items node='http://jabber.org/protocol/mood' max_items='5'/>")),
              HasSubstr("<happy/>"));
  EXPECT_THAT(ask(pubsub("<items node='http://jabber.org/protocol/mood' max_items='0'/>")),
              HasSubstr("bad-request"));
  EXPECT_THAT(ask(get, kAnn, "set"), HasSubstr("bad-request"));
  EXPECT_THAT(ask(get, kAnn, "get", kFocus), HasSubstr("service-unavailable"));
  EXPECT_THAT(ask(pubsub("<items/>")), HasSubstr("<nodeid-required "));
  EXPECT_THAT(ask(pubsub("<subscriptions/>")),
              HasSubstr("<unsupported xmlns='http://jabber.org/protocol/pubsub#errors' "
                        "feature='retrieve-subscriptions'/>"));
}

// XEP-0163 §4.3.1.
TEST_F(RoomShowing, WhoSendsANotificationBackGetsNoMore) {
  subscribe();
  bench.presence(kAnn, kRoom, "", kCaps);
  bench.join("bob@localhost/x");
  EXPECT_THAT(told(bench.wait(6s)), ElementsAre("1 on the call: room"));
  bench.message(kAnn, kRoom, "", "error");
  EXPECT_THAT(told_when_bob_leaves(), IsEmpty());
}

TEST_F(RoomShowing, StoppingTakesItBackBeforeTheEnd) {
  subscribe();
  bench.presence(kAnn, kRoom, "", kCaps);
  bench.join("bob@localhost/x");
  bench.wait(6s);
  Step step = bench.handle(mixer::ShutdownRequested{});
  EXPECT_THAT(told(step), ElementsAre(""));
  bench.wait(1s);
  EXPECT_EQ(bench.focus.farewells(), 0u);
}

// A picture of 87 kB for a request of 250 bytes, as often as somebody liked.
class RoomWithAPicture : public RoomShowing {
 protected:
  RoomWithAPicture() : RoomShowing(with_a_picture()) { subscribe(); }
  static mixer::Config with_a_picture() {
    mixer::Config config = RoomShowing::config();
    config.presence.publish = {pep::Node::avatar};
    config.presence.avatar = std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0w\0\0\0h", 24) +
                             std::string(64 * 1024 - 24, 'x');
    return config;
  }
  Step ask_for_it(const std::string& from = kAnn) {
    return bench.iq(from, kRoom, pubsub("<items node='urn:xmpp:avatar:data'/>"), "get");
  }
};

TEST_F(RoomWithAPicture, CallsOvertakeIt) {
  const Step step = ask_for_it();
  EXPECT_EQ(step.reply().priority, jingle::Priority::normal);
  EXPECT_GT(step.reply().result.value().size(), 80'000u);
  const std::string metadata = pubsub("<items node='urn:xmpp:avatar:metadata'/>");
  for (const std::string& small : {std::string(kItems), std::string(kInfo), metadata}) {
    EXPECT_EQ(bench.iq(kAnn, kRoom, small, "get").reply().priority, jingle::Priority::urgent);
  }
  EXPECT_EQ(bench.iq(kAnn, kRoom, Offer().xml()).reply().priority, jingle::Priority::urgent);
}

TEST_F(RoomWithAPicture, NobodyFillsTheQueueWithIt) {
  bench.presence("bob@localhost", kRoom, "subscribe");
  const auto flood = [&](const std::string& from) {
    std::size_t bytes = 0;
    for (int i = 0; i < 100; ++i) {
      const auto answer = ask_for_it(from).reply().result;
      if (answer) {
        bytes += answer->size();
      } else {
        EXPECT_EQ(answer.error().type + ' ' + answer.error().condition, "wait resource-constraint");
      }
    }
    return bytes;
  };
  constexpr auto kBurst =
      static_cast<std::size_t>(mixer::limits::kCoinBurst / 1s * mixer::limits::kLargeAnswerBytes);
  static_assert(kBurst + mixer::limits::kCoinWindowMost <= jingle::SendQueue::kMaxNormalBytes);
  const std::size_t at_once = flood(kAnn) + flood("bob@localhost/x");
  EXPECT_GT(at_once, kBurst);
  EXPECT_LT(at_once, kBurst + 100'000);
  bench.wait(3s);
  const std::size_t later = flood(kAnn);
  EXPECT_GT(later, 3 * mixer::limits::kLargeAnswerBytes - 100'000);
  EXPECT_LT(later, 3 * mixer::limits::kLargeAnswerBytes + 100'000);
}

TEST_F(RoomWithAPicture, WhoAsksForItTooOftenWaitsAndNobodyElseDoes) {
  bench.presence("bob@localhost", kRoom, "subscribe");
  int got = 0;
  const auto ask_slowly = [&] {
    got += ask_for_it("ann@localhost/" + std::to_string(got)).reply().result.has_value() ? 1 : 0;
    bench.wait(1500ms);
  };
  for (int i = 0; i < 39; ++i) ask_slowly();
  EXPECT_EQ(got, mixer::limits::kLargeAnswersPerMinute);
  EXPECT_FALSE(ask_for_it().reply().result);
  EXPECT_THAT(ask(kItems), HasSubstr("node='urn:xmpp:avatar:metadata'")) << "what is small";
  EXPECT_TRUE(ask_for_it("bob@localhost/x").reply().result);
  bench.wait(1min);
  EXPECT_TRUE(ask_for_it().reply().result);
}

class RoomForSome : public RoomShowing {
 protected:
  RoomForSome() : RoomShowing(for_some()) {}
  static mixer::Config for_some() {
    mixer::Config config = RoomShowing::config();
    config.presence.nodes.access = jingle::pubsub::Access::whitelist;
    return config;
  }
};

TEST_F(RoomForSome, SaysThatItIs) {
  EXPECT_THAT(ask(kInfo), AllOf(HasSubstr("pubsub#access-whitelist'"),
                                Not(HasSubstr("pubsub#access-presence'"))));
}

constexpr char kAccount[] = "ann@localhost";
std::string followed(const std::string& verb) {
  return "<pubsub xmlns='http://jabber.org/protocol/pubsub'><" + verb + " node='" + kStatus +
         "' jid='" + kAccount + "'/></pubsub>";
}

// XEP-0060 §6.1.
TEST_F(RoomShowing, WhatSomebodySubscribesToByNameIsKeptUntilHeUnsubscribesAndNothingElseIs) {
  using Saved = mixer::SaveNodeSubscription;
  subscribe();
  const mixer::NodeSubscription row{jid(kRoom), jid(kAccount), {pep::Node::status}};
  const auto saved = bench.iq(kAnn, kRoom, followed("subscribe")).all<Saved>();
  ASSERT_EQ(saved.size(), 1u);
  EXPECT_EQ(saved[0].row, row);
  EXPECT_THAT(bench.iq(kAnn, kRoom, followed("subscribe")).all<Saved>(), IsEmpty());
  for (const Step& step : {bench.presence(kAnn, kRoom, "", kCaps),
                           bench.iq("bob@localhost/x", kRoom, Offer().xml()), bench.wait(1min)}) {
    EXPECT_THAT(step.all<Saved>(), IsEmpty()) << "no call waits for a disk";
  }
  const auto ended = bench.iq(kAnn, kRoom, followed("unsubscribe")).all<Saved>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].row, (mixer::NodeSubscription{jid(kRoom), jid(kAccount), {}}));
}

// XEP-0163 §7.1: the presence that let her see it.
TEST_F(RoomShowing, WhatSomebodySubscribesToByNameEndsWithHisPresenceSubscription) {
  subscribe();
  ask(followed("subscribe"), kAnn, "set");
  const auto ended =
      bench.presence(kAccount, kRoom, "unsubscribe").all<mixer::SaveNodeSubscription>();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_THAT(ended[0].row.nodes, IsEmpty());
  subscribe();
  EXPECT_THAT(ask(followed("unsubscribe"), kAnn, "set"), HasSubstr("<not-subscribed "));
}

TEST_F(RoomShowing, WhatSomebodySubscribesToByNameOutlivesHisServersAbsenceAndNotHisAccount) {
  subscribe();
  ask(followed("subscribe"), kAnn, "set");
  using Saved = mixer::SaveNodeSubscription;
  const auto bounce = [&](const char* type, const char* condition) {
    return bench.message(kAccount, kRoom,
                         std::string("<error type='") + type + "'><" + condition +
                             " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
                         "error");
  };
  EXPECT_THAT(bounce("wait", "internal-server-error").all<Saved>(), IsEmpty());
  EXPECT_THAT(bounce("cancel", "remote-server-timeout").all<Saved>(), IsEmpty());
  EXPECT_EQ(bounce("cancel", "service-unavailable").all<Saved>().size(), 1u);
}

TEST(RoomNotShowing, WithoutConfigurationThereIsNoService) {
  Bench bench;
  bench.up();
  bench.presence("ann@localhost", kRoom, "subscribe");
  EXPECT_THAT(bench.presence(kAnn, kRoom, "", kCaps).all<mixer::SendIq>(), IsEmpty());
  EXPECT_THAT(*bench.iq(kAnn, kRoom, kInfo, "get").reply().result, Not(HasSubstr("pubsub")));
  EXPECT_EQ(
      bench.iq(kAnn, kRoom, "<pubsub xmlns='http://jabber.org/protocol/pubsub'/>", "get").answer(),
      "service-unavailable");
}

// 50 a second are probed; after a minute the leftover was forgotten.
TEST(RoomShowingAgain, WhoIsProbedLateIsToldToo) {
  std::vector<mixer::Subscription> rows;
  for (int i = 0; i < 4000; ++i) {
    rows.push_back(
        {jid(kRoom), jid("c" + std::to_string(i) + "@localhost"), mixer::OwnSubscription::granted});
  }
  mixer::Config config = component_config();
  config.presence.publish = {pep::Node::status};
  Bench bench(config, 1, rows, {{jid(kRoom), kStatus, "current"}});
  bench.client = disco("", std::string(kStatus) + "+notify");
  bench.up();
  bench.wait(4000s / mixer::limits::kPresencesPerSecond);
  for (const char* late : {"c0@localhost/x", "c999@localhost/x"}) {
    const Step step = bench.presence(late, kRoom, "", kCaps);
    auto told = step.all<mixer::SendMessage>();
    const Step then = bench.wait(1s);
    std::ranges::copy(then.all<mixer::SendMessage>(), std::back_inserter(told));
    ASSERT_EQ(told.size(), 1u) << late;
    EXPECT_EQ(told[0].to, jid(late));
    EXPECT_THAT(told[0].payload, HasSubstr("<status xmlns='" + std::string(kStatus) + "'/>"));
  }
  EXPECT_EQ(bench.wait(mixer::limits::kLeftoverKept).all<mixer::ForgetPublished>().size(), 1u);
}

TEST(RoomShowingAgain, WhoHasSubscribedByNameIsToldOfTheNextCallIfHeStillMayBe) {
  mixer::Config config = component_config();
  config.presence.publish = {pep::Node::status};
  const std::vector<mixer::NodeSubscription> subscribed = {
      {jid(kRoom), jid(kAccount), {pep::Node::status}}};
  Bench bench(config, 1, {{jid(kRoom), jid(kAccount), mixer::OwnSubscription::granted}}, {},
              subscribed);
  EXPECT_THAT(bench.up().all<mixer::SaveNodeSubscription>(), IsEmpty());
  bench.join("bob@localhost/x");
  const auto told = headlines(bench.wait(6s));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].to, jid(kAccount));

  for (const mixer::Config& now : {config, component_config()}) {
    Bench without(now, 1, {}, {}, subscribed);  // and no contact
    EXPECT_EQ(without.up().all<mixer::SaveNodeSubscription>().size(), 1u) << "it is over";
    without.join("bob@localhost/x");
    EXPECT_THAT(headlines(without.wait(6s)), IsEmpty());
  }
}

// He was sent what stands there a second before his subscription ended; who is listed in a room
// that is no more was told at each start.
TEST(RoomShowingAgain, WhoHasSubscribedByNameIsToldNothingThatTheConfigurationTakesFromHim) {
  mixer::Config config = component_config();
  config.presence.publish = {pep::Node::mood};
  config.presence.mood.mood = "happy";
  const std::vector<mixer::Subscription> contacts = {
      {jid(kRoom), jid(kAccount), mixer::OwnSubscription::granted}};
  const std::vector<mixer::NodeSubscription> subscribed = {
      {jid(kRoom), jid(kAccount), {pep::Node::mood}}};
  const auto told = [&](const mixer::Config& now) {
    Bench bench(now, 1, contacts, {}, subscribed);
    const Step up = bench.up();
    const std::size_t ended = up.all<mixer::SaveNodeSubscription>().size();
    const std::size_t messages = headlines(up).size() + headlines(bench.wait(10s)).size();
    EXPECT_EQ(ended, messages == 0 ? 1u : 0u);
    return messages;
  };
  EXPECT_EQ(told(config), 1u);

  mixer::Config may_not_dial = config;
  may_not_dial.access.dial_set = true;
  may_not_dial.access.dial = {"bob@localhost"};
  EXPECT_EQ(told(may_not_dial), 0u);

  mixer::Config listed = config;
  listed.presence.nodes.access = jingle::pubsub::Access::whitelist;
  listed.presence.whitelist = {jid(kAccount)};
  EXPECT_EQ(told(listed), 1u);
  listed.create_rooms_on_dial = false;
  EXPECT_EQ(told(listed), 0u);
}

}  // namespace
