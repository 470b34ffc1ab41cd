// Bad input from the wire, all the way: text -> stanza -> request. Each ends as nothing or as the
// named error.
#include <gtest/gtest.h>

#include <string>

#include "signaling/iq_router.h"

namespace jingle {
namespace {

// "nothing" where no stanza comes out, "ok", or the condition answered.
std::string outcome(const std::string& text) {
  auto xml = Xml::parse(text);
  if (!xml) return "nothing";
  const auto stanza = read_stanza(std::move(*xml));
  if (!stanza) return "nothing";
  const auto request = route(std::get<Iq>(*stanza));
  return request ? "ok" : request.error().condition;
}

std::string iq(const std::string& payload) {
  return "<iq xmlns='jabber:client' type='set' id='1' from='a@b/c' to='r@m'>" + payload + "</iq>";
}

std::string initiate(const std::string& inside) {
  return iq("<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s'>" + inside +
            "</jingle>");
}

std::string offer(const std::string& in_description, const std::string& in_transport = "") {
  return initiate(
      "<content creator='initiator' name='a'>"
      "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>" +
      in_description + "</description><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'>" +
      in_transport + "</transport></content>");
}

std::string times(int count, const std::string& text) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

const std::string kOpus = "<payload-type id='111' name='opus' clockrate='48000' channels='2'";

TEST(HostileInput, StructureBeyondTheLimitsIsRefused) {
  ASSERT_EQ(outcome(offer(kOpus + "/>")), "ok");
  EXPECT_EQ(outcome(initiate("")), "bad-request");
  std::string contents;
  for (int i = 0; i < 100; ++i) contents += "<content name='" + std::to_string(i) + "'/>";
  EXPECT_EQ(outcome(initiate(contents)), "bad-request");
  const std::string candidate =
      "<candidate component='1' foundation='1' generation='0' id='a' ip='192.0.2.1' port='9' "
      "priority='1' protocol='udp' type='host'/>";
  EXPECT_EQ(outcome(offer("", times(64, candidate))), "ok");
  EXPECT_EQ(outcome(offer("", times(1000, candidate))), "bad-request");
  EXPECT_EQ(outcome(offer(times(200, kOpus + "/>"))), "bad-request");
  EXPECT_EQ(outcome(iq(times(200, "<a>") + times(200, "</a>"))), "nothing");
  std::string attributes;
  for (int i = 0; i < 10'000; ++i) attributes += " a" + std::to_string(i) + "='1'";
  EXPECT_EQ(outcome(iq("<a" + attributes + "/>")), "nothing");
  const std::string prefix(64 * 1024, 'p');
  EXPECT_EQ(outcome(iq("<" + prefix + ":a xmlns:" + prefix + "='urn:p'/>")), "service-unavailable");
  EXPECT_EQ(outcome(iq("<a>" + std::string(512 * 1024, 'x') + "</a>")), "nothing");
  EXPECT_EQ(outcome(initiate(times(4000, "<content name='a'/>"))), "bad-request");
}

TEST(HostileInput, XmlThatNoStreamMayCarryIsNothing) {
  using std::string_literals::operator""s;
  for (const auto& inside :
       {"<a>\0</a>"s, "<a b='\0'/>"s, "<a>\xFF\xFE</a>"s, "<a>\xC0\x80</a>"s, "<!-- x --><a/>"s,
        "<?x y?><a/>"s, "<a>&lol;</a>"s, "<a>&#xFFFF;</a>"s, "<a>&#xD800;</a>"s, "<a"s}) {
    EXPECT_EQ(outcome(iq(inside)), "nothing") << ::testing::PrintToString(inside);
  }
  std::string laughs = "<!DOCTYPE iq [<!ENTITY a 'ha'>";
  for (char c = 'b'; c < 'k'; ++c) {
    laughs += std::string("<!ENTITY ") + c + " '" +
              times(10, std::string("&") + static_cast<char>(c - 1) + ";") + "'>";
  }
  EXPECT_EQ(outcome(laughs + "]>" + iq("<a>&j;</a>")), "nothing");
}

TEST(HostileInput, UnknownAndMisplacedPartsAreNamed) {
  EXPECT_EQ(outcome(initiate("<content name='a'><transport xmlns='urn:unknown'/></content>")), "ok")
      << "for the negotiation to refuse with unsupported-transports";
  EXPECT_EQ(outcome(iq("<jingle xmlns='urn:xmpp:jingle:1' action='frobnicate' sid='s'/>")),
            "bad-request");
  EXPECT_EQ(outcome(iq("<jingle xmlns='urn:xmpp:jingle:1' action='session-terminate'/>")),
            "bad-request");
  EXPECT_EQ(outcome(initiate("<content/>")), "bad-request");
}

// Odd codec parameters are values: whether to use them is for the negotiation.
TEST(HostileInput, OddCodecParametersAreKeptAndBrokenOnesRefused) {
  for (const char* odd :
       {"><parameter name='maxplaybackrate' value='0'/></payload-type>", " ptime='1'/>",
        " ptime='1000'/>", " ptime='60' maxptime='20'/>", " ptime='4294967295'/>",
        "><parameter name='maxplaybackrate' value='-99999999999999999999'/></payload-type>"}) {
    EXPECT_EQ(outcome(offer(kOpus + odd)), "ok") << odd;
  }
  EXPECT_EQ(outcome(offer(kOpus + "/>" + kOpus + "/>")), "ok") << "two opus";
  EXPECT_EQ(outcome(offer("<payload-type id='255' name='opus'/>")), "bad-request");
  EXPECT_EQ(outcome(offer(kOpus + " ptime='-1'/>")), "bad-request");
  EXPECT_EQ(outcome(offer(kOpus + " maxptime='4294967296'/>")), "bad-request");
}

}  // namespace
}  // namespace jingle
