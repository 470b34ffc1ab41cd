// coin/xml.h by example: what is accepted, what is refused and where, what is written.
#include "coin/xml.h"

#include <pugixml.hpp>

#include "coin/limits.h"
#include "tests/support/conference_printer.h"

namespace coin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kOpen[] =
    "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='xmpp:r@x'>";

std::string in_root(const std::string& inside) { return kOpen + inside + "</conference-info>"; }
std::string in_user(const std::string& inside) {
  return in_root("<users><user entity='u'>" + inside + "</user></users>");
}
ConferenceInfo parsed(const std::string& text) {
  const auto info = parse(text);
  EXPECT_TRUE(info) << info.error().where << ": " << info.error().what << "\n" << text;
  return info.value_or(ConferenceInfo{});
}
std::string refused(const std::string& text) {
  const auto info = parse(text);
  EXPECT_FALSE(info) << text;
  return info ? "accepted" : info.error().where + ": " + info.error().what;
}
ConferenceInfo with_text(const std::string& text) {
  ConferenceInfo info;
  info.entity = "xmpp:r@x";
  info.description.emplace().display_text = text;
  return info;
}

// ---- what is not a conference document

// RFC 4575 §4.2: "the root and all of its elements are of the conference-info namespace"
TEST(Xml, AnotherRootOrNamespaceIsRefused) {
  EXPECT_EQ(refused("<conference-info entity='a'/>"),
            "conference-info: the root is not RFC 4575's");
  EXPECT_EQ(refused("<conference-info xmlns='urn:xmpp:coin:1' isfocus='true' entity='a'/>"),
            "conference-info: the root is not RFC 4575's");
  EXPECT_EQ(refused("<users xmlns='urn:ietf:params:xml:ns:conference-info'/>"),
            "conference-info: the root is not RFC 4575's");
  EXPECT_EQ(refused("<x:conference-info entity='a'/>"),
            "conference-info: the root is not RFC 4575's");
  EXPECT_THAT(refused(""), HasSubstr("not well-formed"));
  EXPECT_THAT(refused("conference-info"), HasSubstr("not well-formed"));
  EXPECT_THAT(refused(in_root("") + in_root("")), HasSubstr("one root"));
  EXPECT_THAT(refused(in_root("<users>")), HasSubstr("not well-formed"));
}

// RFC 4575 §4.5: "elements that may be there several times are told apart by their keys"
TEST(Xml, KeysAreRequiredAndNotEmpty) {
  EXPECT_EQ(refused("<conference-info xmlns='urn:ietf:params:xml:ns:conference-info'/>"),
            "conference-info: no entity");
  EXPECT_EQ(refused("<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity=' '/>"),
            "conference-info: no entity");
  EXPECT_EQ(refused(in_root("<users><user entity='u'/><user/></users>")),
            "users/user[2]: no entity");
  EXPECT_EQ(refused(in_user("<endpoint entity='e'/><endpoint entity=''/>")),
            "users/user[1]/endpoint[2]: no entity");
  EXPECT_EQ(refused(in_user("<endpoint entity='e'><media/></endpoint>")),
            "users/user[1]/endpoint[1]/media[1]: no id");
  EXPECT_EQ(refused(in_user("<associated-aors><entry/></associated-aors>")),
            "users/user[1]/associated-aors/entry[1]: no uri");
  EXPECT_EQ(refused(in_root("<conference-description><available-media><entry><type>audio</type>"
                            "</entry></available-media></conference-description>")),
            "conference-description/available-media/entry[1]: no label");
  EXPECT_EQ(refused(in_root("<sidebars-by-val><entry/></sidebars-by-val>")),
            "sidebars-by-val/entry[1]: no entity");
}

TEST(Xml, RequiredChildrenAreRequired) {
  EXPECT_EQ(refused(in_root("<conference-description><available-media><entry label='1'/>"
                            "</available-media></conference-description>")),
            "conference-description/available-media/entry[1]: no type");
  EXPECT_EQ(refused(in_user("<endpoint entity='e'><call-info><sip><call-id>1</call-id>"
                            "<to-tag>2</to-tag></sip></call-info></endpoint>")),
            "users/user[1]/endpoint[1]/call-info/sip: no from-tag");
}

