#include "tools/call/callers.h"

#include <gst/gst.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "mixer/thread_role.h"
#include "signaling/strophe_connection.h"
#include "tools/call/user_command.h"

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

media::LegId leg_of_caller(int number) { return {static_cast<std::uint64_t>(number)}; }

jingle::StropheConfig connection_config(const Options& options, int number) {
  jingle::StropheConfig config;
  config.mode = jingle::StropheConfig::Mode::client;
  config.jid = caller_jid(options, number);
  config.password = options.password;
  config.host = options.host;
  config.port = options.port;
  switch (options.tls) {
    case Tls::verify: config.tls = jingle::StropheConfig::Tls::verify; break;
    case Tls::trust_all: config.tls = jingle::StropheConfig::Tls::trust_all; break;
    case Tls::off: config.tls = jingle::StropheConfig::Tls::off; break;
  }
  return config;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (!(text << file.rdbuf())) throw std::runtime_error("cannot read " + path);
  return text.str();
}

}  // namespace

class Callers::MediaEvents : public mixer::EventSource {
 public:
  explicit MediaEvents(Callers& callers) : callers_(callers) {}
  int poll_fd() const override { return callers_.mailbox_.fd(); }
  void on_ready(short, TimePoint) override {
    for (auto& event : callers_.mailbox_.take()) {
      const auto leg = leg_of(event);
      if (leg) callers_.agents_.at(leg->value - 1)->handle(std::move(event));
    }
  }

 private:
  Callers& callers_;
};

class Callers::StandardInput : public mixer::EventSource {
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
      if (auto command = parse_command(text_.substr(0, end))) {
        callers_.ask(command->caller, std::move(command->asked));
      } else {
        std::cerr << "not understood: " << text_.substr(0, end) << "\n";
      }
      text_.erase(0, end + 1);
    }
  }

 private:
  Callers& callers_;
  std::string text_;
  bool open_ = true;
};

Callers::Callers(const Options& options, bool talkers, Watcher watcher)
    : options_(options),
      watcher_(std::move(watcher)),
      mailbox_(kDroppableEvents, may_drop),
      media_({options.addresses, options.ice_servers, options.play, !options.once, talkers},
             [this](media::Event event) { mailbox_.push(std::move(event)); }),
      loop_(clock_),
      media_events_(std::make_unique<MediaEvents>(*this)),
      signals_([this](TimePoint) {
        if (std::exchange(asked_to_stop_, true)) return false;
        ask(0, {.what = UserAsked::What::hang_up});
        return true;
      }),
      commands_(std::make_unique<StandardInput>(*this)) {
  for (const auto& file : options_.documents) documents_.push_back(read_file(file));
  const auto start = clock_.now();
  for (int number = 1; number <= options_.count; ++number) {
    agents_.push_back(make_agent(number, start + (number - 1) * kBetweenLogins));
  }
}

Callers::~Callers() = default;

void Callers::add(mixer::EventSource* source) {
  mixer::signaling_thread.assert_here();
  loop_.add(source);
}

int Callers::run() {
  mixer::signaling_thread.assert_here();
  loop_.add(media_events_.get());
  loop_.add(&signals_);
  if (options_.commands) loop_.add(commands_.get());
  for (const auto& agent : agents_) loop_.add(agent.get());
  const auto finished = [](const auto& agent) { return agent->finished(); };
  while (!std::all_of(agents_.begin(), agents_.end(), finished)) loop_.turn();
  const auto good = [](const auto& agent) { return agent->report().result == "success"; };
  return std::all_of(agents_.begin(), agents_.end(), good) ? 0 : 1;
}

std::unique_ptr<CallAgent> Callers::make_agent(int number, TimePoint start_at) {
  CallAgent::Parts parts;
  parts.spec.sid = random_sid();
  parts.spec.to = options_.to;
  parts.spec.offer = {options_.rtcp_mux, options_.stereo, options_.fingerprint_lie};
  parts.spec.jmi = options_.jmi;
  parts.spec.answer = options_.answer;
  parts.spec.focus = options_.focus;
  parts.spec.documents = documents_;
  parts.spec.stay = options_.seconds;
  parts.spec.patience = options_.patience;
  parts.leg = leg_of_caller(number);
  parts.record = record_file(options_, number);
  parts.start_at = start_at;
  parts.clock = &clock_;
  parts.media = &media_;
  parts.watch = [this, number, start_at](const Tell& tell, TimePoint now) {
    const std::chrono::duration<double> t = now - start_at;
    watcher_(number, t.count(), now, tell);
  };
  auto agent = std::make_unique<CallAgent>(std::move(parts));
  agent->use(jingle::make_strophe_connection(connection_config(options_, number), *agent));
  return agent;
}

// `caller` 0: all of them.
void Callers::ask(int caller, UserAsked asked) {
  try {
    if (asked.what == UserAsked::What::document) asked.text = read_file(asked.text);
  } catch (const std::runtime_error& error) {
    std::cerr << error.what() << "\n";
    return;
  }
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    if (caller == 0 || caller == static_cast<int>(i) + 1) agents_[i]->handle(asked);
  }
}

Json Callers::reports() const {
  Json::Array reports;
  for (const auto& agent : agents_) reports.push_back(to_json(agent->report()));
  return reports;
}

std::set<std::uint32_t> Callers::talking(int caller) const {
  return media_.talking(leg_of_caller(caller));
}

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

int run_program(Program program, int argc, char** argv,
                const std::function<int(const Options&)>& run) {
  const auto parsed = parse_options(program, argc, argv);
  if (const auto* status = std::get_if<int>(&parsed)) return *status;
  block_signals();
  gst_init(nullptr, nullptr);
  try {
    return run(std::get<Options>(parsed));
  } catch (const std::exception& error) {
    std::cerr << argv[0] << ": " << error.what() << "\n";
    return 1;
  }
}

}  // namespace call
