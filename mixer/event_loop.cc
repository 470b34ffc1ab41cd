#include "mixer/event_loop.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>

namespace mixer {

short EventSource::poll_events() const { return POLLIN; }

void EventLoop::add(EventSource* source) {
  signaling_thread.assert_here();
  sources_.push_back(source);
}

int EventLoop::poll_timeout(std::optional<TimePoint> deadline, TimePoint now) {
  if (!deadline) return -1;
  if (*deadline <= now) return 0;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*deadline - now).count();
  return static_cast<int>(std::min<std::int64_t>(wait, std::numeric_limits<int>::max()));
}

void EventLoop::turn() {
  signaling_thread.assert_here();
  std::vector<pollfd> fds;
  std::optional<TimePoint> next;
  for (const EventSource* source : sources_) {
    fds.push_back({source->poll_fd(), source->poll_events(), 0});  // poll skips negative fds
    const auto deadline = source->deadline();
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  const int ready = poll(fds.data(), fds.size(), poll_timeout(next, clock_.now()));
  if (ready < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");

  const TimePoint now = clock_.now();
  for (std::size_t i = 0; i < fds.size(); ++i) {
    const short revents = ready > 0 ? fds[i].revents : short{0};
    // An earlier source of this turn may have moved or met the deadline: ask again.
    const auto deadline = sources_[i]->deadline();
    if (revents != 0 || (deadline && *deadline <= now)) sources_[i]->on_ready(revents, now);
  }
}

void EventLoop::run() {
  signaling_thread.assert_here();
  stopping_ = false;
  while (!stopping_) turn();
}

void EventLoop::stop() {
  signaling_thread.assert_here();
  stopping_ = true;
}

}  // namespace mixer
