// Every way in which a call ends at our hands: the peer is told the right reason (XEP-0166 §7.4) in
// words that people can read, and the log has one line of it.
#include <functional>

#include "mixer/reasons.h"
#include "tests/support/focus_bench.h"

namespace {

using namespace test;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kBob[] = "bob@localhost/desk";
constexpr char kRoom[] = "room@mixer.localhost";
constexpr char kUs[] = "room@mixer.localhost/focus";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  text.replace(text.find(what), what.size(), by);
  return text;
}
// Of our offer, by a client that is no focus.
std::string accept(const std::string& sid) {
  return replaced(
      replaced(Offer{.sid = sid, .name = "audio"}.xml(), "session-initiate", "session-accept"),
      "actpass", "active");
}

struct Scene : Bench {
  explicit Scene(const mixer::Config& config = component_config()) : Bench(config) {
    if (config.xmpp.mode == mixer::Config::Xmpp::Mode::component) up();
  }
  // Ann's call is in the room, and ours to bob has been offered: its sid.
  std::string dial() {
    join(kAnn, kRoom, Offer{.sid = "A"});
    auto invited = focus.invite({.room = "room", .target = jid(kBob), .by = std::nullopt}, now);
    bob = perform(std::move(invited.commands)).all<mixer::OpenLeg>().at(0).spec.leg;
    const Step offered = media(engine.opened(bob));
    return offered.jingle().at(0).second.sid.value;
  }
  Step leg_fails(media::LegFailure cause) {
    return media(media::LegFailed{join(kAnn), cause, "what the engine knows"});
  }
  Step bob_accepts(const std::string& xml) { return iq(kBob, kUs, xml); }
  media::LegId bob;
};

struct Ending {
  const char* what;
  const char* condition;
  std::function<Step(Scene&)> happens;
};

