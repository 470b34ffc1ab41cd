// mixer/publisher.h: publishes what an account shows of itself at its own nodes (XEP-0163), so that
// they show what is wanted and nothing is left there when it is over. Pure; signaling thread.
//
// Who may read a node is a condition of what is published (XEP-0060 §7.1.5). Where it does not
// hold the node is configured anew, once. Groups of a roster are no condition that services know:
// for them, and where a service knows none at all, the node's configuration is read first, and a
// node that is not there is made with it. What cannot be had that way is not published, and one
// line of the log says so.
//
// That something is published is saved before it is, and forgotten when a stop was acknowledged: a
// service keeps what a dead process has left. Where nothing was saved, the service is asked once
// what stands there, before anything is published.
//
// Laws (tests/mixer/publisher_test.cc): after quiescence each node shows what is wanted, whatever
// was answered to the tries; nothing is ever published without its condition but stops; a node
// whose row is not saved shows nothing of this process.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mixer/clock.h"
#include "mixer/extended_presence.h"
#include "mixer/outbox.h"
#include "mixer/pace.h"
#include "mixer/published.h"
#include "signaling/pep.h"
#include "signaling/pubsub.h"

namespace mixer {

class Publisher {
 public:
  // `rows`: what an earlier process has left; `ours`: the nodes of the configuration, where
  // whatever stands at first is taken for such.
  Publisher(jingle::Jid account, jingle::pubsub::NodeOptions nodes,
            const std::vector<Published>& rows, const std::set<jingle::pep::Node>& ours = {});

  void show(const Shown& wanted, TimePoint now);
  // For the last time: stops, whatever show() says from here on.
  void leave();
  // Those that are not acknowledged yet and can still be.
  std::size_t stopping() const;

  // A resumed stream changes nothing; on a new one the service is asked what it can, ever more
  // seldom until it says so, and everything is told anew.
  void connection_up(const jingle::Jid& self, bool resumed, Outbox& out, TimePoint now);
  void connection_down() { connected_ = false; }
  // The answer to an IQ of ours.
  void answered(const Awaited& awaited, const jingle::Iq& iq, Outbox& out, TimePoint now);

  std::optional<TimePoint> next_deadline() const;
  void advance(Outbox& out, TimePoint now);

 private:
  using Node = jingle::pep::Node;
  using Payload = jingle::pep::Payload;
  enum class Service { unknown, none, unconditional, conditional };
  enum class Step { idle, looking, reading, creating, configuring, publishing };
  struct Entry : Pace {
    bool unknown = false;          // whether anything stands there
    bool leftover = false;         // it may show something of ours, who knows what
    bool leftover_before = false;  // the same, before what is in flight
    std::string item;              // of what it shows
    bool saved = false;
    TimePoint not_before{};  // after a failure
    Step step = Step::idle;
    std::string in_flight;        // the IQ's id
    TimePoint late_at{};          // its answer
    std::optional<Payload> sent;  // nullopt: a stop
    bool configured = false;      // or created, since the stream is up
    bool refused = false;         // the same
    int misses = 0;               // failures in a row that may pass
  };

  static bool needs_stop(const Entry& entry);
  std::optional<TimePoint> due(Node node, const Entry& entry) const;
  void act(Node node, Entry& entry, Outbox& out, TimePoint now);
  void publish(Node node, Entry& entry, bool stop, Outbox& out, TimePoint now);
  // Those who lose sight of a node when it is configured or left alone see first that what a dead
  // process has left there is over: no service tells them. False: it has left nothing.
  bool withdraw(Node node, Entry& entry, bool leftover, Outbox& out, TimePoint now);
  bool reads_first() const;
  void look(Node node, Entry& entry, Outbox& out, TimePoint now);
  static void was_seen(Node node, Entry& entry, const jingle::Iq* iq);  // nullptr: nothing is there
  void read(Node node, Entry& entry, Outbox& out, TimePoint now);
  void configure(Node node, Entry& entry, Outbox& out, TimePoint now);
  void ask(Node node, Entry& entry, Step step, std::string payload, Outbox& out, TimePoint now);
  void save(Node node, Entry& entry, Outbox& out);
  void was_read(Node node, Entry& entry, const jingle::Iq& iq, Outbox& out, TimePoint now);
  void done(Node node, Entry& entry, Outbox& out, TimePoint now);
  void failed(Node node, Entry& entry, const jingle::StanzaError& error, Outbox& out,
              TimePoint now);
  void refuse(Node node, Entry& entry, const std::string& why, Outbox& out, TimePoint now);
  void ask_service(Outbox& out, TimePoint now);
  void learn_service(const jingle::Iq& iq, Outbox& out);

  // Constant after construction.
  jingle::Jid account_;
  jingle::pubsub::NodeOptions nodes_;

  jingle::Jid self_;
  Service service_ = Service::unknown;
  TimePoint ask_at_{};  // again, while it is unknown
  std::chrono::milliseconds ask_wait_{};
  bool connected_ = false;
  bool leaving_ = false;
  std::map<Node, Entry> entries_;
};

}  // namespace mixer
