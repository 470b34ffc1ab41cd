#include "signaling/strophe_send_queue.h"

#include <gtest/gtest.h>

#include <random>

namespace jingle {
namespace {

TEST(SendQueue, UrgentOvertakesNormalAndEachIsFirstInFirstOut) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  SendQueue queue;
  std::deque<std::string> urgent, normal;
  for (int i = 0; i < 10000; ++i) {
    if (random() % 3 != 0) {
      const std::string xml = std::to_string(i);
      const bool hurry = random() % 2;
      ASSERT_TRUE(queue.push(hurry ? Priority::urgent : Priority::normal, xml));
      (hurry ? urgent : normal).push_back(xml);
    } else {
      auto& expected = urgent.empty() ? normal : urgent;
      const auto popped = queue.pop();
      ASSERT_EQ(popped.has_value(), !expected.empty());
      if (!popped) continue;
      EXPECT_EQ(*popped, expected.front());
      expected.pop_front();
    }
    ASSERT_EQ(queue.empty(), urgent.empty() && normal.empty());
  }
}

// Bytes in `xml`s of that priority until one is refused.
std::size_t fill(SendQueue& queue, Priority priority, const std::string& xml) {
  std::size_t bytes = 0;
  while (queue.push(priority, xml)) bytes += xml.size() + SendQueue::kOverhead;
  return bytes;
}

TEST(SendQueue, FullOfDocumentsStillTakesAsManyCalls) {
  const std::string document(64 * 1024, 'x'), call(2000, 'x');
  SendQueue without, queue;
  const std::size_t calls = fill(without, Priority::urgent, call);
  EXPECT_LE(calls, SendQueue::kMaxUrgentBytes);
  EXPECT_GT(calls, SendQueue::kMaxUrgentBytes - 3000);

  const std::size_t documents = fill(queue, Priority::normal, document);
  EXPECT_LE(documents, SendQueue::kMaxNormalBytes);
  EXPECT_GT(documents, SendQueue::kMaxNormalBytes - document.size() - SendQueue::kOverhead);
  EXPECT_EQ(fill(queue, Priority::urgent, call), calls);
  EXPECT_EQ(queue.bytes(), calls + documents);
  // What was popped makes room again, for its own kind.
  EXPECT_EQ(queue.pop(), call);
  EXPECT_FALSE(queue.push(Priority::normal, document));
  EXPECT_TRUE(queue.push(Priority::urgent, call));
  queue.clear();
  EXPECT_EQ(queue.bytes(), 0u);
}

}  // namespace
}  // namespace jingle
