#include "mixer/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <regex>
#include <sstream>

#include "mixer/client_profile.h"
#include "mixer/config_reader.h"
#include "tests/support/data.h"
#include "tests/support/minimal_config.h"
#include "tests/support/temp_dir.h"

namespace mixer {
namespace {

using test::good;
using test::kMinimal;
using test::lines;
using test::problems;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// The path of a file written there.
std::string write(const support::TempDir& folder, const std::string& name, const std::string& text,
                  mode_t mode) {
  const auto path = folder / name;
  std::ofstream(path) << text;
  chmod(path.c_str(), mode);
  return path.string();
}

std::string sample() {
  std::ifstream in(test_support::data("../tools/jingle-mixer.toml"));
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Config, TheMinimalOneIsEnough) {
  const Config config = good("");
  EXPECT_EQ(config.xmpp.mode, Config::Xmpp::Mode::component);
  EXPECT_EQ(config.xmpp.jid.str(), "mixer.localhost");
  EXPECT_EQ(config.xmpp.password, "secret");
  EXPECT_EQ(config.xmpp.host, "127.0.0.1");
  EXPECT_EQ(config.xmpp.port, 5347);
  EXPECT_THAT(config.media.addresses, ElementsAre("127.0.0.1"));
  EXPECT_FALSE(config.access.dial_set);
}

TEST(Config, TheDocumentedSampleIsTheDefaults) {
  const auto result = parse_config(sample(), "sample");
  EXPECT_THAT(lines(result), IsEmpty());
  Config expected;
  expected.xmpp.jid = *jingle::Jid::parse("mixer.localhost");
  expected.xmpp.password = "secret";
  EXPECT_EQ(result.config, expected);
}

// What the sample shows in comments is what holds without them; so each is taken out of its own.
TEST(Config, EveryCommentedLineOfTheSampleStatesItsDefault) {
  std::istringstream in(sample());
  std::string text, line;
  const std::regex commented(R"(#([a-z-]+ = .*|\[(room|coin)\.[a-z]+\]))");
  int keys = 0;
  while (std::getline(in, line)) {
    std::smatch match;
    if (std::regex_match(line, match, commented) && line.find("= none") == std::string::npos) {
      line = match[1];
      ++keys;
    }
    text += line + "\n";
  }
  EXPECT_GE(keys, 38);
  // A component has no TLS, and the port says what 0 stands for.
  text = std::regex_replace(text, std::regex("tls = \"verify\""), "");
  auto result = parse_config(text, "sample");
  EXPECT_THAT(lines(result), IsEmpty());
  EXPECT_EQ(result.config.xmpp.port, 5347);
  EXPECT_EQ(result.config.xmpp.host, "127.0.0.1");
  RoomConfig lobby = result.config.rooms["lobby"];
  EXPECT_EQ(lobby.name, "lobby");
  EXPECT_EQ(lobby.display_text, "lobby");
  lobby.name = lobby.display_text = "";
  EXPECT_EQ(lobby, RoomConfig{});
  Config defaults = parse_config(sample(), "sample").config;
  result.config.xmpp.port = 0;
  result.config.xmpp.host.clear();
  result.config.rooms.clear();
  EXPECT_EQ(result.config, defaults);
}

TEST(Config, TheSamplesExamplesAreGood) {
  const auto result = parse_config(
      std::regex_replace(sample(), std::regex("\n#(\\[coin.profiles\\]|\".*)"), "\n$1"), "sample");
  EXPECT_THAT(lines(result), IsEmpty());
  EXPECT_THAT(result.config.coin.profiles, ElementsAre(std::pair("ann@example.org", "jitsi")));
  for (const std::string_view name : profile_names()) {
    EXPECT_THAT(sample(), HasSubstr('"' + std::string(name) + '"'));
  }
  const auto list =
      std::regex_search(sample(), std::regex("in the room: \\[\"ann@example.org\"\\];"));
  EXPECT_TRUE(list) << "the next line parses it";
  EXPECT_THAT(good("[room.a]\ninvite = [\"ann@example.org\"]").rooms.at("a").invite,
              ElementsAre(*jingle::Jid::parse("ann@example.org")));
}

TEST(Config, ReadsEveryKey) {
  const auto result = parse_config(R"(
[xmpp]
mode = "client"
jid = "Bot@Example.org"
password = "p"
host = "xmpp.example.org"
port = 5223
tls = "trust-all"
[media]
addresses = ["192.0.2.1", "2001:db8::1"]
port-range = "20000-29999"
external-address = "198.51.100.7"
discover-services = "Disco.example.org"
stun = "stun.example.org"
turn = "[2001:db8::2]:3479"
turn-username = "u"
turn-password = "p"
deny-peers = ["10.0.0.0/8", "fd00::/8", "192.0.2.9"]
bitrate = 64000
[access]
dial = ["Example.org", "Ada@example.net"]
[play]
media-dir = "/"
hosts = ["radio.example.org", "192.0.2.4"]
loudness = -20
[record]
directory = "/recordings/"
retention-days = 30
longest-minutes = 90
total-megabytes = 5
free-megabytes = 0
[limits]
participants-per-room = 11
participants = 12
pending-per-jid = 13
calls-per-minute = 14
rooms-per-domain-and-hour = 15
[rooms]
create = "listed"
disclose = "nick"
announce = "joins"
focus = "multiparty"
departed-seconds = 0
multi-device = true
moderators = ["Ann@Example.org", "bob@example.org"]
hold-music = "on"
chimes = true
record = false
max-speakers = 1
denoise = true
automatic-gain = true
[room.Bot]
invite = ["Ann@Example.org", "bob@example.org/desk"]
[room.Lobby]
display-text = "The lobby"
subject = "Tea"
public = true
[room.attic]
disclose = "full"
announce = "off"
focus = "always"
departed-seconds = 3600
multi-device = false
moderators = []
hold-music = "wait.ogg"
chimes = false
record = true
max-speakers = 32
denoise = false
[coin]
push = "announced"
sid-attribute = false
jingle-sibling = true
coalesce-ms = 0
[coin.profiles]
"Ann@Example.org" = "jitsi"
"example.net" = "none"
[log]
level = "debug"
)",
                                   "m.toml");
  EXPECT_THAT(lines(result), IsEmpty());
  Config config;
  config.xmpp = {.mode = Config::Xmpp::Mode::client,
                 .jid = *jingle::Jid::parse("bot@example.org"),
                 .password = "p",
                 .host = "xmpp.example.org",
                 .port = 5223,
                 .tls = Config::Xmpp::Tls::trust_all};
  config.media = {.addresses = {"192.0.2.1", "2001:db8::1"},
                  .port_min = 20000,
                  .port_max = 29999,
                  .external_address = "198.51.100.7",
                  .stun = HostAndPort{"stun.example.org", 3478},
                  .turn = HostAndPort{"2001:db8::2", 3479},
                  .turn_username = "u",
                  .turn_password = "p",
                  .discover_services = jingle::Jid::parse("disco.example.org"),
                  .deny_peers = {"10.0.0.0/8", "fd00::/8", "192.0.2.9"},
                  .bitrate_bps = 64000};
  config.play = {
      .media_dir = "/", .hosts = {"radio.example.org", "192.0.2.4"}, .loudness_lufs = -20};
  config.record = {"/recordings", std::chrono::days(30), std::chrono::minutes(90), 5'000'000, 0};
  config.access = {.anyone = false, .dial = {"example.org", "ada@example.net"}, .dial_set = true};
  config.limits = {11, 12, 13, 14, 15};
  config.create_rooms_on_dial = false;
  config.room_defaults.disclose = Disclose::nick;
  config.room_defaults.announce = Announce::joins;
  config.room_defaults.focus = FocusWhen::multiparty;
  config.room_defaults.departed_for = std::chrono::seconds(0);
  config.room_defaults.multi_device = true;
  config.room_defaults.moderators = {*jingle::Jid::parse("ann@example.org"),
                                     *jingle::Jid::parse("bob@example.org")};
  config.room_defaults.hold_music = kBuiltInHoldMusic;
  config.room_defaults.chimes = true;
  config.room_defaults.record = false;
  config.room_defaults.max_speakers = 1;
  config.room_defaults.voice = {.denoise = true, .automatic_gain = true};
  config.rooms["bot"] = config.room_defaults;
  config.rooms["bot"].name = "bot";
  config.rooms["bot"].invite = {*jingle::Jid::parse("ann@example.org"),
                                *jingle::Jid::parse("bob@example.org/desk")};
  config.rooms["lobby"] = {.name = "lobby",
                           .display_text = "The lobby",
                           .subject = "Tea",
                           .disclose = Disclose::nick,
                           .announce = Announce::joins,
                           .is_public = true,
                           .focus = FocusWhen::multiparty,
                           .departed_for = std::chrono::seconds(0),
                           .multi_device = true,
                           .hold_music = "on",
                           .chimes = true,
                           .record = false,
                           .max_speakers = 1,
                           .voice = {.denoise = true, .automatic_gain = true},
                           .moderators = config.room_defaults.moderators};
  config.rooms["attic"] = {.name = "attic",
                           .disclose = Disclose::full,
                           .announce = Announce::off,
                           .is_public = false,
                           .departed_for = std::chrono::hours(1),
                           .hold_music = "wait.ogg",
                           .max_speakers = 32,
                           .voice = {.denoise = false, .automatic_gain = true}};
  config.coin = {CoinPush::announced,
                 false,
                 true,
                 std::chrono::milliseconds(0),
                 {{"ann@example.org", "jitsi"}, {"example.net", "none"}}};
  config.log_level = "debug";
  EXPECT_EQ(result.config, config);
}

TEST(Config, ReportsEverythingAtOnceInTheOrderOfTheFile) {
  const auto result = parse_config(R"([log]
level = "loud"
[xmpp]
mode = "server"
jdi = "mixer.localhost"
port = 70000
[media]
addresses = ["127.0.0.1", "nowhere", "0.0.0.0"]
turn = "a"
)",
                                   "m.toml");
  EXPECT_FALSE(result.ok());
  EXPECT_THAT(
      lines(result),
      ElementsAre(HasSubstr("m.toml:2: error: log.level"),
                  StartsWith("m.toml:3: error: xmpp.jid: is missing"),
                  StartsWith("m.toml:3: error: xmpp.password: is missing"),
                  StartsWith("m.toml:4: error: xmpp.mode: is \"server\""),
                  StartsWith("m.toml:5: warning: xmpp.jdi: unknown key, ignored; did you mean "
                             "\"jid\"?"),
                  StartsWith("m.toml:6: error: xmpp.port"),
                  StartsWith("m.toml:7: error: media.turn-username: is missing"),
                  StartsWith("m.toml:7: error: media.turn-password: is missing"),
                  HasSubstr("\"nowhere\""), HasSubstr("\"0.0.0.0\"")));
}

