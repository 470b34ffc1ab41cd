#include "mixer/notifier.h"

#include <algorithm>
#include <vector>

#include "coin/diff.h"
#include "coin/xml.h"
#include "mixer/limits.h"
#include "signaling/namespaces.h"

namespace mixer {
namespace {

std::chrono::seconds back_off(int unanswered) {
  using std::chrono::seconds;
  if (unanswered <= 1) return seconds(0);  // once lost: repeat at once
  const auto doubled = limits::kCoinReplyTimeout * (1 << std::min(unanswered - 1, 4));
  return std::min<seconds>(doubled, limits::kCoinBackOffMax);
}

// Shortens the list of users until the document fits; the rest follows as a partial. True if it had
// to.
bool fit(coin::ConferenceInfo& document, std::string& body) {
  // The root's tag is spliced in later: entity, sid and version, well under a kilobyte or two.
  constexpr std::size_t kRoom = limits::kMaxDocumentBytes - 4096;
  bool cut = false;
  while (body.size() > kRoom && document.users && !document.users->users.empty()) {
    auto& users = document.users->users;
    users.resize(std::min(users.size() - 1, users.size() * kRoom / body.size()));
    body = coin::write_body(document);
    cut = true;
  }
  return cut;
}

}  // namespace

void ByteBudget::spend(std::size_t bytes, TimePoint now) {
  const auto cost = std::chrono::duration_cast<TimePoint::duration>(
      std::chrono::duration<double>(static_cast<double>(bytes) / rate_));
  const TimePoint burst_start = now - limits::kCoinBurst;
  ready_at_ = std::max(ready_at_, burst_start) + cost;
}

Notifier::Notifier(std::string room, const Config::Coin& config, ByteBudget& all)
    : room_(std::move(room)), config_(config), all_(all) {}

void Notifier::add(media::LegId leg, Receiver receiver) {
  subscriptions_.insert_or_assign(
      leg, Subscription{.to = std::move(receiver),
                        .told = nullptr,
                        .heal_at = std::nullopt,
                        .in_flight = std::nullopt,
                        .budget = ByteBudget(limits::kCoinBytesPerReceiver)});
}

void Notifier::remove(media::LegId leg) { subscriptions_.erase(leg); }

void Notifier::announced(media::LegId leg) {
  const auto found = subscriptions_.find(leg);
  if (found == subscriptions_.end()) return;
  found->second.to.announced = true;
  found->second.to.pushed = true;
}

void Notifier::set_cascaded(media::LegId, bool) {}
void Notifier::set_isfocus(media::LegId, bool) {}

void Notifier::answered(media::LegId leg, const std::string& id, const jingle::StanzaError* error,
                        TimePoint now) {
  const auto found = subscriptions_.find(leg);
  if (found == subscriptions_.end()) return;
  Subscription& subscription = found->second;
  const bool current = subscription.in_flight && subscription.in_flight->id == id;
  if (current) subscription.in_flight.reset();
  if (!error) {
    if (current) subscription.unanswered = 0;
  } else if (error->type != "wait" || !subscription.to.announced) {
    subscription.stopped = true;  // the call goes on without
  } else if (current) {
    subscription.needs_full = true;
    subscription.not_before = now + back_off(++subscription.unanswered + 1);
  }
}

void Notifier::connection_up(TimePoint now) {
  connected_ = true;
  for (auto& [leg, subscription] : subscriptions_) {
    subscription.in_flight.reset();
    subscription.needs_full = true;
    subscription.unanswered = 0;
    subscription.not_before = now;
  }
}

std::optional<TimePoint> Notifier::due(const Subscription& subscription) const {
  if (subscription.stopped || !subscription.to.pushed) return std::nullopt;
  if (subscription.in_flight) return subscription.in_flight->sent + limits::kCoinReplyTimeout;
  TimePoint ready =
      std::max({subscription.not_before, subscription.budget.ready_at(), all_.ready_at()});
  // A newcomer's first document shows the newcomer.
  if (!subscription.told && dirty_) ready = std::max(ready, published_at_ + config_.coalesce);
  if (published_ && (subscription.needs_full || subscription.told != published_)) return ready;
  if (subscription.heal_at) return std::max(*subscription.heal_at, ready);
  return std::nullopt;
}

std::optional<TimePoint> Notifier::next_deadline() const {
  if (!connected_ || subscriptions_.empty()) return std::nullopt;
  std::optional<TimePoint> next;
  if (dirty_) next = published_ ? published_at_ + config_.coalesce : TimePoint{};
  for (const auto& [leg, subscription] : subscriptions_) {
    const auto at = due(subscription);
    if (at && (!next || *at < *next)) next = at;
  }
  return next;
}

void Notifier::advance(const Roster& roster, Outbox& out, TimePoint now) {
  if (!connected_ || subscriptions_.empty()) return;
  if (dirty_ && (!published_ || now >= published_at_ + config_.coalesce)) publish(roster, now);

  std::vector<std::pair<media::LegId, Subscription*>> waiting;
  for (auto& [leg, subscription] : subscriptions_) {
    time_out(subscription, now);
    if (subscription.heal_at && *subscription.heal_at <= now) subscription.needs_full = true;
    const auto at = due(subscription);
    if (at && *at <= now && !subscription.in_flight) waiting.emplace_back(leg, &subscription);
  }
  // Who has waited longest goes first when the budget is short.
  std::ranges::stable_sort(waiting, {}, [](const auto& entry) { return entry.second->last_sent; });
  Updates updates;
  for (auto& [leg, subscription] : waiting) {
    if (all_.ready_at() > now) break;
    send(leg, *subscription, updates, out, now);
  }
}

void Notifier::publish(const Roster& roster, TimePoint now) {
  dirty_ = false;
  published_at_ = now;
  coin::ConferenceInfo info = roster.info();
  // Muted and unmuted within the same half second is nothing to tell.
  if (published_ && *published_ == info) return;
  published_ = std::make_shared<const coin::ConferenceInfo>(std::move(info));
}

void Notifier::time_out(Subscription& subscription, TimePoint now) const {
  if (!subscription.in_flight || subscription.in_flight->sent + limits::kCoinReplyTimeout > now) {
    return;
  }
  subscription.in_flight.reset();
  if (!subscription.to.announced) {
    subscription.stopped = true;
    return;
  }
  subscription.needs_full = true;
  subscription.not_before =
      std::max(subscription.not_before, now + back_off(++subscription.unanswered));
}

Notifier::Update Notifier::make(const Published& told, coin::ConferenceInfo document) const {
  Update update;
  update.root.entity = document.entity;
  update.root.state = document.state;
  update.body = coin::write_body(document);
  update.cut = fit(document, update.body);
  if (!update.cut) {
    update.told = published_;
  } else if (document.state == coin::State::full) {
    update.told = std::make_shared<const coin::ConferenceInfo>(std::move(document));
  } else {
    update.told = std::make_shared<const coin::ConferenceInfo>(coin::merge(*told, document));
  }
  return update;
}

const Notifier::Update& Notifier::update_for(const Subscription& subscription,
                                             Updates& updates) const {
  const auto full = [&]() -> const Update& {
    const auto [entry, added] = updates.try_emplace(nullptr);
    if (added) entry->second = make(nullptr, *published_);
    return entry->second;
  };
  if (!subscription.told || subscription.needs_full ||
      subscription.partials >= limits::kCoinPartialsInARow) {
    return full();
  }
  const auto [entry, added] = updates.try_emplace(subscription.told.get());
  if (added) {
    if (auto difference = coin::diff(*subscription.told, *published_)) {
      entry->second = make(subscription.told, std::move(*difference));
      // A partial that is no smaller only adds the risk of a gap. But a full one that had to be cut
      // would tell the same first users again, and never the rest.
      const Update& whole = full();
      if (!whole.cut && entry->second.body.size() >= whole.body.size()) entry->second = whole;
    } else {
      entry->second.told = published_;
    }
  }
  return entry->second;
}

std::string Notifier::document(Subscription& subscription, const Update& update, TimePoint now) {
  const bool full = update.root.state == coin::State::full;
  subscription.told = update.told;
  subscription.needs_full = false;
  if (full) {
    subscription.partials = 0;
    subscription.heal_at.reset();
  } else {
    ++subscription.partials;
    subscription.heal_at = now + limits::kCoinHealAfter;
  }
  const std::string sid = config_.sid_attribute ? subscription.to.sid.value : std::string();
  return coin::write_head(update.root, sid, ++subscription.version) + update.body;
}

void Notifier::send(media::LegId leg, Subscription& subscription, Updates& updates, Outbox& out,
                    TimePoint now) {
  const Update& update = update_for(subscription, updates);
  if (update.body.empty()) {  // it changed back before this receiver heard of it
    subscription.told = update.told;
    return;
  }
  std::string payload;
  if (config_.jingle_sibling) {
    payload = std::string("<jingle xmlns='") + jingle::ns::kJingle + "' sid='" +
              jingle::escape(subscription.to.sid.value) + "'/>";
  }
  payload += document(subscription, update, now);
  all_.spend(payload.size(), now);
  subscription.budget.spend(payload.size(), now);
  subscription.last_sent = now;
  subscription.not_before = now + config_.coalesce;
  std::string id = out.ask({.from = subscription.to.local,
                            .to = subscription.to.peer,
                            .id = {},
                            .is_set = true,
                            .payload = std::move(payload),
                            .priority = jingle::Priority::normal},
                           {subscription.to.peer, Purpose::coin, room_, leg, now});
  subscription.in_flight = InFlight{std::move(id), now};
}

jingle::Result<std::string> Notifier::pull(media::LegId leg, const Roster& roster, TimePoint now) {
  Subscription& subscription = subscriptions_.at(leg);
  if (std::max(subscription.budget.ready_at(), all_.ready_at()) > now) {
    return tl::unexpected(jingle::resource_constraint("You have been told enough for now."));
  }
  publish(roster, now);
  Updates updates;
  subscription.needs_full = true;
  std::string text = document(subscription, update_for(subscription, updates), now);
  all_.spend(text.size(), now);
  subscription.budget.spend(text.size(), now);
  return text;
}

}  // namespace mixer
