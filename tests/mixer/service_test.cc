#include "mixer/service.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "mixer/shell_limits.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_connection.h"

namespace mixer {
namespace {

using testing::ElementsAre;

// A whole service on fakes. `story` is what happened, in order.
class ServiceTest : public testing::Test {
 protected:
  ServiceTest()
      : mailbox(2, may_drop),
        agent({{[this](const Event& event, TimePoint) { return handle(event); },
                [] { return std::optional<TimePoint>(); }},
               nullptr,
               &clock,
               [] { return std::uint64_t{0}; },
               "127.0.0.1:5347"}),
        connection(&agent),
        service({&clock, &agent, &mailbox, (open_pipe(), ends[0]), [this] { return legs; },
                 [this] { return farewells; }, [this] { story.push_back("join media"); }}) {
    connection.timeout = std::chrono::milliseconds(0);  // no turn sleeps
    agent.start(&connection);
    connection.come_up("mixer.localhost");
    story.clear();
  }
  ~ServiceTest() override {
    close(ends[0]);
    close(ends[1]);
  }

  void open_pipe() { ASSERT_EQ(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0); }
  void signal() {
    signalfd_siginfo info{};
    info.ssi_signo = SIGTERM;
    ASSERT_EQ(write(ends[1], &info, sizeof info), static_cast<ssize_t>(sizeof info));
  }
  Commands handle(const Event& event) {
    if (std::holds_alternative<ShutdownRequested>(event)) story.push_back("terminate sessions");
    if (std::holds_alternative<ConnectionDown>(event)) story.push_back("down");
    if (const auto* from_media = std::get_if<media::Event>(&event)) {
      if (std::holds_alternative<media::LegClosed>(*from_media)) {
        story.push_back("leg closed");
        --legs;
      }
    }
    return {};
  }
  void turn_and_expect_more() { EXPECT_EQ(service.turn(), std::nullopt); }

  FakeClock clock;
  std::size_t legs = 2, farewells = 0;
  std::vector<std::string> story;
  int ends[2] = {-1, -1};
  MediaMailbox mailbox;
  FocusAgent agent;
  jingle::FakeConnection connection;
  Service service;
};

TEST_F(ServiceTest, StopsInOrderAndWaitsForEachStep) {
  turn_and_expect_more();
  EXPECT_TRUE(story.empty());
  signal();
  turn_and_expect_more();
  EXPECT_THAT(story, ElementsAre("terminate sessions"));
  mailbox.push(media::LegClosed{{1}, {}});
  turn_and_expect_more();
  EXPECT_EQ(connection.disconnects, 0) << "one leg is left";
  mailbox.push(media::LegClosed{{2}, {}});
  turn_and_expect_more();
  EXPECT_THAT(story, ElementsAre("terminate sessions", "leg closed", "leg closed", "join media"));
  EXPECT_EQ(connection.disconnects, 1);
  turn_and_expect_more();
  connection.go_down("closed");
  EXPECT_EQ(service.turn(), Service::Result::stopped);
}

TEST_F(ServiceTest, WithoutCallsStopsAtOnce) {
  legs = 0;
  signal();
  turn_and_expect_more();
  EXPECT_THAT(story, ElementsAre("terminate sessions", "join media"));
  connection.go_down("closed");
  EXPECT_EQ(service.turn(), Service::Result::stopped);
}

TEST_F(ServiceTest, WaitsUntilSubscribersKnow) {
  legs = 0;
  farewells = 1;
  signal();
  turn_and_expect_more();
  EXPECT_THAT(story, ElementsAre("terminate sessions"));
  EXPECT_EQ(connection.disconnects, 0);
  farewells = 0;
  turn_and_expect_more();
  EXPECT_EQ(connection.disconnects, 1);
}

TEST_F(ServiceTest, ALegThatNeverClosesHoldsItUpForFiveSecondsOnly) {
  signal();
  turn_and_expect_more();
  clock.advance(limits::kCloseLegs - std::chrono::milliseconds(1));
  turn_and_expect_more();
  EXPECT_EQ(connection.disconnects, 0);
  clock.advance(std::chrono::milliseconds(1));
  turn_and_expect_more();
  EXPECT_EQ(story.back(), "join media");
  clock.advance(limits::kCloseStream);
  EXPECT_EQ(service.turn(), Service::Result::stopped) << "a server that says nothing";
}

TEST_F(ServiceTest, ASecondSignalEndsItNow) {
  signal();
  turn_and_expect_more();
  signal();
  EXPECT_EQ(service.turn(), Service::Result::interrupted);
  EXPECT_EQ(connection.disconnects, 0);
}

TEST_F(ServiceTest, TwoSignalsThatCameTogetherEndItNow) {
  signal();
  signal();
  EXPECT_EQ(service.turn(), Service::Result::interrupted);
}

TEST_F(ServiceTest, StopsWhileTheServerIsAway) {
  connection.go_down("gone");
  legs = 0;
  signal();
  turn_and_expect_more();
  EXPECT_EQ(service.turn(), Service::Result::stopped);
  EXPECT_EQ(connection.disconnects, 0);
}

TEST(MediaMailbox, KeepsEveryEventThatEndsOrBeginsSomething) {
  EXPECT_TRUE(may_drop(media::LegQuiet{}));
  EXPECT_TRUE(may_drop(media::LegHeard{}));
  EXPECT_TRUE(may_drop(media::DigitPressed{}));
  EXPECT_FALSE(may_drop(media::LegOpened{}));
  EXPECT_FALSE(may_drop(media::CandidatesGathered{}));
  EXPECT_FALSE(may_drop(media::LegConnected{}));
  EXPECT_FALSE(may_drop(media::LegFailed{}));
  EXPECT_FALSE(may_drop(media::LegClosed{}));
}

}  // namespace
}  // namespace mixer
