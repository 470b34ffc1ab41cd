// Whatever a participant may share stands in the documents in the one place that the schema has for
// it, and in nobody's whose client would die of it; and a flood of it harms nobody.
#include <gmock/gmock.h>

#include <pugixml.hpp>
#include <regex>

#include "tests/mixer/sharing_room.h"
#include "tests/support/data.h"
#include "tests/support/xsd_validator.h"

namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
namespace pep = jingle::pep;

std::set<pep::Node> all() {
  std::set<pep::Node> nodes;
  for (std::size_t i = 0; i < pep::kNodes; ++i) {
    const auto node = static_cast<pep::Node>(i);
    if (!pep::name_of(node).empty()) nodes.insert(node);
  }
  return nodes;
}
std::string published(const pep::Payload& payload) {
  return event("<item id='x'>" + pep::write(payload) + "</item>",
               std::string(pep::id_of(node_of(payload))));
}

struct Shared {
  pep::Payload payload;
  const char* schema;
  std::optional<pep::Payload> seen_as = {};  // by the others; nullopt: as it is
};
// The name of a test.
void PrintTo(const Shared& shared, std::ostream* out) { *out << name_of(node_of(shared.payload)); }

std::vector<Shared> each() {
  pep::Tune tune;
  tune.artist = "Yes", tune.title = "<Heart> of the Sunrise", tune.length_s = 686, tune.rating = 8;
  tune.source = "Yessongs", tune.track = "3", tune.uri = "http://www.yesworld.com/?a=b&c";
  pep::Viewing viewing;
  viewing.author = "Ann", viewing.episode = "807", viewing.program_name = "The talk & more";
  viewing.start_time = "2006-08-29T03:30:00Z", viewing.user_rating = 10;
  pep::Geoloc geoloc;
  geoloc.accuracy_m = 20, geoloc.country = "Italy", geoloc.lat_deg = 45.44, geoloc.lon_deg = 12.33;
  pep::PhysicalLocation location;
  location.country = "Denmark", location.street = "Strøget", location.postalcode = "1050";
  pep::Geoloc place;
  place.country = "Denmark", place.street = "Strøget", place.postalcode = "1050";
  pep::AvatarInfo info;
  info.id = pep::avatar_id("image"), info.type = "image/png", info.bytes = 5;
  info.width = info.height = 64;
  return {{tune, "xep-0118-tune"},
          {viewing, "xep-0197-viewing-0"},
          {pep::Status{"Back at \"noon\""}, "protoxep-user-status"},
          {pep::Activity{"relaxing", "reading", "a book"}, "xep-0108-activity"},
          {pep::Mood{"happy", "tea!"}, "xep-0107-mood"},
          {geoloc, "xep-0080-geoloc"},
          {location, "xep-0080-geoloc", place},
          {pep::AvatarMetadata{{info}}, "xep-0084-avatar-metadata"}};
}

class SharingEverything : public SharingInARoom {
 protected:
  SharingEverything() : SharingInARoom(relaying(all())) {}
};

class SharedNode : public SharingEverything, public testing::WithParamInterface<Shared> {};

