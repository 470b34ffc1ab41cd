// Whom a notifier tells what: audiences, isfocus, clients known late, rosters of several stanzas.
#include <random>

#include "coin/diff.h"
#include "coin/xml.h"
#include "mixer/limits.h"
#include "mixer/notifier.h"
#include "tests/support/focus_bench.h"

namespace {

using namespace std::chrono_literals;
using mixer::DocumentForm;

// Receivers that acknowledge everything at once, and a truth that counts how often it is asked.
struct Hall {
  explicit Hall(mixer::Config::Coin config = {}, double rate = 1e9)
      : budget(rate), notifier("room", config, budget) {
    info.entity = "xmpp:room@mixer.localhost";
    info.description.emplace().display_text = "Room";
    info.users.emplace();
  }

  void list(std::uint64_t n, std::optional<std::uint64_t> behind = std::nullopt) {
    coin::User& user = info.users->users.emplace_back();
    user.entity = "xmpp:u" + std::to_string(n) + "@a.example";
    user.display_text = "u" + std::to_string(n);
    if (behind) user.cascaded_focus = "xmpp:focus" + std::to_string(*behind) + "@b.example";
    coin::Endpoint& endpoint = user.endpoints.emplace_back();
    endpoint.entity = user.entity + "/3f2a9c1d3f2a9c1d";
    endpoint.status = coin::EndpointStatus::connected;
    endpoint.joining_method = coin::JoiningMethod::dialed_in;
    endpoint.media.push_back({"audio", {}, "audio", {}, "3141592653", {}, {}});
    mute(n, false);
  }
  void mute(std::uint64_t n, bool muted) {
    const std::string entity = "xmpp:u" + std::to_string(n) + "@a.example";
    const auto user = std::ranges::find(info.users->users, entity, &coin::User::entity);
    user->endpoints[0].media[0].status =
        muted ? coin::MediaStatus::recvonly : coin::MediaStatus::sendrecv;
    notifier.touch();
  }
  mixer::Receiver receiver(std::uint64_t n, DocumentForm form = DocumentForm::standard) {
    return {.local = test::jid("room@mixer.localhost"),
            .peer = test::jid("u" + std::to_string(n) + "@a.example/x"),
            .sid = {"S" + std::to_string(n)},
            .form = form};
  }
  void add(std::uint64_t n, DocumentForm form = DocumentForm::standard) {
    list(n);
    notifier.add({n}, receiver(n, form));
  }
  mixer::Notifier::Truth truth() {
    return [this](std::optional<media::LegId> without, std::uint64_t) {
      ++looks;
      coin::ConferenceInfo all = info;
      const std::string focus =
          without ? "xmpp:focus" + std::to_string(without->value) + "@b.example" : "nobody";
      std::erase_if(all.users->users,
                    [&](const coin::User& user) { return user.cascaded_focus == focus; });
      return mixer::whole(std::move(all));
    };
  }
  void run(std::chrono::milliseconds duration) {
    const mixer::TimePoint end = now + duration;
    while (notifier.next_deadline() && *notifier.next_deadline() <= end) {
      now = std::max(now, *notifier.next_deadline());
      notifier.advance(truth(), out, now);
      for (auto& command : out.take()) {
        auto iq = std::get<mixer::SendIq>(std::move(command));
        const std::uint64_t n = std::stoull(iq.to.str().substr(1));
        budget.answered(iq.id, now);
        notifier.answered({n}, iq.id, nullptr, now);
        sent_at[n].push_back(now);
        sent[n].push_back(coin::parse(iq.payload).value());
        views[n].receive(sent[n].back());
        payloads[n] = std::move(iq.payload);
      }
      ASSERT_TRUE(!notifier.next_deadline() || *notifier.next_deadline() > now) << "no progress";
    }
    now = end;
  }
  std::size_t users_known(std::uint64_t n) { return views[n].info()->users->users.size(); }

