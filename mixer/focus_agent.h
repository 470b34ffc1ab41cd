// mixer/focus_agent.h: the shell around the focus: what happens becomes its events, and its
// commands are carried out in order on the XMPP connection, the media engine and the store. Keeps
// the connection up. While it is down, what calls have to say (a session-terminate, say) is held
// and goes out first when it is up again; presence and documents are dropped: the focus sends them
// anew when it hears of ConnectionUp. Signaling thread.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "mixer/backoff.h"
#include "mixer/clock.h"
#include "mixer/command.h"
#include "mixer/event.h"
#include "mixer/event_loop.h"
#include "mixer/state_store.h"
#include "mixer/thread_role.h"
#include "signaling/xmpp_connection.h"

namespace mixer {

// The focus as the shell sees it (mixer/focus.h), and as a test scripts it.
struct FocusCalls {
  std::function<Commands(const Event&, TimePoint)> handle;
  std::function<std::optional<TimePoint>()> next_deadline;
};

// Stanzas as text (RFC 6120 §8); the stream's namespace is inherited.
std::string to_xml(const Reply& reply);
std::string to_xml(const SendIq& iq);
std::string to_xml(const SendMessage& message);
std::string to_xml(const SendPresence& presence);

class FocusAgent : public jingle::XmppConnection::Observer, public EventSource {
 public:
  struct Parts {  // not owned; all outlive the agent
    FocusCalls focus;
    // The connection is made with the agent as its observer, so it comes by attach().
    media::MediaEngine* engine = nullptr;
    const Clock* clock = nullptr;
    std::function<std::uint64_t()> random;
    std::string server;           // for the log: "127.0.0.1:5347"
    StateStore* store = nullptr;  // nullptr: nothing outlives us
  };
  explicit FocusAgent(Parts parts);

  // Once, before anything else; connects.
  void start(jingle::XmppConnection* connection);
  // Hands an event to the focus and carries out what it wants.
  void handle(const Event& event);
  // Ends every call with a reason. Ends reconnecting.
  void shut_down();
  // After shut_down(): closes the stream when what was queued has left. closed() tells.
  void disconnect();
  bool closed() const;
  // The engine is about to end: commands to it are ignored from here on.
  void forget_engine();

  // XmppConnection::Observer.
  void on_up(const jingle::XmppConnection::Up& up) override;
  void on_down(const jingle::XmppConnection::Down& down) override;
  void on_stanza(jingle::Stanza stanza) override;

  // EventSource: the connection's socket, the focus's deadline, the next try.
  int poll_fd() const override;
  short poll_events() const override;
  std::optional<TimePoint> deadline() const override;
  void on_ready(short revents, TimePoint now) override;

 private:
  enum class State { idle, connecting, up, waiting };

  void connect() ABSL_EXCLUSIVE_LOCKS_REQUIRED(signaling_thread);
  void carry_out(const Commands& commands) ABSL_EXCLUSIVE_LOCKS_REQUIRED(signaling_thread);
  void carry_out(const Reply& reply) ABSL_EXCLUSIVE_LOCKS_REQUIRED(signaling_thread);
  bool send(jingle::Priority priority, std::string xml)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(signaling_thread);
  void report_dropped() ABSL_EXCLUSIVE_LOCKS_REQUIRED(signaling_thread);

  // Constant after start().
  const Parts parts_;
  jingle::XmppConnection* connection_ = nullptr;

  media::MediaEngine* engine_ ABSL_GUARDED_BY(signaling_thread);
  Backoff backoff_ ABSL_GUARDED_BY(signaling_thread);
  State state_ ABSL_GUARDED_BY(signaling_thread) = State::idle;
  bool stopping_ ABSL_GUARDED_BY(signaling_thread) = false;
  TimePoint up_since_ ABSL_GUARDED_BY(signaling_thread);
  std::optional<TimePoint> retry_at_ ABSL_GUARDED_BY(signaling_thread);
  // When the connection wants pump() though its socket says nothing.
  TimePoint pump_at_ ABSL_GUARDED_BY(signaling_thread);
  std::deque<std::string> held_ ABSL_GUARDED_BY(signaling_thread);  // urgent, at most kHeldStanzas
  std::size_t dropped_ ABSL_GUARDED_BY(signaling_thread) = 0;
  TimePoint dropped_reported_ ABSL_GUARDED_BY(signaling_thread);
};

}  // namespace mixer
