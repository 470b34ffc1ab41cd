// Namespaces and what the schema lets others add (xs:any, xs:anyAttribute).
#include <pugixml.hpp>

#include "coin/xml.h"
#include "tests/support/conference_printer.h"

namespace coin {
namespace {

using ::testing::ElementsAre;

ConferenceInfo parsed(const std::string& text) {
  const auto info = parse(text);
  EXPECT_TRUE(info) << info.error().where << ": " << info.error().what << "\n" << text;
  return info.value_or(ConferenceInfo{});
}
std::string refused(const std::string& text) {
  const auto info = parse(text);
  return info ? "accepted" : info.error().where + ": " + info.error().what;
}
std::string root(const std::string& attributes, const std::string& inside) {
  return "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='a'" + attributes +
         ">" + inside + "</conference-info>";
}
// The one foreign element of the root.
std::string canonical(const std::string& element, const std::string& declarations = "") {
  const ConferenceInfo info = parsed(root(declarations, element));
  EXPECT_EQ(info.foreign.elements.size(), 1u) << element;
  return info.foreign.elements.empty() ? "" : info.foreign.elements[0];
}

TEST(Namespaces, APrefixIsAsGoodAsADefault) {
  const ConferenceInfo info = parsed(
      "<c:conference-info xmlns:c='urn:ietf:params:xml:ns:conference-info' entity='a'>"
      "<d:users xmlns:d='urn:ietf:params:xml:ns:conference-info'><c:user entity='u'/>"
      "<user entity='none'/><user xmlns='urn:other' "
      "entity='other'/></d:users></c:conference-info>");
  ASSERT_EQ(info.users->users.size(), 1u);
  EXPECT_EQ(info.users->users[0].entity, "u");
  EXPECT_THAT(info.users->foreign.elements,
              ElementsAre("<user xmlns=\"urn:other\" entity=\"other\"/>"));
}

TEST(Namespaces, AreInheritedFromWhatStandsAroundTheRoot) {
  pugi::xml_document stanza;
  stanza.load_string(
      "<iq xmlns='jabber:client' xmlns:c='urn:ietf:params:xml:ns:conference-info' xmlns:x='urn:x'>"
      "<c:conference-info entity='a' x:y='1'><x:z/></c:conference-info></iq>");
  const auto info = parse(stanza.child("iq").first_child());
  ASSERT_TRUE(info);
  EXPECT_THAT(info->foreign.attributes, ElementsAre(ForeignAttribute{"urn:x", "y", "1"}));
  EXPECT_THAT(info->foreign.elements, ElementsAre("<z xmlns=\"urn:x\"/>"));
}

TEST(Namespaces, WhatWasNotDeclaredIsRefused) {
  EXPECT_EQ(refused(root("", "<x:y/>")),
            "conference-info: child element with a wrong name or prefix");
  EXPECT_EQ(refused(root(" x:y='1'", "")),
            "conference-info: attribute with a wrong name or prefix");
  EXPECT_EQ(refused(root(" xmlns:x=''", "<x:y/>")),
            "conference-info: child element with a wrong name or prefix");
  EXPECT_NE(refused(root("", "<y xmlns='urn:y'><x:z/></y>")), "accepted");
  EXPECT_NE(refused(root("", "<y xmlns='urn:y' x:z=''/>")), "accepted");
  EXPECT_NE(refused(root(" xmlns:x='urn:x'", "<x:y:z/>")), "accepted");
  EXPECT_NE(refused(root(" xmlns:x='urn:x'", "<x:/>")), "accepted");
  EXPECT_NE(refused(root(" xmlns:x='urn:x'", "<:x/>")), "accepted");
  EXPECT_NE(refused(root("", "<xmlns:x/>")), "accepted");
}

TEST(Namespaces, ReservedOnesAreNotDeclaredAnew) {
  EXPECT_NE(refused(root("", "<x xmlns='http://www.w3.org/XML/1998/namespace'/>")), "accepted");
  EXPECT_NE(refused(root("", "<x xmlns='http://www.w3.org/2000/xmlns/'/>")), "accepted");
  EXPECT_NE(refused(root("", "<xml:x/>")), "accepted");
  for (const char* ns : {"http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/"}) {
    const std::string declaration = std::string(" xmlns:x='") + ns + "'";
    EXPECT_NE(refused(root(declaration, "<x:y/>")), "accepted");
    EXPECT_NE(refused(root(declaration + " x:lang='en'", "")), "accepted");
    EXPECT_NE(refused(root(declaration, "<y xmlns='urn:y' x:z=''/>")), "accepted");
  }
}

TEST(Foreign, WithoutANamespaceItIsNotOtherAndIsLeftOut) {
  const ConferenceInfo info =
      parsed(root(" colour='red' xmlns:c='urn:ietf:params:xml:ns:conference-info' c:x='1'",
                  "<x xmlns=''/><users shape='round'/><unknown/>"));
  EXPECT_EQ(info.foreign, Foreign{});
  EXPECT_EQ(info.users->foreign, Foreign{});
}

// RFC 4575 §6: "others add elements and attributes of other namespaces where the schema lets"
TEST(Foreign, WhereTheSchemaHasNoRoomItIsLeftOut) {
  const ConferenceInfo info =
      parsed(root("",
                  "<sidebars-by-ref xmlns:x='urn:x' x:kept=''><x:gone/><entry><uri>u</uri></entry>"
                  "</sidebars-by-ref>"));
  EXPECT_THAT(info.sidebars_by_ref->foreign.elements, ElementsAre());
  EXPECT_THAT(info.sidebars_by_ref->foreign.attributes,
              ElementsAre(ForeignAttribute{"urn:x", "kept", ""}));
}

TEST(Foreign, ElementsAreKeptSelfContained) {
  EXPECT_EQ(canonical("<x:mood><x:happy/></x:mood>", " xmlns:x='urn:mood'"),
            R"(<mood xmlns="urn:mood"><happy/></mood>)");
  EXPECT_EQ(canonical("<mood xmlns='urn:mood'><y xmlns=''><z/></y><b:c xmlns:b='urn:b'/></mood>"),
            R"(<mood xmlns="urn:mood"><y xmlns=""><z/></y><c xmlns="urn:b"/></mood>)");
  EXPECT_EQ(canonical("<x xmlns='urn:x'>a&lt;<!-- gone --><![CDATA[&b]]><?gone?>&#13;</x>"),
            R"(<x xmlns="urn:x">a&lt;&amp;b&#13;</x>)");
  EXPECT_EQ(canonical("<x xmlns='urn:x'></x>"), R"(<x xmlns="urn:x"/>)");
  EXPECT_EQ(
      canonical(
          "<x xmlns='urn:x'><conference-info xmlns='urn:ietf:params:xml:ns:conference-info'/></x>"),
      R"(<x xmlns="urn:x"><conference-info xmlns="urn:ietf:params:xml:ns:conference-info"/></x>)");
}

TEST(Foreign, TheSameElementHasOneForm) {
  const std::string form =
      R"(<x xmlns="urn:x" a="1" b="2" xml:lang="en" xmlns:n0="urn:p" n0:a="3" n0:c="4">)"
      R"(<y xmlns:n0="urn:p" n0:q="&quot;"/></x>)";
  EXPECT_EQ(canonical("<x xmlns='urn:x' b='2' a='1' xmlns:p='urn:p' p:c='4' p:a='3' xml:lang='en'>"
                      "<y p:q='\"'/></x>"),
            form);
  EXPECT_EQ(canonical("<d:x xmlns:d='urn:x' z:a='3' xml:lang='en' a='1' z:c='4' b='2'>"
                      "<d:y xmlns:q='urn:p' q:q='&quot;'></d:y></d:x>",
                      " xmlns:z='urn:p'"),
            form);
  EXPECT_EQ(canonical(form), form);
}

TEST(Foreign, AttributesKeepTheirNamespaceUnderANewPrefix) {
  const ConferenceInfo info = parsed(
      root(" xmlns:p='urn:p' xmlns:q='urn:q&amp;' p:a='1' q:b='2' p:c='&lt;' xml:lang='de'", ""));
  EXPECT_THAT(info.foreign.attributes,
              ElementsAre(ForeignAttribute{"urn:p", "a", "1"}, ForeignAttribute{"urn:q&", "b", "2"},
                          ForeignAttribute{"urn:p", "c", "<"},
                          ForeignAttribute{"http://www.w3.org/XML/1998/namespace", "lang", "de"}));
  EXPECT_EQ(
      write(info),
      R"(<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="a" state="full")"
      R"( xmlns:n0="urn:p" n0:a="1" xmlns:n1="urn:q&amp;" n1:b="2" n0:c="&lt;" xml:lang="de"/>)");
  EXPECT_EQ(parsed(write(info)), info);
}

TEST(Foreign, APublishedPayloadBecomesAnElement) {
  pugi::xml_document item;
  item.load_string(
      "<item><t:tune xmlns:t='http://jabber.org/protocol/tune'><t:title>A &amp; B"
      "</t:title></t:tune></item>");
  EXPECT_EQ(foreign_element(item.first_child().first_child()).value(),
            R"(<tune xmlns="http://jabber.org/protocol/tune"><title>A &amp; B</title></tune>)");
  EXPECT_FALSE(foreign_element(item.first_child()));  // no namespace
  item.load_string("<user xmlns='urn:ietf:params:xml:ns:conference-info'/>");
  EXPECT_FALSE(foreign_element(item.first_child()));
  EXPECT_FALSE(foreign_element(pugi::xml_node()));
}

}  // namespace
}  // namespace coin
