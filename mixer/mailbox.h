// mixer/mailbox.h: values from any thread to the signaling thread: many push, one takes, an eventfd
// wakes its poll.
//
// When it is full: a value that `may_drop` (a level, a key pressed: news that the next one
// replaces) is refused and push() says so. Anything else is kept always, for whoever sends it is
// bounded: there are a few per leg (opened, connected, failed, closed) and a few more per ICE
// restart (restarted, gathered, connected again), of which limits::kRestartGap leaves a leg one a
// second; a piece that is played begins and ends once, and its tags come at most once a second; a
// recording tells of losses ten times a second at most. So their number is bounded by the legs,
// pieces and recordings there are, and losing one would leave a participant who is not there.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

#include "media/thread_role.h"

namespace mixer {

template <typename T>
class Mailbox {
 public:
  // At most `droppable` values that may be dropped wait at a time. Throws std::system_error.
  Mailbox(std::size_t droppable, bool (*may_drop)(const T&))
      : droppable_(droppable), may_drop_(may_drop), fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~Mailbox() { close(fd_); }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Any thread. False: full, and the value was dropped. Never blocks but for the lock.
  bool push(T value) {
    const bool droppable = may_drop_(value);
    bool wake = false;
    {
      const media::MutexLock lock(mutex_);
      if (droppable && waiting_droppable_ >= droppable_) {
        ++dropped_;
        return false;
      }
      if (droppable) ++waiting_droppable_;
      wake = values_.empty();
      values_.push_back(std::move(value));
    }
    // Outside the lock, so that the woken thread does not run into it. The reader empties the
    // eventfd before the queue: a push in between costs one wake-up for nothing, never a lost one.
    if (wake) signal();
    return true;
  }

  // Readable when there is something to take.
  int fd() const { return fd_; }

  // The one reader: everything there is, in the order of the pushes.
  std::vector<T> take() {
    std::uint64_t count = 0;
    while (read(fd_, &count, sizeof count) < 0 && errno == EINTR) {
    }
    std::vector<T> values;
    const media::MutexLock lock(mutex_);
    values.swap(values_);
    waiting_droppable_ = 0;
    return values;
  }

  // How many were dropped since the last call.
  std::size_t take_dropped() {
    const media::MutexLock lock(mutex_);
    return std::exchange(dropped_, 0);
  }

 private:
  void signal() const {
    const std::uint64_t one = 1;
    // EAGAIN would mean 2^64 - 1 unread signals, and then it is readable anyway.
    while (write(fd_, &one, sizeof one) < 0 && errno == EINTR) {
    }
  }

  // Constant after construction.
  const std::size_t droppable_;
  bool (*const may_drop_)(const T&);
  const int fd_;

  media::Mutex mutex_;
  std::vector<T> values_ ABSL_GUARDED_BY(mutex_);
  std::size_t waiting_droppable_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace mixer
