#include "mixer/recording.h"

#include "mixer/limits.h"
#include "tests/mixer/recorded_room.h"
#include "tests/support/allocations.h"

namespace {

using namespace test;
using mixer::Play;
using mixer::Record;
using mixer::SendMessage;
using mixer::StopRecord;

TEST(Recording, BeginsWhenEverybodyHasHeardTheAnnouncement) {
  RecordedRoom room;
  const auto ann = room.join(kAnn, kRoom, {.sid = "A"});
  const auto bob = room.join(kBob);
  EXPECT_NE(room.say(kAnn, "record").find("three tones"), std::string::npos);
  ASSERT_EQ(room.tones().size(), 1u);
  EXPECT_FALSE(room.may_record(ann));
  EXPECT_FALSE(room.may_record(bob));
  room.media(media::PlayEnded{room.tones().at(0), media::PlayEnd::finished, ""});
  EXPECT_TRUE(room.records().empty()) << "it is on its way to them";
  room.wait(mixer::limits::kAnnouncementTravels);
  ASSERT_EQ(room.records().size(), 1u);
  EXPECT_TRUE(room.may_record(ann));
  EXPECT_TRUE(room.may_record(bob));
  EXPECT_EQ(room.records().at(0).directory, "/recordings");
  EXPECT_TRUE(room.records().at(0).name.starts_with("room-20260101T0000"))
      << room.records().at(0).name;
  EXPECT_FALSE(room.records().at(0).speakers);
}

TEST(Recording, WhoComesLaterIsNotRecordedBeforeHeHasHeardTheAnnouncementToo) {
  RecordedRoom room;
  const auto ann = room.join(kAnn, kRoom, {.sid = "A"});
  room.say(kAnn, "record speakers");
  room.tones_end();
  ASSERT_EQ(room.records().size(), 1u);
  EXPECT_TRUE(room.records().at(0).speakers);
  const auto bob = room.join(kBob);
  room.wait(0ms);
  EXPECT_FALSE(room.may_record(bob));
  EXPECT_TRUE(room.may_record(ann));
  ASSERT_EQ(room.tones().size(), 2u) << "again";
  const auto cat = room.join(kCat, kRoom, {.sid = "C"});
  room.tones_end();
  EXPECT_TRUE(room.may_record(bob));
  EXPECT_FALSE(room.may_record(cat)) << "the tones had begun before he came";
  room.wait(mixer::limits::kAnnounceRecordingAgain);
  room.tones_end();
  EXPECT_TRUE(room.may_record(cat));
  EXPECT_EQ(room.records().size(), 1u);
}

// What another mixer tells of its conference.
std::string told_by_mixer(int version, const std::vector<std::string>& users,
                          const std::string& status = "connected") {
  std::string listed;
  for (const std::string& name : users) {
    const std::string entity = "xmpp:" + name + "@other.localhost";
    listed += "<user entity='" + entity + "'><endpoint entity='" + entity + "/x'><status>" +
              status + "</status></endpoint></user>";
  }
  return "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' "
         "entity='xmpp:party@other.localhost' state='full' version='" +
         std::to_string(version) + "'><conference-description/><users state='full'>" + listed +
         "</users></conference-info>";
}

TEST(Recording, WhoJoinsAnotherMixerIsNotRecordedBeforeHeHasHeardTheAnnouncementToo) {
  constexpr char kMixer[] = "party@other.localhost/focus";
  mixer::Config config = recorded();
  config.access.anyone = true;
  RecordedRoom room(config);
  const auto ann = room.join(kAnn, kRoom, {.sid = "A"});
  const auto link = room.join(
      kMixer, kRoom,
      {.sid = "M", .more_jingle = "<conference-info xmlns='urn:xmpp:coin:1' isfocus='true'/>"});
  int version = 0;
  const auto tells = [&](const std::vector<std::string>& users,
                         const std::string& status = "connected") {
    EXPECT_TRUE(room.iq(kMixer, kRoom, told_by_mixer(++version, users, status)).acked());
    room.wait(1s);
  };
  tells({"dee"});
  room.wait(20s);
  room.say(kAnn, "record");
  room.tones_end();
  ASSERT_EQ(room.tones().size(), 1u);
  EXPECT_TRUE(room.may_record(link));
  tells({"dee", "eve"});
  EXPECT_FALSE(room.may_record(link));
  EXPECT_TRUE(room.may_record(ann));
  ASSERT_EQ(room.tones().size(), 2u) << "again";
  tells({"dee", "eve", "fay"});
  room.tones_end();
  EXPECT_FALSE(room.may_record(link)) << "the tones had begun before Fay came";
  room.wait(mixer::limits::kAnnounceRecordingAgain);
  ASSERT_EQ(room.tones().size(), 3u);
  room.tones_end();
  EXPECT_TRUE(room.may_record(link));
  tells({"eve"});
  tells({"eve"}, "on-hold");
  tells({"eve"});
  EXPECT_TRUE(room.may_record(link)) << "she has heard them";
  EXPECT_EQ(room.tones().size(), 3u);
  tells({"dee", "eve"});
  EXPECT_FALSE(room.may_record(link)) << "another call of his";
  EXPECT_EQ(room.tones().size(), 4u);
}

TEST(Recording, WhileNothingIsRecordedNobodyIsCounted) {
  if (!test_support::kCountsAllocations) GTEST_SKIP() << "malloc is the sanitizer's";
  mixer::Outbox out{[] { return 7; }};
  mixer::Recording recording(tea(), wall_time);
  std::vector<media::LegPlan> plan;
  for (std::uint64_t n = 1; n <= 1000; ++n) plan.push_back({.leg = {n}, .receives = false});
  test_support::count_allocations();
  recording.audience(plan, out, mixer::TimePoint(1s));
  EXPECT_EQ(test_support::allocations_counted(), 0u);
  const auto begin = [&] {
    return recording.order({}, jid(kAnn), plan, out, mixer::TimePoint(1s));
  };
  EXPECT_EQ(begin(), "Nobody is there to be recorded.") << "all are on hold";
  plan.back().receives = true;
  EXPECT_EQ(begin(), std::nullopt);
}

// RFC 4575 §5.6, §5.7.3
TEST(Recording, EverybodyIsShownItByTheRosterAndOthersAreToldByChat) {
  mixer::Config config = recorded();
  RecordedRoom room(config);
  room.client = disco("x", "urn:xmpp:coin:1");
  room.join(kAnn, kRoom, {.sid = "A"});
  room.client = disco("x");
  room.join(kBob);
  room.wait(6s);
  room.say(kAnn, "record");
  std::string told;
  for (const auto& said : room.step.all<SendMessage>()) {
    if (said.to == jid(kBob)) told += said.payload;
  }
  EXPECT_NE(told.find("recorded"), told.npos);
  room.wait(2s);
  const coin::User* focus = room.recorder("A");
  ASSERT_TRUE(focus);
  EXPECT_EQ(focus->display_text, "Recording");
  ASSERT_EQ(focus->endpoints.size(), 1u);
  EXPECT_EQ(focus->endpoints[0].joining_method, coin::JoiningMethod::focus_owner);
  const auto& info = *room.views["A"].info();
  EXPECT_EQ(info.conference_state->user_count, 2u) << "it is nobody";
  EXPECT_EQ(info.description->free_text, "This call is recorded.");
  room.tones_end();
  const media::RecordId record = room.records().at(0).record;
  room.say(kAnn, "record stop");
  EXPECT_TRUE(room.records().empty());
  room.wait(2s);
  EXPECT_FALSE(room.recorder("A"));
  EXPECT_FALSE(room.views["A"].info()->description->free_text);
  room.media(media::RecordEnded{.record = record});
  EXPECT_NE(room.say(kAnn, "record").find("three tones"), std::string::npos);
}

// RFC 4575 §5.7.4 focus-owner.
TEST(Recording, AndPlayingShowTheFocusOnceAndWhatItDoes) {
  mixer::Config config = recorded();
  config.play.media_dir = "/music";
  RecordedRoom room(config);
  room.client = disco("x", "urn:xmpp:coin:1");
  room.join(kAnn, kRoom, {.sid = "A"});
  room.wait(6s);
  const auto shown = [&] {
    room.wait(2s);
    EXPECT_LE(room.views["A"].info()->users->users.size(), 2u);
    const coin::User* focus = room.recorder("A");
    return focus ? focus->display_text.value_or("") : "";
  };
  room.say(kAnn, "play nocturne.ogg");
  const media::PlayId play = room.engine.plays().back().play;
  EXPECT_EQ(shown(), "") << "it may never begin";
  room.media(media::PlayStarted{.play = play, .tags = {.title = "Nocturne"}});
  EXPECT_EQ(shown(), "Playing: Nocturne");
  room.say(kAnn, "pause");
  EXPECT_EQ(shown(), "Playing: Nocturne");
  EXPECT_EQ(room.recorder("A")->endpoints.at(0).status, coin::EndpointStatus::on_hold);
  room.say(kAnn, "record");
  EXPECT_EQ(shown(), "Recording; playing: Nocturne");
  room.say(kAnn, "stop");
  EXPECT_EQ(shown(), "Recording");
  room.say(kAnn, "record stop");
  EXPECT_EQ(shown(), "");
}

TEST(Recording, IsForModeratorsAndWhereThereIsAFolder) {
  RecordedRoom room;
  room.join(kBob);
  EXPECT_NE(room.say(kBob, "record").find("Only moderators"), std::string::npos);
  EXPECT_NE(room.say(kAnn, "record stop").find("not being recorded"), std::string::npos);
  EXPECT_NE(room.say(kAnn, "record bob").find("record [speakers|stop]"), std::string::npos);
  mixer::Config off = recorded();
  off.record.directory.clear();
  RecordedRoom nowhere(off);
  nowhere.join(kAnn);
  EXPECT_NE(nowhere.say(kAnn, "record").find("not recorded here"), std::string::npos);
  off = recorded();
  off.room_defaults.record = false;
  RecordedRoom not_this(off);
  not_this.join(kAnn);
  EXPECT_NE(not_this.say(kAnn, "record").find("not recorded here"), std::string::npos);
}

TEST(Recording, WhatCannotBeAnnouncedIsNotRecorded) {
  RecordedRoom room;
  room.join(kAnn);
  room.say(kAnn, "record");
  const Step failed = room.media(
      media::PlayEnded{room.tones().at(0), media::PlayEnd::error, "Too much is played."});
  std::string told;
  for (const auto& said : failed.all<SendMessage>()) told += said.payload;
  EXPECT_NE(told.find("Too much is played."), told.npos);
  room.wait(60s);
  EXPECT_TRUE(room.records().empty());
}

TEST(Recording, ADiskThatRefusesIsToldToWhoeverAskedAndToTheLog) {
  RecordedRoom room;
  room.join(kAnn);
  room.say(kAnn, "record");
  room.tones_end();
  const Step over = room.media(media::RecordEnded{.record = room.records().at(0).record,
                                                  .cause = media::RecordEnd::error,
                                                  .text = "The disk is full.",
                                                  .file = "room.opus"});
  std::string told;
  for (const auto& said : over.all<SendMessage>()) told += said.to.str() + said.payload;
  EXPECT_NE(told.find("ann@localhost/phone<body>The recording has ended: The disk is full."),
            told.npos);
  std::string log;
  for (const auto& line : over.all<mixer::Log>()) log += line.text;
  EXPECT_NE(log.find("recording=failed room=room file=room.opus"), log.npos) << log;
  room.wait(2s);
  EXPECT_FALSE(room.recorder("S1"));
}

TEST(Recording, ADiskThatDoesNotAnswerIsToldOnceAndNobodyElseHearsOfIt) {
  mixer::Outbox out{[] { return 7; }};
  mixer::Recording recording(tea(), wall_time);
  const std::vector<media::LegPlan> plan{{.leg = {1}, .receives = true}};
  mixer::TimePoint now{1000s};
  ASSERT_EQ(recording.order({}, jid(kAnn), plan, out, now), std::nullopt);
  const Step asked{out.take()};
  ASSERT_EQ(asked.all<mixer::PrepareRecord>().size(), 1u);
  const media::RecordId id = asked.all<mixer::PrepareRecord>()[0].spec.record;
  EXPECT_EQ(recording.next_deadline(), now + mixer::limits::kRecordReady);
  now += mixer::limits::kRecordReady;
  recording.advance(out, now);
  const Step given_up{out.take()};
  ASSERT_EQ(given_up.all<SendMessage>().size(), 1u);
  EXPECT_EQ(given_up.all<SendMessage>()[0].payload,
            "<body>The call is not recorded. The disk does not answer.</body>");
  EXPECT_EQ(given_up.all<StopRecord>().size(), 1u);
  ASSERT_EQ(given_up.all<mixer::Log>().size(), 1u);
  EXPECT_TRUE(given_up.all<mixer::Log>()[0].text.starts_with("recording=failed room=tea"));
  EXPECT_EQ(recording.next_deadline(), std::nullopt);
  // It does, later.
  recording.media_event(media::RecordReady{id}, out, now);
  recording.advance(out, now);
  EXPECT_FALSE(recording.shown());
  EXPECT_TRUE(recording.closing());
  recording.media_event(media::RecordEnded{.record = id}, out, now);
  EXPECT_FALSE(recording.closing());
  EXPECT_TRUE(out.take().empty());
}

TEST(Recording, WhatItMayTakeIsTheConfigurationsAndItsEndIsTold) {
  mixer::Config config = recorded();
  config.record.longest = 90min;
  config.record.most_bytes = 5'000'000;
  config.record.least_free_bytes = 6'000'000;
  RecordedRoom room(config);
  room.join(kAnn);
  room.say(kAnn, "record");
  room.tones_end();
  ASSERT_EQ(room.records().size(), 1u);
  EXPECT_EQ(room.records().at(0).longest, 90min);
  EXPECT_EQ(room.records().at(0).most_bytes, 5'000'000u);
  EXPECT_EQ(room.records().at(0).least_free_bytes, 6'000'000u);
  const Step over = room.media(media::RecordEnded{.record = room.records().at(0).record,
                                                  .cause = media::RecordEnd::bound,
                                                  .text = "It may last no longer.",
                                                  .file = "room.opus"});
  std::string told, log;
  for (const auto& said : over.all<SendMessage>()) told += said.payload;
  EXPECT_NE(told.find("The recording has ended: room.opus. It may last no longer."), told.npos);
  for (const auto& line : over.all<mixer::Log>()) log += line.text;
  EXPECT_NE(log.find("recording=ended room=room file=room.opus"), log.npos) << log;
  EXPECT_NE(log.find("text=\"It may last no longer.\""), log.npos) << log;
  room.wait(2s);
  EXPECT_FALSE(room.recorder("S1"));
}

TEST(Recording, ThatSomeHaveNoFileOfTheirOwnIsToldAndLogged) {
  RecordedRoom room;
  room.join(kAnn);
  room.say(kAnn, "record speakers");
  room.tones_end();
  const Step step =
      room.media(media::RecordCrowded{.record = room.records().at(0).record, .speakers = 64});
  std::string told, log;
  for (const auto& said : step.all<SendMessage>()) told += said.to.str() + said.payload;
  EXPECT_NE(told.find("ann@localhost/phone<body>64 speakers have files of their own"), told.npos);
  for (const auto& line : step.all<mixer::Log>()) log += line.text;
  EXPECT_NE(log.find("recording=crowded"), log.npos) << log;
  EXPECT_NE(log.find("speakers=64"), log.npos) << log;
  EXPECT_FALSE(room.records().empty()) << "it goes on";
}

TEST(Recording, EndsWhenEverybodyHasLeft) {
  RecordedRoom room;
  room.join(kAnn);
  room.say(kAnn, "record");
  room.tones_end();
  ASSERT_EQ(room.records().size(), 1u);
  room.iq(kAnn, kRoom, terminate("S1"));
  EXPECT_TRUE(room.records().empty());
}

TEST(Recording, ItsNameIsAFilesNameWhateverTheRoomIsCalled) {
  EXPECT_EQ(mixer::recording_name("tea", "2026-11-21T16:30:00Z"), "tea-20261121T163000Z");
  EXPECT_EQ(mixer::recording_name("../a b/ü", "2026-11-21T16:30:00Z"),
            "_._a_b___-20261121T163000Z");
  EXPECT_EQ(mixer::recording_name(std::string(300, 'x'), "2026").size(),
            mixer::limits::kMaxRecordedNameBytes + 5);
}

}  // namespace
