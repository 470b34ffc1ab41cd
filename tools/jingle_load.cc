// jingle-load: a conference's load test. What it does is tools/load/load.h.
#include <gst/gst.h>
#include <signal.h>
#include <unistd.h>

#include <iostream>
#include <optional>

#include "media/gst/file_limit.h"
#include "tools/load/load.h"
#include "tools/load/progress.h"
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

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = load::parse_options(load::Program::jingle_load, argc, argv);
  if (const auto* status = std::get_if<int>(&parsed)) return *status;
  const auto& options = std::get<load::Options>(parsed);
  block_signals();
  media::gst::raise_file_limit();
  gst_init(nullptr, nullptr);
  try {
    std::cerr << "jingle-load: seed " << options.seed << "\n";
    std::optional<load::ProgressLine> line;
    if (!options.quiet) line.emplace(STDERR_FILENO);
    load::Load load(options, [&line](const load::Progress& progress) {
      if (line) line->show(progress);
    });
    const int status = load.run();
    line.reset();
    const call::Json report = load.report();
    std::cout << (options.json ? report.str() + "\n" : load::summary(report)) << std::flush;
    return status;
  } catch (const std::exception& error) {
    std::cerr << "jingle-load: " << error.what() << "\n";
    return 1;
  }
}
