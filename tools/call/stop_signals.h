// tools/call/stop_signals.h: SIGINT and SIGTERM as an event of the loop. They must be blocked
// (run_program). Signaling thread.
#pragma once

#include <functional>

#include "mixer/event_loop.h"

namespace call {

class StopSignals : public mixer::EventSource {
 public:
  // `ask` begins to end what runs. False: that was asked before, and the process ends at once.
  explicit StopSignals(std::function<bool(mixer::TimePoint)> ask);
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals() override;
  int poll_fd() const override { return fd_; }
  void on_ready(short revents, mixer::TimePoint now) override;

 private:
  const std::function<bool(mixer::TimePoint)> ask_;
  const int fd_;
};

}  // namespace call
