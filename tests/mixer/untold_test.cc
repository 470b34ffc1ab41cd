// What is told of a piece never tells where it is: no path of this machine, and of a URL nothing
// that could be a key.
#include <gmock/gmock.h>

#include <regex>

#include "tests/support/focus_bench.h"
#include "tests/support/generators.h"
#include "tests/support/seed.h"

namespace {

using namespace test;
using testing::HasSubstr;
using testing::Not;
namespace pep = jingle::pep;

constexpr char kAnn[] = "ann@localhost/phone";  // a moderator
constexpr char kBob[] = "bob@localhost/desk";
constexpr char kCyd[] = "cyd@localhost/desk";  // a contact
constexpr char kCaps[] =
    "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:x' ver='1234'/>";
// Somebody's client that wants to know all, or the account's server.
constexpr char kClient[] =
    "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='pc'/>"
    "<identity category='pubsub' type='pep'/><feature var='urn:xmpp:coin:1'/>"
    "<feature var='http://jabber.org/protocol/pubsub#publish-options'/>"
    "<feature var='http://jabber.org/protocol/tune+notify'/>"
    "<feature var='urn:xmpp:viewing:0+notify'/></query>";

mixer::Config showing(mixer::Config config) {
  config.presence.publish = {pep::Node::tune, pep::Node::viewing, pep::Node::status};
  config.presence.viewing_local = true;
  config.room_defaults.moderators = {jid("ann@localhost")};
  config.play.media_dir = "/srv/music";
  return config;
}

class WhatIsPlayed : public testing::TestWithParam<mixer::Config::Xmpp::Mode> {
 protected:
  static bool is_bot() { return GetParam() == mixer::Config::Xmpp::Mode::client; }
  WhatIsPlayed() : bench(showing(is_bot() ? client_config() : component_config())) {
    bench.client = kClient;
    keep(bench.up(false, is_bot() ? "bot@localhost/focus" : "mixer.localhost"));
    keep(bench.presence("cyd@localhost", to, "subscribe"));
    keep(bench.presence(kCyd, to, "", kCaps));
    bench.join(kAnn, to, Offer{.sid = "A"});
    bench.join(kBob, to, Offer{.sid = "B"});
    keep(bench.wait(10s));
  }
  // All that anybody but the moderator is told.
  void keep(const Step& step) {
    for (const auto& iq : step.all<mixer::SendIq>()) told += iq.payload + '\n';
    for (const auto& presence : step.all<mixer::SendPresence>()) told += presence.payload + '\n';
    for (const auto& message : step.all<mixer::SendMessage>()) {
      if (message.to != jid(kAnn)) told += message.payload + '\n';
    }
    for (const auto& reply : step.all<mixer::Reply>()) told += reply.result.value_or("") + '\n';
  }
  void play(const std::string& source, media::PlayStarted started) {
    for (const auto& play :
         bench.message(kAnn, to, "<body>play " + jingle::escape(source) + "</body>")
             .all<mixer::Play>()) {
      started.play = play.spec.play;
      keep(bench.media(started));
    }
    ASSERT_NE(started.play, media::PlayId()) << source;
    keep(bench.message(kBob, to, "<body>playing</body>"));
    keep(bench.wait(20s));
    for (const auto& stop : bench.message(kAnn, to, "<body>stop</body>").all<mixer::StopPlay>()) {
      keep(bench.media(media::PlayEnded{stop.play, media::PlayEnd::stopped}));
    }
    keep(bench.wait(20s));
  }

  Bench bench;
  const std::string to = is_bot() ? "bot@localhost" : "room@mixer.localhost";
  std::string told;
};

TEST_P(WhatIsPlayed, IsCalledNeitherByItsPathNorByAUrlThatMayBeAKey) {
  const auto seed = test_support::test_seed();
  Dice dice(seed);
  const auto word = [&] { return "w" + std::to_string(dice.bits()); };
  for (int round = 0; round < 30; ++round) {
    SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
    told.clear();
    // Never told, and told as a place only.
    std::vector<std::string> untold, places;
    const auto never = [&] { return untold.emplace_back(word()); };
    const auto place = [&] { return places.emplace_back(word()); };
    std::string source;
    const bool local = dice.chance(0.5);
    if (local) {
      source = never() + '/' + never() + ".webm";
    } else {
      source = "https://";
      if (dice.chance(0.3)) source += never() + ':' + never() + '@';
      source += place() + ".example";
      if (dice.chance(0.8)) source += '/' + place() + ".ogg";
      if (dice.chance(0.7)) source += "?token=" + never() + "&a=" + never() + "/@://" + never();
      if (dice.chance(0.5)) source += '#' + never();
    }
    const std::string title = word(), said = word();
    const bool tagged = dice.chance(0.3), is_said = dice.chance(0.3);
    media::PlayStarted started{.play = {}, .duration = 60s, .has_video = dice.chance(0.5)};
    started.broadcast = !started.has_video && dice.chance(0.5);
    if (tagged) started.tags.title = title;
    play(source + (is_said ? " as \"" + said + '"' : ""), started);
    for (const std::string& part : untold) EXPECT_THAT(told, Not(HasSubstr(part))) << source;
    const std::string elsewhere = std::regex_replace(told, std::regex("<uri>[^<]*</uri>"), "");
    for (const std::string& part : places) EXPECT_THAT(elsewhere, Not(HasSubstr(part))) << source;
    // What there is to tell is told, to contacts and to those in the call.
    const std::string name = is_said ? said : tagged ? title : "";
    if (!name.empty()) {
      EXPECT_THAT(told, HasSubstr(started.has_video ? "<program_name>" + name : "<title>" + name));
      EXPECT_THAT(told, HasSubstr(">Playing: " + name + "<"));
      EXPECT_THAT(told, HasSubstr("<body>" + name + " (1:00).</body>"));
    } else {
      EXPECT_THAT(told, HasSubstr(">Playing<"));
      EXPECT_THAT(told, HasSubstr("<body>A piece without a title (1:00).</body>"));
    }
    if (!local) {
      EXPECT_THAT(told, HasSubstr("<uri>https://" + places[0]));
    }
  }
}

TEST_P(WhatIsPlayed, IsToldByNameToThoseWhoMayPlayIt) {
  const Step step = bench.message(kAnn, to, "<body>play private/board.wav</body>");
  bench.media(media::PlayStarted{.play = step.all<mixer::Play>().at(0).spec.play});
  const auto said = bench.message(kAnn, to, "<body>playing</body>").all<mixer::SendMessage>();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].payload, "<body>private/board.wav.</body>");
}

INSTANTIATE_TEST_SUITE_P(Modes, WhatIsPlayed,
                         testing::Values(mixer::Config::Xmpp::Mode::client,
                                         mixer::Config::Xmpp::Mode::component));

}  // namespace
