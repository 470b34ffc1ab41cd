// Rosters that no document has room for, and bytes that are short.
#include "mixer/limits.h"
#include "tests/mixer/notifier_room.h"

namespace {

using namespace std::chrono_literals;
using mixer::TimePoint;
using test::Room;

// The rest of what it asked for follows, and nothing more.
TEST(Notifier, WhoIsNotPushedToAndAsksIsToldOfEverybody) {
  Room room({}, 1e9);
  for (std::uint64_t n = 1; n <= 1000; ++n) room.set(n, {});
  room.join(5000, true, false);
  room.run(10s);
  EXPECT_EQ(room.documents(5000), 0);
  const auto info = coin::parse(room.notifier.pull({5000}, room.roster, room.now).value());
  EXPECT_LT(info->users->users.size(), 1001u);
  room.views[Room::peer(5000)].receive(*info);
  room.run(60s);
  EXPECT_TRUE(room.knows_the_truth(5000));
  const int documents = room.documents(5000);
  EXPECT_GT(documents, 0);
  room.set(1, {.leg = {}, .in_mix = true});
  room.run(60s);
  EXPECT_EQ(room.documents(5000), documents);
}

// His entry fits into no document: the others are told of each other all the same.
TEST(Notifier, AUserOfTooManyCallsHidesNobody) {
  Room room({}, 1e9);
  for (std::uint64_t n = 1; n <= 400; ++n) {
    room.roster.set({n}, {.peer = test::jid("ann@a.example/" + std::to_string(n)),
                          .token = "t" + std::to_string(n),
                          .contributor_id = static_cast<std::uint32_t>(n),
                          .plan = {}});
  }
  room.join(1001);
  room.join(1002);
  room.run(60s);
  const auto& users = room.views[Room::peer(1001)].info()->users->users;
  ASSERT_EQ(users.size(), 2u);
  EXPECT_EQ(users[1].entity, "xmpp:u1002@a.example");
  EXPECT_LE(room.documents(1001), 3);
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
  const std::size_t before = sent;
  room.answer(documents[0]);
  run(100ms);
  EXPECT_GT(sent, before);
  const std::size_t then = sent;
  for (std::uint64_t n = 1; n <= 5; ++n) room.leave(n);
  run(100ms);
  EXPECT_EQ(sent, then) << "what they were sent is still on the link";
  room.answer(documents[1]);
  run(100ms);
  EXPECT_GT(sent, then);
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