TEST(Xml, NothingIsGivenTwice) {
  EXPECT_EQ(refused(in_root("<users/><users/>")), "conference-info: users given twice");
  EXPECT_EQ(refused(in_user("<display-text>a</display-text><display-text>b</display-text>")),
            "users/user[1]: display-text given twice");
  EXPECT_EQ(refused(in_root("<users><user entity='a' entity='b'/></users>")),
            "users/user[1]: entity given twice");
  EXPECT_EQ(refused(in_root("<users xmlns:a='urn:a' xmlns:b='urn:a' a:x='1' b:x='2'/>")),
            "users: attribute given twice");
  EXPECT_THAT(refused(in_root("<x xmlns='urn:x' a='1' a='2'/>")), HasSubstr("given twice"));
}

// ---- simple types

TEST(Xml, WordsAreTheSchemasToTheLetter) {
  for (const char* word : {"Full", " full", "full ", "", "removed"}) {
    EXPECT_EQ(refused(in_root(std::string("<users state='") + word + "'/>")),
              "users: state is none of full, partial, deleted");
  }
  for (const char* word : {"Connected", " connected", "", "mute-via-focus", "on_hold"}) {
    EXPECT_EQ(refused(in_user(std::string("<endpoint entity='e'><status>") + word +
                              "</status></endpoint>")),
              "users/user[1]/endpoint[1]: status is none of the schema's words");
  }
}

// RFC 4575 §4.4: "an element without state is full"
TEST(Xml, AbsentStateIsFullAndIsWrittenOut) {
  const ConferenceInfo info = parsed(in_user("<endpoint entity='e'/>"));
  EXPECT_EQ(info.state, State::full);
  EXPECT_EQ(info.users->users[0].endpoints[0].state, State::full);
  EXPECT_EQ(write(info),
            R"(<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="xmpp:r@x")"
            R"( state="full"><users state="full"><user entity="u" state="full">)"
            R"(<endpoint entity="e" state="full"/></user></users></conference-info>)");
}

TEST(Xml, BooleansHaveFourSpellings) {
  const auto active = [](const std::string& word) {
    return in_root("<conference-state><active>" + word + "</active></conference-state>");
  };
  EXPECT_EQ(parsed(active("true")).conference_state->active, true);
  EXPECT_EQ(parsed(active("1")).conference_state->active, true);
  EXPECT_EQ(parsed(active("false")).conference_state->active, false);
  EXPECT_EQ(parsed(active(" 0\n")).conference_state->active, false);
  for (const char* word : {"", "yes", "TRUE", "01", "true false"}) {
    EXPECT_EQ(refused(active(word)), "conference-state: active is no boolean");
  }
}

// RFC 4575 §5.2: "a version has 32 bits"
TEST(Xml, IntegersAreUnsignedAndHave32Bits) {
  const auto count = [](const std::string& digits) {
    return in_root("<conference-state><user-count>" + digits + "</user-count></conference-state>");
  };
  EXPECT_EQ(parsed(count("0")).conference_state->user_count, 0u);
  EXPECT_EQ(parsed(count(" 4294967295 ")).conference_state->user_count, 4294967295u);
  EXPECT_EQ(parsed(count("007")).conference_state->user_count, 7u);
  for (const char* digits :
       {"", "-1", "+1", "4294967296", "1.0", "1e3", "0x10", "1 2", "99999999999"}) {
    EXPECT_EQ(refused(count(digits)), "conference-state: user-count is no unsigned 32-bit integer");
  }
  EXPECT_EQ(refused("<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='a' "
                    "version='-1'/>"),
            "conference-info: version is no unsigned 32-bit integer");
}

