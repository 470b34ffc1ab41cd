#include "media/gst/control_queue.h"

#include <gtest/gtest.h>

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
  EXPECT_FALSE(queue.push(PipelineErrorCommand{RoomId{1}, {}, "x"}));
  EXPECT_FALSE(queue.push(TickEventCommand{DigitPressed{}}));
  EXPECT_TRUE(queue.push(ConnectLegCommand{LegId{1}, {}}));
  EXPECT_TRUE(queue.push(CloseLegCommand{LegId{1}}));
  queue.wait();
  queue.wait();
  queue.wait();
  EXPECT_TRUE(queue.push(open(3)));
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

}  // namespace
}  // namespace media::gst