TEST(Config, AnEmptyFileLacksJidAndPassword) {
  EXPECT_THAT(lines(parse_config("", "m.toml")),
              ElementsAre("m.toml: error: xmpp.jid: is missing",
                          StartsWith("m.toml: error: xmpp.password: is missing")));
}

TEST(Config, WarningsLeaveItUsable) {
  EXPECT_TRUE(parse_config(kMinimal + std::string("nonsense = 1"), "m.toml").ok());
}

TEST(Config, JidAndModeMustAgree) {
  const auto with = [](const char* mode, const char* jid) {
    return lines(parse_config("[xmpp]\nmode = \"" + std::string(mode) + "\"\njid = \"" + jid +
                                  "\"\npassword = \"p\"\n[access]\ndial = \"anyone\"",
                              "m.toml"));
  };
  EXPECT_THAT(with("component", "mixer.example.org"), IsEmpty());
  EXPECT_THAT(with("client", "bot@example.org"), IsEmpty());
  EXPECT_THAT(with("component", "bot@example.org"), ElementsAre(HasSubstr("mode = \"client\"")));
  EXPECT_THAT(with("client", "example.org"), ElementsAre(HasSubstr("mode = \"component\"")));
  EXPECT_THAT(with("client", "bot@example.org/x"), ElementsAre(HasSubstr("bot@example.org\"")));
  EXPECT_THAT(with("client", "b ot@example.org"), ElementsAre(HasSubstr("not a JID")));
}

