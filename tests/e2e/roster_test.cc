// Who is there: every participant learns of it, and every document is valid.
#include <gtest/gtest.h>

#include <signal.h>

#include <algorithm>
#include <map>
#include <pugixml.hpp>
#include <sstream>

#include "tests/e2e/world.h"
#include "tests/support/data.h"
#include "tests/support/eventually.h"
#include "tests/support/xsd_validator.h"

namespace e2e {
namespace {

using Names = std::vector<std::string>;

class Roster : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_PROSODY(); }

  static bool comes_to(Call& call, const Names& names) {
    return call.wait_until([&](const Call& each) { return each.roster() == names; });
  }
};

#define EXPECT_ROSTER(call, ...) \
  EXPECT_TRUE(comes_to(call, Names __VA_ARGS__)) << testing::PrintToString((call).roster())

TEST_F(Roster, JoiningAndLeavingChangeEverybodysRoster) {
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  Call ann(prosody, {.user = "ann", .to = mixer.jid()});
  EXPECT_ROSTER(ann, {"ann"});
  Call bob(prosody, {.user = "bob", .to = mixer.jid()});
  EXPECT_ROSTER(ann, {"ann", "bob"});
  EXPECT_ROSTER(bob, {"ann", "bob"});
  Call cyd(prosody, {.user = "cyd", .to = mixer.jid()});
  for (Call* each : {&ann, &bob, &cyd}) EXPECT_ROSTER(*each, {"ann", "bob", "cyd"});

  bob.say("hangup");
  EXPECT_EQ(bob.finish(), 0) << bob.output();
  for (Call* each : {&ann, &cyd}) EXPECT_ROSTER(*each, {"ann", "cyd"});
  cyd.process().signal(SIGKILL);  // says no good-bye
  EXPECT_ROSTER(ann, {"ann"});
  EXPECT_EQ(ann.finish(), 0);
  if (HasFailure()) ADD_FAILURE() << mixer.log();

  const auto report = ann.report();
  EXPECT_GE(report["documents"]["full"].number(), 1);
  EXPECT_GE(report["documents"]["partial"].number(), 3);
}

TEST_F(Roster, ACallerMayProposeFirst) {  // XEP-0353
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  Call ann(prosody, {.user = "ann", .to = mixer.jid(), .more = {"--jmi"}});
  EXPECT_ROSTER(ann, {"ann"});
  EXPECT_TRUE(ann.happened("proceed")) << ann.output();
  EXPECT_EQ(ann.finish(), 0) << ann.output() << mixer.log();
  EXPECT_TRUE(support::eventually([&] { return mixer.logged("call=ended ") == 1; }, kWait));
  for (const char* field : {"peer=ann@localhost/", "reason=success", "by=peer", "codec=opus/",
                            "ice_local=\"host ", "received=", "lost=0"}) {
    EXPECT_EQ(mixer.logged(field), 1) << field << " in " << mixer.log();
  }
}

TEST_F(Roster, RoomsDoNotKnowOfEachOther) {
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  Call ann(prosody, {.user = "ann", .to = mixer.jid("one")});
  Call bob(prosody, {.user = "bob", .to = mixer.jid("two")});
  EXPECT_ROSTER(ann, {"ann"});
  EXPECT_ROSTER(bob, {"bob"});
  Call cyd(prosody, {.user = "cyd", .to = mixer.jid("two")});
  EXPECT_ROSTER(bob, {"bob", "cyd"});
  EXPECT_EQ(ann.roster(), Names{"ann"});
}

TEST_F(Roster, MuteHoldAndKeysReachTheFocusAndTheOthers) {
  const support::TempDir folder;
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  Call ann(prosody, {.user = "ann", .to = mixer.jid(), .play = tone_file(folder, 440)});
  Call bob(prosody, {.user = "bob", .to = mixer.jid()});
  EXPECT_ROSTER(bob, {"ann", "bob"});

  ann.say("mute");
  EXPECT_ROSTER(bob, {"ann:connected/recvonly", "bob"});
  ann.say("unmute");
  EXPECT_ROSTER(bob, {"ann", "bob"});
  ann.say("hold");
  EXPECT_TRUE(bob.wait_until([](const Call& call) {
    return call.roster_entry("ann")["status"].string() == "on-hold";
  })) << bob.output();
  ann.say("unhold");
  EXPECT_ROSTER(bob, {"ann", "bob"});

  ann.say("dtmf 5");
  EXPECT_TRUE(mixer.process().wait_for_output("digit=5", kWait)) << mixer.log();
  EXPECT_FALSE(ann.happened("error")) << ann.output();
}