TEST_P(SharedNode, StandsAtTheEndOfItsUserAndIsValid) {
  const auto& [payload, schema, seen_as] = GetParam();
  const pep::Payload expected = seen_as.value_or(payload);
  const std::string name(name_of(node_of(payload))), ns(id_of(node_of(expected)));
  bench.client = disco("Jitsi", "urn:xmpp:coin");
  bench.join("cyd@localhost/j", kRoom, Offer{.sid = "J"});
  EXPECT_THAT(says("share " + name), HasSubstr("The call sees of you: " + name + "."));
  bench.wait(3s);

  std::string element, to_cyd;
  for (auto& [iq, info] : documents_after(published(payload), 3s)) {
    if (iq.to == jid("cyd@localhost/j")) to_cyd += iq.payload;
    if (iq.to != jid(kBob)) continue;
    // RFC 4575 §5.6: after the endpoints. libxml2 takes it before them, too.
    std::smatch user;
    ASSERT_TRUE(std::regex_search(
        iq.payload, user,
        std::regex("<user entity=\"xmpp:ann@localhost\".*?</endpoint>(<((?!endpoint).)*)</user>")))
        << iq.payload;
    element = user.str(1);
    EXPECT_THAT(user.prefix().str() + user.suffix().str(), Not(HasSubstr(ns)));
    const test_support::XsdValidator document(test_support::data("schemas/conference-info.xsd"));
    info.sid.reset();
    EXPECT_EQ(document.complaint(coin::write(info)), std::nullopt);
  }
  EXPECT_THAT(to_cyd, Not(HasSubstr(ns)));
  EXPECT_EQ(seen(), std::vector<std::string>{element});
  const auto xml = jingle::Xml::parse(element);
  ASSERT_TRUE(xml) << element;
  EXPECT_EQ(pep::parse(node_of(expected), xml->root(), "x"), expected) << element;
  // XEP-0197's schema calls its root `room`.
  const std::string valid = std::regex_replace(element, std::regex("(</?)video"), "$1room");
  EXPECT_EQ(
      test_support::XsdValidator(test_support::data("schemas/") + schema + ".xsd").complaint(valid),
      std::nullopt)
      << element;

  publishes(published(pep::stop_of(node_of(payload))));
  EXPECT_THAT(seen(), IsEmpty());
  publishes(published(payload));
  EXPECT_THAT(seen(), SizeIs(1));
  says("unshare " + name);
  EXPECT_THAT(seen(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Each, SharedNode, testing::ValuesIn(each()), [](const auto& info) {
  return std::string(name_of(node_of(info.param.payload)));
});

// But for a nick, which is a name, all that can be listed is tried.
TEST(SharedNodes, AreAllTried) { EXPECT_EQ(each().size() + 1, all().size()); }

// XEP-0112 has become XEP-0080.
TEST_F(SharingEverything, APlaceStandsThereOnce) {
  pep::PhysicalLocation location;
  location.country = "Denmark";
  pep::Geoloc geoloc;
  geoloc.lat_deg = 45.44;
  says("share geoloc location");
  publishes(published(location));
  EXPECT_THAT(seen(), ElementsAre(HasSubstr("<country>Denmark")));
  publishes(published(geoloc));
  EXPECT_THAT(seen(), ElementsAre(HasSubstr("<lat>45.44")));
  publishes(published(pep::Geoloc()));
  EXPECT_THAT(seen(), ElementsAre(HasSubstr("<country>Denmark")));
}

struct Flood {
  const char *name, *node, *payload;
  std::size_t lines = 1;  // of the log
  const char* from = "ann@localhost";
};
void PrintTo(const Flood& flood, std::ostream* out) { *out << flood.name; }

constexpr char kTune[] = "http://jabber.org/protocol/tune";
std::vector<Flood> floods() {
  static const std::string long_title =
      std::string("<tune xmlns='http://jabber.org/protocol/tune'><title>") +
      std::string(8192, 'x') + "</title></tune>";
  return {
      {"valid", kTune, "<tune xmlns='http://jabber.org/protocol/tune'><title>A</title></tune>", 0},
      {"wrong_root", kTune, "<mood xmlns='http://jabber.org/protocol/mood'><happy/></mood>"},
      {"too_long", kTune, long_title.c_str()},
      {"length_70000", kTune,
       "<tune xmlns='http://jabber.org/protocol/tune'><length>70000</length></tune>"},
      {"length_negative", kTune,
       "<tune xmlns='http://jabber.org/protocol/tune'><length>-1</length></tune>"},
      {"rating_11", kTune,
       "<tune xmlns='http://jabber.org/protocol/tune'><rating>11</rating></tune>"},
      {"three_activities", "http://jabber.org/protocol/activity",
       "<activity xmlns='http://jabber.org/protocol/activity'><eating/><talking/><working/>"
       "</activity>"},
      {"avatar_of_another_id", "urn:xmpp:avatar:data",
       "<data xmlns='urn:xmpp:avatar:data'>eA==</data>"},
      {"a_strangers", kTune,
       "<tune xmlns='http://jabber.org/protocol/tune'><title>A</title></tune>", 1,
       "eve@stranger.example"},
  };
}

class FloodOfEvents : public SharingEverything, public testing::WithParamInterface<Flood> {};

TEST_P(FloodOfEvents, IsBoundedLoggedOnceAndHarmsNobody) {
  const Flood& flood = GetParam();
  says("share tune activity avatar");
  says("share mood", kBob);
  bench.wait(60s);
  std::size_t documents = 0;
  std::string log;
  const auto keep = [&](const Step& step) {
    for (const auto& [iq, info] : step.documents()) documents += iq.to == jid(kBob);
    for (const auto& line : step.all<mixer::Log>()) log += line.text + '\n';
  };
  const auto flow = [&] {
    for (int i = 0; i < 500; ++i) {  // 100 a second
      keep(publishes(
          event("<item id='" + std::to_string(i) + "'>" + flood.payload + "</item>", flood.node),
          flood.from));
      keep(bench.wait(10ms));
    }
  };
  flow();
  keep(publishes(event("<item>" + mood("happy") + "</item>"), "bob@localhost"));
  keep(bench.media(bench.engine.connected(bench.call("cyd@localhost/x", kRoom, {.sid = "C"}))));
  flow();
  EXPECT_LE(documents, 22u) << "two a second";
  EXPECT_EQ(std::ranges::count(log, '\n'), static_cast<std::ptrdiff_t>(flood.lines)) << log;
  EXPECT_EQ(seen().size(), flood.lines == 0 ? 1u : 0u);
  const auto* bob = bench.listed("A", "xmpp:bob@localhost");
  ASSERT_NE(bob, nullptr);
  EXPECT_EQ(bob->foreign.elements, std::vector<std::string>{shown("happy")});
  EXPECT_NE(bench.listed("B", "xmpp:cyd@localhost"), nullptr);
  EXPECT_NE(bench.listed("C", "xmpp:ann@localhost"), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Each, FloodOfEvents, testing::ValuesIn(floods()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
