#include "media/rtp_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include "tests/support/seed.h"

namespace media {
namespace {

using Bytes = std::vector<std::uint8_t>;
using ::testing::ElementsAre;

// Sequence 0x1234, timestamp 0x56789ABC, SSRC 0xDEADBEEF, PT 111, marker; payload "opus".
Bytes plain() {
  return {0x80, 0xEF, 0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC,
          0xDE, 0xAD, 0xBE, 0xEF, 'o',  'p',  'u',  's'};
}

Bytes with_extension(std::uint16_t profile, const Bytes& elements) {
  Bytes packet = plain();
  packet[0] |= 0x10;
  Bytes head{static_cast<std::uint8_t>(profile >> 8), static_cast<std::uint8_t>(profile), 0,
             static_cast<std::uint8_t>(elements.size() / 4)};
  head.insert(head.end(), elements.begin(), elements.end());
  packet.insert(packet.begin() + 12, head.begin(), head.end());
  return packet;
}

TEST(RtpHeader, ReadsTheFixedFieldsAndThePayload) {
  const Bytes bytes = plain();
  const auto packet = parse_rtp(bytes);
  ASSERT_TRUE(packet);
  EXPECT_TRUE(packet->marker);
  EXPECT_EQ(packet->payload_type, 111);
  EXPECT_EQ(packet->sequence, 0x1234);
  EXPECT_EQ(packet->timestamp, 0x56789ABCU);
  EXPECT_EQ(packet->ssrc, 0xDEADBEEFU);
  EXPECT_EQ(packet->csrc_count(), 0U);
  EXPECT_EQ(packet->header_bytes, 12U);
  EXPECT_THAT(packet->payload, ElementsAre('o', 'p', 'u', 's'));
}

TEST(RtpHeader, ReadsContributors) {
  Bytes bytes = plain();
  bytes[0] |= 2;
  const Bytes ids{0, 0, 0, 7, 0xFF, 0, 0, 1};
  bytes.insert(bytes.begin() + 12, ids.begin(), ids.end());
  const auto packet = parse_rtp(bytes);
  ASSERT_TRUE(packet);
  ASSERT_EQ(packet->csrc_count(), 2U);
  EXPECT_EQ(packet->csrc(0), 7U);
  EXPECT_EQ(packet->csrc(1), 0xFF000001U);
  EXPECT_EQ(packet->payload.size(), 4U);
}

TEST(RtpHeader, RefusesEveryOtherVersion) {
  for (int version : {0, 1, 3}) {
    Bytes bytes = plain();
    bytes[0] = static_cast<std::uint8_t>(version << 6);
    EXPECT_FALSE(parse_rtp(bytes)) << version;
  }
}

TEST(RtpHeader, RefusesLengthsThatReachBeyondThePacket) {
  Bytes short_header = plain();
  for (std::size_t length = 0; length < 12; ++length) {
    EXPECT_FALSE(parse_rtp(std::span(short_header).first(length))) << length;
  }
  Bytes csrcs = plain();
  csrcs[0] |= 15;
  EXPECT_FALSE(parse_rtp(csrcs));
  Bytes extension = with_extension(0xBEDE, {0x10, 0x20, 0, 0});
  extension[14] = 0xFF;
  EXPECT_FALSE(parse_rtp(extension));
  Bytes no_room_for_extension = plain();
  no_room_for_extension[0] |= 0x10;
  no_room_for_extension.resize(14);
  EXPECT_FALSE(parse_rtp(no_room_for_extension));
}

TEST(RtpHeader, PaddingIsTakenOffAndMayNotExceedThePayload) {
  Bytes bytes = plain();
  bytes[0] |= 0x20;
  bytes.insert(bytes.end(), {0, 0, 3});
  const auto packet = parse_rtp(bytes);
  ASSERT_TRUE(packet);
  EXPECT_THAT(packet->payload, ElementsAre('o', 'p', 'u', 's'));
  bytes.back() = 7;  // all of it
  EXPECT_TRUE(parse_rtp(bytes)->payload.empty());
  bytes.back() = 8;
  EXPECT_FALSE(parse_rtp(bytes));
  bytes.back() = 0;
  EXPECT_FALSE(parse_rtp(bytes));
}

TEST(RtpHeader, FindsOneByteExtensionsBehindOthersAndPadding) {
  const Bytes bytes = with_extension(0xBEDE, {0x10, 0xAA, 0x00, 0x32, 1, 2, 3, 0x00});
  const auto packet = parse_rtp(bytes);
  ASSERT_TRUE(packet);
  EXPECT_THAT(*find_extension(*packet, 1), ElementsAre(0xAA));
  EXPECT_THAT(*find_extension(*packet, 3), ElementsAre(1, 2, 3));
  EXPECT_FALSE(find_extension(*packet, 2));
  EXPECT_FALSE(find_extension(*packet, 0));
}

TEST(RtpHeader, IdFifteenEndsTheSearch) {
  const Bytes bytes = with_extension(0xBEDE, {0xF0, 0xAA, 0x10, 0xBB});
  const auto packet = parse_rtp(bytes);
  ASSERT_TRUE(packet);
  EXPECT_FALSE(find_extension(*packet, 1));
  EXPECT_FALSE(find_extension(*packet, 15));
}

TEST(RtpHeader, FindsTwoByteExtensionsOfAnyLength) {
  const Bytes bytes = with_extension(0x1005, {20, 0, 200, 2, 8, 9, 0, 0});
  const auto packet = parse_rtp(bytes);
  ASSERT_TRUE(packet);
  EXPECT_TRUE(find_extension(*packet, 20)->empty());
  EXPECT_THAT(*find_extension(*packet, 200), ElementsAre(8, 9));
  EXPECT_FALSE(read_audio_level(*packet, 20)) << "an element without data is no level";
}

TEST(RtpHeader, ElementsThatReachBeyondTheExtensionAreNotFound) {
  const Bytes one = with_extension(0xBEDE, {0x1F, 1, 2, 3});
  EXPECT_FALSE(find_extension(*parse_rtp(one), 1));
  const Bytes two = with_extension(0x1000, {9, 200, 2, 3});
  EXPECT_FALSE(find_extension(*parse_rtp(two), 9));
  const Bytes cut = with_extension(0x1000, {0, 0, 0, 9});
  EXPECT_FALSE(find_extension(*parse_rtp(cut), 9));
  const Bytes foreign = with_extension(0x4242, {0x10, 0xAA, 0, 0});
  EXPECT_FALSE(find_extension(*parse_rtp(foreign), 1));
}

TEST(RtpHeader, ReadsTheClientsLevel) {  // RFC 6464 §3
  const Bytes bytes = with_extension(0xBEDE, {0x10, 0x80 | 42, 0, 0});
  EXPECT_EQ(read_audio_level(*parse_rtp(bytes), 1), (AudioLevel{.level_dbov = 42, .voice = true}));
}

TEST(RtpHeader, TellsRtcpFromRtp) {  // RFC 5761 §4
  EXPECT_TRUE(looks_like_rtcp(Bytes{0x80, 200, 0, 6}));
  EXPECT_TRUE(looks_like_rtcp(Bytes{0x81, 205, 0, 6}));
  EXPECT_FALSE(looks_like_rtcp(plain()));
  EXPECT_FALSE(looks_like_rtcp(Bytes{0x80}));
}

TEST(RtpHeader, WritesLevelsInTheOrderOfTheContributors) {  // RFC 6465 §3
  std::array<std::uint8_t, kMaxRtpHeaderBytes> out{};
  const std::array<Contributor, 2> heard{
      {{.id = 1, .level_dbov = 20}, {.id = 2, .level_dbov = 60}}};
  const std::size_t length = write_rtp_header({.payload_type = 96}, heard, 5, out);
  ASSERT_EQ(length, 12U + 8 + 4 + 4);
  EXPECT_THAT(std::span(out).subspan(20, 8), ElementsAre(0xBE, 0xDE, 0, 1, 0x51, 20, 60, 0));
}

TEST(RtpHeader, NoExtensionWithoutContributorsOrAgreement) {
  std::array<std::uint8_t, kMaxRtpHeaderBytes> out{};
  const std::array<Contributor, 1> heard{{{.id = 1, .level_dbov = 20}}};
  EXPECT_EQ(write_rtp_header({}, {}, 5, out), 12U);
  EXPECT_EQ(write_rtp_header({}, heard, 0, out), 16U);
}

TEST(RtpHeader, WhatIsWrittenReadsBackTheSame) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 2000; ++round) {
    const RtpHeader header{.marker = (random() & 1) != 0,
                           .payload_type = static_cast<std::uint8_t>(random() % 128),
                           .sequence = static_cast<std::uint16_t>(random()),
                           .timestamp = static_cast<std::uint32_t>(random()),
                           .ssrc = static_cast<std::uint32_t>(random())};
    std::vector<Contributor> heard(random() % 20);
    for (Contributor& c : heard) {
      c = {.id = static_cast<std::uint32_t>(random()),
           .level_dbov = static_cast<std::uint8_t>(random() % 128)};
    }
    const auto level_id = static_cast<std::uint8_t>(random() % 30);
    std::array<std::uint8_t, kMaxRtpHeaderBytes> out{};
    const std::size_t length = write_rtp_header(header, heard, level_id, out);
    const auto packet = parse_rtp(std::span(out).first(length));
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->header_bytes, length);
    EXPECT_EQ(packet->marker, header.marker);
    EXPECT_EQ(packet->payload_type, header.payload_type);
    EXPECT_EQ(packet->sequence, header.sequence);
    EXPECT_EQ(packet->timestamp, header.timestamp);
    EXPECT_EQ(packet->ssrc, header.ssrc);
    const std::size_t expected = std::min<std::size_t>(heard.size(), limits::kMaxCsrcs);
    ASSERT_EQ(packet->csrc_count(), expected) << "RFC 3550 §5.1: at most 15";
    for (std::size_t i = 0; i < expected; ++i) EXPECT_EQ(packet->csrc(i), heard[i].id);
    const auto levels = find_extension(*packet, level_id);
    ASSERT_EQ(levels.has_value(), expected > 0 && level_id != 0);
    if (!levels) continue;
    ASSERT_EQ(levels->size(), expected);
    for (std::size_t i = 0; i < expected; ++i) EXPECT_EQ((*levels)[i], heard[i].level_dbov);
    const ContributorList read = read_contributors(*packet, level_id);
    ASSERT_EQ(read.size(), expected);
    for (std::size_t i = 0; i < expected; ++i) EXPECT_EQ(read.at(i, 128), heard[i]);
  }
}

