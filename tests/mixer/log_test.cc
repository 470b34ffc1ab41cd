#include "mixer/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace mixer {
namespace {

TEST(Log, KeepsWhatPeopleWrite) {
  for (const char* text : {"", "plain", "Grüße aus Köln", "日本語", "🎙", "a\\b"}) {
    EXPECT_EQ(one_line(text), text);
  }
}

TEST(Log, EscapesWhatWouldForgeALineOrATerminal) {
  EXPECT_EQ(one_line("a\nlevel=error b"), "a\\nlevel=error b");
  EXPECT_EQ(one_line("\x1b[2J\r"), "\\x1b[2J\\x0d");
  EXPECT_EQ(one_line(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(one_line("\xc2\x85"), "\\xc2\\x85");           // NEL, a C1 control
  EXPECT_EQ(one_line("\xe2\x80\xa8"), "\\xe2\\x80\\xa8");  // LINE SEPARATOR
  EXPECT_EQ(one_line("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // RIGHT-TO-LEFT OVERRIDE
}

TEST(Log, EscapesInvalidUtf8) {
  EXPECT_EQ(one_line("\xff"), "\\xff");
  EXPECT_EQ(one_line("\xc0\xaf"), "\\xc0\\xaf");           // too long a form
  EXPECT_EQ(one_line("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(one_line("\xf0\x9f\x8e"), "\\xf0\\x9f\\x8e");  // cut off
}

TEST(Log, QuotesValuesThatCouldBeTakenForFields) {
  EXPECT_EQ(field("jid", "a@b.example/c"), "jid=a@b.example/c");
  EXPECT_EQ(field("nick", "x level=error"), "nick=\"x level=error\"");
  EXPECT_EQ(field("nick", "\" admin=yes"), "nick=\"\\\" admin=yes\"");
  EXPECT_EQ(field("nick", ""), "nick=\"\"");
  EXPECT_EQ(field("nick", "a\nb"), "nick=a\\nb");
  EXPECT_EQ(field("nick", "a\\nb"), "nick=\"a\\\\nb\"");
}

TEST(Log, AnyBytesGiveOnePrintableLineAndTheSameAgain) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 5000; ++i) {
    std::string text(random() % 40, ' ');
    for (char& c : text) c = static_cast<char>(random());
    const std::string line = one_line(text);
    EXPECT_TRUE(std::none_of(line.begin(), line.end(),
                             [](unsigned char c) { return c < 0x20 || c == 0x7f; }));
    EXPECT_EQ(one_line(line), line);
  }
}

TEST(Log, WritesOneLineAndOnlyFromItsLevelOn) {
  testing::internal::CaptureStderr();
  set_log_level("warning");
  write_log(Log::Level::info, "quiet=yes");
  write_log(Log::Level::warning, "loud=yes\nforged=yes");
  set_log_level("info");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find("quiet"), std::string::npos);
  EXPECT_NE(text.find(" level=warning loud=yes\\nforged=yes\n"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

}  // namespace
}  // namespace mixer
