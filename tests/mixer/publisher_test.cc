#include "mixer/publisher.h"

#include <gmock/gmock.h>

#include "mixer/limits.h"
#include "tests/mixer/publisher_bench.h"
#include "tests/support/generators.h"
#include "tests/support/seed.h"

namespace mixer {
namespace {

using namespace publisher_bench;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const std::vector<Published> kLeft{{kBot, kTune, "current"}}, kNothing;

std::vector<std::string> titles(const Bench& bench) {
  std::vector<std::string> out;
  for (const auto& publish : bench.published) {
    const auto payload = pep::parse(Node::tune, publish.item.payload.root(), "").value();
    out.push_back(std::get<pep::Tune>(payload).title);
  }
  return out;
}

// XEP-0118 §3: "an implementation may wait several seconds before publishing new tune information"
TEST(Publisher, WhoSkipsIsWaitedFor) {
  Bench bench;
  bench.up();
  for (int i = 0; i < 5; ++i) {
    bench.show(one(tune("skipped " + std::to_string(i))));
    bench.wait(2s);
  }
  EXPECT_THAT(titles(bench), IsEmpty());
  bench.show(one(tune("heard")));
  bench.wait(limits::kPublishAfter - 1ms);
  EXPECT_THAT(titles(bench), IsEmpty());
  bench.wait(1ms);
  EXPECT_THAT(titles(bench), ElementsAre("heard"));
  bench.show(one(tune("heard")));
  bench.wait(1h);
  EXPECT_THAT(titles(bench), ElementsAre("heard")) << "the same again is no news";
}

TEST(Publisher, ChangingAllTheTimeIsToldNowAndThen) {
  Bench bench;
  bench.up();
  for (int i = 0; i < 120; ++i) {
    bench.show(one(tune(std::to_string(i))));
    bench.wait(1s);
  }
  EXPECT_GE(bench.published.size(), 3u);
  EXPECT_LE(bench.published.size(), static_cast<std::size_t>(120s / limits::kPublishAtLatest) + 1);
}

// XEP-0118 §2: "the user's client SHOULD send an empty <tune/> element"
TEST(Publisher, StoppingWaitsForNothing) {
  Bench bench;
  bench.up();
  bench.show(one(tune("heard")));
  bench.wait(6s);
  bench.show({});
  EXPECT_THAT(titles(bench), ElementsAre("heard", ""));
  EXPECT_EQ(bench.published.front().item.id, bench.published.back().item.id);
  bench.show(one(tune("another")));
  bench.wait(limits::kPublishGap - 1ms);
  EXPECT_THAT(titles(bench), ElementsAre("heard", ""));
  bench.wait(1ms);
  EXPECT_THAT(titles(bench), ElementsAre("heard", "", "another"));
}

TEST(Publisher, WhatWasNeverPublishedNeedsNoStop) {
  Bench bench;
  bench.up();
  bench.show(one(tune("skipped")));
  EXPECT_EQ(bench.rows().size(), 1u) << "saved before it can be seen";
  bench.wait(3s);
  bench.show({});
  bench.wait(1h);
  EXPECT_THAT(bench.published, IsEmpty());
  EXPECT_THAT(bench.rows(), IsEmpty());
}

// XEP-0197 §2.2: "the user's client SHOULD send an empty <video/> element with the"
TEST(Publisher, ADeadProcesssLeftoversAreStopped) {
  Bench bench({{kBot, std::string(pep::id_of(Node::viewing)), "8eaa"},
               {kBot, std::string(pep::id_of(Node::tune)), "current"},
               {*jingle::Jid::parse("other@localhost"), std::string(pep::id_of(Node::mood)), "x"}});
  bench.show(one(tune("heard")));
  bench.up();
  ASSERT_EQ(bench.published.size(), 1u) << "the tune is about to be another";
  EXPECT_EQ(bench.published[0].node, "urn:xmpp:viewing:0");
  EXPECT_EQ(bench.published[0].item.id, "8eaa") << "XEP-0197 §2.2: the same ItemID";
  bench.wait(6s);
  EXPECT_EQ(bench.shown(Node::tune), pep::Payload(tune("heard")));
  bench.show({});
  EXPECT_EQ(bench.rows().size(), 1u) << "another account's is not ours";
}

// Whoever runs without a state directory, or has lost it.
TEST(Publisher, ADeadProcesssLeftoversAreStoppedEvenIfItSavedNothing) {
  Bench bench({}, {}, {Node::tune, Node::viewing, Node::status, Node::mood});
  const std::string viewing(pep::id_of(Node::viewing)), status(pep::id_of(Node::status));
  pep::Viewing film;
  film.author = "Ann";
  bench.service[viewing] = {.id = "8eaa", .payload = film};
  bench.service[kTune] = {.id = "current", .payload = tune("left")};
  bench.service[status] = {.id = "current", .payload = pep::Status()};
  bench.show(one(tune("heard")));
  bool busy = true;
  bench.fault = [&] { return std::exchange(busy, false) ? kWait : ""; };
  bench.up();
  bench.wait(5min);
  ASSERT_EQ(bench.published.size(), 2u) << "what is empty, or not there, needs no stop";
  EXPECT_EQ(bench.shown(Node::viewing), std::nullopt);
  EXPECT_EQ(bench.service[viewing].id, "8eaa") << "XEP-0197 §2.2: the same ItemID";
  EXPECT_EQ(bench.shown(Node::tune), pep::Payload(tune("heard")));
  bench.service[viewing].payload = film;
  bench.up();
  bench.wait(5min);
  EXPECT_NE(bench.shown(Node::viewing), std::nullopt) << "by somebody else, meanwhile";
  EXPECT_THAT(bench.log, IsEmpty());
}

// XEP-0119 §5: "These nodes SHOULD have an access model of either "presence" or "roster"."
TEST(Publisher, ALooserNodeIsTightenedOnceAndNeverUsedAsItIs) {
  Bench bench;
  bench.service[std::string(pep::id_of(Node::tune))].access = pubsub::Access::open;
  bench.up();
  bench.show(one(tune("heard")));
  bench.wait(6s);
  EXPECT_EQ(bench.shown(Node::tune), pep::Payload(tune("heard")));
  EXPECT_EQ(bench.service[std::string(pep::id_of(Node::tune))].access, pubsub::Access::presence);
  EXPECT_THAT(bench.log, IsEmpty());
}

TEST(Publisher, ALooserNodeIsTightenedThoughTheServiceIsBusyAtFirst) {
  Bench bench;
  bench.service[std::string(pep::id_of(Node::tune))].access = pubsub::Access::open;
  bench.up();
  bool busy = true;
  bench.answer_all = [&, inner = bench.answer_all](const SendIq& iq) {
    const bool configures = iq.payload.find("#owner") != std::string::npos;
    return configures && std::exchange(busy, false) ? kWait : inner(iq);
  };
  bench.show(one(tune("heard")));
  bench.wait(1h);
  EXPECT_EQ(bench.shown(Node::tune), pep::Payload(tune("heard")));
  EXPECT_THAT(bench.log, IsEmpty());
}

// XEP-0119 §6: "care should be taken in setting the access model for the relevant pubsub nodes"
TEST(Publisher, WhereItCannotBeTightenedNothingIsPublished) {
  Bench bench;
  bench.up();
  bench.answer_all = [](const SendIq&) {
    return "<error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
           "<precondition-not-met xmlns='http://jabber.org/protocol/pubsub#errors'/></error>";
  };
  std::size_t iqs = 0;
  bench.answer_all = [&, inner = bench.answer_all](const SendIq& iq) { return ++iqs, inner(iq); };
  bench.show(one(tune("heard")));
  bench.wait(1h);
  bench.show(one(tune("another")));
  bench.wait(1h);
  EXPECT_EQ(iqs, 2u) << "published, configured";
  EXPECT_EQ(bench.log.size(), 1u);
  EXPECT_THAT(bench.log[0], testing::HasSubstr("conflict/precondition-not-met"));
  EXPECT_THAT(bench.log[0], testing::Not(testing::HasSubstr("heard")));
}

TEST(Publisher, AServiceWithoutConditionsIsReadFirst) {
  Bench safe;
  safe.up(false);
  safe.show(one(tune("heard")));
  safe.wait(6s);
  EXPECT_EQ(safe.shown(Node::tune), pep::Payload(tune("heard")));

  Bench open;
  open.service[std::string(pep::id_of(Node::tune))].access = pubsub::Access::open;
  open.up(false);
  open.show(one(tune("heard")));
  open.wait(1h);
  EXPECT_THAT(open.published, IsEmpty());
  EXPECT_EQ(open.log.size(), 1u);
}

// XEP-0060 §8.1.3.
TEST(Publisher, ANodeThatIsNotThereIsMadeWithItsConfigurationOrNotUsed) {
  // The first creation is answered so; empty: it is made.
  const auto show = [](Bench& bench, std::string first) {
    bench.made = pubsub::Access::open;
    bench.up(false);
    bench.answer_all = [first, inner = bench.answer_all](const SendIq& iq) mutable {
      const bool creates = iq.payload.find("<create ") != std::string::npos;
      return creates && !first.empty() ? std::exchange(first, "") : inner(iq);
    };
    bench.show(one(tune("heard")));
    bench.wait(1h);
  };
  for (const char* first : {"", kWait}) {
    Bench bench;
    show(bench, first);
    EXPECT_EQ(bench.shown(Node::tune), pep::Payload(tune("heard")));
    EXPECT_THAT(bench.log, IsEmpty());
  }
  Bench forbidden;
  show(forbidden, kForbidden);
  Bench deaf;
  deaf.heeds = false;
  show(deaf, "");
  for (const Bench* bench : {&forbidden, &deaf}) {
    EXPECT_THAT(bench->published, IsEmpty());
    EXPECT_EQ(bench->log.size(), 1u);
  }
}

TEST(Publisher, WithoutPersonalEventingNothingHappens) {
  Bench bench;
  bench.show(one(tune("heard")));
  bench.up(false, false);
  bench.wait(1h);
  EXPECT_THAT(bench.published, IsEmpty());
  EXPECT_EQ(bench.log.size(), 1u);
}

TEST(Publisher, ARosterNodeIsForTheGroupsThatAreConfiguredOrForFewer) {
  using Groups = std::vector<std::string>;
  const Groups wanted = {"friends", "family"};
  for (const bool conditional : {true, false}) {
    for (const Groups& found : {wanted, Groups{"friends"}, Groups{"friends", "everybody"}}) {
      Bench bench({}, {.access = pubsub::Access::roster, .roster_groups = wanted});
      bench.service[kTune] = {.access = pubsub::Access::roster, .groups = found};
      bench.up(conditional);
      bench.show(one(tune("heard")));
      bench.wait(1h);
      const bool strict = found.back() != "everybody";
      EXPECT_EQ(bench.published.size(), conditional || strict ? 1u : 0u);
      EXPECT_EQ(bench.log.size(), conditional || strict ? 0u : 1u);
      EXPECT_EQ(bench.service[kTune].groups, conditional ? wanted : found);
    }
  }
}

// ejabberd answers `wait` to what it will never do.
TEST(Publisher, AServiceThatNeverGetsRoundToItIsToldOfOnce) {
  Bench bench;
  bench.up();
  bench.fault = [] { return kWait; };
  bench.show(one(tune("heard")));
  bench.wait(limits::kPublishRetry);
  EXPECT_THAT(bench.log, IsEmpty()) << "once is nothing to speak of";
  bench.wait(1h);
  ASSERT_EQ(bench.log.size(), 1u);
  EXPECT_THAT(bench.log[0], testing::HasSubstr("presence=late node=\"" + std::string(kTune)));
  EXPECT_THAT(bench.log[0], testing::HasSubstr("error=resource-constraint"));
}

// It stood there for ever, for those who could see it before.
TEST(Publisher, WhatADeadProcessHasLeftIsTakenBackBeforeFewerMaySeeIt) {
  for (const auto& [conditional, saved] :
       {std::pair(true, true), {true, false}, {false, true}, {false, false}}) {
    Bench bench(saved ? kLeft : kNothing,
                {.access = pubsub::Access::roster, .roster_groups = {"friends"}}, {Node::tune});
    bench.service[kTune] = {.id = "current", .payload = tune("left")};
    bench.show(one(tune("heard")));
    bench.up(conditional);
    std::vector<std::pair<std::string, bool>> shown;  // title, is it for the group alone?
    bench.answer_all = [&, inner = bench.answer_all](const SendIq& iq) {
      std::string answer = inner(iq);
      const auto& node = bench.service[kTune];
      std::pair now(std::get<pep::Tune>(*node.payload).title,
                    node.access == pubsub::Access::roster);
      if (shown.empty() || shown.back() != now) shown.push_back(std::move(now));
      return answer;
    };
    bench.wait(1h);
    if (conditional) {
      EXPECT_THAT(shown, ElementsAre(Pair("left", false), Pair("", false), Pair("", true),
                                     Pair("heard", true)));
    } else {
      EXPECT_THAT(shown, ElementsAre(Pair("left", false), Pair("", false)));
    }
    EXPECT_EQ(bench.log.size(), conditional ? 0u : 1u) << "the service cannot make it safe";
    bench.show({});
    EXPECT_THAT(bench.rows(), IsEmpty());
  }
}

TEST(Publisher, WhatADeadProcessHasLeftIsTakenBackWhereverItCannotGoOn) {
  Bench unread({{kBot, kTune, "current"}});
  unread.service[kTune] = {.id = "current", .payload = tune("left")};
  unread.show(one(tune("heard")));
  unread.up(false);
  unread.answer_all = [inner = unread.answer_all](const SendIq& iq) {
    return iq.payload.find("#owner") != std::string::npos ? kForbidden : inner(iq);
  };
  unread.wait(1h);
  EXPECT_EQ(unread.shown(Node::tune), std::nullopt);
  EXPECT_EQ(unread.log.size(), 1u);

  pep::AvatarInfo info;
  info.id = pep::avatar_id("PNG"), info.type = "image/png", info.bytes = 3;
  const pep::AvatarMetadata old{{info}};
  const std::string node(pep::id_of(Node::avatar));
  Bench picture({{kBot, node, info.id}});
  picture.service[node] = {.id = info.id, .payload = old};
  picture.show({{Node::avatar, old}, {Node::avatar_data, pep::AvatarData{"PNG"}}});
  picture.up();
  picture.answer_all = [inner = picture.answer_all](const SendIq& iq) {
    const bool is_data = iq.payload.find("urn:xmpp:avatar:data") != std::string::npos;
    return is_data ? kForbidden : inner(iq);
  };
  picture.wait(1h);
  EXPECT_EQ(picture.shown(Node::avatar), std::nullopt) << "nobody can fetch it";
  EXPECT_EQ(picture.log.size(), 1u);
}

// Nobody has saved it, and it may not be configured.
TEST(Publisher, WhatADeadProcessHasLeftInAnOpenNodeIsTakenBack) {
  Bench bench(kNothing, {}, {Node::tune});
  bench.service[kTune] = {.access = pubsub::Access::open, .id = "current", .payload = tune("left")};
  bench.show(one(tune("heard")));
  bench.up();
  bench.answer_all = [inner = bench.answer_all](const SendIq& iq) {
    return iq.payload.find("#owner") != std::string::npos ? kForbidden : inner(iq);
  };
  bench.wait(1h);
  bench.show({});
  EXPECT_EQ(bench.shown(Node::tune), std::nullopt);
  EXPECT_EQ(bench.log.size(), 1u);
}

// One miss is nothing to speak of, whatever was missed before.
TEST(Publisher, ALookThatIsPutOffCountsForNoPublication) {
  Bench bench(kNothing, {}, {Node::tune});
  int busy = 1;
  bench.fault = [&] { return busy-- > 0 ? kWait : ""; };
  bench.up();
  bench.wait(2min);
  busy = 1;
  bench.show(one(tune("heard")));
  bench.wait(2min);
  EXPECT_EQ(bench.shown(Node::tune), pep::Payload(tune("heard")));
  EXPECT_THAT(bench.log, IsEmpty());
}

// Before it is configured anew; what was answered to that before is no reason for another stop.
TEST(Publisher, WhatStandsInANodeThatIsTightenedIsTakenBackFirst) {
  for (const auto& [has_left, saved] : {std::pair(true, true), {true, false}, {false, false}}) {
    Bench bench(saved ? kLeft : kNothing, {}, {Node::tune});
    bench.service[kTune] = {.access = pubsub::Access::open, .id = "current"};
    if (has_left) bench.service[kTune].payload = tune("left");
    bench.show(one(tune("heard")));
    bench.up();
    bool busy = true;
    bench.answer_all = [&, inner = bench.answer_all](const SendIq& iq) {
      const bool configures = iq.payload.find("#owner") != std::string::npos;
      return configures && std::exchange(busy, false) ? kWait : inner(iq);
    };
    bench.wait(1h);
    const std::size_t stops = static_cast<std::size_t>(std::ranges::count(titles(bench), ""));
    EXPECT_EQ(stops, has_left ? 1u : 0u);
    EXPECT_EQ(bench.shown(Node::tune), pep::Payload(tune("heard")));
  }
}

TEST(Publisher, AServiceThatDoesNotSayWhatItCanIsAskedAgainEverMoreSeldom) {
  for (const std::string answer : {kWait, kTimeout, ""}) {
    Bench bench({{kBot, kTune, "current"}});
    bench.disco = answer;
    bench.answers = !answer.empty();
    bench.show(one(pep::Status{"3 on the call"}));
    bench.up();
    bench.wait(24h);
    const std::size_t queries = bench.queries + bench.asked.size();
    EXPECT_GE(queries, 24u) << answer;
    EXPECT_LE(queries, 32u) << answer;
    EXPECT_THAT(bench.published, IsEmpty());
    EXPECT_THAT(bench.log, IsEmpty());
    bench.disco.clear();
    bench.asked.clear();
    bench.answers = true;
    bench.wait(2h);
    EXPECT_EQ(bench.published.size(), 2u) << "the leftover's stop, and the status";
  }
}

TEST(Publisher, LeavingStopsEverything) {
  Bench bench;
  bench.up();
  Shown both = one(tune("heard"));
  both.emplace(Node::status, pep::Status{"3 on the call"});
  bench.show(both);
  bench.wait(6s);
  bench.answers = false;
  bench.publisher.leave();
  bench.publisher.show(both, bench.now);
  bench.step();
  EXPECT_EQ(bench.publisher.stopping(), 2u);
  bench.answers = true;
  bench.step();
  EXPECT_EQ(bench.publisher.stopping(), 0u);
  EXPECT_EQ(bench.shown(Node::tune), std::nullopt);
  EXPECT_EQ(bench.shown(Node::status), std::nullopt);
  EXPECT_THAT(bench.rows(), IsEmpty());
}

// XEP-0084 §3.1.
TEST(Publisher, AnAvatarsDataComeFirst) {
  Bench bench;
  bench.up();
  pep::AvatarInfo info;
  info.id = pep::avatar_id("PNG"), info.type = "image/png", info.bytes = 3;
  bench.show(
      {{Node::avatar, pep::AvatarMetadata{{info}}}, {Node::avatar_data, pep::AvatarData{"PNG"}}});
  bench.wait(1min);
  ASSERT_EQ(bench.published.size(), 2u);
  EXPECT_EQ(bench.published[0].node, "urn:xmpp:avatar:data");
  EXPECT_EQ(bench.published[1].node, "urn:xmpp:avatar:metadata");
  EXPECT_EQ(bench.published[0].item.id, info.id);
  EXPECT_EQ(bench.published[1].item.id, info.id);
  bench.show({});
  bench.wait(1min);
  EXPECT_EQ(bench.published.size(), 3u) << "only the metadata are emptied";
  EXPECT_THAT(bench.rows(), IsEmpty());
}

TEST(Publisher, EachNodeShowsWhatIsWantedWhateverWasAnswered) {
  const auto seed = test_support::test_seed();
  test::Dice dice(seed);
  for (int round = 0; round < 100; ++round) {
    const bool conditional = round % 2 == 0, left = round % 4 < 2;
    Bench bench({}, {}, left ? std::set<Node>{Node::tune, Node::status} : std::set<Node>());
    if (left) bench.service[kTune] = {.id = "current", .payload = tune("left")};
    bench.up(conditional);
    bench.fault = [&]() -> std::string {
      if (dice.chance(0.3)) return kWait;
      return dice.chance(0.1) ? kForbidden : "";
    };
    Shown wanted;
    for (int i = 0; i < 30; ++i) {
      wanted.clear();
      if (dice.chance(0.7)) wanted.merge(one(tune(std::to_string(dice.below(3)))));
      if (dice.chance(0.7)) wanted.merge(one(pep::Status{std::to_string(dice.below(3))}));
      bench.answers = dice.chance(0.8);
      bench.show(wanted);
      bench.wait(dice.up_to(40s));
      if (dice.chance(0.1)) {  // the stream breaks, and what was asked for with it
        bench.publisher.connection_down();
        bench.asked.clear();
        bench.answers = true;
        bench.up(conditional);
      }
    }
    bench.fault = nullptr;
    bench.answers = true;
    bench.asked.clear();
    bench.up(conditional);
    bench.wait(10min);
    for (const Node node : {Node::tune, Node::status}) {
      const auto found = wanted.find(node);
      EXPECT_EQ(bench.shown(node),
                found == wanted.end() ? std::nullopt : std::optional(found->second))
          << "TEST_SEED=" << seed;
      EXPECT_EQ(bench.has_row(node), found != wanted.end()) << "TEST_SEED=" << seed;
    }
  }
}

}  // namespace
}  // namespace mixer
