// [presence] of the configuration.
#include <fstream>

#include "mixer/room_picture.h"
#include "tests/support/minimal_config.h"
#include "tests/support/temp_dir.h"

namespace {

using jingle::pep::Node;
using test::good;
using test::problems;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kBot[] = R"([xmpp]
mode = "client"
jid = "bot@localhost"
password = "secret"
)";

std::vector<std::string> bot_problems(const std::string& presence) {
  return test::lines(mixer::parse_config(kBot + presence, "m.toml"));
}

TEST(PresenceConfig, IsOffByDefault) {
  const auto presence = good("").presence;
  EXPECT_THAT(presence.publish, IsEmpty());
  EXPECT_THAT(presence.relay, IsEmpty());
  EXPECT_FALSE(presence.viewing_local);
}

TEST(PresenceConfig, IsReadInFull) {
  const support::TempDir folder;
  const std::string icon = mixer::room_picture("Tea");
  std::ofstream(folder / "icon.png") << icon;
  const auto result = mixer::parse_config(std::string(kBot) + R"([presence]
publish = ["tune", "viewing", "status", "activity", "mood", "geoloc", "location", "avatar"]
relay = ["mood", "nick"]
access = "roster"
roster-groups = ["Friends"]
status = "{count}"
mood = "happy"
mood-text = "Tea!"
avatar = "icon.png"
[presence.geoloc]
lat = 55.67
lon = "12.5"
accuracy = 20
[presence.location]
country = "Denmark"
postalcode = 1050
[presence.viewing]
local = true
never = ["Horror"]
)",
                                          (folder / "m.toml").string());
  EXPECT_THAT(test::lines(result), IsEmpty());
  const auto& presence = result.config.presence;
  EXPECT_EQ(presence.publish.size(), 8u);
  EXPECT_THAT(presence.relay, ElementsAre(Node::mood, Node::nick));
  EXPECT_EQ(presence.nodes.access, jingle::pubsub::Access::roster);
  EXPECT_THAT(presence.nodes.roster_groups, ElementsAre("Friends"));
  EXPECT_EQ(presence.mood, (jingle::pep::Mood{"happy", "Tea!"}));
  EXPECT_EQ(presence.geoloc.lat_deg, 55.67);
  EXPECT_EQ(presence.geoloc.lon_deg, 12.5);
  EXPECT_EQ(presence.location.postalcode, "1050");
  EXPECT_EQ(presence.avatar, icon);
  EXPECT_TRUE(presence.viewing_local);
  EXPECT_THAT(presence.viewing_never, ElementsAre("Horror"));
}

TEST(PresenceConfig, WhatIsWrongIsNamed) {
  const auto one = [](const std::string& presence) {
    const auto lines = bot_problems(presence);
    return lines.size() == 1 ? lines[0] : std::to_string(lines.size()) + " problems";
  };
  EXPECT_THAT(one("[presence]\npublish = [\"weather\"]"), HasSubstr("is none of \"tune\""));
  EXPECT_THAT(one("[presence]\nrelay = [\"avatar_data\"]"), HasSubstr("is none of"));
  EXPECT_THAT(one("[presence]\npublish = [\"nick\"]"), HasSubstr("is none of"));
  EXPECT_THAT(one("[presence]\naccess = \"open\""), HasSubstr("expected one of"));
  EXPECT_THAT(one("[presence]\naccess = \"roster\""), HasSubstr("roster-groups: is missing"));
  EXPECT_THAT(one("[presence]\nmood = \"frobnicated\""), HasSubstr("is no mood"));
  EXPECT_THAT(one("[presence]\npublish = [\"mood\"]"), HasSubstr("mood: is missing"));
  EXPECT_THAT(one("[presence]\npublish = [\"geoloc\"]"), HasSubstr("geoloc: is missing"));
  EXPECT_THAT(one("[presence]\navatar = \"/nowhere.png\""), HasSubstr("cannot read"));
  EXPECT_THAT(one("[presence]\navatar = \"/dev/null\""), HasSubstr("not a regular file"));
  EXPECT_THAT(one("[presence.geoloc]\nlat = 91"),
              HasSubstr("presence.geoloc.lat: cannot be \"91\""));
  EXPECT_THAT(one("[presence.location]\ncolour = \"red\""),
              HasSubstr("presence.location.colour: is no field of a place"));
  EXPECT_THAT(one("[presence]\npublish = [\"geoloc\"]\n[presence.geoloc]"),
              HasSubstr("geoloc: is missing"));
  EXPECT_THAT(one("[presence]\npublish = [\"location\"]\n[presence.location]\ncountry = \"\""),
              HasSubstr("location: is missing"));
  EXPECT_THAT(one("[presence]\nstatus = \"{nope}: {count} on {topic}\""),
              HasSubstr("{nope} is neither {count} nor {topic}"));
  EXPECT_THAT(one("[presence]\npublsh = \"mood\""), HasSubstr("did you mean \"publish\"?"));
}

// It was sent to everybody, and drawn by nobody.
TEST(PresenceConfig, APictureThatLacksItsEndIsNone) {
  const support::TempDir folder;
  const std::string icon = mixer::room_picture("Tea");
  for (const std::size_t bytes : {std::size_t{30}, icon.size() / 2, icon.size() - 20}) {
    std::ofstream(folder / "icon.png") << icon.substr(0, bytes);
    const auto result = mixer::parse_config(std::string(kBot) + "[presence]\navatar = \"icon.png\"",
                                            (folder / "m.toml").string());
    EXPECT_THAT(test::lines(result), ElementsAre(HasSubstr("icon.png is no PNG that can be drawn")))
        << bytes;
  }
}

TEST(PresenceConfig, AComponentsRoomsKnowContactsModeratorsAndAList) {
  EXPECT_THAT(problems("[presence]\npublish = [\"tune\"]"), IsEmpty());
  EXPECT_THAT(problems("[presence]\naccess = \"roster\"\nroster-groups = [\"moderators\"]"),
              IsEmpty());
  EXPECT_THAT(problems("[presence]\naccess = \"roster\"\nroster-groups = [\"Friends\"]"),
              ElementsAre(HasSubstr("have the group \"moderators\" only")));
  const std::string listed = "[presence]\naccess = \"whitelist\"\nwhitelist = [\"ann@localhost\"]";
  EXPECT_THAT(good(listed).presence.whitelist, ElementsAre(*jingle::Jid::parse("ann@localhost")));
  EXPECT_THAT(problems("[presence]\naccess = \"whitelist\""),
              ElementsAre(HasSubstr("whitelist: is missing")));
  EXPECT_THAT(problems("[presence]\nwhitelist = [\"a@b/c\"]"),
              ElementsAre(HasSubstr("is not a bare JID")));
  EXPECT_THAT(problems("[presence]\nwhitelist = [\"a@b\"]"),
              ElementsAre(HasSubstr("has no effect")));
  EXPECT_THAT(bot_problems(listed), ElementsAre(HasSubstr("a bot has a roster")));
}

}  // namespace
