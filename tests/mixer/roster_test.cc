#include "mixer/roster.h"

#include <algorithm>

#include "mixer/limits.h"
#include "tests/support/allocations.h"
#include "tests/support/focus_bench.h"

namespace {

using namespace std::chrono_literals;
using mixer::Departure;
using mixer::Disclose;
using mixer::Participant;
using mixer::Roster;
using mixer::TimePoint;

Participant participant(const std::string& peer, std::uint32_t id, const std::string& token) {
  return {.peer = test::jid(peer), .token = token, .contributor_id = id, .plan = {}};
}
Roster roster(Disclose disclose) {
  return Roster(test::jid("room@mixer.localhost"),
                {.name = "room", .display_text = "Tea", .subject = {}, .disclose = disclose});
}

// RFC 4575 §5.3: "conference-description says what the conference is called"
// RFC 4575 §5.6: "a user is one person, whatever devices he calls from"
// RFC 4575 §5.7: "an endpoint is one of his devices or calls"
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

// RFC 4575 §5.6: "display-text is what to call him"
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

// The user of that entity in what everybody but `without` is told; its display-text is empty if it
// is not there.
coin::User user(const Roster& room, const std::string& entity,
                std::optional<media::LegId> without = {}) {
  const auto info = room.info(without);
  const auto found = std::ranges::find(info.users->users, entity, &coin::User::entity);
  return found == info.users->users.end() ? coin::User{} : *found;
}
coin::User told(const std::string& entity, const std::string& name, const std::string& conference) {
  coin::User user;
  user.entity = entity;
  user.display_text = name;
  user.cascaded_focus = conference;
  user.endpoints.emplace_back().entity = entity;
  user.endpoints.back().status = coin::EndpointStatus::connected;
  return user;
}

// RFC 4575 §5.7: "status: disconnected, by which disconnection-method, and when, why and by whom"
TEST(Roster, WhoLeftIsListedAsDisconnectedForAWhile) {
  Roster room = roster(Disclose::bare);
  room.set({1}, participant("ann@a.example/x", 1, "t1"));
  room.set({2}, participant("bob@b.example/x", 2, "t2"));
  const Departure busy{coin::DisconnectionMethod::booted,
                       {.when = "2026-01-01T00:00:00Z",
                        .reason = "noise\n",
                        .by = "xmpp:bob@b.example/x",
                        .foreign = {}}};
  EXPECT_TRUE(room.depart({1}, busy, TimePoint(10s)));
  EXPECT_FALSE(room.depart({1}, busy, TimePoint(20s)));
  EXPECT_EQ(room.users(), 1u);
  EXPECT_EQ(room.info().conference_state->user_count, 1u);
  EXPECT_EQ(room.names(), std::vector<std::string>{"bob"});
  const coin::User ann = user(room, "xmpp:ann@a.example");
  ASSERT_EQ(ann.endpoints.size(), 1u);
  EXPECT_EQ(ann.endpoints[0].entity, "xmpp:ann@a.example/t1");
  EXPECT_EQ(ann.endpoints[0].status, coin::EndpointStatus::disconnected);
  EXPECT_EQ(ann.endpoints[0].disconnection_method, coin::DisconnectionMethod::booted);
  EXPECT_EQ(ann.endpoints[0].disconnection_info->reason, "noise");
  EXPECT_EQ(ann.endpoints[0].disconnection_info->by, "xmpp:bob@b.example");
  EXPECT_TRUE(ann.endpoints[0].media.empty());
  EXPECT_EQ(room.next_deadline(), TimePoint(10s));
  EXPECT_FALSE(room.expire(TimePoint(9s)));
  EXPECT_TRUE(room.expire(TimePoint(10s)));
  EXPECT_EQ(room.info().users->users.size(), 1u);
  EXPECT_EQ(room.next_deadline(), std::nullopt);
}

TEST(Roster, WhoReturnsIsTheSameUserAndHasNotDeparted) {
  Roster room = roster(Disclose::nick);
  room.set({1}, participant("ann@a.example/x", 1, "t1"));
  room.set({2}, participant("ann@b.example/x", 2, "t2"));
  room.depart({2}, {}, TimePoint(10s));
  room.set({3}, participant("ann@c.example/x", 3, "t3"));
  EXPECT_EQ(room.name_of({3}), "ann (3)") << "the name of who left is kept for him";
  room.set({4}, participant("ann@b.example/y", 4, "t4"));
  EXPECT_EQ(room.name_of({4}), "ann (2)");
  const coin::User ann = user(room, "xmpp:room@mixer.localhost/t2");
  ASSERT_EQ(ann.endpoints.size(), 1u);
  EXPECT_EQ(ann.endpoints[0].status, coin::EndpointStatus::connected);
  EXPECT_EQ(room.next_deadline(), std::nullopt);
}

TEST(Roster, OneOfTwoCallsThatEndsIsNoDeparture) {
  Roster room = roster(Disclose::bare);
  room.set({1}, participant("ann@a.example/x", 1, "t1"));
  room.set({2}, participant("ann@a.example/y", 2, "t2"));
  EXPECT_TRUE(room.depart({1}, {}, TimePoint(10s)));
  EXPECT_EQ(user(room, "xmpp:ann@a.example").endpoints.size(), 1u);
  EXPECT_EQ(room.next_deadline(), std::nullopt);
}

TEST(Roster, KeepsNobodyWhereTheRoomDoesNotAndABoundedNumberElsewhere) {
  Roster forgetful(test::jid("room@mixer.localhost"),
                   {.name = "room", .display_text = {}, .subject = {}, .departed_for = 0s});
  forgetful.set({1}, participant("ann@a.example/x", 1, "t1"));
  EXPECT_TRUE(forgetful.depart({1}, {}, TimePoint(10s)));
  EXPECT_TRUE(forgetful.info().users->users.empty());

  Roster room = roster(Disclose::bare);
  const auto most = static_cast<int>(mixer::limits::kMaxDeparted);
  for (int i = 0; i <= most; ++i) {
    const media::LegId leg{static_cast<std::uint64_t>(i)};
    room.set(leg, participant("u" + std::to_string(i) + "@a.example/x", 1, "t"));
    room.depart(leg, {}, TimePoint(std::chrono::seconds(i)));
  }
  EXPECT_EQ(room.info().users->users.size(), mixer::limits::kMaxDeparted);
  EXPECT_EQ(room.next_deadline(), TimePoint(1s)) << "the first to go went";
}

// RFC 4575 §5.7: "status: dialing-out before he answers, by joining-method dialed-out"
TEST(Roster, WhoIsInvitedIsListedBeforeHeAnswersFromSomeDevice) {
  Roster room = roster(Disclose::full);
  Participant bob = participant("bob@b.example", 0, "t1");
  bob.status = coin::EndpointStatus::dialing_out;
  bob.joining_method = coin::JoiningMethod::dialed_out;
  room.set({1}, bob);
  EXPECT_EQ(room.users(), 0u);
  EXPECT_EQ(room.info().conference_state->user_count, 0u);
  EXPECT_TRUE(room.names().empty());
  coin::Endpoint shown = user(room, "xmpp:bob@b.example").endpoints.at(0);
  EXPECT_EQ(shown.entity, "xmpp:bob@b.example");
  EXPECT_EQ(shown.joining_method, coin::JoiningMethod::dialed_out);
  EXPECT_TRUE(shown.media.empty()) << "no media yet";
  bob.peer = test::jid("bob@b.example/phone");
  bob.status = coin::EndpointStatus::connected;
  bob.contributor_id = 7;
  EXPECT_TRUE(room.set({1}, bob));
  EXPECT_EQ(room.users(), 1u);
  shown = user(room, "xmpp:bob@b.example").endpoints.at(0);
  EXPECT_EQ(shown.entity, "xmpp:bob@b.example/phone");
  EXPECT_EQ(shown.media.at(0).src_id, "7");
}

// RFC 4575 §5.7: "joining-info says who asked him"
TEST(Roster, WhoInvitedIsDisclosedAsHeIsHimself) {
  const auto by = [](Disclose disclose, const std::string& who) {
    Roster room = roster(disclose);
    room.set({1}, participant("ann@a.example/phone", 1, "t1"));
    Participant bob = participant("bob@b.example/x", 2, "t2");
    bob.joining_info.by = who;
    room.set({2}, bob);
    const auto info = room.info();
    const auto& endpoint = info.users->users.at(1).endpoints.at(0);
    return endpoint.joining_info ? endpoint.joining_info->by.value_or("") : "";
  };
  const std::string ann = "xmpp:ann@a.example/phone";
  EXPECT_EQ(by(Disclose::full, ann), ann);
  EXPECT_EQ(by(Disclose::bare, ann), "xmpp:ann@a.example");
  EXPECT_EQ(by(Disclose::nick, ann), "xmpp:room@mixer.localhost/t1");
  EXPECT_EQ(by(Disclose::nick, "xmpp:somebody@a.example"), "") << "nobody's JID";
  EXPECT_EQ(by(Disclose::nick, "xmpp:room@mixer.localhost"), "xmpp:room@mixer.localhost");
}

// RFC 4575 §5.6: "cascaded-focus is the conference by which a user is connected to this one"
TEST(Roster, UsersBehindAnotherFocusAreListedOnceWithTheirFocus) {
  const std::string far = "xmpp:far@b.example", third = "xmpp:third@c.example";
  Roster room = roster(Disclose::bare);
  room.set({1}, participant("ann@a.example/x", 1, "t1"));
  room.set({2}, participant("far@b.example/focus", 2, "t2"));
  room.set({3}, participant("third@c.example/focus", 3, "t3"));
  EXPECT_FALSE(room.set_cascade({9}, far, {})) << "no such leg";
  EXPECT_TRUE(room.set_cascade(
      {2}, far,
      {told("xmpp:ann@a.example", "ann", far), told("xmpp:ann@b.example", "ann", far),
       told("xmpp:dan@b.example", "", far)}));
  EXPECT_TRUE(room.set_cascade({3}, third, {told("xmpp:ann@b.example", "ann", third)}));
  const auto info = room.info();
  EXPECT_EQ(info.users->users.size(), 5u);
  EXPECT_EQ(info.conference_state->user_count, 5u);
  EXPECT_EQ(room.users(), 3u);
  EXPECT_EQ(user(room, "xmpp:far@b.example").cascaded_focus, far) << "the other focus's own leg";
  EXPECT_EQ(user(room, "xmpp:ann@a.example").cascaded_focus, std::nullopt) << "she is here";
  EXPECT_EQ(user(room, "xmpp:ann@b.example").display_text, "ann (2)");
  EXPECT_EQ(user(room, "xmpp:ann@b.example").cascaded_focus, far);
  EXPECT_EQ(user(room, "xmpp:dan@b.example").display_text, "dan");
  EXPECT_EQ(room.names(), (std::vector<std::string>{"ann", "far", "third", "ann (2)", "dan"}));

  EXPECT_EQ(user(room, "xmpp:dan@b.example", media::LegId{2}), coin::User{});
  EXPECT_EQ(user(room, "xmpp:ann@b.example", media::LegId{3}), coin::User{}) << "it knows better";
  EXPECT_EQ(user(room, "xmpp:dan@b.example", media::LegId{3}).cascaded_focus, far);
  EXPECT_EQ(room.info(media::LegId{2}).conference_state->user_count, 3u);

  room.remove({2});
  EXPECT_EQ(user(room, "xmpp:ann@b.example").cascaded_focus, third) << "still there by the other";
  EXPECT_EQ(user(room, "xmpp:dan@b.example"), coin::User{});
  EXPECT_TRUE(room.set_cascade({3}, "", {}));
  EXPECT_FALSE(room.set_cascade({3}, "", {}));
  EXPECT_EQ(user(room, "xmpp:third@c.example").cascaded_focus, std::nullopt);
  EXPECT_EQ(room.info().users->users.size(), 2u);
}

// XEP-0298 §1: "This means that it can also be used in cases where only a subset of the users on a"
TEST(Roster, UsersOfOtherNetworksKeepTheirUris) {
  const std::string gateway = "xmpp:gateway@sip.example";
  Roster room = roster(Disclose::nick);
  room.set({1}, participant("gateway@sip.example/focus", 1, "t1"));
  room.set_cascade({1}, gateway, {told("sip:alice@example.com", "Alice", gateway)});
  const coin::User alice = user(room, "sip:alice@example.com");
  EXPECT_EQ(alice.display_text, "Alice");
  EXPECT_EQ(alice.endpoints.at(0).status, coin::EndpointStatus::connected);
  EXPECT_EQ(room.info().conference_state->user_count, 2u);
}

TEST(Roster, WhoComesBackBehindAnotherFocusHasNotDeparted) {
  Roster room = roster(Disclose::bare);
  room.set({1}, participant("ann@a.example/x", 1, "t1"));
  room.set({2}, participant("far@b.example/focus", 2, "t2"));
  room.depart({1}, {}, TimePoint(10s));
  room.set_cascade({2}, "xmpp:far@b.example",
                   {told("xmpp:ann@a.example", "ann", "xmpp:far@b.example")});
  EXPECT_EQ(user(room, "xmpp:ann@a.example").cascaded_focus, "xmpp:far@b.example");
  EXPECT_EQ(user(room, "xmpp:ann@a.example").display_text, "ann");
  EXPECT_EQ(room.next_deadline(), std::nullopt);
}

// Jitsi desktop: the conference and a user of it have its user's full JID.
// XEP-0298 §2: "This entity may be a person hosting the conference and doing the mixing or a"
TEST(Roster, APersonWhoMixesIsDisclosedLikeAnyOther) {
  const std::string conference = "xmpp:ann@a.example/Jitsi";
  for (const Disclose disclose : {Disclose::bare, Disclose::nick}) {
    Roster room = roster(disclose);
    room.set({1}, participant("ann@a.example/Jitsi", 1, "t1"));
    room.set_cascade(
        {1}, conference,
        {told(conference, "Ann", conference), told("xmpp:dan@b.example", "dan", conference)});
    const std::string document = coin::write(room.info());
    EXPECT_EQ(document.find("Jitsi"), std::string::npos) << document;
    EXPECT_EQ(room.info().users->users.size(), 2u) << document;
    const std::string ann =
        disclose == Disclose::bare ? "xmpp:ann@a.example" : "xmpp:room@mixer.localhost/t1";
    EXPECT_EQ(user(room, ann).cascaded_focus, ann);
    EXPECT_EQ(user(room, "xmpp:dan@b.example").cascaded_focus, ann);
  }
}

// Foci need the URI to know circles by; people do not.
TEST(Roster, ANickIsAllThatPeopleLearnOfWhoMixes) {
  const std::string conference = "xmpp:ann@a.example";
  Roster room = roster(Disclose::nick);
  room.set({1}, participant("ann@a.example/Jitsi", 1, "t1"));
  room.set({2}, participant("far@b.example/focus", 2, "t2"));
  room.set_cascade({1}, conference, {told("xmpp:dan@b.example", "dan", conference)});
  const std::string document = coin::write(room.info());
  EXPECT_EQ(document.find("ann@a.example"), std::string::npos) << document;
  const std::string ann = "xmpp:room@mixer.localhost/t1";
  EXPECT_EQ(user(room, ann).cascaded_focus, ann);
  EXPECT_EQ(user(room, "xmpp:dan@b.example").cascaded_focus, ann);
  EXPECT_EQ(user(room, ann, media::LegId{2}).cascaded_focus, conference);
  EXPECT_EQ(user(room, "xmpp:dan@b.example", media::LegId{2}).cascaded_focus, conference);
}

// RFC 4575 §5.7.4 focus-owner.
TEST(Roster, TheFocusIsListedWhileItPlaysOrRecordsByWhatItDoes) {
  const std::string focus = "xmpp:room@mixer.localhost";
  Roster room = roster(Disclose::nick);
  room.set({1}, participant("ann@a.example/x", 1, "t1"));
  EXPECT_FALSE(room.set_doing(false, std::nullopt));
  EXPECT_EQ(user(room, focus), coin::User{});
  mixer::NowPlaying piece{.title = "ann"};
  EXPECT_TRUE(room.set_doing(false, piece));
  EXPECT_FALSE(room.set_doing(false, piece));
  EXPECT_EQ(user(room, focus).display_text, "Playing: ann") << "nobody is called so";
  EXPECT_EQ(user(room, focus).endpoints.at(0).joining_method, coin::JoiningMethod::focus_owner);
  EXPECT_EQ(user(room, focus).endpoints.at(0).media.at(0).status, coin::MediaStatus::sendonly);
  EXPECT_EQ(user(room, focus, media::LegId{1}), user(room, focus)) << "other foci, too";
  EXPECT_EQ(room.info().description->free_text, std::nullopt);
  piece.paused = true;
  EXPECT_TRUE(room.set_doing(false, piece));
  EXPECT_EQ(user(room, focus).endpoints.at(0).status, coin::EndpointStatus::on_hold);
  EXPECT_TRUE(room.set_doing(true, piece));
  EXPECT_EQ(user(room, focus).display_text, "Recording; playing: ann");
  EXPECT_EQ(user(room, focus).endpoints.at(0).status, coin::EndpointStatus::connected);
  EXPECT_EQ(user(room, focus).endpoints.at(0).media.at(0).status, coin::MediaStatus::sendrecv);
  EXPECT_EQ(room.info().users->users.size(), 2u) << "one for both";
  EXPECT_EQ(room.info().conference_state->user_count, 1u) << "it is nobody";
  EXPECT_EQ(room.names(), std::vector<std::string>{"ann"});
  EXPECT_TRUE(room.set_doing(true, std::nullopt));
  EXPECT_EQ(user(room, focus).display_text, "Recording");
  EXPECT_NE(room.info().description->free_text, std::nullopt);
  EXPECT_TRUE(room.set_doing(false, std::nullopt));
  EXPECT_EQ(user(room, focus), coin::User{});
}

// A room asks at each of its events.
TEST(Roster, WhatTheFocusStillDoesIsNoNewsAndCostsNothing) {
  const std::string focus = "xmpp:room@mixer.localhost";
  Roster room = roster(Disclose::bare);
  Participant occupant = participant("chat@muc.example/Playing: x", 1, "t1");
  occupant.occupant = true;
  room.set({1}, occupant);
  const std::optional<mixer::NowPlaying> piece = mixer::NowPlaying{.title = "x"};
  EXPECT_TRUE(room.set_doing(false, piece));
  room.remove({1});
  test_support::count_allocations();
  EXPECT_FALSE(room.set_doing(false, piece));
  EXPECT_EQ(test_support::allocations_counted(), 0u);  // a sanitizer's are not
  EXPECT_EQ(user(room, focus).display_text, "Playing: x (2)") << "it keeps its name, as all do";
}

TEST(Roster, ATitleIsShownLikeAnyName) {
  const auto called = [](const std::string& title) {
    Roster room = roster(Disclose::bare);
    room.set_doing(false, mixer::NowPlaying{.title = title});
    return user(room, "xmpp:room@mixer.localhost").display_text.value_or("");
  };
  EXPECT_EQ(called("a\u202eb\n"), "Playing: ab");
  EXPECT_EQ(called("\u200f\x01"), "Playing");
  EXPECT_EQ(called(std::string(200, 'x')).size(), mixer::limits::kMaxDisplayCodePoints);
}

TEST(Roster, WhatAnotherFocusDoesIsShownAtItsOwnLeg) {
  const std::string far = "xmpp:far@b.example";
  Roster room = roster(Disclose::bare);
  room.set({1}, participant("far@b.example/focus", 1, "t1"));
  room.set({2}, participant("third@c.example/focus", 2, "t2"));
  room.set_cascade({1}, far, {});
  EXPECT_TRUE(room.set_cascade({1}, far, {}, "Recording"));
  EXPECT_FALSE(room.set_cascade({1}, far, {}, "Recording"));
  EXPECT_EQ(user(room, far).display_text, "Recording (far)");
  EXPECT_EQ(user(room, far, media::LegId{2}).display_text, "Recording (far)") << "foci pass it on";
  EXPECT_TRUE(room.set_cascade({1}, far, {}));
  EXPECT_EQ(user(room, far).display_text, "far");
}

// RFC 4575 §5.8: "media status is from the participant's point of view"
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

TEST(Roster, ASubjectIsMadeDisplayable) {
  const Roster roster(test::jid("room@mixer.localhost"),
                      {.name = "room", .display_text = {}, .subject = "Tea\x01 \u202eand cake"});
  EXPECT_EQ(roster.info().description->subject, "Tea and cake");
}

}  // namespace
