// What people call themselves (XEP-0172) is what the others read of them: what they said when they
// asked to see the room, or, where the operator lists it and they share it in this call, what they
// publish; and it takes nobody else's name.
#include <gmock/gmock.h>

#include "mixer/limits.h"
#include "mixer/nicks.h"
#include "tests/mixer/sharing_room.h"

namespace {

using namespace test;
using mixer::Nicks;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kNode[] = "http://jabber.org/protocol/nick";

std::string nick(const std::string& text) {
  return std::string("<nick xmlns='") + kNode + "'>" + text + "</nick>";
}
std::string item(const std::string& text) {
  return event("<item>" + nick(text) + "</item>", kNode);
}

class NickInARoom : public SharingInARoom {
 protected:
  explicit NickInARoom(std::set<jingle::pep::Node> relay = {jingle::pep::Node::nick})
      : SharingInARoom(relaying(std::move(relay))) {}
  void subscribes(const std::string& text, const std::string& from = "ann@localhost",
                  const std::string& to = kRoom) {
    bench.presence(from, to, "subscribe", nick(text));
  }
  // As Bob reads it.
  std::string name_of(const std::string& user = "ann@localhost") {
    bench.wait(3s);
    const auto* listed = bench.listed("B", "xmpp:" + user);
    return listed ? listed->display_text.value_or("") : "not listed";
  }
};

TEST_F(NickInARoom, ThatIsPublishedIsWhatOneIsCalledOnceItIsShared) {
  publishes(item("Ann of Oslo"));
  EXPECT_EQ(name_of(), "ann") << "she has not said so";
  EXPECT_THAT(says("share nick"), HasSubstr("The call sees of you: nick."));
  publishes(item("Ann of Oslo"));
  EXPECT_EQ(name_of(), "Ann of Oslo");
  publishes(item("Annie"));
  EXPECT_EQ(name_of(), "Annie");
  EXPECT_THAT(seen(), IsEmpty()) << "it is a name and no more";
  bench.join("ann@localhost/desk", kRoom, Offer{.sid = "A2"});
  bench.iq(kAnn, kFocus, terminate("A"));
  EXPECT_EQ(name_of(), "Annie") << "of all her devices";
  bench.iq("ann@localhost/desk", kFocus, terminate("A2"));
  bench.join(kAnn, kRoom, Offer{.sid = "A3"});
  publishes(item("Annie"));
  EXPECT_EQ(name_of(), "ann") << "in another call she has not said so";
  EXPECT_EQ(name_of("bob@localhost"), "bob");
}

TEST_F(NickInARoom, ThatWasPublishedBeforeIsAskedFor) {
  bench.answers = false;
  const Step step = bench.message(kAnn, kRoom, "<body>share nick</body>");
  const auto asked = step.all<mixer::SendIq>();
  ASSERT_EQ(asked.size(), 1u);
  bench.answers = true;
  bench.answered(asked[0], "result",
                 std::string("<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='") +
                     kNode + "'><item>" + nick("Annie") + "</item></items></pubsub>");
  EXPECT_EQ(name_of(), "Annie");
}

// XEP-0163 §4.3: what is not asked for does not come.
class NickUnlisted : public NickInARoom {
 protected:
  NickUnlisted() : NickInARoom({jingle::pep::Node::mood}) {}
};
TEST_F(NickUnlisted, IsNeitherAskedForNorTold) {
  const Step info =
      bench.iq(kBob, kFocus, "<query xmlns='http://jabber.org/protocol/disco#info'/>", "get");
  EXPECT_THAT(info.reply().result.value(), Not(HasSubstr(kNode)));
  EXPECT_THAT(says("share nick"), HasSubstr("You can share: mood."));
  publishes(item("Annie"));
  EXPECT_EQ(name_of(), "ann");
}

TEST_F(NickInARoom, IsTakenFromARequestToSeeTheRoomWhichWhatIsSharedGoesBefore) {
  subscribes("Ann at work");
  EXPECT_EQ(name_of(), "Ann at work");
  says("share nick");
  publishes(item("Annie"));
  EXPECT_EQ(name_of(), "Annie");
  says("unshare nick");
  EXPECT_EQ(name_of(), "Ann at work");
  bench.presence("ann@localhost", kRoom, "unsubscribe");
  EXPECT_EQ(name_of(), "ann");
}

TEST_F(NickInARoom, OfARequestGoesWithWhatItAskedFor) {
  for (const char* end : {"unsubscribe", "unsubscribed", "error"}) {
    subscribes("Annie");
    EXPECT_EQ(name_of(), "Annie") << end;
    bench.presence("ann@localhost", kRoom, end,
                   end == std::string("error")
                       ? "<error type='cancel'><gone "
                         "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
                       : "");
    EXPECT_EQ(name_of(), "ann") << end;
  }
}

TEST_F(NickInARoom, OfManyRequestsOfOneAccountLeaveTheOthersTheirs) {
  subscribes("Annie");
  for (std::size_t i = 0; i <= mixer::limits::kMaxNicks; ++i) {
    subscribes("Eve", "bob@localhost", "r" + std::to_string(i) + "@mixer.localhost");
  }
  bench.iq(kAnn, kFocus, terminate("A"));
  bench.join(kAnn, kRoom, Offer{.sid = "A2"});
  EXPECT_EQ(name_of(), "Annie");
}

TEST_F(NickInARoom, IsNotTakenFromARequestThatIsRefused) {
  bench.presence("ann@localhost", kRoom, "unsubscribe");
  for (std::size_t i = 0; i < mixer::limits::kMaxRoomsPerSubscriber; ++i) {
    subscribes("Annie", "ann@localhost", "r" + std::to_string(i) + "@mixer.localhost");
  }
  subscribes("Annie");
  EXPECT_EQ(name_of(), "ann");
}

TEST_F(NickInARoom, GoesInEveryWayItCan) {
  for (const std::string& end :
       {item(""), item(" \t "), event("<retract id='current'/>", kNode), event("<item/>", kNode),
        event("<item><other xmlns='urn:x'/></item>", kNode), std::string("unshare"),
        std::string("unshare nick"), std::string("unsubscribed"), std::string("unsubscribe")}) {
    says("share nick");
    publishes(item("Annie"));
    EXPECT_EQ(name_of(), "Annie") << end;
    if (end.starts_with("<")) {
      publishes(end);
    } else if (end.starts_with("unshare")) {
      says(end);
    } else {
      bench.presence("ann@localhost", kRoom, end);
    }
    EXPECT_EQ(name_of(), "ann") << end;
  }
}

TEST_F(NickInARoom, OnlyHerOwnAccountNamesHerAndOnlyForThatRoom) {
  says("share nick");
  for (const char* stranger : {"eve@stranger.example", "bob@localhost/desk", "ann@localhost/phone",
                               "localhost", "room@mixer.localhost"}) {
    publishes(item("Annie"), stranger);
    EXPECT_EQ(name_of(), "ann") << stranger;
  }
  EXPECT_EQ(name_of("bob@localhost"), "bob");
  bench.message("ann@localhost", "other@mixer.localhost/focus", item("Annie"), "headline");
  subscribes("Annie", "ann@localhost", "other@mixer.localhost");
  EXPECT_EQ(name_of(), "ann");
}

TEST_F(NickInARoom, IsMadeDisplayable) {
  const std::string odd = "  Ann&#x202E;ie " + std::string(100, 'x');
  subscribes(odd);
  EXPECT_EQ(name_of(), "Annie " + std::string(58, 'x'));
  says("share nick");
  publishes(item(odd + " at work"));
  EXPECT_EQ(name_of(), "Annie " + std::string(58, 'x'));
}

// XEP-0172 §7: a nick proves nothing.
TEST_F(NickInARoom, TakesNobodysName) {
  subscribes("BOB");
  EXPECT_EQ(name_of(), "ann") << "he is there";
  says("share nick");
  publishes(item("Cyd"));
  EXPECT_EQ(name_of(), "Cyd");
  bench.join("cyd@localhost/x", kRoom, Offer{.sid = "C"});
  EXPECT_EQ(name_of("cyd@localhost"), "cyd");
  EXPECT_EQ(name_of(), "ann") << "he has come";
}

TEST_F(NickInARoom, NobodyElseIsToldWhereThereIsNoNews) {
  says("share nick");
  publishes(item("Annie"));
  bench.wait(10s);
  publishes(item("Annie"));
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
