// What a contact's own library (slixmpp's plug-ins for XEP-0080, 0084, 0107, 0108) reads of what a
// bot and a component's room show of themselves, places and picture among it, through a real
// server.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

#include "tests/e2e/contact.h"
#include "tests/e2e/world.h"
#include "tests/support/eventually.h"

namespace e2e {
namespace {

// That node slixmpp has no plug-in for.
constexpr char kLocation[] = "http://jabber.org/protocol/physloc";

class PresencePlugIns : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_PROSODY();
    if (const auto why = Contact::missing(); !why.empty()) GTEST_SKIP() << why;
  }
  std::string config() const {
    return "[presence]\n"
           "publish = [\"mood\", \"activity\", \"geoloc\", \"location\", \"avatar\"]\n"
           "mood = \"playful\"\nmood-text = \"" +
           words_ + "\"\n[presence.geoloc]\nlat = " + std::to_string(lat_deg_) +
           "\nlon = " + std::to_string(lon_deg_) + "\naccuracy = 20\nlocality = \"" + words_ +
           "\"\nuri = \"https://example.org/here\"\n[presence.location]\nbuilding = \"" + words_ +
           "\"\n[state]\ndirectory = \"" + (folder_ / "state").string() + "\"\n";
  }
  // The last thing that plug-in has read of `who`; null: nothing.
  static call::Json read(const Contact& contact, const std::string& who, const std::string& what) {
    const auto events = contact.events([&](const call::Json& event) {
      return event["event"].string() == what && event["sender"].string() == who;
    });
    return events.empty() ? call::Json() : events.back();
  }
  static bool comes_to_read(const Contact& contact, const std::string& who, const std::string& what,
                            const std::function<bool(const call::Json&)>& wanted) {
    return support::eventually(
        [&] {
          const call::Json event = read(contact, who, what);
          return !event.is_null() && wanted(event);
        },
        kWait);
  }
  void expect_all_read(const support::Prosody& prosody, Mixer::Spec spec, const std::string& who) {
    Contact ann(prosody, "ann");
    {
      Mixer mixer(prosody, std::move(spec));
      ann.befriend(who);
      EXPECT_TRUE(comes_to_read(ann, who, "mood", [&](const call::Json& mood) {
        return mood["value"].string() == "playful" && mood["text"].string() == words_;
      })) << ann.output();
      EXPECT_TRUE(comes_to_read(ann, who, "geoloc", [&](const call::Json& place) {
        return place["locality"].string() == words_;
      })) << ann.output();
      const call::Json place = read(ann, who, "geoloc");
      EXPECT_NEAR(place["lat"].number(), lat_deg_, 1e-6);
      EXPECT_NEAR(place["lon"].number(), lon_deg_, 1e-6);
      EXPECT_EQ(place["accuracy"].number(), 20);
      EXPECT_EQ(place["uri"].string(), "https://example.org/here");
      EXPECT_TRUE(ann.is_told(who, kLocation, ">" + words_ + "</")) << ann.output();
      EXPECT_TRUE(comes_to_read(ann, who, "avatar_metadata", [](const call::Json& info) {
        return info["type"].string() == "image/png";
      })) << ann.output();
      const call::Json picture = read(ann, who, "avatar_metadata");
      EXPECT_EQ(picture["width"].number(), 64);
      EXPECT_EQ(picture["height"].number(), 64);
      EXPECT_GT(picture["bytes"].number(), 0);
      // XEP-0084 §3.1: the id is the SHA-1 of the image, which is what `found` says of it.
      ann.say("avatar " + who + ' ' + picture["id"].string());
      EXPECT_TRUE(comes_to_read(ann, who, "avatar", [&](const call::Json& image) {
        return image["found"].string() == picture["id"].string();
      })) << ann.output();
      Call bob(prosody, {.user = "bob", .to = mixer.jid()});
      EXPECT_TRUE(bob.wait_for("connected")) << bob.output();
      EXPECT_TRUE(comes_to_read(ann, who, "activity", [](const call::Json& activity) {
        return activity["value"][std::size_t{0}].string() == "talking" &&
               activity["value"][std::size_t{1}].string() == "on_the_phone";
      })) << ann.output();
      EXPECT_EQ(bob.finish(), 0) << bob.output();
      EXPECT_TRUE(comes_to_read(ann, who, "activity", [](const call::Json& activity) {
        return activity["value"][std::size_t{0}].string().empty();
      })) << ann.output();
    }
    // It is gone, and so is what it has shown.
    EXPECT_TRUE(comes_to_read(ann, who, "mood", [](const call::Json& mood) {
      return mood["value"].string().empty();
    })) << ann.output();
    EXPECT_TRUE(comes_to_read(ann, who, "geoloc", [](const call::Json& gone) {
      return gone["lat"].is_null() && gone["locality"].string().empty();
    })) << ann.output();
    EXPECT_TRUE(comes_to_read(ann, who, "avatar_metadata", [](const call::Json& info) {
      return info["id"].string().empty();
    })) << ann.output();
    EXPECT_TRUE(ann.is_told(who, kLocation, "empty")) << ann.output();
  }

  support::TempDir folder_;
  std::mt19937 random_{std::random_device()()};
  const std::string words_ = "Words " + std::to_string(random_());
  const double lat_deg_ = random_() % 89 + 0.515625, lon_deg_ = random_() % 179 + 0.015625;
};

TEST_F(PresencePlugIns, ReadWhatABotShows) {
  support::ProsodySpec with_tls = prosody_spec();
  with_tls.tls = true;  // a bot wants it
  const support::Prosody prosody(with_tls);
  expect_all_read(prosody, {.client_mode = true, .more = config()}, "bot@localhost");
}

TEST_F(PresencePlugIns, ReadWhatAComponentsRoomShows) {
  const support::Prosody prosody(prosody_spec());
  expect_all_read(prosody, {.more = config()}, "room@mixer.localhost");
}

}  // namespace
}  // namespace e2e
