#include "mixer/focus_agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pugixml.hpp>

#include "mixer/log.h"
#include "mixer/shell_limits.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_connection.h"

namespace mixer {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

media::LegSpec leg_spec(std::uint64_t leg) {
  media::LegSpec spec;
  spec.leg.value = leg;
  return spec;
}

jingle::Jid jid(std::string_view text) { return *jingle::Jid::parse(text); }

class RecordingEngine : public media::MediaEngine {
 public:
  void set_ice_servers(std::vector<media::IceServer> servers) override {
    calls.push_back("servers:" + std::to_string(servers.size()));
  }
  void open_leg(media::LegSpec spec) override { note("open", spec.leg); }
  void connect_leg(media::LegId leg, media::LegRemote) override { note("connect", leg); }
  void add_remote_candidates(media::LegId leg, std::vector<media::IceCandidate> some) override {
    note("candidates:" + std::to_string(some.size()), leg);
  }
  void restart_ice(media::LegId leg, std::optional<media::IceCredentials> remote) override {
    note(remote ? "restart:" + remote->ufrag : "restart", leg);
  }
  void close_leg(media::LegId leg) override { note("close", leg); }
  void set_mix_plan(media::RoomId room, media::MixPlan plan) override {
    calls.push_back("plan:" + std::to_string(plan.legs.size()) + " " + std::to_string(room.value));
  }
  void play(media::PlaySpec spec) override { note("play", spec.play); }
  void pause_play(media::PlayId play, bool on) override { note(on ? "pause" : "resume", play); }
  void seek_play(media::PlayId play, std::chrono::milliseconds to) override {
    note("seek:" + std::to_string(to.count()), play);
  }
  void stop_play(media::PlayId play) override { note("stop", play); }
  void prepare_record(media::RecordSpec spec) override { calls.push_back("prepare " + spec.name); }
  void record(media::RecordId) override { calls.emplace_back("record"); }
  void stop_record(media::RecordId) override { calls.emplace_back("stop recording"); }

  std::vector<std::string> calls;

 private:
  void note(const std::string& what, media::PlayId play) {
    calls.push_back(what + " " + std::to_string(play.room.value) + "/" +
                    std::to_string(play.number));
  }
  void note(const std::string& what, media::LegId leg) {
    calls.push_back(what + " " + std::to_string(leg.value));
  }
};

class RecordingStore : public StateStore {
 public:
  void save(const Subscription& row) override {
    calls.push_back("save " + row.room.str() + " " + row.contact.str());
  }
  void forget(const jingle::Jid& room, const jingle::Jid& contact) override {
    calls.push_back("forget " + room.str() + " " + contact.str());
  }
  void save(const NodeSubscription& row) override {
    calls.push_back("save " + row.room.str() + " " + row.subscriber.str() + " " +
                    std::to_string(row.nodes.size()));
  }
  void save(const Published& row) override {
    calls.push_back("save " + row.by.str() + " " + row.node + " " + row.item);
  }
  void forget(const jingle::Jid& by, const std::string& node) override {
    calls.push_back("forget " + by.str() + " " + node);
  }

  std::vector<std::string> calls;
};

// An agent whose focus does what the test says and remembers what it was told.
class FocusAgentTest : public testing::Test {
 protected:
  FocusAgentTest()
      : agent({{[this](const Event& event, TimePoint) {
                  events.push_back(event);
                  return answer ? answer(event) : Commands{};
                },
                [this] { return focus_deadline; }},
               &engine,
               &clock,
               [] { return std::uint64_t{200}; },  // the middle of the first second's jitter
               "127.0.0.1:5347"}),
        connection(&agent) {}

  template <typename T>
  int count() const {
    return static_cast<int>(std::count_if(events.begin(), events.end(), [](const Event& event) {
      return std::holds_alternative<T>(event);
    }));
  }
  void give(Commands commands) {
    answer = [commands = std::move(commands)](const Event&) { return commands; };
    agent.handle(DeadlinePassed{});
    answer = nullptr;
  }
  void start_up() {
    agent.start(&connection);
    connection.come_up("mixer.localhost");
  }

