// Documents of the standards and of real clients: read, looked at, written, read again.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "coin/diff.h"
#include "coin/xml.h"
#include "tests/support/conference_printer.h"
#include "tests/support/data.h"
#include "tests/support/schema_walker.h"
#include "tests/support/xsd_validator.h"

namespace coin {
namespace {

namespace fs = std::filesystem;

std::string read(const std::string& name) {
  std::ifstream file(test_support::data("golden/") + name);
  EXPECT_TRUE(file) << name;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

ConferenceInfo golden(const std::string& name) {
  const auto info = parse(read(name));
  EXPECT_TRUE(info) << name << ": " << info.error().where << ": " << info.error().what;
  return info.value_or(ConferenceInfo{});
}

std::string without_first_line(const std::string& text) {
  const std::size_t start = text.find('\n') + 1;
  return text.substr(start, text.find_last_not_of('\n') + 1 - start);
}

TEST(Golden, EachIsKeptByWritingAndWhatIsWrittenIsValid) {
  const test_support::XsdValidator validator(test_support::data("schemas/conference-info.xsd"));
  test_support::SchemaWalker walker(test_support::data("schemas/conference-info.xsd"));
  int documents = 0;
  for (const char* folder : {"rfc4575", "xep-0298", "coin-clients"}) {
    for (const auto& file : fs::directory_iterator(test_support::data("golden/") + folder)) {
      const std::string name = std::string(folder) + "/" + file.path().filename().string();
      ConferenceInfo info = golden(name);
      const auto again = parse(write(info));
      ASSERT_TRUE(again) << name;
      EXPECT_EQ(*again, info) << name;
      info.sid.reset();
      EXPECT_EQ(validator.complaint(write(info)), std::nullopt) << name;
      EXPECT_EQ(walker.complaint(write(info)), std::nullopt) << name;
      ++documents;
    }
  }
  EXPECT_EQ(documents, 8);
}

// RFC 4575 §5.3: "conference-description lists URIs, keywords, the most users and the media there"
// RFC 4575 §5.4: "host-info says who hosts the conference"
TEST(Golden, OfTheRfc) {
  const ConferenceInfo info = golden("rfc4575/basic.xml");
  EXPECT_EQ(info.entity, "sips:conf233@example.com");
  EXPECT_EQ(info.state, State::full);
  EXPECT_EQ(info.version, 1u);
  EXPECT_EQ(info.description->subject, "Agenda: This month's goals");
  ASSERT_EQ(info.description->service_uris->entries.size(), 1u);
  EXPECT_EQ(info.description->service_uris->entries[0].uri, "http://sharepoint/salesgroup/");
  EXPECT_EQ(info.description->service_uris->entries[0].purpose, "web-page");
  EXPECT_EQ(info.conference_state->user_count, 33u);
  ASSERT_EQ(info.users->users.size(), 2u);
  const Endpoint& bob = info.users->users[0].endpoints.at(0);
  EXPECT_EQ(bob.display_text, "Bob's Laptop");
  EXPECT_EQ(bob.status, EndpointStatus::disconnected);
  EXPECT_EQ(bob.disconnection_method, DisconnectionMethod::departed);
  EXPECT_EQ(bob.disconnection_info,
            (Execution{"2005-03-04T20:00:00Z", "bad voice quality", "sip:mike@example.com", {}}));
  const Endpoint& alice = info.users->users[1].endpoints.at(0);
  EXPECT_EQ(alice.state, State::full);
  EXPECT_EQ(alice.joining_method, JoiningMethod::dialed_out);
  EXPECT_EQ(alice.media,
            (std::vector<Media>{
                {"1", "main audio", "audio", "34567", "534232", MediaStatus::sendrecv, {}}}));
}

// RFC 4575 §5.9: "sidebars are conferences by reference or by value"
TEST(Golden, OfTheRfcWithSidebars) {
  const ConferenceInfo info = golden("rfc4575/sidebars.xml");
  EXPECT_EQ(info.description->keywords, (std::vector<std::string>{"sales", "meeting", "weekly"}));
  EXPECT_EQ(info.description->maximum_user_count, 100u);
  EXPECT_EQ(info.description->available_media->entries[1],
            (MediumEntry{"34569", {}, "video", MediaStatus::sendrecv, {}}));
  EXPECT_EQ(info.host_info->uris->entries.at(0).uri, "sip:sales@example.com");
  EXPECT_EQ(info.conference_state->active, true);
  EXPECT_EQ(info.conference_state->locked, false);
  EXPECT_TRUE(info.users->users.empty());
  EXPECT_EQ(info.sidebars_by_ref->state, State::partial);
  EXPECT_EQ(info.sidebars_by_ref->entries[1].display_text, "private with Peter");
  EXPECT_EQ(info.sidebars_by_val->entries.at(0).users->users.at(2).entity, "sip:dan@example.com");
}

// XEP-0298 §6: "Mixer sends information about the current state of the call"
TEST(Golden, OfTheXep) {
  const ConferenceInfo info = golden("xep-0298/example-6.xml");
  EXPECT_EQ(info.conference_state->user_count, 3u);
  EXPECT_EQ(info.users->state, State::full);
  ASSERT_EQ(info.users->users.size(), 3u);
  EXPECT_EQ(info.users->users[0].endpoints.at(0).disconnection_info->reason, "poisoned");
  EXPECT_EQ(info.users->users[1].endpoints.at(0).entity, "juliet@capulet.lit/balcony");
  EXPECT_EQ(info.users->users[2].endpoints.at(0).media.at(0).src_id, "534232");
  EXPECT_EQ(info.sid, std::nullopt);
}

TEST(Golden, OfJitsiAreTakenOneAfterTheOther) {
  View view;
  const ConferenceInfo first = golden("coin-clients/jitsi-full.xml");
  EXPECT_EQ(first.sid, "1a7fkr2p");
  EXPECT_EQ(first.version, 1u);
  EXPECT_EQ(view.receive(first), View::Outcome::applied);
  ASSERT_EQ(view.info()->users->users.size(), 3u);
  EXPECT_EQ(view.info()->users->users[2].display_text, std::nullopt);

  EXPECT_EQ(view.receive(golden("coin-clients/jitsi-partial.xml")), View::Outcome::applied);
  ASSERT_EQ(view.info()->users->users.size(), 2u);
  EXPECT_EQ(view.info()->users->users[0].display_text, "Romeo");
  EXPECT_EQ(view.info()->users->users[1].endpoints.at(0).status, EndpointStatus::on_hold);

  EXPECT_EQ(view.receive(golden("coin-clients/jitsi-partial-endpoint.xml")),
            View::Outcome::applied);
  const User& juliet = view.info()->users->users[1];
  EXPECT_EQ(juliet.display_text, "juliet@capulet.lit");
  EXPECT_EQ(juliet.endpoints.at(0).status, EndpointStatus::on_hold);
  EXPECT_EQ(juliet.endpoints.at(0).media.at(0).status, MediaStatus::sendrecv);
  EXPECT_EQ(view.info()->version, 3u);
  EXPECT_FALSE(view.stale());
}

// XEP-0298 §3: "Allow straightforward interoperability with other conferencing mechanisms"
TEST(Golden, OfSylkServerKeepsItsExtension) {
  const ConferenceInfo info = golden("coin-clients/sylkserver-full.xml");
  EXPECT_EQ(info.sid, "a73sjjvkla37jfea");
  EXPECT_EQ(info.entity, "sip:weekly@conference.sylk.example");
  EXPECT_EQ(
      info.description->foreign.elements,
      (std::vector<std::string>{
          R"(<resources xmlns="urn:ag-projects:xml:ns:conference-info"><files/></resources>)"}));
  EXPECT_EQ(info.users->users.at(0).endpoints.at(0).joining_info->when,
            "2026-07-01T12:00:00.000000Z");
  EXPECT_EQ(info.users->users.at(1).endpoints.at(0).media.at(0).id, "140231873411111");
}

TEST(Golden, OursIsWrittenToTheByte) {
  const ConferenceInfo info = golden("coin-clients/mixer-partial.xml");
  EXPECT_EQ(write(info), without_first_line(read("coin-clients/mixer-partial.xml")));
}

}  // namespace
}  // namespace coin
