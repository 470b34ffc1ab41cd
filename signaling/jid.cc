#include "signaling/jid.h"

#include <arpa/inet.h>
#include <idna.h>
#include <stringprep.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "signaling/limits.h"

namespace jingle {
namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// libidn reads beyond the end of truncated sequences, so nothing but valid UTF-8 may reach it.
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
    }
    if (length > 2) {
      const auto second = static_cast<unsigned char>(text[i + 1]);
      if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)) return false;
      if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return false;
    }
    i += length;
  }
  return true;
}

std::optional<std::string> prepare(std::string_view text, const Stringprep_profile* profile) {
  if (!is_utf8(text) || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::array<char, limits::kMaxJidPart + 1> buffer{};
  if (text.size() > limits::kMaxJidPart) return std::nullopt;
  std::copy(text.begin(), text.end(), buffer.begin());
  if (stringprep(buffer.data(), buffer.size(), static_cast<Stringprep_profile_flags>(0), profile) !=
      STRINGPREP_OK) {
    return std::nullopt;
  }
  std::string out(buffer.data());
  if (out.empty()) return std::nullopt;
  return out;
}

// A few characters change again when prepared again; a JID that is not its own normal form would
// not equal itself after a trip over the wire.
std::optional<std::string> prepare_stable(std::string_view text,
                                          const Stringprep_profile* profile) {
  auto once = prepare(text, profile);
  if (!once || prepare(*once, profile) != once) return std::nullopt;
  return once;
}

// RFC 6122 appendix A.5: what nodeprep prohibits of ASCII.
bool local_allows(char c) {
  return c > 0x20 && c < 0x7F && std::string_view("\"&'/:<>@").find(c) == std::string_view::npos;
}

std::optional<std::string> prepare_local(std::string_view text) {
  if (text.empty() || text.size() > limits::kMaxJidPart) return std::nullopt;
  if (!is_ascii(text)) return prepare_stable(text, stringprep_xmpp_nodeprep);
  if (!std::all_of(text.begin(), text.end(), local_allows)) return std::nullopt;
  return lower_ascii(text);
}

std::optional<std::string> prepare_resource(std::string_view text) {
  if (text.empty() || text.size() > limits::kMaxJidPart) return std::nullopt;
  if (!is_ascii(text)) return prepare_stable(text, stringprep_xmpp_resourceprep);
  const auto allows = [](char c) { return c >= 0x20 && c < 0x7F; };
  if (!std::all_of(text.begin(), text.end(), allows)) return std::nullopt;
  return std::string(text);
}

bool is_ipv6(const std::string& text) {
  in6_addr address{};
  return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

// Labels of letters, digits, hyphen and underscore (private networks use it), none empty or over 63
// octets once encoded. Non-ASCII labels are IDNA's to judge.
bool is_domain_name(const std::string& name) {
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                         static_cast<unsigned char>(c) >= 0x80;
    if (!allowed) return false;
    ++label;
    if (label > 63 && is_ascii(name)) return false;
  }
  if (label == 0) return false;
  if (is_ascii(name)) return true;
  char* encoded = nullptr;
  const int result = idna_to_ascii_8z(name.c_str(), &encoded, IDNA_ALLOW_UNASSIGNED);
  std::free(encoded);
  return result == IDNA_SUCCESS;
}

std::optional<std::string> prepare_domain(std::string_view text) {
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);  // RFC 7622 §3.2
  if (text.empty() || text.size() > limits::kMaxJidPart) return std::nullopt;
  std::optional<std::string> out;
  if (is_ascii(text)) {
    if (text.find('\0') != std::string_view::npos) return std::nullopt;
    out = lower_ascii(text);
  } else {
    out = prepare_stable(text, stringprep_nameprep);
  }
  if (!out) return std::nullopt;
  const std::string& name = *out;
  if (name.front() == '[' && name.back() == ']') {
    return is_ipv6(name.substr(1, name.size() - 2)) ? out : std::nullopt;
  }
  if (!is_domain_name(name) && !is_ipv6(name)) return std::nullopt;
  return out;
}

struct Escape {
  std::string_view code;
  char character;
};
constexpr std::array<Escape, 10> kEscapes{{{"\\20", ' '},
                                           {"\\22", '"'},
                                           {"\\26", '&'},
                                           {"\\27", '\''},
                                           {"\\2f", '/'},
                                           {"\\3a", ':'},
                                           {"\\3c", '<'},
                                           {"\\3e", '>'},
                                           {"\\40", '@'},
                                           {"\\5c", '\\'}}};

