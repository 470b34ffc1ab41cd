// Subscriptions to rooms (RFC 6121 §3, §4): who gets them, what is said, what outlives the process.
#include <map>
#include <set>

#include "mixer/features.h"
#include "mixer/limits.h"
#include "tests/support/focus_bench.h"
#include "tests/support/generators.h"
#include "tests/support/seed.h"

namespace {

using namespace test;
using mixer::OwnSubscription;
using mixer::SendPresence;
using mixer::Subscription;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kRoom[] = "room@mixer.localhost";
const jingle::Jid kFocus = jid("room@mixer.localhost/focus");

Subscription row(const std::string& contact, OwnSubscription own = OwnSubscription::granted,
                 const std::string& room = kRoom) {
  return {jid(room), jid(contact), own};
}

// "type to" of each; available ones as "available".
std::vector<std::string> said(const Step& step) {
  std::vector<std::string> out;
  for (const auto& presence : step.all<SendPresence>()) {
    out.push_back((presence.type.empty() ? "available" : presence.type) + " " + presence.to.str());
  }
  return out;
}
using Said = std::vector<std::string>;

// A store that takes what it is given.
class Kept {
 public:
  void take(const Step& step) {
    for (const auto& save : step.all<mixer::SaveSubscription>()) {
      rows_[{save.row.room, save.row.contact}] = save.row;
    }
    for (const auto& forget : step.all<mixer::ForgetSubscription>()) {
      EXPECT_EQ(rows_.erase({forget.room, forget.contact}), 1u) << "was never saved";
    }
  }
  std::vector<Subscription> rows() const {
    std::vector<Subscription> out;
    for (const auto& [key, row] : rows_) out.push_back(row);
    return out;
  }

