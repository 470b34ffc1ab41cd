#include "media/ogg_opus_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <random>

#include "tests/support/ogg_reader.h"
#include "tests/support/opus_codec.h"
#include "tests/support/process.h"
#include "tests/support/seed.h"
#include "tests/support/temp_dir.h"

namespace media {
namespace {

using test_support::OggOpusFile;
using test_support::read_ogg_opus;
using Bytes = std::vector<std::uint8_t>;

OggOpusWriter::Info info() { return {.serial = 7, .comments = {"TITLE=Tea", "DATE=2026"}}; }

// One frame of some mode, of bytes that mean nothing.
Bytes any_packet(std::mt19937& random) {
  const auto below = [&](unsigned n) {
    return std::uniform_int_distribution<unsigned>(0, n - 1)(random);
  };
  Bytes packet(below(10) == 0 ? below(1276) : below(100));
  for (auto& byte : packet) byte = static_cast<std::uint8_t>(below(256));
  if (!packet.empty() && below(2) == 0) packet[0] &= 0xFC;  // one frame: always well-formed
  return packet;
}

// Whatever comes, and whenever: each packet that is taken is where it was put, to within the
// shortest gap that Opus can conceal, and the file lasts as long as was put into it.
TEST(OggOpusWriterLaws, EveryPacketTakenIsAtItsTime) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    OggOpusWriter writer(info());
    Bytes bytes;
    struct Put {
      std::uint64_t at;
      Bytes packet;
    };
    std::vector<Put> taken;
    std::uint64_t at = 0;
    const auto take_pages = [&] {
      bytes.insert(bytes.end(), writer.pages().begin(), writer.pages().end());
      writer.clear();
    };
    for (unsigned i = random() % 200; i > 0; --i) {
      at = random() % 3 != 0 ? writer.samples()
                             : at + random() % (random() % 9 == 0 ? 480000 : 3000);
      const Bytes packet = any_packet(random);
      const std::uint64_t before = writer.samples();
      if (random() % 20 == 0) {
        writer.conceal_to(at);
      } else if (writer.put(at, packet)) {
        ASSERT_GE(at, before);
        taken.push_back({at, packet});
      } else {
        ASSERT_EQ(writer.samples(), before);
      }
      take_pages();
      // Of a page that is cut off nothing is lost that is before it.
      ASSERT_LE(writer.samples() - read_ogg_opus(bytes).samples(),
                OggOpusWriter::kPage_samples + 5760);
    }
    writer.finish();
    take_pages();
    const OggOpusFile file = read_ogg_opus(bytes);
    ASSERT_TRUE(file.ended);
    ASSERT_EQ(file.whole_bytes, bytes.size());
    ASSERT_EQ(file.samples(), writer.samples());
    ASSERT_GE(file.samples(), static_cast<std::uint64_t>(file.pre_skip));
    std::size_t next = 0;
    for (const OggOpusFile::Packet& packet : file.packets) {
      if (next == taken.size() || packet.bytes != taken[next].packet) {
        ASSERT_TRUE(packet.conceals);
        continue;
      }
      ASSERT_LE(packet.at_samples, taken[next].at);
      ASSERT_LT(taken[next].at - packet.at_samples, OggOpusWriter::kLeastGap_samples);
      ++next;
    }
    ASSERT_EQ(next, taken.size());
    std::uint64_t page = 0;
    for (const std::uint64_t end : file.pages) {
      ASSERT_LE(end - page, OggOpusWriter::kPage_samples);
      page = end;
    }
  }
}

Bytes speech(OggOpusWriter& writer, int packets) {
  test_support::OpusSender sender;
  for (int i = 0; i < packets; ++i) {
    const auto at = static_cast<std::size_t>(i) * 960;
    EXPECT_TRUE(writer.put(at, sender.encode(test_support::tone(440, 8000, 960, at))));
  }
  return {writer.pages().begin(), writer.pages().end()};
}

// What a SIGKILL leaves: the pages so far, or those and a part of one.
TEST(OggOpusWriterLaws, AFileThatIsCutOffIsReadUpToItsLastWholePage) {
  OggOpusWriter writer(info());
  const Bytes bytes = speech(writer, 500);
  const OggOpusFile whole = read_ogg_opus(bytes);
  ASSERT_GE(whole.pages.size(), 9U);
  EXPECT_FALSE(whole.ended);
  EXPECT_LE(writer.samples() - whole.samples(), OggOpusWriter::kPage_samples + 960);
  for (std::size_t length = 100; length < bytes.size(); length += 17) {
    const OggOpusFile cut = read_ogg_opus(std::span(bytes).first(length));
    const auto page = std::ranges::upper_bound(whole.page_ends, length);
    EXPECT_EQ(cut.pages.size(), static_cast<std::size_t>(page - whole.page_ends.begin()));
  }
}

