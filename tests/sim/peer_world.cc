#include "tests/sim/peer_world.h"

#include <algorithm>

#include "mixer/focus_agent.h"
#include "mixer/overloaded.h"

namespace sim {

PeerWorld::PeerWorld(std::uint64_t seed, Mood mood, mixer::Config config)
    : dice(seed),
      mood_(mood),
      room_((config.xmpp.mode == mixer::Config::Xmpp::Mode::client ? "" : "tea@") +
            config.xmpp.jid.str()),
      focus_(
          config, [this] { return dice.bits(); }, wall_time) {
  const bool bot = config.xmpp.mode == mixer::Config::Xmpp::Mode::client;
  handle(mixer::ConnectionUp{{bot ? jid(room_ + "/focus") : config.xmpp.jid, false}});
  later(1s, [this] { tick(); });
}

peers::Peer& PeerWorld::add(const peers::Client& client, peers::Part part, const peers::Peer* of) {
  const std::string n = std::to_string(lines_.size());
  const bool bare = mood_ == Mood::hostile && dice.chance(0.5);
  const std::string user = of ? jid(of->memory().self).bare().str() : "u" + n + "@localhost";
  Line& line = lines_.emplace_back(client,
                                   peers::Peer::Place{.self = user + "/" + client.name + n,
                                                      .room = room_,
                                                      .dials = bare ? room_ : room_ + "/focus",
                                                      .sid = "sid" + n + "of" + client.name},
                                   part);
  return line.peer;
}

peers::Peer& PeerWorld::call(const peers::Client& client, std::chrono::milliseconds delay) {
  peers::Peer& peer = add(client, peers::Part::calls, nullptr);
  later(delay, [this, &line = lines_.back()] { prompt(line); });
  return peer;
}

peers::Peer& PeerWorld::invite(const peers::Client& client, peers::Part part,
                               std::chrono::milliseconds delay, const peers::Peer* of) {
  peers::Peer& peer = add(client, part, of);
  say_presence(lines_.back(), "");
  if (of) return peer;
  later(1s + delay, [this, &peer] {
    const auto refused = invite_again(peer);
    EXPECT_FALSE(refused) << to_string(*refused);
  });
  return peer;
}

std::optional<mixer::InviteRefusal> PeerWorld::invite_again(const peers::Peer& peer) {
  const jingle::Jid target = jid(peer.memory().self).bare();
  const mixer::Event nothing = mixer::DeadlinePassed{};  // as which what it does is judged
  laws_.happens(nothing, now_);
  laws_.invites(jid(room_), target);
  const auto invited = focus_.invite(
      {.room = jid(room_).local(), .target = target, .by = jid("moderator@localhost")}, now_);
  for (const auto& command : invited.commands) carry_out(command);
  laws_.done();
  return invited.refused;
}

void PeerWorld::later(std::chrono::milliseconds delay, std::function<void()> what) {
  agenda_.emplace(now_ + delay, std::move(what));
}

void PeerWorld::pass(std::chrono::milliseconds duration) {
  const TimePoint end = now_ + duration;
  while (!::testing::Test::HasFailure()) {
    const auto deadline = focus_.next_deadline();
    const bool ours = deadline && (agenda_.empty() || *deadline < agenda_.begin()->first);
    if (!ours && agenda_.empty()) break;
    const TimePoint next = ours ? *deadline : agenda_.begin()->first;
    if (next > end) break;
    now_ = std::max(now_, next);
    if (ours) {
      handle(mixer::DeadlinePassed{});
    } else {
      agenda_.extract(agenda_.begin()).mapped()();
    }
  }
  now_ = end;
}

// Each second: those who wait lose their patience, and presence comes and goes.
void PeerWorld::tick() {
  for (Line& line : lines_) {
    line.peer.pass(now_);
    if (mood_ == Mood::hostile && dice.chance(0.05)) flap(line);
  }
  later(1s, [this] { tick(); });
}

void PeerWorld::flap(Line& line) {
  say_presence(line, " type='unavailable'");
  later(dice.up_to(2s), [this, &line] { say_presence(line, ""); });
}

void PeerWorld::say_presence(Line& line, const std::string& type) {
  send(line, "<presence" + type + " from='" + line.peer.memory().self + "' to='" + room_ +
                 "'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' ver='" +
                 line.peer.client().name + "' node='urn:x-test'/></presence>");
}

void PeerWorld::handle(const mixer::Event& event) {
  laws_.happens(event, now_);
  const auto commands = focus_.handle(event, now_);
  laws_.commanded(commands);
  for (const auto& command : commands) carry_out(command);
  laws_.done();
}

void PeerWorld::carry_out(const mixer::Command& command) {
  laws_.commanded(command);
  std::visit(mixer::Overloaded{
                 [&](const mixer::OpenLeg& c) { carry_out(c); },
                 [&](const mixer::ConnectLeg& c) { engine_.connect_leg(c.leg, c.remote); },
                 [&](const mixer::CloseLeg& c) {
                   engine_.close_leg(c.leg);
                   later(wire(), [this, leg = c.leg] { handle(engine_.closed(leg)); });
                 },
                 [&](const mixer::AddRemoteCandidates& c) {
                   engine_.add_remote_candidates(c.leg, c.candidates);
                 },
                 [&](const mixer::RestartIce& c) {
                   engine_.restart_ice(c.leg, c.remote);
                   later(wire(), [this, leg = c.leg] {
                     if (laws_.alive(leg)) handle(engine_.restarted(leg));
                   });
                 },
                 [&](const mixer::SetIceServers& c) { engine_.set_ice_servers(c.servers); },
                 [&](const mixer::SetMixPlan& c) { engine_.set_mix_plan(c.room, c.plan); },
                 [&](const mixer::Play& c) { engine_.play(c.spec); },
                 [&](const mixer::PausePlay& c) { engine_.pause_play(c.play, c.on); },
                 [&](const mixer::SeekPlay& c) { engine_.seek_play(c.play, c.to); },
                 [&](const mixer::StopPlay& c) { engine_.stop_play(c.play); },
                 [&](const mixer::PrepareRecord& c) { engine_.prepare_record(c.spec); },
                 [&](const mixer::Record& c) { engine_.record(c.record); },
                 [&](const mixer::StopRecord& c) { engine_.stop_record(c.record); },
                 [&](const mixer::Reply& c) { deliver(c.to, mixer::to_xml(c)); },
                 [&](const mixer::SendIq& c) { deliver(c.to, mixer::to_xml(c)); },
                 [&](const mixer::SendMessage& c) { deliver(c.to, mixer::to_xml(c)); },
                 [&](const mixer::SendPresence& c) { deliver(c.to, mixer::to_xml(c)); },
                 [](const auto&) {},  // nothing that a peer sees
             },
             command);
}

void PeerWorld::carry_out(const mixer::OpenLeg& open) {
  engine_.open_leg(open.spec);
  later(wire(), [this, leg = open.spec.leg] {
    if (!laws_.alive(leg)) return;
    const media::LegOpened opened = engine_.opened(leg);
    handle(opened);
    if (mood_ == Mood::calm || !laws_.alive(leg)) return;
    later(think(), [this, leg, candidates = opened.candidates]() mutable {
      candidates.front().port = 29999;
      candidates.front().type = media::CandidateType::srflx;
      if (laws_.alive(leg)) handle(media::CandidatesGathered{leg, candidates});
    });
  });
}

// ICE and DTLS begin when both have the other's half. The caller sees them done first: it is the
// DTLS server, whose last flight ends the handshake for us (RFC 6347 §4.2).
void PeerWorld::connect(Line& line) {
  const auto leg = laws_.leg_of(jid(line.peer.memory().self), line.peer.sid());
  if (line.connects || !line.peer.accepted() || !leg || !laws_.alive(*leg)) return;
  if (!engine_.legs().at(*leg).spec.remote) return;
  line.connects = true;
  line.leg = leg;
  later(wire(), [this, &line] {
    line.peer.connected(now_);
    prompt(line);
    later(wire(), [this, leg = *line.leg] {
      if (laws_.alive(leg)) handle(engine_.connected(leg));
    });
  });
}

void PeerWorld::prompt(Line& line) {
  const auto* step = line.peer.upcoming();
  if (!step) return;
  const peers::Act act = step->act;
  const auto stanza = line.peer.next(now_);
  if (stanza) {
    using enum peers::Act;
    if (act == mute || act == unmute || act == hold) {
      const auto xml = jingle::Xml::parse(*stanza).value();
      line.effects[xml.root().attribute("id").value()] = act;
    }
    send(line, *stanza);
  }
  later(think(), [this, &line] { prompt(line); });
}

void PeerWorld::send(Line& line, const std::string& stanza) {
  line.to_focus = std::max(line.to_focus, now_ + wire());
  story_.push_back(std::to_string((now_ - TimePoint(1000s)) / 1ms) + " " + stanza);
  std::string text = stanza;
  text.insert(text.find_first_of(" >"), " xmlns='jabber:client'");
  agenda_.emplace(line.to_focus, [this, text] {
    auto read = test::stanza(text);
    ASSERT_TRUE(read) << text;
    handle(test::received(std::move(*read)));
  });
}

void PeerWorld::deliver(const jingle::Jid& to, const std::string& stanza) {
  for (Line& line : lines_) {
    const jingle::Jid self = jid(line.peer.memory().self);
    if (to != self && to != self.bare()) continue;
    line.to_peer = std::max(line.to_peer, now_ + wire());
    agenda_.emplace(line.to_peer, [this, &line, stanza] { arrives(line, stanza); });
  }
}

void PeerWorld::arrives(Line& line, const std::string& stanza) {
  story_.push_back(std::to_string((now_ - TimePoint(1000s)) / 1ms) + "   " + stanza);
  auto xml = jingle::Xml::parse(stanza);
  ASSERT_TRUE(xml) << stanza;
  const auto fault = spoilt_.find(&line.peer);
  if (fault != spoilt_.end() && xml->root().select_node(fault->second->on)) {
    ++spoilings_;
    if (!fault->second->change) return;
    fault->second->change(xml->root());
  }
  if (xml->root().attribute("type").value() == std::string("result")) {
    look_at_effect(line, xml->root().attribute("id").value());
  }
  const std::string answer = line.peer.receive(*xml, now_);
  if (!answer.empty()) later(think(), [this, &line, answer] { send(line, answer); });
  connect(line);
  later(think(), [this, &line] { prompt(line); });
}

// What the client said has come into force when it is told so.
void PeerWorld::look_at_effect(Line& line, const std::string& id) {
  const auto effect = line.effects.find(id);
  if (effect == line.effects.end() || !line.leg || !laws_.connected(*line.leg)) return;
  ++effects_;
  const auto& plan = engine_.plans().at(engine_.legs().at(*line.leg).spec.room).legs;
  const auto planned = std::ranges::find(plan, *line.leg, &media::LegPlan::leg);
  ASSERT_TRUE(planned != plan.end());
  EXPECT_EQ(planned->in_mix, effect->second == peers::Act::unmute) << line.peer.client().name;
  EXPECT_EQ(planned->receives, effect->second != peers::Act::hold) << line.peer.client().name;
}

void PeerWorld::shut_down() {
  for (Line& line : lines_) line.peer.may_be_ended();
  handle(mixer::ShutdownRequested{});
  pass(100s);
  laws_.over(focus_);
}

}  // namespace sim
