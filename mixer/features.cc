#include "mixer/features.h"

#include "signaling/namespaces.h"
#include "signaling/stanza.h"

namespace mixer {

namespace ns = jingle::ns;

jingle::DiscoInfo domain_features() {
  return {{{"component", "generic", "Conference calls", ""}},
          {ns::kDiscoInfo, ns::kDiscoItems, ns::kCaps, ns::kPing}};
}

jingle::DiscoInfo room_features(Config::Xmpp::Mode mode, const std::set<jingle::pep::Node>& relay) {
  const char* type = mode == Config::Xmpp::Mode::client ? "bot" : "phone";
  jingle::DiscoInfo info{
      {{"client", type, "Conference call", ""}},
      {ns::kDiscoInfo, ns::kDiscoItems, ns::kCaps, ns::kPing, ns::kJingle, ns::kRtp, ns::kRtpAudio,
       ns::kRtcpFb, ns::kHdrext, ns::kIceUdp, ns::kDtls, ns::kJingleMessage, ns::kBundleFeature,
       ns::kSsmaFeature, ns::kCoin, ns::kCoinJitsi, ns::kReceipts}};
  for (const jingle::pep::Node node : relay) {
    info.features.insert(std::string(jingle::pep::id_of(node)) + "+notify");
  }
  return info;
}

jingle::Result<std::string> disco_info(const jingle::DiscoInfo& info, const std::string& node) {
  if (!node.empty() && node != std::string(kCapsNode) + '#' + info.caps_ver()) {
    return tl::unexpected(jingle::item_not_found());
  }
  return info.xml(node);
}

std::string room_presence(const jingle::DiscoInfo& info, std::size_t users) {
  const std::string status = users == 0   ? "Nobody in the call"
                             : users == 1 ? "1 in the call"
                                          : std::to_string(users) + " in the call";
  return "<status>" + status + "</status>" + info.caps_xml(kCapsNode);
}

}  // namespace mixer
