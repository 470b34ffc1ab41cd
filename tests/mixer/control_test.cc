#include "mixer/control.h"

#include <gtest/gtest.h>

namespace {

namespace control = mixer::control;
using mixer::parse_control;
using mixer::Role;

template <typename C>
C parsed(std::string_view text) {
  const auto control = parse_control(text);
  EXPECT_TRUE(control && *control) << text;
  if (!control || !*control) return {};
  const auto* alternative = std::get_if<C>(&**control);
  EXPECT_TRUE(alternative) << text;
  return alternative ? *alternative : C{};
}

TEST(Control, IsAWordInAnyCaseWithOrWithoutASign) {
  for (const char* text : {"who", "Who", " /WHO\n", "!who"}) parsed<control::Who>(text);
  EXPECT_EQ(parsed<control::Mute>("mute  Ann from Sales ").whom, "Ann from Sales");
  EXPECT_EQ(parsed<control::Help>("help mute").about, "mute");
}

TEST(Control, OfATopicIsReadSetOrCleared) {
  EXPECT_FALSE(parsed<control::Topic>("topic").text);
  EXPECT_EQ(parsed<control::Topic>("topic Tea at five").text, "Tea at five");
  EXPECT_EQ(parsed<control::Topic>("topic -").text, "");
}

TEST(Control, ToInviteTakesAnAddressAndAReason) {
  const auto invite = parsed<control::Invite>("invite bob@localhost/phone for tea");
  EXPECT_EQ(invite.whom.str(), "bob@localhost/phone");
  EXPECT_EQ(invite.reason, "for tea");
}

TEST(Control, IsNothingElseThatPeopleSay) {
  for (const char* text : {"", "  ", "hello", "whom", "-who", "//who", "kicking", "\xff"}) {
    EXPECT_FALSE(parse_control(text)) << text;
  }
}

TEST(Control, ThatLacksSomethingOrHasTooMuchIsAnsweredByItsUsage) {
  for (const char* text : {"mute", "kick ", "invite", "invite localhost", "who is it"}) {
    const auto control = parse_control(text);
    ASSERT_TRUE(control) << text;
    ASSERT_FALSE(*control) << text;
    EXPECT_TRUE(control->error().starts_with(std::string(text).substr(0, 3))) << control->error();
  }
}

TEST(Control, HelpShowsWhatTheAskerMaySay) {
  EXPECT_EQ(mixer::help_for(Role::anybody, "").find('\n'), std::string::npos);
  EXPECT_NE(mixer::help_for(Role::participant, "").find("\nwho"), std::string::npos);
  EXPECT_EQ(mixer::help_for(Role::participant, "").find("kick"), std::string::npos);
  EXPECT_NE(mixer::help_for(Role::moderator, "").find("\nkick NAME"), std::string::npos);
  EXPECT_EQ(mixer::help_for(Role::anybody, "/Kick"), "kick NAME: end that participant's call");
  EXPECT_EQ(mixer::help_for(Role::moderator, "tea"), "");
}

TEST(Control, IsLoggedWithoutWhatPeopleTellEachOther) {
  EXPECT_EQ(mixer::describe(control::Kick{"ann"}), "kick ann");
  EXPECT_EQ(mixer::describe(parsed<control::Invite>("invite bob@localhost secret")),
            "invite bob@localhost");
  EXPECT_EQ(mixer::describe(control::Topic{"secret"}), "topic");
}

}  // namespace
