#include "tools/load/progress.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "tests/support/net.h"

namespace load {
namespace {

constexpr std::string_view kErase = "\033[K";  // to the end of the line: what was there before

constexpr Progress kAtWork{.phase = "measuring",
                           .t = 12,
                           .callers = 200,
                           .connected = 199,
                           .over = 1,
                           .least_received = 50,
                           .documents = 967};

Progress at(double t, const char* phase) {
  Progress progress = kAtWork;
  progress.t = t;
  progress.phase = phase;
  return progress;
}

// What has come when `end` has, so many times: a terminal passes it on in its own time.
std::string read_until(int fd, std::string_view end, int times = 1) {
  std::string text;
  char byte = 0;
  while (times > 0 && read(fd, &byte, 1) == 1) {
    text += byte;
    if (text.ends_with(end)) --times;
  }
  return text;
}

// A pair of ends of which one is a terminal of that width, or a pipe.
struct Ends {
  support::Fd reader, writer;
};
Ends terminal(unsigned short columns) {
  int reader = -1;
  int writer = -1;
  const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  EXPECT_EQ(openpty(&reader, &writer, nullptr, nullptr, &size), 0);
  return {support::Fd(reader), support::Fd(writer)};
}
Ends not_a_terminal() {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe(ends.data()), 0);
  return {support::Fd(ends[0]), support::Fd(ends[1])};
}

TEST(Progress, SaysInOneLineHowItStands) {
  EXPECT_EQ(to_string(kAtWork, 200),
            "   12 s measuring: 199 of 200 connected, 1 over; 50 packets/s or more; 967 documents");
  EXPECT_EQ(to_string(kAtWork, 20), "   12 s measuring: 1");
}

// It went on in the next line, of which each second left one behind.
TEST(Progress, StaysWithinTheWidthOfATerminalAndOnItsLine) {
  for (const unsigned short columns : {1, 40, 80, 300}) {
    SCOPED_TRACE(columns);
    const Ends ends = terminal(columns);
    {
      ProgressLine line(ends.writer.get());
      for (int second = 0; second < 3; ++second) line.show(at(second, "joining"));
      const std::string shown = read_until(ends.reader.get(), kErase, 3);
      EXPECT_EQ(shown.find('\n'), std::string::npos);
      std::size_t lines = 0;
      for (std::size_t begin = 0; begin < shown.size(); ++lines) {
        ASSERT_EQ(shown[begin], '\r');
        const std::size_t end = shown.find(kErase, begin);
        EXPECT_LT(end - begin - 1, columns);
        begin = end + kErase.size();
      }
      EXPECT_EQ(lines, 3U);
    }
    EXPECT_EQ(read_until(ends.reader.get(), "\n"), "\r\n") << "the next is on its own";
  }
}

TEST(Progress, IsForAFileALineOfEachPhaseAndOfTenSecondsWithoutControlCharacters) {
  Ends ends = not_a_terminal();
  {
    ProgressLine line(ends.writer.get());
    for (int second = 0; second < 25; ++second) {
      line.show(at(second, second < 4 ? "joining" : "measuring"));
    }
  }
  ends.writer.reset();
  const std::string shown = read_until(ends.reader.get(), "there is no such end");
  EXPECT_EQ(std::ranges::count(shown, '\n'), 4) << shown;
  for (const char* first : {"    0 s joining", "    4 s measuring", "   14 s", "   24 s"}) {
    EXPECT_NE(shown.find(first), std::string::npos) << first;
  }
  EXPECT_TRUE(std::ranges::all_of(shown, [](char c) { return c == '\n' || c >= ' '; })) << shown;
}

TEST(Progress, SaysNothingWhenThereIsNothingToSay) {
  const Ends ends = terminal(80);
  { const ProgressLine line(ends.writer.get()); }
  ASSERT_EQ(write(ends.writer.get(), "end", 3), 3);
  EXPECT_EQ(read_until(ends.reader.get(), "end"), "end");
}

}  // namespace
}  // namespace load
