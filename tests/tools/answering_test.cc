#include "tools/call/answering.h"

#include <map>

#include "tests/tools/scripted_call.h"

namespace call {
namespace {

using namespace std::chrono_literals;
using Policy = AnswerSpec::Policy;

const auto kDialler = kRoom.with_resource("focus");

std::string fingerprint() {
  std::string value = "AB";
  for (int i = 1; i < 32; ++i) value += ":CD";
  return value;
}

// Another client's: names and payload types are its own.
jingle::SessionInitiate offer() {
  media::LegOpened theirs = opened();
  theirs.fingerprint.value = fingerprint();
  auto offer = make_offer(kDialler, theirs, {});
  offer.contents[0].name = "0";
  auto& rtp = std::get<jingle::RtpDescription>(offer.contents[0].description);
  rtp.payload_types[0].id = 96;
  return offer;
}

CallerSpec answering(AnswerSpec how) {
  CallerSpec spec;
  spec.answer = how;
  return spec;
}

// A caller that waits, and the one who calls it.
class Called : public Scripted {
 public:
  explicit Called(AnswerSpec how) : Called(answering(how)) {}
  explicit Called(CallerSpec spec) : Scripted(std::move(spec)) {
    presence_ = sent(happens(Online{kSelf}));
  }
  std::string dialler_says(const jingle::jmi::Payload& payload, const std::string& more = "") {
    return sent(stanza("<message xmlns='jabber:client' type='chat' id='p' from='" + kDialler.str() +
                       "' to='" + kSelf.bare().str() + "'>" +
                       jingle::jmi::write({jingle::Sid{"x1"}, payload}) + more + "</message>"));
  }
  std::string proposes() { return dialler_says(jingle::jmi::Propose{{"audio"}}); }
  // The answer; `all`: whatever else it brought about.
  std::string dialler_sends(const jingle::Payload& payload, Commands* all = nullptr,
                            const std::string& sid = "x1") {
    return room_sends(jingle::write_jingle({jingle::Sid{sid}, payload}), kDialler.str(), all);
  }
  const std::string& presence() const { return presence_; }

 private:
  std::string presence_;
};

bool told(const Report& report, const std::string& event) {
  for (const auto& each : report.events) {
    if (each.event == event) return true;
  }
  return false;
}

TEST(Answering, AProposedCallRingsAndIsTakenWhenItHasRungLongEnough) {
  Called world(AnswerSpec{.ring = 3s});
  const auto ringing = world.proposes();
  EXPECT_TRUE(has(ringing, "<ringing")) << ringing;
  EXPECT_TRUE(has(ringing, "to='" + kDialler.str() + "'")) << "the full JID (XEP-0353 §3.2)";
  EXPECT_EQ(sent(world.passes(2s)), "");
  const auto proceed = sent(world.passes(1s));
  EXPECT_TRUE(has(proceed, "<proceed") && has(proceed, "id='x1'")) << proceed;

  Commands commands;
  EXPECT_TRUE(has(world.dialler_sends(offer(), &commands), "type='result'"));
  EXPECT_FALSE(has(sent(commands), "ringing")) << "twice";
  const auto taken = world.passes(0s);
  const auto* open = find<OpenLeg>(taken);
  ASSERT_NE(open, nullptr);
  EXPECT_FALSE(open->ice_controlling);
  EXPECT_EQ(open->opus_payload_type, 96);

  const auto answered = world.happens(media::Event(opened()));
  const auto xml = jingle::Xml::parse(sent(answered));
  ASSERT_TRUE(xml);
  const auto request = jingle::parse_jingle(jingle::first_element(xml->root()));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->sid.value, "x1");
  const auto* accept = std::get_if<jingle::SessionAccept>(&request->payload);
  ASSERT_NE(accept, nullptr);
  EXPECT_EQ(accept->contents.at(0).name, "0");
  EXPECT_EQ(accept->contents[0].rtp()->payload_types.at(0).id, 96);
  EXPECT_EQ(accept->isfocus, std::nullopt);
  const auto* connect = find<ConnectLeg>(answered);
  ASSERT_NE(connect, nullptr);
  EXPECT_EQ(connect->remote.our_role, media::DtlsRole::client);
  EXPECT_EQ(connect->remote.fingerprint.value, fingerprint());

