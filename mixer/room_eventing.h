// mixer/room_eventing.h: a component's rooms as their own services of personal eventing (XEP-0163;
// XEP-0060). The owner and only publisher of every node is the room (XEP-0163 §3.2): whoever else
// wants to publish, create or configure is told `forbidden`. Pure; signaling thread.
//
// What a room shows is published at the pace of pace.h, told to event_audience.h, and kept as the
// one item of its node until it is over; then that item is the empty element.
//
// That something is published is saved before it can be seen, and forgotten when nobody waits to be
// told that it is over: what is of a call with its room, the rest with the domain, for all rooms
// have it. A process that finds such a row shows the empty element to whoever comes, until
// everybody was probed and limits::kLeftoverKept is over; and so it is after a broken stream.
//
// Who has subscribed by name (XEP-0060 §6.1) is saved until he unsubscribes, may not read it any
// more, or an error says that he is no more. He is told what stands there whenever the stream is
// new, for what was sent last may be lost; once more when a client of his comes that wants it.
//
// Laws (tests/mixer/room_eventing_test.cc): nobody is told or given anything that he may not read;
// whoever may, is present, and wants a node has been told last, after quiescence, what stands
// there, and not twice; who is present twice is told of what stands there once. Nobody sees for
// ever what is over, whatever broke or was killed meanwhile (room_eventing_law_test.cc), and
// whoever has subscribed by name knows what stands there (node_subscription_test.cc).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mixer/clock.h"
#include "mixer/deadlines.h"
#include "mixer/event_audience.h"
#include "mixer/extended_presence.h"
#include "mixer/node_subscription.h"
#include "mixer/outbox.h"
#include "mixer/pace.h"
#include "mixer/published.h"
#include "signaling/disco.h"
#include "signaling/pubsub.h"

namespace mixer {

class RoomEventing {
 public:
  // What a bare JID is to a room.
  struct Reader {
    bool contact = false;   // sees its presence
    bool in_group = false;  // one of those whom Access::roster lets read
    bool listed = false;    // one of those whom Access::whitelist does
  };
  struct Rooms {
    std::string domain;
    std::function<Shown(const std::string&room)> standing, of_call;  // as extended_presence.h
    std::function<Reader(const std::string& room, const jingle::Jid& bare)> reader;
    WallTime wall;
  };
  // `nodes`: those that rooms have, by configuration. `rows`: what an earlier process has left.
  // `subscribed`: who had subscribed to what; those whom the configuration shows nothing any more,
  // and to what it has no more, are forgotten.
  RoomEventing(Rooms rooms, jingle::pubsub::Access access, std::set<jingle::pep::Node> nodes,
               const std::vector<Published>& rows,
               const std::vector<NodeSubscription>& subscribed = {});

  // What that room shows of its call may be another now.
  void changed(const std::string& room, TimePoint now);
  // For the last time: everything is over.
  void leave(TimePoint now);

  void connection_up(TimePoint now);
  // Since then; their presence may still be on its way.
  void everybody_probed(TimePoint now);
  void connection_down();
  // XEP-0163 §4.3.3: EventAudience::present(), for whoever may read.
  bool present(const std::string& room, const jingle::Jid& full,
               const std::optional<EventAudience::Nodes>& wants, TimePoint now);
  void learned(const jingle::Jid& full, const EventAudience::Nodes& wants, TimePoint now) {
    audience_.learned(full, wants, now);
  }
  void absent(const std::string& room, const jingle::Jid& jid);
  // He may not read any more (XEP-0163 §7.1); or, a full JID, what it was told came back.
  void cancel(const std::string& room, const jingle::Jid& jid);

  // Errors as XEP-0060 has them; what is wrong with a publication is told before who may publish.
  jingle::Result<std::string> answer(const std::string& room, const jingle::Jid& from,
                                     const jingle::pubsub::Request& request, TimePoint now);
  // The ids of those that he may read (XEP-0163 §6.2).
  std::vector<std::string> nodes(const std::string& room, const jingle::Jid& bare) const;
  // What a room's bare JID can beyond its full one (XEP-0060 §10). It is no `pubsub/pep`: of a
  // service with that identity XEP-0163 §5 asks what only an account's owner can use, the making,
  // configuring and filling of nodes by stanzas, and whichever access he likes.
  void announce(jingle::DiscoInfo& info) const;

  std::optional<TimePoint> next_deadline() const;
  void advance(Outbox& out, TimePoint now);
  // Notifications still to be sent.
  std::size_t waiting() const { return audience_.waiting(); }

 private:
  using Node = jingle::pep::Node;
  using Answer = jingle::Result<std::string>;
  struct Entry : Pace {
    std::string item;
    bool saved = false;
  };
  using Entries = std::map<Node, Entry>;

  // Has an entry for each of nodes_ and gone_. Requires: not leaving.
  Entries& entries_of(const std::string& room, TimePoint now);
  void advance(const std::string& room, Outbox& out, TimePoint now);
  void publish(const std::string& room, Node node, Entry& entry, TimePoint now);
  void restore(const NodeSubscription& row);
  static bool has_ended(const Entry& entry) { return !entry.wanted && entry.shown; }
  std::optional<TimePoint> due(const std::string& room, Node node, const Entry& entry) const;
  // When its row may go; nullopt: not yet.
  std::optional<TimePoint> forget_at(const std::string& room, Node node, const Entry& entry) const;
  void forget_standing(Outbox& out, TimePoint now);
  void settle(const std::string& room);
  std::vector<std::string> names() const;
  void notify(const EventAudience::Due& due, Outbox& out);
  jingle::pubsub::Item item_of(Node node, const Entry& entry) const;
  std::optional<jingle::StanzaError> refuses(const std::string& room,
                                             const jingle::Jid& bare) const;
  // The node of that id, if `who` may read it. When we leave there are none.
  jingle::Result<Node> readable(const std::string& room, const jingle::Jid& who,
                                const std::string& id) const;
  jingle::Jid bare_of(const std::string& room) const {
    return jingle::Jid::of(room, rooms_.domain);
  }

  Answer handle(const std::string&, const jingle::Jid&, const jingle::pubsub::Publish&, TimePoint);
  Answer handle(const std::string&, const jingle::Jid&, const jingle::pubsub::GetItems&, TimePoint);
  Answer handle(const std::string&, const jingle::Jid&, const jingle::pubsub::Subscribe&,
                TimePoint);
  Answer handle(const std::string&, const jingle::Jid&, const jingle::pubsub::Unsubscribe&,
                TimePoint);
  template <typename Owned>
  Answer handle(const std::string&, const jingle::Jid&, const Owned&, TimePoint) {
    return tl::unexpected(jingle::forbidden());
  }

  // Constant after construction.
  Rooms rooms_;
  jingle::pubsub::Access access_;
  std::set<Node> nodes_;

  std::map<std::string, Entries> entries_;  // of rooms with a call, a row or an audience
  // Rows of the domain: of nodes_, and of what an earlier process had besides.
  std::set<Node> told_, gone_;
  std::optional<TimePoint> known_at_;  // everybody who is there; nullopt: not all were probed
  Deadlines<std::string> due_;
  EventAudience audience_;
  bool connected_ = false;
  bool leaving_ = false;
};

}  // namespace mixer