 private:
  std::map<std::pair<jingle::Jid, jingle::Jid>, Subscription> rows_;
};

TEST(RoomPresence, SubscribersSeeTheRoomAndAreAskedBackOnce) {
  Bench bench;
  const Step step = bench.presence("ann@localhost", kRoom, "subscribe");
  const auto presences = step.all<SendPresence>();
  ASSERT_EQ(presences.size(), 3u);
  EXPECT_EQ(presences[0].type, "subscribed");
  EXPECT_EQ(presences[0].from, jid(kRoom));
  EXPECT_EQ(presences[1].type, "");
  EXPECT_EQ(presences[1].from, kFocus);
  EXPECT_EQ(presences[1].to, jid("ann@localhost"));
  EXPECT_NE(presences[1].payload.find("hash="), std::string::npos);
  EXPECT_EQ(presences[2].type, "subscribe");
  EXPECT_EQ(presences[2].from, jid(kRoom));
  EXPECT_EQ(said(bench.presence("ann@localhost", kRoom, "subscribe")),
            (Said{"subscribed ann@localhost", "available ann@localhost"}));
}

// XEP-0163 §3.4: a server tells of an account those whose presence it gets.
TEST(RoomPresence, ABotAsksBackIfThereIsSomethingToShowOneOfTheTwo) {
  const auto answers = [](const mixer::Config& config) {
    Bench bench(config);
    bench.up(false, "bot@localhost/focus");
    return said(bench.presence("ann@localhost", "bot@localhost", "subscribe"));
  };
  const Said both{"subscribed ann@localhost", "subscribe ann@localhost"};
  mixer::Config config = client_config();
  EXPECT_EQ(answers(config), Said{"subscribed ann@localhost"});
  config.presence.publish = {jingle::pep::Node::tune};
  EXPECT_EQ(answers(config), both);
  config.presence.publish.clear();
  config.presence.relay = {jingle::pep::Node::mood};
  EXPECT_EQ(answers(config), both);
}

TEST(RoomPresence, WhatBecomesOfASubscriptionIsSavedAtOnce) {
  Bench bench;
  Kept kept;
  const auto after = [&](const std::string& type) {
    kept.take(bench.presence("ann@localhost", kRoom, type));
    return kept.rows();
  };
  using Rows = std::vector<Subscription>;
  EXPECT_EQ(after("subscribed"), Rows()) << "nobody asked";
  EXPECT_EQ(after("subscribe"), Rows{row("ann@localhost", OwnSubscription::asked)});
  EXPECT_EQ(after("subscribed"), Rows{row("ann@localhost", OwnSubscription::granted)});
  EXPECT_EQ(after("unsubscribed"), Rows{row("ann@localhost", OwnSubscription::refused)})
      << "whoever shows us nothing may still see the room";
  EXPECT_EQ(after("subscribed"), Rows{row("ann@localhost", OwnSubscription::refused)});
  EXPECT_EQ(after("subscribe"), Rows{row("ann@localhost", OwnSubscription::refused)})
      << "once is enough";
  EXPECT_EQ(after("unsubscribe"), Rows());
  EXPECT_EQ(after("unsubscribe"), Rows());
}

TEST(RoomPresence, StrangersAreUnsubscribed) {
  Bench bench;
  for (const char* type : {"subscribe", "probe"}) {
    const Step step = bench.presence("eve@evil.example/x", kRoom, type);
    EXPECT_EQ(said(step), Said{"unsubscribed eve@evil.example"}) << type;
    EXPECT_TRUE(step.all<mixer::SaveSubscription>().empty());
  }
}

TEST(RoomPresence, OfMoreThanTwentyRoomsNobodyIsShown) {
  Bench bench;
  const auto room = [](std::size_t i) { return "r" + std::to_string(i) + "@mixer.localhost"; };
  for (std::size_t i = 0; i < mixer::limits::kMaxRoomsPerSubscriber; ++i) {
    bench.presence("ann@localhost", room(i), "subscribe");
  }
  EXPECT_EQ(said(bench.presence("ann@localhost", room(99), "subscribe")),
            Said{"unsubscribed ann@localhost"});
  EXPECT_EQ(said(bench.presence(kAnn, room(99), "probe")), Said{"unsubscribed ann@localhost"});
  EXPECT_EQ(said(bench.presence(kAnn, room(0), "probe")), Said{std::string("available ") + kAnn});
  EXPECT_EQ(said(bench.presence("bob@localhost", room(99), "subscribe")).size(), 3u);
}

// RFC 6121 §4.3.2. A server that probes believes its user subscribed; if we do not, we have lost
// it.
TEST(RoomPresence, ProbesAreAnsweredAndWhatWasLostIsSavedAgain) {
  Bench bench;
  const Step step = bench.presence(kAnn, kRoom, "probe");
  EXPECT_EQ(said(step), Said{std::string("available ") + kAnn});
  ASSERT_EQ(step.all<mixer::SaveSubscription>().size(), 1u);
  EXPECT_EQ(step.all<mixer::SaveSubscription>()[0].row,
            row("ann@localhost", OwnSubscription::none));
  EXPECT_TRUE(bench.presence(kAnn, kRoom, "probe").all<mixer::SaveSubscription>().empty());
}

TEST(RoomPresence, TellsHowManyNeverWho) {
  Bench bench;
  bench.up();
  bench.presence("ann@localhost", kRoom, "subscribe");
  bench.join("bob@localhost/x");
  const auto presences = bench.wait(3s).all<SendPresence>();
  ASSERT_EQ(presences.size(), 1u);
  EXPECT_NE(presences[0].payload.find("1 in the call"), std::string::npos);
  EXPECT_EQ(presences[0].payload.find("bob"), std::string::npos);
  bench.iq("bob@localhost/x", kRoom, terminate("S1"));
  EXPECT_NE(bench.wait(3s).all<SendPresence>().at(0).payload.find("Nobody"), std::string::npos);
}

TEST(RoomPresence, UnsubscribeEndsItInBothDirections) {
  Bench bench(component_config(), 1,
              {row("ann@localhost"), row("bob@localhost", OwnSubscription::refused)});
  EXPECT_EQ(said(bench.presence("ann@localhost", kRoom, "unsubscribe")),
            (Said{"unsubscribed ann@localhost", "unavailable ann@localhost",
                  "unsubscribe ann@localhost"}));
  EXPECT_EQ(said(bench.presence("bob@localhost", kRoom, "unsubscribe")),
            (Said{"unsubscribed bob@localhost", "unavailable bob@localhost"}));
  EXPECT_TRUE(said(bench.presence("bob@localhost", kRoom, "unsubscribe")).empty());
  bench.up();
  EXPECT_TRUE(said(bench.wait(3s)).empty());
}

// RFC 6120 §8.3.3.
TEST(RoomPresence, APermanentBounceForgetsWhoIsGoneAndAPassingOneDoesNot) {
  struct Case {
    const char *from, *type, *condition;
    bool forgets;
  };
  for (const Case& c : {Case{"ann@localhost", "cancel", "gone", true},
                        Case{"ann@localhost", "cancel", "item-not-found", true},
                        Case{"ann@localhost", "modify", "jid-malformed", true},
                        Case{"ann@localhost", "cancel", "remote-server-not-found", true},
                        Case{"ann@localhost", "cancel", "service-unavailable", true},
                        Case{"ann@localhost", "auth", "forbidden", true},
                        Case{"ann@localhost", "wait", "remote-server-timeout", false},
                        Case{"ann@localhost", "cancel", "remote-server-timeout", false},
                        Case{"ann@localhost", "cancel", "recipient-unavailable", false},
                        Case{"ann@localhost", "wait", "resource-constraint", false},
                        Case{"ann@localhost/phone", "cancel", "service-unavailable", false},
                        Case{"eve@localhost", "cancel", "gone", false}}) {
    Bench bench(component_config(), 1, {row("ann@localhost")});
    const Step step = bench.presence(c.from, kRoom, "error",
                                     std::string("<error type='") + c.type + "'><" + c.condition +
                                         " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>");
    EXPECT_TRUE(said(step).empty()) << "an error is never answered";
    EXPECT_EQ(step.all<mixer::ForgetSubscription>().size(), c.forgets ? 1u : 0u) << c.condition;
    bench.up();
    EXPECT_EQ(said(bench.wait(3s)).empty(), c.forgets) << c.condition;
  }
}

TEST(RoomPresenceAfterARestart, EverybodyIsToldWithCapsAtMostFiftyASecond) {
  std::vector<Subscription> rows;
  for (int i = 0; i < 230; ++i) {
    rows.push_back(row("u" + std::to_string(i) + "@localhost", OwnSubscription::none));
  }
  Bench bench(component_config(), 1, rows);
  EXPECT_TRUE(said(bench.up()).empty());
  std::set<std::string> told;
  for (int second = 0; second < 5; ++second) {
    const auto presences = bench.wait(1s).all<SendPresence>();
    EXPECT_LE(presences.size(), mixer::limits::kPresencesPerSecond);
    for (const auto& presence : presences) {
      told.insert(presence.to.str());
      EXPECT_EQ(presence.from, kFocus);
      EXPECT_EQ(presence.type, "");
      EXPECT_NE(presence.payload.find("http://jabber.org/protocol/caps"), std::string::npos);
    }
  }
  EXPECT_EQ(told.size(), 230u);
  EXPECT_FALSE(bench.focus.next_deadline());
}

TEST(RoomPresenceAfterARestart, ThoseWhoLetUsAreProbedOnce) {
  Bench bench(component_config(), 1,
              {row("ann@localhost"), row("bob@localhost", OwnSubscription::asked)});
  bench.up();
  EXPECT_EQ(said(bench.wait(2s)),
            (Said{"available ann@localhost", "probe ann@localhost", "available bob@localhost"}));
  bench.join("cyd@localhost/x");
  EXPECT_EQ(said(bench.wait(2s)), (Said{"available ann@localhost", "available bob@localhost"}));
}

TEST(RoomPresenceAfterARestart, WhoMayNotDialAnyMoreIsToldSoAndForgotten) {
  mixer::Config config = component_config();
  config.access.dial_set = true;
  config.access.dial = {"bob@localhost"};
  Bench bench(
      config, 1,
      {row("ann@localhost"), row("bob@localhost"), row("cyd@localhost", OwnSubscription::refused)});
  bench.up();
  const Step step = bench.wait(2s);
  EXPECT_EQ(said(step),
            (Said{"unsubscribed ann@localhost", "unavailable ann@localhost",
                  "unsubscribe ann@localhost", "available bob@localhost", "probe bob@localhost",
                  "unsubscribed cyd@localhost", "unavailable cyd@localhost"}));
  const auto forgotten = step.all<mixer::ForgetSubscription>();
  ASSERT_EQ(forgotten.size(), 2u);
  EXPECT_EQ(forgotten[0].room, jid(kRoom));
  EXPECT_EQ(forgotten[0].contact, jid("ann@localhost"));
}

TEST(RoomPresenceAfterARestart, NobodyIsForgottenWhileNobodyCanBeTold) {
  mixer::Config config = component_config();
  config.access.dial_set = true;
  config.access.dial = {"bob@localhost"};
  Bench bench(config, 1, {row("ann@localhost")});
  bench.up();
  bench.handle(mixer::ConnectionDown{});
  EXPECT_TRUE(bench.wait(10s).commands.empty());
  const Step step = bench.up();
  EXPECT_EQ(said(step), (Said{"unsubscribed ann@localhost", "unavailable ann@localhost",
                              "unsubscribe ann@localhost"}));
  EXPECT_EQ(step.all<mixer::ForgetSubscription>().size(), 1u);
}

TEST(RoomPresenceAfterARestart, ARoomThatIsNoMoreSaysSo) {
  mixer::Config config = component_config();
  config.create_rooms_on_dial = false;
  config.rooms["tea"] = {.name = "tea", .display_text = {}, .subject = {}};
  Bench bench(config, 1,
              {row("ann@localhost", OwnSubscription::none, "gone@mixer.localhost"),
               row("ann@localhost", OwnSubscription::none, "tea@mixer.localhost")});
  bench.up();
  const Step step = bench.wait(2s);
  EXPECT_EQ(said(step), (Said{"unsubscribed ann@localhost", "unavailable ann@localhost",
                              "available ann@localhost"}));
  EXPECT_EQ(step.all<SendPresence>()[0].from, jid("gone@mixer.localhost"));
  EXPECT_EQ(step.all<SendPresence>()[2].from, jid("tea@mixer.localhost/focus"));
  EXPECT_EQ(step.all<mixer::ForgetSubscription>().size(), 1u);
}

// A server ends the stream of a component that speaks for another domain.
TEST(RoomPresenceAfterARestart, RoomsOfAFormerDomainAreLeftAlone) {
  Bench bench(component_config(), 1,
              {row("ann@localhost", OwnSubscription::none, "room@former.localhost")});
  bench.up();
  EXPECT_TRUE(bench.wait(2s).commands.empty());
}

// XEP-0353 §3.4: the caller's client must have seen us, and that may still be to come.
TEST(RoomPresenceAfterARestart, WhoCallsBeforeItsTurnIsToldFirst) {
  Bench bench(component_config(), 1, {row("ann@localhost")});
  bench.up();
  const Step step = bench.message(kAnn, kRoom,
                                  "<propose xmlns='urn:xmpp:jingle-message:0' id='P'><description "
                                  "xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>");
  EXPECT_EQ(said(step), Said{std::string("available ") + kAnn});
  EXPECT_EQ(step.all<SendPresence>().at(0).priority, jingle::Priority::urgent)
      << "or ringing and proceed overtake it under load";
}

// Nobody takes a component's presence back when its stream closes.
TEST(Shutdown, UnavailableIsTheLastThatSubscribersHear) {
  Bench bench;
  bench.up();
  bench.presence("ann@localhost", kRoom, "subscribe");
  bench.join(kAnn);
  EXPECT_EQ(said(bench.handle(mixer::ShutdownRequested{})), Said{"unavailable ann@localhost"});
  EXPECT_TRUE(said(bench.wait(5s)).empty());
  for (const auto& sent : bench.presence("ann@localhost", kRoom, "probe").all<SendPresence>()) {
    EXPECT_NE(sent.type, "");
  }
  EXPECT_FALSE(bench.focus.next_deadline());
}

TEST(Shutdown, IsNotOverBeforeEverySubscriberHasBeenTold) {
  std::vector<Subscription> rows;
  for (int i = 0; i < 10000; ++i) rows.push_back(row("u" + std::to_string(i) + "@localhost"));
  Bench bench(component_config(), 1, rows);
  bench.up();
  EXPECT_EQ(bench.focus.farewells(), 0u);
  std::size_t told = said(bench.handle(mixer::ShutdownRequested{})).size();
  EXPECT_EQ(bench.focus.farewells(), 10000 - told);
  EXPECT_LT(told, 500u) << "not all at once";
  const auto rest = said(bench.wait(mixer::limits::kFarewell));
  EXPECT_EQ(told + rest.size(), 10000u);
  EXPECT_EQ(bench.focus.farewells(), 0u);
}

TEST(Shutdown, NobodyCanBeToldWithoutAServer) {
  Bench bench(component_config(), 1, std::vector<Subscription>(1, row("ann@localhost")));
  bench.up();
  bench.handle(mixer::ConnectionDown{});
  bench.handle(mixer::ShutdownRequested{});
  EXPECT_EQ(bench.focus.farewells(), 0u);
}

// Whatever happened, who starts from the saved rows tells the same people of the same rooms as who
// never stopped; and all that is ever sent has a sender in our domain, a receiver, and caps if it
// is available (XEP-0114, XEP-0115 §4).
TEST(RoomPresenceLaws, ARestartIsLikeAReconnection) {
  const auto seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  Dice dice(seed);
  const auto caps =
      mixer::room_features(mixer::Config::Xmpp::Mode::component).caps_xml(mixer::kCapsNode);
  const std::vector<std::string> types{"subscribe", "subscribe",   "subscribed", "unsubscribed",
                                       "probe",     "unsubscribe", "error",      ""};
  for (int round = 0; round < 30; ++round) {
    Bench bench;
    Kept kept;
    const auto check = [&](const Step& step) {
      kept.take(step);
      for (const auto& presence : step.all<SendPresence>()) {
        EXPECT_EQ(presence.from.domain(), "mixer.localhost");
        EXPECT_FALSE(presence.to.empty());
        if (presence.type.empty()) {
          EXPECT_NE(presence.payload.find(caps), std::string::npos);
        }
      }
      return step;
    };
    check(bench.up());
    for (int i = 0; i < 200; ++i) {
      const std::string contact = "u" + std::to_string(dice.below(5)) + "@" +
                                  (dice.chance(0.9) ? "localhost" : "evil.example");
      const std::string room = "r" + std::to_string(dice.below(30)) + "@mixer.localhost";
      const std::string type = dice.one_of(types);
      const char* bounce =
          dice.chance(0.5)
              ? "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
              : "<error type='wait'/>";
      check(bench.presence(contact + (dice.chance(0.3) ? "/x" : ""), room, type,
                           type == "error" ? bounce : ""));
      if (dice.chance(0.2)) check(bench.wait(dice.up_to(3000ms)));
    }
    check(bench.wait(10s));
    Bench reborn(component_config(), 2, kept.rows());
    check(bench.up());
    reborn.up();
    const auto again = said(check(bench.wait(10s)));
    const auto anew = said(reborn.wait(10s));
    EXPECT_EQ(std::multiset<std::string>(again.begin(), again.end()),
              std::multiset<std::string>(anew.begin(), anew.end()));
  }
}

}  // namespace
