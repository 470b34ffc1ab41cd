#include "media/play_list.h"

#include <gmock/gmock.h>

#include <random>

#include "media/icy_stream.h"
#include "media/limits.h"
#include "tests/support/seed.h"

namespace media {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

TEST(PlayList, AreKnownByTheirTypeOrHowTheyBegin) {
  EXPECT_TRUE(is_play_list("audio/x-mpegurl", ""));
  EXPECT_TRUE(is_play_list("Audio/X-ScPls; charset=utf-8", ""));
  EXPECT_TRUE(is_play_list("application/vnd.apple.mpegurl", ""));
  EXPECT_TRUE(is_play_list("", "#EXTM3U\n#EXTINF"));
  EXPECT_TRUE(is_play_list("text/plain", "\xEF\xBB\xBF[Playlist]\n"));
  EXPECT_TRUE(is_play_list("text/plain", "https://radio.ex"));
  EXPECT_FALSE(is_play_list("audio/mpeg", "ID3"));
  EXPECT_FALSE(is_play_list("audio/mpegurlish", "OggS"));
  EXPECT_FALSE(is_play_list("", ""));
}

TEST(PlayList, AnM3uNamesALineEach) {
  EXPECT_THAT(parse_play_list("#EXTM3U\r\n#EXTINF:12,One\r\nhttps://a.example/1\r\n\r\n  b/2.mp3 "),
              Optional(ElementsAre("https://a.example/1", "b/2.mp3")));
  EXPECT_THAT(parse_play_list(""), Optional(IsEmpty()));
}

TEST(PlayList, APlsNamesFiles) {
  EXPECT_THAT(parse_play_list("[playlist]\nNumberOfEntries=2\nFile1 = https://a.example/?a=b\n"
                              "Title1=file\nLength1=-1\nfile2=file:///etc/passwd\nVersion=2"),
              Optional(ElementsAre("https://a.example/?a=b", "file:///etc/passwd")));
}

TEST(PlayList, StreamsInPiecesAreNone) {
  EXPECT_EQ(parse_play_list("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\na.ts\n"),
            std::nullopt);
  EXPECT_EQ(parse_play_list("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nb.m3u8\n"), std::nullopt);
}

TEST(PlayList, NamesNoMoreThanIsAllowed) {
  std::string long_one;
  for (int i = 0; i < 1000; ++i) long_one += "a" + std::to_string(i) + "\n";
  EXPECT_EQ(parse_play_list(long_one)->size(), limits::kMaxListEntries);
}

// What a station makes of `body` and titles.
std::string with_titles(const std::string& body, std::size_t interval,
                        const std::vector<std::string>& titles) {
  std::string sent;
  for (std::size_t at = 0, n = 0; at < body.size(); at += interval, ++n) {
    sent += body.substr(at, interval);
    if (at + interval > body.size()) break;
    std::string words = n < titles.size() ? "StreamTitle='" + titles[n] + "';StreamUrl='';" : "";
    words.resize((words.size() + 15) / 16 * 16);
    sent += static_cast<char>(words.size() / 16) + words;
  }
  return sent;
}

TEST(IcyStream, HoweverItComesBodyAndTitlesComeApart) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::string body(random() % 3000, '\0');
    for (char& c : body) c = static_cast<char>(random());
    const std::size_t interval = 1 + random() % 500;
    std::vector<std::string> titles;
    for (std::size_t i = 0; i < body.size() / interval && i < 5; ++i) {
      titles.push_back("It's number " + std::to_string(random()));
    }
    const std::string sent = with_titles(body, interval, titles);
    IcyStream icy(interval);
    std::string got;
    std::vector<std::string> told;
    for (std::size_t at = 0; at < sent.size();) {
      const std::size_t size = std::min<std::size_t>(sent.size() - at, 1 + random() % 700);
      icy.feed(
          std::string_view(sent).substr(at, size), [&](std::string_view part) { got += part; },
          [&](std::string title) { told.push_back(std::move(title)); });
      at += size;
    }
    ASSERT_EQ(got, body) << interval;
    ASSERT_EQ(told, titles) << interval;
  }
}

TEST(IcyStream, WithoutTitlesEverythingIsBody) {
  IcyStream icy(0);
  std::string got;
  icy.feed(
      "abc", [&](std::string_view part) { got += part; }, [](const std::string&) { FAIL(); });
  EXPECT_EQ(got, "abc");
}

TEST(IcyStream, WordsThatAreNoUtf8AreTakenForLatin1) {
  EXPECT_EQ(as_utf8("Étude"), "Étude");
  EXPECT_EQ(as_utf8("\xC9tude"), "Étude");
  EXPECT_EQ(as_utf8("\xC3"), "Ã");
}

}  // namespace
}  // namespace media
