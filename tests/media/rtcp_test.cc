#include "media/rtcp.h"

#include <gmock/gmock.h>

#include <random>

#include "tests/support/seed.h"

namespace media::rtcp {
namespace {

using Bytes = std::vector<std::uint8_t>;
using testing::ElementsAre;

std::uint32_t word(std::mt19937& random) { return static_cast<std::uint32_t>(random()); }

ReportBlock random_block(std::mt19937& random) {
  return {.ssrc = word(random),
          .fraction_lost = static_cast<std::uint8_t>(random()),
          .cumulative_lost = static_cast<std::int32_t>(random() % 0x1000000) - 0x800000,
          .highest_sequence = word(random),
          .jitter = word(random),
          .last_sr = word(random),
          .delay_since_last_sr = word(random)};
}

std::vector<ReportBlock> random_blocks(std::mt19937& random) {
  std::vector<ReportBlock> blocks(random() % 32);
  for (auto& block : blocks) block = random_block(random);
  return blocks;
}

std::string random_text(std::mt19937& random) {
  std::string text(random() % 256, ' ');
  for (auto& c : text) c = static_cast<char>(random());
  return text;
}

Packet random_packet(std::mt19937& random) {
  switch (random() % 4) {
    case 0:
      return SenderReport{.ssrc = word(random),
                          .ntp = static_cast<std::uint64_t>(word(random)) << 32 | word(random),
                          .rtp_timestamp = word(random),
                          .packets = word(random),
                          .octets = word(random),
                          .blocks = random_blocks(random)};
    case 1: return ReceiverReport{.ssrc = word(random), .blocks = random_blocks(random)};
    case 2: return SourceDescription{.ssrc = word(random), .cname = random_text(random)};
    default: {
      Bye bye;
      for (auto n = random() % 32; n > 0; --n) bye.ssrcs.push_back(word(random));
      bye.reason = random_text(random);
      return bye;
    }
  }
}

std::vector<Packet> random_compound(std::mt19937& random) {
  std::vector<Packet> packets(1 + random() % 4);
  for (auto& packet : packets) packet = random_packet(random);
  return packets;
}

// parse(write(packets)) == packets.
TEST(Rtcp, WhatIsWrittenIsReadBack) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 2000; ++i) {
    const auto packets = random_compound(random);
    const auto parsed = parse(write(packets));
    ASSERT_TRUE(parsed);
    ASSERT_EQ(*parsed, packets);
  }
}

TEST(Rtcp, WrittenLengthsAreWholeWords) {
  std::mt19937 random(7);
  for (int i = 0; i < 500; ++i) {
    const std::vector<Packet> one{random_packet(random)};
    const auto bytes = write(one);
    ASSERT_EQ(bytes.size() % 4, 0U);
    ASSERT_EQ((bytes[2] << 8 | bytes[3]) * 4U + 4U, bytes.size());
  }
}

// Every cut of a compound that is not a boundary of packets is refused, and none reads beyond.
TEST(Rtcp, TruncatedCompoundsAreRefusedUnlessTheyEndWithAPacket) {
  std::mt19937 random(3);
  const auto packets = random_compound(random);
  const auto bytes = write(packets);
  std::vector<std::size_t> boundaries;
  for (std::size_t n = 0; n < packets.size(); ++n) {
    boundaries.push_back(write(std::span(packets).first(n + 1)).size());
  }
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const Bytes part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(cut));
    const bool whole = std::find(boundaries.begin(), boundaries.end(), cut) != boundaries.end();
    EXPECT_EQ(parse(part).has_value(), whole) << cut;
  }
}

// Under the sanitizers this shows that nothing is read that is not there.
TEST(Rtcp, RandomBytesAndDamagedPacketsAreReadOrRefused) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 20000; ++i) {
    auto bytes = write(random_compound(random));
    for (auto n = random() % 4; n > 0; --n) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    bytes.resize(random() % (bytes.size() + 1));
    bytes.shrink_to_fit();
    (void)parse(bytes);
  }
}

TEST(Rtcp, SenderReportOfTheStandardsLayout) {
  const Bytes bytes{0x81, 200, 0, 12, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8,    0,    0,
                    0,    9,   0, 0,  0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 7, 0xff, 0xff, 0xfe,
                    0,    1,   0, 2,  0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 8};
  const auto parsed = parse(bytes);
  ASSERT_TRUE(parsed);
  const SenderReport expected{.ssrc = 1,
                              .ntp = 0x0102030405060708,
                              .rtp_timestamp = 9,
                              .packets = 3,
                              .octets = 4,
                              .blocks = {{.ssrc = 5,
                                          .fraction_lost = 7,
                                          .cumulative_lost = -2,
                                          .highest_sequence = 0x10002,
                                          .jitter = 6,
                                          .last_sr = 7,
                                          .delay_since_last_sr = 8}}};
  EXPECT_THAT(*parsed, ElementsAre(Packet(expected)));
  EXPECT_EQ(write(*parsed), bytes);
}

TEST(Rtcp, UnknownTypesAreSkippedByTheirLength) {
  Bytes bytes{0x80, 204, 0, 2, 1, 2, 3, 4, 'n', 'a', 'm', 'e',  // APP
              0x80, 207, 0, 1, 9, 9, 9, 9,                      // XR
              0x8f, 205, 0, 1, 9, 9, 9, 9};                     // RTPFB
  const auto bye = write(std::vector<Packet>{Bye{.ssrcs = {7}, .reason = {}}});
  bytes.insert(bytes.end(), bye.begin(), bye.end());
  const auto parsed = parse(bytes);
  ASSERT_TRUE(parsed);
  EXPECT_THAT(*parsed, ElementsAre(Packet(Bye{.ssrcs = {7}, .reason = {}})));
}

TEST(Rtcp, CountsBeyondTheLengthAreRefused) {
  EXPECT_FALSE(parse(Bytes{0x9f, 201, 0, 1, 0, 0, 0, 1}));                  // 31 blocks in none
  EXPECT_FALSE(parse(Bytes{0x82, 203, 0, 1, 0, 0, 0, 1}));                  // 2 sources in one word
  EXPECT_FALSE(parse(Bytes{0x81, 203, 0, 2, 0, 0, 0, 1, 9, 'a', 0, 0}));    // reason of 9
  EXPECT_FALSE(parse(Bytes{0x81, 202, 0, 2, 0, 0, 0, 1, 1, 7, 'a', 0}));    // CNAME of 7
  EXPECT_FALSE(parse(Bytes{0x81, 202, 0, 2, 0, 0, 0, 1, 1, 2, 'a', 'b'}));  // no end
  EXPECT_FALSE(parse(Bytes{0x40, 201, 0, 1, 0, 0, 0, 1}));                  // version 1
  EXPECT_FALSE(parse(Bytes{0x80, 201, 0, 0}));                              // no SSRC
  EXPECT_FALSE(parse(Bytes{}));
}

TEST(Rtcp, PaddingIsTakenFromTheLastPacketOnly) {
  const Bytes padded{0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4};
  EXPECT_TRUE(parse(padded));
  Bytes twice = padded;
  twice.insert(twice.end(), padded.begin(), padded.end());
  EXPECT_FALSE(parse(twice));
  EXPECT_FALSE(parse(Bytes{0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0}));
  EXPECT_FALSE(parse(Bytes{0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 255}));
}

}  // namespace
}  // namespace media::rtcp
