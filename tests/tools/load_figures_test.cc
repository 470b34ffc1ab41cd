#include "tools/load/figures.h"

#include <gtest/gtest.h>

#include <pugixml.hpp>

#include "signaling/stanza.h"
#include "tools/load/coin_meter.h"

namespace load {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart = TimePoint() + 1h;

// Two talkers and a listener in one room, a listener in another; 10 s.
struct Scene {
  std::vector<Role> roles{{.room = 0, .talker = true, .marker = 0, .sampled = true},
                          {.room = 0, .talker = true, .marker = 1},
                          {.room = 0, .sampled = true, .afflicted = true},
                          {.room = 1, .sampled = true}};
  Measured measured;

  Scene() {
    measured.from = kStart;
    measured.to = kStart + 10s;
    measured.traffic.resize(roles.size());
    measured.said = {{kStart + 1s, 0, 0}, {kStart + 2s, 0, 1}, {kStart + 9500ms, 0, 0}};
    measured.ears = {{0, {{1, kStart + 2040ms}}, {-20, -70, -30}},
                     {2, {{0, kStart + 1060ms}, {1, kStart + 3100ms}}, {}},
                     {3, {{0, kStart + 1010ms}}, {}}};
  }
};

TEST(LoadFigures, AMarkerIsExpectedOfAllInItsRoomButWhoSaidIt) {
  Scene scene;
  const auto all = listened(scene.measured, scene.roles);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].expected, 1u) << "the other talker's";
  EXPECT_EQ(all[0].heard, 1u);
  EXPECT_NEAR(all[0].delays.at(0).ms, 40, 1e-6);
  EXPECT_EQ(all[1].expected, 2u) << "not the one that may still be on its way";
  EXPECT_EQ(all[1].heard, 1u) << "over a second later it is none of these";
  EXPECT_NEAR(all[1].delays.at(0).ms, 60, 1e-6);
  EXPECT_EQ(all[2].expected, 0u) << "another room";
}

TEST(LoadFigures, AnEchoIsWhatComesBackEachTime) {
  Scene scene;
  const auto all = listened(scene.measured, scene.roles);
  EXPECT_EQ(all[0].own_db, -70);
  EXPECT_FALSE(all[1].own_db);
}

TEST(LoadFigures, RatesAreOfListenersAndOfTheMeasuredTime) {
  Scene scene;
  scene.measured.traffic[0] = {.received = 1, .delayed = 3, .overtaken = 2, .lost = 1};
  scene.measured.traffic[2] = {.sent = 25,
                               .received = 500,
                               .dropped = 5,
                               .delayed = 4,
                               .overtaken = 1,
                               .lost = 2,
                               .reported_loss = 0.25};
  scene.measured.traffic[3].received = 480;
  const call::Json json = to_json(scene.measured, scene.roles);
  EXPECT_EQ(json["received_per_s"]["count"].number(), 2);
  EXPECT_NEAR(json["received_per_s"]["min"].number(), 48, 1e-6);
  EXPECT_NEAR(json["received_per_s"]["max"].number(), 50, 1e-6);
  EXPECT_EQ(json["listeners_below_49_per_s"].number(), 1);
  EXPECT_NEAR(json["listeners_sent_per_s"]["max"].number(), 2.5, 1e-6);
  EXPECT_EQ(json["bad_lines"].number(), 1);
  EXPECT_EQ(json["packets"]["dropped_by_bad_lines"].number(), 5);
  EXPECT_EQ(json["packets"]["delayed_by_bad_lines"].number(), 7);
  EXPECT_EQ(json["packets"]["overtaken"].number(), 3);
  EXPECT_EQ(json["packets"]["lost"].number(), 3);
  EXPECT_EQ(json["listeners_with_loss"].number(), 1) << "the talker is none";
  EXPECT_NEAR(json["loss_reported_by_mixer_percent"]["max"].number(), 25, 1e-6);
  EXPECT_EQ(json["markers"]["expected"].number(), 3);
  EXPECT_EQ(json["markers"]["heard"].number(), 2);
}

