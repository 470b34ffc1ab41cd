// The laws of coin/xml.h over ten thousand documents by the dice.
#include <cstdlib>
#include <iostream>

#include "coin/xml.h"
#include "tests/support/conference_generator.h"
#include "tests/support/conference_printer.h"
#include "tests/support/data.h"
#include "tests/support/schema_walker.h"
#include "tests/support/xsd_validator.h"

namespace coin {
namespace {

using test_support::ConferenceGenerator;

constexpr std::uint64_t kSeed = 4575;
constexpr int kDocuments = 10'000;
const std::string kSchema = test_support::data("schemas/conference-info.xsd");

TEST(XmlProperty, WhatIsWrittenReadsBackTheSame) {
  ConferenceGenerator generator(kSeed);
  for (int i = 0; i < kDocuments; ++i) {
    const ConferenceInfo info = generator.document();
    const std::string text = write(info);
    const auto parsed = parse(text);
    ASSERT_TRUE(parsed) << "seed " << kSeed << " document " << i << "\n"
                        << parsed.error().where << ": " << parsed.error().what << "\n"
                        << text;
    ASSERT_EQ(*parsed, info) << "seed " << kSeed << " document " << i << "\n" << text;
    ASSERT_EQ(write(*parsed), text) << "seed " << kSeed << " document " << i;
  }
}

// XEP-0298 §10.2: "<xs:element name="conference-info" type="conference-type"/>"
// RFC 4575 §4.1: "a document is valid by the schema, in the order of its sequences"
TEST(XmlProperty, WhatIsWrittenIsValidAndReachesEveryCornerOfTheSchema) {
  ConferenceGenerator generator(kSeed);
  const test_support::XsdValidator validator(kSchema);
  test_support::SchemaWalker walker(kSchema);
  for (int i = 0; i < kDocuments; ++i) {
    ConferenceInfo info = generator.document();
    info.sid.reset();  // XEP-0298 as Jitsi has it, outside of the schema
    const std::string text = write(info);
    const auto invalid = validator.complaint(text);
    ASSERT_FALSE(invalid) << "seed " << kSeed << " document " << i << "\n"
                          << *invalid << "\n"
                          << text;
    const auto out_of_order = walker.complaint(text);
    ASSERT_FALSE(out_of_order) << "seed " << kSeed << " document " << i << "\n"
                               << *out_of_order << "\n"
                               << text;
  }
  EXPECT_EQ(walker.met().size(), 147u);  // what the schema names; none was overlooked
  for (const auto& [what, times] : walker.met()) {
    std::cout << times << "\t" << what << "\n";
    EXPECT_GE(times, 100u) << what;
  }
}

TEST(XmlProperty, HeadAndBodyMakeTheDocument) {
  ConferenceGenerator generator(kSeed);
  for (int i = 0; i < 1'000; ++i) {
    ConferenceInfo info = generator.document();
    const std::string body = write_body(info);
    const std::string with_sid = write_head(info, "S<1>", 7) + body;
    const std::string without = write_head(info, "", 0xFFFFFFFF) + body;
    info.sid = "S<1>";
    info.version = 7;
    ASSERT_EQ(with_sid, write(info)) << "seed " << kSeed << " document " << i;
    info.sid.reset();
    info.version = 0xFFFFFFFF;
    ASSERT_EQ(without, write(info)) << "seed " << kSeed << " document " << i;
  }
}

TEST(XmlProperty, OrderOfKeyedChildrenDoesNotMatter) {
  ConferenceGenerator generator(kSeed);
  for (int i = 0; i < 1'000; ++i) {
    const ConferenceInfo info = generator.full();
    ASSERT_EQ(generator.shuffled(info), info) << "seed " << kSeed << " document " << i;
  }
}

TEST(XmlProperty, DocumentsOfDifferentContentDiffer) {
  ConferenceGenerator generator(kSeed);
  int different = 0;
  for (int i = 0; i < 1'000; ++i) {
    const ConferenceInfo info = generator.full();
    const ConferenceInfo other = generator.edited(info);
    // Both ways the same, and as different as their texts with all lists in one order would be.
    ASSERT_EQ(info == other, other == info);
    different += info != other;
  }
  EXPECT_GT(different, 800);
}

}  // namespace
}  // namespace coin
