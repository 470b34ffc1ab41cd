#include "mixer/service.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <variant>

#include "mixer/log.h"
#include "mixer/shell_limits.h"

namespace mixer {

bool may_drop(const media::Event& event) {
  return std::holds_alternative<media::LegQuiet>(event) ||
         std::holds_alternative<media::LegHeard>(event) ||
         std::holds_alternative<media::DigitPressed>(event);
}

// Signals, and the deadline of the step that they began.
class Service::Signals : public EventSource {
 public:
  explicit Signals(Service& service) : service_(service) {}
  int poll_fd() const override { return service_.parts_.signal_fd; }
  std::optional<TimePoint> deadline() const override {
    signaling_thread.assert_here();
    return service_.give_up_at_;
  }
  void on_ready(short revents, TimePoint now) override {
    signaling_thread.assert_here();
    signalfd_siginfo info;
    while (revents != 0 && read(poll_fd(), &info, sizeof info) == sizeof info) {
      if (service_.state_ != State::running) {
        service_.result_ = Result::interrupted;
        return;
      }
      write_log(Log::Level::info, "service=stopping " +
                                      field("signal", std::to_string(info.ssi_signo)) + " " +
                                      field("legs", std::to_string(service_.parts_.legs())));
      service_.state_ = State::closing_legs;
      service_.give_up_at_ = now + limits::kCloseLegs;
      service_.parts_.agent->shut_down();
    }
  }

 private:
  Service& service_;
};

class Service::Media : public EventSource {
 public:
  explicit Media(const Parts& parts) : parts_(parts) {}
  int poll_fd() const override { return parts_.mailbox->fd(); }
  void on_ready(short, TimePoint) override {
    for (const media::Event& event : parts_.mailbox->take()) parts_.agent->handle(event);
    if (const std::size_t dropped = parts_.mailbox->take_dropped()) {
      write_log(Log::Level::warning, "media=dropped " + field("events", std::to_string(dropped)));
    }
  }

 private:
  const Parts& parts_;
};

Service::Service(Parts parts)
    : parts_(std::move(parts)),
      signals_(std::make_unique<Signals>(*this)),
      media_(std::make_unique<Media>(parts_)),
      loop_(*parts_.clock) {
  signaling_thread.assert_here();
  loop_.add(signals_.get());
  loop_.add(media_.get());  // before the connection: news of legs is older than what is on the wire
  loop_.add(parts_.agent);
}

Service::~Service() = default;

void Service::advance() {
  const bool given_up = give_up_at_ && *give_up_at_ <= parts_.clock->now();
  const auto left = [this] { return std::pair(parts_.legs(), parts_.untold()); };
  if (state_ == State::closing_legs &&
      (given_up || left() == std::pair<std::size_t, std::size_t>())) {
    if (const auto [legs, untold] = left(); legs + untold != 0) {
      write_log(Log::Level::warning, "service=stopping " +
                                         field("legs-left", std::to_string(legs)) + " " +
                                         field("untold", std::to_string(untold)));
    }
    parts_.agent->forget_engine();
    parts_.join_media();
    parts_.agent->disconnect();
    state_ = State::closing_stream;
    give_up_at_ = parts_.clock->now() + limits::kCloseStream;
  } else if (state_ == State::closing_stream && (given_up || parts_.agent->closed())) {
    result_ = Result::stopped;
  }
}

std::optional<Service::Result> Service::turn() {
  signaling_thread.assert_here();
  advance();  // a stream that is closed already is not waited for
  if (!result_) loop_.turn();
  if (!result_) advance();
  return result_;
}

Service::Result Service::run() {
  while (true) {
    if (const auto result = turn()) return *result;
  }
}

}  // namespace mixer