const Ending kEndings[] = {
    {"no audio is offered", "unsupported-applications",
     [](Scene& s) {
       return s.iq(kAnn, kRoom, replaced(Offer{}.xml(), "media='audio'", "media='video'"));
     }},
    {"nothing is offered over ICE-UDP", "unsupported-transports",
     [](Scene& s) {
       return s.iq(kAnn, kRoom,
                   replaced(Offer{}.xml(), "transports:ice-udp", "transports:raw-udp"));
     }},
    {"no Opus is offered", "failed-application",
     [](Scene& s) {
       return s.iq(
           kAnn, kRoom,
           Offer{.payload_types = "<payload-type id='0' name='PCMU' clockrate='8000'/>"}.xml());
     }},
    {"no fingerprint is offered", "security-error",
     [](Scene& s) { return s.iq(kAnn, kRoom, Offer{.fingerprint = ""}.xml()); }},
    {"the fingerprint is of a weak hash", "security-error",
     [](Scene& s) {
       return s.iq(kAnn, kRoom, replaced(Offer{}.xml(), "hash='sha-256'", "hash='md5'"));
     }},
    {"nobody would start DTLS", "security-error",
     [](Scene& s) { return s.iq(kAnn, kRoom, replaced(Offer{}.xml(), "actpass", "holdconn")); }},
    {"the caller is here already", "alternative-session",
     [](Scene& s) {
       s.join(kAnn);
       return s.iq(kAnn, kRoom, Offer{.sid = "S2"}.xml());
     }},
    {"the port range is exhausted", "failed-transport",
     [](Scene& s) { return s.leg_fails(media::LegFailure::no_port); }},
    {"ICE fails", "failed-transport",
     [](Scene& s) { return s.leg_fails(media::LegFailure::ice_failed); }},
    {"consent is lost", "connectivity-error",
     [](Scene& s) { return s.leg_fails(media::LegFailure::consent_lost); }},
    {"the certificate is another", "security-error",
     [](Scene& s) { return s.leg_fails(media::LegFailure::fingerprint_mismatch); }},
    {"DTLS fails", "security-error",
     [](Scene& s) { return s.leg_fails(media::LegFailure::dtls_failed); }},
    {"the audio fails", "media-error",
     [](Scene& s) { return s.leg_fails(media::LegFailure::media_error); }},
    {"the engine closes the leg unasked", "media-error",
     [](Scene& s) {
       const auto leg = s.join(kAnn);
       s.engine.close_leg(leg);
       return s.media(media::LegClosed{leg, {}});
     }},
    {"it never connects", "failed-transport",
     [](Scene& s) {
       s.call(kAnn);
       return s.wait(60s);
     }},
    {"our ICE restart is not answered", "connectivity-error",
     [](Scene& s) {
       const auto leg = s.join(kAnn);
       s.iq(kAnn, kRoom, in_session("S1", "transport-info"));
       const Step lost = s.media(media::LegFailed{leg, media::LegFailure::consent_lost, "gone"});
       EXPECT_EQ(lost.all<mixer::RestartIce>().size(), 1u);
       EXPECT_EQ(lost.sent<jingle::SessionTerminate>().size(), 0u);
       s.media(s.engine.restarted(leg));
       return s.wait(60s);
     }},
    {"the fingerprint changes during the call", "security-error",
     [](Scene& s) {
       s.join(kAnn);
       std::string other = Offer{}.transport();
       other = replaced(other, kFingerprint.substr(0, 2), "00");
       return s.iq(kAnn, kRoom,
                   in_session("S1", "transport-info",
                              "<content creator='initiator' name='0'>" + other + "</content>"));
     }},
    {"our accept is refused", "general-error",
     [](Scene& s) {
       s.answers = false;
       const auto leg = s.iq(kAnn, kRoom, Offer{}.xml()).all<mixer::OpenLeg>().at(0).spec.leg;
       const Step accepted = s.media(s.engine.opened(leg));
       for (const auto& [iq, request] : accepted.jingle()) {
         if (!std::holds_alternative<jingle::SessionAccept>(request.payload)) continue;
         return s.answered(iq, "error",
                           "<error type='cancel'><service-unavailable "
                           "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>");
       }
       return Step{};
     }},
    {"the caller takes the audio away", "success",
     [](Scene& s) {
       s.join(kAnn);
       return s.iq(kAnn, kRoom,
                   in_session("S1", "content-remove", "<content creator='initiator' name='0'/>"));
     }},
    {"the caller is gone without a word", "connectivity-error",
     [](Scene& s) {
       const auto leg = s.join(kAnn);
       s.media(media::LegQuiet{leg});
       s.presence(kAnn, kRoom, "unavailable");
       return s.wait(10s);
     }},
    {"another call of the same device takes its place", "expired",
     [](Scene& s) {
       s.media(media::LegQuiet{s.join(kAnn)});
       const auto leg = s.call(kAnn, kRoom, Offer{.sid = "S2"});
       return s.media(s.engine.connected(leg));
     }},
    {"it moves to another device", "expired",
     [](Scene& s) {
       s.join(kAnn);
       s.message("ann@localhost/laptop", kRoom,
                 "<propose xmlns='urn:xmpp:jingle-message:0' id='P2'><description "
                 "xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>");
       const auto leg = s.call("ann@localhost/laptop", kUs, Offer{.sid = "P2"});
       return s.media(s.engine.connected(leg));
     }},
    {"the mixer stops (SIGTERM)", "gone",
     [](Scene& s) {
       s.join(kAnn);
       s.join(kBob);
       s.call("cyd@localhost/x");
       return s.handle(mixer::ShutdownRequested{});
     }},
    {"we dial: nobody answers", "timeout",
     [](Scene& s) {
       s.dial();
       return s.wait(50s);
     }},
    {"we dial: the answer has no fingerprint", "security-error",
     [](Scene& s) {
       const std::string xml = accept(s.dial());
       const std::size_t from = xml.find("<fingerprint"), to = xml.find("</transport>");
       return s.bob_accepts(xml.substr(0, from) + xml.substr(to));
     }},
    {"we dial: the answer leaves open who starts DTLS", "security-error",
     [](Scene& s) { return s.bob_accepts(replaced(accept(s.dial()), "'active'", "'actpass'")); }},
    {"we dial: the answer has no Opus", "failed-application",
     [](Scene& s) { return s.bob_accepts(replaced(accept(s.dial()), "opus", "speex")); }},
    {"we dial: the answer is to something else", "failed-application",
     [](Scene& s) {
       return s.bob_accepts(replaced(accept(s.dial()), "name='audio'", "name='else'"));
     }},
    {"we dial: ICE fails", "failed-transport",
     [](Scene& s) {
       s.bob_accepts(accept(s.dial()));
       return s.media(media::LegFailed{s.bob, media::LegFailure::ice_failed, "no pair"});
     }},
    {"we dial: it never connects", "failed-transport",
     [](Scene& s) {
       s.bob_accepts(accept(s.dial()));
       return s.wait(60s);
     }},
    {"we dial: the last participant leaves while it rings", "cancel",
     [](Scene& s) {
       s.dial();
       return s.iq(kAnn, kRoom, terminate("A"));
     }},
    {"we dial: they call at the same time from another device", "alternative-session",
     [](Scene& s) {
       s.dial();
       return s.iq("bob@localhost/phone", kRoom, Offer{.sid = "B"}.xml());
     }},
    {"we dial: the callee goes offline", "connectivity-error",
     [](Scene& s) {
       s.dial();
       s.presence(kBob, kRoom, "unavailable");
       return s.wait(10s);
     }},
    {"we dialled another focus, and nobody is left on our side", "success",
     [](Scene& s) {
       const std::string focus = "<conference-info xmlns='urn:xmpp:coin:1' isfocus='true'/>";
       s.bob_accepts(replaced(accept(s.dial()), "</jingle>", focus + "</jingle>"));
       s.media(s.engine.connected(s.bob));
       s.iq(kAnn, kRoom, terminate("A"));
       return s.wait(20s);
     }},
    {"we dial: the mixer stops", "gone",
     [](Scene& s) {
       s.dial();
       return s.handle(mixer::ShutdownRequested{});
     }},
};

