#include "signaling/strophe_connection.h"

#include <poll.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <pugixml.hpp>
#include <utility>

#include "signaling/limits.h"
#include "signaling/strophe_low_fds.h"
#include "signaling/strophe_opening.h"
#include "signaling/strophe_resolver.h"
#include "signaling/strophe_send_queue.h"
#include "signaling/strophe_stream.h"

namespace jingle {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// libstrophe's timers are invisible from outside; one second late is soon enough for them.
constexpr milliseconds kMaxPoll{1000};
// From disconnect() to the end of the TCP connection, whatever the server does.
constexpr milliseconds kCloseTimeout{3000};
// Of 4 KiB each: then the event loop gets its turn.
constexpr int kMaxRounds = 64;
// Refused stanzas that the log tells of in each window.
constexpr int kRefusalsLogged = 20;
constexpr std::chrono::minutes kRefusalsWindow{1};

class StropheConnection final : public XmppConnection {
 public:
  StropheConnection(StropheConfig config, Observer& observer)
      : config_(std::move(config)), observer_(observer) {}

  void connect() override;
  void disconnect() override;
  bool send(Priority priority, std::string xml) override;
  int poll_fd() const override;
  short poll_events() const override;
  milliseconds poll_timeout() const override;
  void pump() override;

 private:
  enum class State { idle, resolving, opening, up, closing };
  bool flowing() const { return state_ == State::up || state_ == State::closing; }

  void start_opening(std::vector<Endpoint> endpoints);
  void pump_resolving();
  void pump_opening();
  void pump_stream();
  void check_proof();
  void deliver();
  void receive(Xml xml);
  void refuse(const RefusedStanza& stanza, const char* condition);
  void go_up();
  void go_down(Down down);

