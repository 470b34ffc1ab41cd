// tools/load/load.h: a load test from its first call to its last: all callers on one component link
// (XEP-0114), their media in a Crowd; they join, settle, are measured, and hang up. Signaling
// thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "mixer/clock.h"
#include "mixer/event_loop.h"
#include "mixer/mailbox.h"
#include "signaling/xmpp_connection.h"
#include "tools/call/caller.h"
#include "tools/call/stop_signals.h"
#include "tools/load/cast.h"
#include "tools/load/coin_meter.h"
#include "tools/load/crowd.h"
#include "tools/load/process_watch.h"
#include "tools/load/progress.h"

namespace load {

class Load : public jingle::XmppConnection::Observer, public mixer::EventSource {
 public:
  // Requires gst_init(). Throws std::runtime_error: nothing to say, no such address.
  // `progress` is called once a second.
  Load(Options options, std::function<void(const Progress&)> progress);
  ~Load() override;
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Until the end, which SIGINT and SIGTERM bring sooner: 0 if every call went as it should.
  int run();
  // After run(). Once.
  call::Json report();

  // XmppConnection::Observer.
  void on_up(const jingle::XmppConnection::Up& up) override;
  void on_down(const jingle::XmppConnection::Down& down) override;
  void on_stanza(jingle::Stanza stanza) override;

  // EventSource: the link, and what is due.
  int poll_fd() const override;
  short poll_events() const override;
  std::optional<TimePoint> deadline() const override;
  void on_ready(short revents, TimePoint now) override;

 private:
  enum class Phase { connecting, joining, settling, measuring, leaving, over };
  struct Slot {  // a caller, whose calls come one after another
    std::string jid;
    std::unique_ptr<call::Caller> caller;
    TimePoint dialled_at{};
    bool connected = false, vanished = false, rejoins = false;
    bool to_mute = false, to_hang_up = false;
    unsigned calls = 0;
  };
  class CrowdEvents;

  void begin_call(std::size_t number);
  void handle(std::size_t number, const call::Event& event);
  void carry_out(std::size_t number, const call::Command& command);
  void note(std::size_t number, const call::Tell& tell);
  void call_over(std::size_t number);
  void on_iq(const jingle::Iq& iq);
  void send_as(const Slot& slot, std::string xml);
  void on_second(const Second& second);
  void advance(TimePoint now);
  void join(TimePoint now);
  void make_trouble(TimePoint now);
  void rejoin(std::size_t number);
  void serve_deadlines(TimePoint now);
  void enter(Phase phase, TimePoint now);
  void end_measuring();
  void hang_up_all();
  void sample_processes(bool first);
  static bool is_dialling(const Slot& slot);
  bool all_settled() const;
  std::vector<std::size_t> drawn(double share);

  // Constant after construction
  const Options options_;
  const std::function<void(const Progress&)> progress_;
  const mixer::SteadyClock clock_;
  const TimePoint start_;
  const Cast cast_;

  std::mt19937_64 random_;
  mixer::Mailbox<CrowdEvent> mailbox_;
  Crowd crowd_;
  CoinMeter coin_;
  mixer::EventLoop loop_;
  std::unique_ptr<CrowdEvents> crowd_events_;
  call::StopSignals signals_;
  std::unique_ptr<jingle::XmppConnection> connection_;
  TimePoint pump_at_, look_at_, join_from_{}, phase_ends_{}, trouble_at_{}, silence_ends_{},
      next_churn_{};
  std::string lost_link_;  // why
  bool up_ = false, troubled_ = false, stopped_ = false;

  Phase phase_ = Phase::connecting;
  std::vector<Slot> slots_;
  std::unordered_map<std::string, std::size_t> numbers_;
  std::size_t started_ = 0;
  std::vector<double> join_ms_, rejoin_ms_, vanish_noticed_s_;
  std::map<std::string, unsigned> refused_, failed_, ended_, ended_vanished_;
  std::size_t succeeded_ = 0, missing_ = 0;
  TimePoint vanished_at_{};
  ProcessSample own_first_, own_last_;
  std::optional<ProcessSample> watched_first_, watched_last_;
  call::Json::Array timeline_;
};

}  // namespace load
