// jingle-call: headless Jingle callers on the project's own signaling and media. What a caller does
// is tools/call/caller.h.
#include <iostream>

#include "tools/call/callers.h"
#include "tools/call/watch.h"

namespace {

int run(const call::Options& options) {
  const auto print_line = [](const std::string& line) { std::cout << line << std::endl; };
  call::Callers callers(options, false,
                        [&](int caller, double t, call::TimePoint clock, const call::Tell& tell) {
                          if (options.events) {
                            print_line(call::event_line(caller, t, clock, tell));
                          } else if (!options.json) {
                            if (const auto text = call::event_text(caller, t, tell))
                              print_line(*text);
                          }
                        });
  const int status = callers.run();
  if (options.json) print_line(callers.reports().str());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  return call::run_program(call::Program::jingle_call, argc, argv, run);
}
