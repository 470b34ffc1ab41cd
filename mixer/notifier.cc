#include "mixer/notifier.h"

#include <algorithm>
#include <utility>
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

// The root's tag is spliced in later: entity, sid and version, well under a kilobyte or two.
constexpr std::size_t kMostBody = limits::kMaxDocumentBytes - 4096;

// Shortens the list of users until the document fits; the rest follows as a partial.
void cut_to_fit(coin::ConferenceInfo& document, std::string& body) {
  while (body.size() > kMostBody && document.users && !document.users->users.empty()) {
    auto& users = document.users->users;
    users.resize(std::min(users.size() - 1, users.size() * kMostBody / body.size()));
    body = coin::write_body(document);
  }
}

}  // namespace

Notifier::Notifier(std::string room, const Config::Coin& config, ByteBudget& all)
    : room_(std::move(room)), config_(config), all_(all) {}

void Notifier::add(media::LegId leg, Receiver receiver) {
  const auto [entry, added] =
      subscriptions_.try_emplace(leg, Subscription{.to = receiver,
                                                   .without = std::nullopt,
                                                   .told = nullptr,
                                                   .healed = nullptr,
                                                   .in_flight = std::nullopt,
                                                   .budget = Rate(limits::kCoinBytesPerReceiver)});
  Subscription& subscription = entry->second;
  if (!added) {
    if (receiver.announced) subscription.stopped = false;
    if (receiver.form != subscription.to.form) subscription.needs_full = true;
    subscription.to = std::move(receiver);
  }
  admit(subscription);
}

void Notifier::remove(media::LegId leg) { subscriptions_.erase(leg); }

void Notifier::set_cascaded(media::LegId leg, bool cascaded) {
  const auto found = subscriptions_.find(leg);
  if (found == subscriptions_.end()) return;
  found->second.without = cascaded ? std::optional(leg) : std::nullopt;
  admit(found->second);
}

void Notifier::set_isfocus(media::LegId leg, bool isfocus) {
  const auto found = subscriptions_.find(leg);
  if (found == subscriptions_.end() || found->second.isfocus == isfocus) return;
  found->second.isfocus = isfocus;
  found->second.needs_full = true;
  admit(found->second);
}

// What its audience is told may have to be published first.
void Notifier::admit(const Subscription& subscription) {
  if (!published_.contains(subscription.audience())) touch();
  wake(due(subscription));
}

void Notifier::touch() {
  dirty_ = true;
  wake(publish_at());
}

void Notifier::wake(std::optional<TimePoint> at) {
  if (at) wake_at_ = std::min(wake_at_, *at);
}

void Notifier::answered(media::LegId leg, const std::string& id, const jingle::StanzaError* error,
                        TimePoint now) {
  all_.answered(id, now);
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
  wake(due(subscription));
}

void Notifier::connection_down() {
  connected_ = false;
  all_.link_down();
}

void Notifier::connection_up(TimePoint now) {
  connected_ = true;
  for (auto& [leg, subscription] : subscriptions_) {
    subscription.in_flight.reset();
    subscription.needs_full = true;
    subscription.unanswered = 0;
    subscription.not_before = std::max(now, subscription.last_sent + limits::kCoinGap);
  }
  wake(now);
}

Notifier::Published Notifier::published_for(const Subscription& subscription) const {
  const auto found = published_.find(subscription.audience());
  return found == published_.end() ? nullptr : found->second;
}

std::optional<TimePoint> Notifier::due(const Subscription& subscription) const {
  if (!subscription.listens()) return std::nullopt;
  if (subscription.in_flight) return subscription.in_flight->late_at;
  TimePoint ready =
      std::max({subscription.not_before, subscription.budget.ready_at(), all_.ready_at()});
  // A newcomer's first document shows the newcomer.
  if (!subscription.told && dirty_) ready = std::max(ready, publish_at());
  const Published published = published_for(subscription);
  if (!published) return std::nullopt;  // until it is
  if (subscription.needs_full || subscription.told != published) return ready;
  if (subscription.partials > 0) return std::max(heal_due(subscription, false), ready);
  return std::nullopt;
}

