// STUN and TURN servers as the XMPP server names them (XEP-0215), through the whole focus.
#include "mixer/ice_services.h"

#include <gmock/gmock.h>

#include "mixer/limits.h"
#include "tests/support/focus_bench.h"
#include "tests/support/generators.h"

namespace {

using namespace test;
using media::IceServer;
using mixer::SendIq;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using Kind = IceServer::Kind;

constexpr char kServer[] = "localhost";
constexpr char kSelf[] = "mixer.localhost";

mixer::Config asking(mixer::Config config = component_config()) {
  config.media.discover_services = std::nullopt;
  return config;
}
std::string services(const std::string& children) {
  return "<services xmlns='urn:xmpp:extdisco:2'>" + children + "</services>";
}
std::string turn(const std::string& host, const std::string& more = "") {
  return "<service type='turn' transport='udp' host='" + host + "' username='u-" + host +
         "' password='p-" + host + "' restricted='1' " + more + "/>";
}
std::string stun(const std::string& host, const std::string& more = "") {
  return "<service type='stun' transport='udp' host='" + host + "' " + more + "/>";
}
IceServer stun_server(const std::string& host) { return {Kind::stun, host, 3478, "", ""}; }
IceServer turn_server(const std::string& host) {
  return {Kind::turn, host, 3478, "u-" + host, "p-" + host};
}
std::string expires(const Bench& bench, std::chrono::seconds in) {
  return "expires='" + mixer::date_time(wall_time(bench.now) + in) + "'";
}
std::vector<std::string> log_of(const Step& step) {
  std::vector<std::string> lines;
  for (const auto& log : step.all<mixer::Log>()) lines.push_back(log.text);
  return lines;
}
std::vector<SendIq> asked_for(const Step& step, const std::string& what) {
  std::vector<SendIq> out;
  for (const auto& iq : step.all<SendIq>()) {
    if (iq.payload.find("extdisco") == std::string::npos) continue;
    if (iq.payload.find(what) != std::string::npos) out.push_back(iq);
  }
  return out;
}

// A focus that is connected, its two questions not answered yet.
struct Asking : Bench {
  explicit Asking(mixer::Config config = asking(), const std::string& as = kSelf)
      : Bench(std::move(config)) {
    answers = false;
    first = up(false, as);
  }
  Step answer(const std::string& type, const std::string& children, const Step& step) {
    const auto asked = asked_for(step, "type='" + type + "'");
    EXPECT_THAT(asked, SizeIs(1)) << type;
    return asked.empty() ? Step{} : answered(asked[0], "result", children);
  }
  Step answer(const std::string& type, const std::string& children) {
    return answer(type, services(children), first);
  }
  Step refuse(const std::string& type, const std::string& condition) {
    return answered(asked_for(first, "type='" + type + "'").at(0), "error",
                    "<error type='cancel'><" + condition +
                        " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>");
  }
  Step push(const std::string& children, const std::string& from = kServer,
            const std::string& to = kSelf) {
    return iq(from, to, services(children));
  }
  Step first;
};

// XEP-0215 §3.2
TEST(IceServices, TheServerAboveTheComponentIsAskedByTypeFromTheDomain) {
  Asking focus;
  const auto asked = asked_for(focus.first, "<services");
  ASSERT_THAT(asked, SizeIs(2));
  for (const auto& iq : asked) {
    EXPECT_EQ(iq.to.str(), kServer);
    EXPECT_EQ(iq.from.str(), kSelf);
    EXPECT_FALSE(iq.is_set);
  }
  EXPECT_THAT(asked[0].payload, HasSubstr("type='stun'"));
  EXPECT_THAT(asked[1].payload, HasSubstr("type='turn'"));
}

TEST(IceServices, ABotAsksItsOwnServerAndTheConfigurationMayNameAnotherOrNone) {
  Asking bot(asking(client_config()), "bot@localhost/focus");
  ASSERT_THAT(asked_for(bot.first, "<services"), SizeIs(2));
  EXPECT_EQ(asked_for(bot.first, "<services")[0].to.str(), "localhost");
  EXPECT_EQ(asked_for(bot.first, "<services")[0].from.str(), "bot@localhost/focus");

  auto other = component_config();
  other.media.discover_services = jid("disco.example");
  EXPECT_EQ(asked_for(Asking(other).first, "<services").at(0).to.str(), "disco.example");

  EXPECT_THAT(asked_for(Asking(component_config()).first, ""), IsEmpty());
  auto orphan = asking();
  orphan.xmpp.jid = jid("mixer.org");  // whose server is not to be guessed
  EXPECT_THAT(asked_for(Asking(orphan, "mixer.org").first, ""), IsEmpty());
}

TEST(IceServices, TheConfigurationsOwnComeFirst) {
  auto config = asking();
  config.media.stun = mixer::HostAndPort{"own.example", 5};
  config.media.turn = mixer::HostAndPort{"own.example", 6};
  config.media.turn_username = "u";
  config.media.turn_password = "p";
  Asking focus(config);
  EXPECT_THAT(focus.engine.ice_servers(), IsEmpty()) << "whoever builds the engine tells it those";
  focus.answer("turn", turn("t.example"));
  EXPECT_THAT(
      focus.engine.ice_servers(),
      ElementsAre(IceServer{Kind::stun, "own.example", 5, "", ""},
                  IceServer{Kind::turn, "own.example", 6, "u", "p"}, turn_server("t.example")));
}

TEST(IceServices, OnlyUdpAndThePortIsTheUsualOneIfNoneIsNamed) {
  Asking focus;
  focus.answer("stun", stun("a.example") + stun("192.0.2.1", "port='5'") + stun("2001:db8::1") +
                           "<service type='stun' host='any.example'/>"
                           "<service type='stun' host='tcp.example' transport='tcp'/>"
                           "<service type='stuns' host='tls.example' transport='udp'/>");
  EXPECT_THAT(focus.engine.ice_servers(),
              ElementsAre(stun_server("a.example"), IceServer{Kind::stun, "192.0.2.1", 5, "", ""},
                          stun_server("2001:db8::1"), stun_server("any.example")));
}

TEST(IceServices, WhatMakesNoSenseIsLeftOutWithOneLineInTheLog) {
  Asking focus;
  const Step step = focus.answer(
      "turn", turn("good.example") + turn("bad.example", "port='0'") +
                  turn("bad.example", "port='65536'") + turn("a b") + turn("2001:db8::zz") +
                  turn("neg.example", "port='-1'") + turn("old.example", expires(focus, -1s)));
  EXPECT_THAT(focus.engine.ice_servers(), ElementsAre(turn_server("good.example")));
  const auto lines = log_of(step);
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const auto& line) { return line.find("=ignored") != line.npos; }),
            1);
  EXPECT_THAT(lines, testing::Contains(HasSubstr("count=6")));
}

