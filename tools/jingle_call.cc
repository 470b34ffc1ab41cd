// jingle-call: headless Jingle callers on the project's own signaling and media. Builds and wires;
// what a caller does is tools/call/caller.h.
#include <gst/gst.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <random>
#include <sstream>
#include <vector>

#include "mixer/clock.h"
#include "mixer/event_loop.h"
#include "mixer/mailbox.h"
#include "mixer/thread_role.h"
#include "signaling/strophe_connection.h"
#include "tools/call/call_agent.h"
#include "tools/call/options.h"
#include "tools/call/user_command.h"
#include "tools/call/watch.h"

namespace call {
namespace {

using namespace std::chrono_literals;

// Fifty callers that log in at once would be a flood; each takes about this long.
constexpr auto kBetweenLogins = 20ms;
constexpr std::size_t kDroppableEvents = 4096;

std::string random_sid() {
  std::random_device device;
  std::ostringstream text;
  for (int i = 0; i < 4; ++i) text << std::hex << device();
  return text.str();
}

bool may_drop(const media::Event& event) {
  return std::holds_alternative<media::LegQuiet>(event) ||
         std::holds_alternative<media::LegHeard>(event);
}

template <class E>
media::LegId leg_of(const E& event) {
  return event.leg;
}

class Callers {
 public:
  explicit Callers(const Options& options)
      : options_(options),
        mailbox_(kDroppableEvents, may_drop),
        media_({options.addresses, options.play, !options.once},
               [this](media::Event event) { mailbox_.push(std::move(event)); }),
        loop_(clock_),
        media_events_(*this),
        signals_(*this),
        commands_(*this) {
    const auto start = clock_.now();
    for (int number = 1; number <= options_.count; ++number) {
      agents_.push_back(make_agent(number, start + (number - 1) * kBetweenLogins));
    }
  }

  // The exit status.
  int run() {
    mixer::signaling_thread.assert_here();
    loop_.add(&media_events_);
    loop_.add(&signals_);
    if (options_.commands) loop_.add(&commands_);
    for (const auto& agent : agents_) loop_.add(agent.get());
    while (!all([](const CallAgent& agent) { return agent.finished(); })) loop_.turn();
    if (options_.json) print_reports();
    return all([](const CallAgent& agent) { return agent.report().result == "success"; }) ? 0 : 1;
  }

 private:
  class MediaEvents : public mixer::EventSource {
   public:
    explicit MediaEvents(Callers& callers) : callers_(callers) {}
    int poll_fd() const override { return callers_.mailbox_.fd(); }
    void on_ready(short, TimePoint) override {
      for (auto& event : callers_.mailbox_.take()) {
        const auto leg = std::visit([](const auto& each) { return leg_of(each); }, event);
        callers_.agents_.at(leg.value - 1)->handle(std::move(event));
      }
    }

   private:
    Callers& callers_;
  };

  // SIGINT and SIGTERM hang up; a second one ends at once.
  class Signals : public mixer::EventSource {
   public:
    explicit Signals(Callers& callers) : callers_(callers) {
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, SIGINT);
      sigaddset(&set, SIGTERM);
      fd_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    }
    ~Signals() override { close(fd_); }
    int poll_fd() const override { return fd_; }
    void on_ready(short, TimePoint) override {
      signalfd_siginfo info;
      if (read(fd_, &info, sizeof info) != sizeof info) return;
      if (asked_) _exit(128 + static_cast<int>(info.ssi_signo));
      asked_ = true;
      callers_.ask(0, {UserAsked::What::hang_up});
    }

   private:
    Callers& callers_;
    int fd_ = -1;
    bool asked_ = false;
  };

