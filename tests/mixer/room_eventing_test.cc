#include "mixer/room_eventing.h"

#include <gmock/gmock.h>

#include <pugixml.hpp>

#include "signaling/namespaces.h"
#include "tests/support/generators.h"
#include "tests/support/presence_schema.h"
#include "tests/support/seed.h"

namespace mixer {
namespace {

using namespace std::chrono_literals;
namespace pep = jingle::pep;
namespace pubsub = jingle::pubsub;
using pep::Node;
using pubsub::Access;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kRoom[] = "room";
constexpr char kTune[] = "http://jabber.org/protocol/tune";
constexpr char kMood[] = "http://jabber.org/protocol/mood";

jingle::Jid jid(const std::string& text) { return jingle::Jid::parse(text).value(); }
const jingle::Jid kAnn = jid("ann@localhost");
const jingle::Jid kPhone = jid("ann@localhost/phone");

Shown tune(const std::string& title) {
  pep::Tune tune;
  tune.title = title;
  return {{Node::tune, tune}};
}
std::string title_of(const pugi::xml_node& payload) {
  const auto parsed = pep::parse(Node::tune, payload, "").value();
  return std::get<pep::Tune>(parsed).title;
}

// The rooms of a domain, and whoever looks at them.
class Bench {
 public:
  explicit Bench(Access access = Access::presence, std::vector<Published> rows = {})
      : rows_(std::move(rows)),
        service({.domain = "mixer.localhost",
                 .standing = [this](const auto&) { return ++drawn, standing; },
                 .of_call = [this](const auto& room) { return room == kRoom ? playing : Shown(); },
                 .reader = [this](const auto&, const auto& bare) { return readers[bare]; },
                 .wall =
                     [](TimePoint at) {
                       return std::chrono::sys_seconds(
                           std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()));
                     }},
                access, {Node::tune, Node::mood}, rows_) {
    readers[kAnn].contact = true;
    service.connection_up(now);
    service.everybody_probed(now);
  }

  void play(Shown what) {
    playing = std::move(what);
    service.changed(kRoom, now);
    step();
  }
  bool present(const jingle::Jid& who, std::optional<EventAudience::Nodes> wants = {{Node::tune}}) {
    const bool ask = service.present(kRoom, who, wants, now);
    step();
    return ask;
  }
  std::string ask(const pubsub::Request& request, const jingle::Jid& from = kPhone,
                  const std::string& room = kRoom) {
    const auto answer = service.answer(room, from, request, now);
    step();
    if (answer) return *answer;
    const auto& error = answer.error();
    return error.type + " " + error.condition +
           (error.app_name.empty() ? "" : "/" + error.app_name);
  }
  void wait(std::chrono::milliseconds duration) {
    const TimePoint end = now + duration;
    for (int guard = 0; guard < 10000; ++guard) {
      const auto at = service.next_deadline();
      if (!at || *at > end) break;
      now = std::max(now, *at);
      step();
      ASSERT_TRUE(!service.next_deadline() || *service.next_deadline() > now) << "no progress";
    }
    now = end;
  }
  void step() {
    service.advance(out, now);
    for (Command& command : out.take()) {
      if (const auto* message = std::get_if<SendMessage>(&command)) heard(*message);
      if (const auto* save = std::get_if<SavePublished>(&command)) rows_.push_back(save->row);
      if (const auto* forget = std::get_if<ForgetPublished>(&command)) {
        EXPECT_EQ(std::erase_if(rows_,
                                [&](const auto& row) {
                                  return row.by == forget->by && row.node == forget->node;
                                }),
                  1u);
      }
    }
  }
  void heard(const SendMessage& message) {
    EXPECT_EQ(message.from, jid("room@mixer.localhost")) << "XEP-0163 §4.3.1: the bare JID";
    EXPECT_EQ(message.type, "headline");
    auto xml =
        jingle::Xml::parse("<message xmlns='jabber:client'>" + message.payload + "</message>");
    ASSERT_TRUE(xml) << message.payload;
    const auto event =
        pubsub::parse_event({.type = "headline", .id = {}, .from = {}, .to = {}, .xml = *xml});
    ASSERT_TRUE(event) << message.payload;
    ASSERT_EQ(event->items.size(), 1u);
    EXPECT_EQ(
        test_support::presence_complaint(*pep::node_of(event->node), event->items[0].payload.str()),
        std::nullopt);
    const std::string item =
        event->node == kTune ? title_of(event->items[0].payload.root()) : event->node;
    told[message.to].push_back(item);
    last = message.payload;
    if (event->node == kTune && !item.empty()) {
      EXPECT_EQ(std::ranges::count(rows_, event->node, &Published::node), 1)
          << "not saved before it can be seen";
    }
  }

