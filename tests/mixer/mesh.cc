#include "tests/mixer/mesh.h"

namespace test {
namespace {

mixer::Config config_for(const std::string& domain, mixer::Disclose disclose) {
  mixer::Config config;
  config.xmpp.jid = jid(domain);
  config.access.anyone = true;
  config.limits.calls_per_minute_per_jid = 1000;
  config.room_defaults.departed_for = std::chrono::seconds(0);
  config.room_defaults.disclose = disclose;
  config.room_defaults.moderators = {jid("c0@people.localhost")};
  config.record.directory = "/recordings";
  return config;
}

bool is_document(const std::string& payload) {
  return payload.find("urn:ietf:params:xml:ns:conference-info") != std::string::npos;
}

}  // namespace

Mesh::Mesh(std::uint64_t seed, const std::string& names, mixer::Disclose disclose)
    : dice(seed), names_(names) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    sites_.emplace_back(config_for(domain(static_cast<int>(i)), disclose), dice.bits());
  }
  for (std::size_t i = 0; i < names_.size(); ++i) {
    handle(static_cast<int>(i), mixer::ConnectionUp{{jid(domain(static_cast<int>(i))), false}});
  }
}

void Mesh::dial(int from, int to) {
  last_change_ = now_;
  const auto done = sites_[from].focus.invite({"room", jid(room(to)), {}, {}}, now_);
  log_.push_back("dial " + domain(from) + " -> " + domain(to) + ": " +
                 (done.refused ? std::string(mixer::to_string(*done.refused)) : "under way"));
  for (const auto& command : done.commands) carry_out(from, command);
}

int Mesh::join(int focus) {
  const int caller = static_cast<int>(callers_.size());
  callers_.push_back({.focus = focus});
  send("iq", jid(caller_jid(caller)), jid(room(focus)), "type='set' id='o" + name(caller) + "'",
       Offer{.sid = sid(caller), .ufrag = name(caller)}.xml());
  return caller;
}

void Mesh::leave(int caller) {
  Caller& gone = callers_[caller];
  if (!gone.in_call) return;
  gone.in_call = false;
  last_change_ = now_;
  send("iq", jid(caller_jid(caller)), jid(room(gone.focus)),
       "type='set' id='e" + name(caller) + "'", terminate(sid(caller)));
}

void Mesh::say(int caller, const std::string& text) {
  send("message", jid(caller_jid(caller)), jid(room(callers_[caller].focus)), "type='chat' id='m'",
       "<body>" + text + "</body>");
}

void Mesh::break_link(int focus) {
  for (const auto& [leg, state] : sites_[focus].engine.legs()) {
    const auto other = other_end(focus, leg);
    if (!other || !state.connected) continue;
    for (const auto& [site, end] : {std::pair(focus, leg), *other}) {
      after(dice.up_to(300ms), [this, site = site, end = end] {
        if (!live(site, end)) return;
        handle(site, media::Event(media::LegFailed{end, media::LegFailure::consent_lost,
                                                   "cut in the test"}));
      });
    }
    return;
  }
}

void Mesh::pass(std::chrono::milliseconds duration) {
  const TimePoint end = now_ + duration;
  for (;;) {
    TimePoint next = agenda_.empty() ? end : agenda_.begin()->first;
    int due = -1;
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      const auto deadline = sites_[i].focus.next_deadline();
      if (deadline && *deadline < next) {
        next = *deadline;
        due = static_cast<int>(i);
      }
    }
    if (next >= end) break;
    now_ = std::max(now_, next);
    if (due >= 0) {
      handle(due, mixer::DeadlinePassed{});
    } else {
      const auto node = agenda_.extract(agenda_.begin());
      node.mapped()();
    }
    check_sound();
    if (faults_.size() > 10) return;
  }
  now_ = end;
}

// ---- What the foci do.

void Mesh::handle(int focus, const mixer::Event& event) {
  for (const auto& command : sites_[focus].focus.handle(event, now_)) carry_out(focus, command);
}