  FakeClock clock;
  RecordingEngine engine;
  std::vector<Event> events;
  std::function<Commands(const Event&)> answer;
  std::optional<TimePoint> focus_deadline;
  FocusAgent agent;
  jingle::FakeConnection connection;
};

TEST(FocusAgentXml, WritesEachKindOfStanza) {
  const auto room = jid("room@mixer.localhost");
  const auto ada = jid("ada@localhost/phone");
  EXPECT_EQ(to_xml(Reply{room, ada, "7", ""}),
            "<iq type='result' id='7' from='room@mixer.localhost' to='ada@localhost/phone'/>");
  EXPECT_EQ(to_xml(Reply{room, ada, "7", "<q/>"}),
            "<iq type='result' id='7' from='room@mixer.localhost' to='ada@localhost/phone'>"
            "<q/></iq>");
  EXPECT_THAT(to_xml(Reply{room, ada, "7", tl::unexpected(jingle::item_not_found())}),
              testing::AllOf(HasSubstr("<iq type='error' id='7'"), HasSubstr("item-not-found")));
  EXPECT_EQ(to_xml(SendIq{room, ada, "8", true, "<j/>", jingle::Priority::urgent}),
            "<iq type='set' id='8' from='room@mixer.localhost' to='ada@localhost/phone'><j/></iq>");
  EXPECT_EQ(to_xml(SendIq{room, ada, "8", false, "<j/>", jingle::Priority::urgent}),
            "<iq type='get' id='8' from='room@mixer.localhost' to='ada@localhost/phone'><j/></iq>");
  EXPECT_EQ(to_xml(SendMessage{room, ada, "chat", "", "<body>x</body>"}),
            "<message type='chat' from='room@mixer.localhost' to='ada@localhost/phone'>"
            "<body>x</body></message>");
  EXPECT_EQ(to_xml(SendPresence{room, {}, "", ""}), "<presence from='room@mixer.localhost'/>");
}

TEST(FocusAgentXml, AnIdCannotBreakOutOfItsAttribute) {
  const std::string evil = "a' from='victim@localhost\"<&>";
  const auto text = to_xml(Reply{jid("r@m.localhost"), jid("a@localhost/b"), evil, ""});
  const auto read = jingle::Xml::parse(text);
  ASSERT_TRUE(read) << text;
  EXPECT_EQ(read->root().attribute("id").value(), evil);
  EXPECT_STREQ(read->root().attribute("from").value(), "r@m.localhost");
}

TEST_F(FocusAgentTest, TellsTheFocusEachStanzaByItsKind) {
  start_up();
  EXPECT_EQ(count<ConnectionUp>(), 1);
  connection.receive("<iq xmlns='jabber:component:accept' type='set' id='1' from='a@b/c' to='m'/>");
  connection.receive("<iq xmlns='jabber:component:accept' type='get' id='2' from='a@b/c' to='m'/>");
  connection.receive(
      "<iq xmlns='jabber:component:accept' type='error' id='3' from='a@b/c' to='m'/>");
  connection.receive(
      "<iq xmlns='jabber:component:accept' type='result' id='4' from='a@b' to='m'/>");
  connection.receive("<message xmlns='jabber:component:accept' from='a@b/c' to='m'/>");
  connection.receive("<presence xmlns='jabber:component:accept' from='a@b/c' to='m'/>");
  EXPECT_EQ(count<IqReceived>(), 2);
  EXPECT_EQ(count<IqAnswered>(), 2);
  EXPECT_EQ(count<MessageReceived>(), 1);
  EXPECT_EQ(count<PresenceReceived>(), 1);
}

TEST_F(FocusAgentTest, CarriesOutCommandsInOrder) {
  start_up();
  const auto room = jid("room@mixer.localhost");
  const auto ada = jid("ada@localhost/phone");
  give({Reply{room, ada, "1", ""}, OpenLeg{leg_spec(7)}, ConnectLeg{{7}, {}},
        AddRemoteCandidates{{7}, {{}, {}}}, RestartIce{{7}, media::IceCredentials{"u", "p"}},
        SetMixPlan{{1}, {{{{7}, true, true, 1.0F}}}},
        SendIq{room, ada, "2", true, "<c/>", jingle::Priority::normal},
        SendMessage{room, ada, "chat", "3", "<m/>"}, SendPresence{room, ada, "", "<p/>"},
        PrepareRecord{{.record = {{1}, 1}, .directory = "", .name = "tea"}}, Record{{{1}, 1}},
        StopRecord{{{1}, 1}}, CloseLeg{{7}}});
  EXPECT_THAT(engine.calls,
              ElementsAre("open 7", "connect 7", "candidates:2 7", "restart:u 7", "plan:1 1",
                          "prepare tea", "record", "stop recording", "close 7"));
  ASSERT_EQ(connection.sent.size(), 4U);
  EXPECT_THAT(connection.sent[0].xml, HasSubstr("type='result'"));
  EXPECT_EQ(connection.sent[0].priority, jingle::Priority::urgent);
  EXPECT_EQ(connection.sent[1].priority, jingle::Priority::normal) << "as the focus said";
  EXPECT_EQ(connection.sent[2].priority, jingle::Priority::urgent) << "Jingle Message Initiation";
  EXPECT_EQ(connection.sent[3].priority, jingle::Priority::normal);
}

TEST_F(FocusAgentTest, SavesWhileTheServerIsAwayAndDoesWithoutAStore) {
  const Commands commands{
      SaveSubscription{{jid("r@mixer.localhost"), jid("ann@localhost")}},
      ForgetSubscription{jid("r@mixer.localhost"), jid("bob@localhost")},
      SaveNodeSubscription{
          {jid("r@mixer.localhost"), jid("ann@localhost"), {jingle::pep::Node::tune}}}};
  agent.start(&connection);
  give(commands);  // to no store
  RecordingStore store;
  FocusAgent keeping({.focus = {[&](const Event&, TimePoint) { return commands; },
                                [] { return std::optional<TimePoint>(); }},
                      .engine = &engine,
                      .clock = &clock,
                      .random = [] { return std::uint64_t{0}; },
                      .server = "",
                      .store = &store});
  keeping.start(&connection);
  keeping.handle(DeadlinePassed{});
  EXPECT_THAT(store.calls, ElementsAre("save r@mixer.localhost ann@localhost",
                                       "forget r@mixer.localhost bob@localhost",
                                       "save r@mixer.localhost ann@localhost 1"));
}

TEST_F(FocusAgentTest, AnAnswerThatIsTooLargeBecomesAnErrorAndNotSilence) {
  start_up();
  connection.max_bytes = 1000;
  give({Reply{jid("m.localhost"), jid("a@localhost/b"), "9", std::string(2000, 'x')}});
  ASSERT_EQ(connection.sent.size(), 1U);
  EXPECT_THAT(connection.sent[0].xml, HasSubstr("resource-constraint"));
  EXPECT_THAT(connection.sent[0].xml, HasSubstr("id='9'"));
}

// As who asks for a document is told that there is none.
TEST_F(FocusAgentTest, AnErrorThatIsNotUrgentReachesItsAskerThoughThereIsNoRoomForIt) {
  start_up();
  connection.full = true;
  give({Reply{jid("m.localhost"), jid("a@localhost/b"), "9",
              tl::unexpected(jingle::item_not_found()), jingle::Priority::normal}});
  ASSERT_EQ(connection.sent.size(), 1U);
  EXPECT_THAT(connection.sent[0].xml, HasSubstr("item-not-found"));
  EXPECT_THAT(connection.sent[0].xml, HasSubstr("id='9'"));
}

TEST_F(FocusAgentTest, ComesBackWithBackOffAndTellsTheFocusOnce) {
  start_up();
  EXPECT_EQ(connection.connects, 1);
  testing::internal::CaptureStderr();
  clock.advance(seconds(60));
  connection.go_down("stream closed");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("text=\"connection to the server lost, retry in 1 s\""));
  EXPECT_EQ(count<ConnectionDown>(), 1);
  EXPECT_EQ(agent.poll_fd(), -1);
  EXPECT_EQ(agent.deadline(), clock.now() + seconds(1));
  agent.on_ready(0, clock.now());
  EXPECT_EQ(connection.connects, 1) << "not before its time";