  TimePoint now{1000s};
  Shown playing, standing;
  int drawn = 0;  // so often `standing` was asked for: it may cost a picture
  std::map<jingle::Jid, RoomEventing::Reader> readers;
  std::map<jingle::Jid, std::vector<std::string>> told;  // titles; another node's id
  std::string last;
  std::vector<Published> rows() const { return rows_; }

 private:
  Outbox out{[] { return 7; }};
  std::vector<Published> rows_;

 public:
  RoomEventing service;
};

// XEP-0118 §2: "payload MAY also include 'replyto' data"
TEST(RoomEventing, AContactIsToldOfATuneAndOfItsEnd) {
  Bench bench;
  EXPECT_FALSE(bench.present(kPhone));
  bench.play(tune("skipped"));
  bench.wait(2s);
  bench.play(tune("heard"));
  bench.wait(1min);
  EXPECT_THAT(bench.told[kPhone], ElementsAre("heard"));
  EXPECT_THAT(bench.last, HasSubstr("type='replyto' jid='room@mixer.localhost/focus'"));
  EXPECT_THAT(bench.last, Not(HasSubstr("<delay")));
  bench.play({});
  EXPECT_THAT(bench.told[kPhone], ElementsAre("heard", "")) << "a stop waits for nothing";
  EXPECT_THAT(bench.last, HasSubstr("id='current'"));
  bench.wait(1min);
  EXPECT_THAT(bench.rows(), IsEmpty());
}

// XEP-0163 §4.2, §4.3.3.
TEST(RoomEventing, WhoComesIsToldWhatStandsThereOnce) {
  Bench bench;
  bench.play(tune("heard"));
  bench.wait(1min);
  bench.present(kPhone);
  EXPECT_THAT(bench.told[kPhone], ElementsAre("heard"));
  EXPECT_THAT(bench.last, HasSubstr("<delay xmlns='urn:xmpp:delay' stamp='"));
  bench.present(kPhone);
  bench.wait(1min);
  EXPECT_THAT(bench.told[kPhone], ElementsAre("heard")) << "subsequent presence is no news";
  bench.service.absent(kRoom, kPhone);
  bench.play(tune("unheard"));
  bench.wait(1min);
  EXPECT_THAT(bench.told[kPhone], ElementsAre("heard"));
  bench.present(kPhone, {{}});
  EXPECT_THAT(bench.told[kPhone], ElementsAre("heard")) << "it does not want to know";
}

TEST(RoomEventing, ARoomThatShowsNothingToNobodyDrawsNoPicture) {
  Bench bench;
  for (int event = 0; event < 10; ++event) bench.play({});
  EXPECT_EQ(bench.drawn, 0);
  for (int event = 0; event < 10; ++event) bench.play(tune("heard"));
  bench.wait(1min);
  EXPECT_EQ(bench.drawn, 1) << "while something is shown";
  bench.play({});
  bench.wait(1min);
  for (int event = 0; event < 10; ++event) bench.play({});
  EXPECT_EQ(bench.drawn, 1);
  bench.present(kPhone);
  bench.present(kAnn.with_resource("tv"));
  for (int event = 0; event < 10; ++event) bench.play({});
  EXPECT_EQ(bench.drawn, 2) << "while somebody looks";
}

TEST(RoomEventing, AClientIsAskedOnceWhatItWants) {
  Bench bench;
  bench.standing = {{Node::mood, pep::Mood{"happy", ""}}};
  EXPECT_TRUE(bench.present(kPhone, std::nullopt));
  EXPECT_FALSE(bench.present(kPhone, std::nullopt));
  EXPECT_FALSE(bench.service.present("other", kPhone, std::nullopt, bench.now));
  bench.service.learned(kPhone, {Node::mood}, bench.now);
  bench.service.learned(jid("bob@localhost/x"), {Node::mood}, bench.now);
  bench.service.absent("other", kPhone);
  bench.step();
  EXPECT_THAT(bench.told[kPhone], ElementsAre(kMood));
  EXPECT_EQ(bench.told.size(), 1u);
}

TEST(RoomEventing, AClientWhoseAnswerIsLostIsAskedAgain) {
  Bench bench;
  bench.standing = {{Node::mood, pep::Mood{"happy", ""}}};
  EXPECT_TRUE(bench.present(kPhone, std::nullopt));
  bench.wait(limits::kAwaitedFor - 1ms);
  EXPECT_FALSE(bench.present(kPhone, std::nullopt)) << "it may still come";
  bench.wait(1ms);
  EXPECT_TRUE(bench.present(kPhone, std::nullopt));
  EXPECT_FALSE(bench.present(kPhone, std::nullopt));
  bench.service.learned(kPhone, {Node::mood}, bench.now);
  bench.step();
  EXPECT_THAT(bench.told[kPhone], ElementsAre(kMood));
}

// XEP-0060 §6.1.3, §6.5.9: the conditions exactly.
TEST(RoomEventing, EachAccessModelLetsThoseReadWhoMay) {
  using Reader = RoomEventing::Reader;
  struct Case {
    Access access;
    Reader reader;
    std::string refusal;  // empty: may read
  };
  const std::string no_presence = "auth not-authorized/presence-subscription-required";
  for (const Case& each : std::vector<Case>{
           {Access::open, {}, ""},
           {Access::presence, {}, no_presence},
           {Access::presence, {.in_group = true, .listed = true}, no_presence},
           {Access::presence, {.contact = true}, ""},
           {Access::roster, {}, no_presence},
           {Access::roster, {.in_group = true}, no_presence},
           {Access::roster, {.contact = true}, "auth not-authorized/not-in-roster-group"},
           {Access::roster, {.contact = true, .in_group = true}, ""},
           {Access::whitelist,
            {.contact = true, .in_group = true},
            "cancel not-allowed/closed-node"},
           {Access::whitelist, {.listed = true}, ""}}) {
    Bench bench(each.access);
    bench.readers[kAnn] = each.reader;
    bench.play(tune("heard"));
    bench.wait(1min);
    const bool may = each.refusal.empty();
    bench.present(kPhone);
    EXPECT_EQ(bench.told[kPhone].size(), may ? 1u : 0u);
    EXPECT_EQ(bench.service.nodes(kRoom, kAnn).size(), may ? 2u : 0u);
    const std::string got = bench.ask(pubsub::GetItems{.node = kTune});
    const std::string subscribed = bench.ask(pubsub::Subscribe{kTune, kAnn});
    if (may) {
      EXPECT_THAT(got, HasSubstr("<title>heard</title>"));
      EXPECT_THAT(subscribed, HasSubstr("subscription='subscribed'"));
    } else {
      EXPECT_EQ(got, each.refusal);
      EXPECT_EQ(subscribed, each.refusal);
    }
  }
}

// XEP-0060 §6.2.3, §6.5, §7.1.3, §8.1.
TEST(RoomEventing, RequestsAreAnsweredAsTheStandardSays) {
  Bench bench;
  const jingle::Jid bob = jid("bob@localhost");
  const auto item = [](const std::string& xml) {
    return pubsub::Item{"current", jingle::Xml::parse(xml).value()};
  };
  const auto good = item("<tune xmlns='http://jabber.org/protocol/tune'/>");
  EXPECT_EQ(bench.ask(pubsub::GetItems{.node = "urn:other"}), "cancel item-not-found");
  EXPECT_EQ(bench.ask(pubsub::GetItems{.node = "http://jabber.org/protocol/activity"}),
            "cancel item-not-found")
      << "not switched on";
  EXPECT_THAT(bench.ask(pubsub::GetItems{.node = kTune}), Not(HasSubstr("<item "))) << "none yet";
  bench.play(tune("heard"));
  bench.wait(1min);
  EXPECT_THAT(bench.ask(pubsub::GetItems{.node = kTune, .ids = {"current"}}), HasSubstr("heard"));
  EXPECT_THAT(bench.ask(pubsub::GetItems{.node = kTune, .ids = {"x"}}), Not(HasSubstr("heard")));
  EXPECT_EQ(bench.ask(pubsub::Subscribe{kTune, bob}), "modify bad-request/invalid-jid");
  EXPECT_EQ(bench.ask(pubsub::Subscribe{"urn:other", kAnn}), "cancel item-not-found");
  EXPECT_EQ(bench.ask(pubsub::Unsubscribe{kTune, kAnn}),
            "cancel unexpected-request/not-subscribed");
  EXPECT_EQ(bench.ask(pubsub::Unsubscribe{kTune, bob}), "auth forbidden");
  EXPECT_EQ(bench.ask(pubsub::Publish{kTune, good}), "auth forbidden");
  EXPECT_EQ(bench.ask(pubsub::Publish{kTune, item("<tune xmlns='urn:other'/>")}),
            "modify bad-request/invalid-payload");
  EXPECT_EQ(bench.ask(pubsub::Publish{kTune,
                                      item("<tune xmlns='http://jabber.org/protocol/tune'><title>" +
                                           std::string(9000, 'x') + "</title></tune>")}),
            "modify not-acceptable/payload-too-big");
  EXPECT_EQ(bench.ask(pubsub::Publish{kTune, good, pubsub::NodeOptions{.access = Access::open}}),
            "cancel conflict/precondition-not-met");
  EXPECT_EQ(bench.ask(pubsub::Retract{kTune, "current"}), "auth forbidden");
  for (const char* action : {"create", "configure", "delete", "purge", "affiliations"}) {
    EXPECT_EQ(bench.ask(pubsub::Manage{action, kTune}), "auth forbidden");
  }
}

// XEP-0163 §4.3.2.
TEST(RoomEventing, WhoSubscribedIsToldOnceAtTheRightAddress) {
  Bench bench;
  bench.play(tune("first"));
  bench.wait(1min);
  bench.ask(pubsub::Subscribe{kTune, kAnn});
  EXPECT_THAT(bench.told[kAnn], ElementsAre("first")) << "on subscription";
  bench.play(tune("second"));
  bench.wait(1min);
  EXPECT_THAT(bench.told[kAnn], ElementsAre("first", "second")) << "nothing is known of a client";
  bench.present(kPhone);
  bench.play(tune("third"));
  bench.wait(1min);
  EXPECT_THAT(bench.told[kAnn], ElementsAre("first", "second"));
  EXPECT_THAT(bench.told[kPhone], ElementsAre("second", "third"));
  bench.ask(pubsub::Subscribe{kTune, jid("ann@localhost/tv")});
  bench.service.absent(kRoom, kAnn);
  EXPECT_EQ(bench.ask(pubsub::Unsubscribe{kTune, kAnn}), "");
  bench.play({});
  bench.wait(1s);
  EXPECT_THAT(bench.told[jid("ann@localhost/tv")], ElementsAre("third", ""));
  EXPECT_EQ(bench.told[kAnn].size(), 2u);
}

// XEP-0163 §7.1.
TEST(RoomEventing, WhoMayNotReadAnyMoreIsToldNothingMore) {
  Bench bench;
  bench.present(kPhone);
  bench.ask(pubsub::Subscribe{kTune, jid("ann@localhost/tv")});
  bench.readers[kAnn].contact = false;
  bench.service.cancel(kRoom, kAnn);
  bench.play(tune("heard"));
  bench.wait(1min);
  EXPECT_THAT(bench.told, IsEmpty());
  bench.readers[kAnn].contact = true;
  bench.play({});
  bench.wait(1min);
  EXPECT_THAT(bench.told, IsEmpty()) << "the subscription is gone, too";
}

TEST(RoomEventing, ADeadProcesssLeftoversAreShownToBeOver) {
  Bench bench(Access::presence, {{jid("room@mixer.localhost"), kTune, "current"},
                                 {jid("room@elsewhere.example"), kTune, "current"}});
  bench.wait(2s);
  bench.present(kPhone);
  EXPECT_THAT(bench.told[kPhone], ElementsAre(""));
  EXPECT_EQ(bench.rows().size(), 2u) << "another crash may be near";
  bench.wait(1min);
  EXPECT_EQ(bench.rows(),
            (std::vector<Published>{{jid("room@elsewhere.example"), kTune, "current"}}));
}

TEST(RoomEventing, LeavingTellsEverybodyThatItIsOver) {
  Bench bench;
  bench.standing = {{Node::mood, pep::Mood{"happy", ""}}};
  for (int i = 0; i < 500; ++i) {
    const std::string name = "ann" + std::to_string(i) + "@localhost";
    bench.readers[jid(name)].contact = true;
    bench.present(jid(name + "/x"), {{Node::tune, Node::mood}});
  }
  bench.play(tune("heard"));
  bench.wait(5min);
  bench.told.clear();
  bench.service.leave(bench.now);
  const TimePoint before = bench.now;
  for (int guard = 0; bench.service.waiting() > 0 && guard < 10000; ++guard) {
    bench.now = std::max(bench.now, *bench.service.next_deadline());
    bench.step();
  }
  EXPECT_LE(bench.now - before, limits::kFarewell);
  EXPECT_EQ(bench.told.size(), 500u);
  for (const auto& [who, items] : bench.told) EXPECT_EQ(items.size(), 2u);
  bench.present(kPhone);
  EXPECT_FALSE(bench.told.contains(kPhone));
}

// It was answered by an exception, which ended the process with all that it had still to say.
TEST(RoomEventing, WhoAsksAnIdleRoomWhileItLeavesIsToldThatThereIsNothing) {
  Bench bench;
  bench.service.leave(bench.now);
  EXPECT_EQ(bench.ask(pubsub::GetItems{.node = kTune}), "cancel item-not-found");
  EXPECT_EQ(bench.ask(pubsub::Subscribe{kTune, kAnn}), "cancel item-not-found");
  EXPECT_EQ(bench.service.waiting(), 0u);
}

TEST(RoomEventing, AFloodOfPresenceIsBoundedAndNobodyElseWaits) {
  Bench bench;
  bench.play(tune("heard"));
  bench.wait(1min);
  std::size_t sent = 0;
  for (int second = 0; second < 10; ++second) {
    for (int i = 0; i < 100; ++i) {
      const auto resource = kAnn.with_resource("r" + std::to_string(i));
      bench.service.present(kRoom, resource, {{Node::tune}}, bench.now);
    }
    bench.service.absent(kRoom, kAnn);
    bench.wait(1s);
  }
  for (const auto& [who, items] : bench.told) sent += items.size();
  EXPECT_EQ(sent, 0u) << "who is gone is told nothing";
  for (int i = 0; i < 100; ++i) bench.present(kAnn.with_resource("r" + std::to_string(i)));
  bench.wait(1min);
  EXPECT_EQ(bench.told.size(), limits::kMaxResourcesTold);
  bench.readers[jid("bob@localhost")].contact = true;
  bench.present(jid("bob@localhost/x"));
  EXPECT_THAT(bench.told[jid("bob@localhost/x")], ElementsAre("heard"));
}

TEST(RoomEventing, EverybodyKnowsInTheEndWhatStandsThereAndNobodyElseDoes) {
  const auto seed = test_support::test_seed();
  test::Dice dice(seed);
  for (int round = 0; round < 60; ++round) {
    Bench bench;
    std::map<jingle::Jid, bool> here;  // full JIDs: do they want tunes?
    const std::vector<jingle::Jid> people = {kAnn, jid("bob@localhost"), jid("cyd@localhost")};
    for (int i = 0; i < 60; ++i) {
      const jingle::Jid bare = dice.one_of(people);
      const jingle::Jid full = bare.with_resource(dice.chance(0.5) ? "a" : "b");
      bench.told[full];
      const auto before = bench.told;
      switch (dice.below(6)) {
        case 0: bench.play(dice.chance(0.6) ? tune(std::to_string(dice.below(3))) : Shown()); break;
        case 1: {
          if (!bench.readers[bare].contact) break;
          const bool wants = dice.chance(0.8);  // XEP-0163 §4.2: it may change its mind
          here[full] = wants;
          if (!wants) bench.told[full].clear();
          bench.present(full, wants ? EventAudience::Nodes{Node::tune} : EventAudience::Nodes{});
          break;
        }
        case 2:
          here.erase(full);
          bench.service.absent(kRoom, full);
          break;
        case 3:
          bench.readers[bare].contact = !bench.readers[bare].contact;
          if (bench.readers[bare].contact) break;
          bench.service.cancel(kRoom, bare);
          std::erase_if(here, [&](const auto& each) { return each.first.bare() == bare; });
          break;
        case 4:
          if (!dice.chance(0.1)) break;
          bench.service.connection_down();
          here.clear();
          bench.service.connection_up(bench.now);
          bench.service.everybody_probed(bench.now);
          break;
        default: bench.wait(dice.up_to(20s));
      }
      for (auto& [who, items] : bench.told) {
        const auto told_before = before.find(who);
        if (told_before == before.end() || items.size() > told_before->second.size()) {
          EXPECT_TRUE(here.contains(who) && here[who]) << who.str() << " TEST_SEED=" << seed;
        }
        if (!here.contains(who)) items.clear();
        EXPECT_EQ(std::ranges::adjacent_find(items), items.end())
            << "told twice, TEST_SEED=" << seed;
      }
    }
    bench.wait(5min);
    const std::string title =
        bench.playing.empty() ? "" : std::get<pep::Tune>(bench.playing.at(Node::tune)).title;
    for (const auto& [who, wants] : here) {
      if (!wants) continue;
      const auto& items = bench.told[who];
      if (title.empty()) {
        EXPECT_TRUE(items.empty() || items.back().empty()) << "TEST_SEED=" << seed;
      } else {
        ASSERT_FALSE(items.empty()) << who.str() << " TEST_SEED=" << seed;
        EXPECT_EQ(items.back(), title) << "TEST_SEED=" << seed;
      }
    }
    EXPECT_EQ(bench.rows().size(), title.empty() ? 0u : 1u) << "TEST_SEED=" << seed;
    bench.service.leave(bench.now);
    for (const char* room : {kRoom, "idle"}) {
      const jingle::Jid who = dice.one_of(people).with_resource("a");
      EXPECT_EQ(bench.ask(pubsub::GetItems{.node = kTune}, who, room), "cancel item-not-found");
      EXPECT_EQ(bench.ask(pubsub::Subscribe{kTune, who}, who, room), "cancel item-not-found");
    }
  }
}

}  // namespace
}  // namespace mixer
