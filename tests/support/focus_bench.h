// tests/support/focus_bench.h: a Focus on a bench: stanzas as text in, commands sorted by kind out,
// a fake engine that keeps the books, and a clock that moves when told. One thread.
#pragma once

#include <gtest/gtest.h>

#include <pugixml.hpp>
#include <random>
#include <string>
#include <vector>

#include "coin/diff.h"
#include "coin/xml.h"
#include "mixer/focus.h"
#include "signaling/jingle.h"
#include "signaling/jingle_message.h"
#include "signaling/namespaces.h"
#include "tests/support/fake_engine.h"

namespace test {

using namespace std::chrono_literals;
using mixer::TimePoint;

inline const std::string kFingerprint =
    "95:78:01:78:3F:95:34:1C:F8:8C:9A:57:59:03:78:6A:B3:21:50:B8:FD:C9:E0:6C:BC:76:6F:43:ED:38:1F:"
    "1A";

// What came over the stream, as the focus is told of it.
inline mixer::Event received(jingle::Stanza stanza) {
  if (auto* message = std::get_if<jingle::Message>(&stanza)) {
    return mixer::MessageReceived{std::move(*message)};
  }
  if (auto* presence = std::get_if<jingle::Presence>(&stanza)) {
    return mixer::PresenceReceived{std::move(*presence)};
  }
  auto& iq = std::get<jingle::Iq>(stanza);
  const bool asks = iq.type == jingle::Iq::Type::get || iq.type == jingle::Iq::Type::set;
  if (asks) return mixer::IqReceived{std::move(iq)};
  return mixer::IqAnswered{std::move(iq)};
}

inline mixer::Config component_config() {
  mixer::Config config;
  config.xmpp.jid = *jingle::Jid::parse("mixer.localhost");
  config.media.discover_services = jingle::Jid();
  return config;
}
inline mixer::Config client_config() {
  mixer::Config config;
  config.xmpp.mode = mixer::Config::Xmpp::Mode::client;
  config.xmpp.jid = *jingle::Jid::parse("bot@localhost");
  config.media.discover_services = jingle::Jid();
  return config;
}

// TimePoint 1000 s, where benches begin, is 2026-01-01T00:00:00Z.
inline std::chrono::sys_seconds wall_time(TimePoint at) {
  using namespace std::chrono;
  return sys_days(2026y / 1 / 1) + duration_cast<seconds>(at - TimePoint(1000s));
}

inline jingle::Jid jid(const std::string& text) { return jingle::Jid::parse(text).value(); }

// An offer as WebRTC clients make it; every part can be replaced.
struct Offer {
  std::string sid = "S1";
  std::string name = "0";
  std::string payload_types =
      "<payload-type id='111' name='opus' clockrate='48000' channels='2'>"
      "<parameter name='minptime' value='10'/><parameter name='useinbandfec' value='1'/>"
      "</payload-type>";
  std::string more_description = "<rtcp-mux/>";
  std::string ufrag = "S0dl", pwd = "qzwvx5m/k0sxr6B3r7xnbmeo";
  std::string fingerprint =
      "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' "
      "setup='actpass'>" +
      kFingerprint + "</fingerprint>";
  std::string candidates = {};
  std::string more_contents = {}, more_jingle = {};
  std::string attributes = {};  // of <jingle/>

