// mixer/event_audience.h: who is told what rooms publish (XEP-0163 §4): the clients whose presence
// says that they want to be, and who has subscribed to a node by name (XEP-0060 §6.1); and the
// paced telling of them. Whether they may read it is not asked here. Pure; signaling thread.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "mixer/clock.h"
#include "mixer/limits.h"
#include "signaling/disco.h"
#include "signaling/jid.h"
#include "signaling/pep.h"

namespace mixer {

class EventAudience {
 public:
  using Node = jingle::pep::Node;
  using Nodes = std::set<Node>;

  // What a client wants by its features: NODE+notify (XEP-0163 §4.2). Never an image: who wants it
  // fetches it by its hash (XEP-0084 §3).
  static Nodes wanted_by(const jingle::DiscoInfo& info);

  // Available presence of a full JID, with caps, to that room. What its client wants: nullopt if
  // that is not known yet. True: ask it, once in limits::kAwaitedFor. It is told of what stands
  // there if it was not there before, or wants more now; there are at most
  // limits::kMaxEventReceivers.
  bool present(const std::string& room, const jingle::Jid& full, const std::optional<Nodes>& wants,
               TimePoint now);
  // What its client says.
  void learned(const jingle::Jid& full, const Nodes& wants, TimePoint now);
  // A full JID, or whatever a bare one has there. It keeps what it has subscribed to.
  void absent(const std::string& room, const jingle::Jid& jid);
  // The stream is down: nobody is known to be present. Who has subscribed is told later.
  void forget_presence();

  // Of a full or bare JID (XEP-0163 §4.3.2); it is told of what stands there. False: too many.
  bool subscribe(const std::string& room, const jingle::Jid& jid, Node node, TimePoint now);
  // False: it was not subscribed. What is on its way to it only for that goes no further.
  bool unsubscribe(const std::string& room, const jingle::Jid& jid, Node node);
  // All that a bare JID, or one full JID, has subscribed to there.
  void unsubscribe_all(const std::string& room, const jingle::Jid& jid);

  struct Subscribed {
    std::string room;
    jingle::Jid jid;
    Nodes nodes;  // none: no more
  };
  // What an earlier process has kept. Limits do not count: they did when it was added.
  void restore(const Subscribed& row);
  // What has changed by others since the last call: what has to be kept.
  std::vector<Subscribed> take_touched();
  // Whoever has subscribed is told of what stands there: what was sent last may have been lost.
  void remind(TimePoint now);

  // There is something new at that node.
  void news(const std::string& room, Node node, TimePoint now);
  bool anybody(const std::string& room) const { return rooms_.contains(room); }
  // Somebody is still to be told of that node.
  bool awaits(const std::string& room, Node node) const;

  struct Due {
    std::string room;
    jingle::Jid to;
    Node node;
    bool late = false;  // it is no news, but new to this one
    bool operator==(const Due&) const = default;
  };
  // Whom to tell now, at most limits::kEventsPerSecond a second, in turn whoever comes and goes how
  // often; of each node once, however often it has changed meanwhile.
  std::vector<Due> take_due(TimePoint now);
  std::optional<TimePoint> next_deadline() const;
  std::size_t waiting() const { return pending_.size(); }
  // For the last time: within limits::kFarewell.
  void hurry(TimePoint now);

 private:
  using Key = std::tuple<std::string, Node, jingle::Jid>;
  struct Client {
    std::optional<Nodes> wants;
    std::optional<TimePoint> asked;
    std::set<std::string> rooms;
  };
  struct Room {
    std::set<jingle::Jid> present;  // full
    std::map<jingle::Jid, Nodes> subscribed;
  };
  void tell(const std::string& room, const jingle::Jid& to, Node node, bool late, TimePoint now);
  void tell(const std::string& room, const jingle::Jid& to, const Nodes& nodes, TimePoint now);
  bool wants(const jingle::Jid& full, Node node) const;  // requires: it is present
  void add(const std::string& room, const jingle::Jid& jid, Node node);
  void removed(const std::string& room, const jingle::Jid& jid, std::size_t nodes);
  bool may_be_present(const std::string& room, const jingle::Jid& full) const;
  void drop(const std::string& room, const jingle::Jid& to);  // what is pending
  void tidy(const std::string& room);

  std::map<jingle::Jid, Client> clients_;  // full
  std::map<std::string, Room> rooms_;      // somebody is present or subscribed
  std::size_t present_ = 0, subscribed_ = 0;
  std::map<jingle::Jid, std::size_t> subscribed_by_;  // bare
  std::set<std::pair<std::string, jingle::Jid>> touched_;
  std::map<Key, bool> pending_;  // late?
  Key last_told_;
  TimePoint next_{};
  std::size_t batch_ = limits::kEventsPerStep;
  std::chrono::milliseconds step_ = limits::kEventStep;
};

}  // namespace mixer
