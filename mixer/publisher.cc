#include "mixer/publisher.h"

#include <algorithm>
#include <pugixml.hpp>

#include "mixer/limits.h"
#include "signaling/disco.h"
#include "signaling/namespaces.h"

namespace mixer {

namespace pep = jingle::pep;
namespace pubsub = jingle::pubsub;

Publisher::Publisher(jingle::Jid account, pubsub::NodeOptions nodes,
                     const std::vector<Published>& rows, const std::set<Node>& ours)
    : account_(std::move(account)), nodes_(std::move(nodes)) {
  for (const Node node : ours) entries_[node].unknown = true;
  for (const Published& row : rows) {
    const auto node = pep::node_of(row.node);
    if (row.by != account_ || !node) continue;
    Entry& entry = entries_[*node];
    entry.leftover = entry.saved = true;
    entry.unknown = false;
    entry.item = row.item;
  }
}

void Publisher::show(const Shown& wanted, TimePoint now) {
  if (leaving_) return;
  for (auto& [node, entry] : entries_) {
    // An empty element is another matter than what was refused.
    if (!wanted.contains(node) && entry.want(nullptr, now)) entry.refused = false;
  }
  for (const auto& [node, payload] : wanted) entries_[node].want(&payload, now);
}

void Publisher::leave() {
  show({}, TimePoint());
  leaving_ = true;
}

bool Publisher::reads_first() const {
  return service_ == Service::unconditional || !nodes_.roster_groups.empty();
}

bool Publisher::needs_stop(const Entry& entry) {
  return !entry.wanted && (entry.shown || entry.leftover);
}

std::size_t Publisher::stopping() const {
  if (service_ == Service::unknown || service_ == Service::none) return 0;
  return static_cast<std::size_t>(std::ranges::count_if(entries_, [](const auto& entry) {
    return entry.first != Node::avatar_data && needs_stop(entry.second) && !entry.second.refused;
  }));
}

void Publisher::connection_up(const jingle::Jid& self, bool resumed, Outbox& out, TimePoint now) {
  connected_ = true;
  self_ = self;
  if (resumed) return;
  service_ = Service::unknown;
  ask_wait_ = limits::kPublishRetry;
  for (auto& [node, entry] : entries_) {
    entry.leftover = entry.leftover || entry.shown;
    entry.shown.reset();
    entry.changed_at = entry.differs_since = now;
    entry.step = Step::idle;
    entry.not_before = {};
    entry.configured = entry.refused = false;
    entry.misses = 0;
  }
  ask_service(out, now);
}

// Again, until there is an answer that says something.
void Publisher::ask_service(Outbox& out, TimePoint now) {
  ask_at_ = now + ask_wait_;
  ask_wait_ = std::min<std::chrono::milliseconds>(2 * ask_wait_, limits::kServiceAskedMost);
  out.ask_disco_info(self_, {account_, Purpose::pep_service, {}, {}, now});
}

// XEP-0163 §6.1, XEP-0060 §7.1.5.
void Publisher::learn_service(const jingle::Iq& iq, Outbox& out) {
  if (iq.type == jingle::Iq::Type::error && jingle::StanzaError::parse(iq.xml.root()).passes()) {
    return;
  }
  const auto query = jingle::child(iq.xml.root(), jingle::ns::kDiscoInfo, "query");
  const auto info = jingle::DiscoInfo::parse(query).value_or(jingle::DiscoInfo{});
  const bool is_service = std::ranges::any_of(info.identities, [](const auto& identity) {
    return identity.category == "pubsub" && identity.type == "pep";
  });
  service_ = !is_service                                           ? Service::none
             : info.features.contains(jingle::ns::kPublishOptions) ? Service::conditional
                                                                   : Service::unconditional;
  if (!is_service && !entries_.empty()) {
    out.log(Log::Level::warning,
            "presence=off text=\"the account's server has no personal eventing (XEP-0163)\"");
  }
}

std::optional<TimePoint> Publisher::due(Node node, const Entry& entry) const {
  if (entry.step != Step::idle) return entry.late_at;
  if (entry.refused || service_ == Service::unknown || service_ == Service::none) {
    return std::nullopt;
  }
  if (needs_stop(entry) || entry.unknown) return entry.not_before;
  if (!entry.needs_publishing()) return std::nullopt;
  if (node == Node::avatar) {  // XEP-0084 §3.1: its data first
    const auto data = entries_.find(Node::avatar_data);
    if (data != entries_.end() && data->second.needs_publishing()) return std::nullopt;
  }
  return std::max(entry.due(), entry.not_before);
}

std::optional<TimePoint> Publisher::next_deadline() const {
  if (!connected_) return std::nullopt;
  std::optional<TimePoint> next;
  if (service_ == Service::unknown) next = ask_at_;
  for (const auto& [node, entry] : entries_) {
    // What is wanted has to be saved some time before it is published.
    const auto at = entry.wanted.has_value() != entry.saved && node != Node::avatar_data &&
                            !needs_stop(entry) && entry.step == Step::idle
                        ? std::optional(TimePoint())
                        : due(node, entry);
    if (at && (!next || *at < *next)) next = at;
  }
  return next;
}

void Publisher::advance(Outbox& out, TimePoint now) {
  if (!connected_) return;
  if (service_ == Service::unknown && ask_at_ <= now) ask_service(out, now);
  for (auto& [node, entry] : entries_) {
    if (node == Node::avatar_data && !entry.wanted) {
      entry.shown.reset();  // nobody looks for it without the metadata
      entry.leftover = false;
    }
    save(node, entry, out);
    if (const auto at = due(node, entry); at && *at <= now) {
      act(node, entry, out, now);
      save(node, entry, out);  // nobody has answered, and nothing is wanted any more
    }
  }
}

void Publisher::save(Node node, Entry& entry, Outbox& out) {
  if (node == Node::avatar_data || entry.step != Step::idle) return;
  const std::string id(pep::id_of(node));
  if (entry.wanted && !entry.saved) {
    entry.saved = true;
    out.put(SavePublished{{account_, id, item_id(*entry.wanted)}});
  } else if (!entry.wanted && entry.saved && !needs_stop(entry)) {
    entry.saved = false;
    out.put(ForgetPublished{account_, id});
  }
}

void Publisher::act(Node node, Entry& entry, Outbox& out, TimePoint now) {
  if (entry.step != Step::idle) {  // nobody answered
    failed(node, entry, jingle::resource_constraint("no answer"), out, now);
  } else if (entry.unknown) {
    look(node, entry, out, now);
  } else if (needs_stop(entry)) {
    publish(node, entry, true, out, now);
  } else if (reads_first()) {
    read(node, entry, out, now);
  } else {
    publish(node, entry, false, out, now);
  }
}

// An empty element may be seen by anybody.
void Publisher::publish(Node node, Entry& entry, bool stop, Outbox& out, TimePoint now) {
  entry.sent = stop ? std::nullopt : entry.wanted;
  const Payload payload = entry.sent.value_or(pep::stop_of(node));
  if (!stop || entry.item.empty()) entry.item = item_id(payload);
  pubsub::Publish publish{std::string(pep::id_of(node)),
                          {entry.item, jingle::Xml::parse(pep::write(payload)).value()},
                          {}};
  if (!stop && service_ == Service::conditional) {
    // ejabberd 23.01 refuses what has any other condition (its issue 3044).
    publish.options = {.access = nodes_.access, .persist = nodes_.persist, .max_items = {}};
  }
  entry.leftover_before = std::exchange(entry.leftover, true);
  entry.published_at = now;
  ask(node, entry, Step::publishing, pubsub::write(std::move(publish)), out, now);
}

bool Publisher::withdraw(Node node, Entry& entry, bool leftover, Outbox& out, TimePoint now) {
  if (!leftover || node == Node::avatar_data) return false;
  publish(node, entry, true, out, now);
  return true;
}

void Publisher::look(Node node, Entry& entry, Outbox& out, TimePoint now) {
  const pubsub::GetItems items{.node = std::string(pep::id_of(node)), .ids = {}, .max_items = 1};
  ask(node, entry, Step::looking, pubsub::write(items), out, now);
}

void Publisher::was_seen(Node node, Entry& entry, const jingle::Iq* iq) {
  entry.unknown = false;
  entry.misses = 0;
  if (!iq) return;
  for (const auto& item : pubsub::parse_items(iq->xml.root(), std::string(pep::id_of(node)))) {
    const auto payload = pep::parse(node, item.payload.root(), item.id);
    if (payload && is_stop(*payload)) continue;
    entry.leftover = true;
    entry.item = item.id;
  }
}

void Publisher::read(Node node, Entry& entry, Outbox& out, TimePoint now) {
  ask(node, entry, Step::reading, pubsub::configuration_query(std::string(pep::id_of(node))), out,
      now);
}

void Publisher::configure(Node node, Entry& entry, Outbox& out, TimePoint now) {
  ask(node, entry, Step::configuring, pubsub::configure(std::string(pep::id_of(node)), nodes_), out,
      now);
}

void Publisher::ask(Node node, Entry& entry, Step step, std::string payload, Outbox& out,
                    TimePoint now) {
  entry.step = step;
  entry.late_at = now + limits::kPublishTimeout;
  SendIq iq{.from = self_,
            .to = account_,
            .id = {},
            .is_set = step != Step::reading && step != Step::looking,
            .payload = std::move(payload),
            .priority = jingle::Priority::normal};
  entry.in_flight = out.ask(
      std::move(iq), {account_, Purpose::pep_publish, {}, {}, now, std::string(pep::id_of(node))});
}

void Publisher::answered(const Awaited& awaited, const jingle::Iq& iq, Outbox& out, TimePoint now) {
  if (awaited.purpose == Purpose::pep_service) return learn_service(iq, out);
  const auto node = pep::node_of(awaited.node);
  if (!node) return;
  Entry& entry = entries_[*node];
  if (entry.step == Step::idle || entry.in_flight != iq.id) return;  // too late
  if (iq.type == jingle::Iq::Type::error) {
    return failed(*node, entry, jingle::StanzaError::parse(iq.xml.root()), out, now);
  }
  switch (std::exchange(entry.step, Step::idle)) {
    case Step::looking: was_seen(*node, entry, &iq); break;
    case Step::reading: was_read(*node, entry, iq, out, now); break;
    case Step::creating:  // what has become of its configuration is for the service to say
      entry.configured = true;
      if (entry.wanted) read(*node, entry, out, now);
      break;
    case Step::configuring:
      entry.configured = true;
      if (entry.wanted && reads_first()) {
        read(*node, entry, out, now);
      } else if (entry.wanted) {
        publish(*node, entry, false, out, now);
      }
      break;
    case Step::publishing: done(*node, entry, out, now); break;
    case Step::idle: break;
  }
}

void Publisher::was_read(Node node, Entry& entry, const jingle::Iq& iq, Outbox& out,
                         TimePoint now) {
  const auto found = pubsub::parse_configuration(iq.xml.root());
  const bool strict = found && pubsub::is_as_strict(*found, nodes_);
  const bool as_wanted = strict && pubsub::is_as_strict(nodes_, *found);
  if (!strict && withdraw(node, entry, entry.leftover, out, now)) return;
  if (!entry.wanted) return;
  if (service_ == Service::conditional && !as_wanted && !entry.configured) {
    configure(node, entry, out, now);
  } else if (strict) {
    publish(node, entry, false, out, now);
  } else {
    refuse(node, entry, "error=unsafe text=\"others may read that node\"", out, now);
  }
}

void Publisher::done(Node node, Entry& entry, Outbox& out, TimePoint now) {
  entry.leftover = false;
  entry.misses = 0;
  entry.shown = entry.sent;
  if (entry.needs_publishing()) entry.differs_since = now;
  out.log(Log::Level::debug, std::string(entry.shown ? "presence=shown" : "presence=stopped") +
                                 " node=" + quoted(pep::id_of(node)));
}

void Publisher::failed(Node node, Entry& entry, const jingle::StanzaError& error, Outbox& out,
                       TimePoint now) {
  const Step step = std::exchange(entry.step, Step::idle);
  const bool unmet = error.app_name == "precondition-not-met";
  if (step == Step::publishing && unmet && entry.sent && !entry.configured) {
    entry.leftover = entry.leftover_before;
    if (withdraw(node, entry, entry.leftover, out, now)) return;
    return configure(node, entry, out, now);
  }
  if (step == Step::reading && error.condition == "item-not-found" && !entry.configured) {
    return ask(node, entry, Step::creating, pubsub::create(std::string(pep::id_of(node)), nodes_),
               out, now);
  }
  const std::string why =
      "error=" + error.condition + (error.app_name.empty() ? "" : "/" + error.app_name);
  if (error.passes()) {
    entry.not_before = now + limits::kPublishRetry;
    if (++entry.misses == 2) {  // one is nothing to speak of
      out.log(Log::Level::warning, "presence=late node=" + quoted(pep::id_of(node)) + " " + why +
                                       " text=" + quoted(error.text));
    }
    return;
  }
  if (step == Step::looking) return was_seen(node, entry, nullptr);
  // What it would not take is not there; what was there, unanswered, is.
  if (step == Step::publishing && entry.sent && !entry.shown) {
    entry.leftover = unmet || entry.leftover_before;
  }
  if (step == Step::reading && withdraw(node, entry, entry.leftover, out, now)) return;
  refuse(node, entry, why, out, now);
}

void Publisher::refuse(Node node, Entry& entry, const std::string& why, Outbox& out,
                       TimePoint now) {
  entry.refused = true;
  if (node == Node::avatar_data) entries_[Node::avatar].want(nullptr, now);  // of nothing
  out.log(Log::Level::warning, "presence=refused node=" + quoted(pep::id_of(node)) + " " + why);
}

}  // namespace mixer