TEST(Config, AComponentNeedsAServersDomainAboveItOrAnAccessRule) {
  const auto with = [](const std::string& jid, const std::string& more) {
    return lines(
        parse_config("[xmpp]\njid = \"" + jid + "\"\npassword = \"p\"\n" + more, "m.toml"));
  };
  for (const char* jid : {"mixer.localhost", "mixer.example.org", "a.b.example.org"}) {
    EXPECT_THAT(with(jid, ""), IsEmpty()) << jid;
  }
  for (const char* jid : {"mixer", "mixer.org", "localhost", "192.0.2.1"}) {
    EXPECT_THAT(with(jid, ""), ElementsAre(HasSubstr("error: access.dial: "))) << jid;
    EXPECT_THAT(with(jid, "[access]\ndial = \"anyone\""), IsEmpty()) << jid;
    EXPECT_THAT(with(jid, "[access]\ndial = [\"example.org\"]"), IsEmpty()) << jid;
  }
}

TEST(Config, DialTakesAnyoneOneNameOrAList) {
  EXPECT_TRUE(good("[access]\ndial = \"anyone\"").access.anyone);
  EXPECT_THAT(good("[access]\ndial = \"example.org\"").access.dial, ElementsAre("example.org"));
  const auto nobody = good("[access]\ndial = []").access;
  EXPECT_TRUE(nobody.dial_set);
  EXPECT_FALSE(nobody.anyone);
  EXPECT_THAT(nobody.dial, IsEmpty());
}

