// What other foci's documents become: ours, fit for our participants.
#include "mixer/cascade.h"

#include <gtest/gtest.h>

#include "coin/xml.h"
#include "mixer/limits.h"
#include "tests/support/data.h"
#include "tests/support/golden.h"

namespace {

using namespace std::chrono_literals;
using media::LegId;
using mixer::Cascade;
using mixer::TimePoint;

constexpr TimePoint kNow{1000s};
constexpr LegId kLink{7};

jingle::Jid jid(const std::string& text) { return jingle::Jid::parse(text).value(); }

coin::ConferenceInfo document(const std::string& users, const std::string& version = "1",
                              const std::string& state = "full", const std::string& more = "") {
  const auto info = coin::parse(
      "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' "
      "entity='xmpp:r@other.example' state='" +
      state + "' version='" + version + "'><conference-description/>" + more + "<users state='" +
      state + "'>" + users + "</users></conference-info>");
  EXPECT_TRUE(info) << info.error().where << ": " << info.error().what;
  return info.value_or(coin::ConferenceInfo{});
}
std::string user(const std::string& entity, const std::string& children = "") {
  return "<user entity='" + entity + "'>" + children + "</user>";
}
std::string endpoint(const std::string& entity, const std::string& status) {
  return "<endpoint entity='" + entity + "'><status>" + status + "</status></endpoint>";
}

class CascadeDocuments : public testing::Test {
 protected:
  CascadeDocuments() { cascade.add(kLink, jid("r@other.example/focus"), kNow); }
  std::string defect(const coin::ConferenceInfo& info) {
    return cascade.receive(kLink, info, kNow).defect.value_or("");
  }
  std::vector<coin::User> behind(const std::string& users) {
    EXPECT_EQ(defect(document(users, std::to_string(++version))), "");
    return cascade.behind(kLink);
  }
  std::vector<std::string> entities() const {
    std::vector<std::string> out;
    for (const coin::User& user : cascade.behind(kLink)) out.push_back(user.entity);
    return out;
  }

