// media/gst/ice_agent.h: a NiceAgent by RAII: full ICE (RFC 8445) over UDP for one leg, one or two
// components, trickle, consent freshness (RFC 7675). Everything on the leg's I/O thread, whose
// context the agent uses; the observer is called from there too and must not destroy the agent from
// within a call.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "media/gst/candidate_filter.h"
#include "media/gst/io_thread.h"

namespace media::gst {

class IceAgent {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  class Observer {
   public:
    virtual ~Observer() = default;
    // The first with the host candidates, from within gather(); later ones from servers.
    virtual void ice_candidates(std::vector<IceCandidate> candidates) = 0;
    virtual void ice_connected(int component) = 0;  // data may be sent; may come again
    virtual void ice_failed(int component) = 0;     // after connected: consent is gone
    // One more address (peer-reflexive) that checks go to, because the peer's came from there.
    virtual void ice_learned() = 0;
    // A check or an answer whose integrity proves the peer. Must not call the agent.
    virtual void ice_heard() = 0;
    // A datagram from a validated pair that is not STUN; may be changed in place.
    virtual void ice_received(int component, std::span<std::uint8_t> datagram) = 0;
  };

  // Never throws: what is missing shows as gather() == false.
  IceAgent(GMainContext* context, const IceConfig& config, bool controlling, int components,
           Observer& observer);
  ~IceAgent();
  IceAgent(const IceAgent&) = delete;
  IceAgent& operator=(const IceAgent&) = delete;

  // False: no address, or no port left in the range.
  bool gather();
  IceCredentials credentials() const;
  // False: not what RFC 8445 §5.3 allows.
  bool set_remote_credentials(const IceCredentials& credentials);
  static bool usable(const IceCredentials& credentials);
  // Those that the filter and the limits let through; the number of those skipped.
  std::size_t add_remote_candidates(const std::vector<IceCandidate>& candidates);

  // Over the selected pair's own socket: a third of the cost of nice_agent_send().
  struct Way {
    int fd = -1;  // the agent's; -1: none, or not now
    socklen_t to_length = 0;
    sockaddr_storage to{};
    bool send(std::span<const std::uint8_t> datagram) const;  // true: it went out
  };
  // Changes where it is; lives as long as this.
  const Way& way(int component) const;
  // True when the datagram went out: that way, or through the agent (relayed).
  bool send(int component, std::span<const std::uint8_t> datagram);
  // When consent ends (RFC 7675 §5.1), unless a check is answered before; max(): nothing is
  // connected.
  TimePoint next_deadline() const;
  void on_deadline(TimePoint now);
  // For measuring one against the other.
  void always_through_agent(bool on);
  // Agents of this thread that are destroyed but have allocations to give back to a TURN server
  // yet, which takes the turning of their context.
  static int giving_back();
  // "host 192.0.2.1:4000"; empty when nothing is selected.
  std::string selected_local() const;
  std::string selected_remote() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace media::gst
