// What an account shows of itself (XEP-0163), from what happens to it to what is published.
#include <gmock/gmock.h>

#include "tests/support/focus_bench.h"
#include "tests/support/presence_schema.h"

namespace {

using namespace test;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
namespace pep = jingle::pep;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kBot[] = "bot@localhost/focus";
constexpr char kService[] =
    "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='pubsub' type='pep'/>"
    "<feature var='http://jabber.org/protocol/pubsub#publish-options'/></query>";

mixer::Config publishing(std::set<pep::Node> nodes) {
  mixer::Config config = client_config();
  config.presence.publish = std::move(nodes);
  config.room_defaults.moderators = {jid("ann@localhost")};
  return config;
}

class BotShowing : public testing::Test {
 protected:
  explicit BotShowing(mixer::Config config = publishing({pep::Node::tune, pep::Node::viewing,
                                                         pep::Node::status, pep::Node::activity}))
      : bench(std::move(config)) {
    bench.client = kService;
    keep(bench.up(false, kBot));
  }
  void keep(const Step& step) {
    for (const auto& presence : step.all<mixer::SendPresence>()) presences += presence.payload;
    for (const auto& iq : step.all<mixer::SendIq>()) {
      const auto xml = jingle::Xml::parse(iq.payload);
      if (!jingle::is(xml->root(), jingle::ns::kPubsub, "pubsub")) continue;
      EXPECT_EQ(iq.to, jid("bot@localhost"));
      const auto request = jingle::pubsub::parse(xml->root());
      if (!iq.is_set) continue;  // what stands there
      const auto& publish = std::get<jingle::pubsub::Publish>(request.value());
      EXPECT_EQ(test_support::presence_complaint(pep::node_of(publish.node).value(),
                                                 publish.item.payload.str()),
                std::nullopt);
      published.push_back(publish.item.payload.str());
    }
  }
  // Ann has that played next, and it has these tags.
  void play(const std::string& url, const media::PlayStarted& started) {
    next = started;
    say("play " + url);
    say("skip");
  }
  void say(const std::string& text) {
    const Step step = bench.message(kAnn, "bot@localhost", "<body>" + text + "</body>");
    keep(step);
    for (const auto& play : step.all<mixer::Play>()) started(play.spec.play);
    for (const auto& stop : step.all<mixer::StopPlay>()) {
      const Step ended = bench.media(media::PlayEnded{stop.play, media::PlayEnd::stopped, ""});
      keep(ended);
      for (const auto& play : ended.all<mixer::Play>()) started(play.spec.play);
    }
  }
  void started(media::PlayId play) {
    next.play = play;
    keep(bench.media(next));
  }
  std::vector<std::string> take() { return std::exchange(published, {}); }

