#include "tools/call/stop_signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <utility>

namespace call {
namespace {

int open_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

}  // namespace

StopSignals::StopSignals(std::function<bool(mixer::TimePoint)> ask)
    : ask_(std::move(ask)), fd_(open_signals()) {}
StopSignals::~StopSignals() { close(fd_); }

void StopSignals::on_ready(short, mixer::TimePoint now) {
  signalfd_siginfo info;
  if (read(fd_, &info, sizeof info) != sizeof info) return;
  if (!ask_(now)) _exit(128 + static_cast<int>(info.ssi_signo));
}

}  // namespace call
