// signaling/jingle_rtp.h: the RTP application format (XEP-0167 §4, §6, §8) with feedback
// (XEP-0293), header extensions (XEP-0294), source attributes (XEP-0339). Values and their codec;
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "signaling/stanza_error.h"

namespace jingle {

struct PayloadType {
  int id = 0;  // 0-127
  std::string name;
  std::optional<std::uint32_t> clockrate, ptime_ms, maxptime_ms;
  std::optional<int> channels;                                  // absent means 1 (§4)
  std::vector<std::pair<std::string, std::string>> parameters;  // in the order given
  std::vector<std::string> rtcp_fb;                             // "type" or "type subtype"
  bool operator==(const PayloadType&) const = default;

  // The first parameter of that name; nullopt if absent.
  std::optional<std::string> parameter(std::string_view name) const;
};

struct HeaderExtension {  // XEP-0294
  int id = 0;
  std::string uri;
  std::string senders = "both";
  bool operator==(const HeaderExtension&) const = default;
};

struct Source {  // XEP-0339
  std::uint32_t ssrc = 0;
  std::vector<std::pair<std::string, std::string>> parameters;
  bool operator==(const Source&) const = default;
};

struct Bandwidth {   // XEP-0167 §4, as in SDP (RFC 8866 §5.8)
  std::string type;  // "AS" and "CT" count kbit/s with all headers, "TIAS" (RFC 3890) bit/s without
  std::uint32_t value = 0;
  bool operator==(const Bandwidth&) const = default;
};

struct RtpDescription {
  std::string media;  // "audio", "video"
  std::optional<std::uint32_t> ssrc;
  std::vector<PayloadType> payload_types;
  bool rtcp_mux = false;
  bool encryption = false;           // <encryption/> (SDES) was offered
  bool encryption_required = false;  // and said to be required
  std::optional<Bandwidth> bandwidth = std::nullopt;
  std::vector<HeaderExtension> header_extensions;
  std::vector<Source> sources;
  bool operator==(const RtpDescription&) const = default;
};

// session-info payloads (§8). `name` empty: every content of that creator.
struct Active {
  bool operator==(const Active&) const = default;
};
struct Hold {
  bool operator==(const Hold&) const = default;
};
struct Unhold {
  bool operator==(const Unhold&) const = default;
};
struct Ringing {
  bool operator==(const Ringing&) const = default;
};
struct Mute {
  std::string creator, name;
  bool operator==(const Mute&) const = default;
};
struct Unmute {
  std::string creator, name;
  bool operator==(const Unmute&) const = default;
};
using RtpInfo = std::variant<Active, Hold, Unhold, Ringing, Mute, Unmute>;

// bad-request for what XEP-0167's schema does not allow (no media, payload-type without or with an
// id beyond 127, numbers that are none, more than limits.h). Unknown children are ignored. Codec
// names keep their spelling.
Result<RtpDescription> parse_rtp_description(const pugi::xml_node& description);
void write(pugi::xml_node& content, const RtpDescription& description);

// unsupported-info for anything but the six of §8; bad-request for mute without creator.
Result<RtpInfo> parse_rtp_info(const pugi::xml_node& info);
void write(pugi::xml_node& jingle, const RtpInfo& info);

}  // namespace jingle