TEST(Config, RoomsInheritWhateverTheOrderInTheFile) {
  const auto config = good("[room.a]\n[rooms]\ndisclose = \"full\"\n");
  EXPECT_EQ(config.rooms.at("a").disclose, Disclose::full);
}

class ConfigPassword : public testing::Test {
 protected:
  // What is wrong with a file that says `keys`, in the scratch folder.
  std::vector<std::string> check(const std::string& keys) {
    const auto path = write(folder, "m.toml", "[xmpp]\njid = \"mixer.localhost\"\n" + keys, 0600);
    const auto result = load_config(path);
    password = result.config.xmpp.password;
    std::vector<std::string> texts;
    for (const auto& problem : result.problems) texts.push_back(to_string(problem, "m"));
    return texts;
  }

  support::TempDir folder;
  std::string password;
};

TEST_F(ConfigPassword, IsReadFromAFileBesideTheConfiguration) {
  write(folder, "secret", "s3cr3t \n", 0600);
  EXPECT_THAT(check("password-file = \"secret\""), IsEmpty());
  EXPECT_EQ(password, "s3cr3t ") << "only the line's end goes";
}

TEST_F(ConfigPassword, IsReadFromAnAbsolutePath) {
  const support::TempDir other;
  const auto path = write(other, "secret", "abc", 0640);
  EXPECT_THAT(check("password-file = \"" + path + "\""), IsEmpty());
  EXPECT_EQ(password, "abc");
}

TEST_F(ConfigPassword, WarnsOfAFileThatEveryoneCanRead) {
  write(folder, "secret", "abc\n", 0644);
  EXPECT_THAT(check("password-file = \"secret\""),
              ElementsAre(testing::AllOf(StartsWith("m:3: warning: xmpp.password-file: "),
                                         HasSubstr("chmod 600"))));
  EXPECT_EQ(password, "abc");
}

TEST_F(ConfigPassword, RefusesWhatIsNotOneLine) {
  const std::string key = "password-file = \"secret\"";
  EXPECT_THAT(check(key), ElementsAre(HasSubstr("No such file")));
  write(folder, "secret", "\n", 0600);
  EXPECT_THAT(check(key), ElementsAre(HasSubstr("is empty")));
  write(folder, "secret", "a\nb\n", 0600);
  EXPECT_THAT(check(key), ElementsAre(HasSubstr("more than one line")));
  EXPECT_THAT(check("password-file = \"/\""), ElementsAre(HasSubstr("not a regular file")));
  EXPECT_THAT(check("password-file = 5"), ElementsAre(HasSubstr("expected a string")));
}

