#include "signaling/jingle_rtp.h"

#include <gtest/gtest.h>

#include <pugixml.hpp>
#include <string>

#include "signaling/limits.h"
#include "signaling/stanza.h"

namespace jingle {
namespace {

Result<RtpDescription> parse(const std::string& inside,
                             const std::string& attributes = " media='audio'") {
  const auto xml = Xml::parse("<description xmlns='urn:xmpp:jingle:apps:rtp:1'" + attributes + ">" +
                              inside + "</description>");
  EXPECT_TRUE(xml) << inside;
  return parse_rtp_description(xml->root());
}

Result<RtpInfo> parse_info(const std::string& text) {
  const auto xml = Xml::parse(text);
  EXPECT_TRUE(xml) << text;
  return parse_rtp_info(xml->root());
}

std::string times(std::size_t count, const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(JingleRtp, KeepsWhatIsUnusual) {
  const auto rtp = parse(
      "<payload-type id='0'/>"
      "<payload-type id='127' name='OPUS' clockrate='48000' channels='0' ptime='20' maxptime='60'>"
      "<parameter name='' value='0-15'/><parameter name='111/111'/>"
      "<parameter name='a' value='1'/><parameter name='a' value='2'/>"
      "<rtcp-fb xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0' type=' nack pli '/>"
      "<rtcp-fb xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0' type='ccm' subtype='fir'/>"
      "<rtcp-fb-trr-int xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0' value='100'/></payload-type>"
      "<payload-type id='127'/><rtcp-reduced-size/><rtcp-mux/>"
      "<zrtp-hash xmlns='urn:xmpp:jingle:apps:rtp:zrtp:1' version='1.10'>00</zrtp-hash>"
      "<payload-type xmlns='urn:other' id='x'/>");
  ASSERT_TRUE(rtp) << rtp.error().text;
  ASSERT_EQ(rtp->payload_types.size(), 3U);
  EXPECT_EQ(rtp->payload_types[0], PayloadType{});
  const auto& opus = rtp->payload_types[1];
  EXPECT_EQ(opus.name, "OPUS");
  EXPECT_EQ(opus.channels, 0);
  EXPECT_EQ(opus.ptime_ms, 20U);
  EXPECT_EQ(opus.maxptime_ms, 60U);
  EXPECT_EQ(opus.parameter(""), "0-15");
  EXPECT_EQ(opus.parameter("111/111"), "");
  EXPECT_EQ(opus.parameter("a"), "1") << "the first of that name";
  EXPECT_EQ(opus.rtcp_fb, (std::vector<std::string>{"nack pli", "ccm fir"}));
  EXPECT_TRUE(rtp->rtcp_mux);
  EXPECT_FALSE(rtp->encryption);
}

TEST(JingleRtp, RefusesWhatTheSchemaDoesNotAllow) {
  EXPECT_FALSE(parse("", ""));
  EXPECT_FALSE(parse("", " media=''"));
  EXPECT_FALSE(parse("", " media='audio' ssrc='-1'"));
  EXPECT_FALSE(parse("", " media='audio' ssrc='4294967296'"));
  EXPECT_TRUE(parse("", " media='audio' ssrc='4294967295'"));
  const char* const broken[] = {
      "<payload-type/>",
      "<payload-type id=''/>",
      "<payload-type id='128'/>",
      "<payload-type id='-1'/>",
      "<payload-type id='0 1'/>",
      "<payload-type id='opus'/>",
      "<payload-type id='96' clockrate='48k'/>",
      "<payload-type id='96' clockrate=''/>",
      "<payload-type id='96' channels='256'/>",
      "<payload-type id='96' channels='two'/>",
      "<payload-type id='96' ptime='20.5'/>",
      "<payload-type id='96' maxptime='-60'/>",
      "<payload-type id='96'><parameter value='1'/></payload-type>",
      "<payload-type id='96'><rtcp-fb xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0'/></payload-type>",
      ("<payload-type id='96'><rtcp-fb xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0' "
       "type=' '/></payload-type>"),
      "<encryption required='yes'/>",
      "<rtp-hdrext xmlns='urn:xmpp:jingle:apps:rtp:rtp-hdrext:0' uri='u'/>",
      "<rtp-hdrext xmlns='urn:xmpp:jingle:apps:rtp:rtp-hdrext:0' id='x' uri='u'/>",
      "<rtp-hdrext xmlns='urn:xmpp:jingle:apps:rtp:rtp-hdrext:0' id='1'/>",
      "<rtp-hdrext xmlns='urn:xmpp:jingle:apps:rtp:rtp-hdrext:0' id='1' uri='u' senders='all'/>",
      "<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0'/>",
      "<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='0x12'/>",
      "<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='1'><parameter value='x'/></source>",
  };
  for (const char* inside : broken) {
    const auto rtp = parse(inside);
    ASSERT_FALSE(rtp) << inside;
    EXPECT_EQ(rtp.error().condition, "bad-request") << inside;
    EXPECT_FALSE(rtp.error().text.empty()) << inside;
  }
}

TEST(JingleRtp, BoundsEveryList) {
  const std::string type = "<payload-type id='96'/>";
  EXPECT_TRUE(parse(times(limits::kMaxPayloadTypes, type)));
  EXPECT_FALSE(parse(times(limits::kMaxPayloadTypes + 1, type)));
  const std::string parameter = "<parameter name='a' value='b'/>";
  const auto with = [](const std::string& inside) {
    return "<payload-type id='96'>" + inside + "</payload-type>";
  };
  EXPECT_TRUE(parse(with(times(limits::kMaxParameters, parameter))));
  EXPECT_FALSE(parse(with(times(limits::kMaxParameters + 1, parameter))));
  const std::string feedback = "<rtcp-fb xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0' type='nack'/>";
  EXPECT_FALSE(parse(with(times(limits::kMaxParameters + 1, feedback))));
  const std::string extension =
      "<rtp-hdrext xmlns='urn:xmpp:jingle:apps:rtp:rtp-hdrext:0' id='1' uri='u'/>";
  EXPECT_TRUE(parse(times(limits::kMaxHeaderExtensions, extension)));
  EXPECT_FALSE(parse(times(limits::kMaxHeaderExtensions + 1, extension)));
  const std::string source = "<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='1'/>";
  EXPECT_TRUE(parse(times(limits::kMaxSources, source)));
  EXPECT_FALSE(parse(times(limits::kMaxSources + 1, source)));
}

TEST(JingleRtp, ReadsTheSixInformationalMessages) {
  const std::string ns = " xmlns='urn:xmpp:jingle:apps:rtp:info:1'";
  EXPECT_EQ(parse_info("<active" + ns + "/>"), RtpInfo(Active{}));
  EXPECT_EQ(parse_info("<hold" + ns + "/>"), RtpInfo(Hold{}));
  EXPECT_EQ(parse_info("<unhold" + ns + "/>"), RtpInfo(Unhold{}));
  EXPECT_EQ(parse_info("<ringing" + ns + "/>"), RtpInfo(Ringing{}));
  EXPECT_EQ(parse_info("<mute" + ns + " creator='initiator'/>"), RtpInfo(Mute{"initiator", ""}));
  EXPECT_EQ(parse_info("<unmute" + ns + " creator='responder' name='0'/>"),
            RtpInfo(Unmute{"responder", "0"}));
}

TEST(JingleRtp, RefusesOtherInformationalMessages) {
  const std::string ns = " xmlns='urn:xmpp:jingle:apps:rtp:info:1'";
  EXPECT_EQ(parse_info("<trying" + ns + "/>"), tl::unexpected(unsupported_info()));
  EXPECT_EQ(parse_info("<hold xmlns='urn:xmpp:jingle:apps:rtp:1:info'/>"),
            tl::unexpected(unsupported_info()));
  EXPECT_EQ(parse_info("<mute" + ns + "/>").error().condition, "bad-request");
  EXPECT_EQ(parse_info("<unmute" + ns + " creator='me'/>").error().condition, "bad-request");
}

}  // namespace
}  // namespace jingle
