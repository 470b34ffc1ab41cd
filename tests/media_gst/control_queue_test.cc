#include "media/gst/control_queue.h"

#include <gtest/gtest.h>

#include <chrono>

namespace media::gst {
namespace {

OpenLegCommand open(std::uint64_t leg) {
  OpenLegCommand command;
  command.spec.leg = LegId{leg};
  return command;
}
MixPlan plan_for(std::uint64_t leg) {
  MixPlan plan;
  plan.legs.push_back({.leg = LegId{leg}});
  return plan;
}

TEST(ControlQueue, FullRefusesNewLegsAndCandidatesButNeverAClose) {
  ControlQueue queue(2);
  EXPECT_TRUE(queue.push(open(1)));
  EXPECT_TRUE(queue.push(open(2)));
  EXPECT_FALSE(queue.push(open(3)));
  EXPECT_FALSE(queue.push(AddCandidatesCommand{LegId{1}, {}}));
  EXPECT_FALSE(queue.push(TickEventCommand{DigitPressed{}}));
  EXPECT_TRUE(queue.push(ConnectLegCommand{LegId{1}, {}}));
  EXPECT_TRUE(queue.push(CloseLegCommand{LegId{1}}));
  EXPECT_TRUE(queue.push(PlayEventCommand{{}, PlayTagged{}}));
  EXPECT_TRUE(queue.push(PlayOverCommand{}));
  queue.wait();
  queue.wait();
  queue.wait();
  queue.wait();
  queue.wait();
  EXPECT_TRUE(queue.push(open(3)));
}

TEST(ControlQueue, AFailedLegIsToldHoweverFullItIsAndOnce) {
  ControlQueue queue(1);
  EXPECT_TRUE(queue.push(open(1)));
  const std::optional<LegId> failed[] = {LegId{1}, LegId{2}, std::nullopt};
  for (const char* text : {"first", "second"}) {
    for (const auto& leg : failed) {
      EXPECT_TRUE(queue.push(PipelineErrorCommand{RoomId{1}, leg, text}));
    }
  }
  queue.wait();
  for (const auto& leg : failed) {
    const auto told = std::get<PipelineErrorCommand>(*queue.wait());
    EXPECT_EQ(told.leg, leg);
    EXPECT_EQ(told.text, "first");
  }
  EXPECT_TRUE(queue.push(PipelineErrorCommand{RoomId{1}, LegId{1}, "third"}));
  queue.stop();
  EXPECT_EQ(std::get<PipelineErrorCommand>(*queue.wait()).text, "third");
  EXPECT_FALSE(queue.wait());
}

TEST(ControlQueue, OnlyARoomsLatestPlanWaits) {
  ControlQueue queue(1);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    EXPECT_TRUE(queue.push(SetPlanCommand{RoomId{1}, plan_for(i)}));
  }
  EXPECT_TRUE(queue.push(SetPlanCommand{RoomId{2}, plan_for(7)}));
  queue.stop();
  EXPECT_EQ(std::get<SetPlanCommand>(*queue.wait()).plan, plan_for(999));
  EXPECT_EQ(std::get<SetPlanCommand>(*queue.wait()).plan, plan_for(7));
  EXPECT_FALSE(queue.wait());
}

TEST(ControlQueue, StoppingDeliversWhatWasPushedBefore) {
  ControlQueue queue(8);
  queue.push(open(1));
  queue.stop();
  EXPECT_TRUE(queue.wait());
  EXPECT_FALSE(queue.wait());
}

TEST(ControlQueue, TellsThatTheTimeHasPassedAlsoWhenCommandsKeepComing) {
  ControlQueue queue(8);
  const auto now = std::chrono::steady_clock::now();
  EXPECT_TRUE(
      std::holds_alternative<TimePassedCommand>(*queue.wait(now + std::chrono::milliseconds(5))))
      << "nothing came";
  EXPECT_TRUE(queue.push(open(1)));
  EXPECT_TRUE(std::holds_alternative<TimePassedCommand>(*queue.wait(now)));
  EXPECT_TRUE(std::holds_alternative<OpenLegCommand>(*queue.wait(now + std::chrono::hours(1))));
  queue.stop();
  EXPECT_FALSE(queue.wait(now + std::chrono::hours(1)));
}

}  // namespace
}  // namespace media::gst
