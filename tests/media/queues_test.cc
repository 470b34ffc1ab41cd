// What crosses threads by our own means, under threads: to be run with TSan, without suppressions.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "media/handoff.h"
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
      ring.commit();
      in.push_back(packet);
    }
    if (random() % 3 == 0) {
      for (auto bytes = ring.front(); !bytes.empty(); bytes = ring.front()) {
        ASSERT_TRUE(std::ranges::equal(bytes, in[out++]));
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

TEST(PlaySource, PlaysEverySampleOnceAndMakesTheWriterWait) {
  PlaySource source;
  constexpr std::uint32_t kFrames = 500;
  std::thread writer([&source] {
    std::vector<std::int16_t> samples(kFrames * kFrame_samples);
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<std::int16_t>(i);
    // In pieces that fit nothing.
    for (std::size_t at = 0; at < samples.size(); at += 1111) {
      ASSERT_TRUE(source.write(
          std::span(samples).subspan(at, std::min<std::size_t>(1111, samples.size() - at))));
    }
    source.finish();
  });
  Frame frame;
  std::uint32_t at = 0;
  while (at < kFrames * kFrame_samples) {
    if (!source.read(frame)) {
      std::this_thread::yield();
      continue;
    }
    for (const std::int16_t sample : frame) ASSERT_EQ(sample, static_cast<std::int16_t>(at++));
  }
  writer.join();
  EXPECT_FALSE(source.read(frame));
}

TEST(PlaySource, AnInterruptWakesTheWriter) {
  PlaySource source;
  std::atomic<bool> result{true};
  std::thread writer(
      [&] { result = source.write(std::vector<std::int16_t>(PlaySource::kCapacity + 1)); });
  source.interrupt(true);
  writer.join();
  EXPECT_FALSE(result);
  source.interrupt(false);
  source.discard();
  Frame frame;
  EXPECT_FALSE(source.read(frame)) << "what was written before is not played";
  EXPECT_TRUE(source.write(std::vector<std::int16_t>(PlaySource::kCapacity)));
}

TEST(PlaySource, TheEndIsPlayedToItsLastSample) {
  PlaySource source;
  EXPECT_TRUE(source.write(std::vector<std::int16_t>(1000, 5)));
  Frame frame;
  EXPECT_TRUE(source.read(frame));
  EXPECT_FALSE(source.read(frame)) << "less than a frame: more may come";
  source.finish();
  EXPECT_TRUE(source.read(frame));
  EXPECT_EQ(frame[39], 5);
  EXPECT_EQ(frame[40], 0);
  EXPECT_FALSE(source.read(frame));
}

}  // namespace
}  // namespace media
