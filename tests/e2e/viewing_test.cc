// User Viewing (XEP-0197) through a real server: what contacts are told while a moderator plays
// videos and broadcasts, and of which they are told nothing.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <random>

#include "tests/e2e/contact.h"
#include "tests/e2e/film.h"
#include "tests/e2e/world.h"
#include "tests/support/eventually.h"
#include "tests/support/https_server.h"
#include "tests/support/sanitized.h"

namespace e2e {
namespace {

constexpr char kViewing[] = "urn:xmpp:viewing:0";
constexpr char kTune[] = "http://jabber.org/protocol/tune";
constexpr char kStatus[] = "http://jabber.org/protocol/status";

class ViewingShown : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_PROSODY();
    if (const auto why = Contact::missing(); !why.empty()) GTEST_SKIP() << why;
    if (test_support::kThreadsSanitized) GTEST_SKIP() << support::kEncodersUnseen;
    gst_init(nullptr, nullptr);
    std::filesystem::create_directory(folder_ / "hidden");
    ASSERT_TRUE(make_film(folder_ / "film.webm", film_)) << "no encoder";
    ASSERT_TRUE(make_film(folder_ / "hidden/other.webm", other_)) << "no encoder";
  }
  // Ann is a moderator and a contact of `who`, bob is on the call.
  void begin(bool client_mode, const std::string& presence) {
    support::ProsodySpec spec = prosody_spec();
    spec.tls = client_mode;  // a bot wants it
    prosody_ = std::make_unique<support::Prosody>(spec);
    const std::string here = folder_.path().string();
    mixer_ = std::make_unique<Mixer>(
        *prosody_,
        Mixer::Spec{.client_mode = client_mode,
                    .more = "moderators = [\"ann@localhost\"]\n[play]\nhosts = [\"localhost\"]\n"
                            "media-dir = \"" +
                            here + "\"\nca-file = \"" + server_.ca_file() + "\"\n[state]\n" +
                            "directory = \"" + here + "/state\"\n[presence]\n" +
                            "publish = [\"tune\", \"viewing\", \"status\"]\n" + presence});
    who_ = client_mode ? "bot@localhost" : "room@mixer.localhost";
    ann_ = std::make_unique<Contact>(*prosody_, "ann");
    ann_->befriend(who_);
    bob_ = std::make_unique<Call>(*prosody_,
                                  CallSpec{.user = "bob", .to = mixer_->jid(), .record = true});
    ASSERT_TRUE(bob_->wait_for("connected")) << bob_->output();
  }
  void say(const std::string& text) { ann_->say("say " + who_ + ' ' + text); }
  bool heard(const Film& film) const {
    return support::eventually(
        [&] { return last_dbfs(bob_->recording(), film.tone_hz, 0.5) > -40; }, kWait);
  }
  std::string everything() const { return ann_->output() + mixer_->log(); }
  // The status changes after what is played, and is told of after as long a time: what has not come
  // before it does not come.
  bool is_seen_later() {
    const std::string words = word();
    say("status " + words);
    return ann_->is_told(who_, kStatus, words);
  }
  static std::string video(const std::string& children) {
    return "<video xmlns=\"urn:xmpp:viewing:0\">" + children + "</video>";
  }

  void expect_film_told(bool client_mode) {
    begin(client_mode, "viewing.local = true\n");
    say("play film.webm");
    const std::string author = "<author>" + film_.artist + "</author><duration>" +
                               std::to_string(film_.seconds) + "</duration>";
    const std::string name = "<program_name>" + film_.title + "</program_name>";
    EXPECT_TRUE(ann_->is_told(who_, kViewing, video(author + name))) << everything();
    EXPECT_TRUE(heard(film_)) << everything();
    say("viewing episode 807");
    EXPECT_TRUE(ann_->is_told(who_, kViewing, video(author + "<episode>807</episode>" + name)))
        << everything();
    say("stop");
    EXPECT_TRUE(ann_->is_told(who_, kViewing, "empty")) << everything();
    const auto told = ann_->told_of(who_, kViewing);
    ASSERT_EQ(told.size(), 3U) << everything();
    for (const call::Json& each : told) {
      EXPECT_EQ(each["id"].string(), told[0]["id"].string());
      EXPECT_NE(each["id"].string(), "");
    }
    EXPECT_TRUE(ann_->told_of(who_, kTune).empty()) << "a video is no tune" << everything();
  }

