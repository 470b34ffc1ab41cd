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

TEST(SendQueue, FullOfDocumentsStillTakesCalls) {
  SendQueue queue;
  const std::string document(200 * 1024, 'x');
  while (queue.push(Priority::normal, document)) {
  }
  EXPECT_LE(queue.bytes(), SendQueue::kMaxNormalBytes);
  EXPECT_GT(queue.bytes() + document.size() + SendQueue::kOverhead, SendQueue::kMaxNormalBytes);
  EXPECT_TRUE(queue.push(Priority::urgent, document));
  while (queue.push(Priority::urgent, "<iq/>")) {
  }
  EXPECT_LE(queue.bytes(), SendQueue::kMaxBytes);
  queue.clear();
  EXPECT_EQ(queue.bytes(), 0u);
}

}  // namespace
}  // namespace jingle
