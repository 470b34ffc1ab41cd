// When a room says that it is the focus of a conference (XEP-0298 §5), and documents that follow
// from it (§6).
#include "tests/support/focus_bench.h"

namespace {

using namespace test;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kBob[] = "bob@localhost/desk";
constexpr char kRoom[] = "room@mixer.localhost";

// A room that is a conference while two are in it; clients announce Coin.
struct Multiparty : Bench {
  Multiparty() : Bench(config()) { client = disco("x", "urn:xmpp:coin:1"); }
  static mixer::Config config() {
    mixer::Config config = component_config();
    config.room_defaults.focus = mixer::FocusWhen::multiparty;
    return config;
  }
  // The same, and all that is said meanwhile.
  Step joins(const std::string& who, const std::string& sid) {
    Step step = iq(who, kRoom, Offer{.sid = sid}.xml());
    const auto leg = step.all<mixer::OpenLeg>().at(0).spec.leg;
    add(step, media(engine.opened(leg)));
    add(step, media(engine.connected(leg)));
    return step;
  }
  static void add(Step& step, const Step& more) {
    step.commands.insert(step.commands.end(), more.commands.begin(), more.commands.end());
  }
};

// What session-infos of `step` said to `who`, in order.
std::vector<bool> isfocus_to(const Step& step, const std::string& who) {
  std::vector<bool> said;
  for (const auto& [iq, request] : step.jingle()) {
    const auto* info = std::get_if<jingle::SessionInfo>(&request.payload);
    if (!info || iq.to != jid(who)) continue;
    if (const auto* focus = std::get_if<jingle::FocusInfo>(&info->payload)) {
      said.push_back(focus->isfocus);
    }
  }
  return said;
}
using Said = std::vector<bool>;

TEST(IsFocus, AlwaysIsSaidInTheAcceptAndNotRepeated) {
  Multiparty bench;
  Bench always;
  always.client = bench.client;
  const Step step = always.iq(kAnn, kRoom, Offer{}.xml());
  const Step accepted =
      always.media(always.engine.opened(step.all<mixer::OpenLeg>().at(0).spec.leg));
  EXPECT_EQ(accepted.sent<jingle::SessionAccept>().at(0).isfocus, true);
  EXPECT_TRUE(accepted.sent<jingle::SessionInfo>().empty());
}

// XEP-0298 §5: "Finally, when transforming an existing one-to-one session into a conference or"
TEST(IsFocus, ACallOfOneBecomesAConferenceAndIsOneNoMore) {
  Multiparty bench;
  Step step = bench.joins(kAnn, "A");
  Multiparty::add(step, bench.wait(100s));
  EXPECT_NE(step.sent<jingle::SessionAccept>().at(0).isfocus, true);
  EXPECT_TRUE(step.sent<jingle::SessionInfo>().empty());
  EXPECT_TRUE(step.documents().empty()) << "isfocus was not said yet";

  step = bench.joins(kBob, "B");
  Multiparty::add(step, bench.wait(1s));
  EXPECT_EQ(isfocus_to(step, kAnn), Said{true});
  EXPECT_EQ(isfocus_to(step, kBob), Said{true});
  EXPECT_NE(bench.listed("A", "xmpp:bob@localhost"), nullptr);
  EXPECT_NE(bench.listed("B", "xmpp:ann@localhost"), nullptr);
  const auto version = bench.views.at("A").info()->version;

  step = bench.iq(kBob, kRoom, terminate("B"));
  Multiparty::add(step, bench.wait(100s));
  EXPECT_EQ(isfocus_to(step, kAnn), Said{false});
  EXPECT_TRUE(isfocus_to(step, kBob).empty()) << "its session is over";
  EXPECT_TRUE(step.documents().empty());

  step = bench.joins(kBob, "B2");
  Multiparty::add(step, bench.wait(1s));
  EXPECT_EQ(isfocus_to(step, kAnn), Said{true});
  for (const auto& [iq, info] : step.documents()) {
    if (iq.to != jid(kAnn)) continue;
    EXPECT_EQ(info.state, coin::State::full) << "much may have been missed";
    EXPECT_EQ(info.version, *version + 1) << "the session is the same";
    break;
  }
}

// 1. ann is accepted as the only one: nothing is said. 2. bob makes it a conference. 3. Only now is
// it known what ann's client is.
TEST(IsFocus, IsSaidWhenTheClientTurnsOutToUnderstandIt) {
  Multiparty bench;
  bench.answers = false;
  const Step initiated = bench.iq(kAnn, kRoom, Offer{.sid = "A"}.xml());
  const auto leg = initiated.all<mixer::OpenLeg>().at(0).spec.leg;
  bench.media(bench.engine.opened(leg));
  bench.media(bench.engine.connected(leg));
  bench.answers = true;
  Step step = bench.joins(kBob, "B");
  EXPECT_TRUE(isfocus_to(step, kAnn).empty());
  step = bench.answered(initiated.all<mixer::SendIq>().at(0), "result", bench.client);
  EXPECT_EQ(isfocus_to(step, kAnn), Said{true});
  Multiparty::add(step, bench.wait(1s));
  EXPECT_NE(bench.listed("A", "xmpp:bob@localhost"), nullptr);
}

// The room becomes a conference between the caller's session-initiate and our session-accept.
TEST(IsFocus, TheAcceptSaysWhatHoldsWhenItIsSent) {
  Multiparty bench;
  const Step initiated = bench.iq(kAnn, kRoom, Offer{.sid = "A"}.xml());
  bench.joins(kBob, "B");
  bench.joins("cyd@localhost/x", "C");
  const Step step =
      bench.media(bench.engine.opened(initiated.all<mixer::OpenLeg>().at(0).spec.leg));
  EXPECT_EQ(step.sent<jingle::SessionAccept>().at(0).isfocus, true);
  EXPECT_TRUE(isfocus_to(step, kAnn).empty());
}

TEST(IsFocus, WhoAnnouncedNoCoinGetsNoSessionInfoAndNoDocumentBeforeItWasTold) {
  Multiparty bench;
  bench.client = disco("Gajim");
  Step step = bench.joins(kAnn, "A");
  Multiparty::add(step, bench.joins(kBob, "B"));
  Multiparty::add(step, bench.joins("cyd@localhost/x", "C"));
  Multiparty::add(step, bench.wait(100s));
  EXPECT_TRUE(step.sent<jingle::SessionInfo>().empty());
  for (const auto& [iq, info] : step.documents()) {
    EXPECT_EQ(iq.to, jid("cyd@localhost/x")) << "whose session-accept said it";
  }
  EXPECT_FALSE(step.documents().empty());
}

TEST(IsFocus, JitsiIsToldByASessionInfoOnlyWhileItHolds) {
  Multiparty bench;
  bench.client = disco("Jitsi 2.13");
  Step step = bench.joins(kAnn, "A");
  EXPECT_TRUE(step.sent<jingle::SessionInfo>().empty());
  step = bench.joins(kBob, "B");
  EXPECT_EQ(isfocus_to(step, kAnn), Said{true});
  EXPECT_EQ(isfocus_to(step, kBob), Said{true});
  step = bench.iq(kAnn, kRoom, terminate("A"));
  EXPECT_EQ(isfocus_to(step, kBob), Said{false});
}

TEST(IsFocus, WithoutItThereIsNoDocumentToAskFor) {
  Multiparty bench;
  const std::string get = "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info'/>";
  bench.joins(kAnn, "A");
  EXPECT_EQ(bench.iq(kAnn, kRoom, get, "get").answer(), "item-not-found/unknown-session");
  bench.joins(kBob, "B");
  EXPECT_TRUE(bench.iq(kAnn, kRoom, get, "get").acked());
}

TEST(IsFocus, WhoAsksForADocumentUnderstandsBoth) {
  Multiparty bench;
  bench.client = disco("Gajim");
  bench.joins(kAnn, "A");
  bench.joins(kBob, "B");
  const Step step = bench.iq(
      kAnn, kRoom, "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info'/>", "get");
  EXPECT_TRUE(step.acked());
  EXPECT_EQ(isfocus_to(step, kAnn), Said{true});
}

// XEP-0298 §6: established, advertised, and only then documents.
TEST(IsFocus, WhoAsksForADocumentIsToldOfTheFocusBeforeHeGetsIt) {
  Multiparty bench;
  bench.client = disco("Gajim");
  bench.joins(kAnn, "A");
  bench.joins(kBob, "B");
  const std::string get = "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info'/>";
  const Step step = bench.iq(kAnn, kRoom, get, "get");
  ASSERT_GE(step.commands.size(), 2u);
  const auto* said = std::get_if<mixer::SendIq>(&step.commands[0]);
  ASSERT_TRUE(said) << "the document was first";
  EXPECT_NE(said->payload.find("isfocus"), std::string::npos);
  const auto* document = std::get_if<mixer::Reply>(&step.commands[1]);
  ASSERT_TRUE(document);
  EXPECT_TRUE(document->result.value().starts_with("<conference-info"));
}

}  // namespace