std::vector<std::string> lines(const Step& step) {
  std::vector<std::string> out;
  for (const auto& log : step.all<mixer::Log>()) {
    if (log.text.starts_with("call=ended ")) out.push_back(log.text);
  }
  return out;
}

void expect_told(const Step& step, const Ending& ending) {
  SCOPED_TRACE(ending.what);
  const auto terminates = step.sent<jingle::SessionTerminate>();
  const auto logged = lines(step);
  EXPECT_FALSE(terminates.empty());
  // Who hung up himself, or never heard of a session, is told nothing; the log knows of him.
  EXPECT_GE(logged.size(), terminates.size());
  std::size_t ours = 0;
  for (const auto& terminate : terminates) {
    EXPECT_EQ(terminate.reason.condition, ending.condition);
    EXPECT_NE(terminate.reason.text, "");
    EXPECT_EQ(terminate.reason.text.back(), '.') << "a sentence";
  }
  for (const std::string& line : logged) {
    if (line.find(" by=mixer") == line.npos) continue;
    ++ours;
    EXPECT_NE(line.find(std::string(" reason=") + ending.condition + " "), line.npos) << line;
    EXPECT_NE(line.find(" text=\""), line.npos) << line;
    EXPECT_NE(line.find(" room=room "), line.npos) << line;
    EXPECT_NE(line.find("@localhost/"), line.npos) << line;
  }
  EXPECT_EQ(ours, terminates.size()) << "one line for each";
}

TEST(Endings, EachIsToldTheRightReasonInWordsAndLoggedOnce) {
  for (const Ending& ending : kEndings) {
    Scene scene;
    expect_told(ending.happens(scene), ending);
  }
}

TEST(Endings, OfAFullRoom) {
  mixer::Config config = component_config();
  config.limits.participants_per_room = 1;
  Scene scene(config);
  scene.join(kAnn);
  expect_told(scene.iq(kBob, kRoom, Offer{}.xml()), {"the room is full", "busy", {}});
}

// A stream that cannot be resumed may come back under another name (RFC 6120 §7.7.2.2).
TEST(Endings, OfAnAddressThatWasLostWithTheServer) {
  Scene scene(client_config());
  scene.up(false, "bot@localhost/r1");
  const auto leg = scene.call(kAnn, "bot@localhost/r1");
  scene.media(scene.engine.connected(leg));
  scene.handle(mixer::ConnectionDown{});
  scene.up(false, "bot@localhost/r2");
  const Step step = scene.wait(40s);
  EXPECT_EQ(step.terminated().condition, "connectivity-error");
  EXPECT_EQ(step.terminated().text, mixer::reasons::orphaned().text);
  EXPECT_EQ(lines(step).size(), 1u);
}

