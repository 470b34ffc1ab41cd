// What the clients make of what the focus sends them, each time something else.
#include <algorithm>
#include <pugixml.hpp>

#include "mixer/overloaded.h"
#include "tests/sim/world.h"

namespace sim {
namespace {

namespace jmi = jingle::jmi;

constexpr char kDisco[] =
    "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' "
    "type='pc' name='sim'/><feature var='urn:xmpp:coin:1'/><feature var='urn:xmpp:jingle:1'/>"
    "<feature var='urn:xmpp:jingle:apps:rtp:audio'/>"
    "<feature var='urn:xmpp:jingle:transports:ice-udp:1'/></query>";

std::string error(const std::string& condition, const std::string& more = "") {
  return "<error type='cancel'><" + condition + " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
         more + "</error>";
}

std::string say(const std::string& sid, jmi::Payload payload) {
  return jmi::write({{sid}, std::move(payload)});
}

jmi::Reject reject(const std::string& condition) {
  jmi::Reject reject{};
  reject.reason.condition = condition;
  return reject;
}

std::string terminate_by(const std::string& sid, const std::string& condition) {
  return in_session(sid, "session-terminate", "<reason><" + condition + "/></reason>");
}

}  // namespace

Client* World::client(const jingle::Jid& full) {
  const auto found = std::ranges::find(clients_, full, &Client::full);
  return found == clients_.end() ? nullptr : &*found;
}

void World::read(Client& client, const std::string& document) {
  const auto info = coin::parse(document);
  ASSERT_TRUE(info) << document;
  client.views[*info->sid].receive(*info);
}

void World::deliver(const mixer::SendIq& iq) {
  Client* to = client(iq.to);
  if (!to) {  // nobody there: the server says so
    if (dice.chance(0.7)) answer(iq, "error", error("service-unavailable"));
    return;
  }
  const auto xml = jingle::Xml::parse(iq.payload);
  if (!jingle::is(xml->root(), jingle::ns::kJingle, "jingle")) {
    if (iq.is_set) read(*to, iq.payload);
    return acknowledge(*to, iq);
  }
  const std::string action = xml->root().attribute("action").value();
  const std::string sid = xml->root().attribute("sid").value();
  if (action == "session-initiate") return called(*to, iq, sid);
  const bool no_candidate = iq.payload.find("<candidate ") == iq.payload.npos;
  if (action == "transport-info" && no_candidate && to->sid == sid && dice.chance(0.8)) {
    const bool first = dice.chance(0.5);  // stanza.js answers before it acknowledges
    if (first) restarts(*to);
    acknowledge(*to, iq);
    if (!first) restarts(*to);
    return;
  }
  if (action == "session-terminate") {
    to->over.insert(sid);
    if (to->sid == sid) to->in_call = to->calling = false;
  }
  acknowledge(*to, iq);
}

std::string World::transport_info(const Client& of, const std::string& attributes,
                                  const std::string& children) {
  const std::string name = of.dialled ? "audio" : "0";
  return in_session(of.sid, "transport-info",
                    "<content creator='initiator' name='" + name +
                        "'><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' " + attributes +
                        ">" + children + "</transport></content>");
}

void World::trickles(const Client& from) {
  jingle(from,
         transport_info(from, "", candidate("192.0.2.9", 1 + static_cast<int>(dice.below(60000)))),
         from.full.resource() + " trickles");
}

void World::restarts(const Client& from) {
  const std::string ufrag = next_id();
  jingle(from,
         transport_info(from, "ufrag='" + ufrag + "' pwd='" + ufrag + std::string(22, 'p') + "'",
                        dice.chance(0.5) ? candidate("192.0.2.9", 9) : ""),
         from.full.resource() + " restarts");
}

// An error to a Jingle stanza ends the call; to a document, Coin.
void World::acknowledge(Client& client, const mixer::SendIq& iq) {
  if (!iq.is_set && !client.announces) return;
  if (!quiet_ && (client.manner == Client::Manner::never || dice.chance(0.1))) return;
  const bool fails = client.manner == Client::Manner::errors && iq.is_set && dice.chance(0.1);
  answer(iq, fails ? "error" : "result",
         fails       ? error("service-unavailable")
         : iq.is_set ? ""
                     : kDisco);
}

// A message to a bare JID goes to all its devices.
void World::deliver(const mixer::SendMessage& message) {
  auto read = stanza("<message xmlns='jabber:client' type='" + message.type + "' from='" +
                     message.from.str() + "' to='" + message.to.str() + "'>" + message.payload +
                     "</message>");
  const auto event = jmi::parse(std::get<jingle::Message>(read.value()));
  if (!event) return;
  const std::string& sid = event->id.value;
  const bool proposal = std::holds_alternative<jmi::Propose>(event->payload);
  bool anybody = false;
  for (Client& client : clients_) {
    const bool bare = message.to.is_bare();
    if (bare ? client.full.bare() != message.to : client.full != message.to) continue;
    anybody = true;
    if (proposal) {
      invited(client, message, sid);
    } else if (std::holds_alternative<jmi::Retract>(event->payload)) {
      client.over.insert(sid);
    } else if (std::holds_alternative<jmi::Reject>(event->payload) && client.sid == sid) {
      client.in_call = client.calling = false;
    }
  }
  if (!anybody && proposal && dice.chance(0.7)) {
    this->message(message.to, message.from.str(), error("service-unavailable"), "a bounce",
                  "type='error' id='" + message.id + "'");
  }
}

void World::invited(Client& client, const mixer::SendMessage& message, const std::string& sid) {
  const jingle::Jid full = client.full;
  const std::string us = message.from.str(), name = full.resource();
  const auto says = [=, this](jmi::Payload payload, const std::string& what) {
    this->message(full, us, say(sid, std::move(payload)), name + " " + what + " " + sid);
  };
  const auto unless_retracted = [=, this](std::chrono::milliseconds delay, auto what) {
    later(dice.up_to(delay), [=, this] {
      if (!this->client(full)->over.contains(sid)) what();
    });
  };
  if (quiet_) return;
  switch (dice.below(12)) {
    case 0:
    case 1: break;  // says nothing
    case 2:
    case 3: says(jmi::Proceed{}, "proceeds"); break;
    case 4:
      says(jmi::Ringing{}, "rings");
      unless_retracted(8000ms, [=] { says(jmi::Proceed{}, "proceeds"); });
      break;
    case 5:
      this->message(full, us, "<received xmlns='urn:xmpp:receipts' id='" + message.id + "'/>",
                    name + " has received it");
      later(dice.up_to(60000ms), [=] { says(jmi::Proceed{}, "proceeds, maybe too late,"); });
      break;
    case 6: says(reject("busy"), "is busy"); break;
    case 7:
      says(jmi::Ringing{}, "rings");
      unless_retracted(8000ms, [=] { says(reject("decline"), "declines"); });
      break;
    case 8: says(jmi::Ringing{}, "rings for ever"); break;
    case 9: {  // a device that is gone when it is called
      const jingle::Jid elsewhere = full.with_resource("elsewhere");
      this->message(elsewhere, us, say(sid, jmi::Proceed{}), "another device proceeds");
      break;
    }
    case 10:  // wants us, too
      call(client, us);
      this->message(full, us, say(client.sid, jmi::Propose{{"audio"}}), name + " crosses");
      later(dice.up_to(2000ms), [=, this] {
        Client& caller = *this->client(full);
        if (caller.calling) jingle(caller, Offer{.sid = caller.sid}.xml(), name + " calls");
      });
      break;
    case 11:
      call(client, jid(us).bare().str());
      jingle(client, Offer{.sid = client.sid}.xml(), name + " calls");
      break;
  }
}

// Our session-initiate.
void World::called(Client& client, const mixer::SendIq& iq, const std::string& sid) {
  const std::string name = client.full.resource(), us = iq.from.str();
  if (client.manner == Client::Manner::errors && dice.chance(0.3)) {
    return answer(iq, "error", error("service-unavailable"));
  }
  const bool crosses = client.calling && jid(client.room).bare() == iq.from.bare();
  if (crosses && client.sid < sid && dice.chance(0.8)) {  // XEP-0166 §7.2.16
    return answer(iq, "error", error("conflict", "<tie-break xmlns='urn:xmpp:jingle:errors:1'/>"));
  }
  acknowledge(client, iq);
  const auto say = [=, this, full = client.full](std::chrono::milliseconds delay,
                                                 const std::string& payload,
                                                 const std::string& what) {
    later(dice.up_to(delay), [=, this] {
      if (!this->client(full)->over.contains(sid))
        this->iq(full, us, "set", payload, name + " " + what);
    });
  };
  const auto answers = [=, this, full = client.full](std::chrono::milliseconds delay) {
    later(dice.up_to(delay), [=, this] { accept(*this->client(full), us, sid); });
  };
  if (quiet_) return;
  switch (dice.below(12)) {
    case 0: break;  // says nothing
    case 1: say(1000ms, terminate_by(sid, "busy"), "is busy"); break;
    case 2:
      say(0ms, session_info(sid, "ringing"), "rings");
      say(8000ms, terminate_by(sid, "decline"), "declines");
      break;
    case 3:  // from where nobody was called
      this->iq(client.full.with_resource("elsewhere"), us, "set", terminate_by(sid, "success"),
               "another device hangs up");
      answers(3000ms);
      break;
    case 4: say(0ms, in_session(sid, "session-accept"), "accepts nothing"); break;
    case 5:
      say(0ms, session_info(sid, "ringing"), "rings");
      answers(60000ms);  // maybe too late
      break;
    default:
      if (dice.chance(0.5)) say(0ms, session_info(sid, "ringing"), "rings");
      answers(3000ms);
  }
}

void World::accept(Client& client, const std::string& room, const std::string& sid) {
  if (client.over.contains(sid) && !dice.chance(0.1)) return;
  if (client.in_call && client.sid != sid) {
    return iq(client.full, room, "set", terminate_by(sid, "busy"),
              client.full.resource() + " is busy");
  }
  client.sid = sid;
  client.room = room;
  client.in_call = client.dialled = true;
  std::string xml = Offer{.sid = sid, .name = "audio"}.xml();
  const std::string initiate = "session-initiate", actpass = "actpass";
  xml.replace(xml.find(initiate), initiate.size(), "session-accept");
  xml.replace(xml.find(actpass), actpass.size(), "active");
  jingle(client, xml, client.full.resource() + " accepts " + sid);
}

}  // namespace sim
