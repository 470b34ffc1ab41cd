#include "tests/support/generators.h"

namespace test {
namespace {

const std::vector<std::string> kActions = {
    "content-accept",   "content-add",       "content-modify",   "content-reject",
    "content-remove",   "description-info",  "security-info",    "session-accept",
    "session-info",     "session-terminate", "transport-accept", "transport-info",
    "transport-reject", "transport-replace", "session-initiate", "frobnicate"};

std::string info(Dice& dice) {
  const std::string ns = " xmlns='urn:xmpp:jingle:apps:rtp:info:1'";
  return dice.one_of(std::vector<std::string>{
      "", "<hold" + ns + "/>", "<unhold" + ns + "/>", "<active" + ns + "/>", "<ringing" + ns + "/>",
      "<mute" + ns + " creator='initiator'/>", "<unmute" + ns + " creator='initiator' name='0'/>",
      "<mute" + ns + "/>", "<dance xmlns='urn:example:dance'/>",
      "<conference-info xmlns='urn:xmpp:coin:1' isfocus='true'/>"});
}

std::string content(Dice& dice) {
  const std::string name = dice.one_of(std::vector<std::string>{"0", "1", "audio", ""});
  const std::string transport = dice.one_of(std::vector<std::string>{
      "", "<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'/>",
      "<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='x' pwd='y'><candidate "
      "component='1' foundation='1' ip='192.0.2.7' port='7' priority='1' protocol='udp' "
      "type='host'/></transport>",
      "<transport xmlns='urn:xmpp:jingle:transports:raw-udp:1'/>"});
  const std::string description = dice.one_of(std::vector<std::string>{
      "",
      "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'><payload-type id='96' "
      "name='VP8'/></description>",
      "<description xmlns='urn:example:other'/>"});
  return "<content creator='initiator'" + (name.empty() ? "" : " name='" + name + "'") + ">" +
         description + transport + "</content>";
}

}  // namespace

std::string random_jingle(Dice& dice, const std::string& sid) {
  const std::string action = dice.one_of(kActions);
  std::string children;
  if (action == "session-info") {
    children = info(dice);
  } else if (action == "session-terminate") {
    children = "<reason><success/></reason>";
  } else {
    for (std::uint64_t n = dice.below(3); n > 0; --n) children += content(dice);
  }
  return "<jingle xmlns='urn:xmpp:jingle:1' action='" + action + "' sid='" + sid + "'>" + children +
         "</jingle>";
}

std::string random_payload(Dice& dice, const std::string& sid) {
  if (dice.chance(0.7)) return random_jingle(dice, sid);
  return dice.one_of(std::vector<std::string>{
      "", "<ping xmlns='urn:xmpp:ping'/>", "<query xmlns='http://jabber.org/protocol/disco#info'/>",
      "<query xmlns='http://jabber.org/protocol/disco#items' node='x'/>",
      "<query xmlns='jabber:iq:version'/>", "<a xmlns='urn:a'/><b xmlns='urn:b'/>",
      "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info'/>",
      "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='x' version='1'>"
      "<conference-description/><users/></conference-info>"});
}

}  // namespace test
