// What is remembered of the programs that call, and when they are asked again (XEP-0030).
#include "tests/support/focus_bench.h"

namespace {

using namespace test;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kRoom[] = "room@mixer.localhost";

// How often ann is asked what her client is when she calls again a minute after that answer.
std::size_t asked_again(const std::string& type, const std::string& child) {
  Bench bench;
  bench.up();
  bench.answers = false;
  const auto asks = [](const Step& step) {
    std::vector<mixer::SendIq> out;
    for (const auto& iq : step.all<mixer::SendIq>()) {
      if (!iq.is_set) out.push_back(iq);
    }
    return out;
  };
  const auto first = asks(bench.iq(kAnn, kRoom, Offer{.sid = "A1"}.xml()));
  EXPECT_EQ(first.size(), 1u);
  bench.answered(first.at(0), type, child);
  bench.iq(kAnn, kRoom, terminate("A1"));
  bench.wait(60s);
  return asks(bench.iq(kAnn, kRoom, Offer{.sid = "A2"}.xml())).size();
}
std::string error(const std::string& type, const std::string& condition) {
  return "<error type='" + type + "'><" + condition +
         " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
}

TEST(Clients, WhoAnsweredIsNotAskedAgainForAWhile) {
  EXPECT_EQ(asked_again("result", disco("x")), 0u);
  EXPECT_EQ(asked_again("error", error("cancel", "service-unavailable")), 0u);
}

// RFC 6120 §8.3.2: an error of type wait is temporary.
TEST(Clients, WhoCouldNotBeReachedIsAskedAgainWhenHeCallsAgain) {
  EXPECT_EQ(asked_again("error", error("wait", "resource-constraint")), 1u);
  EXPECT_EQ(asked_again("error", error("wait", "remote-server-timeout")), 1u);
  EXPECT_EQ(asked_again("error", error("cancel", "remote-server-timeout")), 1u);
  EXPECT_EQ(asked_again("error", error("cancel", "recipient-unavailable")), 1u);
}

// Asked as a device of somebody invited, it has called by itself when the answer comes.
TEST(Clients, AnAnswerCountsWhateverItWasAskedFor) {
  Bench bench;
  bench.up();
  bench.join("bob@localhost/desk", kRoom, Offer{.sid = "B"});
  bench.answers = false;
  bench.presence(kAnn, kRoom, "",
                 "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/>");
  auto invited = bench.focus.invite(
      {.room = "room", .target = jid("ann@localhost"), .by = std::nullopt}, bench.now);
  const Step step = bench.perform(std::move(invited.commands));
  std::optional<mixer::SendIq> asked;
  for (const auto& iq : step.all<mixer::SendIq>()) {
    if (!iq.is_set) asked = iq;
  }
  ASSERT_TRUE(asked);
  bench.join(kAnn, kRoom, Offer{.sid = "A"});
  bench.answered(*asked, "result", disco("x", "urn:xmpp:coin:1"));
  bench.wait(1s);  // nobody waits so shortly for an answer to the other question
  EXPECT_TRUE(bench.views.contains("A"));
}

}  // namespace
