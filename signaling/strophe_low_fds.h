// signaling/strophe_low_fds.h: file descriptors that select() can watch. libstrophe 0.12.2 aborts
// on one of FD_SETSIZE (1,024) or more, and a room full of callers uses up the low ones.
#pragma once

#include <sys/select.h>

namespace jingle {

// Holds two while it can: one for the connection, and one more because libstrophe closes the
// socket before it says so, and another thread may be quicker to take that number. One thread at a
// time.
class LowFds {
 public:
  static constexpr int kEnd = FD_SETSIZE;

  LowFds() { refill(); }
  ~LowFds();
  LowFds(const LowFds&) = delete;
  LowFds& operator=(const LowFds&) = delete;

  // Tries to hold two again; false when there is none at all.
  bool refill();
  // Moves `socket` to a held number, close-on-exec, and returns it; -1 and `socket` untouched when
  // there is none.
  int move_down(int socket);

 private:
  int held_[2] = {-1, -1};
};

}  // namespace jingle
