#include "tools/call/options.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tools/call/user_command.h"

namespace call {
namespace {

std::variant<Options, int> parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "jingle-call");
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  return parse_options(static_cast<int>(argv.size()), argv.data());
}
std::vector<std::string> with(std::vector<std::string> more) {
  const std::vector<std::pair<std::string, std::string>> needed{{"--server", "127.0.0.1:5222"},
                                                                {"--jid", "ann@localhost"},
                                                                {"--password", "x"},
                                                                {"--to", "room@mixer.localhost"}};
  for (const auto& [name, value] : needed) {
    if (std::find(more.begin(), more.end(), name) != more.end()) continue;
    more.insert(more.begin(), {name, value});
  }
  return more;
}

TEST(Options, TheFourNeededOnesSuffice) {
  const auto parsed = parse(with({}));
  const auto* options = std::get_if<Options>(&parsed);
  ASSERT_NE(options, nullptr);
  EXPECT_EQ(options->host, "127.0.0.1");
  EXPECT_EQ(options->port, 5222);
  EXPECT_EQ(options->to.str(), "room@mixer.localhost");
  EXPECT_EQ(options->addresses, std::vector<std::string>{"127.0.0.1"});
  EXPECT_FALSE(options->seconds);
  EXPECT_TRUE(options->rtcp_mux);
  EXPECT_EQ(options->tls, Tls::verify);
}

TEST(Options, EverythingCanBeSaid) {
  const auto parsed = parse(with({"--tls", "trust-all", "--count", "3", "--seconds", "2.5",
                                  "--record", "/tmp/a.b/x.wav", "--json", "--no-rtcp-mux"}));
  const auto* options = std::get_if<Options>(&parsed);
  ASSERT_NE(options, nullptr);
  EXPECT_EQ(options->tls, Tls::trust_all);
  EXPECT_EQ(options->seconds, std::chrono::milliseconds(2500));
  EXPECT_FALSE(options->rtcp_mux);
  EXPECT_EQ(record_file(*options, 2), "/tmp/a.b/x-2.wav");
}

TEST(Options, CallersOfOneAccountHaveAResourceEachAndAPatternAnAccountEach) {
  const auto shared = std::get<Options>(parse(with({"--count", "2"})));
  EXPECT_EQ(caller_jid(shared, 2).str(), "ann@localhost/call-2");
  const auto pattern = std::get<Options>(parse(with({"--jid", "c{n}@localhost", "--count", "2"})));
  EXPECT_EQ(caller_jid(pattern, 2).str(), "c2@localhost/call-2");
  const auto one = std::get<Options>(parse(with({"--jid", "ann@localhost/phone"})));
  EXPECT_EQ(caller_jid(one, 1).str(), "ann@localhost/phone");
}

TEST(Options, MistakesAreUsageErrors) {
  for (const auto& mistake : std::vector<std::vector<std::string>>{{"--tls", "maybe"},
                                                                   {"--to", "@@"},
                                                                   {"--jid", "localhost"},
                                                                   {"--server", "host:99999"},
                                                                   {"--count", "0"},
                                                                   {"--frobnicate"}}) {
    const auto parsed = parse(with(mistake));
    ASSERT_TRUE(std::holds_alternative<int>(parsed)) << mistake[0];
    EXPECT_EQ(std::get<int>(parsed), 64) << mistake[0];
  }
}

TEST(UserCommands, AreForAllCallersOrForOne) {
  const auto all = parse_command("mute");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->caller, 0);
  EXPECT_EQ(all->asked.what, UserAsked::What::mute);
  const auto one = parse_command("  2 dtmf #\r");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->caller, 2);
  EXPECT_EQ(one->asked.digit, '#');
  for (const char* line : {"", "2", "x", "dtmf", "dtmf 55", "dtmf x", "2x mute", "mute now"}) {
    EXPECT_FALSE(parse_command(line)) << line;
  }
}

}  // namespace
}  // namespace call
