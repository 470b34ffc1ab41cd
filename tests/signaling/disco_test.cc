#include "signaling/disco.h"

#include <gtest/gtest.h>

#include <pugixml.hpp>

#include "signaling/stanza.h"

namespace jingle {
namespace {

// XEP-0115 §5.2: the simple generation example.
const DiscoInfo kExodus{
    .identities = {{.category = "client", .type = "pc", .name = "Exodus 0.9.1", .lang = ""}},
    .features = {"http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items",
                 "http://jabber.org/protocol/muc", "http://jabber.org/protocol/caps"}};

TEST(DiscoInfo, HashesXep0115sSimpleExample) {
  EXPECT_EQ(kExodus.caps_ver(), "QgayPKawpkPSDYmwT/WM94uAlu0=");
  EXPECT_EQ(kExodus.caps_xml("http://code.google.com/p/exodus"),
            "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' "
            "node='http://code.google.com/p/exodus' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>");
}

TEST(DiscoInfo, HashDoesNotDependOnTheOrderOfIdentities) {
  DiscoInfo info = kExodus;
  info.identities.push_back({.category = "client", .type = "pc", .name = "Эксодус", .lang = "ru"});
  info.identities.push_back({.category = "automation", .type = "rpc", .name = "", .lang = ""});
  const auto ver = info.caps_ver();
  EXPECT_NE(ver, kExodus.caps_ver());
  std::swap(info.identities[0], info.identities[2]);
  EXPECT_EQ(info.caps_ver(), ver);
}

TEST(DiscoInfo, ReadsWhatItWrites) {
  DiscoInfo info = kExodus;
  info.identities.push_back({.category = "a&b", .type = "<t>", .name = "'\"", .lang = "de"});
  const auto xml = Xml::parse(info.xml("node#<ver>"));
  ASSERT_TRUE(xml);
  EXPECT_STREQ(xml->root().attribute("node").value(), "node#<ver>");
  EXPECT_EQ(DiscoInfo::parse(xml->root()), info);
}

TEST(DiscoInfo, EchoesNoNodeWhenNoneWasAsked) {
  EXPECT_EQ(DiscoInfo{}.xml(), "<query xmlns='http://jabber.org/protocol/disco#info'></query>");
}

TEST(DiscoInfo, RefusesAnotherElementAndNamelessParts) {
  for (const char* text :
       {"<query xmlns='http://jabber.org/protocol/disco#items'/>",
        "<query xmlns='http://jabber.org/protocol/disco#info'><feature/></query>",
        "<query xmlns='http://jabber.org/protocol/disco#info'><identity type='pc'/></query>"}) {
    EXPECT_FALSE(DiscoInfo::parse(Xml::parse(text)->root())) << text;
  }
}

TEST(DiscoItems, AreWrittenWithWhatTheyHave) {
  EXPECT_EQ(disco_items_xml({}), "<query xmlns='http://jabber.org/protocol/disco#items'></query>");
  EXPECT_EQ(
      disco_items_xml({{.jid = *Jid::parse("r@m.ex/focus"), .name = "A & B", .node = "n"}}, "c"),
      "<query xmlns='http://jabber.org/protocol/disco#items' node='c'>"
      "<item jid='r@m.ex/focus' name='A &amp; B' node='n'/></query>");
}

}  // namespace
}  // namespace jingle
