// What others learn of why a call ended (XEP-0166 §7.4; RFC 4575 §5.7.5, §5.7.6).
#include "mixer/reasons.h"
#include "tests/support/data.h"

#include <gtest/gtest.h>

#include <map>
#include <pugixml.hpp>
#include <set>

namespace {

using coin::DisconnectionMethod;
using mixer::reasons::method_of;
using mixer::reasons::text_of;

struct Row {
  const char* condition;
  DisconnectionMethod by_peer, by_us;
};
constexpr auto kDeparted = DisconnectionMethod::departed, kBooted = DisconnectionMethod::booted,
               kFailed = DisconnectionMethod::failed, kBusy = DisconnectionMethod::busy;
const Row kTable[] = {
    {"alternative-session", kDeparted, kBooted},
    {"busy", kBusy, kBooted},
    {"cancel", kDeparted, kBooted},
    {"connectivity-error", kFailed, kFailed},
    {"decline", kBusy, kBooted},
    {"expired", kDeparted, kBooted},
    {"failed-application", kFailed, kFailed},
    {"failed-transport", kFailed, kFailed},
    {"general-error", kFailed, kFailed},
    {"gone", kDeparted, kBooted},
    {"incompatible-parameters", kFailed, kFailed},
    {"media-error", kFailed, kFailed},
    {"security-error", kFailed, kFailed},
    {"success", kDeparted, kDeparted},
    {"timeout", kFailed, kFailed},
    {"unsupported-applications", kFailed, kFailed},
    {"unsupported-transports", kFailed, kFailed},
};

TEST(Reasons, EveryConditionOfTheSchemaHasItsDisconnectionMethod) {
  std::set<std::string> known;
  for (const Row& row : kTable) {
    known.insert(row.condition);
    EXPECT_EQ(method_of(row.condition, true, true), row.by_peer) << row.condition;
    EXPECT_EQ(method_of(row.condition, false, true), row.by_us) << row.condition;
  }
  pugi::xml_document schema;
  ASSERT_TRUE(schema.load_file(test_support::data("schemas/xep-0166-jingle-1.xsd").c_str()));
  const auto type = schema.child("xs:schema").find_child_by_attribute("name", "reasonElementType");
  std::set<std::string> defined;
  for (const auto& element : type.child("xs:sequence").child("xs:choice").children("xs:element")) {
    defined.insert(element.attribute("name").value());
  }
  EXPECT_EQ(known, defined);
}

TEST(Reasons, NobodyWhoWasNeverConnectedDeparts) {
  for (const Row& row : kTable) {
    for (const bool by_peer : {true, false}) {
      const auto method = method_of(row.condition, by_peer, false);
      EXPECT_EQ(method == kBusy, by_peer && row.by_peer == kBusy) << row.condition;
      EXPECT_TRUE(method == kBusy || method == kFailed) << row.condition;
    }
  }
}

TEST(Reasons, NoneIsSuccessAndAnUnknownOneAnError) {
  EXPECT_EQ(method_of("", true, true), kDeparted);
  EXPECT_EQ(text_of(""), "");
  EXPECT_EQ(method_of("bored", true, true), kFailed);
  EXPECT_EQ(text_of("bored"), text_of("general-error"));
}

TEST(Reasons, OnlyWhoDepartedNeedsNoWords) {
  for (const Row& row : kTable) {
    EXPECT_TRUE(row.by_peer == kDeparted || !text_of(row.condition).empty()) << row.condition;
  }
}

// XEP-0353 §3.7, §6.
TEST(Reasons, AFinishTellsNoMoreThanHowTheCallEnded) {
  const std::map<std::string, std::string> connected{{"", "success"},
                                                     {"success", "success"},
                                                     {"gone", "success"},
                                                     {"connectivity-error", "connectivity-error"},
                                                     {"failed-transport", "connectivity-error"}};
  for (const Row& row : kTable) {
    const jingle::Reason why{row.condition, "At home, in bed.", "S2", "invalid-crypto"};
    const auto known = connected.find(row.condition);
    const std::string ended = known == connected.end() ? "expired" : known->second;
    EXPECT_EQ(mixer::reasons::finish(why, true), mixer::reasons::make(ended.c_str()));
    const std::string never = ended == "success" ? "expired" : ended;
    EXPECT_EQ(mixer::reasons::finish(why, false), mixer::reasons::make(never.c_str()));
  }
}

// XEP-0166 §6.3.2, §10.
TEST(Reasons, ErrorsToASessionInitiateAreReasonsToo) {
  jingle::StanzaError redirect{"modify", "redirect", "", "", "", "xmpp:else@where.example"};
  const std::pair<jingle::StanzaError, const char*> table[] = {
      {jingle::tie_break(), "alternative-session"},
      {jingle::resource_constraint(), "busy"},
      {jingle::feature_not_implemented(), "unsupported-applications"},
      {jingle::service_unavailable(), "gone"},
      {jingle::item_not_found(), "gone"},
      {jingle::forbidden(), "decline"},
      {jingle::not_allowed(), "decline"},
      {jingle::bad_request(), "general-error"},
      {redirect, "gone"},
  };
  for (const auto& [error, condition] : table) {
    EXPECT_EQ(mixer::reasons::of(error).condition, condition) << error.condition;
  }
  EXPECT_EQ(mixer::reasons::of(jingle::bad_request("no sid")).text, "no sid");
  EXPECT_EQ(mixer::reasons::of(redirect).text, "Moved.")
      << "the address is not everybody's to know";
}

}  // namespace
