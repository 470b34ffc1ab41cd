#include "signaling/jingle_session.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "tests/support/jingle_generator.h"

namespace jingle {
namespace {

using State = Session::State;

Session make(Role role) {
  return {Sid{"s"}, *Jid::parse("room@mixer.example/focus"), *Jid::parse("ann@a.example/phone"),
          role};
}

Session active(Role role) {
  auto session = make(role);
  if (role == Role::responder) {
    session.accept();
  } else {
    EXPECT_EQ(session.receive(SessionAccept{}), std::nullopt);
  }
  return session;
}

Payload content_action(Action action) {
  ContentAction out;
  out.action = action;
  out.contents.emplace_back().name = "audio";
  return out;
}

TransportInfo transport_info(IceUdpTransport transport) {
  TransportInfo out;
  auto& content = out.contents.emplace_back();
  content.name = "audio";
  content.transport = std::move(transport);
  return out;
}

IceUdpTransport restart() {
  IceUdpTransport out;
  out.ufrag = "new";
  out.pwd = "credentials";
  return out;
}

TEST(JingleSession, StartsPending) {
  const auto session = make(Role::responder);
  EXPECT_EQ(session.state(), State::pending);
  EXPECT_EQ(session.sid(), Sid{"s"});
  EXPECT_EQ(session.local().str(), "room@mixer.example/focus");
  EXPECT_EQ(session.peer().str(), "ann@a.example/phone");
  EXPECT_EQ(session.role(), Role::responder);
}

TEST(JingleSession, BecomesActiveWhenAccepted) {
  auto ours = make(Role::responder);
  ours.accept();
  EXPECT_EQ(ours.state(), State::active);
  auto theirs = make(Role::initiator);
  EXPECT_EQ(theirs.receive(SessionAccept{}), std::nullopt);
  EXPECT_EQ(theirs.state(), State::active);
}

TEST(JingleSession, RefusesASecondInitiate) {
  for (const Role role : {Role::initiator, Role::responder}) {
    auto session = make(role);
    EXPECT_EQ(session.receive(SessionInitiate{}), out_of_order());
    EXPECT_EQ(session.state(), State::pending);
    auto later = active(role);
    EXPECT_EQ(later.receive(SessionInitiate{}), out_of_order());
    EXPECT_EQ(later.state(), State::active);
  }
}

TEST(JingleSession, RefusesAcceptsToTheResponderAndSecondOnes) {
  auto responder = make(Role::responder);
  EXPECT_EQ(responder.receive(SessionAccept{}), out_of_order());
  EXPECT_EQ(responder.state(), State::pending);
  auto initiator = active(Role::initiator);
  EXPECT_EQ(initiator.receive(SessionAccept{}), out_of_order());
  EXPECT_EQ(initiator.state(), State::active);
}

TEST(JingleSession, EndsFromEitherSideAndStaysEnded) {
  for (const bool by_peer : {true, false}) {
    auto session = make(Role::responder);
    if (by_peer) {
      EXPECT_EQ(session.receive(SessionTerminate{}), std::nullopt);
    } else {
      session.terminate();
    }
    EXPECT_EQ(session.state(), State::ended);
    // XEP-0166 §6.7: whatever comes later, a session-terminate too.
    EXPECT_EQ(session.receive(SessionTerminate{}), unknown_session());
    EXPECT_EQ(session.receive(SessionInfo{Ping{}}), unknown_session());
    EXPECT_EQ(session.receive(SessionInitiate{}), unknown_session());
    EXPECT_EQ(session.state(), State::ended);
  }
}

TEST(JingleSession, TakesTricklesAndInfosBeforeTheAccept) {
  auto session = make(Role::responder);
  EXPECT_EQ(session.receive(TransportInfo{}), std::nullopt);
  EXPECT_EQ(session.receive(transport_info({})), std::nullopt);
  EXPECT_EQ(session.receive(SessionInfo{Ping{}}), std::nullopt);
  EXPECT_EQ(session.receive(SessionInfo{RtpInfo(Ringing{})}), std::nullopt);
  EXPECT_EQ(session.receive(SessionInfo{FocusInfo{true}}), std::nullopt);
}

TEST(JingleSession, SaysWhatItDoesNotUnderstand) {
  auto session = active(Role::responder);
  EXPECT_EQ(session.receive(SecurityInfo{}), unsupported_info());
  EXPECT_EQ(session.receive(SessionInfo{UnknownInfo{"urn:x", "x"}}), unsupported_info());
  TransportInfo foreign;
  foreign.unknown = UnknownInfo{"urn:x", "x"};
  EXPECT_EQ(session.receive(foreign), unsupported_info());
  TransportInfo raw;
  raw.contents.emplace_back().transport = Unsupported{"urn:xmpp:jingle:transports:raw-udp:1"};
  EXPECT_EQ(session.receive(raw), unsupported_info());
  ContentAction hint;
  hint.action = Action::description_info;
  EXPECT_EQ(session.receive(hint), std::nullopt);
  hint.unknown = UnknownInfo{"urn:x", "x"};
  EXPECT_EQ(session.receive(hint), unsupported_info());
  hint.unknown.reset();
  hint.contents.emplace_back().description = Unsupported{"urn:x"};
  EXPECT_EQ(session.receive(hint), unsupported_info());
}

TEST(JingleSession, TakesAnswersOnlyToWhatWasAsked) {
  const std::array<std::array<Action, 2>, 4> pairs{
      {{Action::content_add, Action::content_accept},
       {Action::content_add, Action::content_reject},
       {Action::transport_replace, Action::transport_accept},
       {Action::transport_replace, Action::transport_reject}}};
  for (const auto& [ask, answer] : pairs) {
    auto session = active(Role::responder);
    EXPECT_EQ(session.receive(content_action(answer)), out_of_order()) << to_string(answer);
    session.sent(ask);
    EXPECT_EQ(session.receive(content_action(answer)), std::nullopt) << to_string(answer);
    EXPECT_EQ(session.receive(content_action(answer)), out_of_order()) << "twice";
  }
}

TEST(JingleSession, BreaksTiesForTheInitiator) {
  for (const Action action : {Action::content_add, Action::content_modify, Action::content_remove,
                              Action::transport_replace}) {
    auto initiator = active(Role::initiator);
    EXPECT_EQ(initiator.receive(content_action(action)), std::nullopt);
    initiator.sent(action);
    EXPECT_EQ(initiator.receive(content_action(action)), tie_break()) << to_string(action);
    initiator.answered(action);
    EXPECT_EQ(initiator.receive(content_action(action)), std::nullopt);
    auto responder = active(Role::responder);
    responder.sent(action);
    EXPECT_EQ(responder.receive(content_action(action)), std::nullopt) << "we yield";
  }
}

// XEP-0166 §7.2: contents and transports may change before the accept; ties break then, too.
TEST(JingleSession, TakesChangesBeforeTheAccept) {
  for (const Action action : {Action::content_add, Action::content_modify, Action::content_remove,
                              Action::transport_replace}) {
    for (const Role role : {Role::initiator, Role::responder}) {
      auto session = make(role);
      EXPECT_EQ(session.receive(content_action(action)), std::nullopt) << to_string(action);
      session.sent(action);
      const auto crossing = session.receive(content_action(action));
      EXPECT_EQ(crossing, role == Role::initiator ? std::optional(tie_break()) : std::nullopt);
      EXPECT_EQ(session.state(), State::pending);
    }
  }
}

TEST(JingleSession, LetsDifferentActionsCross) {
  auto session = active(Role::initiator);
  session.sent(Action::content_add);
  EXPECT_EQ(session.receive(content_action(Action::content_modify)), std::nullopt);
  EXPECT_EQ(session.receive(content_action(Action::description_info)), std::nullopt);
}

TEST(JingleSession, TellsRestartsFromTrickles) {
  auto session = active(Role::initiator);
  EXPECT_EQ(session.receive(transport_info(restart())), std::nullopt);
  session.sent(Action::transport_info);
  EXPECT_EQ(session.receive(transport_info(restart())), tie_break());
  auto trickle = restart();
  trickle.candidates.emplace_back();
  EXPECT_EQ(session.receive(transport_info(trickle)), std::nullopt);
  auto end = restart();
  end.gathering_complete = true;
  EXPECT_EQ(session.receive(transport_info(end)), std::nullopt);
  auto half = restart();
  half.pwd.clear();
  EXPECT_EQ(session.receive(transport_info(half)), std::nullopt) << "StanzaJS trickles so";
  session.answered(Action::transport_info);
  EXPECT_EQ(session.receive(transport_info(restart())), std::nullopt);
}

// Of RFC 8842 §5.3's roles an offer has actpass only; Conversations gives no fingerprint at all.
TEST(JingleSession, TellsRestartsFromTheirAnswers) {
  auto session = active(Role::initiator);
  session.sent(Action::transport_info);
  for (const auto& [setup, crosses] :
       {std::pair(Setup::actpass, true), std::pair(Setup::active, false),
        std::pair(Setup::passive, false)}) {
    auto answer = restart();
    answer.fingerprints.push_back({"sha-256", "AA", setup});
    EXPECT_EQ(session.receive(transport_info(answer)) == tie_break(), crosses) << to_string(setup);
  }
}

TEST(JingleSession, TakesRepeatedCredentialsForNoRestart) {
  auto session = active(Role::initiator);
  session.sent(Action::transport_info);
  EXPECT_EQ(session.receive(transport_info(restart()), "new"), std::nullopt);
  EXPECT_EQ(session.receive(transport_info(restart()), "old"), tie_break());
}

TEST(JingleSessionDeathTest, AbortsOnTheProgrammersMistakes) {
  EXPECT_DEATH(make(Role::initiator).accept(), "only the responder accepts");
  EXPECT_DEATH(active(Role::responder).accept(), "accepted twice");
  EXPECT_DEATH(
      {
        auto session = make(Role::responder);
        session.terminate();
        session.terminate();
      },
      "ended twice");
  EXPECT_DEATH(
      {
        auto session = make(Role::responder);
        session.terminate();
        session.sent(Action::content_add);
      },
      "sent after the end");
}

// Laws, whatever both sides do in whatever order: an error changes nothing; ended stays ended; a
// session is accepted once, and only by the side that may; each ask of ours takes one answer.
TEST(JingleSession, HoldsItsLawsUnderRandomSequences) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    test_support::JingleGenerator generator(seed);
    const Role role = seed % 2 == 0 ? Role::initiator : Role::responder;
    auto session = make(role);
    int accepts = 0, adds = 0, answers = 0;
    for (int step = 0; step < 60; ++step) {
      const State before = session.state();
      if (generator.chance(15) && before != State::ended) {
        session.sent(Action::content_add);
        ++adds;
      } else if (generator.chance(5) && role == Role::responder && before == State::pending) {
        session.accept();
        ++accepts;
      } else {
        const auto payload = generator.payload(generator.chance(50));
        const Action action = action_of(payload);
        const auto error = session.receive(payload);
        const State after = session.state();
        if (before == State::ended) {
          ASSERT_EQ(error, unknown_session());
        }
        if (error) {
          ASSERT_EQ(after, before);
        } else if (action == Action::session_accept) {
          ++accepts;
          ASSERT_EQ(role, Role::initiator);
          ASSERT_EQ(after, State::active);
        } else if (action == Action::session_terminate) {
          ASSERT_EQ(after, State::ended);
        } else {
          ASSERT_EQ(after, before);
          if (action == Action::content_accept || action == Action::content_reject) ++answers;
          ASSERT_NE(action, Action::session_initiate);
          ASSERT_NE(action, Action::security_info);
        }
      }
      ASSERT_LE(accepts, 1);
      ASSERT_LE(answers, adds);
    }
  }
}

}  // namespace
}  // namespace jingle