  clock.advance(seconds(1));
  agent.on_ready(0, clock.now());
  EXPECT_EQ(connection.connects, 2);
  testing::internal::CaptureStderr();
  connection.go_down("connection refused");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::AllOf(HasSubstr("text=\"server not there, retry in 2 s\""),
                             HasSubstr("reason=\"connection refused\""),
                             HasSubstr("server=127.0.0.1:5347")));
  EXPECT_EQ(count<ConnectionDown>(), 1) << "it has not been up in between";

  clock.advance(seconds(3));
  agent.on_ready(0, clock.now());
  EXPECT_EQ(connection.connects, 3);
  connection.come_up("mixer.localhost");
  EXPECT_EQ(count<ConnectionUp>(), 2);
}

TEST_F(FocusAgentTest, SaysSoWhenTheSecretIsRefusedAndWaitsLonger) {
  agent.start(&connection);
  testing::internal::CaptureStderr();
  connection.go_down("not-authorized", true);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::AllOf(HasSubstr("component secret or password refused, retry in "),
                             HasSubstr("reason=not-authorized")));
  EXPECT_GE(*agent.deadline(), clock.now() + seconds(24));
}

TEST_F(FocusAgentTest, AServerThatThrowsUsOutAtOnceIsStillFailing) {
  agent.start(&connection);
  std::vector<milliseconds> waits;
  for (int i = 0; i < 4; ++i) {
    connection.come_up("mixer.localhost");
    connection.go_down("conflict");
    const auto wait = *agent.deadline() - clock.now();
    waits.push_back(std::chrono::duration_cast<milliseconds>(wait));
    clock.advance(waits.back());
    agent.on_ready(0, clock.now());
  }
  EXPECT_GT(waits[3], seconds(6));
  connection.come_up("mixer.localhost");
  clock.advance(limits::kStableStream);
  connection.go_down("stream closed");
  EXPECT_EQ(*agent.deadline() - clock.now(), seconds(1));
}

