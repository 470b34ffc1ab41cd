#include <gtest/gtest.h>

#include <pugixml.hpp>
#include <string>

#include "signaling/limits.h"
#include "signaling/stanza.h"

namespace jingle {
namespace {

std::string again(const std::string& text) {
  const auto xml = Xml::parse(text);
  return xml ? xml->str() : "(refused)";
}

TEST(Xml, ResolvesPrefixesIntoExplicitNamespaces) {
  // As StanzaJS writes children and as SylkServer undeclares the default namespace.
  EXPECT_EQ(again("<iq xmlns='jabber:client' xmlns:r='urn:r'><r:a><r:b/><c/></r:a></iq>"),
            "<iq xmlns='jabber:client'><a xmlns='urn:r'><b/><c xmlns='jabber:client'/></a></iq>");
  EXPECT_EQ(again("<iq xmlns='jabber:client'><conference-info xmlns='' isfocus='true'/></iq>"),
            "<iq xmlns='jabber:client'><conference-info xmlns='' isfocus='true'/></iq>");
  EXPECT_EQ(again("<a><b xmlns='' c='1'/></a>"), "<a><b c='1'/></a>");
}

TEST(Xml, FindsTheNamespaceWhereverItIsDeclared) {
  const auto xml = Xml::parse(
      "<iq type='set' id='1' xmlns='jabber:client' to='a'><q a='b' xmlns='urn:q'/></iq>");
  ASSERT_TRUE(xml);
  EXPECT_EQ(effective_ns(xml->root()), "jabber:client");
  EXPECT_TRUE(child(xml->root(), "urn:q", "q"));
  EXPECT_FALSE(child(xml->root(), "jabber:client", "q"));
  EXPECT_FALSE(child(xml->root(), "urn:q", "iq"));
}

TEST(Xml, KeepsForeignAttributesApartFromOurs) {
  const auto xml = Xml::parse(
      "<iq xmlns='jabber:client' xmlns:x='urn:x' x:from='victim@example.org' from='me@example.org' "
      "x:xmlns='urn:evil' xml:lang='en'/>");
  ASSERT_TRUE(xml);
  EXPECT_STREQ(xml->root().attribute("from").value(), "me@example.org");
  EXPECT_STREQ(xml->root().attribute("xml:lang").value(), "en");
  EXPECT_EQ(effective_ns(xml->root()), "jabber:client");
  EXPECT_EQ(Xml::parse(xml->str()), xml);
  const auto other = Xml::parse(
      "<iq xmlns='jabber:client' xmlns:y='urn:x' xml:lang='en' y:xmlns='urn:evil' "
      "from='me@example.org' y:from='victim@example.org'/>");
  EXPECT_EQ(other, xml) << "prefixes and order mean nothing";
  EXPECT_NE(Xml::parse("<iq xmlns='jabber:client' from='me@example.org' xml:lang='en'/>"), xml);
}

TEST(Xml, ReadsTreesBuiltByCodeWithoutNamespacesOnEachNode) {
  Xml xml;
  auto iq = xml.document().append_child("iq");
  auto jingle = iq.append_child("jingle");
  jingle.append_attribute("action").set_value("x");
  jingle.append_attribute("xmlns").set_value("urn:xmpp:jingle:1");
  auto content = jingle.append_child("content");
  auto prefixed = content.append_child("p:thing");
  EXPECT_EQ(effective_ns(iq), "");
  EXPECT_EQ(effective_ns(content), "urn:xmpp:jingle:1");
  EXPECT_EQ(effective_ns(prefixed), "") << "an undeclared prefix is no namespace";
  jingle.append_attribute("xmlns:p").set_value("urn:p");
  EXPECT_TRUE(is(prefixed, "urn:p", "thing"));
  EXPECT_EQ(effective_ns(pugi::xml_node()), "");
  EXPECT_EQ(Xml::parse("<iq><jingle xmlns='urn:xmpp:jingle:1' action='x'><content><thing "
                       "xmlns='urn:p'/></content></jingle></iq>"),
            xml);
}

TEST(Xml, HasValueSemantics) {
  const auto original = *Xml::parse("<a b='1'><c>text</c></a>");
  Xml copy = original;
  EXPECT_EQ(copy, original);
  copy.root().attribute("b").set_value("2");
  EXPECT_NE(copy, original);
  EXPECT_EQ(original.str(), "<a b='1'><c>text</c></a>");
  Xml moved = std::move(copy);
  EXPECT_EQ(moved.str(), "<a b='2'><c>text</c></a>");
  EXPECT_FALSE(copy.root());  // NOLINT: a moved-from value is empty and usable
  EXPECT_EQ(copy, Xml());
  copy = moved;
  EXPECT_EQ(copy, moved);
  copy.document().reset();
  EXPECT_EQ(copy.str(), "");
}

TEST(Xml, ComparesTextAndTheOrderOfChildren) {
  EXPECT_EQ(Xml::parse("<a>x<![CDATA[<y>]]>z</a>"), Xml::parse("<a>x&lt;y&gt;z</a>"));
  EXPECT_NE(Xml::parse("<a><b/><c/></a>"), Xml::parse("<a><c/><b/></a>"));
  EXPECT_NE(Xml::parse("<a>x<b/></a>"), Xml::parse("<a><b/>x</a>"));
  EXPECT_NE(Xml::parse("<a><b/></a>"), Xml::parse("<a><b/><b/></a>"));
  EXPECT_NE(Xml::parse("<a xmlns='urn:1'/>"), Xml::parse("<a xmlns='urn:2'/>"));
}

TEST(Xml, WritesSoThatReadingGivesTheSame) {
  const char* text =
      "<a b='&#9;&#10;&#13; &quot;&apos;&lt;&amp;' c=\"it's\">line&#13;\nnext\t]]&gt; "
      "\"'&amp;\xF0\x9F\x8E\xA4</a>";
  const auto xml = Xml::parse(text);
  ASSERT_TRUE(xml);
  EXPECT_STREQ(xml->root().attribute("b").value(), "\t\n\r \"'<&");
  EXPECT_EQ(Xml::parse(xml->str()), xml) << xml->str();
}

TEST(Xml, NeverWritesWhatXmlCannotCarry) {
  Xml xml;
  auto root = xml.document().append_child("a");
  root.append_attribute("b").set_value("x\x01y\xFFz");
  root.append_child(pugi::node_pcdata).set_value("\x1B[1m\xC3(\xED\xA0\x80\xEF\xBF\xBF\xC0\xAF!");
  EXPECT_EQ(xml.str(), "<a b='xyz'>[1m(!</a>");
  EXPECT_TRUE(Xml::parse(xml.str()));
  using std::string_literals::operator""s;
  EXPECT_EQ(escape("\xE0\x80\xAF|\xF0\x80\x80\x80|\xE0\xA0\x80|\xF0\x90\x80\x80"),
            "||\xE0\xA0\x80|\xF0\x90\x80\x80")
      << "overlong forms";
  EXPECT_EQ(escape("\0<a b=\"c\" d='e'>&\r\n\xF4\x90\x80\x80\xE2\x82"s),
            "&lt;a b=&quot;c&quot; d=&apos;e&apos;&gt;&amp;&#13;&#10;");
}

TEST(Xml, RefusesWhatNoStreamMayCarry) {
  using std::string_literals::operator""s;
  const std::string hostile[] = {
      ""s,
      " "s,
      "text"s,
      "<a>"s,
      "<a></b>"s,
      "<a/><b/>"s,
      "<a b='1' b='2'/>"s,
      "<a x:b='1' y:b='2' xmlns:x='u' xmlns:y='u'/>"s,
      "<x:a/>"s,
      "<a x:b='1'/>"s,
      "<a b=1/>"s,
      "<a b='<'/>"s,
      "<a>&nbsp;</a>"s,
      "<a>&#0;</a>"s,
      "<a>&#1;</a>"s,
      "<a>\x01</a>"s,
      "<a>\0</a>"s,
      "<a b='\0'/>"s,
      "<a/>\0"s,
      "<a>\xFF</a>"s,
      "<a>\xC3</a>"s,
      "<a>\xED\xA0\x80</a>"s,
      "<a b='\xC0\xAF'/>"s,
      "<?xml version='1.0'?><a/>"s,
      "<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE4</a>"s,
      "<!DOCTYPE a><a/>"s,
      "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"s,
      "<!DOCTYPE a [<!ENTITY b 'bbbbbbbb'><!ENTITY c '&b;&b;&b;&b;'>]><a>&c;</a>"s,
      "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"s,
      "<!-- c --><a/>"s,
      "<a><!-- c --></a>"s,
      "<a><?php x?></a>"s,
      "<a/><!-- c -->"s,
      "<xml:a/>"s,
      "<a xmlns='http://www.w3.org/XML/1998/namespace'/>"s,
  };
  for (const auto& text : hostile) EXPECT_FALSE(Xml::parse(text)) << ::testing::PrintToString(text);
}

std::string nested(int levels) {
  std::string text;
  for (int i = 0; i < levels; ++i) text += "<a>";
  for (int i = 0; i < levels; ++i) text += "</a>";
  return text;
}

std::string with_attributes(std::size_t count) {
  std::string text = "<a";
  for (std::size_t i = 0; i < count; ++i) text += " a" + std::to_string(i) + "=''";
  return text + "/>";
}

TEST(Xml, BoundsDepthAttributesAndBytes) {
  EXPECT_TRUE(Xml::parse(nested(limits::kMaxDepth)));
  EXPECT_FALSE(Xml::parse(nested(limits::kMaxDepth + 1)));
  EXPECT_FALSE(Xml::parse(nested(200)));
  EXPECT_FALSE(Xml::parse(nested(30'000)));
  EXPECT_TRUE(Xml::parse(with_attributes(limits::kMaxAttributes)));
  EXPECT_FALSE(Xml::parse(with_attributes(limits::kMaxAttributes + 1)));
  EXPECT_FALSE(Xml::parse(with_attributes(10'000)));
  const std::string most(limits::kMaxStanzaBytes - 7, 'x');
  EXPECT_TRUE(Xml::parse("<a>" + most + "</a>"));
  EXPECT_FALSE(Xml::parse("<a>x" + most + "</a>"));
  EXPECT_FALSE(Xml::parse("<a>" + std::string(512 * 1024, 'x') + "</a>"));
}

TEST(Xml, LivesWithAPrefixOf64Kilobytes) {
  const std::string prefix(64 * 1024, 'p');
  EXPECT_EQ(again("<" + prefix + ":a xmlns:" + prefix + "='urn:p'/>"), "<a xmlns='urn:p'/>");
  EXPECT_FALSE(Xml::parse("<" + prefix + ":a/>"));
}

TEST(Xml, CountsElementsOnly) {
  const auto xml = Xml::parse("<a>text<b/> <c/>text</a>");
  EXPECT_EQ(count_elements(xml->root()), 2);
  EXPECT_STREQ(first_element(xml->root()).name(), "b");
  EXPECT_EQ(text_of(xml->root()), "text text");
  EXPECT_EQ(count_elements(Xml().root()), 0);
  EXPECT_FALSE(first_element(Xml().root()));
}

}  // namespace
}  // namespace jingle
