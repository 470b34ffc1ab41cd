// tests/support/dialler.h: a focus that dials out, on a bench; whom it invites is played by the
// test.
#pragma once

#include "tests/support/focus_bench.h"

namespace test {

namespace jmi = jingle::jmi;

inline mixer::Config inviting(std::vector<std::string> targets) {
  mixer::Config config = component_config();
  mixer::RoomConfig room;
  room.name = "room";
  for (const auto& target : targets) room.invite.push_back(jid(target));
  config.rooms.emplace("room", room);
  return config;
}

class Dialler : public Bench {
 public:
  explicit Dialler(mixer::Config config = component_config()) : Bench(std::move(config)) {
    greeting = up();
  }
  Step greeting;

  std::optional<mixer::InviteRefusal> refused;
  Step invite(const std::string& target, const std::string& room = "room") {
    auto invited = focus.invite(
        {.room = room, .target = jid(target), .by = jid("ann@localhost"), .reason = "Tea"}, now);
    refused = invited.refused;
    // Through the bench, for what it does with commands.
    Step step = perform(std::move(invited.commands));
    return step;
  }
  Step jmi_from(const std::string& from, const std::string& what, const std::string& sid,
                const std::string& children = "") {
    return message(from, "room@mixer.localhost/focus",
                   "<" + what + " xmlns='urn:xmpp:jingle-message:0' id='" + sid + "'>" + children +
                       "</" + what + ">");
  }
  Step rejects(const std::string& from, const std::string& sid, const std::string& reason) {
    return jmi_from(from, "reject", sid,
                    "<reason xmlns='urn:xmpp:jingle:1'><" + reason + "/></reason>");
  }
  // How others see that user's only endpoint; "" if he is not listed.
  std::string status(const std::string& bare) {
    const Step step = iq("ann@localhost/phone", "room@mixer.localhost",
                         "<conference-info xmlns='urn:ietf:params:xml:ns:conference-"
                         "info'/>",
                         "get");
    const auto reply = step.reply();
    if (!reply.result) return "no document";
    const auto info = coin::parse(*reply.result);
    if (!info || !info->users) return "no users";
    for (const auto& user : info->users->users) {
      if (user.entity != jid(bare).uri()) continue;
      const coin::Endpoint& endpoint = user.endpoints.front();
      std::string out(endpoint.status ? coin::to_string(*endpoint.status) : "?");
      if (endpoint.disconnection_method) {
        out += " " + std::string(coin::to_string(*endpoint.disconnection_method));
      }
      return out;
    }
    return "";
  }
};

// The id of the only proposal; "" if there is none.
inline std::string proposed(const Step& step) {
  std::string id;
  for (const auto& event : step.jmi()) {
    if (!std::holds_alternative<jmi::Propose>(event.payload)) continue;
    EXPECT_EQ(id, "") << "two proposals";
    id = event.id.value;
  }
  return id;
}
// Of our offer.
inline std::string accept(const std::string& sid) {
  Offer offer{.sid = sid, .name = "audio"};
  offer.fingerprint =
      "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' "
      "setup='active'>" +
      kFingerprint + "</fingerprint>";
  std::string xml = offer.xml();
  return xml.replace(xml.find("session-initiate"), 16, "session-accept");
}
template <typename P>
std::vector<P> said(const Step& step) {
  std::vector<P> out;
  for (const auto& event : step.jmi()) {
    if (const auto* payload = std::get_if<P>(&event.payload)) out.push_back(*payload);
  }
  return out;
}

}  // namespace test
