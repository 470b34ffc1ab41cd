// mixer/event_loop.h: the signaling thread's poll over a few sources {XMPP socket, mailbox,
// signals} and the next deadline. No threads, no clock of its own.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "mixer/clock.h"
#include "mixer/thread_role.h"

namespace mixer {

// Something to wait for. Called on the signaling thread.
class EventSource {
 public:
  virtual ~EventSource() = default;
  // Asked anew before each poll: sockets come and go. -1: none now.
  virtual int poll_fd() const { return -1; }
  virtual short poll_events() const;  // POLLIN
  // When to be called though the fd says nothing; nullopt: never.
  virtual std::optional<TimePoint> deadline() const { return std::nullopt; }
  // `revents` is 0 when it is the deadline that has come.
  virtual void on_ready(short revents, TimePoint now) = 0;
};

class EventLoop {
 public:
  explicit EventLoop(const Clock& clock) : clock_(clock) {}

  // Served in this order, each at most once a turn. Not owned; must outlive the loop's running.
  void add(EventSource* source);

  // Waits for the next thing, at most until the nearest deadline, and serves all that is due.
  void turn();
  // Turns until stop() is called from within one.
  void run();
  void stop();

  // Milliseconds for poll(2) until `deadline`: never early, which would spin; -1: for ever.
  static int poll_timeout(std::optional<TimePoint> deadline, TimePoint now);

 private:
  const Clock& clock_;
  std::vector<EventSource*> sources_ ABSL_GUARDED_BY(signaling_thread);
  bool stopping_ ABSL_GUARDED_BY(signaling_thread) = false;
};

}  // namespace mixer
