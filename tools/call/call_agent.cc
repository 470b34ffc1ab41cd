#include "tools/call/call_agent.h"

#include <poll.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace call {
namespace {

using namespace std::chrono_literals;

// A server that was restarted is back within seconds, and only this caller asks.
constexpr auto kRetry = 500ms;

}  // namespace

CallAgent::CallAgent(Parts parts)
    : parts_(std::move(parts)),
      caller_(parts_.spec, parts_.start_at),
      connect_at_(parts_.start_at),
      pump_at_(parts_.start_at) {}

void CallAgent::use(std::unique_ptr<jingle::XmppConnection> connection) {
  connection_ = std::move(connection);
}

void CallAgent::handle(const Event& event) {
  const auto now = parts_.clock->now();
  for (const auto& command : caller_.handle(event, now)) carry_out(command);
  // Sending may have made the connection want its pump sooner.
  if (started_) pump_at_ = std::min(pump_at_, now + connection_->poll_timeout());
}

void CallAgent::on_up(const jingle::XmppConnection::Up& up) {
  connected_ = true;
  handle(Online{up.jid});
}

void CallAgent::on_down(const jingle::XmppConnection::Down& down) {
  connected_ = false;
  started_ = false;
  if (connect_at_ || finished()) return;
  // A second failure in a row while a call goes on: the caller need not hear of it again.
  handle(Offline{down.wrong_password ? "not-authorized" : down.reason});
}

void CallAgent::on_stanza(jingle::Stanza stanza) { handle(StanzaReceived{std::move(stanza)}); }

int CallAgent::poll_fd() const { return started_ ? connection_->poll_fd() : -1; }

short CallAgent::poll_events() const { return started_ ? connection_->poll_events() : 0; }

std::optional<TimePoint> CallAgent::deadline() const {
  if (finished()) return std::nullopt;
  auto at = caller_.next_deadline();
  const auto sooner = [&at](TimePoint other) { at = at ? std::min(*at, other) : other; };
  if (connect_at_) sooner(*connect_at_);
  if (started_) sooner(pump_at_);
  return at;
}

void CallAgent::on_ready(short, TimePoint now) {
  if (finished()) return;
  if (connect_at_ && now >= *connect_at_) {
    connect_at_.reset();
    started_ = true;
    connection_->connect();
  }
  if (started_) {
    connection_->pump();
    pump_at_ = now + connection_->poll_timeout();
  }
  if (const auto due = caller_.next_deadline(); due && now >= *due) handle(DeadlinePassed{});
}

void CallAgent::carry_out(const Command& command) {
  if (const auto* send = std::get_if<Send>(&command)) {
    if (connected_) connection_->send(send->priority, send->xml);
  } else if (const auto* open = std::get_if<OpenLeg>(&command)) {
    open_leg(*open);
  } else if (const auto* connect = std::get_if<ConnectLeg>(&command)) {
    parts_.media->connect(parts_.leg, connect->remote);
  } else if (const auto* add = std::get_if<AddRemoteCandidates>(&command)) {
    parts_.media->add_remote_candidates(parts_.leg, add->candidates);
  } else if (const auto* restart = std::get_if<RestartIce>(&command)) {
    restart_ice(*restart);
  } else if (std::get_if<CloseLeg>(&command) != nullptr) {
    parts_.media->close(parts_.leg);
  } else if (const auto* sending = std::get_if<SetSending>(&command)) {
    parts_.media->set_sending(parts_.leg, sending->sending);
  } else if (const auto* press = std::get_if<PressKey>(&command)) {
    parts_.media->press(parts_.leg, press->digit);
  } else if (std::get_if<Reconnect>(&command) != nullptr) {
    connect_at_ = parts_.clock->now() + kRetry;
  } else if (std::get_if<Disconnect>(&command) != nullptr) {
    connection_->disconnect();
    pump_at_ = parts_.clock->now();
  } else if (const auto* tell = std::get_if<Tell>(&command)) {
    parts_.watch(*tell, parts_.clock->now());
  }
}

void CallAgent::restart_ice(const RestartIce& how) {
  try {
    parts_.media->restart_ice(parts_.leg, how);
  } catch (const std::invalid_argument& error) {
    parts_.watch({"ignored", error.what()}, parts_.clock->now());
  }
}

void CallAgent::open_leg(const OpenLeg& how) {
  try {
    parts_.media->open(parts_.leg, how, parts_.record);
  } catch (const std::runtime_error& error) {
    handle(
        media::Event(media::LegFailed{parts_.leg, media::LegFailure::media_error, error.what()}));
  }
}

}  // namespace call
