#include "mixer/display_name.h"

namespace {

TEST(DisplayName, IsTheUnescapedLocalpartNeverTheResource) {
  EXPECT_EQ(mixer::display_name(jingle::Jid::parse("ann@a.example/secret place").value()), "ann");
  EXPECT_EQ(mixer::display_name(jingle::Jid::parse("d\\27artagnan@a.example/x").value()),
            "d'artagnan");
  EXPECT_EQ(mixer::display_name(jingle::Jid::parse("a.example/x").value()), "a.example");
}

TEST(DisplayName, DropsControlsAndBidirectionalOverrides) {
  EXPECT_EQ(mixer::displayable("a\x01\x1f\x7f"
                               "b"),
            "ab");
  EXPECT_EQ(mixer::displayable("x\xe2\x80\xae\xe2\x81\xa6y\xd8\x9c\xe2\x80\x8f"), "xy");
  EXPECT_EQ(mixer::displayable("J\xc3\xb6rg \xf0\x9f\x8e\xa4"), "J\xc3\xb6rg \xf0\x9f\x8e\xa4");
}

// "a\nb" was "ab".
TEST(DisplayName, HasASpaceForATabOrALinesEnd) {
  EXPECT_EQ(mixer::displayable("\ta\r\nb\tc\r"), "a b c");
  EXPECT_EQ(mixer::displayable("a\xe2\x80\xa8"
                               "b\xc2\x85"
                               "c\xc2\x85"),
            "a b c");
}

TEST(DisplayName, LeavesOutWhatIsNotUtf8) {
  EXPECT_EQ(mixer::displayable("a\xff\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80z\xc3"), "az");
}

TEST(DisplayName, HasAtMost64CodePointsAndNoOuterSpaces) {
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "\xc3\xbc";
  EXPECT_EQ(mixer::displayable(umlauts).size(), 128u);
  EXPECT_EQ(mixer::displayable("  \n a b \t "), "a b");
}

}  // namespace
