#include "mixer/mailbox.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>

namespace mixer {
namespace {

struct Note {
  int thread = 0;
  int number = 0;
  bool droppable = false;
};
bool droppable(const Note& note) { return note.droppable; }

bool readable(int fd) {
  pollfd p{fd, POLLIN, 0};
  return poll(&p, 1, 0) == 1;
}

TEST(Mailbox, HandsOverInOrderAndIsReadableOnlyWhileSomethingWaits) {
  Mailbox<Note> mailbox(4, droppable);
  EXPECT_FALSE(readable(mailbox.fd()));
  EXPECT_TRUE(mailbox.push({0, 1, false}));
  EXPECT_TRUE(mailbox.push({0, 2, true}));
  EXPECT_TRUE(readable(mailbox.fd()));
  const auto notes = mailbox.take();
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes[0].number, 1);
  EXPECT_EQ(notes[1].number, 2);
  EXPECT_FALSE(readable(mailbox.fd()));
  EXPECT_TRUE(mailbox.take().empty());
}

TEST(Mailbox, WhenFullDropsWhatMayBeDroppedAndNothingElse) {
  Mailbox<Note> mailbox(3, droppable);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(mailbox.push({0, i, true}));
  EXPECT_FALSE(mailbox.push({0, 3, true}));
  for (int i = 4; i < 104; ++i) EXPECT_TRUE(mailbox.push({0, i, false}));
  EXPECT_FALSE(mailbox.push({0, 104, true}));
  EXPECT_EQ(mailbox.take().size(), 103U);
  EXPECT_EQ(mailbox.take_dropped(), 2U);
  EXPECT_EQ(mailbox.take_dropped(), 0U);
  EXPECT_TRUE(mailbox.push({0, 105, true})) << "taking makes room again";
}

TEST(Mailbox, ValuesThatMustNotBeLostDoNotCountAgainstTheOthers) {
  Mailbox<Note> mailbox(1, droppable);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(mailbox.push({0, i, false}));
  EXPECT_TRUE(mailbox.push({0, 50, true}));
}

// Four writers, one reader that sleeps in poll whenever there is nothing: if a wake-up could be
// lost the reader would not come to the end.
TEST(Mailbox, LosesNeitherAValueNorAWakeUpAmongThreads) {
  constexpr int kThreads = 4, kEach = 5000;
  Mailbox<Note> mailbox(64, droppable);
  std::atomic<int> accepted{0};
  std::vector<std::jthread> writers;
  for (int t = 0; t < kThreads; ++t) {
    writers.emplace_back([&mailbox, &accepted, t] {
      for (int i = 0; i < kEach; ++i) {
        if (mailbox.push({t, i, i % 3 == 0})) ++accepted;
      }
    });
  }
  const int kept = kThreads * (kEach - (kEach + 2) / 3);
  std::vector<int> last(kThreads, -1);
  int taken = 0, taken_kept = 0;
  while (taken_kept < kept) {
    pollfd p{mailbox.fd(), POLLIN, 0};
    ASSERT_EQ(poll(&p, 1, 60000), 1) << "a wake-up was lost after " << taken << " values";
    for (const Note& note : mailbox.take()) {
      EXPECT_GT(note.number, last[static_cast<std::size_t>(note.thread)]);
      last[static_cast<std::size_t>(note.thread)] = note.number;
      ++taken;
      if (!note.droppable) ++taken_kept;
    }
  }
  writers.clear();
  taken += static_cast<int>(mailbox.take().size());
  EXPECT_EQ(taken, accepted.load());
}

}  // namespace
}  // namespace mixer
