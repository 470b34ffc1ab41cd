#include "media/gst/dropped.h"

#include <gmock/gmock.h>

#include <mutex>
#include <string>
#include <vector>

#include "media/gst/transport_limits.h"
#include "tests/media_gst/engine_fixture.h"

namespace media::gst {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Lines = std::vector<std::string>;

TEST(Dropped, IsToldAsItHasGrownAndNoMoreOftenThanItMay) {
  Lines warnings, notes;
  DroppedLog log([&](std::string_view line) { warnings.emplace_back(line); },
                 [&](std::string_view line) { notes.emplace_back(line); });
  const DroppedLog::TimePoint begin{};
  const auto every = limits::kDroppedTold;
  EXPECT_EQ(log.due(), DroppedLog::TimePoint::max());
  log.begin(begin);
  log.begin(begin + every / 2);
  EXPECT_EQ(log.due(), begin + every) << "however many legs are opened meanwhile";
  Dropped all{.srtp_rejected = 4, .junk = 3};
  log.tell(all, false, begin + every);
  EXPECT_EQ(log.due(), begin + 2 * every);
  log.tell(all, false, begin + 2 * every);
  EXPECT_THAT(notes, ElementsAre("packets were dropped: srtp_rejected=4 junk=3"));
  for (auto* const sound : {&all.outbox_full, &all.refused, &all.ring_full}) {
    EXPECT_THAT(warnings, IsEmpty());
    *sound += 2;
    all.junk += 1;
    log.tell(all, true, begin + 3 * every);
    EXPECT_EQ(log.due(), DroppedLog::TimePoint::max()) << "nobody is there";
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_THAT(warnings[0], HasSubstr("=2 junk=1"));
    warnings.clear();
  }
  EXPECT_EQ(notes.size(), 1U);
}

TEST(Dropped, IsTheSumOfTheThreads) {
  IoCounters io;
  io.outbox_full = 1;
  io.refused = 2;
  io.srtp_rejected = 3;
  io.junk = 4;
  io.unsent = io.early = io.candidates_skipped = 5;  // happens in every call
  Dropped all{.ring_full = 6};
  all += io;
  all += io;
  EXPECT_EQ(to_string(all), "outbox_full=2 refused=4 ring_full=6 srtp_rejected=6 junk=8");
}

// What the lines that begin so say in all.
std::uint64_t sum_of(const std::string& field, const std::string& beginning, const Lines& lines) {
  std::uint64_t sum = 0;
  for (const std::string& line : lines) {
    const auto at = line.find(" " + field + "=");
    if (!line.starts_with(beginning) || at == std::string::npos) continue;
    sum += std::stoull(line.substr(at + field.size() + 2));
  }
  return sum;
}

TEST(Dropped, IsToldByAnEngineDuringTheCallAndAtItsEnd) {
  std::mutex mutex;
  Lines lines;
  EngineConfig config = loopback();
  config.log = config.note = [&](std::string_view line) {
    const std::lock_guard lock(mutex);
    lines.emplace_back(line);
  };
  const auto told = [&](const std::string& field) {
    const std::lock_guard lock(mutex);
    return sum_of(field, "packets were dropped: ", lines);
  };
  CallerThread thread;
  TestCaller caller(thread, LegId{1}, 440);
  Engine mixer(config);
  dial(mixer, caller, RoomId{1});
  ASSERT_TRUE(caller.wait_connected());
  const auto connected = mixer.log.wait_for<LegConnected>(caller.leg());
  ASSERT_TRUE(connected);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(send_from_port(port_of(connected->remote), "127.0.0.1", port_of(connected->local),
                               {0xFF, 1, 2, 3}));
  }
  std::uint16_t sequence = 0;
  const auto flood = [&] {
    for (int i = 0; i < 200; ++i) {
      thread.io().enqueue(caller.leg(), rtp_packet(caller.ssrc(), sequence++, 20), {});
    }
    thread.io().flush();
  };
  EXPECT_TRUE(eventually([&] {
    flood();
    return told("ring_full") > 0;
  }));
  EXPECT_EQ(told("junk"), 3U);
  flood();
  mixer.engine->close_leg(caller.leg());
  ASSERT_TRUE(mixer.log.wait_for<LegClosed>(caller.leg()));
  mixer.engine.reset();
  EXPECT_EQ(told("ring_full"), sum_of("dropped", "room closed: ", lines));
}

}  // namespace
}  // namespace media::gst
