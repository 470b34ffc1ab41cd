#include "media/record_queue.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

#include "tests/support/seed.h"

namespace media {
namespace {

// What comes out is what went in, in its order, but for what was counted as lost.
TEST(RecordQueue, LosesNothingUncountedAndKeepsTheOrderBetweenTwoThreads) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  constexpr std::uint64_t kPackets = 50000;
  RecordQueue queue;
  std::atomic<bool> done{false};
  std::thread producer([&] {
    std::mt19937 random(seed);
    std::vector<std::uint8_t> bytes(limits::kMaxPacketBytes);
    for (std::uint64_t i = 0; i < kPackets; ++i) {
      const std::size_t length = random() % (limits::kMaxPacketBytes + 1);
      for (std::size_t b = 0; b < length; ++b) bytes[b] = static_cast<std::uint8_t>(i + b);
      queue.push({.now_samples = i,
                  .contributor_id = static_cast<std::uint32_t>(length),
                  .payload = std::span(bytes).first(length)});
    }
    done = true;
  });
  std::uint64_t taken = 0, next = 0;
  bool wrong = false;
  for (bool last = false; !last;) {
    last = done;
    queue.drain([&](const RecordedPacket& packet) {
      wrong = wrong || packet.now_samples < next || packet.payload.size() != packet.contributor_id;
      for (std::size_t b = 0; b < packet.payload.size(); ++b) {
        wrong = wrong || packet.payload[b] != static_cast<std::uint8_t>(packet.now_samples + b);
      }
      next = packet.now_samples + 1;
      ++taken;
    });
  }
  producer.join();
  EXPECT_FALSE(wrong);
  EXPECT_EQ(taken + queue.lost(), kPackets);
}

TEST(RecordQueue, WhatDoesNotFitIsLostAndCounted) {
  RecordQueue queue;
  const std::vector<std::uint8_t> bytes(1000);
  for (std::uint64_t i = 0; i < 2000; ++i) queue.push({.now_samples = i, .payload = bytes});
  EXPECT_GT(queue.lost(), 900U);
  std::uint64_t taken = 0;
  queue.drain([&](const RecordedPacket& packet) { EXPECT_EQ(packet.now_samples, taken++); });
  EXPECT_EQ(taken + queue.lost(), 2000U);
  queue.push({.now_samples = 2000, .payload = bytes});
  queue.drain([&](const RecordedPacket& packet) { EXPECT_EQ(packet.now_samples, 2000U); });
}

}  // namespace
}  // namespace media