TEST_F(Roster, AMuteReachesTwentyCallers) {
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  Call many(prosody, {.user = "caller{n}", .to = mixer.jid(), .more = {"--count", "20"}});
  Call ann(prosody, {.user = "ann", .to = mixer.jid()});
  // How many of the twenty have `status` as ann's in their last roster.
  const auto seeing = [](const Call& call, const std::string& status) {
    std::map<double, bool> seen;
    for (const auto& event : call.events()) {
      if (event["event"].string() != "roster") continue;
      bool& sees = seen[event["caller"].number()];
      sees = false;
      for (const auto& entry : event["detail"].array()) {
        if (entry["display_text"].string() != "ann") continue;
        sees = entry["media_status"].string() == status;
      }
    }
    return std::ranges::count_if(seen, [](const auto& each) { return each.second; });
  };
  const auto all_see = [&](const std::string& status) {
    return many.wait_until([&](const Call& call) { return seeing(call, status) == 20; });
  };
  EXPECT_TRUE(all_see("sendrecv")) << many.output();
  ann.say("mute");
  EXPECT_TRUE(all_see("recvonly")) << many.output();
  ann.say("unmute");
  EXPECT_TRUE(all_see("sendrecv")) << many.output();
}

// Without `sid`, which is outside the schema on purpose (XEP-0298 as Jitsi reads it).
std::string without_sid(const std::string& document) {
  pugi::xml_document xml;
  EXPECT_TRUE(xml.load_string(document.c_str())) << document;
  xml.document_element().remove_attribute("sid");
  std::ostringstream text;
  xml.document_element().print(text, "", pugi::format_raw);
  return text.str();
}

// XEP-0298 §3: "Reuse the existing format and XML schema already defined in RFC 4575."
// RFC 4575 §4.3: "the root of every document has a version"
TEST_F(Roster, EveryDocumentIsValidAndTheirVersionsCount) {
  const test_support::XsdValidator schema(test_support::data("schemas/conference-info.xsd"));
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  Call ann(prosody, {.user = "ann", .to = mixer.jid()});
  EXPECT_ROSTER(ann, {"ann"});
  {
    Call bob(prosody, {.user = "bob", .to = mixer.jid()});
    EXPECT_ROSTER(ann, {"ann", "bob"});
    bob.say("mute");
    EXPECT_ROSTER(ann, {"ann", "bob:connected/recvonly"});
    bob.say("hold");
    EXPECT_TRUE(ann.wait_until([](const Call& call) {
      return call.roster_entry("bob")["status"].string() == "on-hold";
    })) << ann.output();
    EXPECT_EQ(bob.finish(), 0);
  }
  EXPECT_ROSTER(ann, {"ann"});
  EXPECT_EQ(ann.finish(), 0);

  const auto documents = ann.documents();
  ASSERT_GE(documents.size(), 5U);
  for (std::size_t i = 0; i < documents.size(); ++i) {
    EXPECT_EQ(schema.complaint(without_sid(documents[i])), std::nullopt) << documents[i];
    pugi::xml_document xml;
    xml.load_string(documents[i].c_str());
    EXPECT_EQ(xml.document_element().attribute("version").as_uint(), i + 1) << documents[i];
    EXPECT_STREQ(xml.document_element().attribute("sid").value(),
                 ann.report()["sid"].string().c_str());
  }
}

TEST_F(Roster, SourceIdsAreDistinctAndStay) {
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  Call ann(prosody, {.user = "ann", .to = mixer.jid()});
  Call bob(prosody, {.user = "bob", .to = mixer.jid()});
  EXPECT_ROSTER(ann, {"ann", "bob"});
  const auto anns = ann.roster_entry("ann")["src_id"].string();
  const auto bobs = ann.roster_entry("bob")["src_id"].string();
  EXPECT_NE(anns, "");
  EXPECT_NE(bobs, "");
  EXPECT_NE(anns, bobs);
  Call cyd(prosody, {.user = "cyd", .to = mixer.jid()});
  EXPECT_ROSTER(cyd, {"ann", "bob", "cyd"});
  EXPECT_EQ(cyd.roster_entry("ann")["src_id"].string(), anns);
  EXPECT_EQ(cyd.roster_entry("bob")["src_id"].string(), bobs);
}

}  // namespace
}  // namespace e2e
