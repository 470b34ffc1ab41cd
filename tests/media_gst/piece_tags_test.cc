#include "media/gst/piece_tags.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace media::gst {
namespace {

void add(PieceTags& tags, const char* list) {
  GstTagList* const read = gst_tag_list_new_from_string(list);
  ASSERT_NE(read, nullptr) << list;
  GstMessage* const message = gst_message_new_tag(nullptr, read);
  tags.add(message);
  gst_message_unref(message);
}

TEST(PieceTags, SayWhatIsKnownOfADateHoweverAPluginTellsIt) {
  gst_init(nullptr, nullptr);
  for (const auto& [list, date] : {std::pair("taglist,datetime=(datetime)1972", "1972"),
                                   {"taglist,datetime=(datetime)1972-07", "1972-07"},
                                   {"taglist,date=(date)1972-07-03", "1972-07-03"},
                                   {"taglist,title=(string)A", ""}}) {
    PieceTags tags;
    add(tags, list);
    const std::string lines = tags.lines();
    EXPECT_TRUE(lines.ends_with(std::string("\n") + date + "\n")) << lines;
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 9) << lines;
  }
}

TEST(PieceTags, WhatIsSaidLastCountsAndTheRestStays) {
  gst_init(nullptr, nullptr);
  PieceTags tags;
  EXPECT_EQ(tags.lines(), "");
  add(tags, "taglist,title=(string)A,composer=(string)\"B\\012C\"");
  add(tags, "taglist,title=(string)D");
  EXPECT_EQ(tags.lines(), "D\n\n\n\n\nB C\n\n\n\n") << "a line each";
}

TEST(PieceTags, TellTheGainToTheLoudnessWanted) {
  gst_init(nullptr, nullptr);
  PieceTags none, replay, r128;
  EXPECT_EQ(none.gain_db(-23), std::nullopt);
  add(replay, "taglist,replaygain-track-gain=(double)-2.5");
  EXPECT_EQ(replay.gain_db(-23), -7.5) << "ReplayGain 2.0: to -18 LUFS";
  add(r128, "taglist,extended-comment=(string)\"R128_TRACK_GAIN=512\"");
  EXPECT_EQ(r128.gain_db(-20), 5) << "RFC 7845 §5.2.1: to -23 LUFS, in 1/256 dB";
}

}  // namespace
}  // namespace media::gst
