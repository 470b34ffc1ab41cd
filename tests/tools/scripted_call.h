// tests/tools/scripted_call.h: a Caller, and a world around it that says what happens.
#pragma once

#include <gtest/gtest.h>

#include <pugixml.hpp>
#include <string>

#include "coin/xml.h"
#include "signaling/namespaces.h"
#include "tools/call/caller.h"

namespace call {

inline const auto kSelf = *jingle::Jid::parse("ann@localhost/call");
inline const auto kRoom = *jingle::Jid::parse("room@mixer.localhost");
inline constexpr char kSid[] = "s1";

inline media::LegOpened opened() {
  media::LegOpened leg;
  leg.leg = media::LegId{1};
  leg.ice = {"ufra", "passwordpasswordpassword"};
  leg.candidates = {{1, "1", "127.0.0.1", 4000, 2130706431, media::CandidateType::host, "", 0}};
  leg.fingerprint = {"sha-256", "AB:CD:EF"};
  leg.ssrc = 77;
  return leg;
}

inline jingle::SessionAccept accept() {
  jingle::SessionAccept accept;
  accept.responder = kRoom.str();
  accept.isfocus = true;
  jingle::RtpDescription description;
  description.media = "audio";
  description.payload_types = {{111, "opus", 48000, {}, {}, 2, {{"useinbandfec", "1"}}, {}}};
  description.rtcp_mux = true;
  description.header_extensions = {{1, jingle::ns::kSsrcAudioLevel}};
  jingle::IceUdpTransport transport;
  transport.ufrag = "them";
  transport.pwd = "theirpasswordtheirpassword";
  transport.fingerprints = {{"sha-256", "12:34:56", jingle::Setup::active}};
  jingle::Content content;
  content.name = "audio";
  content.description = description;
  content.transport = transport;
  accept.contents = {content};
  return accept;
}

// A caller and the one who scripts its world.
class Scripted {
 public:
  explicit Scripted(CallerSpec spec = {}) : caller_(with_defaults(std::move(spec)), now_) {}

  Commands happens(const Event& event) { return remember(caller_.handle(event, now_)); }
  Commands passes(std::chrono::milliseconds time) {
    now_ += time;
    return happens(DeadlinePassed{});
  }
  // The answer to an IQ that the room sends; its XML.
  std::string room_sends(const std::string& payload, const std::string& from = kRoom.str(),
                         Commands* all = nullptr) {
    const auto id = "m" + std::to_string(++ids_);
    auto commands = stanza("<iq xmlns='jabber:client' type='set' id='" + id + "' from='" + from +
                           "' to='" + kSelf.str() + "'>" + payload + "</iq>");
    std::string answer;
    for (const auto& command : commands) {
      const auto* send = std::get_if<Send>(&command);
      if (send != nullptr && send->xml.find("id='" + id + "'") != std::string::npos) {
        EXPECT_EQ(answer, "") << "answered twice";
        answer = send->xml;
      }
    }
    if (all != nullptr) *all = std::move(commands);
    return answer;
  }
  std::string room_sends(const jingle::Payload& payload, Commands* all = nullptr) {
    return room_sends(jingle::write_jingle({jingle::Sid{kSid}, payload}), kRoom.str(), all);
  }
  Commands stanza(const std::string& text) {
    auto xml = jingle::Xml::parse(text);
    EXPECT_TRUE(xml) << text;
    auto read = jingle::read_stanza(std::move(*xml));
    EXPECT_TRUE(read) << text;
    return happens(StanzaReceived{std::move(*read)});
  }
  Commands answers(const std::string& type, const std::string& payload = "") {
    return stanza("<iq xmlns='jabber:client' type='" + type + "' id='" + last_id_ + "' from='" +
                  kRoom.str() + "' to='" + kSelf.str() + "'>" + payload + "</iq>");
  }
  std::string document(coin::State state, std::uint32_t version, const std::string& users) {
    return "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' "
           "entity='xmpp:room@mixer.localhost' sid='s1' state='" +
           std::string(coin::to_string(state)) + "' version='" + std::to_string(version) +
           "'><conference-description/><users state='" +
           (state == coin::State::full ? "full" : "partial") + "'>" + users +
           "</users></conference-info>";
  }
  static std::string user(const std::string& name) {
    return "<user entity='xmpp:" + name + "@localhost' state='full'><display-text>" + name +
           "</display-text><endpoint entity='xmpp:" + name +
           "@localhost/x' state='full'><status>connected</status><media id='audio'>"
           "<type>audio</type><src-id>42</src-id><status>sendrecv</status></media></endpoint></"
           "user>";
  }

  void dials() {
    happens(Online{kSelf});
    happens(media::Event(opened()));
    initiate_id_ = last_id_;
    answers("result");
  }
  void is_connected() {
    dials();
    room_sends(accept());
    happens(media::Event(media::LegConnected{media::LegId{1}, "host a", "host b"}));
  }

  const Caller& caller() const { return caller_; }
  const Report& report() const { return caller_.report(); }

 private:
  static CallerSpec with_defaults(CallerSpec spec) {
    spec.sid = kSid;
    spec.to = kRoom;
    return spec;
  }
  Commands remember(Commands commands) {
    for (const auto& command : commands) {
      const auto* send = std::get_if<Send>(&command);
      if (send == nullptr) continue;
      const auto at = send->xml.find("id='call");
      if (at != std::string::npos)
        last_id_ = send->xml.substr(at + 4, send->xml.find('\'', at + 4) - at - 4);
    }
    return commands;
  }
  TimePoint now_{};
  Caller caller_;
  int ids_ = 0;
  std::string last_id_, initiate_id_;
};

template <class T>
const T* find(const Commands& commands) {
  for (const auto& command : commands) {
    if (const auto* found = std::get_if<T>(&command)) return found;
  }
  return nullptr;
}
inline std::string sent(const Commands& commands) {
  std::string text;
  for (const auto& command : commands) {
    if (const auto* send = std::get_if<Send>(&command)) text += send->xml;
  }
  return text;
}
inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace call
