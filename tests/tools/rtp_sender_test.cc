#include "tools/call/rtp_sender.h"

#include <gtest/gtest.h>

namespace call {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::uint32_t number(const Bytes& bytes, std::size_t at, int count) {
  std::uint32_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | bytes.at(at + static_cast<std::size_t>(i));
  return value;
}
int sequence(const Bytes& packet) { return static_cast<int>(number(packet, 2, 2)); }
std::uint32_t timestamp(const Bytes& packet) { return number(packet, 4, 4); }
bool marker(const Bytes& packet) { return (packet.at(1) & 0x80) != 0; }
int payload_type(const Bytes& packet) { return packet.at(1) & 0x7F; }

media::RtpParameters agreed() {
  media::RtpParameters rtp;
  rtp.telephone_event = 101;
  rtp.ssrc_audio_level = 1;
  return rtp;
}

const OpusFrame kFrame{{0xAA, 0xBB, 0xCC}, 20};

TEST(RtpSender, AFrameCarriesItsLevelAndIsMarkedWhenSpeechBegins) {
  RtpSender sender(0x01020304, agreed(), 7);
  const auto packets = sender.tick(&kFrame);
  ASSERT_EQ(packets.size(), 1U);
  const auto& packet = packets[0];
  ASSERT_EQ(packet.size(), 12U + 8 + 3);
  EXPECT_EQ(packet[0], 0x90);  // version 2, an extension
  EXPECT_TRUE(marker(packet));
  EXPECT_EQ(payload_type(packet), 111);
  EXPECT_EQ(number(packet, 8, 4), 0x01020304U);
  EXPECT_EQ(number(packet, 12, 4), 0xBEDE0001U);
  EXPECT_EQ(packet[16], 0x10);
  EXPECT_EQ(packet[17], 0x80 | 20);
  EXPECT_FALSE(marker(sender.tick(&kFrame).at(0)));
}

TEST(RtpSender, WithoutAgreementThereIsNoExtension) {
  auto rtp = agreed();
  rtp.ssrc_audio_level = 0;
  RtpSender sender(1, rtp, 7);
  EXPECT_EQ(sender.tick(&kFrame).at(0).size(), 12U + 3);
}

TEST(RtpSender, SilenceTakesTimeButNoSequenceNumbers) {
  RtpSender sender(1, agreed(), 0xFFFF);
  const auto before = sender.tick(&kFrame).at(0);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(sender.tick(nullptr).empty());
  const auto after = sender.tick(&kFrame).at(0);
  EXPECT_EQ(sequence(after), (sequence(before) + 1) % 65536);
  EXPECT_EQ(timestamp(after) - timestamp(before), 11U * 960);
  EXPECT_TRUE(marker(after));
}

TEST(RtpSender, AKeyIsOneEventWithOneTimestampThatEndsThreeTimes) {
  RtpSender sender(1, agreed(), 3);
  sender.press('5');
  std::vector<Bytes> keys;
  for (int i = 0; i < 20; ++i) {
    for (auto& packet : sender.tick(&kFrame)) {
      if (payload_type(packet) == 101) keys.push_back(std::move(packet));
    }
  }
  ASSERT_EQ(keys.size(), 8U + 2);
  int ends = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(marker(keys[i]), i == 0);
    EXPECT_EQ(timestamp(keys[i]), timestamp(keys[0]));
    EXPECT_EQ(keys[i].at(12), 5);
    EXPECT_EQ(number(keys[i], 14, 2), 960 * std::min<std::size_t>(i + 1, 8));
    ends += (keys[i].at(13) & 0x80) != 0 ? 1 : 0;
  }
  EXPECT_EQ(ends, 3);
}

TEST(RtpSender, KeysNeedAgreement) {
  auto rtp = agreed();
  rtp.telephone_event.reset();
  RtpSender sender(1, rtp, 3);
  sender.press('5');
  EXPECT_EQ(payload_type(sender.tick(&kFrame).at(0)), 111);
}

}  // namespace
}  // namespace call