TEST(IceServices, ThereIsABoundToHowManyAreUsedAndHowManyAreRead) {
  std::string many;
  for (int i = 0; i < 33; ++i) many += turn("t" + std::to_string(i) + ".example");
  Asking focus;
  const Step refused = focus.answer("turn", many);
  EXPECT_THAT(focus.engine.ice_servers(), IsEmpty());
  EXPECT_THAT(log_of(refused), ElementsAre(HasSubstr("too many services")));
  Asking other;
  many.resize(many.rfind("<service"));
  other.answer("turn", many);
  EXPECT_THAT(other.engine.ice_servers(), SizeIs(mixer::limits::kMaxDiscoveredServers));
}

TEST(IceServices, CredentialsAreRefreshedAtFourFifthsOfTheirLife) {
  Asking focus;
  focus.answer("stun", stun("s.example"));
  focus.answer("turn", turn("t.example", expires(focus, 1000s)));
  EXPECT_THAT(asked_for(focus.wait(799s), ""), IsEmpty());
  const Step due = focus.wait(1s);
  ASSERT_THAT(asked_for(due, "type='turn'"), SizeIs(1));
  EXPECT_THAT(asked_for(due, "type='stun'"), IsEmpty()) << "does not expire";
  const Step fresh = focus.answer(
      "turn",
      services("<service type='turn' host='t.example' username='new' password='newer' " +
               expires(focus, 1000s) + "/>"),
      due);
  EXPECT_THAT(focus.engine.ice_servers(),
              ElementsAre(stun_server("s.example"),
                          IceServer{Kind::turn, "t.example", 3478, "new", "newer"}));
}

