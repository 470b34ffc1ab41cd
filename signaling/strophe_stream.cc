#include "signaling/strophe_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <strophe.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>
#include <utility>

namespace jingle {
namespace {

thread_local StropheStream* current_stream = nullptr;

constexpr std::string_view kSent = "SENT: ";
constexpr std::string_view kConnectFailed = "connection failed, error ";

// libstrophe writes without MSG_NOSIGNAL. A SIGPIPE of its making goes nowhere, whatever the
// process does with the signal.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE);
    ::sigemptyset(&sigpipe_);
    ::sigaddset(&sigpipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~NoSigpipe() {
    if (!was_pending_) {
      const timespec now{0, 0};
      while (::sigtimedwait(&sigpipe_, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t sigpipe_, before_;
  bool was_pending_;
};

// parser_expat.c remembers the first context of the process and asks it for memory ever after, so
// that one lives for ever.
void initialise_library() {
  static const bool once = [] {
    xmpp_initialize();
    static xmpp_ctx_t* const first = xmpp_ctx_new(nullptr, nullptr);
    xmpp_conn_release(xmpp_conn_new(first));
    return true;
  }();
  (void)once;
}

std::string error_text(int error) {
  char buffer[128];
  return ::strerror_r(error, buffer, sizeof buffer);
}

}  // namespace

struct StropheStream::Library {
  xmpp_log_t log;
  xmpp_ctx_t* context = nullptr;
  xmpp_conn_t* connection = nullptr;
};

// Around every call into libstrophe.
class StropheStream::Inside {
 public:
  explicit Inside(StropheStream& stream)
      : scope_(stream.guard_), outer_(std::exchange(current_stream, &stream)) {}
  ~Inside() { current_stream = outer_; }

 private:
  NoSigpipe no_sigpipe_;
  StropheGuard::Scope scope_;
  StropheStream* outer_;
};

// What libstrophe calls back.
struct StropheHooks {
  static void log(void* stream, xmpp_log_level_t level, const char*, const char* text) noexcept {
    static_cast<StropheStream*>(stream)->on_log(text);
    if (level >= XMPP_LEVEL_WARN) static_cast<StropheStream*>(stream)->last_error_ = text;
  }
  static void event(xmpp_conn_t*, xmpp_conn_event_t event, int error, xmpp_stream_error_t*,
                    void* stream) noexcept {
    static_cast<StropheStream*>(stream)->on_event(event, error);
  }
  static int socket(xmpp_conn_t* connection, void* socket) noexcept {
    if (!current_stream->on_socket(static_cast<int*>(socket))) return -1;
    return xmpp_sockopt_cb_keepalive(connection, socket);
  }
  static int refuse_socket(xmpp_conn_t*, void*) noexcept { return -1; }
  static int certificate(const xmpp_tlscert_t*, const char* why) noexcept {
    current_stream->tls_error_ = why;
    return 0;
  }
};

StropheStream::StropheStream(const StropheConfig& config, LowFds& low_fds)
    : config_(config),
      low_fds_(low_fds),
      // Without the latter libstrophe waits up to a second for the peer's TLS good-bye.
      guard_([this] { shut_down(SHUT_RD); }),
      library_(std::make_unique<Library>()) {
  initialise_library();
  Inside inside(*this);
  library_->log = {StropheHooks::log, this};
  library_->context = xmpp_ctx_new(nullptr, &library_->log);
  if (config_.mode == StropheConfig::Mode::component) allocate_sm_state();
  xmpp_conn_t*& connection = library_->connection;
  if (!connection) connection = xmpp_conn_new(library_->context);
  if (!guard_.installed()) {
    std::fputs("strophe_guard.cc does not stand between libstrophe and expat\n", stderr);
    std::abort();
  }
  xmpp_conn_set_jid(connection, config_.jid.str().c_str());
  xmpp_conn_set_pass(connection, config_.password.c_str());
  xmpp_conn_set_sockopt_callback(connection, StropheHooks::socket);
  xmpp_conn_set_certfail_handler(connection, StropheHooks::certificate);
  long flags = XMPP_CONN_FLAG_MANDATORY_TLS;
  if (config_.tls == StropheConfig::Tls::trust_all) flags |= XMPP_CONN_FLAG_TRUST_TLS;
  if (config_.tls == StropheConfig::Tls::off) flags = XMPP_CONN_FLAG_DISABLE_TLS;
  if (config_.mode == StropheConfig::Mode::client) xmpp_conn_set_flags(connection, flags);
}

// libstrophe reads its XEP-0198 state at every stanza, but xmpp_connect_component() allocates none
// and crashes. A client connection that gets no further than its socket does.
void StropheStream::allocate_sm_state() {
  xmpp_conn_t* const donor = xmpp_conn_new(library_->context);
  xmpp_conn_set_jid(donor, "donor@localhost");
  xmpp_conn_set_sockopt_callback(donor, StropheHooks::refuse_socket);
  xmpp_connect_client(donor, "127.0.0.1", 1, StropheHooks::event, this);
  xmpp_sm_state_t* const state = xmpp_conn_get_sm_state(donor);
  xmpp_conn_release(donor);
  library_->connection = xmpp_conn_new(library_->context);
  xmpp_conn_set_sm_state(library_->connection, state);
}

StropheStream::~StropheStream() {
  cut();  // else libstrophe waits up to a second for the peer's close_notify
  {
    Inside inside(*this);
    xmpp_conn_release(library_->connection);
    xmpp_ctx_free(library_->context);
  }
  close_control();
}

bool StropheStream::open(const Endpoint& endpoint) {
  Inside inside(*this);
  resuming_ = had_session_;
  guard_.reset();
  logged_in_ = wrote_ = false;
  in_flight_.clear();
  error_ = 0;
  tls_error_.clear();
  last_error_.clear();
  if (!low_fds_.refill()) {
    last_error_ = "no file descriptor below 1024 is left";
    return false;
  }
  errno = 0;
  const char* const address = endpoint.address.c_str();
  const int result = config_.mode == StropheConfig::Mode::component
                         ? xmpp_connect_component(library_->connection, address, endpoint.port,
                                                  StropheHooks::event, this)
                         : xmpp_connect_client(library_->connection, address, endpoint.port,
                                               StropheHooks::event, this);
  open_ = result == XMPP_EOK;
  if (!open_) {
    error_ = errno ? errno : ENETUNREACH;
    close_control();
  }
  return open_;
}

void StropheStream::run() {
  if (!open_) return;
  Inside inside(*this);
  xmpp_run_once(library_->context, 0);
  // libstrophe would go on reading after a parse error.
  if (open_ && !guard_.facts().fatal.empty()) cut();
  if (state() == State::up && !closing_) had_session_ = guard_.facts().sm_resumable || resumed();
}

void StropheStream::close() {
  Inside inside(*this);
  closing_ = true;
  had_session_ = false;
  xmpp_disconnect(library_->connection);
}

void StropheStream::cut() { shut_down(SHUT_RDWR); }

void StropheStream::shut_down(int how) {
  const std::lock_guard lock(control_mutex_);
  if (control_ >= 0) ::shutdown(control_, how);
}

void StropheStream::close_control() {
  const std::lock_guard lock(control_mutex_);
  if (control_ >= 0) ::close(std::exchange(control_, -1));
}

StropheStream::State StropheStream::state() const {
  if (!open_) return State::down;
  // Stanzas sent between <enable/> and <enabled/> count for the server and not for libstrophe, and
  // after a resumption others would be taken for acknowledged: not up before the answer.
  const StreamFacts& facts = guard_.facts();
  const bool settled = !facts.sm_offered || facts.sm_answered || facts.sm_resumed;
  return logged_in_ && settled ? State::up : State::opening;
}

bool StropheStream::resumption_refused() const {
  return resuming_ && !resumed() && (logged_in_ || guard_.facts().sm_answered);
}

bool StropheStream::resumable() const {
  return had_session_ && idle() && !guard_.facts().closed && guard_.facts().stream_error.empty();
}

bool StropheStream::refused_by_server() const {
  const StreamFacts& facts = guard_.facts();
  return !facts.stream_error.empty() || !facts.sasl_failure.empty();
}

bool StropheStream::wrong_password() const {
  const StreamFacts& facts = guard_.facts();
  return facts.stream_error == "not-authorized" || facts.sasl_failure == "not-authorized" ||
         facts.sasl_failure == "account-disabled" || facts.sasl_failure == "credentials-expired";
}

std::string StropheStream::reason() const {
  const StreamFacts& facts = guard_.facts();
  if (!facts.stream_error.empty()) {
    return facts.stream_error +
           (facts.stream_error_text.empty() ? "" : " (" + facts.stream_error_text + ")");
  }
  if (!facts.sasl_failure.empty()) return facts.sasl_failure;
  if (!tls_error_.empty()) return "certificate not accepted: " + tls_error_;
  if (!facts.fatal.empty()) return facts.fatal;
  if (!last_error_.empty()) return last_error_;
  if (facts.closed) return "stream closed by the server";
  if (error_ == ECONNRESET || error_ == ECONNABORTED || logged_in_) return "connection lost";
  return error_ > 0 ? error_text(error_) : "connection lost";
}

std::string StropheStream::bound_jid() const {
  const char* const jid = xmpp_conn_get_bound_jid(library_->connection);
  return jid ? jid : "";
}

void StropheStream::send(std::string xml) {
  Inside inside(*this);
  in_flight_ = std::move(xml);
  wrote_ = true;
  xmpp_send_raw(library_->connection, in_flight_.data(), in_flight_.size());
}

// The only way to learn two things no call of libstrophe tells: that a stanza has been written as
// a whole, and why connecting failed.
void StropheStream::on_log(const char* message) {
  const std::string_view text = message;
  if (text.starts_with(kSent)) {
    ++written_;
    if (text.substr(kSent.size()) == in_flight_) in_flight_.clear();
  } else if (text.starts_with(kConnectFailed)) {
    error_ = std::atoi(message + kConnectFailed.size());
  }
}

void StropheStream::on_event(int event, int error) {
  if (event == XMPP_CONN_CONNECT) {
    logged_in_ = true;
    guard_.take_stanzas();
  } else if (event == XMPP_CONN_DISCONNECT) {
    open_ = false;
    if (error != 0) error_ = error;
    close_control();
    low_fds_.refill();
  }
}

bool StropheStream::on_socket(int* socket) {
  const int low = low_fds_.move_down(*socket);
  if (low < 0) {
    last_error_ = "no file descriptor below 1024 is left";
    return false;
  }
  *socket = low;
  close_control();
  const std::lock_guard lock(control_mutex_);
  control_ = ::fcntl(low, F_DUPFD_CLOEXEC, 0);
  return control_ >= 0;
}

}  // namespace jingle
