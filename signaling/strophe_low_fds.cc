#include "signaling/strophe_low_fds.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace jingle {

LowFds::~LowFds() {
  for (int fd : held_) {
    if (fd >= 0) ::close(fd);
  }
}

bool LowFds::refill() {
  for (int& fd : held_) {
    if (fd >= 0) continue;
    const int lowest = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (lowest >= kEnd) {
      ::close(lowest);
    } else {
      fd = lowest;
    }
  }
  return held_[0] >= 0 || held_[1] >= 0;
}

int LowFds::move_down(int socket) {
  int& slot = held_[0] >= 0 ? held_[0] : held_[1];
  if (slot < 0 || ::dup3(socket, slot, O_CLOEXEC) < 0) return -1;
  ::close(socket);
  return std::exchange(slot, -1);
}

}  // namespace jingle
