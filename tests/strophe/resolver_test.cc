#include "signaling/strophe_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/eventually.h"

namespace jingle {
namespace {

std::string name(std::initializer_list<const char*> labels) {
  std::string bytes;
  for (const std::string label : labels) bytes += static_cast<char>(label.size()) + label;
  return bytes + '\0';
}

std::string number(int value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 255)};
}

// One SRV record (RFC 2782) for the question at offset 12.
std::string record(int priority, int weight, int port, const std::string& target) {
  const std::string data = number(priority) + number(weight) + number(port) + target;
  return "\xc0\x0c" + number(33) + number(1) + std::string(4, '\0') +
         number(static_cast<int>(data.size())) + data;
}

std::vector<SrvTarget> parse(const std::vector<std::string>& records) {
  std::string answer = number(7) + number(0x8180) + number(1) +
                       number(static_cast<int>(records.size())) + number(0) + number(0) +
                       name({"_xmpp-client", "_tcp", "example", "org"}) + number(33) + number(1);
  for (const std::string& text : records) answer += text;
  return parse_srv_answer({reinterpret_cast<const unsigned char*>(answer.data()), answer.size()});
}

TEST(Srv, TargetsComeByPriorityThenWeight) {
  EXPECT_THAT(
      parse({record(20, 0, 5222, name({"c", "example"})),
             record(10, 1, 5223, name({"b", "example"})),
             record(10, 9, 443, name({"a", "example"}))}),
      testing::ElementsAre(SrvTarget{10, 9, 443, "a.example"}, SrvTarget{10, 1, 5223, "b.example"},
                           SrvTarget{20, 0, 5222, "c.example"}));
}

TEST(Srv, ARootTargetMeansNoSuchService) {
  EXPECT_THAT(parse({record(0, 0, 0, name({}))}), testing::IsEmpty());
}

TEST(Srv, TruncatedAnswersAreNoTargets) {
  const std::string whole = record(1, 1, 1, name({"a", "example"}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(parse({whole.substr(0, size)}), testing::IsEmpty()) << size;
  }
}

TEST(Resolver, NumericAddressesNeedNoLookUp) {
  EXPECT_THAT(Resolver::numeric("127.0.0.1", 5), testing::ElementsAre(Endpoint{"127.0.0.1", 5}));
  EXPECT_THAT(Resolver::numeric("::1", 5), testing::ElementsAre(Endpoint{"::1", 5}));
  EXPECT_THAT(Resolver::numeric("localhost", 5), testing::IsEmpty());
}

TEST(Resolver, FindsLocalhost) {
  Resolver resolver({.host = "localhost", .port = 5347, .srv_domain = {}});
  ASSERT_TRUE(support::eventually([&] { return resolver.done(); }));
  EXPECT_THAT(resolver.result().endpoints, testing::Contains(Endpoint{"127.0.0.1", 5347}));
}

TEST(Resolver, MayBeAbandoned) {
  for (int i = 0; i < 20; ++i) Resolver({.host = "localhost", .port = 1, .srv_domain = {}});
}

}  // namespace
}  // namespace jingle
