#include "signaling/stanza.h"

#include <gtest/gtest.h>

#include <pugixml.hpp>
#include <string>

namespace jingle {
namespace {

std::optional<Stanza> read(const std::string& text) {
  auto xml = Xml::parse(text);
  EXPECT_TRUE(xml) << text;
  return xml ? read_stanza(std::move(*xml)) : std::nullopt;
}

TEST(Stanza, ReadsTheEnvelopeOfAnIq) {
  const auto stanza = read(
      "<iq xmlns='jabber:component:accept' type='set' id=' a b ' from='A@B.ex/R' to='r@m.ex'><q "
      "xmlns='urn:q'/></iq>");
  ASSERT_TRUE(stanza);
  const auto& iq = std::get<Iq>(*stanza);
  EXPECT_EQ(iq.type, Iq::Type::set);
  EXPECT_EQ(iq.id, " a b ") << "ids are opaque";
  EXPECT_EQ(iq.from.str(), "a@b.ex/R");
  EXPECT_EQ(iq.to.str(), "r@m.ex");
  EXPECT_TRUE(is(first_element(iq.xml.root()), "urn:q", "q"));
}

TEST(Stanza, ReadsMessagesAndPresences) {
  const auto message =
      read("<message xmlns='jabber:client' from='a@b.ex'><body>hi</body></message>");
  ASSERT_TRUE(message);
  EXPECT_EQ(std::get<Message>(*message).type, "");
  EXPECT_TRUE(std::get<Message>(*message).to.empty());
  const auto presence =
      read("<presence xmlns='jabber:client' type='unavailable' id='7' from='a@b.ex/c'/>");
  ASSERT_TRUE(presence);
  EXPECT_EQ(std::get<Presence>(*presence).type, "unavailable");
  EXPECT_EQ(std::get<Presence>(*presence).id, "7");
}

TEST(Stanza, IsNothingWhereNobodyCouldBeAnswered) {
  for (const char* text : {
           "<iq xmlns='jabber:client' type='get'/>",
           "<iq xmlns='jabber:client' type='get' id=''/>",
           "<iq xmlns='jabber:client' id='1'/>",
           "<iq xmlns='jabber:client' type='GET' id='1'/>",
           "<iq xmlns='jabber:client' type='get' id='1' from='@'/>",
           "<iq xmlns='jabber:client' type='get' id='1' from=''/>",
           "<iq xmlns='jabber:client' type='get' id='1' to='a b@c'/>",
           "<iq xmlns='urn:other' type='get' id='1'/>",
           "<features xmlns='jabber:client'/>",
           "<message xmlns='jabber:client' from='a@'/>",
       }) {
    EXPECT_FALSE(read(text)) << text;
  }
  EXPECT_FALSE(read_stanza(Xml()));
}

}  // namespace
}  // namespace jingle
