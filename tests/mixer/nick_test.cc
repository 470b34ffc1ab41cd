// What people call themselves (XEP-0172) is what the others read of them, if they told the room so
// themselves, and takes nobody else's name.
#include <gmock/gmock.h>

#include "mixer/limits.h"
#include "mixer/nicks.h"
#include "tests/support/focus_bench.h"

namespace {

using namespace test;
using mixer::Nicks;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kBob[] = "bob@localhost/desk";
constexpr char kRoom[] = "room@mixer.localhost";
constexpr char kFocus[] = "room@mixer.localhost/focus";
constexpr char kNode[] = "http://jabber.org/protocol/nick";

std::string nick(const std::string& text) {
  return std::string("<nick xmlns='") + kNode + "'>" + text + "</nick>";
}
std::string event(const std::string& inside) {
  return std::string("<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='") +
         kNode + "'>" + inside + "</items></event>";
}
std::string item(const std::string& text) { return event("<item>" + nick(text) + "</item>"); }

class NickInARoom : public testing::Test {
 protected:
  NickInARoom() {
    bench.client = disco("", "urn:xmpp:coin:1");
    bench.up();
    bench.join(kBob, kRoom, Offer{.sid = "B"});
  }
  void publishes(const std::string& event, const std::string& from = "ann@localhost") {
    bench.message(from, kFocus, event, "headline");
  }
  void ann_calls() { bench.join(kAnn, kRoom, Offer{.sid = "A"}); }
  // As Bob reads it.
  std::string name_of(const std::string& user) {
    bench.wait(3s);
    const auto* listed = bench.listed("B", "xmpp:" + user);
    return listed ? listed->display_text.value_or("") : "not listed";
  }
  Bench bench;
};

TEST_F(NickInARoom, IsWhatOneIsCalledFromTheFirstAndWhenItChanges) {
  publishes(item("Ann of Oslo"));
  ann_calls();
  EXPECT_EQ(name_of("ann@localhost"), "Ann of Oslo");
  publishes(item("Annie"));
  EXPECT_EQ(name_of("ann@localhost"), "Annie");
  bench.join("ann@localhost/desk", kRoom, Offer{.sid = "A2"});
  bench.iq(kAnn, kFocus, terminate("A"));
  EXPECT_EQ(name_of("ann@localhost"), "Annie") << "of all her devices";
  EXPECT_EQ(name_of("bob@localhost"), "bob");
}

TEST_F(NickInARoom, IsTakenFromARequestToSeeTheRoom) {
  bench.presence("ann@localhost", kRoom, "subscribe", nick("Annie"));
  ann_calls();
  EXPECT_EQ(name_of("ann@localhost"), "Annie");
}

TEST_F(NickInARoom, GoesInEveryWayItCan) {
  ann_calls();
  for (const std::string& end : {item(""), item(" \t "), event("<retract id='current'/>"),
                                 event("<item/>"), event("<item><other xmlns='urn:x'/></item>"),
                                 std::string("unsubscribed"), std::string("unsubscribe")}) {
    publishes(item("Annie"));
    EXPECT_EQ(name_of("ann@localhost"), "Annie") << end;
    if (end.starts_with("<")) {
      publishes(end);
    } else {
      bench.presence("ann@localhost", kRoom, end);
    }
    EXPECT_EQ(name_of("ann@localhost"), "ann") << end;
  }
}

TEST_F(NickInARoom, OnlyHerOwnAccountNamesHerAndOnlyForThatRoom) {
  ann_calls();
  for (const char* stranger : {"eve@stranger.example", "bob@localhost/desk", "ann@localhost/phone",
                               "localhost", "room@mixer.localhost"}) {
    publishes(item("Annie"), stranger);
    EXPECT_EQ(name_of("ann@localhost"), "ann") << stranger;
  }
  EXPECT_EQ(name_of("bob@localhost"), "bob");
  bench.message("ann@localhost", "other@mixer.localhost/focus", item("Annie"), "headline");
  EXPECT_EQ(name_of("ann@localhost"), "ann");
}

TEST_F(NickInARoom, IsMadeDisplayable) {
  publishes(item("  Ann&#x202E;ie " + std::string(100, 'x')));
  ann_calls();
  EXPECT_EQ(name_of("ann@localhost"), "Annie " + std::string(58, 'x'));
}

// XEP-0172 §7: a nick proves nothing.
TEST_F(NickInARoom, TakesNobodysName) {
  publishes(item("BOB"));
  ann_calls();
  EXPECT_EQ(name_of("ann@localhost"), "ann") << "he is there";
  publishes(item("Cyd"));
  EXPECT_EQ(name_of("ann@localhost"), "Cyd");
  bench.join("cyd@localhost/x", kRoom, Offer{.sid = "C"});
  EXPECT_EQ(name_of("cyd@localhost"), "cyd");
  EXPECT_EQ(name_of("ann@localhost"), "ann") << "he has come";
}

TEST_F(NickInARoom, NobodyElseIsToldWhereThereIsNoNews) {
  publishes(item("Annie"));
  ann_calls();
  bench.wait(10s);
  bench.message("ann@localhost", kFocus, item("Annie"), "headline");
  EXPECT_TRUE(bench.wait(10s).documents().empty());
}

TEST(Nicks, AreBounded) {
  Nicks nicks;
  const auto who = [](std::size_t i) { return jid("u" + std::to_string(i) + "@localhost"); };
  for (std::size_t i = 0; i < mixer::limits::kMaxNicks; ++i)
    EXPECT_TRUE(nicks.set("r", who(i), "x"));
  EXPECT_FALSE(nicks.set("r", who(0), "x")) << "no news";
  EXPECT_TRUE(nicks.set("r", who(0), "y"));
  EXPECT_TRUE(nicks.set("r", jid("one@more.example"), "z"));
  EXPECT_EQ(nicks.of("r", who(0)), "y");
  EXPECT_EQ(nicks.of("r", who(1)), "") << "named longest ago";
  EXPECT_EQ(nicks.of("r", who(2)), "x");
  EXPECT_EQ(nicks.of("q", who(2)), "");
  EXPECT_TRUE(nicks.set("r", who(2), ""));
  EXPECT_FALSE(nicks.set("r", who(2), ""));
}

}  // namespace
