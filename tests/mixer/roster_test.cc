#include "mixer/roster.h"

#include "tests/support/focus_bench.h"

namespace {

using mixer::Disclose;
using mixer::Participant;
using mixer::Roster;

Participant participant(const std::string& peer, std::uint32_t id, const std::string& token) {
  return {.peer = test::jid(peer), .token = token, .contributor_id = id, .plan = {}};
}
Roster roster(Disclose disclose) {
  return Roster(test::jid("room@mixer.localhost"),
                {.name = "room", .display_text = "Tea", .subject = {}, .disclose = disclose});
}

TEST(Roster, IsAConferenceDocumentWithOneUserPerPersonAndOneEndpointPerCall) {
  Roster room = roster(Disclose::bare);
  EXPECT_TRUE(room.set({1}, participant("ann@a.example/phone", 2124, "t1")));
  EXPECT_TRUE(room.set({2}, participant("ann@a.example/desk", 4000000000, "t2")));
  EXPECT_TRUE(room.set({3}, participant("bob@b.example/x", 7, "t3")));
  EXPECT_FALSE(room.set({3}, participant("bob@b.example/x", 7, "t3"))) << "nothing changed";
  const auto info = room.info();
  EXPECT_EQ(info.entity, "xmpp:room@mixer.localhost");
  EXPECT_EQ(info.description->display_text, "Tea");
  EXPECT_EQ(info.conference_state->user_count, 2u);
  ASSERT_EQ(info.users->users.size(), 2u);
  const auto& ann = info.users->users[0];
  EXPECT_EQ(ann.entity, "xmpp:ann@a.example");
  EXPECT_EQ(ann.display_text, "ann");
  ASSERT_EQ(ann.endpoints.size(), 2u);
  EXPECT_EQ(ann.endpoints[0].entity, "xmpp:ann@a.example/t1");
  EXPECT_EQ(ann.endpoints[0].status, coin::EndpointStatus::connected);
  EXPECT_EQ(ann.endpoints[1].media.at(0).src_id, "4000000000");
  EXPECT_EQ(ann.endpoints[1].media.at(0).status, coin::MediaStatus::sendrecv);
}

TEST(Roster, DisclosesWhatTheRoomSays) {
  const auto all = [](Disclose disclose) {
    Roster room = roster(disclose);
    room.set({1}, participant("ann@a.example/phone", 1, "t1"));
    return coin::write(room.info());
  };
  EXPECT_NE(all(Disclose::full).find("xmpp:ann@a.example/phone"), std::string::npos);
  EXPECT_EQ(all(Disclose::bare).find("phone"), std::string::npos);
  EXPECT_EQ(all(Disclose::nick).find("a.example"), std::string::npos);
  EXPECT_NE(all(Disclose::nick).find("ann"), std::string::npos);
}

TEST(Roster, EqualNamesAreNumberedAndStayWhileTheUserStays) {
  Roster room = roster(Disclose::bare);
  room.set({1}, participant("ann@a.example/x", 1, "t1"));
  room.set({2}, participant("ann@b.example/x", 2, "t2"));
  room.set({3}, participant("ann@c.example/x", 3, "t3"));
  EXPECT_EQ(room.name_of({2}), "ann (2)");
  EXPECT_EQ(room.name_of({3}), "ann (3)");
  room.remove({1});
  EXPECT_EQ(room.name_of({2}), "ann (2)");
  room.set({4}, participant("ann@d.example/x", 4, "t4"));
  EXPECT_EQ(room.name_of({4}), "ann");
}

TEST(Roster, AUserLeavesWithItsLastCall) {
  Roster room = roster(Disclose::bare);
  room.set({1}, participant("ann@a.example/x", 1, "t1"));
  room.set({2}, participant("ann@a.example/y", 2, "t2"));
  EXPECT_TRUE(room.remove({1}));
  EXPECT_EQ(room.users(), 1u);
  EXPECT_TRUE(room.remove({2}));
  EXPECT_FALSE(room.remove({2}));
  EXPECT_EQ(room.users(), 0u);
}

TEST(Roster, MediaStatusIsTheParticipantsPointOfView) {
  EXPECT_EQ(mixer::media_status({.leg = {}, .in_mix = true, .receives = true}),
            coin::MediaStatus::sendrecv);
  EXPECT_EQ(mixer::media_status({.leg = {}, .in_mix = false, .receives = true}),
            coin::MediaStatus::recvonly);
  EXPECT_EQ(mixer::media_status({.leg = {}, .in_mix = true, .receives = false}),
            coin::MediaStatus::sendonly);
  EXPECT_EQ(mixer::media_status({.leg = {}, .in_mix = false, .receives = false}),
            coin::MediaStatus::inactive);
}

}  // namespace
