// signaling/strophe_stream.h: one libstrophe 0.12.2 connection and its context, by RAII: the only
// code that sees <strophe.h>. It may be opened again after it went down only to resume (XEP-0198):
// libstrophe keeps counting an ended session's stanzas into the next one.
//
// Used by one thread at a time; whoever opens it hands it over by ending. Only cut() may be called
// by another thread meanwhile.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "signaling/strophe_connection.h"
#include "signaling/strophe_guard.h"
#include "signaling/strophe_low_fds.h"
#include "signaling/strophe_resolver.h"

namespace jingle {

class StropheStream {
 public:
  enum class State {
    down,     // nothing open; reason() tells why if it was
    opening,  // connecting, TLS, authentication
    up        // stanzas flow both ways
  };

  // Both outlive the stream.
  StropheStream(const StropheConfig& config, LowFds& low_fds);
  ~StropheStream();
  StropheStream(const StropheStream&) = delete;
  StropheStream& operator=(const StropheStream&) = delete;

  // Starts to connect. False: failed at once, see reason(). Requires: down.
  bool open(const Endpoint& endpoint);
  // One round of libstrophe: sends what it may, reads at most 4 KiB. Blocks only for the TLS
  // handshake, while opening.
  void run();
  // Closes the stream politely; goes down when the server has closed it too. Requires: up.
  void close();
  bool closing() const { return closing_; }
  // Ends the TCP connection under libstrophe, which notices in its next round; what blocks in it
  // returns. Any thread.
  void cut();

  State state() const;
  bool resumed() const { return guard_.facts().sm_resumed; }
  // The server has acknowledged something since the stream was opened.
  bool acknowledged() const { return guard_.facts().sm_acked; }
  // The server did not resume the session this was opened for; the object is of no more use.
  bool resumption_refused() const;
  // Once down: opening again may resume the session. Not with half a stanza at the server: Prosody
  // 0.12.3 goes on with the old parser, in the middle of that stanza.
  bool resumable() const;
  // Down for a reason that another address would not change.
  bool refused_by_server() const;
  bool wrong_password() const;
  std::string reason() const;
  std::string bound_jid() const;

  // For poll(); -1 when down. It stays ours while libstrophe opens and closes its own.
  int fd() const { return control_; }
  // Grows as long as rounds read or finish writing something.
  std::uint64_t progress() const { return guard_.chunks() + written_; }

  // Whether anything was given to send() since the stream was opened.
  bool wrote() const { return wrote_; }
  // Whether everything given to send() has been written.
  bool idle() const { return in_flight_.empty(); }
  // One stanza. Requires: up, idle().
  void send(std::string xml);

  std::vector<Xml> stanzas() { return guard_.stanzas(); }
  std::vector<RefusedStanza> refused() { return guard_.refused(); }

 private:
  friend struct StropheHooks;
  class Inside;
  struct Library;  // libstrophe's context and connection

  void on_log(const char* message);
  void on_event(int event, int error);
  bool on_socket(int* socket);
  void close_control();
  void shut_down(int how);
  void allocate_sm_state();

  // Constant after construction.
  const StropheConfig& config_;
  LowFds& low_fds_;

  StropheGuard guard_;
  std::unique_ptr<Library> library_;
  bool open_ = false;       // libstrophe has a socket
  bool logged_in_ = false;  // XMPP_CONN_CONNECT
  bool closing_ = false;    // close()
  bool resuming_ = false;   // there was a session to resume when this connection was opened
  bool had_session_ = false;
  bool wrote_ = false;
  std::string in_flight_;
  std::uint64_t written_ = 0;
  int error_ = 0;           // errno of connecting, or what libstrophe says at the end
  std::string tls_error_;   // why the certificate was not accepted
  std::string last_error_;  // libstrophe's last complaint

  // The socket once more, so that cut() never touches a number that is another's by now. Written
  // by the owner under the mutex, so the owner may read it without.
  std::mutex control_mutex_;
  int control_ = -1;
};

}  // namespace jingle
