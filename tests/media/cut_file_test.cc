#include "media/cut_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "media/ogg_opus_writer.h"
#include "tests/support/opus_codec.h"
#include "tests/support/seed.h"

namespace media {
namespace {

bool cut(const std::string& file) {
  return is_cut(file.size(), [&file](std::uint64_t at, std::span<char> bytes) {
    const auto got = at < file.size() ? std::min<std::uint64_t>(bytes.size(), file.size() - at) : 0;
    if (got > 0) std::memcpy(bytes.data(), file.data() + at, got);
    return static_cast<std::size_t>(got);
  });
}

std::string big(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> 8 * i);
  return text;
}
std::string little(std::uint64_t value) {
  const std::string text = big(value, 4);
  return {text.rbegin(), text.rend()};
}
std::string sound(std::size_t bytes) { return std::string(bytes, '\x55'); }
std::string box(const std::string& type, const std::string& inside) {
  return big(inside.size() + 8, 4) + type + inside;
}
std::string riff(std::uint64_t declared, std::size_t bytes = 50000) {
  return "RIFF" + little(declared) + "WAVE" + sound(bytes - 4);
}
std::string matroska(const std::string& size, std::size_t bytes) {
  return "\x1A\x45\xDF\xA3\x84webm\x18\x53\x80\x67" + size + sound(bytes);
}
std::string mp3(const std::string& tags) {
  const std::string header =
      "\xFF\xFB\x90\x64" + std::string(32, '\0') + "Info" + big(3, 4) + big(100, 4) + big(50000, 4);
  return tags + header + sound(50000 - header.size());
}
std::string ogg(int packets = 500) {
  OggOpusWriter writer({.serial = 7, .comments = {}});
  const std::vector<std::uint8_t> packet(120, 0xFC);
  for (int i = 0; i < packets; ++i) writer.put(static_cast<std::uint64_t>(i) * 960, packet);
  writer.finish();
  return {writer.pages().begin(), writer.pages().end()};
}

const std::pair<const char*, std::string> kWhole[] = {
    {"wav", riff(50000)},
    {"avi", "RIFF" + little(50000) + "AVI " + sound(49996)},
    {"aiff", "FORM" + big(50000, 4) + "AIFF" + sound(49996)},
    {"mp4", box("ftyp", "isom") + box("moov", sound(900)) + box("mdat", sound(50000))},
    {"mp4, its index last", box("ftyp", "isom") + box("mdat", sound(50000)) + box("moov", "")},
    {"mp4, a long box", box("ftyp", "isom") + big(1, 4) + "mdat" + big(50016, 8) + sound(50000)},
    {"webm", matroska("\x80", 0) + sound(20)},
    {"webm, eight bytes of size", matroska("\x01" + big(50000, 7), 50000)},
    {"webm, three bytes of size", matroska(big(0x200000 | 50000, 3), 50000)},
    {"au", ".snd" + big(24, 4) + big(50000, 4) + sound(50012)},
    {"mp3", mp3("")},
    {"mp3 with tags",
     mp3("ID3\x04" + std::string(2, '\0') + std::string("\0\0\x03\x7F", 4) + sound(511))},
    {"ogg", ogg()}};

TEST(CutFile, WhatIsWholeIsNot) {
  for (const auto& [kind, file] : kWhole) EXPECT_FALSE(cut(file)) << kind;
}

TEST(CutFile, WhatLacksItsEndIsWhereverThatWas) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const auto& [kind, file] : kWhole) {
    if (file.size() < 10000) continue;
    for (int i = 0; i < 200; ++i) {
      const std::size_t left = 1000 + random() % (file.size() * 97 / 100 - 1000);
      if (file.substr(left, 4) == "OggS") continue;  // as what was taken from a station

      EXPECT_TRUE(cut(file.substr(0, left))) << kind << ", of " << file.size() << ", " << left;
    }
  }
}

TEST(CutFile, WhatLacksLittleOrHasMoreIsWhole) {
  EXPECT_FALSE(cut(riff(50008))) << "some count their own header";
  EXPECT_FALSE(cut(riff(49000)));
  for (const auto& [kind, file] : kWhole) EXPECT_FALSE(cut(file + "TAG" + sound(125))) << kind;
}

TEST(CutFile, WhoseLengthWasNotKnownWhenItBeganCannotBeTold) {
  for (const std::uint64_t size : {0U, 0x7FFFF024U, 0x80000024U, 0xFFFFFFFFU}) {
    EXPECT_FALSE(cut(riff(size))) << size;
  }
  EXPECT_FALSE(cut("\xFF\xFB\x90\x64" + sound(20000)));
  EXPECT_FALSE(cut(".snd" + big(24, 4) + big(0xFFFFFFFF, 4) + sound(20000)));
  EXPECT_FALSE(cut(matroska("\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 50000)));
  EXPECT_FALSE(cut(matroska("\xFF", 50000)));
  EXPECT_FALSE(cut(box("ftyp", "isom") + big(0, 4) + "mdat" + sound(50000)));
}

// RFC 7845 §3: readers have to expect that.
TEST(CutFile, WhatWasTakenFromAStationHasNoLastPageAndIsWhole) {
  const std::string whole = ogg(3000);
  EXPECT_FALSE(cut(whole.substr(0, whole.rfind("OggS"))));
}

// Damage from some place on; the end of a stream is not where the file ends.
TEST(CutFile, AnOggFileThatEndsInSomethingElseIs) {
  const std::string whole = ogg(3000);
  EXPECT_TRUE(cut(whole.substr(0, whole.size() / 2) + sound(whole.size() / 2)));
}

TEST(CutFile, NonsenseIsReadToNoEnd) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 20000; ++i) {
    std::string file = kWhole[random() % std::size(kWhole)].second.substr(0, 1 + random() % 300);
    for (auto n = random() % 8; n > 0; --n) {
      file[random() % file.size()] = static_cast<char>(random());
    }
    cut(file);
  }
  std::string boxes;
  for (int i = 0; i < 100; ++i) boxes += box("free", "");
  int reads = 0;
  EXPECT_FALSE(is_cut(boxes.size() + 5000, [&](std::uint64_t at, std::span<char> bytes) {
    ++reads;
    std::memcpy(bytes.data(), boxes.data() + at, 16);
    return std::size_t{16};
  }));
  EXPECT_LT(reads, 10) << "each may be a request";
}

}  // namespace
}  // namespace media
