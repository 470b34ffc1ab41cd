#include <random>

#include "mixer/recording.h"
#include "tests/mixer/recorded_room.h"
#include "tests/support/seed.h"

namespace {

using namespace test;
using mixer::Play;
using mixer::PrepareRecord;
using mixer::Record;
using mixer::StopRecord;

// Whatever happens in whatever order: whose voice may be recorded has been connected, and not on
// hold, from before some announcement began until it was over; and so has everybody who is heard by
// the same leg.
TEST(RecordingLaws, NobodyIsRecordedBeforeHeHasHeardAWholeAnnouncement) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 100; ++round) {
    mixer::Outbox out{[] { return 7; }};
    mixer::Recording recording(tea(), wall_time);
    mixer::TimePoint now{1000s};
    using Ear = std::pair<media::LegId, std::string>;  // "": the leg's own
    std::map<media::LegId, bool> legs;                 // receives
    mixer::Recording::Behind behind;
    std::set<Ear> informed;  // the model
    std::optional<media::PlayId> playing;
    std::set<Ear> hearing;
    std::optional<std::pair<mixer::TimePoint, std::set<Ear>>> travels;
    const auto ears = [&](bool all) {  // or those that hear
      std::set<Ear> found;
      for (const auto& [leg, receives] : legs) {
        if (all || receives) found.insert({leg, ""});
        for (const auto& [name, hears] : behind[leg]) {
          if (all || (receives && hears)) found.insert({leg, name});
        }
      }
      return found;
    };
    bool ready = false, recording_now = false, stopping = false;
    std::optional<media::RecordId> record;
    const auto take = [&] {
      for (const auto& command : out.take()) {
        if (const auto* play = std::get_if<Play>(&command)) {
          ASSERT_FALSE(playing);
          playing = play->spec.play;
          hearing = ears(false);
        } else if (const auto* prepared = std::get_if<PrepareRecord>(&command)) {
          ASSERT_FALSE(record);
          record = prepared->spec.record;
          ready = stopping = false;
        } else if (const auto* begun = std::get_if<Record>(&command)) {
          ASSERT_FALSE(recording_now);
          ASSERT_EQ(record, begun->record);
          recording_now = true;
        } else if (std::holds_alternative<mixer::StopPlay>(command)) {
          playing.reset();
          travels.reset();
        } else if (std::holds_alternative<StopRecord>(command)) {
          recording_now = false;
          stopping = true;
        }
      }
    };
    std::vector<media::LegPlan> plan;
    const auto audience = [&] {
      plan.clear();
      for (const auto& [leg, receives] : legs) plan.push_back({.leg = leg, .receives = receives});
      recording.behind(behind);
      recording.audience(plan, out, now);
      std::erase_if(hearing, [here = ears(false)](const Ear& ear) { return !here.contains(ear); });
      std::erase_if(informed, [here = ears(true)](const Ear& ear) { return !here.contains(ear); });
    };
    for (int i = 0; i < 300; ++i) {
      switch (random() % 9) {
        case 0: legs[{random() % 5 + 1}] = true; break;
        case 1: {
          const media::LegId leg{random() % 5 + 1};
          legs.erase(leg);
          behind.erase(leg);
          break;
        }
        case 6: {
          const media::LegId leg{random() % 2 + 1};
          const std::string name(1, static_cast<char>('a' + random() % 3));
          if (!legs.contains(leg)) break;
          if (random() % 3 == 0) {
            behind[leg].erase(name);
          } else {
            behind[leg][name] = random() % 3 != 0;
          }
          break;
        }
        case 2:
          if (!legs.empty()) legs.begin()->second = random() % 2 == 0;
          break;
        case 3:
          if (random() % 3 == 0) {
            const auto what = random() % 3 == 0 ? mixer::RecordOrder::What::stop
                                                : mixer::RecordOrder::What::begin;
            if (!recording.order({what}, jid(kAnn), plan, out, now) &&
                what == mixer::RecordOrder::What::begin) {
              informed.clear();
            }
          }
          break;
        case 4:
          if (playing) {
            const bool failed = random() % 4 == 0;
            recording.media_event(
                media::PlayEnded{*playing,
                                 failed ? media::PlayEnd::error : media::PlayEnd::finished, ""},
                out, now);
            if (!failed) travels.emplace(now + mixer::limits::kAnnouncementTravels, hearing);
            playing.reset();
          }
          break;
        case 5:
          if (record && !stopping && !std::exchange(ready, true)) {
            recording.media_event(media::RecordReady{*record}, out, now);
          } else if (record && (stopping || random() % 10 == 0)) {
            recording.media_event(media::RecordEnded{.record = *record}, out, now);
            record.reset();
            recording_now = false;
          }
          break;
        default: now += std::chrono::milliseconds(random() % 2000);
      }
      audience();
      take();
      recording.advance(out, now);
      if (travels && travels->first <= now) {
        for (const Ear& ear : travels->second) {
          if (hearing.contains(ear)) informed.insert(ear);
        }
        travels.reset();
      }
      take();
      if (HasFatalFailure()) return;
      if (!recording_now) continue;
      for (const auto& [leg, receives] : legs) {
        ASSERT_TRUE(!recording.may_record(leg) || informed.contains({leg, ""})) << "step " << i;
      }
      for (const Ear& ear : ears(false)) {
        ASSERT_TRUE(!recording.may_record(ear.first) || informed.contains(ear)) << "step " << i;
      }
    }
  }
}

}  // namespace
