// tools/call/call_agent.h: the shell around one Caller: what happens on its XMPP connection and its
// leg becomes the caller's events, and its commands are carried out. Signaling thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "mixer/event_loop.h"
#include "signaling/xmpp_connection.h"
#include "tools/call/call_media.h"
#include "tools/call/caller.h"

namespace call {

class CallAgent : public jingle::XmppConnection::Observer, public mixer::EventSource {
 public:
  using Watcher = std::function<void(const Tell&, TimePoint now)>;

  struct Parts {  // clock and media outlive the agent
    CallerSpec spec;
    media::LegId leg;
    std::string record;  // empty: nothing is recorded
    TimePoint start_at;  // when to log in
    const mixer::Clock* clock = nullptr;
    CallMedia* media = nullptr;
    Watcher watch;
  };
  explicit CallAgent(Parts parts);

  // Once, before anything else.
  void use(std::unique_ptr<jingle::XmppConnection> connection);
  void handle(const Event& event);
  bool finished() const { return caller_.finished(); }
  const Report& report() const { return caller_.report(); }

  // XmppConnection::Observer.
  void on_up(const jingle::XmppConnection::Up& up) override;
  void on_down(const jingle::XmppConnection::Down& down) override;
  void on_stanza(jingle::Stanza stanza) override;

  // EventSource: the connection's socket, the caller's deadline, the next try.
  int poll_fd() const override;
  short poll_events() const override;
  std::optional<TimePoint> deadline() const override;
  void on_ready(short revents, TimePoint now) override;

 private:
  void carry_out(const Command& command);
  void restart_ice(const RestartIce& how);
  void open_leg(const OpenLeg& how);

  // Constant after use().
  const Parts parts_;
  std::unique_ptr<jingle::XmppConnection> connection_;

  Caller caller_;
  bool connected_ = false;
  bool started_ = false;
  std::optional<TimePoint> connect_at_;
  TimePoint pump_at_;  // the connection's own timers
};

}  // namespace call
