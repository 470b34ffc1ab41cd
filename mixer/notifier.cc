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
constexpr std::size_t kMostHead = 4096;

// Fewer fit nearly always, and are not measured one by one.
constexpr std::size_t kManyUsers = 100;

}  // namespace

Notifier::Notifier(std::string room, const Config::Coin& config, ByteBudget& all)
    : room_(std::move(room)), config_(config), all_(all) {}

void Notifier::add(media::LegId leg, Receiver receiver) {
  const auto [entry, added] =
      subscriptions_.try_emplace(leg, Subscription{.to = receiver,
                                                   .without = std::nullopt,
                                                   .channel = nullptr,
                                                   .told_by = nullptr,
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

void Notifier::remove(media::LegId leg) {
  const auto found = subscriptions_.find(leg);
  if (found == subscriptions_.end()) return;
  land(found->second);
  subscriptions_.erase(found);
}

// Its document is believed on the link no more.
void Notifier::land(Subscription& subscription) {
  if (!subscription.in_flight) return;
  subscription.in_flight.reset();
  --in_flight_;
}

// It knows less than it was told.
void Notifier::stop(Subscription& subscription) {
  subscription.stopped = true;
  subscription.pulled = false;
  subscription.needs_full = true;
}

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
void Notifier::admit(Subscription& subscription) {
  const DocumentForm form = subscription.to.form;
  std::weak_ptr<Channel>& known = channels_[{subscription.without, form}];
  std::shared_ptr<Channel> channel = known.lock();
  if (!channel) known = channel = std::make_shared<Channel>(form);
  subscription.channel = std::move(channel);
  if (!subscription.published()) touch();
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
  const auto found = subscriptions_.find(leg);
  if (found == subscriptions_.end()) return;
  Subscription& subscription = found->second;
  const bool current = subscription.in_flight && subscription.in_flight->id == id;
  if (current) land(subscription);
  // Said of its stream, which broke off with this on its way (XEP-0198 §5) or is not back yet (RFC
  // 6121 §8.5.3.2.3), where a client without Coin would have refused the first.
  const bool away =
      error && (error->condition == "recipient-unavailable" ||
                (error->condition == "service-unavailable" && subscription.version > 1));
  if (!error) {
    if (current) subscription.unanswered = 0;
  } else if (!away && (!error->passes() || !subscription.to.announced)) {
    stop(subscription);  // the call goes on without
  } else if (current) {
    subscription.needs_full = true;
    subscription.not_before = now + back_off(++subscription.unanswered + 1);
  }
  // One of those who wait for the link may go first now.
  const bool waits = in_flight_ == 0 && all_.ready_at() > all_.ready_for_first_at();
  wake(waits ? now : due(subscription));
}

void Notifier::connection_down() { connected_ = false; }

void Notifier::connection_up(TimePoint now) {
  connected_ = true;
  for (auto& [leg, subscription] : subscriptions_) {
    land(subscription);
    subscription.needs_full = true;
    subscription.unanswered = 0;
    subscription.not_before = std::max(now, subscription.last_sent + limits::kCoinGap);
  }
  wake(now);
}

std::optional<TimePoint> Notifier::due(const Subscription& subscription) const {
  if (!subscription.listens()) return std::nullopt;
  if (subscription.in_flight) return subscription.in_flight->late_at;
  TimePoint ready = std::max({subscription.not_before, subscription.budget.ready_at(),
                              in_flight_ == 0 ? all_.ready_for_first_at() : all_.ready_at()});
  // A newcomer's first document shows the newcomer.
  if (!subscription.told && dirty_) ready = std::max(ready, publish_at());
  const Published& published = subscription.published();
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
  advance([&](auto without, auto since) { return roster.news(without, since); }, out, now);
}

void Notifier::advance(const Truth& truth, Outbox& out, TimePoint now) {
  if (!connected_ || now < wake_at_) return;
  const auto anybody = [&] {
    return std::ranges::any_of(subscriptions_, [](const auto& e) { return e.second.listens(); });
  };
  if (dirty_ && now >= publish_at() && anybody()) publish(truth, now);
  all_.look(now);

  wake_at_ = TimePoint::max();
  if (dirty_ && anybody()) wake(publish_at());
  bool all_told = true;
  const auto wait = [&](const Subscription& subscription, std::optional<TimePoint> at) {
    wake(at);
    all_told =
        all_told && (!subscription.listens() || subscription.told == subscription.published());
  };
  std::vector<std::pair<media::LegId, Subscription*>> waiting;
  for (auto& [leg, subscription] : subscriptions_) {
    time_out(subscription, now);
    const auto at = due(subscription);
    if (at && *at <= now) {
      waiting.emplace_back(leg, &subscription);
    } else {
      wait(subscription, at);
    }
  }
  // Who has waited longest goes first when the budget is short.
  std::ranges::stable_sort(waiting, {}, [](const auto& entry) { return entry.second->last_sent; });
  for (auto& [leg, subscription] : waiting) {
    // Those before may have left it nothing.
    if (*due(*subscription) <= now) send(leg, *subscription, out, now);
  }
  for (const auto& [leg, subscription] : waiting) wait(*subscription, due(*subscription));
  if (!all_told) return;
  updates_.clear();
  for (const auto& [audience, channel] : channels_) {
    if (const auto used = channel.lock()) used->listing.forget_changes();
  }
}

// One look at the roster for everybody, and one for each focus among the receivers.
void Notifier::publish(const Truth& truth, TimePoint now) {
  dirty_ = false;
  published_at_ = now;
  updates_.clear();
  std::erase_if(channels_, [](const auto& entry) { return entry.second.expired(); });
  std::uint64_t revision = seen_;
  for (auto at = channels_.begin(); at != channels_.end();) {
    const auto without = at->first.without;
    std::vector<std::shared_ptr<Channel>> channels;
    for (; at != channels_.end() && at->first.without == without; ++at) {
      channels.push_back(at->second.lock());
    }
    const bool all_know = std::ranges::all_of(
        channels, [](const auto& channel) { return channel->published != nullptr; });
    const News news = truth(without, all_know ? seen_ : 0);
    for (const auto& channel : channels) update(*channel, news);
    revision = news.revision;
  }
  seen_ = revision;
}

void Notifier::update(Channel& channel, const News& news) {
  const bool changed = channel.listing.take(news);
  coin::ConferenceInfo rest =
      shaped_rest(news.rest, channel.listing.size(), channel.listing.form());
  // Muted and unmuted within the same half second is nothing to tell.
  if (channel.published && !changed && channel.published->rest == rest) return;
  channel.published =
      std::make_shared<const Known>(Known{std::move(rest), channel.listing.revision(), {}});
}

void Notifier::time_out(Subscription& subscription, TimePoint now) {
  if (!subscription.in_flight || subscription.in_flight->late_at > now) return;
  land(subscription);
  if (!subscription.to.announced) return stop(subscription);
  subscription.needs_full = true;
  subscription.not_before =
      std::max(subscription.not_before, now + back_off(++subscription.unanswered));
}

// Users go in while there is room, and those after them later; whom no document has room for is
// left out for good, or the others would wait for him.
Notifier::Update Notifier::make(const Published& target, coin::ConferenceInfo document) const {
  Update update;
  update.root.entity = document.entity;
  update.root.state = document.state;
  update.told = target;
  const std::size_t room = all_.most_document_bytes() - kMostHead;
  if (!document.users || document.users->users.size() < kManyUsers) {
    update.body = coin::write_body(document);
    if (update.body.size() <= room) return update;
  }
  auto users = std::exchange(document.users->users, {});
  std::size_t bytes = coin::write_body(document).size();
  const std::size_t without_users = bytes;
  std::set<std::string> owed;
  for (coin::User& user : users) {
    const std::size_t more = owed.empty() ? size_of(user) : 0;
    if (owed.empty() && bytes + more <= room) {
      bytes += more;
      document.users->users.push_back(std::move(user));
    } else if (without_users + more <= room) {
      owed.insert(std::move(user.entity));
    }
  }
  update.body = coin::write_body(document);
  if (owed.empty()) return update;
  Known told = *target;
  told.owed = std::move(owed);
  update.cut = true;
  update.told = std::make_shared<const Known>(std::move(told));
  return update;
}

// What it was told as one of another audience still counts.
void Notifier::change_channel(Subscription& subscription) {
  const Listing& from = subscription.told_by->listing;
  const Listing& to = subscription.channel->listing;
  Known known = *subscription.told;
  const auto missed = from.since(known.revision, known.owed);
  if (!missed) {
    subscription.needs_full = true;
    return;
  }
  for (const coin::User& user : *missed) known.owed.insert(user.entity);
  for (std::string& entity : from.unlike(to)) known.owed.insert(std::move(entity));
  known.revision = to.revision();
  subscription.told = std::make_shared<const Known>(std::move(known));
  subscription.told_by = subscription.channel;
}

const Notifier::Update& Notifier::update_for(Subscription& subscription, TimePoint now) {
  if (subscription.told && subscription.told_by != subscription.channel) {
    change_channel(subscription);
  }
  const Published& told = subscription.told;
  const Published& target = subscription.published();
  const Listing& listing = subscription.channel->listing;
  const auto full = [&]() -> const Update& {
    const auto [entry, added] = updates_.try_emplace({nullptr, target});
    if (added) {
      coin::ConferenceInfo document = target->rest;
      if (document.users) document.users->users = listing.users();
      entry->second = make(target, std::move(document));
    }
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
  auto changed = listing.since(told->revision, told->owed);
  if (changed && changed->empty() && told->rest == target->rest) {
    update.told = target;
    return update;
  }
  // A partial that is no smaller only adds the risk of a gap; with fewer entries it is smaller.
  const bool many = changed && changed->size() >= listing.size();
  auto partial =
      changed ? coin::partial(told->rest, target->rest, std::move(*changed)) : std::nullopt;
  if (!partial) return update = full();
  update = make(target, *std::move(partial));
  // But a full one that is cut would tell the same first users again, and never the rest.
  if (many && !full().cut && update.body.size() >= full().body.size()) update = full();
  return update;
}

std::string Notifier::document(Subscription& subscription, const Update& update,
                               TimePoint now) const {
  if (update.root.state == coin::State::full) {
    subscription.partials = 0;
    subscription.cut = update.cut;
  } else if (subscription.healed != subscription.published()) {
    if (++subscription.partials == 1) subscription.heal_by = now + limits::kCoinHealAtLatest;
  }
  subscription.pulled = subscription.pulled && update.cut;
  subscription.told = update.told;
  subscription.told_by = subscription.channel;
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
    subscription.pulled = false;
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
  ++in_flight_;
}

jingle::Result<std::string> Notifier::pull(media::LegId leg, const Roster& roster, TimePoint now) {
  return pull(
      leg, [&](auto without, auto since) { return roster.news(without, since); }, now);
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
  subscription.pulled = true;
  std::string text = document(subscription, update_for(subscription, now), now);
  spend(subscription, text.size(), now);
  wake(now);
  return text;
}

}  // namespace mixer