  coin::ConferenceInfo info;
  int looks = 0;
  mixer::ByteBudget budget;
  mixer::Notifier notifier;
  std::mt19937_64 random{1};
  mixer::Outbox out{[this] { return random(); }};
  mixer::TimePoint now{1000s};
  std::map<std::uint64_t, std::vector<coin::ConferenceInfo>> sent;
  std::map<std::uint64_t, std::vector<mixer::TimePoint>> sent_at;
  std::map<std::uint64_t, std::string> payloads;
  std::map<std::uint64_t, coin::View> views;
};

TEST(NotifierAudience, ARoomIsLookedAtOnceForAllAndOnceForEachFocusInIt) {
  Hall hall;
  for (std::uint64_t n = 1; n <= 50; ++n) hall.add(n);
  hall.run(1s);
  EXPECT_EQ(hall.looks, 1);
  hall.add(51, DocumentForm::jitsi);
  hall.run(1s);
  EXPECT_EQ(hall.looks, 2) << "its form is made of the same";
  hall.notifier.set_cascaded({1}, true);
  hall.run(1s);
  EXPECT_EQ(hall.looks, 4);
}

TEST(NotifierAudience, OneChangeAmongAThousandIsAPartialWithThatUserUnderTwoKilobytes) {
  Hall hall;
  for (std::uint64_t n = 1; n <= 1000; ++n) hall.list(n);
  for (const auto form : {DocumentForm::standard, DocumentForm::jitsi}) {
    const std::uint64_t n = form == DocumentForm::jitsi ? 1002 : 1001;
    hall.add(n, form);
  }
  hall.run(60s);
  hall.mute(500, true);
  hall.run(1s);
  for (const std::uint64_t n : {1001, 1002}) {
    EXPECT_EQ(hall.sent[n].back().state, coin::State::partial);
    ASSERT_EQ(hall.sent[n].back().users->users.size(), 1u);
    EXPECT_EQ(hall.sent[n].back().users->users[0].entity, "xmpp:u500@a.example");
    EXPECT_LT(hall.payloads[n].size(), 2048u);
  }
}

// Split horizon: it knows them better, and they would come back to where they came from.
TEST(NotifierAudience, AFocusIsNotToldOfTheUsersBehindIt) {
  Hall hall;
  hall.add(1);
  hall.add(2);
  hall.list(90, 2);
  hall.list(91, 2);
  hall.run(1s);
  EXPECT_EQ(hall.users_known(2), 4u) << "nobody knew yet that it is one";
  hall.notifier.set_cascaded({2}, true);
  hall.run(1s);
  EXPECT_EQ(hall.users_known(2), 2u);
  EXPECT_EQ(hall.sent[2].back().state, coin::State::partial) << "what it was told still counts";
  EXPECT_EQ(hall.users_known(1), 4u);
  hall.notifier.set_cascaded({2}, false);
  hall.run(1s);
  EXPECT_EQ(hall.users_known(2), 4u);
}

TEST(NotifierAudience, WithoutIsfocusNothingIsToldAndThenEverythingFirst) {
  Hall hall;
  hall.add(1);
  hall.run(1s);
  hall.notifier.set_isfocus({1}, false);
  hall.list(2);
  hall.notifier.touch();
  hall.run(200s);
  EXPECT_EQ(hall.sent[1].size(), 1u);
  EXPECT_FALSE(hall.notifier.next_deadline()) << "a one-to-one call costs no timer";
  const auto pulled = hall.notifier.pull({1}, hall.truth(), hall.now);
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error(), jingle::unknown_session());
  hall.notifier.set_isfocus({1}, true);
  hall.run(1s);
  ASSERT_EQ(hall.sent[1].size(), 2u);
  EXPECT_EQ(hall.sent[1][1].state, coin::State::full);
  EXPECT_EQ(hall.sent[1][1].version, 2u);
  EXPECT_EQ(hall.users_known(1), 2u);
}

TEST(NotifierAudience, AClientKnownLateGetsItsFormInTheSameStreamOfVersions) {
  Hall hall;
  hall.list(50);
  hall.info.users->users[0].endpoints[0].status = coin::EndpointStatus::muted_via_focus;
  hall.add(1);
  hall.run(1s);
  hall.notifier.add({1}, hall.receiver(1, DocumentForm::jitsi));
  hall.run(1s);
  ASSERT_EQ(hall.sent[1].size(), 2u);
  EXPECT_EQ(hall.sent[1][1].version, 2u);
  EXPECT_EQ(hall.sent[1][1].state, coin::State::full);
  EXPECT_EQ(hall.payloads[1].find("muted-via-focus"), std::string::npos);
}

TEST(NotifierAudience, NoMoreThanTwoASecondHoweverShortTheCoalescing) {
  Hall hall({.coalesce = 20ms});
  hall.add(1);
  hall.add(2);
  for (int i = 0; i < 200; ++i) {
    hall.mute(2, i % 2 == 0);
    hall.run(30ms);
  }
  const auto& times = hall.sent_at[1];
  ASSERT_GE(times.size(), 10u);
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_GE(times[i] - times[i - 1], 500ms);
}

// A cut document takes those off the list for whom it has no room: not every minute, not for ever.
TEST(NotifierAudience, ARosterOfSeveralStanzasIsHealedOnceAndLate) {
  Hall hall;
  for (std::uint64_t n = 100; n < 1600; ++n) hall.list(n);
  hall.add(1);
  const auto fulls = [&] {
    return std::ranges::count(hall.sent[1], coin::State::full, &coin::ConferenceInfo::state);
  };
  hall.run(60s);
  EXPECT_EQ(hall.users_known(1), 1501u);
  EXPECT_EQ(fulls(), 1);
  hall.run(8min);
  EXPECT_EQ(fulls(), 1);
  EXPECT_EQ(hall.users_known(1), 1501u);
  hall.run(2min);
  EXPECT_EQ(fulls(), 2);
  EXPECT_EQ(hall.users_known(1), 1501u);
  hall.run(60min);
  EXPECT_EQ(fulls(), 2) << "there was no news since";
  hall.mute(100, true);
  hall.run(11min);
  EXPECT_EQ(fulls(), 3);
  EXPECT_EQ(hall.users_known(1), 1501u);
}

TEST(NotifierAudience, HealingWaitsForNewsElsewhereButTenMinutesAtMost) {
  Hall hall({}, 4e3);
  hall.add(1);
  hall.add(2);
  hall.add(3);
  hall.run(1s);
  hall.mute(2, true);
  hall.run(1s);
  ASSERT_EQ(hall.sent[1].back().state, coin::State::partial);
  const mixer::TimePoint start = hall.now;
  // Other rooms spend what the process has, so that less than half of the burst is left.
  while (hall.sent[1].back().state == coin::State::partial && hall.now < start + 20min) {
    while (hall.budget.ready_at() < hall.now - 1s) hall.budget.spend(400, hall.now);
    hall.run(100ms);
  }
  EXPECT_GE(hall.now - start, 9min);
  EXPECT_LE(hall.now - start, mixer::limits::kCoinHealAtLatest + 1s);
}

}  // namespace
