// What is wrong with a configuration, and where.
#include <filesystem>

#include "mixer/config.h"
#include "tests/support/certificate.h"
#include "tests/support/minimal_config.h"
#include "tests/support/temp_dir.h"

namespace mixer {
namespace {

using test::good;
using test::kMinimal;
using test::lines;
using test::problems;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct Wrong {
  const char* more;   // after the 8 lines of kMinimal
  const char* where;  // how the only problem begins
  const char* says;
};

class ConfigWrong : public testing::TestWithParam<Wrong> {};

TEST_P(ConfigWrong, IsReportedWithLineAndKey) {
  const auto all = problems(GetParam().more);
  ASSERT_EQ(all.size(), 1U) << testing::PrintToString(all);
  EXPECT_THAT(all[0], StartsWith(GetParam().where));
  EXPECT_THAT(all[0], HasSubstr(GetParam().says));
}

constexpr Wrong kWrong[] = {
    {"port-range = \"29999-20000\"", "m.toml:9: error: media.port-range: ", "two ports"},
    {"port-range = \"20000\"", "m.toml:9: error: media.port-range: ", "two ports"},
    {"port-range = \"0-10\"", "m.toml:9: error: media.port-range: ", "two ports"},
    {"port-range = \"1-65536\"", "m.toml:9: error: media.port-range: ", "two ports"},
    {"port-range = \" 1-2\"", "m.toml:9: error: media.port-range: ", "two ports"},
    {"port-range = 20000", "m.toml:9: error: media.port-range: ", "expected a string"},
    {"external-address = \"example.org\"", "m.toml:9: error: media.external-address: ", "address"},
    {"external-address = \"0.0.0.0\"", "m.toml:9: error: media.external-address: ", "address"},
    {"external-address = \"224.0.0.1\"", "m.toml:9: error: media.external-address: ", "address"},
    {"external-address = \"ff02::1\"", "m.toml:9: error: media.external-address: ", "address"},
    {"deny-peers = [\"10.0.0.0/33\"]", "m.toml:9: error: media.deny-peers: ", "10.0.0.0/33"},
    {"deny-peers = [\"::/129\"]", "m.toml:9: error: media.deny-peers: ", "::/129"},
    {"deny-peers = [\"10.0.0/8\"]", "m.toml:9: error: media.deny-peers: ", "10.0.0/8"},
    {"deny-peers = [\"10.0.0.0/\"]", "m.toml:9: error: media.deny-peers: ", "10.0.0.0/"},
    {"deny-peers = [10]", "m.toml:9: error: media.deny-peers: ", "an integer"},
    {"stun = \"a:b\"", "m.toml:9: error: media.stun: ", "host:port"},
    {"stun = \"a:0\"", "m.toml:9: error: media.stun: ", "host:port"},
    {"stun = \"[::1\"", "m.toml:9: error: media.stun: ", "host:port"},
    {"stun = \"[::1]x\"", "m.toml:9: error: media.stun: ", "host:port"},
    {"stun = \"stun:a b\"", "m.toml:9: error: media.stun: ", "host:port"},
    {"stun = \"\"", "m.toml:9: error: media.stun: ", "host:port"},
    {"discover-services = false", "m.toml:9: error: media.discover-services: ", "string"},
    {"discover-services = \"a b\"", "m.toml:9: error: media.discover-services: ", "\"off\""},
    {"turn-username = \"u\"", "m.toml:9: warning: media.turn-username: ", "without turn"},
    {"bitrate = 5999", "m.toml:9: error: media.bitrate: ", "6000 to 510000"},
    {"bitrate = 510001", "m.toml:9: error: media.bitrate: ", "6000 to 510000"},
    {"bitrate = 32e3", "m.toml:9: error: media.bitrate: ", "floating-point"},
    {"bitrate = \"32000\"", "m.toml:9: error: media.bitrate: ", "a string"},
    {"bitrates = 32000", "m.toml:9: warning: media.bitrates: ", "did you mean \"bitrate\"?"},
    {"port_range = \"1-2\"", "m.toml:9: warning: media.port_range: ", "mean \"port-range\"?"},
    {"tls = \"off\"", "m.toml:9: warning: media.tls: ", "it belongs into [xmpp]"},
    {"zzzzzz = 1", "m.toml:9: warning: media.zzzzzz: ", "unknown key, ignored"},
    {"[acess]", "m.toml:9: warning: acess: ", "unknown section, ignored; did you mean \"access\"?"},
    {"[access]\ndial = 5", "m.toml:10: error: access.dial: ", "expected a list of strings"},
    {"[access]\ndial = [\"a@b@c\"]", "m.toml:10: error: access.dial: ", "a@b@c"},
    {"[access]\ndial = [\"anyone\", \"a.b\"]", "m.toml:10: error: access.dial: ", "alone"},
    {"[access]\ndial = \"any one\"", "m.toml:10: error: access.dial: ", "any one"},
    {"[limits]\nparticipants = 0", "m.toml:10: error: limits.participants: ", "expected 1 to"},
    {"[limits]\nparticipants = -1", "m.toml:10: error: limits.participants: ", "expected 1 to"},
    {"[limits]\nparticipants-per-room = 4097",
     "m.toml:10: error: limits.participants-per-room: ", "expected 1 to 4096"},
    {"[limits]\nparticipants = 9223372036854775807",
     "m.toml:10: error: limits.participants: ", "expected 1 to"},
    {"[rooms]\ncreate = \"never\"", "m.toml:10: error: rooms.create: ", "\"on-dial\", \"listed\""},
    {"[rooms]\ncreate = \"listed\"", "m.toml:10: warning: rooms.create: ", "nobody can dial"},
    {"[rooms]\ndisclose = \"all\"", "m.toml:10: error: rooms.disclose: ", "\"nick\""},
    {"[room.a]\npublic = 1", "m.toml:10: error: room.a.public: ", "expected true or false"},
    {"[room.a]\nsubject = \"a\\nb\"", "m.toml:10: error: room.a.subject: ", "control character"},
    {"[room.a]\nfocus = \"never\"", "m.toml:10: error: room.a.focus: ", "\"multiparty\""},
    {"[rooms]\ndeparted-seconds = 3601", "m.toml:10: error: rooms.departed-seconds: ", "0 to 3600"},
    {"[rooms]\nmax-speakers = 0", "m.toml:10: error: rooms.max-speakers: ", "1 to 32"},
    {"[room.a]\ninvite = [\"a@b@c\"]", "m.toml:10: error: room.a.invite: ", "a@b@c"},
    {"[room.a]\ninvite = [\"b@c/d\", \"B@c/d\"]", "m.toml:10: error: room.a.invite: ", "twice"},
    {"[room.a]\ninvite = \"A@mixer.localhost\"", "m.toml:10: error: room.a.invite: ", "itself"},
    {"[room.a]\ninvite = [1]", "m.toml:10: error: room.a.invite: ", "an integer"},
    {"[rooms]\nmoderators = \"a@b/c\"", "m.toml:10: error: rooms.moderators: ", "a@b/c"},
    {"[room.a]\nmoderators = [\"b\"]", "m.toml:10: error: room.a.moderators: ", "bare JID"},
    {"[rooms]\ninvite = \"a@b\"", "m.toml:10: warning: rooms.invite: ", "unknown key"},
    {"[coin.profiles]\n\"a.example\" = \"jitzi\"",
     "m.toml:10: error: coin.profiles.a.example: ", "expected one of \"dino\", \"sylkserver\", "},
    {"[coin.profiles]\n\"a@b/c\" = \"jitsi\"", "m.toml:10: error: coin.profiles.a@b/c: ", "bare"},
    {"[coin.profiles]\na = \"dino\"\nA = \"dino\"",
     "m.toml:10: error: coin.profiles.a: ", "same JID"},
    {"[coin.profiles]\na = 1", "m.toml:10: error: coin.profiles.a: ", "an integer"},
    {"[coin]\nprofiles = 1", "m.toml:10: error: coin.profiles: ", "[coin.profiles]"},
    {"[coin.profile]", "m.toml:9: warning: coin.profile: ", "did you mean \"profiles\"?"},
    {"[room.\"a b\"]", "m.toml:9: error: room.a b: ", "cannot stand before the @"},
    {"[room.\"a/b\"]\ninvite = \"a@b\"", "m.toml:9: error: room.a/b: ", "cannot stand"},
    {"[room.\"a@b\"]", "m.toml:9: error: room.a@b: ", "cannot stand before the @"},
    {"[room.\"a/b\"]", "m.toml:9: error: room.a/b: ", "cannot stand before the @"},
    {"[room.\"\"]", "m.toml:9: error: room", "cannot stand before the @"},
    {"[room.\"a\\u001b[2J\"]", "m.toml:9: error: room.a\\x1b[2J: ", "cannot stand"},
    {"[room.Tea]\n[room.tea]", "m.toml:10: error: room.tea: ", "the same room"},
    {"[room]\nlobby = true", "m.toml:10: error: room.lobby: ", "expected a section [room.lobby]"},
    {"[record]\nlongest-minutes = -1", "m.toml:10: error: record.longest-minutes: ", "0 to 10080"},
    {"[record]\ntotal-megabytes = 2e3", "m.toml:10: error: record.total-megabytes: ", "floating"},
    {"[play]\nca-file = \"/nowhere.pem\"", "m.toml:10: error: play.ca-file: ", "cannot read"},
    {"[coin]\ncoalesce-ms = 60001", "m.toml:10: error: coin.coalesce-ms: ", "0 to 60000"},
    {"[log]\nlevel = \"loud\"", "m.toml:10: error: log.level: ", "\"warning\""},
    {"[media]", "m.toml:9: error: ", "media"},
    {"= 1", "m.toml:9: error: ", ""},
};
INSTANTIATE_TEST_SUITE_P(Table, ConfigWrong, testing::ValuesIn(kWrong));

TEST(Config, BoundsWhomARoomInvites) {
  const auto inviting = [](std::size_t people) {
    std::string list;
    for (std::size_t i = 0; i < people; ++i) list += "\"p" + std::to_string(i) + "@a.example\", ";
    return "[room.a]\ninvite = [" + list + "]\n";
  };
  EXPECT_EQ(good(inviting(50)).rooms.at("a").invite.size(), 50u);
  EXPECT_THAT(problems(inviting(51)),
              ElementsAre("m.toml:10: error: room.a.invite: names 51; expected at most 50"));
}

TEST(Config, AnAccountHasOneRoomThatInvites) {
  const std::string account =
      "[xmpp]\nmode = \"client\"\njid = \"bot@a.example\"\npassword = \"p\"\n";
  const auto result = [&](const std::string& more) {
    return parse_config(account + more, "m.toml");
  };
  EXPECT_THAT(lines(result("[room.bot]\ninvite = [\"b@c\"]")), IsEmpty());
  EXPECT_THAT(lines(result("[room.lobby]\ninvite = [\"b@c\"]")),
              ElementsAre("m.toml:6: warning: room.lobby.invite: has no effect: the account's one "
                          "room is [room.bot]"));
  EXPECT_THAT(lines(result("[room.bot]\ninvite = [\"bot@a.example/x\"]")),
              ElementsAre(HasSubstr("the room itself")));
}

TEST(Config, WhatCannotBePlayedIsAnError) {
  EXPECT_THAT(problems("[play]\nmedia-dir = \"/nowhere\""),
              ElementsAre(HasSubstr("is not a directory")));
  EXPECT_THAT(problems("[rooms]\nhold-music = \"wait.ogg\""),
              ElementsAre(HasSubstr("play.media-dir")));
  EXPECT_THAT(problems("[play]\nloudness = 0"), ElementsAre(HasSubstr("play.loudness")));
  EXPECT_EQ(good("[rooms]\nhold-music = \"off\"").room_defaults.hold_music, "");
}

// RFC 7468 §5
TEST(Config, WhoVouchesForServersIsACertificateThatCanBeRead) {
  const support::TempDir folder;
  const std::string pem = support::make_certificate(folder.path(), "radio.lan").pem;
  const auto key = [](const std::string& file) { return "[play]\nca-file = \"" + file + '"'; };
  EXPECT_EQ(good(key(pem)).play.ca_file, pem);
  const auto beside = parse_config(kMinimal + key("radio.lan.crt"), folder / "m.toml");
  EXPECT_EQ(beside.config.play.ca_file, pem) << "relative to the configuration";
  std::filesystem::resize_file(pem, std::filesystem::file_size(pem) / 2);
  for (const std::string& file : {pem, (folder / "radio.lan.key").string()}) {
    EXPECT_THAT(problems(key(file)),
                ElementsAre(AllOf(HasSubstr("error: play.ca-file: "), HasSubstr("no certificate"))))
        << file;
  }
}

TEST(Config, WhereNothingCanBeRecordedIsAnError) {
  EXPECT_THAT(problems("[record]\ndirectory = \"/nowhere/at/all\""),
              ElementsAre(HasSubstr("record.directory")));
  EXPECT_THAT(problems("[record]\ndirectory = \"/dev/null\""),
              ElementsAre(HasSubstr("is not a directory")));
  EXPECT_THAT(problems("[record]\nretention-days = 7"), ElementsAre(HasSubstr("no effect")));
}

}  // namespace
}  // namespace mixer