TEST_F(FocusAgentTest, DropsWhatIsSentWhileDownAndSaysHowMuch) {
  start_up();
  connection.go_down("gone");
  const auto ada = jid("ada@localhost/phone");
  give({SendIq{ada, ada, "1", true, "<c/>", jingle::Priority::normal}, CloseLeg{{3}}});
  EXPECT_THAT(engine.calls, ElementsAre("close 3")) << "media goes on";
  EXPECT_TRUE(connection.sent.empty());
  testing::internal::CaptureStderr();
  clock.advance(seconds(2));
  agent.on_ready(0, clock.now());
  connection.come_up("mixer.localhost");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("xmpp=dropped stanzas=1"));
}

// A call that ends while the server is away would otherwise go on for ever at the peer.
TEST_F(FocusAgentTest, HoldsWhatCallsHaveToSayUntilTheServerIsBack) {
  start_up();
  connection.go_down("gone");
  const auto ada = jid("ada@localhost/phone");
  give({SendIq{ada, ada, "1", true, "<terminate/>", jingle::Priority::urgent},
        SendPresence{ada, ada, "", ""}});
  EXPECT_TRUE(connection.sent.empty());
  answer = [&](const Event&) { return Commands{SendPresence{ada, ada, "", "<after/>"}}; };
  connection.come_up("mixer.localhost");
  ASSERT_EQ(connection.sent.size(), 2u);
  EXPECT_THAT(connection.sent[0].xml, HasSubstr("<terminate/>"));
  EXPECT_THAT(connection.sent[1].xml, HasSubstr("<after/>"));
}