TEST(Xml, ListsAreSplitAtAnyWhiteSpace) {
  const ConferenceInfo info = parsed(
      in_root("<conference-description><keywords> a\tb\n  c </keywords></conference-description>"));
  EXPECT_EQ(info.description->keywords, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_THAT(write(info), HasSubstr("<keywords>a b c</keywords>"));
  EXPECT_TRUE(parsed(in_user("<languages> </languages>")).users->users[0].languages.empty());
}

TEST(Xml, TextIsKeptToTheCharacterAndUrisAreCollapsed) {
  const ConferenceInfo info =
      parsed(in_user("<display-text>  <![CDATA[<a>]]> &amp; <!-- gone -->b\n</display-text>"
                     "<cascaded-focus>\n  xmpp:f@x \n</cascaded-focus>"));
  EXPECT_EQ(info.users->users[0].display_text, "  <a> & b\n");
  EXPECT_EQ(info.users->users[0].cascaded_focus, "xmpp:f@x");
  EXPECT_EQ(refused(in_user("<display-text>a<b xmlns='urn:b'/></display-text>")),
            "users/user[1]: display-text holds an element");
}

// ---- structure

TEST(Xml, OrderOfChildrenIsNotRequiredOfOthers) {
  const ConferenceInfo info = parsed(
      in_root("<users><user entity='u'><endpoint entity='e'/><display-text>U</display-text></user>"
              "</users><conference-description/>"));
  EXPECT_TRUE(info.description);
  EXPECT_EQ(info.users->users[0].display_text, "U");
  EXPECT_THAT(write(info), HasSubstr("<conference-description/><users"));
}

TEST(Xml, AConferenceNestedInTheRootIsUnwrapped) {
  const std::string inner =
      "<conference-info version='2' entity='xmpp:n@x'><users/></conference-info>";
  const auto outer = [](const std::string& attributes, const std::string& inside) {
    return "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info'" + attributes + ">" +
           inside + "</conference-info>";
  };
  EXPECT_EQ(parsed(outer("", inner)).entity, "xmpp:n@x");
  EXPECT_EQ(parsed(outer("", inner)).version, 2u);
  EXPECT_EQ(parsed(outer(" sid='S'", inner)).sid, "S");
  EXPECT_EQ(refused(outer("", "<conference-info>" + inner + "</conference-info>")),
            "conference-info: nested more than once");
  EXPECT_EQ(refused(outer("", inner + inner)), "conference-info: conference-info given twice");
}

TEST(Xml, SidIsTheRootsOnly) {
  const ConferenceInfo info = parsed(
      "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='a' sid=''>"
      "<sidebars-by-val><entry entity='b' sid='no'/></sidebars-by-val></conference-info>");
  EXPECT_EQ(info.sid, "");
  EXPECT_EQ(info.sidebars_by_val->entries[0].sid, std::nullopt);
  EXPECT_THAT(write(info), HasSubstr(" sid=\"\" entity="));
}

// RFC 4575 §5.9: "sidebars are conferences by reference or by value"
TEST(Xml, ASidebarIsAConference) {
  const ConferenceInfo info = parsed(in_root(
      "<sidebars-by-val state='partial'><entry entity='s' state='partial' version='3'><users>"
      "<user entity='u'/></users></entry></sidebars-by-val>"));
  const ConferenceInfo& sidebar = info.sidebars_by_val->entries.at(0);
  EXPECT_EQ(sidebar.version, 3u);
  EXPECT_EQ(sidebar.users->users.at(0).entity, "u");
}

// RFC 4575 §5.7: "call-info is a SIP dialog or something of another protocol"
TEST(Xml, CallInfoIsASipDialogOrForeignElements) {
  const auto call_info = [](const std::string& inside) {
    return parsed(in_user("<endpoint entity='e'><call-info>" + inside + "</call-info></endpoint>"))
        .users->users[0]
        .endpoints[0]
        .call_info.value();
  };
  const std::string sip = "<sip><call-id>c</call-id><from-tag>f</from-tag><to-tag/></sip>";
  EXPECT_EQ(call_info(sip).sip, (SipDialogId{{}, "c", "f", "", {}}));
  EXPECT_EQ(call_info("<x xmlns='urn:x'/>").foreign.elements,
            (std::vector<std::string>{"<x xmlns=\"urn:x\"/>"}));
  EXPECT_TRUE(call_info(sip + "<x xmlns='urn:x'/>").foreign.elements.empty());
}

// ---- what XML can carry

TEST(Xml, TextThatLooksLikeMarkupIsEscaped) {
  const ConferenceInfo info = with_text("<&'\">]]>\r\n\t");
  EXPECT_THAT(write(info),
              HasSubstr("<display-text>&lt;&amp;'\"&gt;]]&gt;&#13;\n\t</display-text>"));
  EXPECT_EQ(parsed(write(info)), info);
  ConferenceInfo key = with_text("");
  key.entity = "a<&'\">\r\n\tb";  // white space in a URI collapses, so look at what is written
  EXPECT_THAT(write(key), HasSubstr("entity=\"a&lt;&amp;'&quot;&gt;&#13;&#10;&#9;b\""));
}

TEST(Xml, WhatXmlCannotCarryIsLeftOutAndNeverMadeAReference) {
  std::string text = "a";
  for (char c = 1; c < 32; ++c) text += c;
  text += std::string("\0b", 2);
  text += "\xFF\xC0\x80\xED\xA0\x80\xF4\x90\x80\x80\xE2\x82";  // not UTF-8
  text += "\xEF\xBF\xBE\xEF\xBF\xBF\x7F";                      // U+FFFE, U+FFFF; DEL is a character
  const std::string written = write(with_text(text));
  EXPECT_EQ(parsed(written).description->display_text, "a\t\n\rb\x7F");
  EXPECT_THAT(written, Not(HasSubstr("&#1;")));
  EXPECT_THAT(written, Not(HasSubstr("&#01;")));
}

TEST(Xml, CharactersThatXmlCannotCarryAreRefused) {
  EXPECT_EQ(refused(in_user("<display-text>&#1;</display-text>")),
            "users/user[1]: display-text has a character that XML cannot carry");
  EXPECT_THAT(refused(in_user("<display-text>\x01</display-text>")), HasSubstr("cannot carry"));
  EXPECT_THAT(refused(in_user("<display-text>\xFF</display-text>")), HasSubstr("cannot carry"));
  EXPECT_THAT(refused(in_root("<users><user entity='&#xFFFF;'/></users>")),
              HasSubstr("cannot carry"));
  EXPECT_THAT(refused(in_root("<x xmlns='urn:x'>&#2;</x>")), HasSubstr("cannot carry"));
  EXPECT_THAT(refused(in_root("<x xmlns='urn:x' a='\x02'/>")), HasSubstr("cannot carry"));
  EXPECT_THAT(refused(in_root("<users xmlns:a='urn:a' a:b='\x02'/>")), HasSubstr("cannot carry"));
}

TEST(Xml, BidirectionalAndOtherOddCharactersPassUnharmed) {
  // Whether they are shown is the roster's question, not the document's.
  const ConferenceInfo info = with_text("\u202e\u2066\u200f\u0085\u2028\ufeff\U0010FFFF e\u0301");
  EXPECT_EQ(parsed(write(info)), info);
}

// ---- bounds

TEST(Xml, TextOf64KiBIsRefusedAndTheLongestUriIsNot) {
  const std::string longest(limits::kTextBytes, 'a');
  EXPECT_EQ(parsed(write(with_text(longest))).description->display_text, longest);
  EXPECT_EQ(refused(write(with_text(std::string(64 * 1024, 'a')))),
            "conference-description: display-text is too long");
  EXPECT_EQ(refused(in_root("<users><user entity='" + longest + "a'/></users>")),
            "users/user[1]: entity is too long");
}

std::string times(std::size_t count, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

TEST(Xml, HugeCountsAreRefused) {
  const auto users = [](std::size_t n) {
    return in_root("<users>" + times(n, "<user entity='u'/>") + "</users>");
  };
  EXPECT_EQ(parsed(users(limits::kUsers)).users->users.size(), limits::kUsers);
  EXPECT_EQ(refused(users(limits::kUsers + 1)), "users: too many user");
  EXPECT_EQ(refused(in_user(times(limits::kEndpoints + 1, "<endpoint entity='e'/>"))),
            "users/user[1]: too many endpoint");
  EXPECT_EQ(refused(in_user("<endpoint entity='e'>" + times(limits::kMedia + 1, "<media id='m'/>") +
                            "</endpoint>")),
            "users/user[1]/endpoint[1]: too many media");
  EXPECT_EQ(refused(in_user("<roles>" + times(limits::kRoles + 1, "<entry/>") + "</roles>")),
            "users/user[1]/roles: too many entry");
  EXPECT_EQ(refused(in_user("<languages>" + times(limits::kListItems + 1, "en ") + "</languages>")),
            "users/user[1]: too many languages");
  EXPECT_EQ(
      refused(in_root("<sidebars-by-val>" + times(limits::kSidebars + 1, "<entry entity='s'/>") +
                      "</sidebars-by-val>")),
      "sidebars-by-val: too many entry");
  EXPECT_EQ(refused(std::string(limits::kDocumentBytes + 1, ' ')),
            "conference-info: the document is too long");
}

TEST(Xml, DeepNestingIsRefused) {
  const auto sidebars = [](std::size_t depth) {
    return in_root(times(depth, "<sidebars-by-val><entry entity='s'>") +
                   times(depth, "</entry></sidebars-by-val>"));
  };
  EXPECT_TRUE(parse(sidebars(limits::kSidebarDepth)));
  EXPECT_THAT(refused(sidebars(limits::kSidebarDepth + 1)), HasSubstr("nested too deeply"));
  const auto foreign = [](std::size_t depth) {
    return in_root("<x xmlns='urn:x'>" + times(depth - 1, "<y>") + times(depth - 1, "</y>") +
                   "</x>");
  };
  EXPECT_TRUE(parse(foreign(limits::kForeignDepth)));
  EXPECT_THAT(refused(foreign(limits::kForeignDepth + 1)), HasSubstr("nested too deeply"));
  // Unknown elements of our own namespace are left out, however deep.
  EXPECT_TRUE(parse(in_root(times(50'000, "<x>") + times(50'000, "</x>"))));
}

TEST(Xml, ForeignContentIsBounded) {
  EXPECT_THAT(
      refused(in_root("<x xmlns='urn:x'>" + std::string(limits::kForeignBytes, 'a') + "</x>")),
      HasSubstr("too long"));
  EXPECT_THAT(refused(in_root(times(limits::kForeignBytes / 10, "<x xmlns='urn:x'/>"))),
              HasSubstr("too long"));
  EXPECT_THAT(refused(in_root("<users xmlns:a='urn:a' a:b='" +
                              std::string(limits::kForeignBytes, 'a') + "'/>")),
              HasSubstr("too long"));
  std::string attributes;
  for (std::size_t i = 0; i <= limits::kAttributes; ++i) {
    attributes += " a" + std::to_string(i) + "=''";
  }
  EXPECT_THAT(refused(in_root("<users" + attributes + "/>")), HasSubstr("too many attributes"));
  EXPECT_THAT(refused(in_root("<x xmlns='urn:x'" + attributes + "/>")),
              HasSubstr("too many attributes"));
  // One long namespace, declared once, used again and again.
  EXPECT_THAT(refused(in_root("<users xmlns:a='" + std::string(10'000, 'n') + "'>" +
                              times(9'000, "<user entity='u' a:b=''/>") + "</users>")),
              HasSubstr("too long"));
}

TEST(Xml, AKeyGivenTwiceIsKeptTwice) {
  EXPECT_EQ(
      parsed(in_root("<users><user entity='u'/><user entity='u'/></users>")).users->users.size(),
      2u);
}

}  // namespace
}  // namespace coin