  Bench bench;
  std::vector<std::string> published;
  std::string presences;
  media::PlayStarted next;
};

media::PlayStarted song(const std::string& title) {
  return {.play = {}, .tags = {.title = title}, .duration = 686s, .seekable = true};
}

// XEP-xxxx §2.2: "Status information MUST be communicated and transported by means of"
// XEP-xxxx §2.2: "the user's client shall send an empty <status/> element"
TEST_F(BotShowing, ACallIsShownAndItsEndIs) {
  bench.join(kAnn, kBot);
  keep(bench.wait(6s));
  EXPECT_THAT(take(), testing::UnorderedElementsAre(HasSubstr("1 on the call: bot"),
                                                    HasSubstr("<talking><on_the_phone/>")));
  keep(bench.iq(kAnn, kBot, terminate("S1")));
  EXPECT_THAT(take(), testing::UnorderedElementsAre(
                          "<status xmlns='http://jabber.org/protocol/status'/>",
                          "<activity xmlns='http://jabber.org/protocol/activity'/>"));
}

// XEP-0118 §2: "Tune information SHOULD be communicated and transported by means of the Publish-"
// XEP-0118 §2: "it SHOULD NOT be provided as an extension to presence"
// XEP-0118 §2: "the user's client SHOULD send an empty <tune/> element"
// XEP-0197 §2.2: "its client may publish that fact to a PEP node"
// XEP-0197 §2.2: "it SHOULD NOT be provided as an extension to the <presence/> stanza type"
TEST_F(BotShowing, WhatIsPlayedIsPublishedAndNotInPresence) {
  bench.join(kAnn, kBot);
  keep(bench.wait(20s));
  take();
  next = song("first");
  say("play https://radio.example/first.ogg");
  for (int i = 0; i < 5; ++i) {
    play("https://radio.example/a.ogg", song("skipped " + std::to_string(i)));
    keep(bench.wait(1s));
  }
  media::PlayStarted film = song("Sunrise");
  play("https://radio.example/b.ogg", film);
  say("status At the movies");
  keep(bench.wait(20s));
  EXPECT_THAT(take(),
              testing::UnorderedElementsAre(HasSubstr("<length>686</length><title>Sunrise</title>"),
                                            HasSubstr("<text>At the movies</text>")));
  // That nobody knows how long it is makes no broadcast of it (XEP-0197).
  film.duration.reset();
  play("https://radio.example/unsized.ogg", film);
  keep(bench.wait(20s));
  EXPECT_THAT(take(),
              ElementsAre(AllOf(HasSubstr("<title>Sunrise</title>"), Not(HasSubstr("length")))));
  film.broadcast = true;
  play("https://radio.example/live", film);
  keep(bench.wait(20s));
  EXPECT_THAT(take(),
              testing::UnorderedElementsAre(HasSubstr("<title>Sunrise</title>"),
                                            HasSubstr("<program_name>Sunrise</program_name>")));
  say("stop");
  EXPECT_THAT(take(),
              testing::UnorderedElementsAre("<tune xmlns='http://jabber.org/protocol/tune'/>",
                                            "<video xmlns='urn:xmpp:viewing:0'/>"));
  EXPECT_THAT(presences, Not(HasSubstr("Sunrise")));
}

TEST_F(BotShowing, StoppingTakesItBackBeforeTheEnd) {
  bench.join(kAnn, kBot);
  keep(bench.wait(6s));
  take();
  bench.answers = false;
  const Step step = bench.handle(mixer::ShutdownRequested{});
  keep(step);
  EXPECT_EQ(take().size(), 2u);
  EXPECT_EQ(bench.focus.farewells(), 2u);
  for (const auto& iq : step.all<mixer::SendIq>()) bench.answered(iq, "result", "");
  EXPECT_EQ(bench.focus.farewells(), 0u);
}

TEST(BotNotShowing, WhatACrashHasLeftIsTakenBackThoughNothingIsPublishedAnyMore) {
  mixer::Focus focus(client_config(), [] { return 7; }, wall_time, {},
                     {{jid("bot@localhost"), std::string(pep::id_of(pep::Node::tune)), "current"}});
  const TimePoint now{1000s};
  std::string published;
  Step step{focus.handle(mixer::ConnectionUp{{jid(kBot), false}}, now)};
  for (const auto& asked : step.all<mixer::SendIq>()) {
    if (asked.to != jid("bot@localhost") || asked.is_set) continue;
    const auto answer = stanza("<iq xmlns='jabber:client' type='result' id='" + asked.id +
                               "' from='bot@localhost'>" + kService + "</iq>");
    const Step then{focus.handle(received(*answer), now)};
    for (const auto& iq : then.all<mixer::SendIq>()) published += iq.payload;
  }
  EXPECT_THAT(published, HasSubstr("<tune xmlns='http://jabber.org/protocol/tune'/>"));
}

TEST(BotNotShowing, WithoutConfigurationNothingIsAskedOrPublished) {
  Bench bench(client_config());
  bench.client = kService;
  bench.up(false, kBot);
  bench.join(kAnn, kBot);
  for (const auto& iq : bench.wait(60s).all<mixer::SendIq>()) {
    EXPECT_THAT(iq.payload, Not(HasSubstr("pubsub")));
  }
}

}  // namespace