TEST(IceServices, WithoutAnAnswerCredentialsLastAsLongAsTheySaidAndNoLonger) {
  Asking focus;
  focus.answer("turn", turn("t.example", expires(focus, 1000s)));
  focus.refuse("stun", "service-unavailable");
  const Step late = focus.wait(999s);
  // Each minute, once the first question after 800 s has timed out.
  EXPECT_THAT(asked_for(late, "type='turn'"),
              SizeIs(testing::AllOf(testing::Ge(2), testing::Le(4))));
  EXPECT_THAT(focus.engine.ice_servers(), ElementsAre(turn_server("t.example")));
  focus.wait(1s);
  EXPECT_THAT(focus.engine.ice_servers(), IsEmpty());
}

TEST(IceServices, AServerThatKnowsNoneOrRefusesIsAskedAgainRarely) {
  for (const char* condition : {"service-unavailable", "forbidden", "item-not-found"}) {
    Asking focus;
    const Step step = focus.refuse("stun", condition);
    EXPECT_THAT(log_of(focus.refuse("turn", condition)), IsEmpty()) << "said once";
    EXPECT_THAT(log_of(step), ElementsAre(HasSubstr(condition)));
    EXPECT_THAT(focus.engine.ice_servers(), IsEmpty());
    EXPECT_THAT(asked_for(focus.wait(59min), ""), IsEmpty()) << condition;
    EXPECT_THAT(asked_for(focus.wait(2min), ""), SizeIs(2)) << condition;
    EXPECT_THAT(asked_for(focus.up(), ""), SizeIs(2)) << "after a reconnect at once";
  }
}

TEST(IceServices, AFailureThatMayPassCostsAMinute) {
  for (const char* condition :
       {"internal-server-error", "resource-constraint", "remote-server-timeout", ""}) {
    Asking focus;
    Step step;
    if (*condition) {
      step = focus.refuse("stun", condition);
      EXPECT_THAT(log_of(focus.refuse("turn", condition)), IsEmpty()) << "said once";
    } else {
      step = focus.wait(mixer::limits::kServicesTimeout);
    }
    EXPECT_THAT(log_of(step), ElementsAre(HasSubstr(*condition ? condition : "timeout")));
    EXPECT_THAT(asked_for(focus.wait(59s), ""), IsEmpty()) << condition;
    const Step again = focus.wait(1s);
    EXPECT_THAT(asked_for(again, ""), SizeIs(2)) << condition;
    focus.answer("turn", services(turn("t.example")), again);
    EXPECT_THAT(focus.engine.ice_servers(), ElementsAre(turn_server("t.example")));
  }
}

TEST(IceServices, AResumedStreamIsNoReasonToAskAndOneThatIsDownKeepsWhatIsKnown) {
  Asking focus;
  focus.answer("stun", stun("s.example"));
  focus.answer("turn", turn("t.example", expires(focus, 1000s)));
  focus.handle(mixer::ConnectionDown{});
  EXPECT_THAT(asked_for(focus.wait(900s), ""), IsEmpty());
  EXPECT_THAT(focus.engine.ice_servers(), SizeIs(2));
  focus.wait(200s);
  EXPECT_THAT(focus.engine.ice_servers(), ElementsAre(stun_server("s.example")));
  Asking resumed;
  resumed.answer("stun", "");
  resumed.answer("turn", "");
  resumed.handle(mixer::ConnectionDown{});
  EXPECT_THAT(asked_for(resumed.up(true), ""), IsEmpty());
}

TEST(IceServices, AnAnswerFromAnybodyElseIsNone) {
  Asking focus;
  const auto asked = asked_for(focus.first, "type='turn'");
  focus.answered(asked.at(0), "result", services(turn("evil.example")), "eve@localhost/x");
  focus.answered(asked.at(0), "result", services(turn("evil.example")), "mixer.localhost");
  EXPECT_THAT(focus.engine.ice_servers(), IsEmpty());
}

// XEP-0215 §3.3
TEST(IceServices, ARestrictedServerWithoutAPasswordIsUsedOnceItsCredentialsAreKnown) {
  Asking focus;
  const Step step =
      focus.answer("turn", "<service type='turn' host='t.example' port='3479' restricted='true'/>");
  EXPECT_THAT(focus.engine.ice_servers(), IsEmpty());
  const auto asked = asked_for(step, "<credentials");
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].to.str(), kServer);
  EXPECT_THAT(asked[0].payload, HasSubstr("host='t.example' type='turn' port='3479'"));
  focus.answered(asked[0], "result",
                 "<credentials xmlns='urn:xmpp:extdisco:2'>" + turn("other.example") +
                     turn("t.example", expires(focus, 100s)) + "</credentials>");
  EXPECT_THAT(focus.engine.ice_servers(),
              ElementsAre(IceServer{Kind::turn, "t.example", 3479, "u-t.example", "p-t.example"}));

  // They are refreshed like others, and used until the new ones are there.
  const Step due = focus.wait(80s);
  const Step again = focus.answer(
      "turn", services("<service type='turn' host='t.example' port='3479' restricted='true'/>"),
      due);
  EXPECT_THAT(asked_for(again, "<credentials"), SizeIs(1));
  EXPECT_THAT(focus.engine.ice_servers(), SizeIs(1));
  focus.wait(20s);
  EXPECT_THAT(focus.engine.ice_servers(), IsEmpty());
}

