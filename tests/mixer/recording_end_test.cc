// How a recording ends, who is told of it, and when there can be another one.
#include "tests/mixer/recorded_room.h"

namespace {

using namespace test;

constexpr char kTones[] = "The call is recorded as soon as all have heard three tones.";
constexpr char kNothing[] = "Nothing was recorded: the tones were not over yet.";

std::string body(const std::string& text) { return "<body>" + text + "</body>"; }

// What that JID is told by chat, one after another.
std::vector<std::string> told(const Step& step, const std::string& whom) {
  std::vector<std::string> texts;
  for (const auto& said : step.all<mixer::SendMessage>()) {
    if (said.to == jid(whom)) texts.push_back(said.payload);
  }
  return texts;
}

std::vector<std::string> logged(const Step& step) {
  std::vector<std::string> lines;
  for (const auto& line : step.all<mixer::Log>()) {
    if (line.text.starts_with("recording=")) lines.push_back(line.text);
  }
  return lines;
}

using Texts = std::vector<std::string>;

// Ann is a moderator, and not in the call.
struct RecordedByAnn : RecordedRoom {
  using RecordedRoom::RecordedRoom;
  // Whose files are not closed yet.
  media::RecordId stopped() {
    say(kAnn, "record");
    tones_end();
    EXPECT_EQ(records().size(), 1u);
    const media::RecordId record = records().at(0).record;
    EXPECT_EQ(say(kAnn, "record stop"), body("The recording ends."));
    return record;
  }
};

TEST(RecordingEnd, OneOrderedBeforeTheLastOnesFilesAreClosedBeginsWhenTheyAre) {
  RecordedByAnn room;
  const auto bob = room.join(kBob);
  const media::RecordId last = room.stopped();
  EXPECT_EQ(room.say(kAnn, "record speakers"), body(kTones));
  EXPECT_EQ(room.say(kAnn, "record"), body("The call is being recorded already."));
  const auto cat = room.join(kCat, kRoom, {.sid = "C"});
  room.wait(10s);
  EXPECT_EQ(room.tones().size(), 1u) << "not yet";
  const Step closed = room.media(media::RecordEnded{.record = last, .file = "room.opus"});
  EXPECT_EQ(told(closed, kAnn), Texts{body("The recording has ended: room.opus.")});
  ASSERT_EQ(room.tones().size(), 2u);
  EXPECT_FALSE(room.may_record(bob)) << "of this one he has not been told";
  room.tones_end();
  ASSERT_EQ(room.records().size(), 1u);
  EXPECT_NE(room.records().at(0).record, last);
  EXPECT_TRUE(room.records().at(0).speakers);
  EXPECT_TRUE(room.may_record(bob));
  EXPECT_TRUE(room.may_record(cat)) << "who came before the tones";
}

TEST(RecordingEnd, OneThatWaitsForTheLastOnesFilesCanBeStopped) {
  mixer::Config config = recorded();
  config.room_defaults.moderators.push_back(jid("cat@localhost"));
  RecordedByAnn room(config);
  room.join(kBob);
  const media::RecordId last = room.stopped();
  room.say(kAnn, "record");
  EXPECT_EQ(room.say(kCat, "record stop"), body(kNothing));
  EXPECT_EQ(told(room.step, kAnn), Texts{body(kNothing)}) << "who ordered it";
  EXPECT_EQ(room.say(kAnn, "record stop"), body("The call is not being recorded."));
  room.media(media::RecordEnded{.record = last});
  room.wait(10s);
  EXPECT_EQ(room.tones().size(), 1u);
}

TEST(RecordingEnd, OneThatWaitsForTheLastOnesFilesIsNoneWhenEverybodyLeaves) {
  RecordedByAnn room;
  room.join(kBob);
  const media::RecordId last = room.stopped();
  room.say(kAnn, "record");
  EXPECT_EQ(told(room.iq(kBob, kRoom, terminate("S1")), kAnn), Texts{body(kNothing)});
  const Step closed = room.media(media::RecordEnded{.record = last, .file = "room.opus"});
  EXPECT_EQ(told(closed, kAnn), Texts{body("The recording has ended: room.opus.")});
  EXPECT_EQ(room.tones().size(), 1u);
  EXPECT_EQ(room.focus.recordings(), 0u);
}

// The room is over by then.
TEST(RecordingEnd, IsToldAndLoggedWhoeverEndsTheCall) {
  const std::vector<std::pair<std::string, std::function<void(RecordedByAnn&)>>> ends{
      {"the last leaves", [](auto& room) { room.iq(kBob, kRoom, terminate("S1")); }},
      {"the last is kicked", [](auto& room) { room.say(kAnn, "kick bob@localhost"); }},
      {"the mixer stops", [](auto& room) { room.handle(mixer::ShutdownRequested{}); }},
  };
  for (const auto& [what, ends_call] : ends) {
    SCOPED_TRACE(what);
    RecordedByAnn room;
    room.join(kBob);
    room.say(kAnn, "record");
    room.tones_end();
    ASSERT_EQ(room.records().size(), 1u);
    const media::RecordId record = room.records().at(0).record;
    ends_call(room);
    ASSERT_EQ(room.focus.rooms(), 0u);
    EXPECT_TRUE(room.records().empty());
    EXPECT_EQ(room.focus.recordings(), 1u);
    const Step closed = room.media(media::RecordEnded{.record = record, .file = "room.opus"});
    EXPECT_EQ(told(closed, kAnn), Texts{body("The recording has ended: room.opus.")});
    ASSERT_EQ(logged(closed).size(), 1u);
    EXPECT_TRUE(logged(closed).front().starts_with("recording=ended room=room file=room.opus"));
    EXPECT_EQ(room.focus.recordings(), 0u);
  }
}

TEST(RecordingEnd, OfARoomThatIsOverIsNotTheNextOnesOfThatName) {
  RecordedByAnn room;
  room.join(kBob);
  room.say(kAnn, "record");
  room.tones_end();
  const media::RecordId record = room.records().at(0).record;
  room.iq(kBob, kRoom, terminate("S1"));
  room.join(kBob, kRoom, {.sid = "again"});
  room.say(kAnn, "record");
  room.tones_end();
  ASSERT_EQ(room.records().size(), 1u);
  EXPECT_NE(room.records().at(0).record, record);
  const Step closed = room.media(media::RecordEnded{.record = record, .file = "room.opus"});
  EXPECT_EQ(told(closed, kAnn), Texts{body("The recording has ended: room.opus.")});
  EXPECT_EQ(room.records().size(), 1u);
  EXPECT_EQ(room.say(kAnn, "record stop"), body("The recording ends."));
}

TEST(RecordingEnd, BeforeTheTonesAreOverNothingWasRecordedAndThatIsSaid) {
  mixer::Config config = recorded();
  config.room_defaults.moderators.push_back(jid("cat@localhost"));
  RecordedByAnn room(config);
  room.join(kBob);
  room.say(kAnn, "record");
  EXPECT_EQ(room.say(kAnn, "record stop"), body(kNothing));
  EXPECT_EQ(told(room.step, kAnn).size(), 1u) << "once";
  room.say(kAnn, "record");
  EXPECT_EQ(room.say(kCat, "record stop"), body(kNothing));
  EXPECT_EQ(told(room.step, kAnn), Texts{body(kNothing)}) << "who ordered it";
  room.say(kAnn, "record");
  EXPECT_EQ(told(room.iq(kBob, kRoom, terminate("S1")), kAnn), Texts{body(kNothing)});
  EXPECT_EQ(room.focus.recordings(), 0u);
}

// A file's name keeps of such a room nothing but the time.
TEST(RecordingEnd, EveryLineOfTheLogTellsTheRoom) {
  const std::string tea = "\xD1\x87\xD0\xB0\xD0\xB9";  // in Cyrillic
  RecordedByAnn room;
  const std::string address = tea + "@mixer.localhost";
  room.join(kBob, address);
  const auto say = [&](const std::string& text) {
    room.message(kAnn, address, body(text), "chat");
  };
  say("record");
  room.tones_end();
  ASSERT_EQ(room.records().size(), 1u);
  const media::RecordId id = room.records().at(0).record;
  const std::vector<media::Event> events{media::RecordStarted{.record = id, .file = "f"},
                                         media::RecordLost{.record = id, .packets = 3},
                                         media::RecordCrowded{.record = id, .speakers = 64},
                                         media::RecordEnded{.record = id, .file = "f"}};
  for (const auto& event : events) {
    const Texts lines = logged(room.media(event));
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_NE(lines[0].find(" room=" + tea + ' '), std::string::npos) << lines[0];
  }
}

TEST(RecordingEnd, WhereTheFolderTakesNoneNobodyIsToldOfOneButWhoeverWantsIt) {
  RecordedByAnn room;
  room.no_recording = "There is no folder for recordings.";
  room.client = disco("x");
  room.join(kBob);
  room.wait(6s);
  EXPECT_EQ(room.say(kAnn, "record"),
            body("The call is not recorded. There is no folder for recordings."));
  EXPECT_TRUE(told(room.step, kBob).empty());
  EXPECT_TRUE(room.tones().empty());
  ASSERT_EQ(logged(room.step).size(), 1u);
  EXPECT_TRUE(logged(room.step)[0].starts_with("recording=failed room=room"));
  room.no_recording.clear();
  EXPECT_EQ(room.say(kAnn, "record"), body(kTones));
  EXPECT_EQ(room.tones().size(), 1u);
}

}  // namespace
