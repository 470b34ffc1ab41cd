// Calls from occupants of chat rooms (XEP-0045): each is a user of its own, though they share a
// bare JID, and only what is a chat room has occupants.
#include "mixer/chat_rooms.h"

#include "tests/support/focus_bench.h"

namespace {

using namespace test;
using mixer::SendPresence;

constexpr char kBot[] = "bot@localhost/focus";
constexpr char kChatRoom[] = "chat@muc.localhost";
constexpr char kAnn[] = "chat@muc.localhost/Ann B";
constexpr char kBob[] = "chat@muc.localhost/bob";
const std::string kMucUser =
    "<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' "
    "role='participant'/></x>";
const std::string kPropose =
    "<propose xmlns='urn:xmpp:jingle-message:0' id='P'><description "
    "xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>";

std::string info_of(const std::string& category) {
  return "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='" + category +
         "' type='text'/></query>";
}

// A bot that sits in the chat room, whose occupants it has seen.
class Occupant : public ::testing::Test {
 protected:
  static mixer::Config config() {
    mixer::Config config = client_config();
    config.access.anyone = true;
    config.limits.pending_per_jid = 1;
    return config;
  }
  // What is asked when it shows up: nothing, or whether it is a chat room.
  Step shows_up(const std::string& occupant) {
    return bench.presence(occupant, kBot, "", kMucUser);
  }
  void enter(const std::string& category = "conference") {
    bench.answers = false;
    const auto asked = shows_up(kAnn).all<mixer::SendIq>();
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].to, jid(kChatRoom));
    EXPECT_TRUE(shows_up(kBob).all<mixer::SendIq>().empty()) << "asked once";
    bench.answered(asked[0], "result", info_of(category));
    EXPECT_TRUE(shows_up(kBob).all<mixer::SendIq>().empty()) << "and known from then on";
    bench.answers = true;
  }

  Bench bench{config()};
  void SetUp() override { bench.up(false, kBot); }
};

TEST_F(Occupant, IsAUserOfItsOwn) {
  enter();
  bench.join(kAnn, kBot, Offer{.sid = "A"});
  bench.join(kBob, kBot, Offer{.sid = "B"});
  bench.wait(2s);
  ASSERT_TRUE(bench.listed("A", "xmpp:chat@muc.localhost/Ann%20B"));
  const coin::User* bob = bench.listed("A", "xmpp:chat@muc.localhost/bob");
  ASSERT_TRUE(bob);
  EXPECT_EQ(bob->display_text, "bob");
  EXPECT_EQ(bob->endpoints.at(0).entity, "xmpp:chat@muc.localhost/bob");
  EXPECT_FALSE(bench.listed("A", "xmpp:chat@muc.localhost"));
  EXPECT_EQ(bench.engine.plans().begin()->second.legs.size(), 2u);
}

TEST_F(Occupant, HasTheLimitsOfAUserForItself) {
  enter();
  EXPECT_EQ(bench.iq(kAnn, kBot, Offer{}.xml()).answer(), "result");
  EXPECT_EQ(bench.iq(kBob, kBot, Offer{}.xml()).answer(), "result");
  EXPECT_EQ(bench.iq(kAnn, kBot, Offer{.sid = "S2"}.xml()).answer(), "resource-constraint");
}

// XEP-0353 §4.2 is about a user's devices.
TEST_F(Occupant, DoesNotTakeOverTheCallOfAnother) {
  enter();
  bench.join(kAnn, kBot, Offer{.sid = "A"});
  const Step step = bench.message(kBob, kBot, kPropose);
  ASSERT_EQ(step.jmi().size(), 2u);
  for (const auto& event : step.jmi()) {
    EXPECT_FALSE(std::holds_alternative<jingle::jmi::Finish>(event.payload));
  }
  bench.join(kBob, kBot, Offer{.sid = "P"});
  EXPECT_EQ(bench.focus.legs(), 2u);
}

// XEP-0045 §7.6: that would ask for another nick.
TEST_F(Occupant, IsSentNoPresence) {
  bench.answers = false;
  shows_up(kAnn);
  EXPECT_TRUE(bench.message(kAnn, kBot, kPropose).all<SendPresence>().empty()) << "nor before";
}

TEST_F(Occupant, EndsItsCallByLeaving) {
  enter();
  bench.join(kAnn, kBot, Offer{.sid = "A"});
  bench.join(kBob, kBot, Offer{.sid = "B"});
  const Step step = bench.presence(kBob, kBot, "unavailable", kMucUser);
  EXPECT_EQ(step.terminated().condition, "success");
  EXPECT_FALSE(step.terminated().text.empty());
  EXPECT_EQ(bench.focus.legs(), 1u);
}

// Otherwise each device of an account would have an account's limits.
TEST_F(Occupant, IsWhoTheChatRoomSaysNotWhoSaysSo) {
  enter("account");
  EXPECT_EQ(bench.iq(kAnn, kBot, Offer{}.xml()).answer(), "result");
  EXPECT_EQ(bench.iq(kBob, kBot, Offer{}.xml()).answer(), "resource-constraint");
}

TEST(ChatRooms, AreAskedAgainWhenTheyDidNotAnswer) {
  mixer::ChatRooms rooms;
  const auto presence =
      std::get<jingle::Presence>(*stanza("<presence xmlns='jabber:client' from='" +
                                         std::string(kAnn) + "'>" + kMucUser + "</presence>"));
  EXPECT_TRUE(rooms.claimed_by(presence));
  EXPECT_FALSE(rooms.claimed_by(presence));
  rooms.unreachable(jid(kChatRoom));
  EXPECT_TRUE(rooms.claimed_by(presence));
}

TEST(ChatRooms, AreBounded) {
  mixer::ChatRooms rooms;
  const auto claim = [&](std::size_t number) {
    return rooms.claimed_by(std::get<jingle::Presence>(
        *stanza("<presence xmlns='jabber:client' from='c" + std::to_string(number) +
                "@muc.localhost/x'>" + kMucUser + "</presence>")));
  };
  for (std::size_t i = 0; i < mixer::limits::kMaxChatRooms; ++i) {
    EXPECT_TRUE(claim(i));
    rooms.learned(jid("c" + std::to_string(i) + "@muc.localhost"),
                  {{{"conference", "text", "", ""}}, {}});
  }
  EXPECT_FALSE(claim(mixer::limits::kMaxChatRooms));
  EXPECT_TRUE(rooms.is_occupant(jid("c7@muc.localhost/x")));
}

}  // namespace
