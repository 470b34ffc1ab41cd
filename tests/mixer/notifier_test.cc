#include "mixer/notifier.h"

#include <random>

#include "coin/diff.h"
#include "coin/xml.h"
#include "mixer/limits.h"
#include "tests/support/focus_bench.h"

namespace {

using namespace std::chrono_literals;
using mixer::TimePoint;

// A room's notifier, its roster, and receivers that apply what they are sent.
struct Room {
  explicit Room(mixer::Config::Coin config = {}, double rate = 4e6)
      : budget(rate),
        notifier("room", config, budget),
        random(1),
        out([this] { return random(); }) {}

  mixer::Roster roster{test::jid("room@mixer.localhost"), {}};
  mixer::ByteBudget budget;
  mixer::Notifier notifier;
  std::mt19937_64 random;
  mixer::Outbox out;
  TimePoint now{1000s};
  std::map<std::string, coin::View> views;
  std::map<std::string, std::vector<coin::ConferenceInfo>> received;
  std::vector<mixer::SendIq> last;
  std::set<std::string> deaf;  // never answer

  static std::string peer(std::uint64_t n) { return "u" + std::to_string(n) + "@a.example/x"; }

  void join(std::uint64_t n, bool announced = true, bool pushed = true) {
    set(n, {.leg = {}, .in_mix = true, .receives = true});
    notifier.add({n}, {.local = test::jid("room@mixer.localhost"),
                       .peer = test::jid(peer(n)),
                       .sid = {"S" + std::to_string(n)},
                       .pushed = pushed,
                       .announced = announced});
  }
  void set(std::uint64_t n, media::LegPlan plan) {
    if (roster.set({n}, {.peer = test::jid(peer(n)),
                         .token = "t" + std::to_string(n),
                         .contributor_id = static_cast<std::uint32_t>(n),
                         .plan = plan})) {
      notifier.touch();
    }
  }
  void leave(std::uint64_t n) {
    if (roster.remove({n})) notifier.touch();
    notifier.remove({n});
    views.erase(peer(n));
    received.erase(peer(n));
  }
  // Sends what is due now; hearers apply and acknowledge.
  void step() {
    notifier.advance(roster, out, now);
    last.clear();
    for (auto& command : out.take()) last.push_back(std::get<mixer::SendIq>(command));
    for (const auto& iq : last) {
      const std::string to = iq.to.str();
      if (deaf.contains(to)) {
        views.erase(to);  // without this document it knows nothing for certain
        continue;
      }
      auto info = coin::parse(iq.payload);
      ASSERT_TRUE(info) << iq.payload;
      EXPECT_EQ(views[to].receive(*info), coin::View::Outcome::applied) << iq.payload;
      received[to].push_back(*info);
      const auto awaited = out.answered(iq.id, iq.to);
      ASSERT_TRUE(awaited);
      notifier.answered(awaited->leg, iq.id, nullptr, now);
    }
  }
  void run(std::chrono::milliseconds duration) {
    const TimePoint end = now + duration;
    while (notifier.next_deadline() && *notifier.next_deadline() <= end) {
      now = std::max(now, *notifier.next_deadline());
      step();
      ASSERT_TRUE(!notifier.next_deadline() || *notifier.next_deadline() > now) << "no progress";
    }
    now = end;
  }
  // What that receiver has assembled is the truth (versions and sids are each session's own).
  bool knows_the_truth(std::uint64_t n) {
    if (!views[peer(n)].info() || views[peer(n)].stale()) return false;
    coin::ConferenceInfo assembled = *views[peer(n)].info();
    assembled.version.reset();
    assembled.sid.reset();
    return assembled == roster.info();
  }
  int documents(std::uint64_t n) { return static_cast<int>(received[peer(n)].size()); }
  coin::State last_state(std::uint64_t n) { return received[peer(n)].back().state; }
};

// RFC 4575 §5.2: "every document has the version after that of the one before"
// RFC 4575 §3.2: "the first document that somebody gets is full"
TEST(Notifier, FirstDocumentIsFullLaterOnesPartialAndVersionsRiseByOne) {
  Room room;
  room.join(1);
  room.join(2);
  room.run(1s);
  ASSERT_EQ(room.documents(1), 1);
  EXPECT_EQ(room.last_state(1), coin::State::full);
  EXPECT_EQ(room.received[Room::peer(1)][0].version, 1u);
  EXPECT_EQ(room.received[Room::peer(1)][0].sid, "S1");
  room.join(3);
  room.run(1s);
  ASSERT_EQ(room.documents(1), 2);
  EXPECT_EQ(room.last_state(1), coin::State::partial);
  EXPECT_EQ(room.received[Room::peer(1)][1].version, 2u);
  EXPECT_EQ(room.received[Room::peer(1)][1].users->users.size(), 1u);
  EXPECT_TRUE(room.received[Room::peer(1)][1].description) << "Jitsi refuses documents without";
  ASSERT_EQ(room.documents(3), 1);
  EXPECT_EQ(room.last_state(3), coin::State::full);
  room.leave(2);
  room.run(1s);
  EXPECT_EQ(room.received[Room::peer(1)][2].users->users.at(0).state, coin::State::deleted);
}

TEST(Notifier, ABurstOfChangesIsOneDocument) {
  Room room;
  room.join(1);
  room.run(1s);
  for (std::uint64_t n = 2; n <= 50; ++n) {
    room.join(n);
    room.run(5ms);
  }
  room.run(2s);
  EXPECT_LE(room.documents(1), 3);
  EXPECT_TRUE(room.knows_the_truth(1));
}

TEST(Notifier, AChangeTakenBackWithinTheBurstIsNotTold) {
  Room room;
  room.join(1);
  room.join(2);
  room.run(1s);
  room.join(3);
  room.run(10ms);
  const int before = room.documents(1);
  room.set(2, {.leg = {}, .in_mix = false});
  room.set(2, {.leg = {}, .in_mix = true});
  room.run(5s);
  EXPECT_EQ(room.documents(1), before);
}

TEST(Notifier, OneDocumentIsInFlightUntilAnsweredOrFiveSeconds) {
  Room room;
  room.deaf = {Room::peer(1)};
  room.join(1);
  room.join(2);
  room.step();
  ASSERT_EQ(room.last.size(), 2u);
  room.join(3);
  room.run(4900ms);
  for (const auto& iq : room.last) EXPECT_NE(iq.to.str(), Room::peer(1));
  room.deaf.clear();
  room.run(200ms);
  ASSERT_EQ(room.documents(1), 1);
  EXPECT_EQ(room.last_state(1), coin::State::full) << "what became of the first is not known";
  EXPECT_EQ(room.received[Room::peer(1)][0].version, 2u);
}

TEST(Notifier, WhoNeverAnswersIsToldEverLessOften) {
  Room room;
  room.deaf = {Room::peer(1)};
  room.join(1);
  int sent = 0;
  const TimePoint end = room.now + 600s;
  while (room.notifier.next_deadline() && *room.notifier.next_deadline() <= end) {
    room.now = std::max(room.now, *room.notifier.next_deadline());
    room.step();
    sent += static_cast<int>(room.last.size());
  }
  EXPECT_GE(sent, 8);
  EXPECT_LE(sent, 20);
}

TEST(Notifier, WaitErrorsEarnAFullDocumentOthersSilence) {
  for (const char* type : {"wait", "cancel", "modify", "auth"}) {
    Room room;
    room.deaf = {Room::peer(1)};
    room.join(1);
    room.step();
    ASSERT_EQ(room.last.size(), 1u);
    const jingle::StanzaError error{type, "whatever", {}, {}, {}};
    room.notifier.answered({1}, room.last[0].id, &error, room.now);
    room.deaf.clear();
    room.join(2);
    room.run(30s);
    EXPECT_EQ(room.documents(1), type == std::string("wait") ? 1 : 0) << type;
    if (room.documents(1) > 0) {
      EXPECT_EQ(room.received[Room::peer(1)][0].state, coin::State::full);
    }
    EXPECT_GE(room.documents(2), 1);
  }
}

TEST(Notifier, WhoAnnouncedNothingGetsOneDocumentAndAfterSilenceNoMore) {
  Room room;
  room.deaf = {Room::peer(1)};
  room.join(1, false);
  room.step();
  EXPECT_EQ(room.last.size(), 1u);
  room.join(2);
  room.run(120s);
  room.deaf.clear();
  room.join(3);
  room.run(10s);
  EXPECT_EQ(room.documents(1), 0);
}

TEST(Notifier, WhoAnnouncedNothingButAcknowledgesIsServedOn) {
  Room room;
  room.join(1, false);
  room.run(1s);
  room.join(2);
  room.run(1s);
  EXPECT_EQ(room.documents(1), 2);
}

TEST(Notifier, NobodyIsPushedAgainstHisProfile) {
  Room room;
  room.join(1, true, false);
  room.join(2);
  room.run(10s);
  EXPECT_EQ(room.documents(1), 0);
}

TEST(Notifier, HealsWithAFullDocumentSixtySecondsAfterThePartial) {
  Room room;
  room.join(1);
  room.join(2);
  room.run(1s);
  room.join(3);
  room.run(1s);
  ASSERT_EQ(room.last_state(1), coin::State::partial);
  const int before = room.documents(1);
  room.run(58s);
  EXPECT_EQ(room.documents(1), before);
  room.run(3s);
  ASSERT_EQ(room.documents(1), before + 1);
  EXPECT_EQ(room.last_state(1), coin::State::full);
  room.run(300s);
  EXPECT_EQ(room.documents(1), before + 1) << "once healed there is nothing to repeat";
}

TEST(Notifier, HealsEveryTwentyPartials) {
  Room room;
  for (std::uint64_t n = 1; n <= 10; ++n) room.join(n);
  room.run(1s);
  bool muted = false;
  for (int i = 0; i < 45; ++i) {
    room.set(2, {.leg = {}, .in_mix = muted});
    muted = !muted;
    room.run(1s);
  }
  int partials = 0, longest = 0;
  for (const auto& info : room.received[Room::peer(1)]) {
    partials = info.state == coin::State::partial ? partials + 1 : 0;
    longest = std::max(longest, partials);
  }
  EXPECT_EQ(longest, mixer::limits::kCoinPartialsInARow);
}

TEST(Notifier, EverybodyGetsAFullDocumentAfterTheConnectionCameBack) {
  Room room;
  room.join(1);
  room.join(2);
  room.run(1s);
  room.notifier.connection_down();
  room.join(3);
  EXPECT_FALSE(room.notifier.next_deadline()) << "nothing can be sent";
  room.notifier.connection_up(room.now);
  room.run(1s);
  for (std::uint64_t n = 1; n <= 3; ++n) EXPECT_EQ(room.last_state(n), coin::State::full);
  EXPECT_TRUE(room.knows_the_truth(1));
}

TEST(Notifier, ABodyIsSerialisedForAllWhoKnowTheSame) {
  Room room;
  for (std::uint64_t n = 1; n <= 20; ++n) room.join(n);
  room.run(1s);
  room.join(21);
  room.run(499ms);
  room.last.clear();
  room.leave(21);
  room.run(1s);
  // What differs between receivers is the root's tag only.
  std::set<std::string> bodies;
  room.join(22);
  room.now += 600ms;
  room.step();
  for (const auto& iq : room.last) {
    if (iq.to.str() != Room::peer(22))
      bodies.insert(iq.payload.substr(iq.payload.find("<conference-d")));
  }
  EXPECT_EQ(bodies.size(), 1u);
}

TEST(Notifier, PullIsTheNextDocumentOfTheSession) {
  Room room;
  room.join(1);
  room.run(1s);
  room.join(2);
  const auto info = coin::parse(room.notifier.pull({1}, room.roster, room.now).value());
  ASSERT_TRUE(info);
  EXPECT_EQ(info->state, coin::State::full);
  EXPECT_EQ(info->version, 2u);
  EXPECT_EQ(room.views[Room::peer(1)].receive(*info), coin::View::Outcome::applied);
  room.run(2s);
  EXPECT_EQ(room.documents(1), 1) << "it knows already";
  room.join(3);
  room.run(2s);
  EXPECT_TRUE(room.knows_the_truth(1));
}

TEST(Notifier, NoStanzaExceedsTheLimitAndTheRestFollowsAsPartials) {
  Room room({}, 1e9);
  for (std::uint64_t n = 1; n <= 2000; ++n) room.set(n, {});
  room.join(5000);
  std::size_t largest = 0;
  const TimePoint end = room.now + 300s;
  while (room.notifier.next_deadline() && *room.notifier.next_deadline() <= end) {
    room.now = std::max(room.now, *room.notifier.next_deadline());
    room.step();
    for (const auto& iq : room.last) largest = std::max(largest, iq.payload.size());
  }
  EXPECT_LE(largest, mixer::limits::kMaxDocumentBytes);
  EXPECT_GT(largest, mixer::limits::kMaxDocumentBytes / 2);
  EXPECT_TRUE(room.knows_the_truth(5000));
}

// Part by part, and never the first part again because the next one is as large.
TEST(Notifier, ARosterOfSeveralStanzasIsToldToItsEnd) {
  for (std::uint64_t size = 600; size <= 2600; size += 200) {
    SCOPED_TRACE(std::to_string(size) + " users");
    Room room({}, 1e9);
    for (std::uint64_t n = 1; n <= size; ++n) room.set(n, {});
    room.join(5000);
    room.run(55s);
    EXPECT_TRUE(room.knows_the_truth(5000));
    EXPECT_LE(room.documents(5000), 18);
  }
}

TEST(Notifier, KeepsToItsByteBudget) {
  Room room({}, 4000);
  std::size_t bytes = 0;
  for (std::uint64_t n = 1; n <= 10; ++n) room.join(n);
  const TimePoint start = room.now;
  bool muted = true;
  while (room.now < start + 600s) {
    room.set(1, {.leg = {}, .in_mix = muted});
    muted = !muted;
    room.now += 600ms;
    room.step();
    for (const auto& iq : room.last) bytes += iq.payload.size();
  }
  // The burst, and one document that was begun within the budget and ended beyond it.
  EXPECT_LE(bytes, 4000u * (600 + 8) + 20000u);
  EXPECT_GE(bytes, 4000u * 590);
}

// What a connection cannot queue is lost, and a slow server takes less than the budget gives.
TEST(Notifier, HasOnlySoManyBytesOnTheLink) {
  Room room({}, 1e9);
  for (std::uint64_t n = 1; n <= 1000; ++n) room.join(n);
  for (std::uint64_t n = 1; n <= 1000; ++n) room.deaf.insert(Room::peer(n));
  std::size_t sent = 0;
  std::vector<mixer::SendIq> documents;
  const auto run = [&](std::chrono::milliseconds duration) {
    const TimePoint end = room.now + duration;
    for (; room.now < end; room.now += 10ms) {
      room.step();
      for (const auto& iq : room.last) sent += iq.payload.size();
      documents.insert(documents.end(), room.last.begin(), room.last.end());
    }
  };
  run(600ms);
  ASSERT_GE(documents.size(), 3u);
  EXPECT_GE(sent, mixer::limits::kCoinWindowAtFirst);
  EXPECT_LE(sent, mixer::limits::kCoinWindowAtFirst + mixer::limits::kMaxDocumentBytes);
  // Answered, also by who has left: the next ones' turn.
  const auto answer = [&](const mixer::SendIq& iq) {
    room.notifier.answered(room.out.answered(iq.id, iq.to)->leg, iq.id, nullptr, room.now);
  };
  const std::size_t before = sent;
  answer(documents[0]);
  run(100ms);
  EXPECT_GT(sent, before);
  const std::size_t then = sent;
  for (std::uint64_t n = 1; n <= 5; ++n) room.leave(n);
  run(100ms);
  EXPECT_EQ(sent, then) << "what they were sent is still on the link";
  answer(documents[1]);
  run(100ms);
  EXPECT_GT(sent, then);
}

// Law: whatever happened, what each receiver assembled by RFC 4575's rules is the truth in the end.
// RFC 4575 §4.6: "who follows these rules knows the truth"
TEST(Notifier, EveryViewEqualsTheTruthAfterQuiescence) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    Room room;
    std::set<std::uint64_t> in;
    for (int i = 0; i < 60; ++i) {
      const std::uint64_t n = random() % 12 + 1;
      switch (random() % 5) {
        case 0:
        case 1:
          if (in.insert(n).second) room.join(n);
          break;
        case 2:
          if (in.erase(n)) room.leave(n);
          break;
        case 3:
          if (in.contains(n))
            room.set(n, {.leg = {}, .in_mix = random() % 2 == 0, .receives = random() % 2 == 0});
          break;
        case 4:
          if (!room.deaf.erase(Room::peer(n))) room.deaf.insert(Room::peer(n));
          break;
      }
      room.run(std::chrono::milliseconds(random() % 3000));
      if (HasFatalFailure()) return;
    }
    room.deaf.clear();
    room.run(130s);
    for (const std::uint64_t n : in) {
      EXPECT_TRUE(room.knows_the_truth(n)) << n;
    }
  }
}

// One busy room must not fill the link that all share.
TEST(Notifier, RoomsShareTheBytesOfTheProcess) {
  Room busy({}, 100);
  mixer::Notifier elsewhere("elsewhere", {}, busy.budget);
  busy.join(1);
  elsewhere.add({2}, {.local = test::jid("elsewhere@mixer.localhost"),
                      .peer = test::jid(Room::peer(2)),
                      .sid = {"S2"}});
  EXPECT_TRUE(elsewhere.pull({2}, busy.roster, busy.now));
  int given = 0;
  while (busy.notifier.pull({1}, busy.roster, busy.now)) ASSERT_LT(++given, 1000);
  EXPECT_FALSE(elsewhere.pull({2}, busy.roster, busy.now));
  EXPECT_TRUE(elsewhere.pull({2}, busy.roster, busy.now + 60s));
}

}  // namespace
