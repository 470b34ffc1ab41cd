#include "signaling/jingle_message.h"

#include <gtest/gtest.h>

#include <string>

#include "signaling/limits.h"

namespace jingle::jmi {
namespace {

std::optional<Event> parse(const std::string& inside, const std::string& type = "chat") {
  auto xml =
      Xml::parse("<message xmlns='jabber:client' type='" + type + "'>" + inside + "</message>");
  EXPECT_TRUE(xml) << inside;
  const auto stanza = read_stanza(std::move(*xml));
  return jmi::parse(std::get<Message>(*stanza));
}

std::string element(const std::string& name, const std::string& inside = "",
                    const std::string& id = "id='x'") {
  return "<" + name + " xmlns='urn:xmpp:jingle-message:0' " + id + ">" + inside + "</" + name + ">";
}

TEST(JingleMessage, ReadsWhatItWrites) {
  const Reason busy{"busy", "at lunch", "", ""};
  const Reason none{"", "", "", ""};
  const Payload payloads[] = {
      Propose{{"audio", "video"}},
      Propose{},
      Ringing{},
      Proceed{},
      Reject{busy, false},
      Reject{none, true},
      Retract{busy, true},
      Retract{none, false},
      Finish{busy, ""},
      Finish{none, "new-id"},
  };
  for (const auto& payload : payloads) {
    const Event event{Sid{"a&b"}, payload};
    EXPECT_EQ(parse(write(event)), event) << write(event);
  }
}

TEST(JingleMessage, IsStoredByArchives) {
  EXPECT_EQ(write({Sid{"x"}, Proceed{}}),
            "<proceed xmlns='urn:xmpp:jingle-message:0' id='x'/><store xmlns='urn:xmpp:hints'/>");
}

TEST(JingleMessage, ReadsWithoutHintAndBesideOtherElements) {
  EXPECT_EQ(parse("<body>call</body><origin-id xmlns='urn:xmpp:sid:0' id='1'/>" +
                  element("proceed") + "<request xmlns='urn:xmpp:receipts'/>"),
            (Event{Sid{"x"}, Proceed{}}));
  EXPECT_TRUE(parse(element("ringing"), "normal"));
}

TEST(JingleMessage, CountsOnlyRtpDescriptions) {
  EXPECT_EQ(parse(element("propose",
                          "<description xmlns='urn:xmpp:jingle:apps:file-transfer:5'/>"
                          "<description xmlns='urn:xmpp:jingle:apps:rtp:1' "
                          "media='audio'/>")),
            (Event{Sid{"x"}, Propose{{"audio"}}}));
}

TEST(JingleMessage, IgnoresWhatIsMalformedOrNotMeant) {
  const std::string rtp = "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/>";
  for (const char* type : {"groupchat", "error"}) {
    EXPECT_FALSE(parse(element("propose", rtp), type)) << type;
  }
  std::string many;
  for (std::size_t i = 0; i <= limits::kMaxContents; ++i) many += rtp;
  const std::string ignored[] = {
      "",
      "<body>hi</body>",
      element("propose", rtp, ""),
      element("propose", rtp, "id=''"),
      element("propose", rtp, "id='" + std::string(limits::kMaxSidBytes + 1, 'x') + "'"),
      element("propose", "<description xmlns='urn:xmpp:jingle:apps:rtp:1'/>"),
      element("propose", many),
      element("accept"),
      element("frobnicate"),
      element("finish", "<migrated/>"),
      element("propose", rtp) + element("retract"),
      "<propose xmlns='urn:xmpp:jingle-message:1' id='x'>" + rtp + "</propose>",
      "<propose id='x'>" + rtp + "</propose>",
      "<wrap xmlns='urn:x'>" + element("proceed") + "</wrap>",
  };
  for (const auto& inside : ignored) EXPECT_FALSE(parse(inside)) << inside;
}

TEST(JingleMessage, ReadsEndsWithoutAReason) {
  EXPECT_EQ(parse(element("reject")), (Event{Sid{"x"}, Reject{Reason{"", "", "", ""}, false}}));
  EXPECT_EQ(parse(element("finish", "<reason xmlns='urn:other'><busy/></reason>")),
            (Event{Sid{"x"}, Finish{Reason{"", "", "", ""}, ""}}));
}

}  // namespace
}  // namespace jingle::jmi
