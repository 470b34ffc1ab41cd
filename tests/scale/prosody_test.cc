// As many callers as a process takes by default, through a real server: the links stay up and
// everybody knows who is there.
#include <gtest/gtest.h>

#include <iostream>

#include "mixer/limits.h"
#include "mixer/log.h"
#include "tests/scale/world.h"
#include "tests/support/sanitized.h"

namespace scale {
namespace {

using namespace std::chrono_literals;

// Everybody's first roster alone grows with the square of a room, so the rooms are of an everyday
// size: 2,000 people in one would be told 1.6 GB.
using test_support::kSanitized;
constexpr std::size_t kCallers = kSanitized ? 200 : 2000, kPerRoom = 100;
constexpr auto kWithin = 250s;  // one that never comes true

class Scale : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_PROSODY(); }
};

TEST_F(Scale, TwoThousandCallersKeepTheLinkUpAndEveryRosterTrue) {
  mixer::set_log_level("warning");  // not a line per call
  World world(kCallers, kPerRoom);
  ASSERT_TRUE(world.up());
  const auto comes_true = [&](const char* what, const std::function<bool()>& done) {
    EXPECT_TRUE(world.run_until(done, kWithin)) << what << testing::PrintToString(world.faults());
    std::cout << what << ": " << world.figures() << std::endl;
    return !HasFailure();
  };

  const std::size_t late = kPerRoom - 1;
  for (std::size_t i = 0; i < kCallers; ++i) {
    if (i != late) world.call(i);
  }
  ASSERT_TRUE(comes_true("all but one accepted", [&] { return world.accepted() == kCallers - 1; }));

  // Who calls while many documents are under way is accepted and told, too. That Jingle overtakes
  // them shows where the link is full: strophe/Failure.UrgentStanzasOvertakeOnTheWire.
  ASSERT_TRUE(comes_true("the storm is on", [&] {
    return world.wire().documents > world.documents_received() + (kSanitized ? 20 : 10);
  }));
  world.call(late);
  ASSERT_TRUE(comes_true("accepted in the storm", [&] { return world.callers()[late].accepted; }));

  ASSERT_TRUE(comes_true("every roster true", [&] { return world.rosters_are_true(); }));
  world.mute(0);
  ASSERT_TRUE(comes_true("a mute", [&] { return world.rosters_are_true(); }));
  world.leave(1);
  ASSERT_TRUE(comes_true("a leave", [&] { return world.rosters_are_true(); }));

  const Wire& wire = world.wire();
  EXPECT_LE(wire.largest, mixer::limits::kMaxDocumentBytes);
  EXPECT_EQ(wire.refused, 0u) << "more than the connection queues";
  EXPECT_EQ(wire.crowded, 0u) << "more than two documents a second for somebody";
  EXPECT_EQ(world.faults(), std::vector<std::string>{});
}

// Everybody in one room, whose roster goes in several stanzas, and a server as Debian has it. What
// is told grows with the square: 300 people are told 30 MB, 600 people 120 MB.
TEST_F(Scale, OneRoomOfManyTakesEveryCallAtOnceAndComesTrue) {
  mixer::set_log_level("warning");
  const std::size_t callers = kSanitized ? 200 : 300, late = callers - 1;
  World world(callers, callers, Server::as_debian_has_it);
  ASSERT_TRUE(world.up());
  const auto comes_true = [&](const char* what, const std::function<bool()>& done) {
    EXPECT_TRUE(world.run_until(done, kWithin)) << what << testing::PrintToString(world.faults());
    std::cout << what << ": " << world.figures() << std::endl;
    return !HasFailure();
  };
  for (std::size_t i = 0; i < late; ++i) world.call(i);
  ASSERT_TRUE(comes_true("all but one accepted", [&] { return world.accepted() == late; }));
  ASSERT_TRUE(comes_true("the storm is on", [&] { return world.documents_received() > 20; }));
  // A call waits behind what the server has not read yet, and no longer.
  const std::size_t before = world.wire().document_bytes;
  world.call(late);
  ASSERT_TRUE(comes_true("accepted in the storm", [&] { return world.callers()[late].accepted; }));
  EXPECT_LE(world.wire().document_bytes - before, 2 * mixer::limits::kCoinWindowMost);
  ASSERT_TRUE(comes_true("every roster true", [&] { return world.rosters_are_true(); }));

  const Wire& wire = world.wire();
  EXPECT_LE(wire.largest, mixer::limits::kMaxDocumentBytes);
  EXPECT_LE(wire.full, callers + callers / 10) << "nobody was thought silent for the link's lag";
  EXPECT_EQ(wire.refused, 0u);
  EXPECT_EQ(wire.crowded, 0u);
  EXPECT_EQ(world.faults(), std::vector<std::string>{});
}

}  // namespace
}  // namespace scale
