// Other foci in a room (RFC 4575 §5.6.5, XEP-0298 §5 and §6).
#include "tests/support/focus_bench.h"

namespace {

using namespace test;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kFocus[] = "party@other.localhost/focus";
constexpr char kRoom[] = "room@mixer.localhost";

std::string isfocus(bool is) {
  return std::string("<conference-info xmlns='urn:xmpp:coin:1' isfocus='") +
         (is ? "true" : "false") + "'/>";
}
std::string document(int version, const std::string& users, int count) {
  return "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' "
         "entity='xmpp:party@other.localhost' state='full' version='" +
         std::to_string(version) + "'><conference-description/><conference-state><user-count>" +
         std::to_string(count) + "</user-count></conference-state><users state='full'>" + users +
         "</users></conference-info>";
}
std::string user(const std::string& name) {
  return "<user entity='xmpp:" + name + "@other.localhost' state='full'><display-text>" + name +
         "</display-text><endpoint entity='xmpp:" + name +
         "@other.localhost/x' state='full'><status>connected</status></endpoint></user>";
}

// Ann, who reads documents, and another focus that dialled in.
struct Cascaded : Bench {
  media::LegId link;
  Cascaded() : Bench(config()) {
    client = disco("x", "urn:xmpp:coin:1");
    join(kAnn, kRoom, Offer{.sid = "A"});
    link = join(kFocus, kRoom, Offer{.sid = "F", .more_jingle = isfocus(true)});
  }
  static mixer::Config config() {
    mixer::Config config = component_config();
    config.access.anyone = true;
    return config;
  }
  media::LegPlan plan(media::LegId leg) const {
    for (const auto& planned : engine.plans().at(engine.legs().at(leg).spec.room).legs) {
      if (planned.leg == leg) return planned;
    }
    return {};
  }
};

int warnings(const Step& step) {
  const auto logs = step.all<mixer::Log>();
  return static_cast<int>(std::ranges::count(logs, mixer::Log::Level::warning, &mixer::Log::level));
}

TEST(Links, UsersBehindAnotherFocusAreListedWithIt) {
  Cascaded bench;
  EXPECT_TRUE(bench.iq(kFocus, kRoom, document(1, user("dee") + user("eve"), 2)).acked());
  bench.wait(2s);
  const coin::User* dee = bench.listed("A", "xmpp:dee@other.localhost");
  ASSERT_NE(dee, nullptr);
  EXPECT_EQ(dee->cascaded_focus, "xmpp:party@other.localhost");
  const coin::User* focus = bench.listed("A", "xmpp:party@other.localhost");
  ASSERT_NE(focus, nullptr);
  EXPECT_EQ(focus->cascaded_focus, "xmpp:party@other.localhost");
  EXPECT_EQ(bench.views.at("A").info()->conference_state->user_count, 4u);

  bench.iq(kFocus, kRoom, document(2, user("eve"), 1));
  bench.wait(2s);
  EXPECT_EQ(bench.listed("A", "xmpp:dee@other.localhost"), nullptr);
  EXPECT_NE(bench.listed("A", "xmpp:eve@other.localhost"), nullptr);
}

TEST(Links, AFocusIsNotToldOfItsOwnUsers) {
  Cascaded bench;
  bench.iq(kFocus, kRoom, document(1, user("dee"), 1));
  bench.wait(2s);
  EXPECT_NE(bench.listed("F", "xmpp:ann@localhost"), nullptr);
  EXPECT_EQ(bench.listed("F", "xmpp:dee@other.localhost"), nullptr);
}

TEST(Links, AMixerIsMixedWhenItIsClearThatItClosesNoCircle) {
  Cascaded bench;
  EXPECT_TRUE(bench.plan(bench.link).is_mixer);
  EXPECT_FALSE(bench.plan(bench.link).in_mix);
  EXPECT_FALSE(bench.plan(bench.link).receives);
  bench.iq(kFocus, kRoom, document(1, user("dee"), 1));
  bench.wait(10s);
  EXPECT_TRUE(bench.plan(bench.link).is_mixer);
  EXPECT_TRUE(bench.plan(bench.link).in_mix);
  EXPECT_TRUE(bench.plan(bench.link).receives);
}

TEST(Links, AFocusThatIsOneNoMoreIsAParticipant) {
  Cascaded bench;
  bench.iq(kFocus, kRoom, document(1, user("dee"), 1));
  bench.wait(1s);
  ASSERT_NE(bench.listed("A", "xmpp:dee@other.localhost"), nullptr);
  EXPECT_TRUE(bench.iq(kFocus, kRoom, in_session("F", "session-info", isfocus(false))).acked());
  bench.wait(1s);
  EXPECT_EQ(bench.listed("A", "xmpp:dee@other.localhost"), nullptr);
  EXPECT_FALSE(bench.listed("A", "xmpp:party@other.localhost")->cascaded_focus);
  EXPECT_FALSE(bench.plan(bench.link).is_mixer);
  EXPECT_TRUE(bench.plan(bench.link).in_mix) << "at once: it closes no circle";
  EXPECT_EQ(bench.iq(kFocus, kRoom, document(2, "", 0)).answer(), "not-allowed");
}

TEST(Links, UsersBehindAFocusGoWithIt) {
  Cascaded bench;
  bench.iq(kFocus, kRoom, document(1, user("dee"), 1));
  bench.wait(1s);
  bench.iq(kFocus, kRoom, terminate("F"));
  bench.wait(1s);
  EXPECT_EQ(bench.listed("A", "xmpp:dee@other.localhost"), nullptr);
  EXPECT_EQ(bench.views.at("A").info()->conference_state->user_count, 1u);
}

// It saw the leg connected before we did.
TEST(Links, ADocumentThatOvertakesItsLegIsKept) {
  Bench bench(Cascaded::config());
  bench.client = disco("x", "urn:xmpp:coin:1");
  bench.join(kAnn, kRoom, Offer{.sid = "A"});
  const auto link = bench.call(kFocus, kRoom, Offer{.sid = "F", .more_jingle = isfocus(true)});
  for (int version = 1; version < 100; ++version) {
    const Step step = bench.iq(kFocus, kRoom, document(version, user("dee"), 7));
    EXPECT_EQ(step.answer(), version <= 4 ? "result" : "resource-constraint");
    EXPECT_EQ(warnings(step), 0);
  }
  bench.wait(1s);
  EXPECT_EQ(bench.listed("A", "xmpp:dee@other.localhost"), nullptr);
  EXPECT_EQ(warnings(bench.media(bench.engine.connected(link))), 1) << "of an odd user-count";
  bench.wait(1s);
  EXPECT_NE(bench.listed("A", "xmpp:dee@other.localhost"), nullptr);
}

TEST(Links, AnOddDocumentIsLoggedOnce) {
  Cascaded bench;
  int logged = 0;
  for (int version = 1; version <= 5; ++version) {
    const Step step = bench.iq(kFocus, kRoom, document(version, user("dee"), 7));
    EXPECT_TRUE(step.acked());
    logged += warnings(step) + warnings(bench.wait(600ms));
  }
  EXPECT_EQ(logged, 1);
}

TEST(Links, PeopleBehindAFocusTakeNoPlaceInTheRoom) {
  mixer::Config config = Cascaded::config();
  config.limits.participants_per_room = 3;
  Bench bench(config);
  bench.join(kFocus, kRoom, Offer{.sid = "F", .more_jingle = isfocus(true)});
  bench.iq(kFocus, kRoom, document(1, user("dee") + user("eve") + user("fay"), 3));
  EXPECT_NE(bench.join(kAnn, kRoom, Offer{.sid = "A"}), media::LegId{});
}

// A focus that does not stop talking: what it says is answered, read now and then, and refused in
// the end; afterwards its next full document is as good as any.
TEST(Links, AFloodOfDocumentsIsReadNowAndThenAndRefusedInTheEnd) {
  Cascaded bench;
  bench.wait(20s);
  const TimePoint start = bench.now;
  int version = 0, taken = 0, refused = 0;
  std::size_t told = 0;
  while (bench.now < start + 60s) {
    const std::string name = "u" + std::to_string(++version);
    const Step step = bench.iq(kFocus, kRoom, document(version, user(name), 1));
    ++(step.acked() ? taken : refused);
    if (!step.acked()) {
      EXPECT_EQ(step.answer(), "resource-constraint");
    }
    told += step.documents().size() + bench.wait(10ms).documents().size();
  }
  EXPECT_LE(taken, 5 * (60 + 8) + 1);
  EXPECT_GE(taken, 5 * 60);
  EXPECT_GT(refused, 5000);
  EXPECT_LE(told, 2u * 60 + 2) << "of Ann alone, for it knows its own";
  bench.wait(5s);
  EXPECT_TRUE(bench.iq(kFocus, kRoom, document(++version, user("dee"), 1)).acked());
  bench.wait(2s);
  EXPECT_NE(bench.listed("A", "xmpp:dee@other.localhost"), nullptr);
}

// As a circle shows, which is cut when it is read of.
TEST(Links, WhatAFocusSaysIsReadOnceInHalfASecond) {
  constexpr char kThird[] = "third@third.localhost/focus";
  Cascaded bench;
  bench.join(kThird, kRoom, Offer{.sid = "T", .more_jingle = isfocus(true)});
  bench.iq(kFocus, kRoom, document(1, user("dee"), 1));
  bench.wait(20s);
  const auto focus = [](const std::string& uri) {
    return "<user entity='" + uri + "' state='full'><cascaded-focus>" + uri +
           "</cascaded-focus></user>";
  };
  const std::string us = focus("xmpp:room@mixer.localhost");
  bench.iq(kThird, kRoom, document(1, us, 0));
  const std::string closed = us + focus("xmpp:party@other.localhost");
  EXPECT_EQ(bench.iq(kThird, kRoom, document(2, closed, 0)).sent<jingle::SessionTerminate>().size(),
            0u);
  EXPECT_EQ(bench.wait(499ms).sent<jingle::SessionTerminate>().size(), 0u);
  EXPECT_EQ(bench.wait(1ms).sent<jingle::SessionTerminate>().size(), 1u);
}

// Of the conferences on a user's way to us foci are told, and nobody else.
TEST(Links, TheWayOfAUserIsToldToFociOnly) {
  Cascaded bench;
  bench.join("third@third.localhost/focus", kRoom, Offer{.sid = "T", .more_jingle = isfocus(true)});
  bench.iq(kFocus, kRoom,
           document(1,
                    "<user entity='xmpp:dee@far.localhost' state='full'><cascaded-focus>"
                    "xmpp:far@far.localhost</cascaded-focus></user>",
                    0));
  bench.wait(2s);
  const coin::User* to_ann = bench.listed("A", "xmpp:dee@far.localhost");
  ASSERT_NE(to_ann, nullptr);
  EXPECT_TRUE(to_ann->foreign.attributes.empty());
  const coin::User* to_focus = bench.listed("T", "xmpp:dee@far.localhost");
  ASSERT_NE(to_focus, nullptr);
  ASSERT_EQ(to_focus->foreign.attributes.size(), 1u);
  EXPECT_EQ(to_focus->foreign.attributes[0].value, "xmpp:party@other.localhost");
}

}  // namespace
