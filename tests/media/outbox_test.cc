// Packets from many threads to one: to be run with TSan, without suppressions.
#include "media/outbox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/seed.h"

namespace media {
namespace {

constexpr std::size_t kTrailer = 20;

TEST(Outbox, GivesBackWhatWasPutInOrderWithRoomBehindIt) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Outbox outbox(20000, kTrailer);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::pair<std::uint64_t, std::vector<std::uint8_t>>> in;
    bool full = false;
    for (std::size_t count = random() % 60; count > 0; --count) {
      std::vector<std::uint8_t> packet(random() % 700);
      for (auto& byte : packet) byte = static_cast<std::uint8_t>(random());
      const std::uint64_t to = random();
      const auto split = static_cast<std::ptrdiff_t>(random() % (packet.size() + 1));
      const std::span bytes(packet);
      const bool taken = outbox.push(to, bytes.first(static_cast<std::size_t>(split)),
                                     bytes.subspan(static_cast<std::size_t>(split)));
      ASSERT_FALSE(full && taken) << "one that is smaller overtakes none";
      full = !taken;
      if (taken) in.emplace_back(to, std::move(packet));
    }
    EXPECT_EQ(outbox.waiting(), !in.empty() || full);
    std::size_t out = 0;
    outbox.drain([&](std::span<const Outbox::Packet> packets) {
      EXPECT_LE(packets.size(), Outbox::kAtOnce);
      for (const Outbox::Packet& each : packets) {
        ASSERT_LT(out, in.size());
        EXPECT_EQ(each.to, in[out].first);
        EXPECT_TRUE(std::ranges::equal(each.buffer.first(each.size), in[out].second));
        EXPECT_EQ(each.buffer.size(), each.size + kTrailer);
        std::ranges::fill(each.buffer, std::uint8_t{0xFF});  // it is the consumer's
        ++out;
      }
    });
    EXPECT_EQ(out, in.size());
    EXPECT_FALSE(outbox.waiting());
  }
}

// Nothing is lost but what push() refused, nothing comes twice or overtakes its thread's others;
// and whoever looks at waiting() after a push need not look again.
TEST(Outbox, ManyThreadsPutAndOneTakes) {
  constexpr std::uint32_t kThreads = 4, kPackets = 20000;
  Outbox outbox(16384, kTrailer);
  std::atomic<bool> wanted{false};
  std::atomic<std::uint32_t> refused{0}, running{kThreads};
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 0; i < kPackets; ++i) {
        std::array<std::uint8_t, 64> packet;
        packet.fill(static_cast<std::uint8_t>(i));
        std::memcpy(packet.data(), &i, sizeof i);
        if (!outbox.push(t, std::span(packet).first(4 + i % 60))) refused++;
        if (outbox.waiting()) wanted = true;
      }
      running--;
    });
  }
  std::map<std::uint64_t, std::uint32_t> next;
  std::uint32_t taken = 0;
  const auto take = [&](std::span<const Outbox::Packet> packets) {
    for (const Outbox::Packet& each : packets) {
      std::uint32_t number = 0;
      std::memcpy(&number, each.buffer.data(), sizeof number);
      ASSERT_GE(number, next[each.to]);
      next[each.to] = number + 1;
      ASSERT_EQ(each.size, 4 + number % 60);
      ASSERT_TRUE(each.size == 4 ||
                  each.buffer[each.size - 1] == static_cast<std::uint8_t>(number));
      ++taken;
    }
  };
  while (running > 0) {
    if (wanted.exchange(false)) {
      outbox.drain(take);
    } else {
      std::this_thread::yield();
    }
  }
  if (wanted) outbox.drain(take);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(taken + refused, kThreads * kPackets);
  EXPECT_FALSE(outbox.waiting());
}

}  // namespace
}  // namespace media
