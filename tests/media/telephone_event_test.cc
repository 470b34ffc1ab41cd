#include "media/telephone_event.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "tests/support/seed.h"

namespace media {
namespace {

using namespace std::chrono_literals;
using Digit = TelephoneEvents::Digit;

std::array<std::uint8_t, 4> payload(int event, bool end, int duration) {
  return {static_cast<std::uint8_t>(event), static_cast<std::uint8_t>((end ? 0x80 : 0) | 10),
          static_cast<std::uint8_t>(duration >> 8), static_cast<std::uint8_t>(duration)};
}

TEST(TelephoneEvents, AKeyIsToldOnceAtItsEnd) {
  TelephoneEvents events;
  EXPECT_EQ(events.insert(1000, payload(5, false, 960)), std::nullopt);
  EXPECT_EQ(events.insert(1000, payload(5, false, 1920)), std::nullopt);
  EXPECT_EQ(events.insert(1000, payload(5, true, 4800)), (Digit{'5', 100ms}));
  EXPECT_EQ(events.insert(1000, payload(5, true, 4800)), std::nullopt) << "retransmission";
  EXPECT_EQ(events.insert(1000, payload(5, true, 4800)), std::nullopt);
  EXPECT_EQ(events.insert(1000, payload(5, false, 1920)), std::nullopt) << "reordered";
}

TEST(TelephoneEvents, TheSameKeyTwiceIsTwoDigits) {
  TelephoneEvents events(8000);
  EXPECT_EQ(events.insert(0, payload(11, true, 800)), (Digit{'#', 100ms}));
  EXPECT_EQ(events.insert(1600, payload(11, true, 800)), (Digit{'#', 100ms}));
  EXPECT_EQ(events.insert(0, payload(11, true, 800)), std::nullopt) << "of the first, late";
}

TEST(TelephoneEvents, AKeyWithoutItsEndIsToldWhenTheNextBegins) {
  TelephoneEvents events;
  EXPECT_EQ(events.insert(0, payload(1, false, 960)), std::nullopt);
  EXPECT_EQ(events.insert(9600, payload(2, false, 960)), (Digit{'1', 20ms}));
  EXPECT_EQ(events.insert(9600, payload(2, true, 1920)), (Digit{'2', 40ms}));
}

TEST(TelephoneEvents, BothAreToldWhenTheNextIsASinglePacket) {
  TelephoneEvents events;
  EXPECT_EQ(events.insert(0, payload(1, false, 960)), std::nullopt);
  EXPECT_EQ(events.insert(9600, payload(2, true, 960)), (Digit{'1', 20ms}));
  std::optional<Digit> second;
  for (int i = 0; i < TelephoneEvents::kLostEnd_ticks && !second; ++i) second = events.tick();
  EXPECT_EQ(second, (Digit{'2', 20ms}));
}

TEST(TelephoneEvents, AKeyWithoutItsEndIsToldWhenItsPacketsStop) {
  TelephoneEvents events;
  events.insert(0, payload(10, false, 960));
  for (int i = 1; i < TelephoneEvents::kLostEnd_ticks; ++i) EXPECT_EQ(events.tick(), std::nullopt);
  EXPECT_EQ(events.tick(), (Digit{'*', 20ms}));
  EXPECT_EQ(events.tick(), std::nullopt);
}

TEST(TelephoneEvents, ALongKeyInSegmentsIsOneDigit) {  // RFC 4733 §2.5.1.3
  TelephoneEvents events;
  EXPECT_EQ(events.insert(0, payload(13, false, 0xFFFF)), std::nullopt);
  EXPECT_EQ(events.insert(0xFFFF, payload(13, false, 4800)), std::nullopt);
  EXPECT_EQ(events.insert(0xFFFF, payload(13, true, 30465)), (Digit{'B', 2000ms}));
}

TEST(TelephoneEvents, WhatIsNoKeyIsIgnored) {
  TelephoneEvents events;
  EXPECT_EQ(events.insert(0, payload(16, true, 960)), std::nullopt);  // flash
  EXPECT_EQ(events.insert(0, payload(255, true, 960)), std::nullopt);
  EXPECT_EQ(events.insert(0, std::array<std::uint8_t, 3>{1, 0x80, 3}), std::nullopt);
  EXPECT_EQ(events.insert(0, {}), std::nullopt);
}

// However its packets are lost, repeated and reordered: each key whose first packet or end arrives
// is told exactly once.
TEST(TelephoneEvents, UnderLossAndRepetitionEachKeyIsToldOnce) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    TelephoneEvents events;
    std::string pressed, told;
    std::uint32_t timestamp = static_cast<std::uint32_t>(random());
    const auto take = [&told](const std::optional<Digit>& digit) {
      if (digit) told += digit->digit;
    };
    for (int key = 0; key < 10; ++key) {
      const int event = static_cast<int>(random() % 16);
      bool arrived = false;
      for (int i = 1; i <= 8; ++i) {
        if (random() % 4 == 0) continue;
        arrived = true;
        for (unsigned copies = 0; copies < 1 + random() % 3; ++copies) {
          take(events.insert(timestamp, payload(event, i > 5, i * 960)));
        }
      }
      if (arrived) pressed += "0123456789*#ABCD"[event];
      timestamp += 20 * 960;
      for (int i = 0; i < 12; ++i) take(events.tick());
    }
    EXPECT_EQ(told, pressed);
  }
}

}  // namespace
}  // namespace media