void Mesh::carry_out(int focus, const mixer::Command& command) {
  FakeEngine& engine = sites_[focus].engine;
  if (const auto* reply = std::get_if<mixer::Reply>(&command)) {
    const bool ok = reply->result.has_value();
    send("iq", reply->from, reply->to,
         "type='" + std::string(ok ? "result" : "error") + "' id='" + reply->id + "'",
         ok ? *reply->result : reply->result.error().xml());
  } else if (const auto* iq = std::get_if<mixer::SendIq>(&command)) {
    send("iq", iq->from, iq->to,
         "type='" + std::string(iq->is_set ? "set" : "get") + "' id='" + iq->id + "'", iq->payload);
  } else if (const auto* message = std::get_if<mixer::SendMessage>(&command)) {
    send("message", message->from, message->to,
         "type='" + message->type + "' id='" + message->id + "'", message->payload);
  } else if (const auto* presence = std::get_if<mixer::SendPresence>(&command)) {
    send("presence", presence->from, presence->to,
         presence->type.empty() ? "" : "type='" + presence->type + "'", presence->payload);
  } else if (const auto* open = std::get_if<mixer::OpenLeg>(&command)) {
    engine.open_leg(open->spec);
    after(dice.up_to(100ms), [this, focus, leg = open->spec.leg] { opened(focus, leg); });
  } else if (const auto* connected = std::get_if<mixer::ConnectLeg>(&command)) {
    engine.connect_leg(connected->leg, connected->remote);
    after(dice.up_to(200ms), [this, focus, leg = connected->leg] { connect(focus, leg); });
  } else if (const auto* close = std::get_if<mixer::CloseLeg>(&command)) {
    engine.close_leg(close->leg);
    last_change_ = now_;
    sound_changed_ = true;
    after(dice.up_to(100ms),
          [this, focus, leg = close->leg] { handle(focus, sites_[focus].engine.closed(leg)); });
  } else if (const auto* plan = std::get_if<mixer::SetMixPlan>(&command)) {
    engine.set_mix_plan(plan->room, plan->plan);
    last_change_ = now_;
    sound_changed_ = true;
  } else if (const auto* prepare = std::get_if<mixer::PrepareRecord>(&command)) {
    after(dice.up_to(100ms), [this, focus, record = prepare->spec.record] {
      handle(focus, media::Event(media::RecordReady{record}));
    });
  } else if (const auto* line = std::get_if<mixer::Log>(&command)) {
    log_.push_back(domain(focus) + ": " + line->text);
    if (line->level >= mixer::Log::Level::warning) faults_.push_back(line->text);
  }
}

bool Mesh::live(int focus, media::LegId leg) const {
  const auto found = sites_[focus].engine.legs().find(leg);
  return found != sites_[focus].engine.legs().end() && !found->second.closing;
}

void Mesh::opened(int focus, media::LegId leg) {
  if (!live(focus, leg)) return;
  auto event = sites_[focus].engine.opened(leg);
  event.ice.ufrag = ufrag(focus, leg);
  event.fingerprint.value = kFingerprint;
  handle(focus, media::Event(event));
  if (live(focus, leg) && sites_[focus].engine.legs().at(leg).spec.remote) connect(focus, leg);
}

void Mesh::connect(int focus, media::LegId leg) {
  if (!live(focus, leg)) return;
  const auto& state = sites_[focus].engine.legs().at(leg);
  if (!state.opened || state.connected) return;
  last_change_ = now_;
  sound_changed_ = true;
  handle(focus, media::Event(sites_[focus].engine.connected(leg)));
}

// ---- The wire.

void Mesh::send(const std::string& kind, const jingle::Jid& from, const jingle::Jid& to,
                const std::string& attributes, const std::string& payload) {
  if (kind == "iq" && is_document(payload)) note_document(from.str(), to.str(), payload);
  TimePoint& arrival = wire_[{from.domain(), to.domain()}];
  arrival = std::max(arrival, now_ + dice.up_to(200ms));
  const std::string text = "<" + kind + " xmlns='jabber:client' from='" + from.str() + "' to='" +
                           to.str() + "' " + attributes + ">" + payload + "</" + kind + ">";
  agenda_.emplace(arrival, [this, text, to] { deliver(text, to); });
}

void Mesh::note_document(const std::string& from, const std::string& to,
                         const std::string& payload) {
  const auto info = coin::parse(payload);
  if (!info) return;
  coin::View& view = told_[{from, to + info->sid.value_or("")}];
  auto before = view.info();
  view.receive(*info);
  auto after = view.info();
  if (before) before->version.reset();
  if (after) after->version.reset();
  // A partial is sent for news only: one that says none goes in circles.
  if (before != after || info->state == coin::State::partial) last_news_ = now_;
}

void Mesh::deliver(const std::string& text, const jingle::Jid& to) {
  log_.push_back(std::to_string((now_ - TimePoint(1000s)) / 1ms) + " " + text);
  auto read = stanza(text);
  if (!read) {
    faults_.push_back("not a stanza: " + text);
    return;
  }
  if (to.domain() == "people.localhost") {
    const auto* iq = std::get_if<jingle::Iq>(&*read);
    if (iq) answer(std::stoi(to.local().substr(1)), *iq);
    return;
  }
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    const int focus = static_cast<int>(i);
    if (to.domain() != domain(focus)) continue;
    handle(focus, test::received(*read));
  }
}