// The 60 ms of who is on a bad line may be those of the packets that it lost.
TEST(LoadFigures, DelaysAreOfThoseOnGoodLinesIfThereAreAny) {
  Scene scene;
  const auto delays = [&scene] {
    return call::Json(to_json(scene.measured, scene.roles))["delay_ms"];
  };
  EXPECT_EQ(delays()["count"].number(), 1);
  EXPECT_NEAR(delays()["max"].number(), 40, 1e-6);
  for (Role& role : scene.roles) role.afflicted = true;
  EXPECT_EQ(delays()["count"].number(), 2);
  EXPECT_NEAR(delays()["max"].number(), 60, 1e-6);
}

TEST(LoadFigures, OfLongerPacketsFewerAreEnough) {
  Scene scene;
  scene.roles[3].packet = 60ms;
  scene.measured.traffic[2].received = 500;
  scene.measured.traffic[3].received = 167;
  const auto too_few = [&scene] {
    return call::Json(to_json(scene.measured, scene.roles))["listeners_below_49_per_s"].number();
  };
  EXPECT_EQ(too_few(), 0);
  scene.measured.traffic[3].received = 160;
  EXPECT_EQ(too_few(), 1);
}

TEST(LoadFigures, NothingIsNotMeasured) {
  EXPECT_TRUE(spread({}).is_null());
  EXPECT_TRUE(to_json(Scene().measured, Scene().roles).size() > 0);
  const auto one = spread({3, 1, 2});
  EXPECT_EQ(one["min"].number(), 1);
  EXPECT_EQ(one["median"].number(), 2);
  EXPECT_EQ(one["max"].number(), 3);
}

class CoinMeterTest : public testing::Test {
 protected:
  CoinMeterTest() {
    meter_.set_entity(0, "xmpp:ann@load");
    meter_.set_entity(1, "xmpp:bob@load");
  }
  void told(std::size_t receiver, int version, const std::string& who, TimePoint at,
            const std::string& status = "connected", const std::string& state = "partial") {
    const auto xml = jingle::Xml::parse(
        "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' state='" + state +
        "' version='" + std::to_string(version) + "'><users><user entity='xmpp:" + who +
        "@load'><endpoint><status>" + status +
        "</status></endpoint></user></users>"
        "</conference-info>");
    meter_.document(receiver, xml->root(), at);
  }
  CoinMeter meter_{2, {0}};
};

TEST_F(CoinMeterTest, LagIsFromBeingConnectedToTheFirstDocumentThatSaysSo) {
  meter_.connected(0, kStart);
  meter_.connected(1, kStart + 1s);
  told(0, 1, "bob", kStart + 1100ms, "pending");
  told(0, 2, "bob", kStart + 1500ms);
  told(0, 3, "bob", kStart + 1900ms);
  told(1, 1, "ann", kStart + 1600ms);
  const auto lag = meter_.to_json()["lag_ms"];
  EXPECT_EQ(lag["count"].number(), 1) << "bob is not watched";
  EXPECT_NEAR(lag["max"].number(), 500, 1e-6);
}

TEST_F(CoinMeterTest, WhoWasThereBeforeIsNoNewcomer) {
  meter_.connected(1, kStart);
  meter_.connected(0, kStart + 1s);
  told(0, 1, "bob", kStart + 2s);
  EXPECT_TRUE(meter_.to_json()["lag_ms"].is_null());
}

TEST_F(CoinMeterTest, VersionsLeftOutAreCounted) {
  meter_.connected(0, kStart);
  told(0, 5, "bob", kStart);
  told(0, 6, "bob", kStart);
  told(0, 8, "bob", kStart);
  EXPECT_EQ(meter_.to_json()["left_out"].number(), 1);
  EXPECT_EQ(meter_.documents(), 3u);
  EXPECT_GT(meter_.bytes(), 300u);
  meter_.left(0);
  told(0, 1, "bob", kStart);
  EXPECT_EQ(meter_.to_json()["left_out"].number(), 1) << "a new call counts anew";
}

// It was counted against the next call, whose versions begin anew.
TEST_F(CoinMeterTest, ADocumentThatComesAfterItsCallLeavesNoVersionOut) {
  meter_.connected(0, kStart);
  told(0, 7, "bob", kStart);
  meter_.left(0);
  told(0, 8, "bob", kStart);
  meter_.connected(0, kStart);
  told(0, 1, "bob", kStart, "connected", "full");
  told(0, 2, "bob", kStart);
  EXPECT_EQ(meter_.to_json()["left_out"].number(), 0);
}

}  // namespace
}  // namespace load