  Cascade cascade{"xmpp:room@mixer.example"};
  int version = 0;
};

using Names = std::vector<std::string>;

TEST_F(CascadeDocuments, AFocusThatToldNothingCountsForOne) {
  EXPECT_EQ(cascade.conference(kLink), "xmpp:r@other.example");
  EXPECT_EQ(cascade.people_behind(kLink), 1u);
  behind("");
  EXPECT_EQ(cascade.people_behind(kLink), 0u);
}

// RFC 4575 §5.6.5.
TEST_F(CascadeDocuments, ItsUsersAreOursWithCascadedFocus) {
  const auto users = behind(user("xmpp:ann@x.example",
                                 "<display-text>Ann</display-text>"
                                 "<endpoint entity='xmpp:ann@x.example/t'>"
                                 "<status>connected</status><joining-method>dialed-in"
                                 "</joining-method><media id='audio'><type>audio</type>"
                                 "<src-id>2124</src-id><status>sendrecv</status></media>"
                                 "</endpoint>"));
  ASSERT_EQ(users.size(), 1u);
  EXPECT_EQ(users[0].entity, "xmpp:ann@x.example");
  EXPECT_EQ(users[0].display_text, "Ann");
  EXPECT_EQ(users[0].cascaded_focus, "xmpp:r@other.example");
  EXPECT_EQ(users[0].endpoints.at(0).media.at(0).src_id, "2124");
  EXPECT_EQ(users[0].endpoints.at(0).joining_method, coin::JoiningMethod::dialed_in);
  EXPECT_EQ(cascade.people_behind(kLink), 1u);
}

TEST_F(CascadeDocuments, WeAreNotAmongThemHoweverWeAreCalled) {
  for (const char* us :
       {"xmpp:room@mixer.example", "xmpp:Room@Mixer.example/focus", "sip:room@mixer.example",
        "sips:room@mixer.example;gr=1", "SIP:room@mixer.example", "room@mixer.example/focus",
        "xmpp:%72oom@mixer.example?call"}) {
    EXPECT_TRUE(behind(user(us)).empty()) << us;
  }
  // A token hides our address, cascaded-focus says it.
  EXPECT_TRUE(behind(user("xmpp:r@other.example/tok",
                          "<cascaded-focus>xmpp:room@mixer.example</cascaded-focus>"))
                  .empty());
}

TEST_F(CascadeDocuments, PartialsThatAddWithoutEndAreForgottenUntilTheNextFull) {
  EXPECT_EQ(defect(document(user("xmpp:ann@x.example"), std::to_string(++version))), "");
  const std::string name = "<display-text>" + std::string(15000, 'n') + "</display-text>";
  std::string said;
  for (int i = 0; i < 30 && said.empty(); ++i) {
    std::string users;
    for (int k = 0; k < 20; ++k) {
      users += user("xmpp:u" + std::to_string(20 * i + k) + "@x.example", name);
    }
    said = defect(document(users, std::to_string(++version), "partial"));
  }
  EXPECT_EQ(said, "it lists too many users");
  EXPECT_EQ(defect(document("", std::to_string(++version), "partial")),
            "no full document came first");
  EXPECT_EQ(defect(document(user("xmpp:bob@x.example"), std::to_string(++version))), "");
  EXPECT_EQ(entities(), Names{"xmpp:bob@x.example"});
}

TEST_F(CascadeDocuments, SidebarsAreNotOursToList) {
  auto info = document(user("xmpp:ann@x.example"));
  info.sidebars_by_val.emplace().entries.push_back(document(user("xmpp:bob@x.example")));
  EXPECT_EQ(defect(info), "");
  EXPECT_EQ(entities(), Names{"xmpp:ann@x.example"});
}

TEST_F(CascadeDocuments, OnlyThoseWhoAreThereAreListed) {
  for (const char* status :
       {"pending", "dialing-out", "dialing-in", "alerting", "disconnecting", "disconnected"}) {
    EXPECT_TRUE(behind(user("xmpp:ann@x.example", endpoint("e", status))).empty()) << status;
  }
  for (const char* status : {"connected", "on-hold", "muted-via-focus"}) {
    EXPECT_EQ(behind(user("xmpp:ann@x.example", endpoint("e", status))).size(), 1u) << status;
  }
  const auto users =
      behind(user("xmpp:ann@x.example", endpoint("e", "disconnected") + endpoint("f", "on-hold")));
  ASSERT_EQ(users.at(0).endpoints.size(), 1u);
  EXPECT_EQ(users[0].endpoints[0].entity, "f");
}

TEST_F(CascadeDocuments, NamesAreMadeFitToBeShown) {
  const auto name = [&](const std::string& text) {
    return behind(user("xmpp:ann@x.example", "<display-text>" + text + "</display-text>"))
        .at(0)
        .display_text.value_or("");
  };
  EXPECT_EQ(name(" A\xe2\x80\xae\x09nn "), "A nn");
  EXPECT_EQ(name(""), "ann");
  EXPECT_EQ(name(std::string(15000, 'x')), std::string(mixer::limits::kMaxDisplayCodePoints, 'x'));
}

TEST_F(CascadeDocuments, WhatIsForeignIsPassedOnWhileItIsSmall) {
  const auto mood = [](std::size_t size) {
    return user("xmpp:ann@x.example", "<m xmlns='urn:mood'>" + std::string(size, 'x') + "</m>");
  };
  EXPECT_EQ(behind(mood(100)).at(0).foreign.elements.size(), 1u);
  EXPECT_TRUE(behind(mood(5000)).at(0).foreign.elements.empty());
}

TEST_F(CascadeDocuments, NoUserIsLargerThanItsBound) {
  std::string media;
  for (int i = 0; i < 30; ++i) {
    media += "<media id='" + std::to_string(i) + std::string(1000, 'm') + "'/>";
  }
  EXPECT_TRUE(
      behind(user("xmpp:ann@x.example", "<endpoint entity='e'>" + media + "</endpoint>")).empty());
}

TEST_F(CascadeDocuments, NoMoreUsersThanTheBoundAreListed) {
  std::string users;
  for (std::size_t i = 0; i <= mixer::limits::kMaxUsersBehind; ++i) {
    users += user("xmpp:u" + std::to_string(i) + "@x.example");
  }
  EXPECT_EQ(defect(document(users)), "it lists too many users");
  EXPECT_EQ(cascade.behind(kLink).size(), mixer::limits::kMaxUsersBehind);
}

TEST_F(CascadeDocuments, AUserOfTwoConferencesIsListedOnce) {
  cascade.add(LegId{8}, jid("s@other.example/focus"), kNow);
  behind(user("xmpp:ann@x.example"));
  auto other = document(user("xmpp:ann@x.example") + user("xmpp:bob@x.example"));
  other.entity = "xmpp:s@other.example";
  EXPECT_TRUE(cascade.receive(LegId{8}, other, kNow).changed);
  EXPECT_EQ(cascade.behind(kLink).size() + cascade.behind(LegId{8}).size(), 2u);
  cascade.remove(kLink, kNow);
  EXPECT_EQ(cascade.behind(LegId{8}).size(), 2u);
}

TEST_F(CascadeDocuments, PartialsAreAssembled) {
  behind(user("xmpp:ann@x.example"));
  EXPECT_TRUE(cascade
                  .receive(kLink,
                           document(user("xmpp:bob@x.example") +
                                        "<user entity='xmpp:ann@x.example' state='deleted'/>",
                                    "2", "partial"),
                           kNow)
                  .changed);
  EXPECT_EQ(entities(), Names{"xmpp:bob@x.example"});
}

TEST_F(CascadeDocuments, AGapIsSaidOnceAndHealedByTheNextFullDocument) {
  behind(user("xmpp:ann@x.example"));
  EXPECT_EQ(defect(document(user("xmpp:bob@x.example"), "3", "partial")), "a version is missing");
  EXPECT_EQ(defect(document(user("xmpp:bob@x.example"), "5", "partial")), "");
  EXPECT_EQ(entities(), Names{"xmpp:ann@x.example"});
  EXPECT_EQ(defect(document(user("xmpp:bob@x.example"), "9")), "");
  EXPECT_EQ(entities(), Names{"xmpp:bob@x.example"});
  EXPECT_FALSE(cascade.receive(kLink, document(user("xmpp:cyd@x.example"), "8"), kNow).changed);
}

TEST_F(CascadeDocuments, APartialThatComesFirstIsSaidOnce) {
  EXPECT_EQ(defect(document("", "1", "partial")), "no full document came first");
  EXPECT_EQ(defect(document("", "2", "partial")), "");
}

TEST_F(CascadeDocuments, ADocumentOfOurOwnConferenceIsNone) {
  auto info = document(user("xmpp:ann@x.example"));
  info.entity = "sip:room@mixer.example";
  EXPECT_EQ(defect(info), "its document is of our conference");
  EXPECT_EQ(defect(info), "");
  EXPECT_TRUE(entities().empty());
}

TEST_F(CascadeDocuments, AUserCountThatDisagreesIsSaidOnce) {
  const auto counted = [](const std::string& count, const std::string& version) {
    return document(user("xmpp:ann@x.example", endpoint("e", "connected")) +
                        user("xmpp:bob@x.example", endpoint("f", "disconnected")),
                    version, "full",
                    "<conference-state><user-count>" + count + "</user-count></conference-state>");
  };
  EXPECT_EQ(defect(counted("1", "1")), "");
  EXPECT_EQ(defect(counted("2", "2")), "");
  EXPECT_EQ(defect(counted("3", "3")), "its user-count disagrees with its users");
  EXPECT_EQ(defect(counted("0", "4")), "");
}

// RFC 4575 §5.7.4 focus-owner.
TEST_F(CascadeDocuments, WhatAFocusDoesItListsAsItself) {
  const std::string us =
      user("xmpp:room@mixer.example", "<cascaded-focus>xmpp:room@mixer.example</cascaded-focus>");
  const auto itself = [](const std::string& entity) {
    return user(entity,
                "<display-text>Recor\u202eding</display-text><endpoint entity='e'>"
                "<status>connected</status><joining-method>focus-owner</joining-method>"
                "</endpoint>");
  };
  const std::string none = "<conference-state><user-count>0</user-count></conference-state>";
  const std::string r = "xmpp:r@other.example";
  EXPECT_EQ(defect(document(itself(r), "1", "full", none)), "") << "it counts for nobody";
  EXPECT_EQ(cascade.does(kLink), "") << "it may be a person who mixes";
  EXPECT_TRUE(cascade.receive(kLink, document(us + itself(r), "2"), kNow).changed);
  EXPECT_EQ(cascade.does(kLink), "Recording");
  EXPECT_EQ(cascade.people_behind(kLink), 0u);
  EXPECT_TRUE(cascade.receive(kLink, document(us, "3"), kNow).changed);
  EXPECT_EQ(cascade.does(kLink), "");
  cascade.receive(kLink, document(us + itself("xmpp:ann@x.example"), "4"), kNow);
  EXPECT_EQ(cascade.does(kLink), "") << "somebody else";
}

TEST_F(CascadeDocuments, TheEndOfItsConferenceLeavesNobody) {
  behind(user("xmpp:ann@x.example"));
  auto over = document("", "2");
  over.state = coin::State::deleted;
  EXPECT_TRUE(cascade.receive(kLink, over, kNow).changed);
  EXPECT_TRUE(entities().empty());
}

// Who is two links away goes by a conference; what passes through ours is no news.
TEST_F(CascadeDocuments, UsersFromBeyondCarryTheirWay) {
  const std::string far = "<cascaded-focus>xmpp:far@f.example</cascaded-focus>";
  const auto users = behind(user("xmpp:ann@x.example", far));
  ASSERT_EQ(users.size(), 1u);
  EXPECT_EQ(users[0].cascaded_focus, "xmpp:far@f.example");
  ASSERT_EQ(users[0].foreign.attributes.size(), 1u);
  EXPECT_EQ(users[0].foreign.attributes[0].value, "xmpp:r@other.example");

  const auto by = [&](const std::string& via) {
    return behind(
        "<user entity='xmpp:ann@x.example' xmlns:c='urn:x-jingle-mixer:cascade' "
        "c:via='" +
        via + "'>" + far + "</user>");
  };
  EXPECT_EQ(by("xmpp:a@b.example").at(0).foreign.attributes.at(0).value,
            "xmpp:r@other.example xmpp:a@b.example");
  EXPECT_TRUE(by("xmpp:a@b.example xmpp:room@mixer.example").empty());
  std::string long_way;
  for (int i = 0; i < 100; ++i) long_way += "xmpp:a" + std::to_string(i) + "@b.example ";
  EXPECT_TRUE(by(long_way).empty());
}

TEST_F(CascadeDocuments, ALoneLinkIsMixedAfterTwoSecondsOfDocumentsOrFiveOfSilence) {
  EXPECT_EQ(cascade.next_deadline(kNow), kNow + 5s);
  EXPECT_FALSE(cascade.settled(kLink, kNow + 4999ms));
  EXPECT_TRUE(cascade.settled(kLink, kNow + 5s));
  behind(user("xmpp:ann@x.example"));
  EXPECT_EQ(cascade.next_deadline(kNow), kNow + 2s);
  EXPECT_FALSE(cascade.settled(kLink, kNow + 1999ms));
  EXPECT_TRUE(cascade.settled(kLink, kNow + 2s));
  cascade.remove(kLink, kNow + 3s);
  EXPECT_FALSE(cascade.settled(kLink, kNow + 3s));
}

// A circle that is another's to cut is not heard, however long that takes.
TEST(Cascade, ALinkThatBelongsToACircleIsNotMixed) {
  const auto told = [](const std::string& by, const std::string& of) {
    auto info = document(
        user(of, "<cascaded-focus>" + of + "</cascaded-focus>") +
        user("xmpp:z@mixer.example", "<cascaded-focus>xmpp:z@mixer.example</cascaded-focus>"));
    info.entity = by;
    return info;
  };
  Cascade cascade("xmpp:z@mixer.example");
  cascade.add(LegId{1}, jid("a@mixer.example/focus"), kNow);
  cascade.add(LegId{2}, jid("b@mixer.example/focus"), kNow);
  cascade.receive(LegId{1}, told("xmpp:a@mixer.example", "xmpp:b@mixer.example"), kNow);
  cascade.receive(LegId{2}, told("xmpp:b@mixer.example", "xmpp:a@mixer.example"), kNow);
  EXPECT_EQ(cascade.redundant(kNow + 1h), std::nullopt);
  EXPECT_FALSE(cascade.settled(LegId{1}, kNow + 1h));
  EXPECT_FALSE(cascade.settled(LegId{2}, kNow + 1h));
  cascade.remove(LegId{1}, kNow + 1h);
  EXPECT_FALSE(cascade.settled(LegId{2}, kNow + 1h));
  EXPECT_TRUE(cascade.settled(LegId{2}, kNow + 1h + 2s));
}

// As real clients write them.
TEST(Cascade, SylkServersDocumentIsUnderstood) {
  Cascade cascade("xmpp:romeo@montague.lit");
  cascade.add(kLink, jid("weekly@conference.sylk.example/sylk"), kNow);
  const auto info = coin::parse(
      test_support::golden_text(test_support::data("golden/coin-clients/sylkserver-full.xml")));
  ASSERT_TRUE(info);
  const auto received = cascade.receive(kLink, *info, kNow);
  EXPECT_FALSE(received.defect) << *received.defect;
  const auto users = cascade.behind(kLink);
  ASSERT_EQ(users.size(), 1u);  // the other one is ours
  EXPECT_EQ(users[0].entity, "sip:juliet@capulet.lit");
  EXPECT_EQ(users[0].display_text, "Juliet");
  EXPECT_EQ(users[0].cascaded_focus, "xmpp:weekly@conference.sylk.example");
  EXPECT_EQ(cascade.people_behind(kLink), 1u);
}

TEST(Cascade, JitsisDocumentsAreUnderstood) {
  Cascade cascade("xmpp:nurse@capulet.lit");
  cascade.add(kLink, jid("romeo@montague.lit/jitsi-3ab"), kNow);
  const auto receive = [&](const std::string& file) {
    const auto info =
        coin::parse(test_support::golden_text(test_support::data("golden/coin-clients/") + file));
    ASSERT_TRUE(info);
    const auto received = cascade.receive(kLink, *info, kNow);
    EXPECT_FALSE(received.defect) << *received.defect;
  };
  receive("jitsi-full.xml");
  auto users = cascade.behind(kLink);
  ASSERT_EQ(users.size(), 2u);
  EXPECT_EQ(users[0].entity, "xmpp:romeo@montague.lit");
  EXPECT_EQ(users[0].cascaded_focus, "xmpp:romeo@montague.lit");
  EXPECT_EQ(users[1].entity, "xmpp:juliet@capulet.lit");
  EXPECT_EQ(users[1].endpoints.at(0).media.at(0).src_id, "2124");
  receive("jitsi-partial.xml");
  receive("jitsi-partial-endpoint.xml");
  users = cascade.behind(kLink);
  ASSERT_EQ(users.size(), 2u);
  EXPECT_EQ(users[1].endpoints.at(0).status, coin::EndpointStatus::on_hold);
}

}  // namespace