  std::string transport() const {
    return "<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'" +
           (ufrag.empty() ? "" : " ufrag='" + ufrag + "'") +
           (pwd.empty() ? "" : " pwd='" + pwd + "'") + ">" + fingerprint + candidates +
           "</transport>";
  }
  std::string xml() const {
    return "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='" + sid + "' " +
           attributes + "><content creator='initiator' name='" + name +
           "'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>" + payload_types +
           more_description + "</description>" + transport() + "</content>" + more_contents +
           more_jingle + "</jingle>";
  }
};

inline std::string candidate(const std::string& ip, int port, const std::string& more = "") {
  return "<candidate component='1' foundation='1' ip='" + ip + "' port='" + std::to_string(port) +
         "' priority='2130706431' protocol='udp' type='host' " + more + "/>";
}
inline std::string in_session(const std::string& sid, const std::string& action,
                              const std::string& children = "") {
  return "<jingle xmlns='urn:xmpp:jingle:1' action='" + action + "' sid='" + sid + "'>" + children +
         "</jingle>";
}
inline std::string session_info(const std::string& sid, const std::string& rtp_info = "") {
  return in_session(
      sid, "session-info",
      rtp_info.empty() ? "" : "<" + rtp_info + " xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>");
}
inline std::string terminate(const std::string& sid) {
  return in_session(sid, "session-terminate", "<reason><success/></reason>");
}

// A client's answer to disco#info.
inline std::string disco(const std::string& name, const std::string& feature = "urn:xmpp:ping") {
  return "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' "
         "type='pc' name='" +
         name + "'/><feature var='" + feature + "'/></query>";
}

// What one event made the focus do.
struct Step {
  mixer::Commands commands;

  template <typename C>
  std::vector<C> all() const {
    std::vector<C> out;
    for (const auto& command : commands) {
      if (const auto* c = std::get_if<C>(&command)) out.push_back(*c);
    }
    return out;
  }
  // The one answer.
  mixer::Reply reply() const {
    const auto replies = all<mixer::Reply>();
    EXPECT_EQ(replies.size(), 1u);
    return replies.empty() ? mixer::Reply{} : replies.front();
  }
  bool acked() const { return reply().result.has_value(); }
  // "condition" or "condition/application condition" of an error; "result" otherwise.
  std::string answer() const {
    const auto result = reply().result;
    if (result) return "result";
    return result.error().condition +
           (result.error().app_name.empty() ? "" : "/" + result.error().app_name);
  }
  std::vector<std::pair<mixer::SendIq, jingle::Request>> jingle() const {
    std::vector<std::pair<mixer::SendIq, jingle::Request>> out;
    for (const auto& iq : all<mixer::SendIq>()) {
      const auto xml = jingle::Xml::parse(iq.payload);
      if (!xml || !jingle::is(xml->root(), jingle::ns::kJingle, "jingle")) continue;
      const auto request = jingle::parse_jingle(xml->root());
      EXPECT_TRUE(request) << iq.payload;
      if (request) out.emplace_back(iq, *request);
    }
    return out;
  }
  template <typename P>
  std::vector<P> sent() const {
    std::vector<P> out;
    for (const auto& [iq, request] : jingle()) {
      if (const auto* p = std::get_if<P>(&request.payload)) out.push_back(*p);
    }
    return out;
  }
  // The reason of the only session-terminate; "" if there is none.
  jingle::Reason terminated() const {
    const auto all = sent<jingle::SessionTerminate>();
    EXPECT_LE(all.size(), 1u);
    return all.empty()
               ? jingle::Reason{.condition = "", .text = {}, .alternative_sid = {}, .rtp_error = {}}
               : all.front().reason;
  }
  std::vector<std::pair<mixer::SendIq, coin::ConferenceInfo>> documents() const {
    std::vector<std::pair<mixer::SendIq, coin::ConferenceInfo>> out;
    for (const auto& iq : all<mixer::SendIq>()) {
      // A <jingle/> may stand before it.
      const std::size_t at = std::min(iq.payload.find("<conference-info xmlns=\"urn:ietf"),
                                      iq.payload.find("<conference-info xmlns='urn:ietf"));
      if (at == std::string::npos) continue;
      auto info = coin::parse(iq.payload.substr(at));
      EXPECT_TRUE(info) << iq.payload;
      if (info) out.emplace_back(iq, *info);
    }
    return out;
  }
  std::vector<jingle::jmi::Event> jmi() const;
};

inline std::optional<jingle::Stanza> stanza(const std::string& text) {
  auto xml = jingle::Xml::parse(text);
  if (!xml) return std::nullopt;
  return jingle::read_stanza(std::move(*xml));
}

inline std::vector<jingle::jmi::Event> Step::jmi() const {
  std::vector<jingle::jmi::Event> out;
  for (const auto& message : all<mixer::SendMessage>()) {
    auto read = stanza("<message xmlns='jabber:client' type='chat' from='" + message.from.str() +
                       "' to='" + message.to.str() + "'>" + message.payload + "</message>");
    if (!read) continue;
    if (auto event = jingle::jmi::parse(std::get<jingle::Message>(*read))) out.push_back(*event);
  }
  return out;
}

class Bench {
 public:
  explicit Bench(mixer::Config config = component_config(), std::uint64_t seed = 1,
                 const std::vector<mixer::Subscription>& rows = {},
                 const std::vector<mixer::Published>& published = {},
                 const std::vector<mixer::NodeSubscription>& subscribed = {})
      : random_(seed),
        focus(
            std::move(config), [this] { return random_(); }, wall_time, rows, published,
            subscribed) {}

