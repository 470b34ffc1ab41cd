// Whom a component's room shows what it is doing, where not every contact may see it (XEP-0060
// §4.5): its one group, or a whitelist.
#include <gtest/gtest.h>

#include "tests/e2e/contact.h"
#include "tests/e2e/world.h"

namespace e2e {
namespace {

constexpr char kRoom[] = "room@mixer.localhost";
constexpr char kMood[] = "http://jabber.org/protocol/mood";
constexpr char kStatus[] = "http://jabber.org/protocol/status";

struct Case {
  const char* name;
  const char* access;
  const char* refusal;  // of a contact whom it leaves out
};

class RoomAccess : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    REQUIRE_PROSODY();
    if (const auto why = Contact::missing(); !why.empty()) GTEST_SKIP() << why;
  }
};

TEST_P(RoomAccess, WhoIsLeftOutIsToldNothingAndRefusedByName) {
  const support::Prosody prosody(prosody_spec());
  Contact ann(prosody, "ann"), bob(prosody, "bob");
  Mixer mixer(prosody,
              {.more = std::string("moderators = [\"ann@localhost\"]\n[presence]\n"
                                   "publish = [\"mood\", \"status\"]\nmood = \"happy\"\n") +
                       GetParam().access});
  for (Contact* contact : {&ann, &bob}) contact->befriend(kRoom);
  Call cyd(prosody, {.user = "cyd", .to = kRoom});
  ASSERT_TRUE(cyd.wait_for("connected")) << cyd.output() << mixer.log();
  EXPECT_TRUE(ann.is_told(kRoom, kMood, "happy")) << ann.output() << mixer.log();
  EXPECT_TRUE(ann.is_told(kRoom, kStatus, "1 on the call: room")) << ann.output();
  ann.say(std::string("read ") + kRoom + " " + kMood);
  EXPECT_TRUE(ann.answered("read", "happy")) << ann.output();
  bob.say(std::string("read ") + kRoom + " " + kMood);
  EXPECT_TRUE(bob.answered("read", GetParam().refusal)) << bob.output();
  bob.say(std::string("follow ") + kRoom + " " + kMood);
  EXPECT_TRUE(bob.answered("follow", GetParam().refusal)) << bob.output();
  EXPECT_TRUE(bob.told_of_anything().empty()) << bob.output();
  EXPECT_EQ(bob.output().find("happy"), std::string::npos) << bob.output();
}

INSTANTIATE_TEST_SUITE_P(
    , RoomAccess,
    testing::Values(Case{"moderators", "access = \"roster\"\nroster-groups = [\"moderators\"]\n",
                         "not-in-roster-group"},
                    Case{"whitelist", "access = \"whitelist\"\nwhitelist = [\"ann@localhost\"]\n",
                         "closed-node"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace e2e