TEST_F(ConfigPassword, IsGivenExactlyOnce) {
  write(folder, "secret", "abc\n", 0600);
  EXPECT_THAT(check("password = \"x\"\npassword-file = \"secret\""),
              ElementsAre(StartsWith("m:4: error: xmpp.password-file: given together")));
  EXPECT_THAT(check(""), ElementsAre(StartsWith("m:1: error: xmpp.password: is missing")));
  EXPECT_THAT(check("password = \"\""), ElementsAre(HasSubstr("is empty")));
}

TEST(Config, AFileThatIsNotThereIsOneProblem) {
  const auto result = load_config("/nonexistent/m.toml");
  EXPECT_FALSE(result.ok());
  EXPECT_THAT(lines(result), ElementsAre("m.toml: error: cannot read: No such file or directory"));
}

TEST(Config, EditDistanceCountsASwapAsOne) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("jdi", "jid"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Config, EditDistanceIsAMetricOnShortWords) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 2000; ++i) {
    std::string a(random() % 6, ' '), b(random() % 6, ' ');
    for (char& c : a) c = static_cast<char>('a' + random() % 3);
    for (char& c : b) c = static_cast<char>('a' + random() % 3);
    EXPECT_EQ(edit_distance(a, b), edit_distance(b, a));
    EXPECT_EQ(edit_distance(a, b) == 0, a == b);
    EXPECT_LE(edit_distance(a, b), std::max(a.size(), b.size()));
  }
}

// Whatever the bytes: an answer, and no usable configuration without jid and password.
TEST(Config, AnyBytesGiveAnAnswer) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::string base = sample() + kMinimal;
  for (int i = 0; i < 3000; ++i) {
    std::string text = i % 3 == 0 ? std::string(random() % 64, ' ') : base;
    for (std::size_t n = i % 3 == 0 ? text.size() : 1 + random() % 8; n > 0; --n) {
      const std::size_t at = random() % (text.size() + 1);
      switch (random() % 3) {
        case 0: text.insert(at, 1, static_cast<char>(random())); break;
        case 1: text.erase(at, random() % 20); break;
        default: text.insert(at, base.substr(random() % base.size(), random() % 40)); break;
      }
    }
    const auto result = parse_config(text, "m.toml");
    if (!result.ok()) continue;
    EXPECT_FALSE(result.config.xmpp.jid.empty()) << text;
    EXPECT_FALSE(result.config.xmpp.password.empty()) << text;
  }
}

TEST(Config, DeepNestingIsAProblemAndNotAnOverflow) {
  for (const char* open : {"[", "{a="}) {
    std::string text = "x = ";
    for (int i = 0; i < 20000; ++i) text += open;
    EXPECT_FALSE(parse_config(text, "m.toml").ok());
  }
}

TEST(ConfigState, ADirectoryIsMadeButNotWhatIsAboveIt) {
  const support::TempDir folder;
  const std::string file = write(folder, "m.toml", "", 0600);
  const std::string here = std::filesystem::path(file).parent_path().string();
  const auto check = [&](const std::string& directory) {
    return parse_config(kMinimal + ("[state]\ndirectory = \"" + directory + "\""), file);
  };
  EXPECT_EQ(good("").state.directory, "");
  for (const std::string& fine :
       {here, here + "/", here + "/new", here + "/new/", std::string("new"), std::string(".")}) {
    EXPECT_THAT(lines(check(fine)), IsEmpty());
  }
  EXPECT_EQ(check("./new/").config.state.directory, here + "/new") << "beside the file";
  EXPECT_THAT(lines(check(here + "/a/b")),
              ElementsAre(HasSubstr("state.directory: there is no " + here + "/a to make it in")));
  EXPECT_THAT(lines(check(file)), ElementsAre(HasSubstr("is not a directory")));
  EXPECT_THAT(lines(check("")), ElementsAre(HasSubstr("is empty")));
}

TEST(ConfigState, AnAccountHasNone) {
  const auto result = parse_config(
      "[xmpp]\nmode = \"client\"\njid = \"bot@example.org\"\npassword = \"p\"\n"
      "[state]\ndirectory = \"/tmp\"",
      "m.toml");
  EXPECT_TRUE(result.ok());
  EXPECT_THAT(lines(result), ElementsAre(HasSubstr("warning: state.directory: has no effect")));
}

}  // namespace
}  // namespace mixer
