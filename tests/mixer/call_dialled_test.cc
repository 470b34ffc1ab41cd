// A call of ours, from session-initiate to sound both ways (XEP-0166 §6, XEP-0176 §5,
// RFC 4575 §5.7).
#include "mixer/limits.h"
#include "tests/support/dialled_call.h"

namespace {

using namespace test;
using coin::DisconnectionMethod;
using coin::EndpointStatus;
using mixer::ConnectLeg;
using mixer::OpenLeg;
using mixer::Purpose;

TEST_F(DialledCall, OpensALegThatControlsIceAndKnowsNoPeerYet) {
  const auto legs = make().all<OpenLeg>();
  ASSERT_EQ(legs.size(), 1u);
  EXPECT_TRUE(legs[0].spec.ice_controlling) << "XEP-0176 §5.4";
  EXPECT_FALSE(legs[0].spec.rtcp_mux) << "RFC 5761 §5.1.3: the answer may decline it";
  EXPECT_FALSE(legs[0].spec.remote);
  EXPECT_EQ(legs[0].spec.contributor_id, 4711u);
  EXPECT_EQ(call->role(), jingle::Role::initiator);
}

TEST_F(DialledCall, InitiatesOnceTheLegIsOpen) {
  make();
  call->opened(engine.opened(kLeg), out, now);
  const auto sent = take().jingle();
  ASSERT_EQ(sent.size(), 1u) << "candidates are in the offer";
  const auto& [iq, request] = sent[0];
  EXPECT_EQ(iq.from, jid("room@mixer.localhost/focus"));
  EXPECT_EQ(iq.to, jid("ann@localhost/phone"));
  EXPECT_EQ(request.sid.value, "S9");
  const auto& initiate = std::get<jingle::SessionInitiate>(request.payload);
  EXPECT_EQ(initiate.initiator, "room@mixer.localhost/focus");
  EXPECT_EQ(initiate.isfocus, true);
  EXPECT_EQ(initiate.contents.at(0).ice()->candidates.size(), 1u);
  const auto awaited = out.answered(iq.id, iq.to);
  ASSERT_TRUE(awaited);
  EXPECT_EQ(awaited->purpose, Purpose::session_initiate);
  EXPECT_EQ(awaited->leg, kLeg);
}

// XEP-0298 §5.
TEST_F(DialledCall, SaysIsfocusAsTheRoomHasItWhenItIsSent) {
  setup.isfocus = false;
  make();
  call->set_isfocus(true);
  call->set_isfocus(false);
  call->opened(engine.opened(kLeg), out, now);
  const auto initiate = take().sent<jingle::SessionInitiate>().at(0);
  EXPECT_FALSE(initiate.isfocus);
  call->set_isfocus(true);
  EXPECT_FALSE(call->isfocus()) << "too late to be said by the initiate";
  receive(accept_of(initiate));
  call->say_isfocus(true, out);
  EXPECT_TRUE(call->isfocus());
}

TEST_F(DialledCall, BelievesThePeersIsfocusInItsAcceptAndAfterwards) {
  auto accept = accept_of(dial());
  accept.isfocus = true;
  receive(accept);
  EXPECT_TRUE(call->peer_is_focus());
  receive(jingle::SessionInfo{jingle::FocusInfo{false}});
  EXPECT_FALSE(call->peer_is_focus());
}

TEST_F(DialledCall, LaterCandidatesAreTrickledOneContentAtATime) {
  dial();
  call->gathered({kLeg, engine.opened(kLeg).candidates}, out);
  const auto sent = take().sent<jingle::TransportInfo>();
  ASSERT_EQ(sent.size(), 1u);
  ASSERT_EQ(sent[0].contents.size(), 1u);
  EXPECT_EQ(sent[0].contents[0].name, "audio");
  EXPECT_EQ(sent[0].contents[0].creator, jingle::Creator::initiator);
  EXPECT_EQ(sent[0].contents[0].ice()->candidates.at(0).id, "c2");
}

// RFC 4575 §5.7: "status: alerting while it rings, dialing-in while he is coming"
TEST_F(DialledCall, IsPendingThenDialingOutThenAlertingThenConnectedThenOnHold) {
  make();
  EXPECT_EQ(status(), EndpointStatus::pending);
  EXPECT_EQ(call->participant().joining_method, coin::JoiningMethod::dialed_out);
  EXPECT_EQ(call->participant().joining_info.reason, "tea");
  call->opened(engine.opened(kLeg), out, now);
  const auto offer = take().sent<jingle::SessionInitiate>().at(0);
  EXPECT_EQ(status(), EndpointStatus::dialing_out);
  EXPECT_EQ(receive(said(jingle::Ringing{})), "result");
  EXPECT_EQ(status(), EndpointStatus::alerting);
  receive(accept_of(offer));
  EXPECT_EQ(status(), EndpointStatus::alerting) << "nobody hears him yet";
  EXPECT_EQ(call->participant().contributor_id, 0u);
  EXPECT_EQ(call->participant().plan,
            (media::LegPlan{.leg = kLeg, .in_mix = false, .receives = false}));
  call->leg_connected({kLeg, "", ""}, out, now);
  EXPECT_EQ(status(), EndpointStatus::connected);
  EXPECT_EQ(call->participant().contributor_id, 4711u);
  EXPECT_TRUE(call->participant().plan.in_mix && call->participant().plan.receives);
  receive(said(jingle::Hold{}));
  EXPECT_EQ(status(), EndpointStatus::on_hold);
  EXPECT_FALSE(call->participant().plan.in_mix || call->participant().plan.receives);
}

TEST_F(DialledCall, ThatRangAlreadyIsAlertingFromTheStart) {
  setup.status = EndpointStatus::alerting;
  make();
  EXPECT_EQ(status(), EndpointStatus::alerting);
}

TEST_F(DialledCall, ConnectsTheLegByTheAccept) {
  auto accept = accept_of(dial());
  std::get<jingle::IceUdpTransport>(accept.contents[0].transport).candidates = {host_candidate(9)};
  EXPECT_EQ(receive(accept), "result");
  EXPECT_TRUE(call->accepted());
  const auto connected = take().all<ConnectLeg>();
  ASSERT_EQ(connected.size(), 1u);
  EXPECT_EQ(connected[0].leg, kLeg);
  EXPECT_EQ(connected[0].remote.ice.ufrag, "them");
  EXPECT_EQ(connected[0].remote.candidates.size(), 1u);
  EXPECT_EQ(connected[0].remote.our_role, media::DtlsRole::server);
  EXPECT_EQ(receive(accept), "unexpected-request/out-of-order") << "accepted once";
}

// XEP-0176 §5.5: candidates may come before the accept.

TEST_F(DialledCall, KeepsWhatIsTrickledBeforeTheAccept) {
  const auto offer = dial();
  EXPECT_EQ(receive(trickled("them", "theirpasswordtheirpassword", 1)), "result");
  EXPECT_EQ(receive(trickled("", "", 2)), "result");
  EXPECT_EQ(receive(trickled("other", "otherpasswordotherpassword", 3)), "result");
  EXPECT_TRUE(take().commands.empty());
  receive(accept_of(offer));
  const Step step = take();
  EXPECT_EQ(step.all<ConnectLeg>().size(), 1u);
  EXPECT_EQ(engine.legs().at(kLeg).trickled.size(), 2u) << "not what belongs to other credentials";
}

TEST_F(DialledCall, TakesTheCredentialsFromATransportInfoWhereTheAcceptHasNone) {
  for (const bool before : {true, false}) {
    engine = {};
    auto accept = accept_of(dial());
    auto& transport = std::get<jingle::IceUdpTransport>(accept.contents[0].transport);
    transport.ufrag.clear();
    transport.pwd.clear();
    transport.candidates = {host_candidate(1)};
    const auto credentials = trickled("late", "latepasswordlatepassword", 2);
    if (before) receive(credentials);
    receive(accept);
    if (!before) receive(credentials);
    const auto connected = take().all<ConnectLeg>();
    ASSERT_EQ(connected.size(), 1u) << before;
    EXPECT_EQ(connected[0].remote.ice.ufrag, "late");
    EXPECT_EQ(connected[0].remote.candidates.size(), 2u);
  }
}

TEST_F(DialledCall, TakesABoundedNumberOfCandidatesAheadOfTheAccept) {
  const auto offer = dial();
  for (int i = 1; i <= 1000; ++i) receive(trickled("", "", i));
  receive(accept_of(offer));
  take();
  EXPECT_EQ(engine.legs().at(kLeg).trickled.size(), mixer::limits::kMaxRemoteCandidates);
}

// The sid is known to the peer from our proposal (XEP-0353 §3.1).

TEST_F(DialledCall, IsUnknownBeforeItsInitiateIsSent) {
  make();
  for (const jingle::Payload& payload :
       {jingle::Payload(jingle::SessionAccept{}), jingle::Payload(jingle::SessionTerminate{}),
        jingle::Payload(jingle::SessionInfo{})}) {
    EXPECT_EQ(receive(payload), "item-not-found/unknown-session");
  }
  EXPECT_FALSE(call->ended());
}

// XEP-0166 §6.3.2: there is no session then, so there is nothing to terminate.

// XEP-0166 §7.4 timeout.

// XEP-0353 §3.7, [S] from both sides.

// XEP-0167 §4: senders are the initiator's view, whoever looks.

TEST_F(DialledCall, SendersTurnWhoSpeaksRound) {
  const struct {
    jingle::Senders senders;
    bool speaks, hears;
  } table[] = {
      {jingle::Senders::both, true, true},
      {jingle::Senders::initiator, false, true},
      {jingle::Senders::responder, true, false},
      {jingle::Senders::none, false, false},
  };
  for (const auto& row : table) {
    for (const bool in_accept : {true, false}) {
      engine = {};
      auto accept = accept_of(dial());
      if (in_accept) accept.contents[0].senders = row.senders;
      receive(accept);
      call->leg_connected({kLeg, "", ""}, out, now);
      if (!in_accept) {
        jingle::ContentAction modify{.action = jingle::Action::content_modify,
                                     .contents = accept.contents,
                                     .reason = {},
                                     .unknown = {}};
        modify.contents[0].senders = row.senders;
        EXPECT_EQ(receive(modify), "result");
      }
      EXPECT_EQ(call->participant().plan.in_mix, row.speaks);
      EXPECT_EQ(call->participant().plan.receives, row.hears);
      take();
    }
  }
}

TEST_F(DialledCall, OnlyMutesOfTheOneContentCount) {
  connect();
  const auto mutes = [&](const std::string& creator, const std::string& name) {
    receive(said(jingle::Active{}));
    EXPECT_EQ(receive(said(jingle::Mute{creator, name})), "result");
    return !call->participant().plan.in_mix;
  };
  EXPECT_TRUE(mutes("initiator", "audio"));
  EXPECT_TRUE(mutes("initiator", ""));
  EXPECT_FALSE(mutes("initiator", "video"));
  EXPECT_FALSE(mutes("responder", "audio"));
}

// XEP-0166 §7.3: a content is known by its creator and its name.

TEST_F(DialledCall, ContentsOfTheRespondersMakingAreOthers) {
  const auto accept = accept_of(dial());
  jingle::ContentAction add{.action = jingle::Action::content_add,
                            .contents = accept.contents,
                            .reason = {},
                            .unknown = {}};
  add.contents[0].creator = jingle::Creator::responder;
  auto& video = std::get<jingle::RtpDescription>(add.contents[0].description);
  video.media = "video";
  EXPECT_EQ(receive(add), "result");
  auto answers = take().sent<jingle::ContentAction>();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].action, jingle::Action::content_reject) << "nothing is agreed on yet";
  receive(accept);
  call->leg_connected({kLeg, "", ""}, out, now);
  take();
  EXPECT_EQ(receive(add), "result");
  answers = take().sent<jingle::ContentAction>();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].action, jingle::Action::content_accept);
  EXPECT_EQ(answers[0].contents.at(0).creator, jingle::Creator::responder);
  jingle::ContentAction remove = add;
  remove.action = jingle::Action::content_remove;
  EXPECT_EQ(receive(remove), "result");
  EXPECT_FALSE(call->ended());
  remove.contents[0].creator = jingle::Creator::initiator;
  EXPECT_EQ(receive(remove), "result");
  EXPECT_EQ(take().terminated().condition, "success");
  EXPECT_EQ(departure().method, DisconnectionMethod::departed);
}

TEST_F(DialledCall, TransportReplaceIsRejectedBeforeAndAfterTheAccept) {
  const auto accept = accept_of(dial());
  const jingle::ContentAction replace{.action = jingle::Action::transport_replace,
                                      .contents = accept.contents,
                                      .reason = {},
                                      .unknown = {}};
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(receive(replace), "result");
    EXPECT_EQ(take().sent<jingle::ContentAction>().at(0).action, jingle::Action::transport_reject);
    if (i == 0) receive(accept);
    if (i == 0) take();
  }
}

// RFC 4575 §5.7.5, §5.7.6.

}  // namespace
