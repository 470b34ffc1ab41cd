#include "signaling/stanza_error.h"

#include <gtest/gtest.h>

#include <pugixml.hpp>
#include <string>

#include "signaling/stanza.h"

namespace jingle {
namespace {

StanzaError round_trip(const StanzaError& error) {
  const auto iq =
      Xml::parse("<iq xmlns='jabber:client' type='error' id='1'>" + error.xml() + "</iq>");
  EXPECT_TRUE(iq) << error.xml();
  return iq ? StanzaError::parse(iq->root()) : StanzaError{};
}

TEST(StanzaError, IsWrittenAsRfc6120AndXep0166Say) {
  EXPECT_EQ(unknown_session().xml(),
            "<error type='cancel'>"
            "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
            "<unknown-session xmlns='urn:xmpp:jingle:errors:1'/></error>");
  EXPECT_EQ(bad_request("no 'name' & <more>").xml(),
            "<error type='modify'>"
            "<bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
            "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>"
            "no &apos;name&apos; &amp; &lt;more&gt;</text></error>");
}

// The table of XEP-0166 §10 with the types this project chose where it leaves them open.
TEST(StanzaError, HasTheTypesOfTheTable) {
  struct Row {
    StanzaError error;
    const char *type, *condition, *app;
  };
  const Row rows[] = {
      {bad_request(), "modify", "bad-request", ""},
      {service_unavailable(), "cancel", "service-unavailable", ""},
      {item_not_found(), "cancel", "item-not-found", ""},
      {feature_not_implemented(), "cancel", "feature-not-implemented", ""},
      {not_allowed(), "cancel", "not-allowed", ""},
      {forbidden(), "auth", "forbidden", ""},
      {unknown_session(), "cancel", "item-not-found", "unknown-session"},
      {out_of_order(), "wait", "unexpected-request", "out-of-order"},
      {tie_break(), "cancel", "conflict", "tie-break"},
      {unsupported_info(), "modify", "feature-not-implemented", "unsupported-info"},
      {security_required(), "cancel", "not-acceptable", "security-required"},
      {resource_constraint("full"), "wait", "resource-constraint", ""},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(row.error.type, row.type);
    EXPECT_EQ(row.error.condition, row.condition);
    EXPECT_EQ(row.error.app_name, row.app);
    EXPECT_EQ(row.error.app_ns, *row.app ? "urn:xmpp:jingle:errors:1" : "");
    EXPECT_EQ(round_trip(row.error), row.error) << row.error.xml();
  }
}

TEST(StanzaError, ReadsWhatOthersWriteInTheirOwnOrder) {
  const auto iq = Xml::parse(
      "<iq xmlns='jabber:client' type='error' id='1'><ping xmlns='urn:xmpp:ping'/>"
      "<error by='x.example' code='404' type='auth'>"
      "<e:tie-break xmlns:e='urn:xmpp:jingle:errors:1'/>"
      "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='de'>nein</text>"
      "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
  const StanzaError expected{.type = "auth",
                             .condition = "conflict",
                             .app_ns = "urn:xmpp:jingle:errors:1",
                             .app_name = "tie-break",
                             .text = "nein"};
  EXPECT_EQ(StanzaError::parse(iq->root()), expected);
}

// XEP-0166 §6.3.2: the responder may send the caller elsewhere.
TEST(StanzaError, RedirectSaysWhereTo) {
  const auto iq = Xml::parse(
      "<iq xmlns='jabber:client' type='error' id='1'><error type='modify'>"
      "<redirect xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>\n  xmpp:voicemail@capulet.example\n"
      "</redirect></error></iq>");
  const auto error = StanzaError::parse(iq->root());
  EXPECT_EQ(error.type, "modify");
  EXPECT_EQ(error.condition, "redirect");
  EXPECT_EQ(error.address, "xmpp:voicemail@capulet.example");
  EXPECT_EQ(round_trip(error), error);
}

TEST(StanzaError, IsUndefinedWhereAnErrorSaysNothingUseful) {
  for (const char* text : {"<iq/>", "<iq><error/></iq>",
                           "<iq><error type='frobnicate'><nonsense "
                           "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"}) {
    const auto iq = Xml::parse(text);
    EXPECT_EQ(StanzaError::parse(iq->root()).condition, "undefined-condition") << text;
    EXPECT_EQ(StanzaError::parse(iq->root()).type, "cancel") << text;
  }
}

}  // namespace
}  // namespace jingle
