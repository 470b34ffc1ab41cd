// mixer/service.h: the daemon at work: the loop over connection, mailbox and signals, and the stop
// sequence: terminate sessions, close legs and tell subscribers, join media, disconnect. Signaling
// thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "media/media_engine.h"
#include "mixer/clock.h"
#include "mixer/event_loop.h"
#include "mixer/focus_agent.h"
#include "mixer/mailbox.h"
#include "mixer/thread_role.h"

namespace mixer {

using MediaMailbox = Mailbox<media::Event>;
// What MediaMailbox refuses when full: LegQuiet, LegHeard, DigitPressed.
bool may_drop(const media::Event& event);

class Service {
 public:
  struct Parts {  // not owned
    const Clock* clock = nullptr;
    FocusAgent* agent = nullptr;
    MediaMailbox* mailbox = nullptr;
    // A signalfd for the signals that stop the daemon, non-blocking.
    int signal_fd = -1;
    std::function<std::size_t()> legs;    // Focus::legs()
    std::function<std::size_t()> untold;  // Focus::farewells() and recordings()
    std::function<void()> join_media;     // destroys the engine; blocks
  };
  explicit Service(Parts parts);
  ~Service();

  enum class Result { stopped, interrupted };
  // Until the first signal, and then until every call is ended and everybody told, media
  // joined, the stream closed; or each step's deadline (shell_limits.h). A second signal in
  // between: interrupted, at once.
  Result run();

  // One turn of the loop; nullopt: go on. For tests.
  std::optional<Result> turn();

 private:
  enum class State { running, closing_legs, closing_stream };
  class Signals;
  class Media;
  void advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(signaling_thread);

  const Parts parts_;
  std::unique_ptr<Signals> signals_;
  std::unique_ptr<Media> media_;

  EventLoop loop_ ABSL_GUARDED_BY(signaling_thread);
  State state_ ABSL_GUARDED_BY(signaling_thread) = State::running;
  std::optional<TimePoint> give_up_at_ ABSL_GUARDED_BY(signaling_thread);
  std::optional<Result> result_ ABSL_GUARDED_BY(signaling_thread);
};

}  // namespace mixer
