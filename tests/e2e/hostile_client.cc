#include "tests/e2e/hostile_client.h"

#include <regex>

#include "tests/e2e/world.h"

namespace e2e {
namespace {

constexpr std::size_t kLongTag = 8192;
constexpr char kFingerprint[] =
    "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' setup='active'>"
    "95:78:01:78:3F:95:34:1C:F8:8C:9A:57:59:03:78:6A:B3:21:50:B8:FD:C9:E0:6C:BC:76:6F:43:ED:38:1F:"
    "1A</fingerprint>";

std::string attribute(const std::string& text, const std::string& element,
                      const std::string& name) {
  std::smatch found;
  const std::regex pattern("<" + element + "\\b[^>]*\\b" + name + "=['\"]([^'\"]*)");
  return std::regex_search(text, found, pattern) ? found[1].str() : "";
}

}  // namespace

HostileClient::HostileClient(const support::Prosody& prosody, const std::string& user)
    : raw_(prosody.c2s_port(), user, kPassword, "evil") {}

std::string HostileClient::next(std::chrono::milliseconds within) {
  std::string stanza;
  int depth = 0;
  do {
    const std::string tag = raw_.stream().read_until(">", within);
    if (!raw_.stream().found()) return {};
    stanza += tag;
    const auto open = tag.rfind('<');
    const bool closes = tag.compare(open, 2, "</") == 0;
    const bool empty = tag.size() > 1 && tag[tag.size() - 2] == '/';
    depth += closes ? -1 : empty ? 0 : 1;
  } while (depth > 0);
  return stanza;
}

std::string HostileClient::put(const std::string& to, const std::string& payload) {
  const std::string id = "h" + std::to_string(++ids_);
  // The server's expat looks again at a long tag when there is twice as much as the last time.
  const std::string more(payload.size() > kLongTag ? payload.size() : 0, ' ');
  send("<iq type='set' id='" + id + "' to='" + to + "'>" + payload + "</iq>" + more);
  return id;
}

std::string HostileClient::ask(const std::string& to, const std::string& payload) {
  const std::string id = put(to, payload);
  for (std::string stanza = next(); !stanza.empty(); stanza = next()) {
    if (attribute(stanza, "iq", "id") != id) continue;
    const std::string type = attribute(stanza, "iq", "type");
    return type == "error" ? stanza.substr(stanza.find("<error")) : type;
  }
  return "nothing";
}

std::optional<support::IceEnd::Other> HostileClient::call(const std::string& to,
                                                          const std::string& sid,
                                                          const support::IceEnd& end) {
  put(to, offer(sid, transport(end, candidate("127.0.0.1", end.port()))));
  for (std::string stanza = next(); !stanza.empty(); stanza = next()) {
    if (stanza.find("session-accept") == std::string::npos) continue;
    const std::string port = attribute(stanza, "candidate", "port");
    if (port.empty()) break;
    return support::IceEnd::Other{
        attribute(stanza, "transport", "ufrag"), attribute(stanza, "transport", "pwd"),
        attribute(stanza, "candidate", "ip"), static_cast<std::uint16_t>(std::stoi(port))};
  }
  return std::nullopt;
}

std::string HostileClient::in_session(const std::string& sid, const std::string& action,
                                      const std::string& children) {
  return "<jingle xmlns='urn:xmpp:jingle:1' action='" + action + "' sid='" + sid + "'>" + children +
         "</jingle>";
}

std::string HostileClient::terminate(const std::string& sid) {
  return in_session(sid, "session-terminate", "<reason><success/></reason>");
}

std::string HostileClient::offer(const std::string& sid, const std::string& transport) {
  return in_session(
      sid, "session-initiate",
      "<content creator='initiator' name='0'><description xmlns='urn:xmpp:jingle:apps:rtp:1' "
      "media='audio'><payload-type id='111' name='opus' clockrate='48000' channels='2'/>"
      "<payload-type id='101' name='telephone-event' clockrate='0'/><rtcp-mux/></description>" +
          transport + "</content>");
}

std::string HostileClient::transport(const support::IceEnd& end, const std::string& candidates) {
  return "<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='" + end.ufrag + "' pwd='" +
         end.pwd + "'>" + kFingerprint + candidates + "</transport>";
}

std::string HostileClient::candidate(const std::string& ip, int port) {
  return "<candidate component='1' foundation='1' generation='0' id='c' ip='" + ip + "' port='" +
         std::to_string(port) + "' priority='2130706431' protocol='udp' type='host'/>";
}

}  // namespace e2e
