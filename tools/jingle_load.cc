// jingle-load: a conference's load test. What it does is tools/load/load.h.
#include <gst/gst.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "mixer/thread_role.h"
#include "tools/load/load.h"
#include "tools/load/summary.h"

namespace {

// Before the first thread, so that none of them takes these signals.
void block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

// On a terminal one line that changes; else a line every ten seconds.
void show(const load::Load::Progress& progress) {
  static const bool terminal = isatty(STDERR_FILENO) != 0;
  static int second = 0;
  if (!terminal && second++ % 10 != 0) return;
  std::fprintf(stderr,
               "%s%6.0f s  %-10s %zu called, %zu connected, %zu over; at least %lu packets/s to a "
               "listener; %lu documents%s",
               terminal ? "\r\033[K" : "", progress.t, progress.phase, progress.calling,
               progress.connected, progress.over,
               static_cast<unsigned long>(progress.least_received),
               static_cast<unsigned long>(progress.documents), terminal ? "" : "\n");
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = load::parse_options(load::Program::jingle_load, argc, argv);
  if (const auto* status = std::get_if<int>(&parsed)) return *status;
  const auto& options = std::get<load::Options>(parsed);
  block_signals();
  gst_init(nullptr, nullptr);
  try {
    std::cerr << "jingle-load: seed " << options.seed << "\n";
    load::Load load(options, [&options](const load::Load::Progress& progress) {
      if (!options.quiet) show(progress);
    });
    const int status = load.run();
    if (!options.quiet && isatty(STDERR_FILENO) != 0) std::cerr << "\n";
    const call::Json report = load.report();
    std::cout << (options.json ? report.str() + "\n" : load::summary(report)) << std::flush;
    return status;
  } catch (const std::exception& error) {
    std::cerr << "jingle-load: " << error.what() << "\n";
    return 1;
  }
}
