#include <gtest/gtest.h>

#include <algorithm>

#include "tools/load/options.h"

namespace load {
namespace {

using namespace std::chrono_literals;

std::variant<Options, int> parse(std::vector<std::string> more) {
  const std::vector<std::pair<std::string, std::string>> needed{{"--component", "load.localhost"},
                                                                {"--secret", "s"},
                                                                {"--server", "127.0.0.1:5347"},
                                                                {"--to", "tea@mixer.localhost"}};
  std::vector<std::string> arguments{"jingle-load"};
  for (const auto& [name, value] : needed) {
    if (std::ranges::count(more, name) == 0) arguments.insert(arguments.end(), {name, value});
  }
  arguments.insert(arguments.end(), more.begin(), more.end());
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  return parse_options(Program::jingle_load, static_cast<int>(argv.size()), argv.data());
}
Options good(std::vector<std::string> more) { return std::get<Options>(parse(std::move(more))); }

TEST(LoadOptions, TheNeededOnesSufficeAndTheSeedIsDrawn) {
  const Options options = good({});
  EXPECT_EQ(options.component.str(), "load.localhost");
  EXPECT_EQ(options.host, "127.0.0.1");
  EXPECT_EQ(options.port, 5347);
  EXPECT_FALSE(options.line.bad());
  EXPECT_NE(options.seed, good({}).seed);
}

TEST(LoadOptions, BadLinesAreSaidInPercentAndMilliseconds) {
  const Options options = good({"--loss", "5", "--burst", "3", "--jitter", "20", "--reorder", "1",
                                "--afflict", "listeners", "--afflicted", "10"});
  EXPECT_EQ(options.line, (LineSpec{.loss = 0.05, .burst = 3, .jitter = 20ms, .reorder = 0.01}));
  EXPECT_EQ(options.afflicted, Options::Afflicted::listeners);
  EXPECT_DOUBLE_EQ(options.afflicted_share, 0.1);
  EXPECT_EQ(good({}).afflicted_share, 0) << "without a bad line nobody has one";
}

TEST(LoadOptions, MistakesEndWithTheStatusOfWrongUse) {
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"--callers", "0"},
                                             {"--loss", "101"},
                                             {"--burst", "0.5"},
                                             {"--reorder", "51"},
                                             {"--jitter", "-1"},
                                             {"--ptime", "30"},
                                             {"--silence", "-1"},
                                             {"--afflict", "nobody"},
                                             {"--listeners", "loud"},
                                             {"--component", "ann@localhost"},
                                             {"--server", "127.0.0.1:x"},
                                             {"--address", "somewhere"},
                                             {"--rooms", "2", "--to", "mixer.localhost"},
                                             {"--no-such-thing"}}) {
    const auto parsed = parse(wrong);
    const auto* status = std::get_if<int>(&parsed);
    ASSERT_NE(status, nullptr) << wrong.front();
    EXPECT_EQ(*status, 64) << wrong.front();
  }
}

TEST(LoadOptions, CallersAreDealtToRoomsAndTheFirstOfEachTalk) {
  const Options options = good({"--callers", "9", "--rooms", "3", "--talkers", "2"});
  EXPECT_EQ(room_of(options, 0).str(), "tea1@mixer.localhost");
  EXPECT_EQ(room_of(options, 8).str(), "tea3@mixer.localhost");
  int talkers = 0;
  for (std::size_t i = 0; i < 9; ++i) talkers += is_talker(options, i) ? 1 : 0;
  EXPECT_EQ(talkers, 6);
  EXPECT_FALSE(is_talker(options, 6));
  EXPECT_EQ(room_of(good({}), 5).str(), "tea@mixer.localhost");
}

}  // namespace
}  // namespace load
