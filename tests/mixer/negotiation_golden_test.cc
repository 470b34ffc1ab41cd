// What becomes of the offers of real clients (tests/golden; PROTOCOL §3).
#include <fstream>
#include <sstream>

#include "mixer/negotiation.h"
#include "tests/support/data.h"
#include "tests/support/focus_bench.h"

namespace {

jingle::SessionInitiate golden(const std::string& name) {
  std::ifstream file(test_support::data("golden/xep-0167/") + name);
  EXPECT_TRUE(file) << name;
  std::stringstream text;
  text << file.rdbuf();
  // The first line is a comment, which no stanza may hold.
  std::string xml = text.str();
  xml.erase(0, xml.find("-->") + 3);
  const auto parsed = jingle::Xml::parse(xml);
  EXPECT_TRUE(parsed) << name;
  const auto root = parsed->root();
  const auto request =
      jingle::parse_jingle(jingle::is(root, jingle::ns::kJingle, "jingle")
                               ? root
                               : jingle::child(root, jingle::ns::kJingle, "jingle"));
  EXPECT_TRUE(request) << name;
  return std::get<jingle::SessionInitiate>(request.value().payload);
}

TEST(NegotiationGolden, ClientsWithDtlsAreAccepted) {
  struct {
    const char* file;
    int opus;
    std::optional<std::uint8_t> digits;
    std::uint8_t ssrc_level;
    bool fec;
    std::size_t groups;
  } const table[] = {
      {"dino-session-initiate.xml", 111, std::nullopt, 0, true, 0},
      {"chromium-session-initiate.xml", 111, 110, 1, true, 1},
      {"aiortc-session-initiate.xml", 96, std::nullopt, 2, false, 1},
  };
  for (const auto& row : table) {
    const auto agreed = mixer::negotiate(golden(row.file), 32000);
    ASSERT_TRUE(agreed) << row.file << ": " << agreed.error().condition;
    const auto& rtp = agreed->remote.rtp;
    EXPECT_EQ(rtp.opus_payload_type, row.opus) << row.file;
    EXPECT_EQ(rtp.telephone_event, row.digits) << row.file;
    EXPECT_EQ(rtp.ssrc_audio_level, row.ssrc_level) << row.file;
    EXPECT_EQ(rtp.use_fec, row.fec) << row.file;
    EXPECT_TRUE(rtp.rtcp_mux) << row.file;
    EXPECT_EQ(agreed->groups.size(), row.groups) << row.file;
    EXPECT_EQ(agreed->setup, jingle::Setup::active) << row.file;
    for (const auto& candidate : agreed->remote.candidates) EXPECT_EQ(candidate.component, 1);
  }
}

TEST(NegotiationGolden, PlainRtpIsRefusedWithATextForTheUser) {
  for (const char* file : {"gajim-session-initiate.xml", "libpurple-session-initiate.xml",
                           "qxmpp-session-initiate.xml", "example-session-initiate.xml",
                           "example-session-initiate-srtp.xml"}) {
    const auto agreed = mixer::negotiate(golden(file), 32000);
    ASSERT_FALSE(agreed) << file;
    EXPECT_EQ(agreed.error().condition, "security-error") << file;
    EXPECT_EQ(agreed.error().rtp_error, "crypto-required") << file;
    EXPECT_FALSE(agreed.error().text.empty()) << file;
  }
}

}  // namespace
