#include "mixer/control.h"

#include <gtest/gtest.h>

#include <chrono>

namespace {

namespace control = mixer::control;
using namespace std::chrono_literals;
using mixer::parse_control;
using mixer::Role;

template <typename C>
C parsed(std::string_view text) {
  const auto told = parse_control(text);
  EXPECT_TRUE(told && told->control) << text;
  if (!told || !told->control) return {};
  const auto* alternative = std::get_if<C>(&*told->control);
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

TEST(Control, ToPlayerTakesASourceOrATime) {
  using What = mixer::PlayOrder::What;
  EXPECT_EQ(parsed<mixer::PlayOrder>("play My song.ogg"),
            (mixer::PlayOrder{.what = What::play, .source = "My song.ogg"}));
  EXPECT_EQ(parsed<mixer::PlayOrder>("skip").what, What::skip);
  EXPECT_EQ(
      parsed<mixer::PlayOrder>("play as is.ogg as \"The <b>\""),
      (mixer::PlayOrder{
          .what = What::play, .source = "as is.ogg", .field = "program_name", .text = "The <b>"}));
  EXPECT_EQ(parsed<mixer::PlayOrder>("play as is.ogg").source, "as is.ogg");
  EXPECT_EQ(parsed<mixer::PlayOrder>("viewing episode 807"),
            (mixer::PlayOrder{.what = What::viewing, .field = "episode", .text = "807"}));
  EXPECT_EQ(parsed<mixer::PlayOrder>("viewing user_rating -"),
            (mixer::PlayOrder{.what = What::viewing, .field = "user_rating"}));
  const std::pair<const char*, std::chrono::seconds> times[] = {
      {"0", 0s}, {"83", 83s}, {"1:23", 83s}, {"1:02:03", 3723s}, {"99999", 99999s}};
  for (const auto& [text, to] : times) {
    EXPECT_EQ(parsed<mixer::PlayOrder>(std::string("seek ") + text),
              (mixer::PlayOrder{.what = What::seek, .to = to}))
        << text;
  }
}

TEST(Control, IsNothingElseThatPeopleSay) {
  for (const char* text : {"", "  ", "hello", "whom", "-who", "//who", "kicking", "\xff"}) {
    EXPECT_FALSE(parse_control(text)) << text;
  }
}

TEST(Control, ThatLacksSomethingOrHasTooMuchIsNone) {
  for (const char* text : {"mute", "kick ", "invite", "invite localhost", "who is it", "play",
                           "skip 2", "seek", "seek x", "seek -1", "seek 1:", "seek :1",
                           "seek 1:2:3:4", "seek 1.5", "seek 100000", "seek +1"}) {
    const auto told = parse_control(text);
    ASSERT_TRUE(told) << text;
    EXPECT_FALSE(told->control) << text;
    EXPECT_TRUE(std::string_view(text).starts_with(told->name)) << text;
  }
}

TEST(Control, HelpShowsWhatTheAskerMaySay) {
  EXPECT_EQ(mixer::help_for(Role::anybody, "").find('\n'), std::string::npos);
  EXPECT_NE(mixer::help_for(Role::participant, "").find("\nwho"), std::string::npos);
  EXPECT_EQ(mixer::help_for(Role::participant, "").find("kick"), std::string::npos);
  EXPECT_NE(mixer::help_for(Role::moderator, "").find("\nkick NAME"), std::string::npos);
  EXPECT_EQ(mixer::help_for(Role::anybody, "/Kick"), "kick NAME: end that participant's call");
  EXPECT_EQ(mixer::help_for(Role::moderator, "tea"), "");
  EXPECT_EQ(mixer::help_for(Role::moderator, "", {"kick"}).find("\nkick NAME"), std::string::npos);
  EXPECT_NE(mixer::help_for(Role::moderator, "kick", {"kick"}), "");
}

TEST(Control, IsLoggedWithoutWhatPeopleTellEachOther) {
  const auto described = [](std::string_view text) {
    return mixer::describe(*parse_control(text));
  };
  EXPECT_EQ(described("Kick ann"), "kick ann");
  EXPECT_EQ(described("/invite bob@localhost secret"), "invite bob@localhost");
  EXPECT_EQ(described("topic secret"), "topic");
  EXPECT_EQ(described("pause"), "pause");
  EXPECT_EQ(described("record"), "record");
  EXPECT_EQ(described("record speakers"), "record speakers");
  EXPECT_EQ(described("record stop"), "record stop");
  EXPECT_EQ(described("play tea.ogg"), "play tea.ogg");
  EXPECT_EQ(described("play why #1?.ogg"), "play why #1?.ogg");
  EXPECT_EQ(described("play https://ann:secret@example.org/a@b?secret#secret"),
            "play https://example.org/a@b");
  EXPECT_EQ(described("announce https://secret@example.org"), "announce https://example.org");
  EXPECT_EQ(described("play https://example.org?secret@/x"), "play https://example.org");
}

}  // namespace