TEST(IceServices, CredentialsThatAreRefusedLeaveTheOthers) {
  Asking focus;
  const Step step = focus.answer(
      "turn", turn("good.example") + "<service type='turn' host='t.example' restricted='1'/>");
  focus.answered(asked_for(step, "<credentials").at(0), "error",
                 "<error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
                 "</error>");
  EXPECT_THAT(focus.engine.ice_servers(), ElementsAre(turn_server("good.example")));
}

TEST(IceServices, CredentialsThatDidNotComeAreAskedForAgain) {
  const std::string restricted = "<service type='turn' host='t.example' restricted='1'/>";
  struct Row {
    const char* condition;  // empty: silence
    std::chrono::seconds after;
  };
  for (const auto& [condition, after] :
       {Row{"", 60s}, Row{"internal-server-error", 60s}, Row{"forbidden", 1h}}) {
    Asking focus;
    focus.answer("stun", "");
    const Step step = focus.answer("turn", restricted);
    if (*condition) {
      focus.answered(asked_for(step, "<credentials").at(0), "error",
                     std::string("<error type='wait'><") + condition +
                         " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>");
    }
    EXPECT_THAT(asked_for(focus.wait(after - 1s), ""), IsEmpty()) << condition;
    const Step again = focus.answer("turn", services(restricted), focus.wait(1s));
    const auto asked = asked_for(again, "<credentials");
    ASSERT_THAT(asked, SizeIs(1)) << condition;
    focus.answered(
        asked[0], "result",
        "<credentials xmlns='urn:xmpp:extdisco:2'>" + turn("t.example") + "</credentials>");
    EXPECT_THAT(focus.engine.ice_servers(), ElementsAre(turn_server("t.example")));
  }
}

TEST(IceServices, ThePushThatAServerIsNoMoreThereByTcpLeavesItByUdp) {
  Asking focus;
  focus.answer("turn", turn("a.example"));
  focus.push("<service type='turn' transport='tcp' host='a.example' action='delete'/>");
  EXPECT_THAT(focus.engine.ice_servers(), ElementsAre(turn_server("a.example")));
  focus.push("<service type='turn' transport='udp' host='a.example' action='delete'/>");
  EXPECT_THAT(focus.engine.ice_servers(), IsEmpty());
}

// XEP-0215 §3.2
TEST(IceServices, PushesAddModifyRemoveAndAreAnswered) {
  Asking focus;
  focus.answer("turn", turn("a.example") + turn("b.example"));
  EXPECT_TRUE(focus.push(turn("c.example", "action='add'")).acked());
  EXPECT_THAT(
      focus.engine.ice_servers(),
      ElementsAre(turn_server("a.example"), turn_server("b.example"), turn_server("c.example")));
  for (const char* gone : {"delete", "remove"}) {
    const std::string host = *gone == 'd' ? "a.example" : "b.example";
    EXPECT_TRUE(
        focus.push("<service type='turn' host='" + host + "' port='3478' action='" + gone + "'/>")
            .acked());
  }
  EXPECT_THAT(focus.engine.ice_servers(), ElementsAre(turn_server("c.example")));
  EXPECT_TRUE(focus
                  .push("<service type='turn' host='c.example' action='modify' username='n' "
                        "password='m'/>")
                  .acked());
  EXPECT_THAT(focus.engine.ice_servers(),
              ElementsAre(IceServer{Kind::turn, "c.example", 3478, "n", "m"}));
  EXPECT_TRUE(focus.push(stun("s.example") + "<service type='ftp' host='f.example'/>").acked());
  EXPECT_THAT(focus.engine.ice_servers(), SizeIs(2));
}