// A plain caller: has Coin, answers everything, keeps what documents say.
void Mesh::answer(int caller, const jingle::Iq& iq) {
  if (iq.type != jingle::Iq::Type::get && iq.type != jingle::Iq::Type::set) return;
  Caller& who = callers_[caller];
  std::string result;
  const pugi::xml_node payload = iq.xml.root().first_child();
  if (iq.type == jingle::Iq::Type::get) {
    result =
        "<query xmlns='http://jabber.org/protocol/disco#info'>"
        "<feature var='urn:xmpp:coin:1'/></query>";
  } else if (const auto info = coin::parse(payload); info && who.in_call) {
    const auto outcome = who.view.receive(*info);
    if (outcome != coin::View::Outcome::applied) faults_.push_back("a caller missed a document");
  } else if (const auto request = jingle::parse_jingle(payload)) {
    if (std::holds_alternative<jingle::SessionAccept>(request->payload)) who.in_call = true;
    if (std::holds_alternative<jingle::SessionTerminate>(request->payload)) {
      if (who.in_call) faults_.push_back("a caller was put out");
      who.in_call = false;
    }
  }
  send("iq", jid(caller_jid(caller)), iq.from, "type='result' id='" + iq.id + "'", result);
}

// ---- Who hears whom.

std::optional<int> Mesh::caller_at(int focus, media::LegId leg) const {
  const auto& remote = sites_[focus].engine.legs().at(leg).spec.remote;
  if (!remote || remote->ice.ufrag.empty() || remote->ice.ufrag[0] != 'c') return std::nullopt;
  return std::stoi(remote->ice.ufrag.substr(1));
}

std::optional<std::pair<int, media::LegId>> Mesh::other_end(int focus, media::LegId leg) const {
  const auto& remote = sites_[focus].engine.legs().at(leg).spec.remote;
  if (!remote || !remote->ice.ufrag.starts_with("ice")) return std::nullopt;
  const auto site = static_cast<int>(names_.find(remote->ice.ufrag[3]));
  const media::LegId end{std::stoull(remote->ice.ufrag.substr(4))};
  if (!live(site, end) || !sites_[site].engine.legs().at(end).connected) return std::nullopt;
  return std::pair(site, end);
}

std::map<media::LegId, media::LegPlan> Mesh::plan(int focus) const {
  std::map<media::LegId, media::LegPlan> out;
  for (const auto& [room, plan] : sites_[focus].engine.plans()) {
    for (const auto& leg : plan.legs) {
      if (live(focus, leg.leg)) out[leg.leg] = leg;
    }
  }
  return out;
}

// What came in by `from` goes out by all others.
void Mesh::mixed(int focus, media::LegId from, std::map<int, int>& out, int depth) const {
  const auto planned = plan(focus);
  const auto in = planned.find(from);
  if (in == planned.end() || !in->second.in_mix || depth > 8) return;
  for (const auto& [leg, how] : planned) {
    if (leg == from || !how.receives) continue;
    if (const auto caller = caller_at(focus, leg)) {
      ++out[*caller];
    } else if (const auto other = other_end(focus, leg)) {
      mixed(other->first, other->second, out, depth + 1);
    }
  }
}

std::map<int, int> Mesh::heard(int caller) const {
  std::map<int, int> out;
  const int focus = callers_[caller].focus;
  for (const auto& [leg, state] : sites_[focus].engine.legs()) {
    if (!state.closing && state.connected && caller_at(focus, leg) == caller) {
      mixed(focus, leg, out, 0);
    }
  }
  return out;
}

void Mesh::check_sound() {
  if (!std::exchange(sound_changed_, false)) return;
  for (const int caller : callers()) {
    for (const auto& [hearer, times] : heard(caller)) {
      if (times == 1 && hearer != caller) continue;
      faults_.push_back("at " + std::to_string((now_ - TimePoint(1000s)) / 1ms) + " ms " +
                        name(hearer) + " hears " + name(caller) + " " + std::to_string(times) +
                        " times");
    }
  }
}

std::vector<int> Mesh::callers() const {
  std::vector<int> out;
  for (std::size_t i = 0; i < callers_.size(); ++i) {
    if (callers_[i].in_call) out.push_back(static_cast<int>(i));
  }
  return out;
}

std::vector<std::pair<int, int>> Mesh::links() const {
  std::vector<std::pair<int, int>> out;
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    const int focus = static_cast<int>(i);
    for (const auto& [leg, state] : sites_[i].engine.legs()) {
      if (!state.connected || state.closing) continue;
      const auto other = other_end(focus, leg);
      if (other && focus < other->first) out.emplace_back(focus, other->first);
    }
  }
  return out;
}

std::multiset<int> Mesh::listed(int caller) const {
  std::multiset<int> out;
  for (const std::string& name : names_shown(caller)) {
    if (name.starts_with('c')) out.insert(std::stoi(name.substr(1)));
  }
  return out;
}

std::vector<std::string> Mesh::foci(int caller) const {
  auto names = names_shown(caller);
  std::erase_if(names, [](const std::string& name) { return name.starts_with('c'); });
  return names;
}

std::vector<std::string> Mesh::names_shown(int caller) const {
  std::vector<std::string> out;
  const auto& info = callers_[caller].view.info();
  if (!info || !info->users) return out;
  for (const coin::User& user : info->users->users) {
    out.push_back(user.display_text.value_or(""));
  }
  return out;
}

}  // namespace test