TEST_F(FocusAgentTest, HoldsABoundedNumber) {
  start_up();
  connection.go_down("gone");
  const auto ada = jid("ada@localhost/phone");
  Commands flood;
  for (std::size_t i = 0; i < limits::kHeldStanzas + 10; ++i) {
    flood.push_back(SendIq{ada, ada, std::to_string(i), true, "<t/>", jingle::Priority::urgent});
  }
  give(std::move(flood));
  connection.come_up("mixer.localhost");
  EXPECT_EQ(connection.sent.size(), limits::kHeldStanzas);
}

TEST_F(FocusAgentTest, PumpsWhenTheSocketSaysSoOrTheConnectionWantsIt) {
  start_up();
  connection.fd = 5;
  EXPECT_EQ(agent.poll_fd(), 5);
  agent.on_ready(1, clock.now());
  EXPECT_EQ(connection.pumps, 1);
  EXPECT_EQ(agent.deadline(), clock.now() + seconds(1));
  clock.advance(milliseconds(999));
  agent.on_ready(0, clock.now());
  EXPECT_EQ(connection.pumps, 1);
  connection.timeout = milliseconds(0);  // something was queued
  give({});
  EXPECT_EQ(agent.deadline(), clock.now());
  agent.on_ready(0, clock.now());
  EXPECT_EQ(connection.pumps, 2);
}

TEST_F(FocusAgentTest, WakesTheFocusAtItsDeadline) {
  start_up();
  agent.on_ready(1, clock.now());
  focus_deadline = clock.now() + milliseconds(500);
  EXPECT_EQ(agent.deadline(), focus_deadline);
  agent.on_ready(0, clock.now());
  EXPECT_EQ(count<DeadlinePassed>(), 0);
  clock.advance(milliseconds(500));
  agent.on_ready(0, clock.now());
  EXPECT_EQ(count<DeadlinePassed>(), 1);
}

TEST_F(FocusAgentTest, AfterShutDownDoesNotComeBack) {
  start_up();
  agent.shut_down();
  EXPECT_EQ(count<ShutdownRequested>(), 1);
  agent.disconnect();
  EXPECT_EQ(connection.disconnects, 1);
  EXPECT_FALSE(agent.closed());
  connection.go_down("closed");
  EXPECT_TRUE(agent.closed());
  EXPECT_EQ(agent.deadline(), std::nullopt);
}

TEST_F(FocusAgentTest, ShutDownWhileWaitingForTheServerEndsTheWait) {
  agent.start(&connection);
  connection.go_down("connection refused");
  agent.shut_down();
  EXPECT_EQ(agent.deadline(), std::nullopt);
  agent.disconnect();
  EXPECT_EQ(connection.disconnects, 0);
  EXPECT_TRUE(agent.closed());
}

TEST_F(FocusAgentTest, AnEngineThatIsGoneIsNotCalled) {
  start_up();
  agent.forget_engine();
  give({OpenLeg{leg_spec(7)}, CloseLeg{{7}}});
  EXPECT_TRUE(engine.calls.empty());
}

TEST_F(FocusAgentTest, PeersCannotForgeLogLines) {
  start_up();
  testing::internal::CaptureStderr();
  give({Log{Log::Level::warning, "call=refused from=x\nlevel=info all=well"}});
  EXPECT_THAT(testing::internal::GetCapturedStderr(), Not(HasSubstr("\nlevel=info")));
}

}  // namespace
}  // namespace mixer