 private:
  std::mt19937_64 random_;
  int ids_ = 0;

 public:
  mixer::Focus focus;
  FakeEngine engine;
  TimePoint now{1000s};
  // Whether each IQ of ours is acked at once, and each client asked for disco#info answers this.
  bool answers = true;
  std::string client = disco("");
  std::string no_recording;  // why the engine can begin none
  // What clients make of the documents they are sent (RFC 4575 §4.6), by sid.
  std::map<std::string, coin::View> views;
  // What that session was told of that user; nullptr: it is not listed.
  const coin::User* listed(const std::string& sid, const std::string& entity) const {
    const auto view = views.find(sid);
    if (view == views.end() || !view->second.info()) return nullptr;
    for (const coin::User& user : view->second.info()->users->users) {
      if (user.entity == entity) return &user;
    }
    return nullptr;
  }

  Step handle(const mixer::Event& event) { return perform(focus.handle(event, now)); }
  Step perform(mixer::Commands commands) {
    Step step{std::move(commands)};
    for (const auto& [iq, info] : step.documents()) views[info.sid.value_or("")].receive(info);
    carry_out(step);
    return step;
  }
  Step up(bool resumed = false, const std::string& as = "mixer.localhost") {
    return handle(mixer::ConnectionUp{{jid(as), resumed}});
  }
  Step iq(const std::string& from, const std::string& to, const std::string& payload,
          const std::string& type = "set") {
    auto read =
        stanza("<iq xmlns='jabber:client' type='" + type + "' id='i" + std::to_string(++ids_) +
               "' from='" + from + "' to='" + to + "'>" + payload + "</iq>");
    if (!read) {
      ADD_FAILURE() << "not a stanza: " << payload;
      return {};
    }
    return handle(mixer::IqReceived{std::get<jingle::Iq>(std::move(*read))});
  }
  Step message(const std::string& from, const std::string& to, const std::string& children,
               const std::string& type = "chat") {
    auto read =
        stanza("<message xmlns='jabber:client' type='" + type + "' id='m" + std::to_string(++ids_) +
               "' from='" + from + "' to='" + to + "'>" + children + "</message>");
    return handle(mixer::MessageReceived{std::get<jingle::Message>(std::move(read.value()))});
  }
  Step presence(const std::string& from, const std::string& to, const std::string& type = "",
                const std::string& children = "") {
    auto read =
        stanza("<presence xmlns='jabber:client' " + (type.empty() ? "" : "type='" + type + "' ") +
               "from='" + from + "' to='" + to + "'>" + children + "</presence>");
    return handle(mixer::PresenceReceived{std::get<jingle::Presence>(std::move(read.value()))});
  }
  Step answered(const mixer::SendIq& iq, const std::string& type, const std::string& child,
                const std::string& from = "") {
    auto read = stanza("<iq xmlns='jabber:client' type='" + type + "' id='" + iq.id + "' from='" +
                       (from.empty() ? iq.to.str() : from) + "' to='" + iq.from.str() + "'>" +
                       child + "</iq>");
    return handle(mixer::IqAnswered{std::get<jingle::Iq>(std::move(read.value()))});
  }
  Step media(media::Event event) { return handle(event); }
  // Lets time pass, deadline by deadline; what was said on the way.
  Step wait(std::chrono::milliseconds duration) {
    const TimePoint end = now + duration;
    Step step;
    for (int guard = 0; guard < 100000; ++guard) {
      const auto deadline = focus.next_deadline();
      if (!deadline || *deadline > end) break;
      now = std::max(now, *deadline);
      const Step one = handle(mixer::DeadlinePassed{});
      EXPECT_TRUE(!focus.next_deadline() || *focus.next_deadline() > now) << "no progress";
      step.commands.insert(step.commands.end(), one.commands.begin(), one.commands.end());
      if (focus.next_deadline() && *focus.next_deadline() <= now) break;
    }
    now = end;
    return step;
  }

