#include "media/gst/candidate_filter.h"

#include <gmock/gmock.h>

#include <random>

namespace media::gst {
namespace {

IceCandidate at(const std::string& ip, std::uint16_t port = 4000) {
  IceCandidate candidate;
  candidate.ip = ip;
  candidate.port = port;
  return candidate;
}

TEST(CandidateFilter, SkipsWhatIceMustNotReach) {
  const CandidateFilter filter({"192.0.2.1"}, {"10.0.0.0/8", "2001:db8:bad::/48", "198.51.100.7"});
  const struct {
    const char* ip;
    bool allowed;
  } table[] = {
      {"192.0.2.9", true},
      {"2001:db8::1", true},
      {"172.16.1.1", true},
      {"127.0.0.1", false},
      {"127.255.0.3", false},
      {"::1", false},
      {"::ffff:127.0.0.1", false},
      {"169.254.1.1", false},
      {"fe80::1", false},
      {"febf::1", false},
      {"fec0::1", true},
      {"224.0.0.251", false},
      {"239.255.255.250", false},
      {"ff02::fb", false},
      {"255.255.255.255", false},
      {"0.0.0.0", false},
      {"0.1.2.3", false},
      {"::", false},
      {"::192.0.2.1", false},
      {"::ffff:0.0.0.0", false},
      {"10.1.2.3", false},
      {"::ffff:10.1.2.3", false},
      {"11.1.2.3", true},
      {"2001:db8:bad::5", false},
      {"2001:db8:bae::5", true},
      {"198.51.100.7", false},
      {"198.51.100.8", true},
      {"b1946ac9.local", false},
      {"example.org", false},
      {"fe80::1%eth0", false},
      {"[2001:db8::1]", false},
      {"192.0.2.1/24", false},
      {"", false},
      {"1.2.3", false},
      {"1.2.3.256", false},
  };
  for (const auto& row : table) {
    EXPECT_EQ(filter.allows(at(row.ip), {}), row.allowed) << row.ip;
  }
}

TEST(CandidateFilter, LoopbackOnlyWhenListed) {
  EXPECT_TRUE(CandidateFilter({"127.0.0.1"}, {}).allows(at("127.0.0.1"), {}));
  EXPECT_TRUE(CandidateFilter({"::1"}, {}).allows(at("::1"), {}));
  EXPECT_FALSE(CandidateFilter({}, {}).allows(at("127.0.0.1"), {}));
}

TEST(CandidateFilter, SkipsPortZeroAndOurOwnSockets) {
  const CandidateFilter filter({"192.0.2.1"}, {});
  EXPECT_FALSE(filter.allows(at("192.0.2.9", 0), {}));
  const std::vector<Endpoint> ours{{*IpAddress::parse("192.0.2.1"), 4000}};
  EXPECT_FALSE(filter.allows(at("192.0.2.1", 4000), ours));
  EXPECT_FALSE(filter.allows(at("::ffff:192.0.2.1", 4000), ours));
  EXPECT_TRUE(filter.allows(at("192.0.2.1", 4001), ours));
}

// Law: an address is in exactly those blocks whose first `prefix` bits are its own.
TEST(CandidateFilter, ABlockContainsWhatSharesItsFirstBits) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 5000; ++i) {
    AddressBlock block;
    for (auto& byte : block.address.bytes) byte = static_cast<std::uint8_t>(random());
    block.prefix = static_cast<int>(random() % 129);
    auto other = block.address;
    const auto bit = random() % 128;
    other.bytes[bit / 8] ^= static_cast<std::uint8_t>(0x80U >> (bit % 8));
    EXPECT_TRUE(block.contains(block.address));
    EXPECT_EQ(block.contains(other), static_cast<int>(bit) >= block.prefix);
  }
}

// Law: IPv4 and its mapped form are treated alike.
TEST(CandidateFilter, MappedAddressesAreTheirIpv4) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const CandidateFilter filter({"192.0.2.1"}, {"100.64.0.0/10", "16.0.0.0/4"});
  for (int i = 0; i < 5000; ++i) {
    std::string ip;
    for (int k = 0; k < 4; ++k) ip += (k > 0 ? "." : "") + std::to_string(random() % 256);
    EXPECT_EQ(filter.allows(at(ip), {}), filter.allows(at("::ffff:" + ip), {})) << ip;
  }
}

TEST(AddressBlock, RefusesWhatIsNone) {
  for (const auto* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x",
                           "::/129", "fe80::/x", "host/8", "10.0.0/8"}) {
    EXPECT_FALSE(AddressBlock::parse(text)) << text;
  }
  EXPECT_EQ(AddressBlock::parse("10.0.0.0/8")->prefix, 104);
  EXPECT_EQ(AddressBlock::parse("::ffff:10.0.0.0/104")->prefix, 104);
  EXPECT_EQ(AddressBlock::parse("10.0.0.1")->prefix, 128);
}

}  // namespace
}  // namespace media::gst
