// Callers that call each other, without a mixer.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/e2e/world.h"

namespace e2e {
namespace {

class Answer : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_PROSODY(); }
  const support::TempDir folder_;
};

// The details of an event, in order.
std::vector<std::string> details(const Call& call, const std::string& event) {
  std::vector<std::string> details;
  for (const auto& each : call.events()) {
    if (each["event"].string() == event) details.push_back(each["detail"].string());
  }
  return details;
}

TEST_F(Answer, BothHearEachOtherWhetherProposedOrCalledDirectly) {
  const support::Prosody prosody(prosody_spec());
  for (const bool proposed : {true, false}) {
    SCOPED_TRACE(proposed);
    Call ann(prosody, {.user = "ann", .play = tone_file(folder_, 440), .record = true});
    ASSERT_TRUE(ann.wait_for("online")) << ann.output();
    CallSpec dialler{.user = "bob", .to = "ann@localhost", .play = tone_file(folder_, 610)};
    dialler.record = true;
    if (proposed) {
      dialler.more = {"--jmi"};
    } else {
      dialler.to += "/call";
    }
    Call bob(prosody, dialler);
    ASSERT_TRUE(bob.wait_for("connected")) << bob.output() << ann.output();
    ASSERT_TRUE(ann.wait_for("connected")) << ann.output();
    EXPECT_EQ(ann.happened("proposed"), proposed);
    EXPECT_TRUE(ann.happened("ringing") && bob.happened("ringing"));
    EXPECT_TRUE(wait_until_heard(ann.recording(), std::vector<double>{610}, 2)) << ann.output();
    EXPECT_TRUE(wait_until_heard(bob.recording(), std::vector<double>{440}, 2)) << bob.output();
    EXPECT_EQ(bob.finish(), 0) << bob.output();
    EXPECT_TRUE(ann.wait_for("ended"));
    EXPECT_EQ(ann.report()["sid"].string(), bob.report()["sid"].string());
    EXPECT_FALSE(ann.happened("error") || bob.happened("error")) << ann.output() << bob.output();
  }
}

TEST_F(Answer, ARefusalReachesTheCallerWithItsReason) {
  const support::Prosody prosody(prosody_spec());
  Call ann(prosody, {.user = "ann", .more = {"--decline"}});
  ASSERT_TRUE(ann.wait_for("online")) << ann.output();
  for (const CallSpec& dialler : {CallSpec{.user = "bob", .to = "ann@localhost", .more = {"--jmi"}},
                                  CallSpec{.user = "bob", .to = "ann@localhost/call"}}) {
    Call bob(prosody, dialler);
    ASSERT_TRUE(bob.wait_for("ended")) << bob.output();
    EXPECT_EQ(bob.finish(), 1);
    EXPECT_EQ(bob.report()["reason"].string(), "decline") << bob.output();
  }
  EXPECT_EQ(details(ann, "refused"), (std::vector<std::string>{"decline", "decline"}));
  EXPECT_EQ(ann.finish(), 0) << ann.output();
}

TEST_F(Answer, DocumentsReachOnlyWhoWasToldThatTheirSenderIsAFocus) {  // XEP-0298 §5, §6
  const auto file = (folder_ / "document.xml").string();
  std::ofstream(file) << "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' "
                         "entity='xmpp:room@elsewhere' state='full' version='1'>"
                         "<conference-description/><users state='full'/></conference-info>";
  const support::Prosody prosody(prosody_spec());
  Call ann(prosody, {.user = "ann"});
  ASSERT_TRUE(ann.wait_for("online")) << ann.output();
  Call bob(prosody, {.user = "bob", .to = "ann@localhost/call", .more = {"--document", file}});
  ASSERT_TRUE(bob.wait_for("document-answer")) << bob.output() << ann.output();
  bob.say("focus");
  ASSERT_TRUE(ann.wait_for("isfocus")) << ann.output();
  bob.say("document " + file);
  EXPECT_TRUE(bob.wait_until([](const Call& call) {
    return details(call, "document-answer") == std::vector<std::string>{"not-allowed", "result"};
  })) << bob.output();
  EXPECT_TRUE(ann.happened("document refused") && ann.happened("document")) << ann.output();
  EXPECT_EQ(ann.documents().size(), 1U);
  EXPECT_EQ(ann.finish(), 0) << ann.output();
}

}  // namespace
}  // namespace e2e