  // A call up to the accept; returns its leg (0 if it was refused).
  media::LegId call(const std::string& from, const std::string& to = "room@mixer.localhost",
                    Offer offer = {}) {
    const Step step = iq(from, to, offer.xml());
    const auto opened = step.all<mixer::OpenLeg>();
    if (opened.empty()) return {};
    media(engine.opened(opened.front().spec.leg));
    return opened.front().spec.leg;
  }
  // The same, connected.
  media::LegId join(const std::string& from, const std::string& to = "room@mixer.localhost",
                    Offer offer = {}) {
    const media::LegId leg = call(from, to, std::move(offer));
    media(engine.connected(leg));
    return leg;
  }

 private:
  void carry_out(Step& step) {
    std::vector<mixer::SendIq> asked;
    std::vector<media::LegId> closed;
    std::vector<media::Event> said;  // at once
    for (const auto& command : step.commands) {
      if (const auto* c = std::get_if<mixer::SetIceServers>(&command)) {
        engine.set_ice_servers(c->servers);
      }
      if (const auto* c = std::get_if<mixer::OpenLeg>(&command)) engine.open_leg(c->spec);
      if (const auto* c = std::get_if<mixer::ConnectLeg>(&command)) {
        engine.connect_leg(c->leg, c->remote);
      }
      if (const auto* c = std::get_if<mixer::AddRemoteCandidates>(&command)) {
        engine.add_remote_candidates(c->leg, c->candidates);
      }
      if (const auto* c = std::get_if<mixer::RestartIce>(&command)) {
        engine.restart_ice(c->leg, c->remote);
      }
      if (const auto* c = std::get_if<mixer::SetMixPlan>(&command)) {
        engine.set_mix_plan(c->room, c->plan);
      }
      if (const auto* c = std::get_if<mixer::Play>(&command)) engine.play(c->spec);
      if (const auto* c = std::get_if<mixer::StopPlay>(&command)) engine.stop_play(c->play);
      if (const auto* c = std::get_if<mixer::PrepareRecord>(&command)) {
        engine.prepare_record(c->spec);
        if (no_recording.empty()) {
          said.emplace_back(media::RecordReady{c->spec.record});
        } else {
          said.emplace_back(media::RecordEnded{
              .record = c->spec.record, .cause = media::RecordEnd::error, .text = no_recording});
        }
      }
      if (const auto* c = std::get_if<mixer::Record>(&command)) engine.record(c->record);
      if (const auto* c = std::get_if<mixer::StopRecord>(&command)) {
        if (engine.prepared().contains(c->record)) {
          said.emplace_back(media::RecordEnded{.record = c->record});
        }
        engine.stop_record(c->record);
      }
      if (const auto* c = std::get_if<mixer::CloseLeg>(&command)) {
        engine.close_leg(c->leg);
        closed.push_back(c->leg);
      }
      if (const auto* c = std::get_if<mixer::SendIq>(&command)) asked.push_back(*c);
    }
    const auto add = [&](const Step& more) {
      step.commands.insert(step.commands.end(), more.commands.begin(), more.commands.end());
    };
    for (const media::LegId leg : closed) add(handle(engine.closed(leg)));
    for (const media::Event& event : said) add(handle(event));
    if (!answers) return;
    for (const mixer::SendIq& iq : asked) {
      add(answered(iq, "result", iq.is_set ? "" : client));
    }
  }
};

}  // namespace test
