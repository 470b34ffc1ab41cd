#include "tools/call/caller.h"

#include "tests/tools/scripted_call.h"

namespace call {
namespace {

using namespace std::chrono_literals;

TEST(Caller, OffersOneAudioContentWithEverythingInline) {
  Scripted world;
  EXPECT_NE(find<OpenLeg>(world.happens(Online{kSelf})), nullptr);
  const auto commands = world.happens(media::Event(opened()));
  const auto xml = jingle::Xml::parse(sent(commands));
  ASSERT_TRUE(xml);
  const auto request = jingle::parse_jingle(jingle::first_element(xml->root()));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->sid.value, kSid);
  const auto* initiate = std::get_if<jingle::SessionInitiate>(&request->payload);
  ASSERT_NE(initiate, nullptr);
  EXPECT_EQ(initiate->initiator, kSelf.str());
  ASSERT_EQ(initiate->contents.size(), 1U);
  const auto& content = initiate->contents[0];
  ASSERT_NE(content.rtp(), nullptr);
  ASSERT_NE(content.ice(), nullptr);
  EXPECT_EQ(content.name, "audio");
  EXPECT_TRUE(content.rtp()->rtcp_mux);
  EXPECT_EQ(content.rtp()->payload_types.at(0).name, "opus");
  EXPECT_EQ(content.ice()->candidates.size(), 1U);
  EXPECT_EQ(content.ice()->fingerprints.at(0).setup, jingle::Setup::actpass);
  EXPECT_EQ(content.ice()->fingerprints.at(0).value, "AB:CD:EF");
}

TEST(Caller, ACallThatRunsItsTimeIsASuccess) {
  CallerSpec spec;
  spec.stay = 5s;
  Scripted world(spec);
  world.is_connected();
  EXPECT_TRUE(sent(world.passes(4s)).empty());
  const auto commands = world.passes(1s);
  EXPECT_TRUE(has(sent(commands), "session-terminate"));
  EXPECT_TRUE(has(sent(commands), "<success"));
  EXPECT_NE(find<CloseLeg>(commands), nullptr);
  EXPECT_EQ(find<Disconnect>(commands), nullptr) << "before the ack";
  world.answers("result");
  media::LegClosed closed{media::LegId{1}, {250, 240, 1, 2.5, 0.5}};
  EXPECT_NE(find<Disconnect>(world.happens(media::Event(closed))), nullptr);
  world.happens(Offline{"closed"});
  EXPECT_TRUE(world.caller().finished());
  EXPECT_EQ(world.report().result, "success");
  EXPECT_EQ(world.report().rtp.received, 240U);
  EXPECT_EQ(world.report().local, "host a");
}

TEST(Caller, TakesTheOtherDtlsRoleAndTheAgreedParameters) {
  Scripted world;
  world.dials();
  Commands commands;
  EXPECT_TRUE(has(world.room_sends(accept(), &commands), "type='result'"));
  const auto* connect = find<ConnectLeg>(commands);
  ASSERT_NE(connect, nullptr);
  EXPECT_EQ(connect->remote.our_role, media::DtlsRole::server);
  EXPECT_EQ(connect->remote.ice.ufrag, "them");
  EXPECT_EQ(connect->remote.rtp.ssrc_audio_level, 1);
  EXPECT_FALSE(connect->remote.rtp.telephone_event);
  EXPECT_TRUE(world.report().isfocus);
}

TEST(Caller, KeepsCandidatesThatOvertakeTheAccept) {
  Scripted world;
  world.dials();
  const media::IceCandidate early{1, "9", "127.0.0.1", 9, 99, media::CandidateType::host, "", 0};
  EXPECT_TRUE(has(world.room_sends(make_transport_info("audio", {"them", "pwd"}, {early})),
                  "type='result'"));
  Commands commands;
  world.room_sends(accept(), &commands);
  const auto* connect = find<ConnectLeg>(commands);
  ASSERT_NE(connect, nullptr);
  ASSERT_EQ(connect->remote.candidates.size(), 1U);
  EXPECT_EQ(connect->remote.candidates[0].port, 9);
}

TEST(Caller, RefusesAnAnswerWithoutFingerprint) {
  Scripted world;
  world.dials();
  auto answer = accept();
  std::get<jingle::IceUdpTransport>(answer.contents[0].transport).fingerprints.clear();
  Commands commands;
  world.room_sends(answer, &commands);
  EXPECT_TRUE(has(sent(commands), "security-error"));
  EXPECT_EQ(find<ConnectLeg>(commands), nullptr);
}

TEST(Caller, ARefusalIsReportedWithItsReason) {
  Scripted world;
  world.happens(Online{kSelf});
  world.happens(media::Event(opened()));
  world.answers("error",
                "<error type='cancel'><service-unavailable "
                "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>");
  EXPECT_EQ(world.report().result, "refused");
  EXPECT_EQ(world.report().reason, "service-unavailable");

  Scripted other;
  other.dials();
  jingle::SessionTerminate terminate;
  terminate.reason.condition = "busy";
  EXPECT_TRUE(has(other.room_sends(terminate), "type='result'"));
  EXPECT_EQ(other.report().result, "refused");
  EXPECT_EQ(other.report().reason, "busy");
}

TEST(Caller, OthersCannotTouchTheSession) {
  Scripted world;
  world.is_connected();
  const auto forged = jingle::write_jingle({jingle::Sid{kSid}, jingle::SessionTerminate{}});
  EXPECT_TRUE(has(world.room_sends(forged, "eve@localhost/x"), "unknown-session"));
  const auto other_sid = jingle::write_jingle({jingle::Sid{"s2"}, jingle::SessionTerminate{}});
  EXPECT_TRUE(has(world.room_sends(other_sid), "unknown-session"));
  EXPECT_TRUE(has(world.room_sends(world.document(coin::State::full, 1, Scripted::user("eve")),
                                   "eve@localhost/x"),
                  "unknown-session"));
  EXPECT_TRUE(world.report().roster.empty());
  EXPECT_FALSE(world.caller().finished());
}

TEST(Caller, AssemblesTheRosterFromDocuments) {
  Scripted world;
  world.is_connected();
  EXPECT_TRUE(has(world.room_sends(world.document(coin::State::full, 1, Scripted::user("ann"))),
                  "type='result'"));
  world.room_sends(world.document(coin::State::partial, 2, Scripted::user("bob")));
  ASSERT_EQ(world.report().roster.size(), 2U);
  EXPECT_EQ(world.report().roster[1],
            (RosterEntry{"xmpp:bob@localhost", "bob", "connected", "42", "sendrecv"}));
  world.room_sends(world.document(coin::State::partial, 4, Scripted::user("cyd")));  // a gap
  EXPECT_EQ(world.report().roster.size(), 2U);
  world.room_sends(world.document(coin::State::full, 5, Scripted::user("cyd")));
  EXPECT_EQ(world.report().roster.size(), 1U);
  EXPECT_EQ(world.report().full_documents, 2U);
  EXPECT_EQ(world.report().partial_documents, 1U);
}

TEST(Caller, DocumentsFromAPeerThatIsNoFocusAreNotAllowed) {
  Scripted world;
  world.dials();
  auto answer = accept();
  answer.isfocus.reset();
  world.room_sends(answer);
  EXPECT_TRUE(has(world.room_sends(world.document(coin::State::full, 1, Scripted::user("ann"))),
                  "not-allowed"));
}

TEST(Caller, AnswersDiscoAndPing) {
  Scripted world;
  world.is_connected();
  auto commands = world.stanza(
      "<iq xmlns='jabber:client' type='get' id='d' from='room@mixer.localhost' "
      "to='ann@localhost/call'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
  EXPECT_TRUE(has(sent(commands), "urn:xmpp:coin:1"));
  commands = world.stanza(
      "<iq xmlns='jabber:client' type='get' id='p' from='localhost' "
      "to='ann@localhost/call'><ping xmlns='urn:xmpp:ping'/></iq>");
  EXPECT_TRUE(has(sent(commands), "type='result'"));
  EXPECT_TRUE(has(world.room_sends("<frob xmlns='urn:example'/>"), "service-unavailable"));
}

TEST(Caller, MuteAndHoldStopTheSoundUntilBothAreOver) {
  Scripted world;
  world.is_connected();
  using What = UserAsked::What;
  auto commands = world.happens(UserAsked{What::mute});
  EXPECT_TRUE(has(sent(commands), "<mute"));
  EXPECT_FALSE(find<SetSending>(commands)->sending);
  world.happens(UserAsked{What::hold});
  EXPECT_FALSE(find<SetSending>(world.happens(UserAsked{What::unmute}))->sending);
  EXPECT_TRUE(find<SetSending>(world.happens(UserAsked{What::unhold}))->sending);
  EXPECT_EQ(find<PressKey>(world.happens(UserAsked{What::digit, '7'}))->digit, '7');
}

// XEP-0176 §5.9, as Conversations does it.
TEST(Caller, RestartsWithCredentialsFirstAndCandidatesAfterTheAck) {
  Scripted world;
  world.is_connected();
  const auto asked =
      world.happens(UserAsked{.what = UserAsked::What::restart, .text = "127.0.0.2"});
  ASSERT_NE(find<RestartIce>(asked), nullptr);
  EXPECT_EQ(find<RestartIce>(asked)->moved_to, std::vector<std::string>{"127.0.0.2"});
  const media::IceRestarted fresh{media::LegId{1}, {"new", "newpassword"}, opened().candidates};
  const auto offer = sent(world.happens(media::Event(fresh)));
  EXPECT_TRUE(has(offer, "ufrag='new'")) << offer;
  EXPECT_FALSE(has(offer, "<candidate"));
  EXPECT_TRUE(has(sent(world.answers("result")), "<candidate"));
  Commands commands;
  world.room_sends(make_transport_info("audio", {"them2", "pwd2"}, opened().candidates), &commands);
  ASSERT_NE(find<RestartIce>(commands), nullptr);
  EXPECT_EQ(find<RestartIce>(commands)->remote->ufrag, "them2");
  EXPECT_NE(find<AddRemoteCandidates>(commands), nullptr);
  EXPECT_TRUE(sent(commands).find("transport-info") == std::string::npos) << "no answer to that";
  world.room_sends(make_transport_info("audio", {"them", ""}, opened().candidates), &commands);
  EXPECT_EQ(find<AddRemoteCandidates>(commands), nullptr) << "of before";
  world.happens(media::Event(media::LegConnected{media::LegId{1}, "host c", "host d"}));
  EXPECT_EQ(world.report().local, "host c");
}

TEST(Caller, AnswersARestartWithItsCredentialsAndCandidates) {
  Scripted world;
  world.is_connected();
  Commands commands;
  EXPECT_TRUE(has(world.room_sends(make_transport_info("audio", {"them2", "pwd2"}, {}), &commands),
                  "type='result'"));
  ASSERT_NE(find<RestartIce>(commands), nullptr);
  const media::IceRestarted fresh{media::LegId{1}, {"new", "newpassword"}, opened().candidates};
  const auto answer = sent(world.happens(media::Event(fresh)));
  EXPECT_TRUE(has(answer, "ufrag='new'") && has(answer, "<candidate")) << answer;
}

// The one who called.
TEST(Caller, ACrossingRestartOfTheOtherIsAConflict) {
  Scripted world;
  world.is_connected();
  world.happens(UserAsked{.what = UserAsked::What::restart});
  world.happens(media::Event(media::IceRestarted{media::LegId{1}, {"new", "newpassword"}, {}}));
  EXPECT_TRUE(
      has(world.room_sends(make_transport_info("audio", {"them2", "pwd2"}, {})), "tie-break"));
}

TEST(Caller, AConnectedCallOutlivesItsServer) {
  Scripted world;
  world.is_connected();
  EXPECT_NE(find<Reconnect>(world.happens(Offline{"gone"})), nullptr);
  EXPECT_TRUE(has(sent(world.happens(Online{kSelf})), "<presence"));
  EXPECT_TRUE(has(world.room_sends(world.document(coin::State::full, 9, Scripted::user("bob"))),
                  "type='result'"));
  EXPECT_EQ(world.report().roster.size(), 1U);
}

TEST(Caller, PatienceEndsACallThatDoesNotConnect) {
  CallerSpec spec;
  spec.patience = 10s;
  Scripted world(spec);
  world.dials();
  const auto commands = world.passes(10s);
  EXPECT_TRUE(has(sent(commands), "timeout"));
  EXPECT_EQ(world.report().result, "failed");
  world.passes(5s);  // nobody acks
  world.passes(5s);  // the stream does not close
  EXPECT_TRUE(world.caller().finished());
}

TEST(Caller, ProposesFirstWhenAskedAndCallsWhoProceeds) {
  CallerSpec spec;
  spec.jmi = true;
  Scripted world(spec);
  auto commands = world.happens(Online{kSelf});
  EXPECT_TRUE(has(sent(commands), "propose"));
  EXPECT_EQ(find<OpenLeg>(commands), nullptr);
  commands = world.stanza(
      "<message xmlns='jabber:client' type='chat' from='room@mixer.localhost/focus' "
      "to='ann@localhost/call'><proceed xmlns='urn:xmpp:jingle-message:0' id='s1'/></message>");
  EXPECT_NE(find<OpenLeg>(commands), nullptr);
  commands = world.happens(media::Event(opened()));
  EXPECT_TRUE(has(sent(commands), "room@mixer.localhost/focus"));
}

TEST(Caller, AProposalThatComesBackIsARefusal) {
  CallerSpec spec;
  spec.jmi = true;
  Scripted world(spec);
  world.happens(Online{kSelf});
  const auto commands = world.stanza(
      "<message xmlns='jabber:client' type='error' id='jm-propose-s1' from='room@mixer.localhost' "
      "to='ann@localhost/call'><error type='wait'><remote-server-timeout "
      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
  EXPECT_NE(find<Disconnect>(commands), nullptr);
  EXPECT_EQ(world.report().result, "refused");
  EXPECT_EQ(world.report().reason, "remote-server-timeout");
}

TEST(Caller, ALieChangesTheFingerprintOnly) {
  CallerSpec spec;
  spec.offer.fingerprint_lie = true;
  Scripted world(spec);
  world.happens(Online{kSelf});
  const auto text = sent(world.happens(media::Event(opened())));
  EXPECT_TRUE(has(text, "AB:CD:E0"));
}

}  // namespace
}  // namespace call