  class StandardInput : public mixer::EventSource {
   public:
    explicit StandardInput(Callers& callers) : callers_(callers) {}
    int poll_fd() const override { return open_ ? STDIN_FILENO : -1; }
    void on_ready(short, TimePoint) override {
      char bytes[512];
      const auto n = read(STDIN_FILENO, bytes, sizeof bytes);
      if (n <= 0) {
        open_ = false;
        return;
      }
      text_.append(bytes, static_cast<std::size_t>(n));
      for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
        if (const auto command = parse_command(text_.substr(0, end))) {
          callers_.ask(command->caller, command->asked);
        } else {
          std::cerr << "jingle-call: not understood: " << text_.substr(0, end) << "\n";
        }
        text_.erase(0, end + 1);
      }
    }

   private:
    Callers& callers_;
    std::string text_;
    bool open_ = true;
  };

  std::unique_ptr<CallAgent> make_agent(int number, TimePoint start_at) {
    CallAgent::Parts parts;
    parts.spec.sid = random_sid();
    parts.spec.to = options_.to;
    parts.spec.offer = {options_.rtcp_mux, options_.fingerprint_lie};
    parts.spec.jmi = options_.jmi;
    parts.spec.stay = options_.seconds;
    parts.spec.patience = options_.patience;
    parts.leg = media::LegId{static_cast<std::uint64_t>(number)};
    parts.record = record_file(options_, number);
    parts.start_at = start_at;
    parts.clock = &clock_;
    parts.media = &media_;
    parts.watch = [this, number, start_at](const Tell& tell, TimePoint now) {
      const std::chrono::duration<double> t = now - start_at;
      if (options_.events) {
        print_line(event_line(number, t.count(), now, tell));
      } else if (!options_.json) {
        if (const auto text = event_text(number, t.count(), tell)) print_line(*text);
      }
    };
    auto agent = std::make_unique<CallAgent>(std::move(parts));
    agent->use(jingle::make_strophe_connection(connection_config(number), *agent));
    return agent;
  }

  jingle::StropheConfig connection_config(int number) const {
    jingle::StropheConfig config;
    config.mode = jingle::StropheConfig::Mode::client;
    config.jid = caller_jid(options_, number);
    config.password = options_.password;
    config.host = options_.host;
    config.port = options_.port;
    switch (options_.tls) {
      case Tls::verify: config.tls = jingle::StropheConfig::Tls::verify; break;
      case Tls::trust_all: config.tls = jingle::StropheConfig::Tls::trust_all; break;
      case Tls::off: config.tls = jingle::StropheConfig::Tls::off; break;
    }
    return config;
  }

  // `caller` 0: all of them.
  void ask(int caller, const UserAsked& asked) {
    for (std::size_t i = 0; i < agents_.size(); ++i) {
      if (caller == 0 || caller == static_cast<int>(i) + 1) agents_[i]->handle(asked);
    }
  }

  template <class Test>
  bool all(Test test) const {
    return std::all_of(agents_.begin(), agents_.end(),
                       [&](const auto& agent) { return test(*agent); });
  }

  void print_reports() const {
    Json::Array reports;
    for (const auto& agent : agents_) reports.push_back(to_json(agent->report()));
    print_line(Json(std::move(reports)).str());
  }

  static void print_line(const std::string& line) { std::cout << line << std::endl; }

  const Options options_;
  const mixer::SteadyClock clock_;
  mixer::Mailbox<media::Event> mailbox_;
  CallMedia media_;
  mixer::EventLoop loop_;
  MediaEvents media_events_;
  Signals signals_;
  StandardInput commands_;
  std::vector<std::unique_ptr<CallAgent>> agents_;
};

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
}  // namespace call

int main(int argc, char** argv) {
  const auto parsed = call::parse_options(argc, argv);
  if (const auto* status = std::get_if<int>(&parsed)) return *status;
  call::block_signals();
  gst_init(nullptr, nullptr);
  try {
    return call::Callers(std::get<call::Options>(parsed)).run();
  } catch (const std::exception& error) {
    std::cerr << "jingle-call: " << error.what() << "\n";
    return 1;
  }
}