  const StropheConfig config_;
  Observer& observer_;
  LowFds low_fds_;
  State state_ = State::idle;
  Clock::time_point deadline_;  // of resolving, opening and closing
  std::optional<Clock::time_point> proof_deadline_;
  Clock::time_point refusals_since_{};
  int refusals_logged_ = 0;     // since then
  bool disconnecting_ = false;  // disconnect() was called
  bool more_ = false;           // pump() stopped before everything was read
  Jid self_;
  SendQueue queue_;
  std::vector<Endpoint> endpoints_;
  std::optional<Down> down_;  // to be told by the next pump()
  std::unique_ptr<Resolver> resolver_;
  std::unique_ptr<StropheStream> stream_;
  std::unique_ptr<StropheOpening> opening_;  // after stream_: it ends first
};

void StropheConnection::connect() {
  const bool client = config_.mode == StropheConfig::Mode::client;
  const std::string host = config_.host.empty() && !client ? "127.0.0.1" : config_.host;
  const auto port = config_.port != 0 ? config_.port : std::uint16_t(client ? 5222 : 5347);
  deadline_ = Clock::now() + config_.connect_timeout;
  disconnecting_ = false;
  if (auto endpoints = Resolver::numeric(host, port); !host.empty() && !endpoints.empty()) {
    return start_opening(std::move(endpoints));
  }
  resolver_ = std::make_unique<Resolver>(ServerQuery{host, port, config_.jid.domain()});
  state_ = State::resolving;
}

void StropheConnection::start_opening(std::vector<Endpoint> endpoints) {
  endpoints_ = std::move(endpoints);
  if (stream_ && !stream_->resumable()) stream_.reset();
  if (!stream_) stream_ = std::make_unique<StropheStream>(config_, low_fds_);
  opening_ = std::make_unique<StropheOpening>(*stream_, endpoints_);
  state_ = State::opening;
}

void StropheConnection::disconnect() {
  if (state_ == State::idle || disconnecting_) return;
  disconnecting_ = true;
  deadline_ = Clock::now() + kCloseTimeout;
  if (state_ == State::up) state_ = State::closing;
  if (opening_) opening_->stop();
  if (resolver_) down_ = Down{"disconnected"};
}

bool StropheConnection::send(Priority priority, std::string xml) {
  if (state_ != State::up || xml.size() > limits::kMaxStanzaBytes) return false;
  return queue_.push(priority, std::move(xml));
}

int StropheConnection::poll_fd() const {
  if (resolver_) return resolver_->fd();
  if (opening_) return opening_->fd();
  return flowing() ? stream_->fd() : -1;
}

short StropheConnection::poll_events() const {
  const bool writing = flowing() && (!stream_->idle() || !queue_.empty());
  return static_cast<short>(POLLIN | (writing ? POLLOUT : 0));
}

milliseconds StropheConnection::poll_timeout() const {
  if (more_ || down_) return milliseconds(0);
  if (state_ == State::idle || state_ == State::up) return kMaxPoll;
  const auto left = std::chrono::ceil<milliseconds>(deadline_ - Clock::now());
  return std::clamp(left, milliseconds(0), kMaxPoll);
}

void StropheConnection::pump() {
  if (down_) return go_down(*std::exchange(down_, std::nullopt));
  switch (state_) {
    case State::idle: break;
    case State::resolving: pump_resolving(); break;
    case State::opening: pump_opening(); break;
    case State::up:
    case State::closing: pump_stream(); break;
  }
}

void StropheConnection::pump_resolving() {
  if (!resolver_->done()) {
    if (Clock::now() >= deadline_) go_down({"timed out resolving the server's name"});
    return;
  }
  auto result = resolver_->result();
  resolver_.reset();
  if (result.endpoints.empty()) return go_down({std::move(result.error)});
  start_opening(std::move(result.endpoints));
}

void StropheConnection::pump_opening() {
  const bool late = Clock::now() >= deadline_;
  if (late) opening_->stop();
  if (!opening_->done()) return;
  const auto outcome = opening_->finish();
  opening_.reset();
  if (outcome.resumption_refused && !disconnecting_ && !late) {
    stream_.reset();
    queue_.clear();
    return start_opening(std::exchange(endpoints_, {}));
  }
  if (outcome.up && !disconnecting_) return go_up();
  if (disconnecting_) return go_down({"disconnected"});
  if (late && !outcome.wrong_password) return go_down({"timed out: the server says nothing"});
  go_down({outcome.reason, outcome.wrong_password});
}

void StropheConnection::go_up() {
  state_ = State::up;
  more_ = true;  // stanzas may have come with the log-in
  const bool resumed = stream_->resumed();
  if (!resumed) queue_.clear();  // of the session that ended
  self_ = Jid::parse(stream_->bound_jid()).value_or(config_.jid);
  observer_.on_up({self_, resumed});
}

void StropheConnection::go_down(Down down) {
  resolver_.reset();
  opening_.reset();
  const bool keep = stream_ && stream_->state() == StropheStream::State::down &&
                    stream_->resumable() && !disconnecting_;
  if (!keep) {
    stream_.reset();
    queue_.clear();
  }
  more_ = false;
  proof_deadline_.reset();
  state_ = State::idle;
  observer_.on_down(down);
}

void StropheConnection::pump_stream() {
  more_ = false;
  int rounds = 0;
  for (std::uint64_t progress = ~stream_->progress(); progress != stream_->progress();) {
    if (++rounds > kMaxRounds) {
      more_ = true;
      break;
    }
    progress = stream_->progress();
    if (stream_->idle()) {
      if (auto next = queue_.pop()) stream_->send(std::move(*next));
    }
    stream_->run();
    if (stream_->state() == StropheStream::State::down) break;
  }
  deliver();
  if (stream_->state() == StropheStream::State::down) {
    return go_down(disconnecting_ ? Down{"disconnected"}
                                  : Down{stream_->reason(), stream_->wrong_password()});
  }
  if (state_ == State::up) return check_proof();
  if (Clock::now() >= deadline_) {
    stream_->cut();
  } else if (queue_.empty() && stream_->idle() && !stream_->closing()) {
    stream_->close();
    more_ = true;
  }
}

// A session resumed after the network cut a stanza in two may look alive and swallow all we say:
// what the server had of that stanza is still before its parser (Prosody 0.12.3). It must
// acknowledge something before long, or we start afresh.
void StropheConnection::check_proof() {
  if (!stream_->resumed() || stream_->acknowledged()) return proof_deadline_.reset();
  if (!stream_->wrote()) return;
  if (!proof_deadline_) proof_deadline_ = Clock::now() + config_.connect_timeout;
  if (Clock::now() < *proof_deadline_) return;
  stream_.reset();
  go_down({"the resumed session is dead"});
}

void StropheConnection::deliver() {
  for (const RefusedStanza& stanza : stream_->refused()) refuse(stanza, "policy-violation");
  for (Xml& xml : stream_->stanzas()) receive(std::move(xml));
}

void StropheConnection::receive(Xml xml) {
  pugi::xml_node root = xml.root();
  if (config_.mode == StropheConfig::Mode::client) {
    // RFC 6120 §8.1.2.1 and §8.1.1.1.
    if (!root.attribute("from")) {
      root.append_attribute("from").set_value(self_.bare().str().c_str());
    }
    if (!root.attribute("to")) root.append_attribute("to").set_value(self_.str().c_str());
  }
  // Kept for the answer: a JID that our preparation refuses, though the server let it pass, is
  // still owed one (RFC 6120 §8.2.3).
  RefusedStanza unread{root.name(),
                       root.attribute("type").value(),
                       root.attribute("id").value(),
                       root.attribute("from").value(),
                       root.attribute("to").value(),
                       "no stanza"};
  if (auto stanza = read_stanza(std::move(xml))) {
    observer_.on_stanza(std::move(*stanza));
  } else {
    refuse(unread, "jid-malformed");
  }
}

void StropheConnection::refuse(const RefusedStanza& stanza, const char* condition) {
  const auto now = Clock::now();
  if (now >= refusals_since_ + kRefusalsWindow) {
    refusals_since_ = now;
    refusals_logged_ = 0;
  }
  // A stranger's flood must not become one on the disk.
  if (config_.log && refusals_logged_++ < kRefusalsLogged) {
    config_.log("refused a " + stanza.name + " from '" + escape(stanza.from) + "': " + stanza.why);
  }
  if (stanza.name != "iq" || stanza.id.empty() || (stanza.type != "get" && stanza.type != "set"))
    return;
  const std::string to = stanza.from.empty() ? "" : " to='" + escape(stanza.from) + "'";
  const std::string from = stanza.to.empty() ? "" : " from='" + escape(stanza.to) + "'";
  queue_.push(Priority::urgent, "<iq type='error' id='" + escape(stanza.id) + "'" + to + from +
                                    "><error type='modify'><" + condition +
                                    " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
}

}  // namespace

std::unique_ptr<XmppConnection> make_strophe_connection(StropheConfig config,
                                                        XmppConnection::Observer& observer) {
  return std::make_unique<StropheConnection>(std::move(config), observer);
}

}  // namespace jingle