TEST(OggOpusWriter, ToneComesOutAsItWentIn) {
  OggOpusWriter writer(info());
  speech(writer, 250);
  writer.finish();
  const auto sound = test_support::decode(read_ogg_opus(writer.pages()));
  EXPECT_EQ(sound.size(), 250U * 960 - OggOpusWriter::kPreSkip_samples);
  EXPECT_NEAR(test_support::tone_amplitude(sound, 440), 8000, 400);
}

TEST(OggOpusWriter, HeadersSayWhatRfc7845Wants) {
  OggOpusWriter writer(info());
  speech(writer, 10);
  writer.finish();
  const OggOpusFile file = read_ogg_opus(writer.pages());
  EXPECT_EQ(file.serial, 7U);
  EXPECT_EQ(file.channels, 1);
  EXPECT_EQ(file.pre_skip, 3840);
  EXPECT_EQ(file.vendor, kOpusVendor);
  EXPECT_EQ(file.comments, (std::vector<std::string>{"TITLE=Tea", "DATE=2026"}));
}

TEST(OggOpusWriter, AStereoSpeakerHasAStereoFile) {
  OggOpusWriter writer(info());
  const Bytes stereo = {0xFC, 1, 2, 3};
  writer.put(0, stereo);
  writer.finish();
  EXPECT_EQ(read_ogg_opus(writer.pages()).channels, 2);
}

// RFC 7845 §5.1: the header is there before anybody knows what follows.
TEST(OggOpusWriter, WhatMayBecomeStereoHasAStereoFile) {
  OggOpusWriter writer({.serial = 1, .comments = {}, .channels = 2});
  speech(writer, 10);
  writer.finish();
  EXPECT_EQ(read_ogg_opus(writer.pages()).channels, 2);
}

// RFC 7845 §4.1: "a 95 ms gap" after a 20 ms SILK frame.
TEST(OggOpusWriter, AGapIsConcealedInTheModeOfThePacketBeforeItAsLongAsPossible) {
  OggOpusWriter writer(info());
  const Bytes wideband_silk = {9 << 3, 1, 2, 3};
  writer.put(0, wideband_silk);
  writer.put(960 + 95 * 48, wideband_silk);
  writer.finish();
  const OggOpusFile file = read_ogg_opus(writer.pages());
  std::vector<std::pair<int, int>> modes;  // configuration, samples
  for (const auto& packet : file.packets) modes.emplace_back(packet.bytes[0] >> 3, packet.samples);
  ASSERT_GE(modes.size(), 5U);
  EXPECT_EQ(modes[1], (std::pair{9, 4 * 960}));
  EXPECT_EQ(modes[2], (std::pair{8, 480}));
  EXPECT_EQ(modes[3], (std::pair{20, 2 * 120}));
  EXPECT_EQ(file.packets[4].at_samples, 960U + 95 * 48);
}

TEST(OggOpusWriter, AnHourOfNothingCostsNextToNothing) {
  OggOpusWriter writer(info());
  writer.conceal_to(std::uint64_t{3600} * 48000);
  writer.finish();
  EXPECT_EQ(read_ogg_opus(writer.pages()).samples(), std::uint64_t{3600} * 48000);
  EXPECT_LT(writer.pages().size(), 250'000U);
}

// An independent implementation, which complains of whatever RFC 7845 does not like.
TEST(OggOpusWriter, OpusinfoHasNothingToComplainOf) {
  if (std::system("command -v opusinfo >/dev/null") != 0) GTEST_SKIP() << "no opusinfo";
  const support::TempDir folder;
  OggOpusWriter writer(info());
  test_support::OpusSender sender;
  for (std::uint64_t at = 0; at < 480000; at += at % 7 == 0 ? 960 : 2400) {
    writer.put(at, sender.encode(test_support::tone(440, 8000, 960, at)));
  }
  writer.finish();
  const std::string path = folder / "tea.opus";
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(writer.pages().data()),
             static_cast<std::streamsize>(writer.pages().size()));
  support::Process opusinfo({.argv = {"opusinfo", path}});
  EXPECT_EQ(opusinfo.wait(std::chrono::seconds(20)), 0);
  const std::string said = opusinfo.output();
  EXPECT_EQ(said.find("WARNING"), said.npos) << said;
  EXPECT_NE(said.find("TITLE=Tea"), said.npos) << said;
  EXPECT_NE(said.find("Playback length: 0m:0"), said.npos) << said;
}

}  // namespace
}  // namespace media