// RFC 5122 §2.2 allows a little more unescaped; ';' is encoded too because Jitsi cuts conference
// entities there.
void append_percent_encoded(std::string& out, std::string_view part, std::string_view also) {
  constexpr char kHex[] = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~!$()*+,=";
  for (const char c : part) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kPlain.find(c) != std::string_view::npos ||
                       also.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 0x0F];
    }
  }
}

std::optional<std::string> percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
  };
  std::string out;
  for (; !text.empty(); text.remove_prefix(1)) {
    if (text.front() != '%') {
      out += text.front();
      continue;
    }
    const int high = text.size() < 3 ? -1 : digit(text[1]);
    const int low = text.size() < 3 ? -1 : digit(text[2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    text.remove_prefix(2);
  }
  return out;
}

}  // namespace

std::optional<Jid> Jid::parse(std::string_view text) {
  // RFC 7622 §3.1: the first '/' ends the domain, then the first '@' before it the localpart.
  Jid jid;
  std::string_view rest = text;
  if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
    auto resource = prepare_resource(rest.substr(slash + 1));
    if (!resource) return std::nullopt;
    jid.resource_ = std::move(*resource);
    rest = rest.substr(0, slash);
  }
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    auto local = prepare_local(rest.substr(0, at));
    if (!local) return std::nullopt;
    jid.local_ = std::move(*local);
    rest = rest.substr(at + 1);
  }
  auto domain = prepare_domain(rest);
  if (!domain) return std::nullopt;
  jid.domain_ = std::move(*domain);
  return jid;
}

Jid Jid::of(std::string_view local, std::string_view domain, std::string_view resource) {
  Jid jid;
  jid.local_ = local;
  jid.domain_ = domain;
  jid.resource_ = resource;
  return jid;
}

std::string Jid::str() const {
  std::string out;
  out.reserve(local_.size() + domain_.size() + resource_.size() + 2);
  if (!local_.empty()) {
    out += local_;
    out += '@';
  }
  out += domain_;
  if (!resource_.empty()) {
    out += '/';
    out += resource_;
  }
  return out;
}

std::string Jid::unescaped_local() const {
  std::string out;
  for (std::size_t i = 0; i < local_.size();) {
    const auto code = std::string_view(local_).substr(i, 3);
    const auto found = std::find_if(kEscapes.begin(), kEscapes.end(),
                                    [&](const Escape& escape) { return escape.code == code; });
    // XEP-0106 §4: a localpart neither begins nor ends with an escaped space; such a one is none.
    const bool edge = i == 0 || i + 3 == local_.size();
    if (found == kEscapes.end() || (found->character == ' ' && edge)) {
      out += local_[i++];
    } else {
      out += found->character;
      i += 3;
    }
  }
  return out;
}

std::string Jid::uri() const {
  std::string out = "xmpp:";
  if (!local_.empty()) {
    append_percent_encoded(out, local_, "");
    out += '@';
  }
  append_percent_encoded(out, domain_, "[]:");
  if (!resource_.empty()) {
    out += '/';
    append_percent_encoded(out, resource_, ":");
  }
  return out;
}

std::optional<Jid> Jid::parse_uri(std::string_view uri) {
  static constexpr std::string_view kScheme = "xmpp:";
  if (!std::ranges::equal(uri.substr(0, kScheme.size()), kScheme, {},
                          [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; })) {
    return std::nullopt;
  }
  uri.remove_prefix(kScheme.size());
  uri = uri.substr(0, uri.find_first_of("?#"));
  // Separators count before decoding: an encoded one would be part of a name.
  const std::size_t slash = uri.find('/');
  const std::string_view bare = uri.substr(0, slash);
  const std::size_t at = bare.find('@');
  const auto local = percent_decoded(at == bare.npos ? "" : bare.substr(0, at));
  const auto domain = percent_decoded(at == bare.npos ? bare : bare.substr(at + 1));
  const auto resource = percent_decoded(slash == uri.npos ? "" : uri.substr(slash + 1));
  if (!local || !domain || !resource || (*local + *domain).find_first_of("@/") != bare.npos) {
    return std::nullopt;
  }
  return parse((at == bare.npos ? "" : *local + '@') + *domain +
               (slash == uri.npos ? "" : '/' + *resource));
}

}  // namespace jingle
