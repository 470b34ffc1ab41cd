#include "mixer/publisher.h"

#include <gmock/gmock.h>

#include <pugixml.hpp>

#include "mixer/limits.h"
#include "tests/support/generators.h"
#include "tests/support/seed.h"

namespace mixer {
namespace {

using namespace std::chrono_literals;
namespace pep = jingle::pep;
namespace pubsub = jingle::pubsub;
using pep::Node;
using testing::ElementsAre;
using testing::IsEmpty;

const jingle::Jid kBot = *jingle::Jid::parse("bot@localhost");
const jingle::Jid kSelf = *jingle::Jid::parse("bot@localhost/focus");

pep::Tune tune(const std::string& title) {
  pep::Tune tune;
  tune.title = title;
  return tune;
}
Shown one(pep::Payload payload) {
  const Node node = node_of(payload);
  return {{node, std::move(payload)}};
}

constexpr char kWait[] =
    "<error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
constexpr char kForbidden[] =
    "<error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
constexpr char kNotFound[] =
    "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";

// An account's service: nodes with an access model and an item each. What it gets is answered when
// the test says so.
class Bench {
 public:
  explicit Bench(std::vector<Published> rows = {})
      : publisher(kBot, {.access = pubsub::Access::presence}, rows), rows_(std::move(rows)) {}

  struct Kept {
    pubsub::Access access = pubsub::Access::presence;
    std::string id = {};
    std::optional<pep::Payload> payload = {};
  };

  void up(bool conditional = true, bool service = true) {
    publisher.connection_up(kSelf, false, out, now);
    collect();
    answer_all = [=, this](const SendIq& iq) { return serve(iq, conditional, service); };
    step();
  }
  void show(Shown wanted) {
    publisher.show(wanted, now);
    step();
  }
  // Lets time pass, deadline by deadline.
  void wait(std::chrono::milliseconds duration) {
    const TimePoint end = now + duration;
    for (int guard = 0; guard < 1000; ++guard) {
      const auto at = publisher.next_deadline();
      if (!at || *at > end) break;
      now = std::max(now, *at);
      step();
      EXPECT_TRUE(!publisher.next_deadline() || *publisher.next_deadline() > now) << "no progress";
    }
    now = end;
  }
  void step() {
    publisher.advance(out, now);
    for (collect(); answers && !asked.empty(); collect()) {
      const SendIq iq = asked.front();
      asked.erase(asked.begin());
      reply(iq, answer_all(iq));
      publisher.advance(out, now);
    }
  }
  void reply(const SendIq& iq, const std::string& inside) {
    const auto awaited = out.answered(iq.id, iq.to);
    if (!awaited) return;  // later than anybody waits
    const bool error = inside.starts_with("<error");
    auto xml = jingle::Xml::parse("<iq xmlns='jabber:client' type='" +
                                  std::string(error ? "error" : "result") + "' id='" + iq.id +
                                  "' from='bot@localhost'>" + inside + "</iq>");
    auto stanza = jingle::read_stanza(std::move(xml.value()));
    publisher.answered(*awaited, std::get<jingle::Iq>(*stanza), out, now);
  }
  std::optional<pep::Payload> shown(Node node) const {
    const auto found = service.find(std::string(pep::id_of(node)));
    if (found == service.end() || !found->second.payload) return std::nullopt;
    return is_stop(*found->second.payload) ? std::nullopt : found->second.payload;
  }

  TimePoint now{1000s};
  Outbox out{[] { return 7; }};
  Publisher publisher;
  std::map<std::string, Kept> service;
  pubsub::Access made = pubsub::Access::presence;  // nodes are, where nobody says otherwise
  bool heeds = true;                               // who does, when he makes one
  std::vector<pubsub::Publish> published;          // in order
  std::vector<std::string> log;
  std::vector<SendIq> asked;
  bool answers = true;
  std::function<std::string(const SendIq&)> answer_all;
  std::function<std::string()> fault;  // empty: none
  std::vector<Published> rows() const { return rows_; }
  bool has_row(Node node) const {
    return std::ranges::any_of(rows_,
                               [&](const auto& row) { return row.node == pep::id_of(node); });
  }

 private:
  void collect() {
    for (Command& command : out.take()) {
      if (auto* iq = std::get_if<SendIq>(&command)) {
        EXPECT_EQ(iq->to, kBot);
        EXPECT_EQ(iq->from, kSelf);
        asked.push_back(*iq);
      } else if (const auto* save = std::get_if<SavePublished>(&command)) {
        rows_.push_back(save->row);
      } else if (const auto* forget = std::get_if<ForgetPublished>(&command)) {
        EXPECT_EQ(std::erase_if(rows_, [&](const auto& row) { return row.node == forget->node; }),
                  1u);
      } else if (const auto* line = std::get_if<Log>(&command)) {
        if (line->level != Log::Level::debug) log.push_back(line->text);
      }
    }
  }
  std::string serve(const SendIq& iq, bool conditional, bool is_service) {
    const auto xml = jingle::Xml::parse(iq.payload);
    const auto root = xml->root();
    if (jingle::local_name(root) == "query") {
      return std::string("<query xmlns='http://jabber.org/protocol/disco#info'><identity ") +
             (is_service ? "category='pubsub' type='pep'"
                         : "category='account' type='registered'") +
             "/>" +
             (conditional ? "<feature var='http://jabber.org/protocol/pubsub#publish-options'/>"
                          : "") +
             "</query>";
    }
    if (const std::string wrong = fault ? fault() : ""; !wrong.empty()) return wrong;
    if (jingle::effective_ns(root) == "http://jabber.org/protocol/pubsub#owner") {
      const std::string node = jingle::first_element(root).attribute("node").value();
      if (!iq.is_set) {
        if (!service.contains(node)) return kNotFound;
        return "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='" + node +
               "'><x xmlns='jabber:x:data'><field var='pubsub#access_model'><value>" +
               std::string(to_string(service[node].access)) +
               "</value></field></x></configure></pubsub>";
      }
      service[node].access =
          *pubsub::parse_access(jingle::Xml::parse("<iq>" + iq.payload + "</iq>")->root());
      return "";
    }
    const auto request = pubsub::parse(root).value();
    if (const auto* create = std::get_if<pubsub::Manage>(&request)) {
      EXPECT_EQ(root.select_node("//*[@var='pubsub#access_model']/*").node().text().get(),
                to_string(pubsub::Access::presence));
      service[create->node].access = heeds ? pubsub::Access::presence : made;
      return "";
    }
    const auto publish = std::get<pubsub::Publish>(request);
    published.push_back(publish);
    const auto node = *pep::node_of(publish.node);
    const auto payload = pep::parse(node, publish.item.payload.root(), publish.item.id);
    EXPECT_TRUE(payload) << iq.payload;
    // Nothing but a stop goes without its condition, nor without a row.
    if (!is_stop(*payload)) {
      EXPECT_EQ(publish.options.has_value(), conditional);
      EXPECT_TRUE(node == Node::avatar_data || has_row(node));
    }
    Kept& kept = service.try_emplace(publish.node, Kept{.access = made}).first->second;
    if (publish.options && publish.options->access != kept.access) {
      return "<error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
             "<precondition-not-met xmlns='http://jabber.org/protocol/pubsub#errors'/></error>";
    }
    if (!is_stop(*payload)) {
      EXPECT_LE(kept.access, pubsub::Access::presence) << "shown to anybody";
    }
    kept.id = publish.item.id;
    kept.payload = *payload;
    return "";
  }

  std::vector<Published> rows_;
};

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
    Bench bench;
    const bool conditional = round % 2 == 0;
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
