#include "mixer/focus_agent.h"

#include <algorithm>
#include <utility>

#include "mixer/log.h"
#include "mixer/overloaded.h"
#include "mixer/shell_limits.h"

namespace mixer {
namespace {

using jingle::Priority;

// <name type='' id='' from='' to=''>payload</name>, empty attributes left out.
std::string stanza(const char* name, std::string_view type, std::string_view id,
                   const jingle::Jid& from, const jingle::Jid& to, std::string_view payload) {
  std::string xml = std::string("<") + name;
  const auto attribute = [&xml](const char* key, std::string_view value) {
    if (value.empty()) return;
    xml.append(1, ' ').append(key).append("='").append(jingle::escape(value)).append(1, '\'');
  };
  attribute("type", type);
  attribute("id", id);
  attribute("from", from.str());
  attribute("to", to.str());
  if (payload.empty()) return xml += "/>";
  return xml.append(1, '>').append(payload).append("</").append(name).append(1, '>');
}

std::string jid_text(const jingle::Jid& jid) { return jid.empty() ? std::string() : jid.str(); }

}  // namespace

std::string to_xml(const Reply& reply) {
  if (reply.result) {
    return stanza("iq", "result", reply.id, reply.from, reply.to, *reply.result);
  }
  return stanza("iq", "error", reply.id, reply.from, reply.to, reply.result.error().xml());
}

std::string to_xml(const SendIq& iq) {
  return stanza("iq", iq.is_set ? "set" : "get", iq.id, iq.from, iq.to, iq.payload);
}

std::string to_xml(const SendMessage& message) {
  return stanza("message", message.type, message.id, message.from, message.to, message.payload);
}

std::string to_xml(const SendPresence& presence) {
  return stanza("presence", presence.type, {}, presence.from, presence.to, presence.payload);
}

FocusAgent::FocusAgent(Parts parts)
    : parts_(std::move(parts)), engine_(parts_.engine), backoff_(parts_.random) {}

void FocusAgent::start(jingle::XmppConnection* connection) {
  signaling_thread.assert_here();
  connection_ = connection;
  connect();
}

void FocusAgent::connect() {
  state_ = State::connecting;
  retry_at_.reset();
  pump_at_ = parts_.clock->now();
  write_log(Log::Level::debug, "xmpp=connecting " + field("server", parts_.server));
  connection_->connect();
}

void FocusAgent::handle(const Event& event) {
  signaling_thread.assert_here();
  const TimePoint now = parts_.clock->now();
  carry_out(parts_.focus.handle(event, now));
  // Sending may have made the connection want its pump sooner.
  pump_at_ = std::min(pump_at_, now + connection_->poll_timeout());
}

void FocusAgent::shut_down() {
  signaling_thread.assert_here();
  stopping_ = true;
  retry_at_.reset();
  handle(ShutdownRequested{});
}

void FocusAgent::disconnect() {
  signaling_thread.assert_here();
  if (closed()) return;
  pump_at_ = parts_.clock->now();
  connection_->disconnect();
}

bool FocusAgent::closed() const {
  signaling_thread.assert_here();
  return state_ == State::idle || state_ == State::waiting;
}

void FocusAgent::forget_engine() {
  signaling_thread.assert_here();
  engine_ = nullptr;
}

void FocusAgent::on_up(const jingle::XmppConnection::Up& up) {
  signaling_thread.assert_here();
  report_dropped();
  state_ = State::up;
  up_since_ = parts_.clock->now();
  write_log(Log::Level::info, "xmpp=up " + field("jid", jid_text(up.jid)) + " " +
                                  field("server", parts_.server) +
                                  (up.resumed ? " resumed=yes" : ""));
  for (std::string& xml : std::exchange(held_, {})) send(Priority::urgent, std::move(xml));
  handle(ConnectionUp{up});
}

void FocusAgent::on_down(const jingle::XmppConnection::Down& down) {
  signaling_thread.assert_here();
  const TimePoint now = parts_.clock->now();
  const bool was_up = state_ == State::up;
  // A server that takes us and throws us out at once (a conflict, a shutdown) is still failing.
  if (was_up && now - up_since_ >= limits::kStableStream) backoff_.reset();
  state_ = State::waiting;
  if (was_up) handle(ConnectionDown{});
  if (stopping_) {
    write_log(Log::Level::info, "xmpp=closed " + field("server", parts_.server));
    return;
  }
  const auto wait = backoff_.next(down.wrong_password);
  retry_at_ = now + wait;
  const auto seconds = std::to_string((wait.count() + 500) / 1000);
  const char* what = down.wrong_password ? "component secret or password refused"
                     : was_up            ? "connection to the server lost"
                                         : "server not there";
  write_log(was_up ? Log::Level::warning : Log::Level::error,
            std::string("xmpp=down ") + field("server", parts_.server) + " " +
                field("reason", down.reason) + " " +
                field("text", std::string(what) + ", retry in " + seconds + " s"));
}

void FocusAgent::on_stanza(jingle::Stanza stanza) {
  signaling_thread.assert_here();
  std::visit(
      Overloaded{
          [this](jingle::Iq& iq) {
            const bool request =
                iq.type == jingle::Iq::Type::get || iq.type == jingle::Iq::Type::set;
            handle(request ? Event(IqReceived{std::move(iq)}) : Event(IqAnswered{std::move(iq)}));
          },
          [this](jingle::Message& message) { handle(MessageReceived{std::move(message)}); },
          [this](jingle::Presence& presence) { handle(PresenceReceived{std::move(presence)}); },
      },
      stanza);
}

int FocusAgent::poll_fd() const { return closed() ? -1 : connection_->poll_fd(); }

short FocusAgent::poll_events() const { return closed() ? short{0} : connection_->poll_events(); }

std::optional<TimePoint> FocusAgent::deadline() const {
  signaling_thread.assert_here();
  std::optional<TimePoint> next = parts_.focus.next_deadline();
  const auto also = [&next](TimePoint other) { next = next ? std::min(*next, other) : other; };
  if (retry_at_) also(*retry_at_);
  if (!closed()) also(pump_at_);
  return next;
}

void FocusAgent::on_ready(short revents, TimePoint now) {
  signaling_thread.assert_here();
  if (!closed() && (revents != 0 || pump_at_ <= now)) {
    connection_->pump();
    pump_at_ = now + connection_->poll_timeout();
  }
  if (retry_at_ && *retry_at_ <= now) connect();
  const auto due = parts_.focus.next_deadline();
  if (due && *due <= now) handle(DeadlinePassed{});
}

void FocusAgent::carry_out(const Commands& commands) {
  for (const Command& command : commands) {
    std::visit(
        Overloaded{
            [this](const Reply& reply) {
              signaling_thread.assert_here();
              carry_out(reply);
            },
            [this](const SendIq& iq) {
              signaling_thread.assert_here();
              send(iq.priority, to_xml(iq));
            },
            // Messages are mostly Jingle Message Initiation, which has seconds to be answered.
            [this](const SendMessage& message) {
              signaling_thread.assert_here();
              send(Priority::urgent, to_xml(message));
            },
            [this](const SendPresence& presence) {
              signaling_thread.assert_here();
              send(presence.priority, to_xml(presence));
            },
            [this](const SetIceServers& set) {
              signaling_thread.assert_here();
              if (engine_) engine_->set_ice_servers(set.servers);
            },
            [this](const OpenLeg& open) {
              signaling_thread.assert_here();
              if (engine_) engine_->open_leg(open.spec);
            },
            [this](const ConnectLeg& connect) {
              signaling_thread.assert_here();
              if (engine_) engine_->connect_leg(connect.leg, connect.remote);
            },
            [this](const AddRemoteCandidates& add) {
              signaling_thread.assert_here();
              if (engine_) engine_->add_remote_candidates(add.leg, add.candidates);
            },
            [this](const RestartIce& restart) {
              signaling_thread.assert_here();
              if (engine_) engine_->restart_ice(restart.leg, restart.remote);
            },
            [this](const CloseLeg& close) {
              signaling_thread.assert_here();
              if (engine_) engine_->close_leg(close.leg);
            },
            [this](const SetMixPlan& set) {
              signaling_thread.assert_here();
              if (engine_) engine_->set_mix_plan(set.room, set.plan);
            },
            [this](const Play& play) {
              signaling_thread.assert_here();
              if (engine_) engine_->play(play.spec);
            },
            [this](const PausePlay& pause) {
              signaling_thread.assert_here();
              if (engine_) engine_->pause_play(pause.play, pause.on);
            },
            [this](const SeekPlay& seek) {
              signaling_thread.assert_here();
              if (engine_) engine_->seek_play(seek.play, seek.to);
            },
            [this](const StopPlay& stop) {
              signaling_thread.assert_here();
              if (engine_) engine_->stop_play(stop.play);
            },
            [this](const PrepareRecord& prepare) {
              signaling_thread.assert_here();
              if (engine_) engine_->prepare_record(prepare.spec);
            },
            [this](const Record& record) {
              signaling_thread.assert_here();
              if (engine_) engine_->record(record.record);
            },
            [this](const StopRecord& stop) {
              signaling_thread.assert_here();
              if (engine_) engine_->stop_record(stop.record);
            },
            [this](const SaveSubscription& save) {
              if (parts_.store) parts_.store->save(save.row);
            },
            [this](const ForgetSubscription& forget) {
              if (parts_.store) parts_.store->forget(forget.room, forget.contact);
            },
            [this](const SaveNodeSubscription& save) {
              if (parts_.store) parts_.store->save(save.row);
            },
            [this](const SavePublished& save) {
              if (parts_.store) parts_.store->save(save.row);
            },
            [this](const ForgetPublished& forget) {
              if (parts_.store) parts_.store->forget(forget.by, forget.node);
            },
            [](const Log& log) { write_log(log.level, log.text); },
        },
        command);
  }
}

void FocusAgent::carry_out(const Reply& reply) {
  if (send(reply.priority, to_xml(reply))) return;
  if (!reply.result && reply.priority == Priority::urgent) return;
  // It is too large, or there is no room for what is not urgent: the asker still gets an answer
  // (RFC 6120 §8.2.3).
  const auto error = reply.result ? jingle::resource_constraint() : reply.result.error();
  const Reply refusal{reply.from, reply.to, reply.id, tl::unexpected(error)};
  send(Priority::urgent, to_xml(refusal));
}

bool FocusAgent::send(Priority priority, std::string xml) {
  if (state_ != State::up && priority == Priority::urgent && !stopping_ &&
      held_.size() < limits::kHeldStanzas) {
    held_.push_back(std::move(xml));
    return true;
  }
  if (state_ == State::up && connection_->send(priority, std::move(xml))) return true;
  ++dropped_;
  // Down is reported once, when it is up again; an overflow while up at most every ten seconds.
  if (state_ == State::up && parts_.clock->now() - dropped_reported_ >= limits::kDropReport) {
    report_dropped();
  }
  return false;
}

void FocusAgent::report_dropped() {
  dropped_reported_ = parts_.clock->now();
  if (dropped_ == 0) return;
  write_log(Log::Level::warning, "xmpp=dropped " + field("stanzas", std::to_string(dropped_)));
  dropped_ = 0;
}

}  // namespace mixer
