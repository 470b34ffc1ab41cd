#include "mixer/event_loop.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/support/fake_clock.h"

namespace mixer {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

class Source : public EventSource {
 public:
  ~Source() override {
    if (fd >= 0) close(fd);
  }
  int poll_fd() const override { return fd; }
  std::optional<TimePoint> deadline() const override { return due; }
  void on_ready(short revents, TimePoint) override {
    calls.push_back(revents);
    if (then) then();
  }

  int fd = -1;
  std::optional<TimePoint> due;
  std::vector<short> calls;
  std::function<void()> then;
};

TEST(EventLoop, PollsNeverEarlySoThatItDoesNotSpin) {
  const TimePoint now{std::chrono::hours(1)};
  EXPECT_EQ(EventLoop::poll_timeout(std::nullopt, now), -1);
  EXPECT_EQ(EventLoop::poll_timeout(now, now), 0);
  EXPECT_EQ(EventLoop::poll_timeout(now - milliseconds(5), now), 0);
  EXPECT_EQ(EventLoop::poll_timeout(now + microseconds(1), now), 1);
  EXPECT_EQ(EventLoop::poll_timeout(now + microseconds(2001), now), 3);
  EXPECT_EQ(EventLoop::poll_timeout(now + std::chrono::hours(24 * 365), now), 2147483647);
}

TEST(EventLoop, ServesAReadySocketAndLeavesAQuietOneAlone) {
  FakeClock clock;
  EventLoop loop(clock);
  Source ready, quiet;
  ready.fd = eventfd(1, EFD_NONBLOCK);
  quiet.fd = eventfd(0, EFD_NONBLOCK);
  loop.add(&quiet);
  loop.add(&ready);
  loop.turn();
  EXPECT_EQ(ready.calls, std::vector<short>{POLLIN});
  EXPECT_TRUE(quiet.calls.empty());
}

TEST(EventLoop, ServesADeadlineWhenItHasComeAndNotBefore) {
  FakeClock clock;
  EventLoop loop(clock);
  Source now, later;
  now.due = clock.now();
  later.due = clock.now() + milliseconds(1);
  loop.add(&now);
  loop.add(&later);
  loop.turn();
  EXPECT_EQ(now.calls, std::vector<short>{0});
  EXPECT_TRUE(later.calls.empty());
  clock.advance(milliseconds(1));
  now.due.reset();
  loop.turn();
  EXPECT_EQ(later.calls, std::vector<short>{0});
}

TEST(EventLoop, ServesADeadlineThatAnEarlierSourceSetInTheSameTurn) {
  FakeClock clock;
  EventLoop loop(clock);
  Source first, second;
  first.due = clock.now();
  first.then = [&] { second.due = clock.now(); };
  loop.add(&first);
  loop.add(&second);
  loop.turn();
  EXPECT_EQ(second.calls.size(), 1U);
}

TEST(EventLoop, TellsASourceOfAHangUp) {
  FakeClock clock;
  EventLoop loop(clock);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  Source source;
  source.fd = ends[0];
  close(ends[1]);
  loop.add(&source);
  loop.turn();
  ASSERT_EQ(source.calls.size(), 1U);
  EXPECT_TRUE(source.calls[0] & POLLHUP);
}

TEST(EventLoop, RunsUntilStopped) {
  FakeClock clock;
  EventLoop loop(clock);
  Source source;
  source.due = clock.now();
  source.then = [&] {
    if (source.calls.size() == 3) loop.stop();
  };
  loop.add(&source);
  loop.run();
  EXPECT_EQ(source.calls.size(), 3U);
}

}  // namespace
}  // namespace mixer