TEST(RtpHeader, ContributorsHaveLevelsOnlyIfThereIsOneForEach) {  // RFC 6465 §3
  for (const std::uint8_t levels : {1, 2, 3}) {
    Bytes bytes(12 + 8 + 8);
    bytes[0] = 0x92;  // two CSRCs, an extension
    bytes[15] = 7;
    bytes[19] = 8;
    const std::uint8_t extension[] = {
        0xBE, 0xDE, 0, 1, static_cast<std::uint8_t>(0x50 | (levels - 1)), 0x80 | 20, 30, 40};
    std::copy(std::begin(extension), std::end(extension), bytes.begin() + 20);
    const auto packet = parse_rtp(bytes);
    ASSERT_TRUE(packet);
    const ContributorList read = read_contributors(*packet, 5);
    ASSERT_EQ(read.size(), 2U);
    EXPECT_EQ(read.at(0, 99), (Contributor{7, static_cast<std::uint8_t>(levels == 2 ? 20 : 99)}));
    EXPECT_EQ(read.at(1, 99), (Contributor{8, static_cast<std::uint8_t>(levels == 2 ? 30 : 99)}));
    EXPECT_EQ(read_contributors(*packet, 6).at(0, 99), (Contributor{7, 99})) << "not agreed";
  }
}

TEST(RtpHeader, AnyBytesAreReadWithinTheirBounds) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 20000; ++round) {
    Bytes bytes(random() % 80);
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
    if (!bytes.empty()) bytes[0] = static_cast<std::uint8_t>(0x80 | (bytes[0] & 0x3F));
    if (bytes.size() > 14 && round % 2 == 0) {
      bytes[0] = 0x90;
      bytes[12] = 0xBE;
      bytes[13] = 0xDE;
      bytes[14] = 0;
    }
    const auto packet = parse_rtp(bytes);
    if (!packet) continue;
    ASSERT_LE(packet->header_bytes + packet->payload.size(), bytes.size());
    for (int id = 0; id < 256; id += 7) {
      const auto data = find_extension(*packet, static_cast<std::uint8_t>(id));
      if (!data || data->empty()) continue;
      ASSERT_GE(data->data(), bytes.data());
      ASSERT_LE(data->data() + data->size(), bytes.data() + packet->header_bytes);
    }
  }
}

}  // namespace
}  // namespace media
