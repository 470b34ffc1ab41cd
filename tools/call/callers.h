// tools/call/callers.h: all callers of the process on one event loop, with their sound, signals
// and, if asked for, commands on standard input: what jingle-call and coin-watch have in common.
// Signaling thread.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "mixer/clock.h"
#include "mixer/event_loop.h"
#include "mixer/mailbox.h"
#include "tools/call/call_agent.h"
#include "tools/call/options.h"
#include "tools/call/stop_signals.h"

namespace call {

class Callers {
 public:
  // `t`: seconds since that caller (numbers from 1) started.
  using Watcher = std::function<void(int caller, double t, TimePoint clock, const Tell& tell)>;

  // `talkers`: keep account of who talks. Throws std::runtime_error: a file cannot be read,
  // GStreamer lacks something.
  Callers(const Options& options, bool talkers, Watcher watcher);
  ~Callers();
  Callers(const Callers&) = delete;
  Callers& operator=(const Callers&) = delete;

  // Something else to wait for while running; not owned.
  void add(mixer::EventSource* source);
  // Until every call is over. The exit status.
  int run();
  Json reports() const;
  // The contributing sources that `caller` hears just now.
  std::set<std::uint32_t> talking(int caller) const;

 private:
  class MediaEvents;
  class StandardInput;

  std::unique_ptr<CallAgent> make_agent(int number, TimePoint start_at);
  void ask(int caller, UserAsked asked);

  const Options options_;
  const Watcher watcher_;
  const mixer::SteadyClock clock_;
  mixer::Mailbox<media::Event> mailbox_;
  CallMedia media_;
  mixer::EventLoop loop_;
  std::unique_ptr<MediaEvents> media_events_;
  bool asked_to_stop_ = false;
  StopSignals signals_;
  std::unique_ptr<StandardInput> commands_;
  std::vector<std::string> documents_;
  std::vector<std::unique_ptr<CallAgent>> agents_;
};

// A program's main(): options, signals, GStreamer, and what `run` makes of it; its mistakes on
// standard error.
int run_program(Program program, int argc, char** argv,
                const std::function<int(const Options&)>& run);

}  // namespace call