  static std::string word() { return std::to_string(std::random_device()()); }
  static Film random_film(double tone_hz) {
    return {"Title " + word(), "Artist " + word(),
            static_cast<int>(200 + std::random_device()() % 99), tone_hz};
  }
  const Film film_ = random_film(620), other_ = random_film(970);
  support::TempDir folder_;
  support::HttpsServer server_{folder_.path().string()};
  std::string who_;
  std::unique_ptr<support::Prosody> prosody_;
  std::unique_ptr<Mixer> mixer_;
  std::unique_ptr<Contact> ann_;
  std::unique_ptr<Call> bob_;
};

// XEP-0197 §2.2: "its client may publish that fact to a PEP node"
// XEP-0197 §2.2: "the user's client SHOULD send an empty <video/> element with the"
TEST_F(ViewingShown, OfABotsFilmIsToldByItsTagsAndWhatIsSaidOfItUntilItIsOver) {
  expect_film_told(true);
}

TEST_F(ViewingShown, OfAComponentsRoomIsToldTheSame) { expect_film_told(false); }

// XEP-0197 §3: "A client MUST provide a way for a user to configure which videos or types of"
TEST_F(ViewingShown, NothingIsToldOfATitleATypeOrAPlaceThatIsNeverToBe) {
  begin(true, "viewing.local = true\nviewing.never = [\"" + film_.title + "\", \"Horror\", \"" +
                  server_.url("/hidden/") + "\"]\n");
  const auto expect_untold = [&](const std::string& what, const Film& film) {
    EXPECT_TRUE(heard(film)) << what << everything();
    EXPECT_TRUE(is_seen_later()) << what << everything();
    EXPECT_TRUE(ann_->told_of(who_, kViewing).empty()) << what << everything();
    say("stop");
  };
  say("play hidden/other.webm");
  say("viewing program_type horror");
  expect_untold("type", other_);
  say("play film.webm");
  expect_untold("title", film_);
  say("play " + server_.url("/hidden/other.webm"));
  expect_untold("place", other_);
  say("play hidden/other.webm");
  EXPECT_TRUE(ann_->is_told(who_, kViewing, other_.title)) << "that file otherwise" << everything();
  EXPECT_TRUE(ann_->told_of(who_, kTune).empty()) << everything();
}

TEST_F(ViewingShown, OfFilesIsNotToldUnlessThatIsWantedAndOfABroadcastWhatItsStationSays) {
  ASSERT_TRUE(support::make_file(
      "audiotestsrc samplesperbuffer=48000 num-buffers=20 volume=0.2 ! audio/x-raw,rate=48000,"
      "channels=1 ! audioconvert ! opusenc complexity=0 bitrate=8000 ! oggmux ! filesink "
      "location=" +
      (folder_ / "radio.ogg").string()));
  begin(false, "");
  say("play film.webm");
  EXPECT_TRUE(heard(film_)) << everything();
  EXPECT_TRUE(is_seen_later()) << everything();
  EXPECT_TRUE(ann_->told_of(who_, kViewing).empty()) << everything();
  say("stop");
  const std::string url = server_.url("/station/radio.ogg");
  say("play " + url);
  EXPECT_TRUE(ann_->is_told(who_, kViewing, "<channel_name>Radio Test</channel_name>"))
      << everything();
  const std::string told = ann_->told(who_, kViewing);
  EXPECT_NE(told.find("<author>The Testers</author>"), told.npos) << told;
  EXPECT_NE(told.find("s number "), told.npos) << told;
  EXPECT_NE(told.find("<uri>" + url + "</uri>"), told.npos) << told;
  EXPECT_EQ(told.find("<duration>"), told.npos) << told;
  EXPECT_TRUE(ann_->is_told(who_, kTune, "<source>Radio Test</source>")) << "it is heard, too";
  say("stop");
  EXPECT_TRUE(ann_->is_told(who_, kViewing, "empty")) << everything();
}

}  // namespace
}  // namespace e2e
