// mixer/notifier.h: pushes one room's conference documents to its participants (XEP-0298 §6 over
// RFC 4575 §4): revisions and versions, coalescing, full or partial, budgets. Pure; signaling
// thread.
//
// The room publishes at most every `coalesce`; what it published is shared by everybody's state.
// Per receiver one document is in flight, versions rise by one, and `told` is exactly what the
// receiver knows if it applied everything so far: the next partial is diff(told, published). Law: a
// coin::View fed with all documents of a session equals the truth after quiescence.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "mixer/client_profile.h"
#include "mixer/clock.h"
#include "mixer/config.h"
#include "mixer/outbox.h"
#include "mixer/roster.h"
#include "signaling/stanza_error.h"

namespace mixer {

// Bytes per second with a burst; what does not fit waits.
class ByteBudget {
 public:
  explicit ByteBudget(double bytes_per_second) : rate_(bytes_per_second) {}
  TimePoint ready_at() const { return ready_at_; }
  void spend(std::size_t bytes, TimePoint now);

 private:
  double rate_;
  TimePoint ready_at_{};
};

struct Receiver {
  jingle::Jid local, peer;
  jingle::Sid sid;
  bool pushed = true;     // false: only answers to its own ConferenceInfoGet
  bool announced = true;  // false: one document, and none after an error or silence
  DocumentForm form = DocumentForm::standard;
};

class Notifier {
 public:
  // `all` is what every room of the process sends from; it outlives the notifier.
  Notifier(std::string room, const Config::Coin& config, ByteBudget& all);

  // Requires: the leg is connected and isfocus was said in that session.
  void add(media::LegId leg, Receiver receiver);
  void remove(media::LegId leg);
  // It sent a document itself, so it speaks Coin.
  void announced(media::LegId leg);
  // It is a focus itself: it is not told of the users behind it (Roster::info(without)).
  void set_cascaded(media::LegId leg, bool cascaded);
  // Whether isfocus holds in that session: without, no document is sent; then a full one is first.
  void set_isfocus(media::LegId leg, bool isfocus);
  // What the roster says has changed.
  void touch() { dirty_ = true; }

  // The peer's answer to the document with that id; nullptr: result.
  void answered(media::LegId leg, const std::string& id, const jingle::StanzaError* error,
                TimePoint now);
  void connection_down() { connected_ = false; }
  // Whatever was under way is lost or doubtful: everybody gets a full document.
  void connection_up(TimePoint now);

  // The current full document for a ConferenceInfoGet, as the next of that session;
  // resource-constraint while what was sent is beyond the byte budgets.
  jingle::Result<std::string> pull(media::LegId leg, const Roster& roster, TimePoint now);

  std::optional<TimePoint> next_deadline() const;
  void advance(const Roster& roster, Outbox& out, TimePoint now);

 private:
  // Immutable and shared by all who were told the same, which no single owner outlives.
  using Published = std::shared_ptr<const coin::ConferenceInfo>;

  struct InFlight {
    std::string id;
    TimePoint sent{};
  };
  struct Subscription {
    Receiver to;
    std::uint32_t version = 0;
    Published told;  // null: nothing yet
    bool needs_full = true;
    bool stopped = false;  // refused, or never answered though it announced nothing
    int partials = 0;      // since the last full one
    int unanswered = 0;    // in a row
    std::optional<TimePoint> heal_at;
    std::optional<InFlight> in_flight;
    TimePoint not_before{}, last_sent{};
    ByteBudget budget;
  };
  // One document for all who were told the same; the root's tag is written per session.
  struct Update {
    coin::ConferenceInfo root;  // without children: entity and state
    std::string body;           // empty: nothing to say
    Published told;             // what its receiver knows afterwards
    bool cut = false;           // the rest of the users follows
  };
  using Updates =
      std::map<const coin::ConferenceInfo*, Update>;  // by what they were told; null: full

  void publish(const Roster& roster, TimePoint now);
  void time_out(Subscription& subscription, TimePoint now) const;
  std::optional<TimePoint> due(const Subscription& subscription) const;
  void send(media::LegId leg, Subscription& subscription, Updates& updates, Outbox& out,
            TimePoint now);
  const Update& update_for(const Subscription& subscription, Updates& updates) const;
  Update make(const Published& told, coin::ConferenceInfo document) const;
  std::string document(Subscription& subscription, const Update& update, TimePoint now);

  // Constant after construction.
  std::string room_;
  Config::Coin config_;

  std::map<media::LegId, Subscription> subscriptions_;
  Published published_;
  TimePoint published_at_{};
  bool dirty_ = true;
  bool connected_ = true;
  ByteBudget& all_;
};

}  // namespace mixer
