// What crosses threads by our own means, under threads: to be run with TSan, without suppressions.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "media/handoff.h"
#include "media/mix_leg.h"
#include "media/packet_ring.h"
#include "media/play_source.h"
#include "tests/support/seed.h"

namespace media {
namespace {

TEST(PacketRing, GivesBackWhatWasPutInOrderAcrossItsEnd) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  PacketRing ring;
  std::vector<std::vector<std::uint8_t>> in;
  std::size_t out = 0;
  for (int round = 0; round < 5000; ++round) {
    std::vector<std::uint8_t> packet(1 + random() % limits::kMaxPacketBytes);
    for (auto& b : packet) b = static_cast<std::uint8_t>(random());
    if (const auto slot = ring.reserve(packet.size()); !slot.empty()) {
      std::ranges::copy(packet, slot.begin());
      ring.commit(static_cast<std::uint32_t>(48000 + in.size()));
      in.push_back(packet);
    }
    if (random() % 3 == 0) {
      for (auto bytes = ring.front(); !bytes.empty(); bytes = ring.front()) {
        ASSERT_TRUE(std::ranges::equal(bytes, in[out]));
        ASSERT_EQ(ring.front_age(48000), -static_cast<std::int32_t>(out++));
        ring.pop();
      }
      ASSERT_EQ(out, in.size());
    }
  }
  EXPECT_EQ(in.size() + ring.dropped(), 5000U);
}

TEST(PacketRing, FullMeansTheNewestIsDropped) {
  PacketRing ring;
  for (std::size_t i = 0; i < limits::kPacketRing; ++i) {
    const auto slot = ring.reserve(100);
    ASSERT_FALSE(slot.empty());
    slot[0] = static_cast<std::uint8_t>(i);
    ring.commit();
  }
  EXPECT_TRUE(ring.reserve(100).empty());
  EXPECT_EQ(ring.dropped(), 1U);
  EXPECT_EQ(ring.front()[0], 0) << "the oldest is still there";
  ring.pop();
  EXPECT_FALSE(ring.reserve(100).empty());
}

TEST(PacketRing, AnAgeIsToldIfItIsKnownAndCanBe) {
  PacketRing ring;
  const auto age = [&ring](std::uint32_t came, std::uint32_t now) {
    EXPECT_FALSE(ring.reserve(1).empty());
    ring.commit(came);
    EXPECT_FALSE(ring.front().empty());
    const auto told = ring.front_age(now);
    ring.pop();
    return told;
  };
  EXPECT_EQ(age(1000, 1960), 960);
  EXPECT_EQ(age(0xFFFFFF00, 0x100), 0x200) << "it wraps";
  EXPECT_EQ(age(1960, 1000), -960) << "the tick was late";
  EXPECT_EQ(age(PacketRing::kUnknown, 1000), std::nullopt);
  EXPECT_EQ(age(1000, PacketRing::kUnknown), std::nullopt);
  EXPECT_EQ(age(1000, 1000 + 3 * 48000), std::nullopt) << "another clock";
}

TEST(PacketRing, WhatIsNoPacketIsDropped) {
  PacketRing ring;
  EXPECT_TRUE(ring.reserve(0).empty());
  EXPECT_TRUE(ring.reserve(limits::kMaxPacketBytes + 1).empty());
  EXPECT_TRUE(ring.front().empty());
}

TEST(PacketRing, OneThreadPutsAndAnotherTakes) {
  PacketRing ring;
  constexpr std::uint32_t kPackets = 20000;
  std::thread producer([&ring] {
    for (std::uint32_t i = 0; i < kPackets;) {
      const std::size_t length = 4 + i % 300;
      const auto slot = ring.reserve(length);
      if (slot.empty()) {
        std::this_thread::yield();
        continue;
      }
      std::ranges::fill(slot, static_cast<std::uint8_t>(i));
      std::memcpy(slot.data(), &i, sizeof i);
      ring.commit();
      ++i;
    }
  });
  for (std::uint32_t expected = 0; expected < kPackets;) {
    const auto bytes = ring.front();
    if (bytes.empty()) {
      std::this_thread::yield();
      continue;
    }
    std::uint32_t number = 0;
    ASSERT_GE(bytes.size(), sizeof number);
    std::memcpy(&number, bytes.data(), sizeof number);
    ASSERT_EQ(number, expected);
    ASSERT_EQ(bytes.size(), 4 + number % 300);
    if (bytes.size() > 4) {
      ASSERT_EQ(bytes.back(), static_cast<std::uint8_t>(number));
    }
    ring.pop();
    ++expected;
  }
  producer.join();
}

// It is a lock of GStreamer's that tells control of the I/O thread's last call, and ThreadSanitizer
// does not see that.
TEST(MixLeg, EndsAfterTheLastThatItsIoThreadDidToIt) {
  auto leg = std::make_unique<MixLeg>(MixLegSpec{});
  std::atomic<bool> done{false}, gone{false};
  const auto wait = [](const std::atomic<bool>& until) {
    while (!until.load(std::memory_order_relaxed)) std::this_thread::yield();
  };
  std::thread io([&, told = leg.get()] {
    told->tell_loss(1);
    done.store(true, std::memory_order_relaxed);
    wait(gone);  // so that no join orders anything
  });
  wait(done);
  leg.reset();
  gone.store(true, std::memory_order_relaxed);
  io.join();
}

struct Node {
  int thread = 0, number = 0;
  Node* next = nullptr;
};

TEST(Handoff, TakesEverythingInTheOrderInWhichItWasPushed) {
  Handoff<Node> handoff;
  constexpr int kThreads = 3, kNodes = 5000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&handoff, t] {
      for (int i = 0; i < kNodes; ++i) {
        handoff.push(std::make_unique<Node>(Node{.thread = t, .number = i}));
      }
    });
  }
  int taken = 0;
  std::vector<int> next(kThreads);
  while (taken < kThreads * kNodes) {
    handoff.drain([&](std::unique_ptr<Node> node) {
      EXPECT_EQ(node->number, next[static_cast<std::size_t>(node->thread)]++);
      ++taken;
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace media
