#include "signaling/coin_iq.h"

#include <gtest/gtest.h>

#include <pugixml.hpp>
#include <string>

namespace jingle {
namespace {

std::optional<bool> isfocus(const std::string& inside) {
  const auto xml = Xml::parse("<jingle xmlns='urn:xmpp:jingle:1'>" + inside + "</jingle>");
  EXPECT_TRUE(xml) << inside;
  return parse_isfocus(xml->root());
}

// XEP-0298 §4: "In essence Coin allows clients that establish Jingle calls to determine whether"
TEST(CoinIq, FindsIsfocusInEveryNamespaceSeen) {
  for (const char* ns : {"urn:xmpp:coin:1", "urn:xmpp:coin", "", "urn:xmpp:jingle:1",
                         "urn:xmpp:jingle:apps:coin:1"}) {
    const std::string open = std::string("<conference-info xmlns='") + ns + "' isfocus='";
    EXPECT_EQ(isfocus(open + "true'/>"), true) << ns;
    EXPECT_EQ(isfocus(open + "1'/>"), true) << ns;
    EXPECT_EQ(isfocus(open + "false'/>"), false) << ns;
    EXPECT_EQ(isfocus(open + "0'/>"), false) << ns;
    EXPECT_EQ(isfocus("<content/>" + open + " true '/>"), true) << ns;
  }
}

TEST(CoinIq, SeesNoClaimInAnythingElse) {
  EXPECT_EQ(isfocus(""), std::nullopt);
  EXPECT_EQ(isfocus("<conference-info isfocus='yes'/>"), std::nullopt);
  EXPECT_EQ(isfocus("<conference-info/>"), std::nullopt);
  EXPECT_EQ(isfocus("<conference-info xmlns='urn:other' isfocus='true'/>"), std::nullopt);
  EXPECT_EQ(isfocus("<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' "
                    "isfocus='true'/>"),
            std::nullopt);
  EXPECT_EQ(isfocus("<content><conference-info isfocus='true'/></content>"), std::nullopt);
}

TEST(CoinIq, WritesTheNamespaceOfTheSpecification) {
  Xml xml;
  auto jingle = xml.document().append_child("jingle");
  write_isfocus(jingle, true);
  EXPECT_EQ(xml.str(),
            "<jingle><conference-info xmlns='urn:xmpp:coin:1' isfocus='true'/></jingle>");
  EXPECT_EQ(parse_isfocus(jingle), true);
}

}  // namespace
}  // namespace jingle
