#include "signaling/jingle.h"

#include <gtest/gtest.h>

#include <pugixml.hpp>
#include <string>

#include "signaling/limits.h"

namespace jingle {
namespace {

Result<Request> parse(const std::string& text) {
  const auto xml = Xml::parse(text);
  EXPECT_TRUE(xml) << text;
  return parse_jingle(xml->root());
}

Result<Request> parse(const std::string& action, const std::string& inside) {
  return parse("<jingle xmlns='urn:xmpp:jingle:1' action='" + action + "' sid='s'>" + inside +
               "</jingle>");
}

std::string content(const std::string& attributes, const std::string& inside = "") {
  return "<content " + attributes + ">" + inside + "</content>";
}

void expect_bad_request(const Result<Request>& request, const std::string& what) {
  ASSERT_FALSE(request) << what;
  EXPECT_EQ(request.error().condition, "bad-request") << what;
  EXPECT_EQ(request.error().type, "modify") << what;
  EXPECT_EQ(request.error().app_name, "") << what;
}

TEST(Jingle, KnowsTheFifteenActions) {
  for (const char* word :
       {"content-accept", "content-add", "content-modify", "content-reject", "content-remove",
        "description-info", "security-info", "session-accept", "session-info", "session-initiate",
        "session-terminate", "transport-accept", "transport-info", "transport-reject",
        "transport-replace"}) {
    const auto request = parse(word, content("name='a'"));
    ASSERT_TRUE(request) << word << request.error().text;
    EXPECT_EQ(to_string(action_of(request->payload)), word);
  }
}

TEST(Jingle, RefusesEnvelopesThatNobodyCanRoute) {
  const std::string ns = "<jingle xmlns='urn:xmpp:jingle:1'";
  for (const std::string& text :
       {ns + " sid='s'/>", ns + " sid='s' action=''/>", ns + " sid='s' action='frobnicate'/>",
        ns + " sid='s' action='Session-Info'/>", ns + " action='session-info'/>",
        ns + " action='session-info' sid=''/>",
        ns + " action='session-info' sid='" + std::string(limits::kMaxSidBytes + 1, 's') + "'/>",
        std::string("<jingle xmlns='urn:xmpp:jingle:0' action='session-info' sid='s'/>"),
        std::string("<other xmlns='urn:xmpp:jingle:1' action='session-info' sid='s'/>")}) {
    expect_bad_request(parse(text), text);
  }
  EXPECT_TRUE(
      parse(ns + " action='session-info' sid='" + std::string(limits::kMaxSidBytes, 's') + "'/>"));
}

TEST(Jingle, RefusesBrokenContents) {
  const char* const broken[] = {
      "creator='initiator'",     "name=''",
      "name='a' creator='me'",   "name='a' creator=''",
      "name='a' senders='all'",  "name='a' senders=''",
      "name='a' disposition=''",
  };
  for (const char* attributes : broken) {
    expect_bad_request(parse("session-initiate", content(attributes)), attributes);
    expect_bad_request(parse("transport-info", content(attributes)), attributes);
  }
  const std::string stub = "<description xmlns='urn:stub'/>";
  expect_bad_request(parse("session-initiate", content("name='a'", stub + stub)),
                     "two descriptions");
  expect_bad_request(parse("session-initiate", content("name='a'") + content("name='a'")),
                     "one name twice");
  EXPECT_TRUE(parse("content-add", content("name='a'") + content("name='a' creator='responder'")))
      << "the creator is part of the name (XEP-0166 §7.3)";
}

TEST(Jingle, FillsInTheDefaultsOfAContent) {
  const auto request = parse("session-initiate", content("name='a'"));
  ASSERT_TRUE(request);
  const Content expected{.creator = Creator::initiator,
                         .name = "a",
                         .senders = Senders::both,
                         .disposition = "session",
                         .description = {},
                         .transport = {}};
  EXPECT_EQ(std::get<SessionInitiate>(request->payload).contents.at(0), expected);
}

TEST(Jingle, WantsContentsWhereTheActionIsAboutThem) {
  for (const char* action : {"session-initiate", "session-accept", "content-accept", "content-add",
                             "content-modify", "content-reject", "content-remove",
                             "transport-accept", "transport-reject", "transport-replace"}) {
    expect_bad_request(parse(action, ""), action);
  }
  for (const char* action : {"transport-info", "description-info", "session-info",
                             "session-terminate", "security-info"}) {
    EXPECT_TRUE(parse(action, "")) << action;
  }
}

TEST(Jingle, WantsAContentThatIsPartOfTheSession) {
  expect_bad_request(parse("session-initiate", content("name='a' disposition='early-session'")),
                     "XEP-0166 §7.2.10");
  EXPECT_TRUE(parse("session-initiate", content("name='a' disposition='early-session'") +
                                            content("name='b' disposition='session'")));
}

TEST(Jingle, BoundsContentsAndGroups) {
  std::string contents, groups, names;
  for (std::size_t i = 0; i < limits::kMaxContents; ++i) {
    contents += content("name='" + std::to_string(i) + "'");
    groups += "<group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='LS'/>";
    names += "<content name='x'/>";
  }
  EXPECT_TRUE(parse("session-initiate", contents + groups));
  expect_bad_request(parse("session-initiate", contents + content("name='more'")), "contents");
  std::string hundred;
  for (int i = 0; i < 100; ++i) hundred += content("name='" + std::to_string(i) + "'");
  expect_bad_request(parse("session-initiate", hundred), "100 contents");
  expect_bad_request(
      parse("session-initiate",
            contents + groups + "<group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='LS'/>"),
      "groups");
  const auto group = [](const std::string& inside) {
    return content("name='a'") + "<group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='LS'>" +
           inside + "</group>";
  };
  EXPECT_TRUE(parse("session-accept", group(names)));
  expect_bad_request(parse("session-accept", group(names + "<content name='x'/>")), "group names");
  expect_bad_request(parse("session-accept", group("<content/>")), "a nameless one");
  expect_bad_request(
      parse("session-initiate",
            content("name='a'") + "<group xmlns='urn:xmpp:jingle:apps:grouping:0'/>"),
      "no semantics");
}

TEST(Jingle, KeepsWhatItDoesNotSupport) {
  const auto request = parse(
      "session-initiate",
      content("name='a'",
              "<description xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file/></description>"
              "<transport xmlns=''/><security xmlns='urn:x'/><unknown/>"));
  ASSERT_TRUE(request);
  const auto& read = std::get<SessionInitiate>(request->payload).contents.at(0);
  EXPECT_EQ(std::get<Unsupported>(read.description).ns, "urn:xmpp:jingle:apps:file-transfer:5");
  EXPECT_EQ(std::get<Unsupported>(read.transport).ns, "");
  EXPECT_EQ(read.rtp(), nullptr);
  EXPECT_EQ(read.ice(), nullptr);
}

TEST(Jingle, PassesOnTheErrorsOfItsParts) {
  expect_bad_request(
      parse("session-initiate",
            content("name='a'", "<description xmlns='urn:xmpp:jingle:apps:rtp:1'/>")),
      "no media");
  expect_bad_request(
      parse("transport-info", content("name='a'",
                                      "<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'>"
                                      "<candidate/></transport>")),
      "an empty candidate");
  expect_bad_request(parse("session-info", "<mute xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>"),
                     "mute: no creator");
}

TEST(Jingle, LeavesForeignPayloadsForTheSessionToRefuse) {
  const std::string foreign = "<x xmlns='urn:foreign'/>";
  const UnknownInfo unknown{"urn:foreign", "x"};
  EXPECT_EQ(std::get<SessionInfo>(parse("session-info", foreign)->payload), SessionInfo{unknown});
  EXPECT_EQ(std::get<TransportInfo>(parse("transport-info", foreign)->payload).unknown, unknown);
  EXPECT_EQ(std::get<ContentAction>(parse("description-info", foreign)->payload).unknown, unknown);
  EXPECT_EQ(std::get<TransportInfo>(parse("transport-info", content("name='a'") + foreign)->payload)
                .unknown,
            std::nullopt)
      << "beside contents it is an extension to ignore";
  EXPECT_EQ(std::get<SessionInfo>(
                parse("session-info", "<conference-info xmlns='urn:xmpp:coin:1' isfocus='maybe'/>")
                    ->payload),
            (SessionInfo{UnknownInfo{"urn:xmpp:coin:1", "conference-info"}}));
}

TEST(Jingle, PrefersTheRtpPayloadOfASessionInfo) {
  const auto request = parse("session-info",
                             "<conference-info xmlns='urn:xmpp:coin:1' isfocus='1'/>"
                             "<hold xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>");
  EXPECT_EQ(std::get<SessionInfo>(request->payload), SessionInfo{RtpInfo(Hold{})});
}

TEST(Jingle, SaysWhenNoReasonWasGiven) {
  EXPECT_EQ(std::get<SessionTerminate>(parse("session-terminate", "")->payload).reason.condition,
            "");
  EXPECT_EQ(std::get<SessionTerminate>(
                parse("session-terminate",
                      "<reason><text>why</text><custom xmlns='urn:x'/><made-up/></reason>")
                    ->payload)
                .reason,
            (Reason{"made-up", "why", "", ""}));
  EXPECT_EQ(std::get<SessionTerminate>(
                parse("session-terminate",
                      "<reason><alternative-session/></reason><reason><busy/></reason>")
                    ->payload)
                .reason,
            (Reason{"alternative-session", "", "", ""}));
}

TEST(Jingle, WritesInTheOrderOfTheSchema) {
  SessionAccept accept;
  accept.responder = "room@mixer.example/focus";
  accept.contents.push_back({.creator = Creator::initiator,
                             .name = "<0>",
                             .senders = Senders::both,
                             .disposition = "session",
                             .description = RtpDescription{},
                             .transport = IceUdpTransport{}});
  accept.groups.push_back({"BUNDLE", {"<0>"}});
  accept.isfocus = true;
  EXPECT_EQ(write_jingle({Sid{"s1"}, accept}),
            "<jingle xmlns='urn:xmpp:jingle:1' action='session-accept' sid='s1' "
            "responder='room@mixer.example/focus'>"
            "<content creator='initiator' name='&lt;0&gt;' senders='both'>"
            "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media=''/>"
            "<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'/></content>"
            "<group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='BUNDLE'>"
            "<content name='&lt;0&gt;'/></group>"
            "<conference-info xmlns='urn:xmpp:coin:1' isfocus='true'/></jingle>");
  EXPECT_EQ(write_jingle({Sid{"s1"},
                          SessionTerminate{{"security-error", "no & yes", "", "invalid-crypto"}}}),
            "<jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='s1'><reason>"
            "<security-error/><text>no &amp; yes</text>"
            "<invalid-crypto xmlns='urn:xmpp:jingle:apps:rtp:errors:1'/></reason></jingle>");
}

}  // namespace
}  // namespace jingle
