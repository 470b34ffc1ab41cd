#include "signaling/iq_router.h"

#include <gtest/gtest.h>

#include <string>

namespace jingle {
namespace {

Result<IqRequest> routed(const std::string& type, const std::string& payload) {
  auto xml =
      Xml::parse("<iq xmlns='jabber:client' type='" + type + "' id='1'>" + payload + "</iq>");
  EXPECT_TRUE(xml) << payload;
  const auto stanza = read_stanza(std::move(*xml));
  EXPECT_TRUE(stanza);
  return route(std::get<Iq>(*stanza));
}

const std::string kDocument =
    "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='xmpp:r@m.ex' "
    "state='full' version='1'%><conference-description/><users state='full'/></conference-info>";

std::string document(const std::string& attributes = "") {
  std::string out = kDocument;
  return out.replace(out.find('%'), 1, attributes);
}

TEST(IqRouter, KnowsItsRequests) {
  EXPECT_EQ(routed("get", "<ping xmlns='urn:xmpp:ping'/>"), IqRequest(XmppPing{}));
  EXPECT_EQ(routed("get", "<query xmlns='http://jabber.org/protocol/disco#info' node='n'/>"),
            IqRequest(DiscoInfoQuery{"n"}));
  EXPECT_EQ(routed("get", " <query xmlns='http://jabber.org/protocol/disco#items'/> "),
            IqRequest(DiscoItemsQuery{""}));
  EXPECT_EQ(routed("get", "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info'/>"),
            IqRequest(ConferenceInfoGet{}));
  EXPECT_EQ(routed("set", "<services xmlns='urn:xmpp:extdisco:2'/>"),
            IqRequest(ExternalServices{}));
  EXPECT_EQ(routed("set", "<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='s'/>"),
            IqRequest(Request{Sid{"s"}, SessionInfo{Ping{}}}));
}

TEST(IqRouter, WantsExactlyOnePayload) {
  for (const char* type : {"get", "set"}) {
    for (const char* payload :
         {"", "text", "<ping xmlns='urn:xmpp:ping'/><ping xmlns='urn:xmpp:ping'/>",
          "<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='s'/>"
          "<x xmlns='urn:x'/>"}) {
      const auto request = routed(type, payload);
      ASSERT_FALSE(request) << type << payload;
      EXPECT_EQ(request.error().condition, "bad-request") << type << payload;
      EXPECT_EQ(request.error().type, "modify");
    }
  }
}

TEST(IqRouter, TakesADocumentBesideItsSessionInEitherOrder) {
  const std::string jingle = "<jingle xmlns='urn:xmpp:jingle:1' sid='s'/>";
  for (const std::string& pair :
       {jingle + document(), document() + jingle, jingle + document(" sid='s'")}) {
    const auto request = routed("set", pair);
    ASSERT_TRUE(request) << request.error().text;
    EXPECT_EQ(std::get<ConferenceInfoSet>(*request).sid, Sid{"s"});
  }
  const std::string action = "<jingle xmlns='urn:xmpp:jingle:1' sid='s' action='session-info'/>";
  for (const std::string& pair :
       {action + document(), std::string("<jingle xmlns='urn:xmpp:jingle:1'/>") + document(),
        jingle + document(" sid='other'"), jingle + jingle, document() + document(),
        jingle + document() + jingle}) {
    const auto request = routed("set", pair);
    ASSERT_FALSE(request) << pair;
    EXPECT_EQ(request.error().condition, "bad-request") << pair;
  }
  EXPECT_EQ(routed("get", jingle + document()).error().condition, "bad-request");
}

TEST(IqRouter, TakesADocumentAloneWithOrWithoutSid) {
  EXPECT_EQ(std::get<ConferenceInfoSet>(*routed("set", document(" sid='s'"))).sid, Sid{"s"});
  EXPECT_EQ(std::get<ConferenceInfoSet>(*routed("set", document())).sid, std::nullopt);
  EXPECT_EQ(std::get<ConferenceInfoSet>(*routed("set", document())).info.entity, "xmpp:r@m.ex");
}

TEST(IqRouter, RefusesDocumentsThatDoNotParse) {
  const auto request =
      routed("set", "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info'/>");
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().condition, "bad-request");
  EXPECT_FALSE(request.error().text.empty());
}

TEST(IqRouter, OffersNoServiceForTheRest) {
  const std::pair<const char*, std::string> others[] = {
      {"get", "<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='s'/>"},
      {"set", "<ping xmlns='urn:xmpp:ping'/>"},
      {"set", "<query xmlns='http://jabber.org/protocol/disco#info'/>"},
      {"set", "<query xmlns='http://jabber.org/protocol/disco#items'/>"},
      {"get", "<query xmlns='jabber:iq:roster'/>"},
      {"set", "<vCard xmlns='vcard-temp'/>"},
      {"get", "<ping xmlns='urn:other'/>"},
      {"get", "<ping/>"},
      {"set", "<jingle xmlns='urn:xmpp:jingle:0' action='session-info' sid='s'/>"},
      {"set", "<conference-info xmlns='urn:xmpp:coin:1' isfocus='true'/>"},
  };
  for (const auto& [type, payload] : others) {
    EXPECT_EQ(routed(type, payload), tl::unexpected(service_unavailable())) << type << payload;
  }
}

TEST(IqRouter, PassesOnTheErrorsOfJingle) {
  EXPECT_EQ(routed("set", "<jingle xmlns='urn:xmpp:jingle:1' sid='s'/>").error().condition,
            "bad-request");
}

}  // namespace
}  // namespace jingle