  world.happens(media::Event(media::LegConnected{media::LegId{1}, "host a", "host b"}));
  EXPECT_TRUE(has(sent(world.happens(UserAsked{UserAsked::What::mute})), "name='0'"));
  const auto ended = sent(world.happens(UserAsked{UserAsked::What::hang_up}));
  EXPECT_TRUE(has(ended, "session-terminate") && has(ended, kDialler.str())) << ended;
  EXPECT_GT(ended.find("<finish"), ended.find("session-terminate")) << ended;
  EXPECT_TRUE(has(ended, "<finish")) << ended;
  EXPECT_EQ(world.report().result, "success");
  EXPECT_EQ(world.report().sid, "x1");
}

TEST(Answering, ADirectCallRingsInItsSession) {
  Called world(AnswerSpec{.ring = 3s});
  Commands commands;
  EXPECT_TRUE(has(world.dialler_sends(offer(), &commands), "type='result'"));
  const auto ringing = sent(commands);
  EXPECT_TRUE(has(ringing, "session-info") && has(ringing, "<ringing")) << ringing;
  EXPECT_LT(ringing.find("type='result'"), ringing.find("session-info")) << "the ack comes first";
  EXPECT_EQ(find<OpenLeg>(world.passes(2s)), nullptr);
  EXPECT_NE(find<OpenLeg>(world.passes(1s)), nullptr);
  EXPECT_TRUE(told(world.report(), "called") && !told(world.report(), "proposed"));
  const auto ended = sent(world.happens(UserAsked{UserAsked::What::hang_up}));
  EXPECT_TRUE(has(ended, "session-terminate") && !has(ended, "<finish")) << ended;
}

TEST(Answering, CandidatesThatComeWhileItRingsAreUsed) {
  Called world(AnswerSpec{.ring = 1s});
  world.dialler_sends(offer());
  const media::IceCandidate early{1, "9", "127.0.0.1", 9, 99, media::CandidateType::host, "", 0};
  EXPECT_TRUE(has(world.dialler_sends(make_transport_info("0", {"ufra", "p"}, {early})), "result"));
  world.passes(1s);
  const auto answered = world.happens(media::Event(opened()));
  const auto* connect = find<ConnectLeg>(answered);
  ASSERT_NE(connect, nullptr);
  ASSERT_EQ(connect->remote.candidates.size(), 2U);
  EXPECT_EQ(connect->remote.candidates[1].port, 9);
}

TEST(Answering, RefusalsAreSaidTheWayTheCallCame) {
  const std::map<std::string, Policy> refusals{{"busy", Policy::busy},
                                               {"decline", Policy::decline}};
  for (const auto& [reason, policy] : refusals) {
    Called world(AnswerSpec{.policy = policy});
    const auto proposal = world.proposes();
    EXPECT_TRUE(has(proposal, "<reject") && has(proposal, "<" + reason)) << proposal;
    Commands commands;
    EXPECT_TRUE(has(world.dialler_sends(offer(), &commands), "type='result'"));
    EXPECT_TRUE(has(sent(commands), "session-terminate") && has(sent(commands), "<" + reason));
    EXPECT_TRUE(has(world.dialler_sends(jingle::SessionTerminate{}), "unknown-session"));
    EXPECT_EQ(world.caller().next_deadline(), std::nullopt);
    EXPECT_FALSE(world.caller().finished()) << "others may call";
    world.happens(UserAsked{UserAsked::What::hang_up});
    EXPECT_EQ(world.report().result, "success") << "as told";
    EXPECT_EQ(world.report().reason, reason);
  }
}

TEST(Answering, AnIgnoredCallIsAcknowledgedAndNoMore) {
  Called world(AnswerSpec{.policy = Policy::ignore});
  EXPECT_EQ(world.proposes(), "");
  EXPECT_EQ(world.dialler_says(jingle::jmi::Retract{}), "");
  Commands commands;
  const auto ack = world.dialler_sends(offer(), &commands);
  EXPECT_TRUE(has(ack, "type='result'"));
  EXPECT_EQ(sent(commands), ack);
  EXPECT_EQ(world.caller().next_deadline(), std::nullopt);
  EXPECT_TRUE(has(world.dialler_sends(jingle::SessionTerminate{}), "type='result'"));
}

TEST(Answering, AClientWithoutProposalsNeitherAnnouncesNorHearsThem) {
  Called with(AnswerSpec{}), without(AnswerSpec{.jmi = false});
  EXPECT_NE(with.presence(), without.presence()) << "the caps differ";
  EXPECT_EQ(without.proposes(), "");
  const auto disco =
      "<iq xmlns='jabber:client' type='get' id='d' from='localhost' to='ann@localhost/call'>"
      "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
  EXPECT_TRUE(has(sent(with.stanza(disco)), "jingle-message"));
  EXPECT_FALSE(has(sent(without.stanza(disco)), "jingle-message"));
  EXPECT_TRUE(has(without.dialler_sends(offer()), "type='result'"));
  EXPECT_NE(find<OpenLeg>(without.passes(0s)), nullptr);
}

TEST(Answering, ACallThatIsGoneMakesRoomForTheNext) {
  Called world(AnswerSpec{.ring = 3s});
  world.proposes();
  world.dialler_says(jingle::jmi::Retract{});
  EXPECT_EQ(sent(world.passes(3s)), "") << "proceeds to a retracted call";
  world.dialler_sends(offer());
  jingle::SessionTerminate cancel;
  cancel.reason.condition = "cancel";
  EXPECT_TRUE(has(world.dialler_sends(cancel), "type='result'"));
  EXPECT_EQ(find<OpenLeg>(world.passes(3s)), nullptr);
  world.dialler_sends(offer(), nullptr, "x2");
  EXPECT_NE(find<OpenLeg>(world.passes(3s)), nullptr);
  EXPECT_EQ(world.report().sid, "x2");
}

TEST(Answering, ASecondCallIsBusyWhetherTheFirstRingsOrIsTaken) {
  Called world(AnswerSpec{.ring = 1s});
  world.dialler_sends(offer());
  Commands commands;
  for (int taken = 0; taken < 2; ++taken) {
    world.dialler_sends(offer(), &commands, "x2");
    EXPECT_TRUE(has(sent(commands), "<busy") && has(sent(commands), "sid='x2'")) << taken;
    world.passes(1s);
  }
  EXPECT_TRUE(has(world.proposes(), "")) << "its own sid again";
  EXPECT_TRUE(has(sent(world.happens(media::Event(opened()))), "sid='x1'"));
}

TEST(Answering, AProposalNobodyFollowsUpIsFinished) {  // XEP-0353 §3.7
  Called world(AnswerSpec{});
  world.proposes();
  EXPECT_TRUE(has(sent(world.passes(0s)), "<proceed"));
  const auto finish = sent(world.passes(30s));
  EXPECT_TRUE(has(finish, "<finish") && has(finish, "connectivity-error")) << finish;
  EXPECT_TRUE(has(world.proposes(), "<ringing")) << "free again";
}

TEST(Answering, ProposalsStoredOnTheWayAreOld) {
  Called world(AnswerSpec{});
  EXPECT_EQ(world.dialler_says(jingle::jmi::Propose{{"audio"}},
                               "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>"),
            "");
}

TEST(Answering, HangingUpWhileItRingsDeclines) {
  Called proposed(AnswerSpec{.ring = 9s}), called(AnswerSpec{.ring = 9s});
  proposed.proposes();
  EXPECT_TRUE(has(sent(proposed.happens(UserAsked{})), "<reject"));
  called.dialler_sends(offer());
  const auto end = sent(called.happens(UserAsked{}));
  EXPECT_TRUE(has(end, "session-terminate") && has(end, "<decline")) << end;
  EXPECT_EQ(called.report().result, "failed");
}

TEST(Answering, AnOfferThatDoesNotFitIsRefusedWithItsReason) {
  Called world(AnswerSpec{});
  auto plain = offer();
  std::get<jingle::IceUdpTransport>(plain.contents[0].transport).fingerprints.clear();
  Commands commands;
  EXPECT_TRUE(has(world.dialler_sends(plain, &commands), "type='result'"));
  EXPECT_TRUE(has(sent(commands), "security-error")) << sent(commands);
  EXPECT_EQ(find<OpenLeg>(world.passes(0s)), nullptr);
}

// Being a focus.
constexpr char kDocument[] =
    "<?xml version='1.0'?>\n<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' "
    "sid='{sid}' entity='xmpp:x@y' version='1'/>";

std::string answer_told(const Commands& commands) {
  const auto* tell = find<Tell>(commands);
  return tell && tell->event == "document-answer" ? tell->detail.string() : "";
}

TEST(DocumentSender, SendsOneAfterTheOtherOnceConnectedAndTellsTheAnswers) {
  CallerSpec spec;
  spec.focus = true;
  spec.documents = {kDocument, "<two xmlns='urn:example'/>"};
  Scripted world(spec);
  world.happens(Online{kSelf});
  EXPECT_TRUE(has(sent(world.happens(media::Event(opened()))), "isfocus='true'"));
  world.answers("result");
  world.room_sends(accept());
  auto text =
      sent(world.happens(media::Event(media::LegConnected{media::LegId{1}, "host a", "host b"})));
  EXPECT_TRUE(has(text, "sid='s1'")) << text;
  EXPECT_FALSE(has(text, "<two")) << "two in flight";
  auto commands = world.answers(
      "error",
      "<error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>");
  EXPECT_EQ(answer_told(commands), "not-allowed");
  EXPECT_TRUE(has(sent(commands), "<two"));
  commands = world.answers("result");
  EXPECT_EQ(answer_told(commands), "result");
}

TEST(DocumentSender, WhatIsNotWellFormedStaysHere) {
  Scripted world;
  world.is_connected();
  const auto ask = [&](const std::string& text) {
    return world.happens(UserAsked{.what = UserAsked::What::document, .text = text});
  };
  const auto commands = ask("</iq>");
  EXPECT_EQ(sent(commands), "");
  EXPECT_EQ(answer_told(commands), "not well-formed");
  EXPECT_TRUE(has(sent(ask("<a xmlns='urn:example'/>")), "<a"));
}

TEST(Caller, AFocusSaysSoInItsAcceptAndWhenItsStateChanges) {
  auto spec = answering(AnswerSpec{});
  spec.focus = true;
  Called world(spec);
  world.dialler_sends(offer());
  world.passes(0s);
  EXPECT_TRUE(has(sent(world.happens(media::Event(opened()))), "isfocus='true'"));
  const auto change = sent(world.happens(UserAsked{UserAsked::What::no_focus}));
  EXPECT_TRUE(has(change, "session-info") && has(change, "isfocus='false'")) << change;
}

}  // namespace
}  // namespace call
