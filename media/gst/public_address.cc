#include "media/gst/public_address.h"

#include <algorithm>
#include <span>
#include <vector>

namespace media::gst {
namespace {

std::vector<AddressBlock> blocks(std::span<const char* const> texts) {
  std::vector<AddressBlock> all;
  for (const char* text : texts) all.push_back(AddressBlock::parse(text).value());
  return all;
}

bool in_any(const std::vector<AddressBlock>& blocks, const IpAddress& address) {
  return std::ranges::any_of(blocks, [&](const auto& block) { return block.contains(address); });
}

// https://www.iana.org/assignments/iana-ipv4-special-registry
constexpr const char* kSpecialV4[] = {
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4"};
// https://www.iana.org/assignments/iana-ipv6-special-registry, of what is in 2000::/3
constexpr const char* kSpecialV6[] = {"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"};

}  // namespace

bool is_public_unicast(const IpAddress& address) {
  static const auto special_v4 = blocks(kSpecialV4), special_v6 = blocks(kSpecialV6);
  static const AddressBlock allotted = AddressBlock::parse("2000::/3").value(),
                            nat64 = AddressBlock::parse("64:ff9b::/96").value(),
                            mapped = AddressBlock::parse("::ffff:0:0/96").value();
  if (address.is_v4()) return !in_any(special_v4, address);
  if (nat64.contains(address)) {
    IpAddress behind = mapped.address;
    std::copy(address.bytes.begin() + 12, address.bytes.end(), behind.bytes.begin() + 12);
    return is_public_unicast(behind);
  }
  return allotted.contains(address) && !in_any(special_v6, address);
}

}  // namespace media::gst
