#include "signaling/jingle_ice.h"

#include <gtest/gtest.h>

#include <pugixml.hpp>
#include <string>

#include "signaling/limits.h"
#include "signaling/stanza.h"

namespace jingle {
namespace {

const std::string kSha256 =
    "02:1A:CC:54:27:AB:EB:9C:53:3F:3E:4B:65:2E:7D:46:3F:54:42:CD:54:F1:7A:03:A2:7D:F9:B0:7F:46:19:"
    "B2";

std::string fingerprint(const std::string& attributes, const std::string& value) {
  return "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' " + attributes + ">" + value +
         "</fingerprint>";
}

Result<IceUdpTransport> parse(const std::string& inside, const std::string& attributes = "") {
  const auto xml = Xml::parse("<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'" +
                              attributes + ">" + inside + "</transport>");
  EXPECT_TRUE(xml) << inside;
  return parse_ice_udp(xml->root());
}

// A candidate with one attribute changed, or left out where `value` is null.
std::string candidate(const std::string& name = "", const char* value = nullptr) {
  const std::pair<const char*, const char*> attributes[] = {
      {"component", "1"},  {"foundation", "1"},
      {"generation", "0"}, {"id", "a"},
      {"ip", "192.0.2.1"}, {"port", "9"},
      {"priority", "7"},   {"protocol", "udp"},
      {"type", "host"},    {"rel-addr", "10.0.0.1"},
      {"rel-port", "8"},   {"network", "1"}};
  std::string out = "<candidate";
  for (const auto& [key, normal] : attributes) {
    const char* const chosen = name == key ? value : normal;
    if (chosen != nullptr) out += std::string(" ") + key + "='" + chosen + "'";
  }
  return out + "/>";
}

TEST(JingleIce, FillsInWhatClientsLeaveOut) {
  const auto transport = parse(
      "<candidate component='1' ip='192.0.2.1' port='9' priority='7' type='srflx'/>"
      "<candidate component='2' id='0digit' ip='fe80::1' port='0' priority='4294967295' "
      "protocol='UDP' type='relay' tcptype='x' network-cost='10'/>",
      " ufrag='abcd'");
  ASSERT_TRUE(transport);
  EXPECT_EQ(transport->ufrag, "abcd");
  EXPECT_EQ(transport->pwd, "");
  ASSERT_EQ(transport->candidates.size(), 2U);
  EXPECT_EQ(transport->candidates[0].id, "c1");
  EXPECT_EQ(transport->candidates[0].foundation, "0");
  EXPECT_EQ(transport->candidates[0].generation, 0);
  EXPECT_EQ(transport->candidates[0].network, std::nullopt);
  EXPECT_EQ(transport->candidates[0].protocol, "udp");
  EXPECT_EQ(transport->candidates[0].type, CandidateType::srflx);
  EXPECT_EQ(transport->candidates[1].id, "0digit");
  EXPECT_EQ(transport->candidates[1].priority, 4294967295U);
  EXPECT_EQ(transport->candidates[1].protocol, "udp");
  EXPECT_TRUE(parse("")->candidates.empty());
}

// XEP-0176's own example has such a one.
TEST(JingleIce, SkipsPrioritiesThatTakeMoreThan32Bits) {
  for (const char* priority : {"4294967296", "21149780477", "99999999999999999999999999"}) {
    const auto transport = parse(candidate("priority", priority) + candidate());
    ASSERT_TRUE(transport) << priority;
    ASSERT_EQ(transport->candidates.size(), 1U);
    EXPECT_EQ(transport->candidates[0].priority, 7U);
  }
}

TEST(JingleIce, SkipsOtherProtocolsUnread) {
  const auto transport = parse("<candidate protocol='tcp' port='none'/>" + candidate() +
                               "<candidate protocol='ssltcp'/><candidate protocol=''/>");
  ASSERT_TRUE(transport);
  EXPECT_EQ(transport->candidates.size(), 1U);
}

TEST(JingleIce, RefusesBrokenCandidates) {
  ASSERT_TRUE(parse(candidate()));
  const std::pair<const char*, const char*> broken[] = {
      {"component", nullptr},  {"component", "0"},    {"component", "257"},  {"component", "-1"},
      {"component", "1.0"},    {"component", ""},     {"ip", nullptr},       {"ip", ""},
      {"port", nullptr},       {"port", "65536"},     {"port", "-1"},        {"port", "0x10"},
      {"port", "99999999999"}, {"priority", nullptr}, {"priority", "0"},     {"priority", "high"},
      {"type", nullptr},       {"type", "Host"},      {"type", "tunnel"},    {"generation", "256"},
      {"generation", "x"},     {"generation", ""},    {"rel-port", "65536"}, {"rel-port", ""},
      {"network", "x"},
  };
  for (const auto& [name, value] : broken) {
    const auto transport = parse(candidate(name, value));
    ASSERT_FALSE(transport) << name << "=" << (value ? value : "(absent)");
    EXPECT_EQ(transport.error().condition, "bad-request");
    EXPECT_EQ(transport.error().type, "modify");
    EXPECT_NE(transport.error().text.find(name), std::string::npos) << transport.error().text;
  }
  EXPECT_FALSE(parse(candidate("ip", std::string(256, 'x').c_str())));
  EXPECT_TRUE(parse(candidate("port", " 9\n")));
}

TEST(JingleIce, BoundsCandidatesCredentialsAndFingerprints) {
  std::string many;
  for (std::size_t i = 0; i < limits::kMaxCandidates; ++i) many += candidate();
  EXPECT_TRUE(parse(many));
  EXPECT_FALSE(parse(many + candidate()));
  std::string thousand;
  for (int i = 0; i < 1000; ++i) thousand += "<candidate protocol='tcp'/>";
  EXPECT_FALSE(parse(thousand)) << "those that are skipped count too";
  const std::string longest(limits::kMaxIceCredential, 'u');
  EXPECT_TRUE(parse("", " ufrag='" + longest + "' pwd='" + longest + "'"));
  EXPECT_FALSE(parse("", " ufrag='" + longest + "u'"));
  EXPECT_FALSE(parse("", " pwd='" + longest + "u'"));
  std::string fingerprints;
  for (std::size_t i = 0; i <= limits::kMaxFingerprints; ++i) {
    fingerprints += fingerprint("hash='sha-256' setup='active'", kSha256);
  }
  EXPECT_FALSE(parse(fingerprints));
}

TEST(JingleIce, ReadsFingerprintsInAnyCaseAndWithAnyWhiteSpace) {
  const auto transport = parse(fingerprint("hash='SHA-256' setup='actpass'",
                                           "\n  02:1a:cc:54:27:ab:eb:9c:53:3f:3e:4b:"
                                           "65:2e:7d:46:\n  3F:54:42:CD:54:F1:7A:03:"
                                           "A2:7D:F9:B0:7F:46:19:B2\t") +
                               fingerprint("hash='sha-1' setup='passive' required='1'", "AB:CD"));
  ASSERT_TRUE(transport);
  ASSERT_EQ(transport->fingerprints.size(), 2U);
  EXPECT_EQ(transport->fingerprints[0], (Fingerprint{"sha-256", kSha256, Setup::actpass}));
  EXPECT_EQ(transport->fingerprints[1], (Fingerprint{"sha-1", "AB:CD", Setup::passive}));
}

TEST(JingleIce, RefusesBrokenFingerprints) {
  for (const char* attributes :
       {"hash='sha-256'", "setup='active'", "hash='' setup='active'", "hash='sha-256' setup=''",
        "hash='sha-256' setup='Active'", "hash='sha-256' setup='server'"}) {
    EXPECT_FALSE(parse(fingerprint(attributes, kSha256))) << attributes;
  }
  const std::string longest = kSha256 + ":" + kSha256;  // as sha-512 has
  EXPECT_TRUE(parse(fingerprint("hash='sha-512' setup='active'", longest)));
  for (const std::string& value :
       {std::string(), std::string(" \n"), std::string("AB:CD:"), std::string(":AB"),
        std::string("A"), std::string("ABCD"), std::string("AB:CG"), std::string("AB-CD"),
        std::string("AB::CD"), std::string("<b/>"), longest + ":AB"}) {
    EXPECT_FALSE(parse(fingerprint("hash='sha-256' setup='active'", value))) << value;
  }
}

TEST(JingleIce, IgnoresWhatIsNotItsOwn) {
  const auto transport = parse(
      "<candidate xmlns='urn:other'/><fingerprint xmlns='urn:xmpp:tmp:jingle:apps:dtls:0'/>"
      "<unknown/><gathering-complete xmlns='urn:xmpp:jingle:transports:ice:0'/><rtcp-mux/>");
  ASSERT_TRUE(transport);
  EXPECT_TRUE(transport->candidates.empty());
  EXPECT_TRUE(transport->fingerprints.empty());
  EXPECT_TRUE(transport->gathering_complete);
  EXPECT_TRUE(transport->rtcp_mux);
  EXPECT_FALSE(transport->remote_candidate);
}

TEST(JingleIce, WordsGoBothWays) {
  EXPECT_EQ(to_string(CandidateType::prflx), "prflx");
  EXPECT_EQ(to_string(Setup::holdconn), "holdconn");
}

}  // namespace
}  // namespace jingle
