#include "media/gst/candidate_filter.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace media::gst {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  // Longest: an IPv6 address with an IPv4 tail.
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  const std::string copy(text);
  IpAddress address;
  if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) return address;
  std::copy(kMapped.begin(), kMapped.end(), address.bytes.begin());
  if (inet_pton(AF_INET, copy.c_str(), address.bytes.data() + 12) == 1) return address;
  return std::nullopt;
}

bool IpAddress::is_v4() const { return std::equal(kMapped.begin(), kMapped.end(), bytes.begin()); }

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes[12] == 127;
  return bytes == std::array<std::uint8_t, 16>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
}

bool IpAddress::is_link_local() const {
  if (is_v4()) return bytes[12] == 169 && bytes[13] == 254;
  return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

bool IpAddress::is_multicast() const {
  return is_v4() ? (bytes[12] & 0xf0) == 0xe0 : bytes[0] == 0xff;
}

bool IpAddress::is_broadcast() const {
  return is_v4() && std::all_of(bytes.begin() + 12, bytes.end(), [](auto b) { return b == 0xff; });
}

bool IpAddress::is_unspecified() const {
  if (is_v4()) return bytes[12] == 0;
  return !is_loopback() &&
         std::all_of(bytes.begin(), bytes.begin() + 12, [](auto b) { return b == 0; });
}

std::optional<AddressBlock> AddressBlock::parse(std::string_view text) {
  AddressBlock block;
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  block.address = *address;
  if (slash == std::string_view::npos) return block;
  const auto digits = text.substr(slash + 1);
  const auto* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, block.prefix);
  // Written with dots, the prefix counts from the IPv4 address's first bit; ::ffff:… counts all.
  const bool dotted = text.find(':') == std::string_view::npos;
  if (error != std::errc() || stop != end || digits.empty() || block.prefix < 0 ||
      block.prefix > (dotted ? 32 : 128)) {
    return std::nullopt;
  }
  if (dotted) block.prefix += 96;
  return block;
}

bool AddressBlock::contains(const IpAddress& other) const {
  const auto whole = static_cast<std::size_t>(prefix / 8);
  if (std::memcmp(address.bytes.data(), other.bytes.data(), whole) != 0) return false;
  if (prefix % 8 == 0) return true;
  const int shift = 8 - prefix % 8;
  return address.bytes[whole] >> shift == other.bytes[whole] >> shift;
}

CandidateFilter::CandidateFilter(const std::vector<std::string>& local,
                                 const std::vector<std::string>& deny) {
  for (const auto& text : local) {
    const auto address = IpAddress::parse(text);
    if (!address) throw std::invalid_argument("not an IP address: " + text);
    loopback_ = loopback_ || address->is_loopback();
  }
  for (const auto& text : deny) {
    const auto block = AddressBlock::parse(text);
    if (!block) throw std::invalid_argument("neither an IP address nor a block: " + text);
    deny_.push_back(*block);
  }
}

bool CandidateFilter::allows(const IpAddress& address) const {
  if (address.is_loopback() && !loopback_) return false;
  if (address.is_link_local() || address.is_multicast() || address.is_broadcast() ||
      address.is_unspecified()) {
    return false;
  }
  return std::none_of(deny_.begin(), deny_.end(),
                      [&](const auto& block) { return block.contains(address); });
}

bool CandidateFilter::allows(const IceCandidate& candidate,
                             const std::vector<Endpoint>& ours) const {
  const auto address = IpAddress::parse(candidate.ip);
  if (!address || candidate.port == 0 || !allows(*address)) return false;
  return std::find(ours.begin(), ours.end(), Endpoint{*address, candidate.port}) == ours.end();
}

}  // namespace media::gst