// When a full document may take the place of the next partial, or of nothing. Requires: partials.
TimePoint Notifier::heal_due(const Subscription& subscription, bool has_news) const {
  if (subscription.cut) return subscription.heal_by;
  const TimePoint half_free =
      std::max(all_.ready_at(), subscription.budget.ready_at()) + limits::kCoinBurst / 2;
  const bool many = has_news && subscription.partials >= limits::kCoinPartialsInARow;
  const TimePoint wanted = many ? TimePoint{} : subscription.last_sent + limits::kCoinHealAfter;
  return std::min(subscription.heal_by, std::max(wanted, half_free));
}

std::optional<TimePoint> Notifier::next_deadline() const {
  if (!connected_ || wake_at_ == TimePoint::max()) return std::nullopt;
  return wake_at_;
}

void Notifier::advance(const Roster& roster, Outbox& out, TimePoint now) {
  advance([&](std::optional<media::LegId> without) { return roster.info(without); }, out, now);
}

void Notifier::advance(const Truth& truth, Outbox& out, TimePoint now) {
  if (!connected_ || now < wake_at_) return;
  const auto anybody = [&] {
    return std::ranges::any_of(subscriptions_, [](const auto& e) { return e.second.listens(); });
  };
  if (dirty_ && now >= publish_at() && anybody()) publish(truth, now);
  all_.look(now);

  std::vector<std::pair<media::LegId, Subscription*>> waiting;
  for (auto& [leg, subscription] : subscriptions_) {
    time_out(subscription, now);
    const auto at = due(subscription);
    if (at && *at <= now) waiting.emplace_back(leg, &subscription);
  }
  // Who has waited longest goes first when the budget is short.
  std::ranges::stable_sort(waiting, {}, [](const auto& entry) { return entry.second->last_sent; });
  for (auto& [leg, subscription] : waiting) {
    // Those before may have left it nothing.
    if (*due(*subscription) <= now) send(leg, *subscription, out, now);
  }
  wake_at_ = TimePoint::max();
  if (dirty_ && anybody()) wake(publish_at());
  bool all_told = true;
  for (const auto& [leg, subscription] : subscriptions_) {
    wake(due(subscription));
    all_told &= !subscription.listens() || subscription.told == published_for(subscription);
  }
  if (all_told) updates_.clear();
}

// One look at the roster for everybody, and one for each focus among the receivers.
void Notifier::publish(const Truth& truth, TimePoint now) {
  dirty_ = false;
  published_at_ = now;
  updates_.clear();
  std::map<Audience, Published> before = std::exchange(published_, {});
  for (const auto& [leg, subscription] : subscriptions_) {
    if (subscription.isfocus) published_.try_emplace(subscription.audience());
  }
  coin::ConferenceInfo info;
  for (auto at = published_.begin(); at != published_.end();) {
    auto& [audience, published] = *at++;
    const bool last = at == published_.end() || at->first.without != audience.without;
    if (info.entity.empty()) info = truth(audience.without);
    coin::ConferenceInfo said = shaped(last ? std::exchange(info, {}) : info, audience.form);
    // Muted and unmuted within the same half second is nothing to tell.
    const Published& old = before[audience];
    published =
        old && *old == said ? old : std::make_shared<const coin::ConferenceInfo>(std::move(said));
  }
}

void Notifier::time_out(Subscription& subscription, TimePoint now) const {
  if (!subscription.in_flight || subscription.in_flight->late_at > now) return;
  subscription.in_flight.reset();
  if (!subscription.to.announced) {
    subscription.stopped = true;
    return;
  }
  subscription.needs_full = true;
  subscription.not_before =
      std::max(subscription.not_before, now + back_off(++subscription.unanswered));
}

Notifier::Update Notifier::make(const Published& told, const Published& target,
                                const coin::ConferenceInfo& document) {
  Update update;
  update.root.entity = document.entity;
  update.root.state = document.state;
  update.body = coin::write_body(document);
  update.told = target;
  update.cut = update.body.size() > kMostBody;
  if (update.cut) {
    coin::ConferenceInfo part = document;
    cut_to_fit(part, update.body);
    update.told = std::make_shared<const coin::ConferenceInfo>(
        part.state == coin::State::full ? std::move(part) : coin::merge(*told, part));
  }
  return update;
}