TEST(IceServices, PushesFromOthersAreRefusedAndChangeNothing) {
  Asking focus;
  focus.answer("turn", turn("a.example"));
  for (const char* from :
       {"eve@localhost/x", "eve@localhost", "stranger.example", "mixer.localhost", "localhost/x"}) {
    EXPECT_EQ(focus.push(turn("evil.example"), from).answer(), "service-unavailable") << from;
  }
  EXPECT_EQ(focus.push(turn("evil.example"), kServer, "room@mixer.localhost").answer(),
            "service-unavailable");
  EXPECT_THAT(focus.engine.ice_servers(), ElementsAre(turn_server("a.example")));
  Bench off;
  off.up();
  EXPECT_EQ(off.iq(kServer, kSelf, services(turn("a.example"))).answer(), "service-unavailable");
}

TEST(IceServices, TheLogNamesServersButNoSecrets) {
  Asking focus;
  std::vector<Step> steps;
  steps.push_back(
      focus.answer("turn", turn("t.example") + turn("t.example", "port='0'") + turn("no host") +
                               turn("old.example", expires(focus, -1s)) +
                               "<service type='turn' host='r.example' restricted='1'/>"));
  steps.push_back(focus.push(turn("p.example") + turn("bad host")));
  const auto asked = asked_for(steps[0], "<credentials");
  steps.push_back(focus.answered(
      asked.at(0), "result",
      "<credentials xmlns='urn:xmpp:extdisco:2'>" + turn("r.example") + "</credentials>"));
  EXPECT_THAT(log_of(steps[0]), testing::Contains(HasSubstr("turn=\"t.example:3478\"")));
  for (const auto& step : steps) {
    for (const auto& line : log_of(step)) {
      EXPECT_THAT(line, Not(HasSubstr("p-"))) << "a password";
      EXPECT_THAT(line, Not(HasSubstr("u-"))) << "a user name";
    }
  }
}

// Whatever a server says, in whatever order: each request of its is answered once (the bench sees
// to it), the engine gets a bounded list of plausible servers, time goes on.
TEST(IceServicesProperty, AnyAnswersAndPushesLeaveABoundedPlausibleList) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(seed);
  Dice dice(seed);
  Asking focus;
  std::vector<SendIq> open = asked_for(focus.first, "");
  const auto service = [&] {
    const auto lifetime = std::chrono::seconds(static_cast<int>(dice.below(400)) - 100);
    return "<service type='" + dice.one_of<std::string>({"stun", "turn", "ftp", ""}) + "' host='" +
           dice.one_of<std::string>({"a.example", "b", "::1", "c d", "", "e:f"}) + "' port='" +
           dice.one_of<std::string>({"1", "2", "0", "65536"}) + "' action='" +
           dice.one_of<std::string>({"add", "modify", "remove", "delete"}) + "' " +
           (dice.chance(0.5) ? "restricted='1' " : "") +
           (dice.chance(0.5) ? "username='u' password='p' " : "") +
           (dice.chance(0.5) ? expires(focus, lifetime) : "") + "/>";
  };
  for (int round = 0; round < 2000; ++round) {
    std::string list;
    for (auto n = dice.below(6); n > 0; --n) list += service();
    Step step;
    if (!open.empty() && dice.chance(0.5)) {
      const SendIq iq = open.front();
      open.erase(open.begin());
      const std::string name =
          iq.payload.find("<credentials") == iq.payload.npos ? "services" : "credentials";
      const bool fails = dice.chance(0.2);
      step = focus.answered(
          iq, fails ? "error" : "result",
          fails ? "" : "<" + name + " xmlns='urn:xmpp:extdisco:2'>" + list + "</" + name + ">");
    } else if (dice.chance(0.5)) {
      step = focus.push(list);
      EXPECT_TRUE(step.acked());
    } else if (dice.chance(0.1)) {
      focus.handle(mixer::ConnectionDown{});
      step = focus.up(dice.chance(0.5));
    } else {
      step = focus.wait(dice.up_to(200s));
    }
    for (const auto& iq : asked_for(step, "")) open.push_back(iq);
    const auto& servers = focus.engine.ice_servers();
    ASSERT_LE(servers.size(), 2 * mixer::limits::kMaxDiscoveredServers);
    for (const auto& server : servers) {
      EXPECT_TRUE(mixer::is_host(server.host)) << server.host;
      EXPECT_NE(server.port, 0);
    }
  }
}

}  // namespace
