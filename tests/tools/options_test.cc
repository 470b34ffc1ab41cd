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
  return parse_options(Program::jingle_call, static_cast<int>(argv.size()), argv.data());
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

TEST(Options, StunAndTurnServersHaveAPortOfTheirOwnOrTheUsualOne) {
  using Kind = media::IceServer::Kind;
  const auto parsed = parse(with({"--stun", "stun.example.org", "--turn", "[2001:db8::1]:3479",
                                  "--turn-username", "1700000000:ann", "--turn-password", "p"}));
  const auto* options = std::get_if<Options>(&parsed);
  ASSERT_NE(options, nullptr);
  EXPECT_EQ(options->ice_servers, (std::vector<media::IceServer>{
                                      {Kind::stun, "stun.example.org", 3478, "", ""},
                                      {Kind::turn, "2001:db8::1", 3479, "1700000000:ann", "p"}}));
  for (const auto& wrong : {std::vector<std::string>{"--turn", "a:b"},
                            {"--stun", "host:0"},
                            {"--turn-username", "u"}}) {
    EXPECT_TRUE(std::holds_alternative<int>(parse(with(wrong)))) << wrong[0];
  }
}

TEST(Options, CallersOfOneAccountHaveAResourceEachAndAPatternAnAccountEach) {
  const auto shared = std::get<Options>(parse(with({"--count", "2"})));
  EXPECT_EQ(caller_jid(shared, 2).str(), "ann@localhost/call-2");
  const auto pattern = std::get<Options>(parse(with({"--jid", "c{n}@localhost", "--count", "2"})));
  EXPECT_EQ(caller_jid(pattern, 2).str(), "c2@localhost/call-2");
  const auto one = std::get<Options>(parse(with({"--jid", "ann@localhost/phone"})));
  EXPECT_EQ(caller_jid(one, 1).str(), "ann@localhost/phone");
}

TEST(Options, ACalledOneNeedsNobodyToDial) {
  std::vector<std::string> arguments{"--server",   "h", "--jid",   "ann@localhost",
                                     "--password", "x", "--answer"};
  const auto plain = std::get<Options>(parse(arguments));
  ASSERT_TRUE(plain.answer);
  EXPECT_EQ(plain.answer->policy, AnswerSpec::Policy::accept);
  EXPECT_TRUE(plain.answer->jmi);
  arguments.insert(arguments.end(), {"--ring", "1.5", "--decline", "--no-jmi"});
  const auto more = std::get<Options>(parse(arguments));
  EXPECT_EQ(more.answer->ring, std::chrono::milliseconds(1500));
  EXPECT_EQ(more.answer->policy, AnswerSpec::Policy::decline);
  EXPECT_FALSE(more.answer->jmi);
  EXPECT_FALSE(std::get<Options>(parse(with({}))).answer);
}

TEST(Options, CoinWatchKnowsWhatACallNeedsAndHowToShow) {
  std::vector<std::string> arguments = with({"--jmi", "--raw", "--no-redraw"});
  arguments.insert(arguments.begin(), "coin-watch");
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  const auto parsed =
      parse_options(Program::coin_watch, static_cast<int>(argv.size()), argv.data());
  const auto* options = std::get_if<Options>(&parsed);
  ASSERT_NE(options, nullptr);
  EXPECT_TRUE(options->jmi && options->raw && !options->redraw);
  EXPECT_EQ(std::get<int>(parse(with({"--raw"}))), 64) << "not jingle-call's";
}

TEST(Options, MistakesAreUsageErrors) {
  for (const auto& mistake : std::vector<std::vector<std::string>>{{"--tls", "maybe"},
                                                                   {"--to", "@@"},
                                                                   {"--jid", "localhost"},
                                                                   {"--server", "host:99999"},
                                                                   {"--count", "0"},
                                                                   {"--answer"},  // and --to
                                                                   {"--busy"},
                                                                   {"--ring", "1"},
                                                                   {"--document", "/nowhere"},
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
  const auto document = parse_command("document a/b.xml");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->asked.what, UserAsked::What::document);
  EXPECT_EQ(document->asked.text, "a/b.xml");
  EXPECT_EQ(parse_command("restart")->asked.what, UserAsked::What::restart);
  EXPECT_EQ(parse_command("2 restart 127.0.0.2")->asked.text, "127.0.0.2");
  for (const char* line : {"restart a b", "document", "", "2", "x", "dtmf", "dtmf 55", "dtmf x",
                           "2x mute", "99999999999 mute", "mute now"}) {
    EXPECT_FALSE(parse_command(line)) << line;
  }
}

}  // namespace
}  // namespace call
