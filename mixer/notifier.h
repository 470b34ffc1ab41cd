// mixer/notifier.h: pushes one room's conference documents to its participants (XEP-0298 §6 over
// RFC 4575 §4): revisions and versions, coalescing, full or partial, budgets. Pure; signaling
// thread.
//
// The room publishes at most every `coalesce`, once for each audience: those who are to be told the
// same in the same form. What it published is shared by everybody's state. Per receiver one
// document is in flight, at most two go out a second, versions rise by one, and `told` is exactly
// what the receiver knows if it applied everything so far: the next partial is who changed since,
// as coin::diff(told, published) would say it.
//
// Loss that shows (an error, silence, a new stream) earns a full document at once. Loss that does
// not (a partial acknowledged and not applied) is healed by one after 20 partials, or 60 s after
// the last: XEP-0298 has no refresh. That waits while half of a byte budget is spent, for news goes
// first, and for 10 minutes when the roster does not fit one stanza: a full document that is cut
// takes the users it has no room for off the list until the partials after it bring them back. Once
// healed, a receiver hears nothing more until there is news.
//
// Laws (tests/mixer/notifier_law_test.cc): a coin::View fed with all documents of a session equals
// the truth after quiescence, within those bounds whatever the wire did to them; nobody gets more
// than two documents a second nor one while another is in flight; no document is larger than
// limits::kMaxDocumentBytes and all keep to the budgets.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "mixer/byte_budget.h"
#include "mixer/client_profile.h"
#include "mixer/clock.h"
#include "mixer/config.h"
#include "mixer/listing.h"
#include "mixer/outbox.h"
#include "mixer/roster.h"
#include "signaling/stanza_error.h"

namespace mixer {

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

  // What conference documents say: Roster::news().
  using Truth =
      std::function<News(std::optional<media::LegId> without, std::uint64_t since_revision)>;

  // Requires: the leg is connected and isfocus was said in that session. Again for a leg: its
  // client turned out to be another than was thought; its documents go on from where they were.
  void add(media::LegId leg, Receiver receiver);
  void remove(media::LegId leg);
  // It is a focus itself: it is not told of the users behind it (Roster::info(without)).
  void set_cascaded(media::LegId leg, bool cascaded);
  // Whether isfocus holds in that session, which it does at first: while not, no document is sent;
  // when it does again, versions go on and a full one is first.
  void set_isfocus(media::LegId leg, bool isfocus);
  // What the roster says has changed.
  void touch();

  // The peer's answer to the document with that id, of which ByteBudget knows; nullptr: result.
  void answered(media::LegId leg, const std::string& id, const jingle::StanzaError* error,
                TimePoint now);
  void connection_down();
  // Whatever was under way is lost or doubtful: everybody gets a full document.
  void connection_up(TimePoint now);

  // The current full document for a ConferenceInfoGet, as the next of that session. Errors:
  // resource-constraint while what was sent is beyond the byte budgets; unknown-session for who was
  // not added, and while isfocus does not hold: such a session is in no conference (XEP-0298 §6),
  // just as that of a stranger.
  jingle::Result<std::string> pull(media::LegId leg, const Truth& truth, TimePoint now);
  jingle::Result<std::string> pull(media::LegId leg, const Roster& roster, TimePoint now);

  // O(1). Never later than there is something to do; it may be earlier.
  std::optional<TimePoint> next_deadline() const;
  // O(1) before next_deadline().
  void advance(const Truth& truth, Outbox& out, TimePoint now);
  void advance(const Roster& roster, Outbox& out, TimePoint now);

 private:
  // Who is to be told the same in the same form. Those that differ in form only stand together.
  struct Audience {
    std::optional<media::LegId> without;  // the users behind it: the receiver is that focus
    DocumentForm form = DocumentForm::standard;
    auto operator<=>(const Audience&) const = default;
  };
  // What somebody knows: the rest of the document, and its listing's users of that revision but for
  // those he is owed, of whom he knows something older or nothing.
  struct Known {
    coin::ConferenceInfo rest;
    std::uint64_t revision = 0;
    std::set<std::string> owed;
  };
  // Immutable and shared by all who were told the same, which no single owner outlives.
  using Published = std::shared_ptr<const Known>;
  // What one audience is told; theirs together.
  struct Channel {
    explicit Channel(DocumentForm form) : listing(form) {}
    Listing listing;
    Published published;  // null: not yet
  };

  struct InFlight {
    std::string id;
    TimePoint late_at{};
  };
  struct Subscription {
    Receiver to;
    std::optional<media::LegId> without;
    std::shared_ptr<Channel> channel, told_by;  // its audience's, and of `told`
    bool isfocus = true;
    std::uint32_t version = 0;
    Published told;  // null: nothing yet
    bool needs_full = true;
    bool stopped = false;  // refused, or never answered though it announced nothing
    bool pulled = false;   // what did not fit into the document it asked for is to follow
    int partials = 0;      // since the last full one, if they said news
    Published healed;      // what it was healed with: the rest of that is no news
    int unanswered = 0;    // in a row
    bool cut = false;      // a full document would not hold the whole roster
    TimePoint heal_by{};   // at latest, if partials > 0
    std::optional<InFlight> in_flight;
    TimePoint not_before{}, last_sent{};
    Rate budget;

    const Published& published() const { return channel->published; }
    bool listens() const { return isfocus && ((to.pushed && !stopped) || pulled); }
  };
  // One document for all who were told the same; the root's tag is written per session.
  struct Update {
    coin::ConferenceInfo root;  // without children: entity and state
    std::string body;           // empty: nothing to say
    Published told;             // what its receiver knows afterwards
    bool cut = false;           // the rest of the users follows
  };
  // By what they were told (null: full) and what they are to know.
  using Updates = std::map<std::pair<Published, Published>, Update>;

  TimePoint publish_at() const { return published_at_ + config_.coalesce; }
  void publish(const Truth& truth, TimePoint now);
  static void update(Channel& channel, const News& news);
  void time_out(Subscription& subscription, TimePoint now);
  void stop(Subscription& subscription);
  void land(Subscription& subscription);
  std::optional<TimePoint> due(const Subscription& subscription) const;
  TimePoint heal_due(const Subscription& subscription, bool has_news) const;
  void admit(Subscription& subscription);
  void wake(std::optional<TimePoint> at);
  void send(media::LegId leg, Subscription& subscription, Outbox& out, TimePoint now);
  Update make(const Published& target, coin::ConferenceInfo document) const;
  static void change_channel(Subscription& subscription);
  const Update& update_for(Subscription& subscription, TimePoint now);
  std::string document(Subscription& subscription, const Update& update, TimePoint now) const;
  void spend(Subscription& subscription, std::size_t bytes, TimePoint now);

  // Constant after construction.
  std::string room_;
  Config::Coin config_;

  std::map<media::LegId, Subscription> subscriptions_;
  std::map<Audience, std::weak_ptr<Channel>> channels_;  // of the subscriptions
  std::uint64_t seen_ = 0;                               // the truth's revision that was published
  Updates updates_;  // to what is published now, while somebody has to wait for his
  TimePoint published_at_{};
  bool dirty_ = true;
  bool connected_ = true;
  std::size_t in_flight_ = 0;  // of the subscriptions
  // Nothing is to be done before: kept so that an event costs nothing for those it is not about.
  TimePoint wake_at_ = TimePoint::max();
  ByteBudget& all_;
};

}  // namespace mixer
