#include "mixer/notifier.h"

#include "mixer/limits.h"
#include "tests/mixer/notifier_room.h"

namespace {

using namespace std::chrono_literals;
using mixer::TimePoint;
using test::Room;

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
    room.answer(room.last[0], &error);
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

// A server has restarted, and the mixer was back before a caller, or had told him something that
// his broken stream no longer took: he was told nothing any more.
TEST(Notifier, WhoseStreamIsBackLaterThanOursIsToldThen) {
  for (const char* condition : {"service-unavailable", "recipient-unavailable"}) {
    Room room;
    room.join(1);
    room.run(5s);
    ASSERT_TRUE(room.knows_the_truth(1));
    room.deaf = {Room::peer(1)};
    room.notifier.connection_up(room.now);
    room.step();
    ASSERT_EQ(room.last.size(), 1u);
    const jingle::StanzaError error{"cancel", condition, {}, {}, {}};
    room.answer(room.last[0], &error);
    EXPECT_FALSE(room.knows_the_truth(1));
    room.deaf.clear();
    room.run(30s);
    EXPECT_TRUE(room.knows_the_truth(1)) << condition;
  }
}

TEST(Notifier, AStreamThatBrokeOffWithTheFirstDocumentRefusesNothing) {
  for (const bool announced : {true, false}) {
    Room room;
    room.deaf = {Room::peer(1)};
    room.join(1, announced);
    room.step();
    ASSERT_EQ(room.last.size(), 1u);
    const jingle::StanzaError error{"cancel", "recipient-unavailable", {}, {}, {}};
    room.answer(room.last[0], &error);
    room.deaf.clear();
    room.run(30s);
    EXPECT_TRUE(room.knows_the_truth(1)) << announced;
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

// Its only document was lost or refused, and then it turned out to speak Coin.
TEST(Notifier, WhoIsHeardAgainGetsAFullDocument) {
  for (const bool refuses : {false, true}) {
    SCOPED_TRACE(refuses);
    Room room;
    room.deaf = {Room::peer(1)};
    room.join(1, false);
    room.run(1s);
    ASSERT_EQ(room.last.size(), 1u);
    const jingle::StanzaError error{"cancel", "service-unavailable", {}, {}, {}};
    if (refuses) room.answer(room.last[0], &error);
    room.run(20s);
    room.deaf.clear();
    room.join(1);
    room.run(1s);
    EXPECT_TRUE(room.knows_the_truth(1)) << "without waiting for news";
  }
}

TEST(Notifier, EverybodyGetsAFullDocumentAfterTheConnectionCameBack) {
  Room room;
  room.join(1);
  room.join(2);
  room.run(1s);
  room.notifier.connection_down();
  room.budget.link_down();
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

}  // namespace