const Notifier::Update& Notifier::update_for(Subscription& subscription, TimePoint now) {
  const Published& told = subscription.told;
  const Published target = published_for(subscription);
  const auto full = [&]() -> const Update& {
    const auto [entry, added] = updates_.try_emplace({nullptr, target});
    if (added) entry->second = make(nullptr, target, *target);
    return entry->second;
  };
  if (!told || subscription.needs_full) {
    subscription.healed = nullptr;
    return full();
  }
  if (subscription.partials > 0 && heal_due(subscription, told != target) <= now) {
    subscription.cut = full().cut;
    if (!subscription.cut || subscription.heal_by <= now) {
      subscription.healed = target;
      return full();
    }
  }
  const auto [entry, added] = updates_.try_emplace({told, target});
  Update& update = entry->second;
  if (!added) return update;
  const auto difference = coin::diff(*told, *target);
  if (!difference) {
    update.told = target;
  } else if (difference->state == coin::State::full) {
    update = full();
  } else {
    update = make(told, target, *difference);
    // A partial that is no smaller only adds the risk of a gap; with fewer entries it is smaller.
    // But a full one that is cut would tell the same first users again, and never the rest.
    if (difference->users->users.size() >= target->users->users.size()) {
      const Update& whole = full();
      if (!whole.cut && update.body.size() >= whole.body.size()) update = whole;
    }
  }
  return update;
}

std::string Notifier::document(Subscription& subscription, const Update& update,
                               TimePoint now) const {
  if (update.root.state == coin::State::full) {
    subscription.partials = 0;
    subscription.cut = update.cut;
  } else if (subscription.healed != published_for(subscription)) {
    if (++subscription.partials == 1) subscription.heal_by = now + limits::kCoinHealAtLatest;
  }
  subscription.told = update.told;
  subscription.needs_full = false;
  // Jitsi knows its call by the sid, and drops a document without.
  const bool sid = config_.sid_attribute || subscription.to.form == DocumentForm::jitsi;
  return coin::write_head(update.root, sid ? subscription.to.sid.value : std::string(),
                          ++subscription.version) +
         update.body;
}

void Notifier::spend(Subscription& subscription, std::size_t bytes, TimePoint now) {
  all_.spend(bytes, now);
  subscription.budget.spend(bytes, now);
  subscription.last_sent = now;
  subscription.not_before = now + std::max<TimePoint::duration>(config_.coalesce, limits::kCoinGap);
}

void Notifier::send(media::LegId leg, Subscription& subscription, Outbox& out, TimePoint now) {
  const Update& update = update_for(subscription, now);
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
  const std::size_t bytes = payload.size();
  spend(subscription, bytes, now);
  std::string id = out.ask({.from = subscription.to.local,
                            .to = subscription.to.peer,
                            .id = {},
                            .is_set = true,
                            .payload = std::move(payload),
                            .priority = jingle::Priority::normal},
                           {subscription.to.peer, Purpose::coin, room_, leg, now});
  const TimePoint late_at = all_.sent(id, bytes, now);
  subscription.in_flight = InFlight{std::move(id), late_at};
}

jingle::Result<std::string> Notifier::pull(media::LegId leg, const Roster& roster, TimePoint now) {
  return pull(
      leg, [&](std::optional<media::LegId> without) { return roster.info(without); }, now);
}

jingle::Result<std::string> Notifier::pull(media::LegId leg, const Truth& truth, TimePoint now) {
  const auto found = subscriptions_.find(leg);
  if (found == subscriptions_.end() || !found->second.isfocus) {
    return tl::unexpected(jingle::unknown_session());
  }
  Subscription& subscription = found->second;
  if (std::max(subscription.budget.ready_at(), all_.ready_at()) > now) {
    return tl::unexpected(jingle::resource_constraint("You have been told enough for now."));
  }
  publish(truth, now);
  subscription.needs_full = true;
  std::string text = document(subscription, update_for(subscription, now), now);
  spend(subscription, text.size(), now);
  wake(now);
  return text;
}

}  // namespace mixer
