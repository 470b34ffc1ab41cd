#include "tests/sim/world.h"

#include <algorithm>

#include "mixer/overloaded.h"

namespace sim {
namespace {

bool failed() { return ::testing::Test::HasFailure(); }

}  // namespace

World::World(std::uint64_t seed)
    : dice(seed),
      departed_are_kept_(dice.chance(0.5)),
      focus_(
          config(), [this] { return dice.bits(); }, wall_time) {
  for (int i = 0; i < 6; ++i) {
    Client client;
    // Two devices of one user among them.
    client.full = jid("u" + std::to_string(i == 1 ? 0 : i) + "@localhost/d" + std::to_string(i));
    client.manner = dice.chance(0.7)   ? Client::Manner::answers
                    : dice.chance(0.5) ? Client::Manner::never
                                       : Client::Manner::errors;
    client.announces = dice.chance(0.8);
    clients_.push_back(client);
  }
  handle("up", mixer::ConnectionUp{{jid("mixer.localhost"), false}});
}

mixer::Config World::config() {
  mixer::Config config = component_config();
  config.room_defaults.departed_for = departed_are_kept_ ? 3600s : dice.chance(0.5) ? 10s : 0s;
  config.room_defaults.focus =
      dice.chance(0.7) ? mixer::FocusWhen::always : mixer::FocusWhen::multiparty;
  config.limits.participants_per_room = 4;
  config.limits.calls_per_minute_per_jid = 20;
  mixer::RoomConfig tea = config.room_defaults;
  tea.name = "tea";
  for (const char* target : {"u4@localhost", "u5@localhost/d5", "nobody@localhost"}) {
    if (!dice.chance(0.3)) continue;
    tea.invite.push_back(jid(target));
    laws_.invites(jid("tea@mixer.localhost"), jid(target));
  }
  config.rooms.emplace("tea", tea);
  return config;
}

void World::tell(const std::string& line) {
  story_.push_back(std::to_string((now_ - TimePoint(1000s)) / 1ms) + " ms: " + line);
}

// Stanzas on the way are lost with the connection, and sometimes without. XMPP keeps the order
// between two parties, and no other.
void World::on_the_wire(const std::string& path, std::function<void()> what) {
  const bool slow = !quiet_ && dice.chance(0.01);
  TimePoint& last = wire_[path];
  last = std::max(last, now_ + dice.up_to(slow ? 20000ms : 400ms));
  agenda_.emplace(last, [this, stream = stream_, what = std::move(what)] {
    if (stream == stream_ && connected_) what();
  });
}

void World::pass(std::chrono::milliseconds duration) {
  const TimePoint end = now_ + duration;
  while (!failed()) {
    const auto deadline = focus_.next_deadline();
    const bool ours = deadline && (agenda_.empty() || *deadline < agenda_.begin()->first);
    if (!ours && agenda_.empty()) break;
    const TimePoint next = ours ? *deadline : agenda_.begin()->first;
    if (next > end) break;
    now_ = std::max(now_, next);
    if (ours) {
      handle("deadline", mixer::DeadlinePassed{});
      EXPECT_TRUE(!focus_.next_deadline() || *focus_.next_deadline() > now_) << "no progress";
    } else {
      auto node = agenda_.extract(agenda_.begin());
      node.mapped()();
    }
  }
  now_ = end;
}

void World::handle(const std::string& what, const mixer::Event& event) {
  tell(what);
  laws_.happens(event, now_);
  const auto commands = focus_.handle(event, now_);
  laws_.commanded(commands);
  for (const auto& command : commands) carry_out(command);
  laws_.done();
}

// Between two events: what it makes the focus do is judged as a deadline's work.
void World::invite(const std::string& room, const jingle::Jid& target) {
  const mixer::Event nothing = mixer::DeadlinePassed{};
  laws_.happens(nothing, now_);
  laws_.invites(jid(room), target);
  const auto invited = focus_.invite(
      {.room = jid(room).local(), .target = target, .by = std::nullopt, .reason = "Tea?"}, now_);
  tell("invite " + target.str() + " into " + room + ": " +
       (invited.refused ? std::string(to_string(*invited.refused)) : "under way"));
  for (const auto& command : invited.commands) carry_out(command);
  laws_.done();
}

void World::carry_out(const mixer::Command& command) {
  laws_.commanded(command);
  std::visit(mixer::Overloaded{
                 [&](const mixer::OpenLeg& c) {
                   engine_.open_leg(c.spec);
                   later(dice.up_to(300ms), [this, leg = c.spec.leg] { open(leg); });
                 },
                 [&](const mixer::ConnectLeg& c) {
                   engine_.connect_leg(c.leg, c.remote);
                   connect(c.leg);
                 },
                 [&](const mixer::CloseLeg& c) {
                   engine_.close_leg(c.leg);
                   tell("  close leg " + std::to_string(c.leg.value));
                   later(dice.up_to(500ms),
                         [this, leg = c.leg] { handle("leg closed", engine_.closed(leg)); });
                 },
                 [&](const mixer::AddRemoteCandidates& c) {
                   engine_.add_remote_candidates(c.leg, c.candidates);
                 },
                 [&](const mixer::RestartIce& c) { restart(c); },
                 [&](const mixer::SetIceServers& c) { engine_.set_ice_servers(c.servers); },
                 [&](const mixer::SetMixPlan& c) { engine_.set_mix_plan(c.room, c.plan); },
                 [&](const mixer::Play& c) { engine_.play(c.spec); },
                 [&](const mixer::PausePlay& c) { engine_.pause_play(c.play, c.on); },
                 [&](const mixer::SeekPlay& c) { engine_.seek_play(c.play, c.to); },
                 [&](const mixer::StopPlay& c) { engine_.stop_play(c.play); },
                 [&](const mixer::PrepareRecord& c) { engine_.prepare_record(c.spec); },
                 [&](const mixer::Record& c) { engine_.record(c.record); },
                 [&](const mixer::StopRecord& c) { engine_.stop_record(c.record); },
                 [&](const mixer::Reply& c) {
                   tell("  answer " + (c.result ? "result" : c.result.error().condition));
                   if (!c.result || !c.result->starts_with("<conference-info")) return;
                   on_the_wire("to " + c.to.str(), [this, to = c.to, text = *c.result] {
                     if (Client* asker = client(to)) read(*asker, text);
                   });
                 },
                 [&](const mixer::SendIq& c) { carry_out(c); },
                 [&](const mixer::SendMessage& c) { carry_out(c); },
                 [](const auto&) {},  // nothing that the laws are about
             },
             command);
}

void World::carry_out(const mixer::SendIq& iq) {
  const std::size_t action = iq.payload.find("action=");
  if (action != iq.payload.npos) tell("  " + iq.payload.substr(action, 30) + " to " + iq.to.str());
  if (Client* to = client(iq.to); to && !iq.is_set) {
    to->unheard.insert(iq.from.bare());
  }
  if (connected_) on_the_wire("to " + iq.to.str(), [this, iq] { deliver(iq); });
}

void World::carry_out(const mixer::SendMessage& message) {
  tell("  message " + message.payload.substr(0, message.payload.find('>')) + " to " +
       message.to.str());
  if (!connected_ || (!quiet_ && dice.chance(0.05))) return;
  on_the_wire("to " + message.to.str(), [this, message] { deliver(message); });
}

// What the engine makes of it. A leg connects when it knows the other end.
void World::open(media::LegId leg) {
  if (!laws_.alive(leg)) return;
  if (dice.chance(0.05)) return fail(leg);
  handle("leg opened", engine_.opened(leg));
  if (laws_.alive(leg) && engine_.legs().at(leg).spec.remote) connect(leg);
}

void World::connect(media::LegId leg) {
  if (!engine_.legs().at(leg).opened) return;
  later(dice.up_to(2000ms), [this, leg] {
    if (!laws_.alive(leg)) return;
    if (dice.chance(0.1)) return fail(leg);
    if (engine_.legs().at(leg).spec.ice_controlling) ++laws_.tally.connected;
    handle("leg " + std::to_string(leg.value) + " connected", engine_.connected(leg));
  });
}

// What answers a restart of ours begins none.
void World::restart(const mixer::RestartIce& restart) {
  const media::LegId leg = restart.leg;
  const int before = engine_.legs().at(leg).restarts;
  engine_.restart_ice(leg, restart.remote);
  if (engine_.legs().at(leg).restarts == before) return;
  const auto outcome = dice.chance(0.1) ? engine_.restart_failed(leg) : engine_.restarted(leg);
  later(dice.up_to(100ms), [this, outcome] {
    if (!laws_.alive(outcome.leg)) return;
    handle("leg restarted", outcome);
    if (!laws_.alive(outcome.leg) || outcome.ice.ufrag.empty()) return;
    ++(outcome.remote_ufrag.empty() ? laws_.tally.restarts_of_ours : laws_.tally.restarts);
    later(dice.up_to(2000ms), [this, leg = outcome.leg] {
      if (laws_.alive(leg)) handle("leg connected again", engine_.connected(leg));
    });
  });
}

void World::fail(media::LegId leg) {
  const auto cause = static_cast<media::LegFailure>(dice.below(6));
  handle("leg " + std::to_string(leg.value) + " fails", media::LegFailed{leg, cause, "sim"});
}

void World::leg_fails(const Client& of) {
  const auto leg = laws_.leg_of(of.full, of.sid);
  if (leg && laws_.alive(*leg)) fail(*leg);
}

void World::consent_is_lost(const Client& of) {
  const auto leg = laws_.leg_of(of.full, of.sid);
  if (!leg || !laws_.connected(*leg)) return;
  handle("leg " + std::to_string(leg->value) + " loses consent",
         media::LegFailed{*leg, media::LegFailure::consent_lost, "sim"});
}

void World::leg_is_quiet(const Client& of, bool quiet) {
  const auto leg = laws_.leg_of(of.full, of.sid);
  if (!leg || !laws_.alive(*leg)) return;
  if (quiet) {
    handle("leg quiet", media::LegQuiet{*leg});
  } else {
    handle("leg heard", media::LegHeard{*leg});
  }
}

void World::lose_connection() {
  if (!connected_) return;
  connected_ = false;
  ++stream_;
  handle("down", mixer::ConnectionDown{});
  later(dice.up_to(5000ms), [this] {
    connected_ = true;
    handle("up", mixer::ConnectionUp{{jid("mixer.localhost"), false}});
  });
}

void World::quiesce() {
  quiet_ = true;
  pass(400s);
  for (const Client& client : clients_) {
    // Coin may have stopped, rightly, for the others.
    const bool served = client.manner == Client::Manner::answers && client.announces;
    if (!served || client.room.empty() || failed()) continue;
    if (client.unheard.contains(jid(client.room).bare())) continue;
    const auto leg = laws_.leg_of(client.full, client.sid);
    if (!leg || !laws_.connected(*leg)) continue;
    const auto view = client.views.find(client.sid);
    laws_.quiet(client.full, client.sid, view == client.views.end() ? coin::View() : view->second,
                departed_are_kept_);
  }
}

void World::shut_down() {
  handle("shutdown", mixer::ShutdownRequested{});
  pass(100s);
  laws_.over(focus_);
}

void World::iq(const jingle::Jid& from, const std::string& to, const std::string& type,
               const std::string& payload, const std::string& what) {
  const std::string text = "<iq xmlns='jabber:client' type='" + type + "' id='" + next_id() +
                           "' from='" + from.str() + "' to='" + to + "'>" + payload + "</iq>";
  on_the_wire("from " + from.str(), [this, text, what, from] {
    auto read = stanza(text);
    ASSERT_TRUE(read) << text;
    if (what.ends_with("calls")) client(from)->calling = false;
    handle(what, mixer::IqReceived{std::get<jingle::Iq>(*std::move(read))});
  });
}

void World::message(const jingle::Jid& from, const std::string& to, const std::string& children,
                    const std::string& what, const std::string& attributes) {
  if (!quiet_ && dice.chance(0.05)) return;
  const std::string text =
      "<message xmlns='jabber:client' " + attributes +
      (attributes.find("id=") == attributes.npos ? " id='" + next_id() + "'" : "") + " from='" +
      from.str() + "' to='" + to + "'>" + children + "</message>";
  on_the_wire("from " + from.str(), [this, text, what] {
    handle(what, mixer::MessageReceived{std::get<jingle::Message>(stanza(text).value())});
  });
}

void World::presence(const Client& from, const std::string& type) {
  const std::string caps = type.empty() && dice.chance(0.5)
                               ? "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' "
                                 "node='urn:sim' ver='v" +
                                     from.full.resource() + "'/>"
                               : "";
  const std::string text = "<presence xmlns='jabber:client'" +
                           (type.empty() ? "" : " type='" + type + "'") + " from='" +
                           from.full.str() + "' to='" + from.room + "'>" + caps + "</presence>";
  on_the_wire("from " + from.full.str(), [this, text, type] {
    handle("presence " + type,
           mixer::PresenceReceived{std::get<jingle::Presence>(stanza(text).value())});
  });
}

void World::answer(const mixer::SendIq& iq, const std::string& type, const std::string& child) {
  const std::string text = "<iq xmlns='jabber:client' type='" + type + "' id='" + iq.id +
                           "' from='" + iq.to.str() + "' to='" + iq.from.str() + "'>" + child +
                           "</iq>";
  on_the_wire("from " + iq.to.str(),
              [this, text, is_set = iq.is_set, room = iq.from.bare(), to = iq.to] {
                if (Client* asked = is_set ? nullptr : client(to)) asked->unheard.erase(room);
                handle("an answer of " + to.str(),
                       mixer::IqAnswered{std::get<jingle::Iq>(stanza(text).value())});
              });
}

void World::call(Client& from, const std::string& room) {
  from.sid = from.full.resource() + "-" + std::to_string(++from.calls);
  from.room = room;
  from.in_call = from.calling = true;
  from.dialled = false;
}

}  // namespace sim
