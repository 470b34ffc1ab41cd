#include "media/gst/public_address.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/seed.h"

namespace media::gst {
namespace {

bool is_public(const std::string& text) {
  const auto address = IpAddress::parse(text);
  EXPECT_TRUE(address) << text;
  return address && is_public_unicast(*address);
}

TEST(PublicAddress, WhatIsOnTheInternetIs) {
  for (const char* text :
       {"1.1.1.1",     "8.8.8.8",          "9.255.255.255",   "11.0.0.0",        "100.63.255.255",
        "100.128.0.0", "126.255.255.255",  "128.0.0.0",       "169.253.255.255", "172.15.255.255",
        "172.32.0.0",  "192.0.1.0",        "192.167.255.255", "192.169.0.0",     "198.17.255.255",
        "198.20.0.0",  "223.255.255.255",  "2606:4700::1111", "2001:4860::8888", "2a00::1",
        "2003::1",     "64:ff9b::808:808", "::ffff:8.8.8.8"}) {
    EXPECT_TRUE(is_public(text)) << text;
  }
}

TEST(PublicAddress, WhatIsSpecialIsNot) {
  for (const char* text :
       {"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1",
        "127.255.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1",
        "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
        "239.255.255.250", "240.0.0.1", "255.255.255.255",
        // IPv6: unspecified, loopback, IPv4-compatible, local, documentation, multicast, reserved
        "::", "::1", "::8.8.8.8", "fe80::1", "febf::1", "fec0::1", "fc00::1", "fd12:3456::1",
        "2001:db8::1", "3fff::1", "ff02::1", "ff0e::1", "100::1", "5f00::1", "4000::1",
        // tunnels: Teredo, 6to4 (of a public address, too), NAT64 of one's own
        "2001::1", "2002:808:808::1", "2002:7f00:1::1", "64:ff9b:1::808:808"}) {
    EXPECT_FALSE(is_public(text)) << text;
  }
}

// However an IPv4 address is wrapped, it is judged as itself.
TEST(PublicAddress, Ipv4BehindIpv6IsJudgedAsIpv4) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 5000; ++round) {
    std::string v4;
    for (int i = 0; i < 4; ++i) v4 += (i ? "." : "") + std::to_string(random() % 256);
    const bool is = is_public(v4);
    ASSERT_EQ(is_public("::ffff:" + v4), is) << v4;
    ASSERT_EQ(is_public("64:ff9b::" + v4), is) << v4;
    ASSERT_FALSE(is_public("::" + v4)) << v4;
  }
}

TEST(PublicAddress, WhatNoCandidateMayBeIsNotPublicEither) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const CandidateFilter filter({}, {});
  for (int round = 0; round < 20000; ++round) {
    IpAddress address;
    for (auto& byte : address.bytes) byte = static_cast<std::uint8_t>(random());
    if (round % 2 == 0) address.bytes = {0x20, 0x01, static_cast<std::uint8_t>(random() % 16)};
    if (round % 3 == 0) {
      const auto v4 = random();
      address = IpAddress::parse("::ffff:0:0").value();
      for (std::size_t i = 0; i < 4; ++i) {
        address.bytes[12 + i] = static_cast<std::uint8_t>(v4 >> (8 * i));
      }
    }
    ASSERT_LE(is_public_unicast(address), filter.allows(address));
  }
}

}  // namespace
}  // namespace media::gst