// Nothing is sent for those, and the log has its line.
TEST(Endings, OfCallsThatNeverWereAreLoggedToo) {
  const std::string propose =
      "<propose xmlns='urn:xmpp:jingle-message:0' id='P'><description "
      "xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>";
  const auto jmi = [](const std::string& what, const std::string& reason) {
    return "<" + what + " xmlns='urn:xmpp:jingle-message:0' id='P'><reason " +
           "xmlns='urn:xmpp:jingle:1'><" + reason + "/></reason></" + what + ">";
  };
  const struct {
    const char* fields;
    std::function<Step(Scene&)> happens;
  } table[] = {
      {"reason=busy text=\"This conference takes audio only.\" by=mixer",
       [&](Scene& s) { return s.message(kAnn, kRoom, replaced(propose, "audio", "video")); }},
      {"reason=cancel by=peer",
       [&](Scene& s) {
         s.message(kAnn, kRoom, propose);
         return s.message(kAnn, kRoom, jmi("retract", "cancel"));
       }},
      {"reason=connectivity-error text=\"The call did not begin in time.\" by=mixer",
       [&](Scene& s) {
         s.message(kAnn, kRoom, propose);
         return s.wait(40s);
       }},
      {"reason=gone text=\"The mixer is shutting down.\" by=mixer",
       [&](Scene& s) {
         s.message(kAnn, kRoom, propose);
         return s.handle(mixer::ShutdownRequested{});
       }},
  };
  for (const auto& row : table) {
    Scene scene;
    const Step step = row.happens(scene);
    ASSERT_EQ(lines(step).size(), 1u) << row.fields;
    EXPECT_NE(lines(step)[0].find(row.fields), std::string::npos) << lines(step)[0];
    EXPECT_NE(lines(step)[0].find("room=room direction=in peer=ann@localhost/phone sid=P "),
              std::string::npos);
    EXPECT_NE(lines(step)[0].find(" connected=no "), std::string::npos);
  }
}

TEST(Endings, OfInvitationsThatNobodyTookAreLoggedToo) {
  const auto invites = [](Scene& s) {
    auto invited =
        s.focus.invite({.room = "room", .target = jid("bob@localhost"), .by = std::nullopt}, s.now);
    return s.perform(std::move(invited.commands)).all<mixer::SendMessage>().at(0);
  };
  const auto says = [](Scene& s, const mixer::SendMessage& proposal, const std::string& what,
                       const std::string& reason) {
    const std::string sid = Step{{proposal}}.jmi().at(0).id.value;
    return s.message(kBob, kUs,
                     "<" + what + " xmlns='urn:xmpp:jingle-message:0' id='" + sid +
                         "'><reason xmlns='urn:xmpp:jingle:1'><" + reason + "/><text>Not now\n" +
                         "by=mixer</text></reason></" + what + ">");
  };
  const struct {
    const char* fields;
    std::function<Step(Scene&)> happens;
  } table[] = {
      {"reason=timeout text=\"There was no answer.\" by=mixer",
       [&](Scene& s) {
         invites(s);
         return s.wait(50s);
       }},
      {"reason=busy text=\"Not now\\nby=mixer\" by=peer",
       [&](Scene& s) { return says(s, invites(s), "reject", "busy"); }},
      {"reason=expired text=\"Not now\\nby=mixer\" by=peer",
       [&](Scene& s) { return says(s, invites(s), "finish", "expired"); }},
      {"reason=gone text=\"The mixer is shutting down.\" by=mixer",
       [&](Scene& s) {
         invites(s);
         return s.handle(mixer::ShutdownRequested{});
       }},
      {"reason=gone text=\"Not reachable.\" by=peer",
       [&](Scene& s) {
         const auto proposal = invites(s);
         auto bounce =
             stanza("<message xmlns='jabber:client' type='error' id='" + proposal.id +
                    "' from='bob@localhost' to='" + kUs + "'><error type='cancel'/></message>");
         return s.handle(mixer::MessageReceived{std::get<jingle::Message>(bounce.value())});
       }},
  };
  for (const auto& row : table) {
    Scene scene;
    const Step step = row.happens(scene);
    ASSERT_EQ(lines(step).size(), 1u) << row.fields;
    EXPECT_NE(lines(step)[0].find(row.fields), std::string::npos) << lines(step)[0];
    EXPECT_NE(lines(step)[0].find("room=room direction=out peer=bob@localhost sid="),
              std::string::npos);
  }
}

// By whom: the peer hung up, with or without a reason.
TEST(Endings, AtThePeersHandsAreLoggedWithItsReason) {
  const std::pair<const char*, const char*> table[] = {
      {"<reason><success/></reason>", " reason=success by=peer"},
      {"<reason><decline/><text>Bye</text></reason>", " reason=decline text=Bye by=peer"},
      {"", " reason=none by=peer"},
  };
  for (const auto& [reason, fields] : table) {
    Scene scene;
    scene.join(kAnn);
    const Step step = scene.iq(kAnn, kRoom, in_session("S1", "session-terminate", reason));
    ASSERT_EQ(lines(step).size(), 1u);
    EXPECT_NE(lines(step)[0].find(fields), std::string::npos) << lines(step)[0];
  }
}

}  // namespace
