#include "tools/call/coin_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coin/xml.h"
#include "tests/support/conference_generator.h"
#include "tests/support/conference_printer.h"
#include "tests/support/seed.h"
#include "tools/call/visible.h"

namespace call {
namespace {

using coin::ConferenceInfo;
using testing::ElementsAre;
using Lines = std::vector<std::string>;

coin::User user(const std::string& name) {
  coin::Media audio;
  audio.id = "audio";
  audio.type = "audio";
  audio.src_id = std::to_string(100 + name.front());
  audio.status = coin::MediaStatus::sendrecv;
  coin::Endpoint endpoint;
  endpoint.entity = "xmpp:" + name + "@localhost/x";
  endpoint.status = coin::EndpointStatus::connected;
  endpoint.joining_method = coin::JoiningMethod::dialed_in;
  endpoint.media = {audio};
  coin::User user;
  user.entity = "xmpp:" + name + "@localhost";
  user.display_text = name;
  user.endpoints = {endpoint};
  return user;
}

ConferenceInfo room(std::vector<coin::User> users) {
  ConferenceInfo info;
  info.entity = "xmpp:room@mixer.localhost";
  info.description.emplace().display_text = "Room";
  info.users.emplace().users = std::move(users);
  return info;
}

coin::Endpoint& endpoint(ConferenceInfo& info, std::size_t number = 0) {
  return info.users->users.at(number).endpoints.at(0);
}

// The words when `change` happens to a room with ann and bob.
template <class Change>
Lines words(Change change) {
  const auto before = room({user("ann"), user("bob")});
  auto after = before;
  change(after);
  return difference(before, after);
}

TEST(CoinWords, NoDifferenceIsSaidIffTheSameIsShown) {
  const auto seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  test_support::ConferenceGenerator generator(seed);
  int same = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto before = generator.full();
    const auto after = generator.chance(20) ? generator.full() : generator.edited(before);
    const auto lines = difference(before, after);
    ASSERT_EQ(lines.empty(), shown(before) == shown(after)) << i << testing::PrintToString(lines);
    same += lines.empty() ? 1 : 0;
    if (lines.empty()) {
      ASSERT_EQ(table(shown(before), {}), table(shown(after), {})) << i;
    }
    ASSERT_TRUE(difference(after, generator.shuffled(after)).empty()) << i;
    for (const auto& line : lines) ASSERT_EQ(visible(line), line) << i;
  }
  EXPECT_GT(same, 30) << "edits that are not shown";
  EXPECT_LT(same, 2900);
}

TEST(CoinWords, WhoComesAndGoes) {
  EXPECT_THAT(words([](auto& info) { info.users->users.push_back(user("cyd")); }),
              ElementsAre("cyd (xmpp:cyd@localhost) came: connected, dialed-in, audio sendrecv, "
                          "src-id 199"));
  EXPECT_THAT(words([](auto& info) { info.users->users.pop_back(); }),
              ElementsAre("bob (xmpp:bob@localhost) went"));
  EXPECT_THAT(words([](auto& info) {
                auto cyd = user("cyd");
                cyd.endpoints[0].status = coin::EndpointStatus::alerting;
                cyd.cascaded_focus = "xmpp:other@mixer";
                info.users->users.push_back(cyd);
              }),
              ElementsAre("cyd (xmpp:cyd@localhost) is listed: alerting, dialed-in, audio "
                          "sendrecv, src-id 199; behind xmpp:other@mixer"));
}

TEST(CoinWords, MuteAndHoldAreTheParticipants) {
  const auto set_audio = [](coin::MediaStatus status) {
    return [status](ConferenceInfo& info) { endpoint(info).media[0].status = status; };
  };
  EXPECT_THAT(words(set_audio(coin::MediaStatus::recvonly)), ElementsAre("ann muted"));
  EXPECT_THAT(words(set_audio(coin::MediaStatus::inactive)),
              ElementsAre("ann audio is now inactive"));
  auto muted = room({user("ann")});
  endpoint(muted).media[0].status = coin::MediaStatus::recvonly;
  EXPECT_THAT(difference(muted, room({user("ann")})), ElementsAre("ann unmuted"));
  auto held = room({user("ann")});
  endpoint(held).status = coin::EndpointStatus::on_hold;
  EXPECT_THAT(difference(room({user("ann")}), held), ElementsAre("ann holds"));
  EXPECT_THAT(difference(held, room({user("ann")})), ElementsAre("ann resumed"));
}

TEST(CoinWords, EveryStatusHasItsWord) {
  std::set<Lines> all;
  for (int status = 0; status <= static_cast<int>(coin::EndpointStatus::disconnected); ++status) {
    all.insert(words([status](auto& info) {
      endpoint(info).status = static_cast<coin::EndpointStatus>(status);
    }));
  }
  EXPECT_EQ(all.size(), 9U);
  EXPECT_TRUE(all.contains({"ann is alerting"}));
  EXPECT_TRUE(all.contains({})) << "connected already";
}

TEST(CoinWords, WhoLeavesDoesSoForAReason) {
  EXPECT_THAT(words([](auto& info) {
                endpoint(info).status = coin::EndpointStatus::disconnected;
                endpoint(info).disconnection_method = coin::DisconnectionMethod::busy;
                auto& left = endpoint(info).disconnection_info.emplace();
                left.when = "2026-01-01T00:00:00Z";
                left.reason = "on the phone";
              }),
              ElementsAre("ann left (busy 2026-01-01T00:00:00Z (on the phone))"));
}

TEST(CoinWords, NamesSubjectAndCountChange) {
  EXPECT_THAT(words([](auto& info) {
                info.description->subject = "Budget";
                info.conference_state.emplace().user_count = 2;
                info.users->users[0].display_text = "Ann";
                endpoint(info, 1).media[0].src_id = "7";
              }),
              ElementsAre("the subject is \"Budget\"", "user-count is 2",
                          "ann is now called \"Ann\"", "bob has src-id 7"));
}

TEST(CoinWords, AUserWithTwoDevicesIsToldApart) {
  EXPECT_THAT(words([](auto& info) {
                auto second = endpoint(info);
                second.entity += "2";
                info.users->users[0].endpoints.push_back(second);
                endpoint(info).status = coin::EndpointStatus::on_hold;
              }),
              ElementsAre("ann at xmpp:ann@localhost/x holds",
                          "ann is at xmpp:ann@localhost/x2: connected, dialed-in, audio sendrecv, "
                          "src-id 197"));
}

TEST(CoinTable, ShowsARowForEachEndpointAndMarksWhoTalks) {
  auto cyd = user("cyd");
  cyd.cascaded_focus = "xmpp:other@mixer";
  cyd.endpoints[0].status = coin::EndpointStatus::disconnected;
  cyd.endpoints[0].disconnection_method = coin::DisconnectionMethod::departed;
  auto info = room({user("bob"), cyd});
  info.conference_state.emplace().user_count = 1;
  // clang-format off
  EXPECT_EQ(table(shown(info), {198}),
            "xmpp:room@mixer.localhost  \"Room\"  users 1\n"
            "  user                display-text  status                 joined     audio     src-id  behind\n"
            "* xmpp:bob@localhost  bob           connected              dialed-in  sendrecv  198\n"
            "  xmpp:cyd@localhost  cyd           disconnected departed  dialed-in  sendrecv  199     xmpp:other@mixer\n");
  // clang-format on
}

TEST(CoinTable, NamesNeitherTurnNorClearTheScreenNorPushOthersAside) {
  auto turned = user("ann"), clearing = user("bob"), wide = user("cyd");
  turned.display_text = "ann\u202egro.live\u202c";
  clearing.display_text = "b\nob\u009b2J";
  wide.display_text = std::string();
  for (int i = 0; i < 40; ++i) *wide.display_text += "\u65e5";
  for (auto* each : {&turned, &clearing, &wide}) each->endpoints.clear();
  // clang-format off
  EXPECT_EQ(table(shown(room({turned, clearing, wide})), {}),
            "xmpp:room@mixer.localhost  \"Room\"\n"
            "  user                display-text              status  joined  audio  src-id  behind\n"
            "  xmpp:ann@localhost  ann&#x202e;gro.live&#x2…\n"
            "  xmpp:bob@localhost  b&#xa;ob&#x9b;2J\n"
            "  xmpp:cyd@localhost  日日日日日日日日日日日日日日日日日日日日日日日…\n");
  // clang-format on
}

TEST(CoinTable, FitsThePage) {
  std::vector<coin::User> users;
  for (char name = 'a'; name <= 'z'; ++name) users.push_back(user(std::string(1, name)));
  const auto text = table(shown(room(users)), {}, {.columns = 20, .rows = 10});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 10);
  EXPECT_NE(text.find("  … and 19 more\n"), std::string::npos) << text;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(code_points(line), 20U) << line;
}

TEST(Visible, NeverEscapesItsBounds) {
  const auto seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const Lines pieces{"a",      " ",    "\u00e4", "\u65e5",     "\u202e", "\n", "\x1b",
                     "\u009b", "\xc3", "\xff",   "\U0001f600", "\ufeff", "&",  "…"};
  for (int i = 0; i < 5000; ++i) {
    std::string text;
    for (auto n = random() % 12; n > 0; --n) text += pieces[random() % pieces.size()];
    const std::size_t most = 1 + random() % 20;
    const auto once = visible(text, most);
    ASSERT_LE(code_points(once), most) << text;
    ASSERT_EQ(visible(once, most), once) << text;
    for (const char* bad : {"\u202e", "\n", "\x1b", "\u009b", "\ufeff"}) {
      ASSERT_EQ(once.find(bad), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace call
