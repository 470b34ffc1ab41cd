// media/gst/ice_paths.h: a leg's ICE sessions: the one in use and, while a restart is under way or
// just over (RFC 8445 §9), others beside it, each with an agent of its own. libnice's own restart
// would forget the pair in use before another is found; agents share nothing that could be lost.
//
// The two ends never move at the same moment. Who restarts again meanwhile must go on hearing both
// the session before the one in use, where the peer may still be, and the unfinished one that is
// given up, where it may be already. Everything on the leg's I/O thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/gst/ice_agent.h"
#include "media/gst/io_thread.h"

namespace media::gst {

class IcePaths {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Called from within agents' calls: must not destroy the IcePaths.
  class Observer {
   public:
    virtual ~Observer() = default;
    // The first of an ICE session from within open() or restart(), later ones from servers.
    enum class News { opened, restarted, more };
    virtual void ice_candidates(News news, std::vector<IceCandidate> candidates) = 0;
    virtual void ice_connected(int component) = 0;  // data may be sent; may come again
    virtual void ice_restart_done() = 0;            // the new pair has taken over
    virtual void ice_lost() = 0;     // component 1 has no pair, and no restart is under way
    virtual void ice_heard() = 0;    // as IceAgent's
    virtual void ice_flooded() = 0;  // limits::kCandidatePairs were learned from the peer's checks
    virtual void ice_received(int component, std::span<std::uint8_t> datagram) = 0;
    virtual void ice_schedule() = 0;  // next_deadline() has changed
  };

  IcePaths(GMainContext* context, const IceConfig& config, bool controlling, Observer& observer);
  ~IcePaths();
  IcePaths(const IcePaths&) = delete;
  IcePaths& operator=(const IcePaths&) = delete;

  // False: no address, or no port left.
  bool open(int components);
  // The peer's half of the newest session. False: unusable credentials.
  bool begin_checks(const IceCredentials& credentials);
  // For the newest session; held (bounded) until begin_checks(). How many were skipped.
  std::size_t add_remote_candidates(const std::vector<IceCandidate>& candidates);
  // A new session beside the one in use. An unfinished one is superseded: it takes over in turn
  // when it connects first. `moved_to` as IceRestart has it. False: no port left, or unusable
  // credentials.
  bool restart(int components, const IceRestart& restart, TimePoint now);
  // A restart of ours lacks the peer's half.
  bool awaits_answer() const;

  IceCredentials credentials() const;  // of the newest session
  bool connected(int component) const;
  // True when the datagram went out; over the new pair from the moment it can.
  bool send(int component, std::span<const std::uint8_t> datagram);
  // Prefetches what send(1, …) looks at.
  void fetch() const { __builtin_prefetch(way_); }
  std::string selected_local() const;  // requires: connected(1)
  std::string selected_remote() const;

  TimePoint next_deadline() const;  // consent counts: it moves on without ice_schedule()
  void on_deadline(TimePoint now);
  void close();  // not from within an observer's call

 private:
  struct Path;

  Path* newest() const { return next_ ? next_.get() : path_.get(); }
  Path* route(int component) const;
  void rerouted() { way_ = nullptr; }
  bool start(int components, const IceRestart& restart);
  void candidates(Path& path, std::vector<IceCandidate> candidates);
  void path_connected(const Path& path, int component);
  void path_failed(Path& path, int component);
  void learned();
  void abandon();
  void take_over();
  void use(std::unique_ptr<Path>& newer);

  GMainContext* const context_;
  const IceConfig& config_;
  const bool controlling_;
  Observer& observer_;
  const IceAgent::Way* way_ = nullptr;  // of component 1; null: to be looked up
  std::unique_ptr<Path> path_;          // in use
  std::unique_ptr<Path> next_;          // a restart under way
  std::unique_ptr<Path> superseded_;    // the restart before, if it was not finished
  std::unique_ptr<Path> retired_;       // in use before; only heard
  TimePoint restart_until_{};
  TimePoint waits_since_{};                 // for the first of restarts of which none connects
  std::optional<TimePoint> retired_until_;  // from the first deadline without a restart on
  std::size_t learned_ = 0;                 // candidates, by all sessions
  std::optional<TimePoint> counted_at_;     // learned_, anew
};

}  // namespace media::gst
