// A call is recorded (README, "Recording"): by chat, through a real server, with real sound.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <regex>

#include "tests/e2e/chat.h"
#include "tests/e2e/listening.h"
#include "tests/e2e/world.h"
#include "tests/support/audio.h"
#include "tests/support/eventually.h"
#include "tests/support/ogg_reader.h"
#include "tests/support/readme.h"
#include "tests/support/small_disk.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;
constexpr char kRoom[] = "room@mixer.localhost";
constexpr double kAnn_hz = 440;

class RecordedCall : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_PROSODY();
    if (const auto why = Contact::missing(); !why.empty()) GTEST_SKIP() << why;
    prosody_ = std::make_unique<support::Prosody>(prosody_spec());
  }
  // Ann, a moderator, calls and says that she wants it recorded.
  void begin(const std::string& directory, const std::string& wanted) {
    mixer_ = std::make_unique<Mixer>(
        *prosody_, Mixer::Spec{.more = "[record]\nfree-megabytes = 0\ndirectory = \"" + directory +
                                       "\"\n[room.room]\nmoderators = [\"ann@localhost\"]"});
    contact_ = std::make_unique<Contact>(*prosody_, "ann");
    chat_ = std::make_unique<Chat>(*contact_, kRoom);
    ann_ = std::make_unique<Call>(
        *prosody_, CallSpec{.user = "ann", .to = kRoom, .play = tone_file(folder_, kAnn_hz)});
    ASSERT_TRUE(ann_->wait_for("connected")) << ann_->output();
    say(wanted);
  }
  void say(const std::string& text) { chat_->say(text); }
  // The files there are, by name; the mix is the first.
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    if (!fs::exists(recordings_)) return found;
    for (const auto& entry : fs::directory_iterator(recordings_)) found.push_back(entry.path());
    std::ranges::sort(found, {}, [](const fs::path& path) { return path.string().size(); });
    return found;
  }
  bool last_for(std::size_t count, std::uint64_t seconds) const {
    return support::eventually(
        [&] {
          const auto found = files();
          return found.size() == count && std::ranges::all_of(found, [&](const fs::path& path) {
                   return test_support::read_ogg_opus(path).samples() >= seconds * 48000;
                 });
        },
        kWait);
  }
  // How loud Ann's tone is in that file's best second.
  static double loudest(const fs::path& path) {
    const auto sound = test_support::decode(test_support::read_ogg_opus(path));
    double best = -200;
    for (std::size_t at = 0; at + 48000 <= sound.size(); at += 24000) {
      best = std::max(best, test_support::tone_dbfs(std::span(sound).subspan(at, 48000), kAnn_hz));
    }
    return best;
  }

  support::TempDir folder_;
  fs::path recordings_ = folder_ / "recordings";
  std::unique_ptr<support::Prosody> prosody_;
  std::unique_ptr<Mixer> mixer_;
  std::unique_ptr<Contact> contact_;
  std::unique_ptr<Chat> chat_;
  std::unique_ptr<Call> ann_;
};

TEST_F(RecordedCall, IsInFilesAtItsLevelAndInEverybodysRosterUntilItIsStopped) {
  begin(recordings_, "record speakers");
  ASSERT_TRUE(last_for(2, 4)) << mixer_->log();
  EXPECT_TRUE(ann_->wait_until([](const Call& call) {
    return !call.documents().empty() &&
           call.documents().back().find("focus-owner") != std::string::npos;
  })) << ann_->output();
  chat_->hears("The call is recorded as soon as all have heard three tones.");
  say("record stop");
  chat_->hears("The recording ends.");
  chat_->next();
  const std::regex name("room-[0-9]{8}T[0-9]{6}Z");
  EXPECT_TRUE(
      support::readme_shows(std::regex_replace(chat_->transcript(), name, "tea-20261121T163000Z")));
  EXPECT_TRUE(ann_->wait_until([](const Call& call) {
    return call.documents().back().find("focus-owner") == std::string::npos;
  })) << ann_->output();
  for (const fs::path& path : files()) {
    EXPECT_TRUE(test_support::read_ogg_opus(path).ended) << path;
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_NEAR(loudest(path), kTone_dbfs, 3) << path;
  }
  EXPECT_EQ(fs::status(recordings_).permissions(), fs::perms::owner_all);
}

TEST_F(RecordedCall, IsWholeUpToTheLastSecondAfterAKill) {
  begin(recordings_, "record speakers");
  ASSERT_TRUE(last_for(2, 3)) << mixer_->log();
  mixer_->crash();
  for (const fs::path& path : files()) {
    const auto file = test_support::read_ogg_opus(path);
    EXPECT_FALSE(file.ended);
    EXPECT_EQ(file.whole_bytes, fs::file_size(path)) << "no half a page";
    EXPECT_NEAR(loudest(path), kTone_dbfs, 3) << path;
    if (!support::have_program("opusinfo")) continue;
    std::string said;
    support::run_command({.argv = {"opusinfo", path}}, &said);
    const auto complaint = said.find("WARNING");
    EXPECT_EQ(complaint, said.find("WARNING: EOS not set")) << said;  // what a kill means
    EXPECT_EQ(said.find("WARNING", complaint + 1), said.npos) << said;
  }
}

TEST_F(RecordedCall, EndsWithItsFilesWholeWhenTheDiskIsFullAndTheCallGoesOn) {
  if (const auto why = support::SmallDisk::missing(); !why.empty()) GTEST_SKIP() << why;
  const support::SmallDisk disk(128 << 10);
  recordings_ = disk.path();
  begin(recordings_, "who");
  Call bob(*prosody_, {.user = "bob", .to = kRoom, .record = true});
  ASSERT_TRUE(wait_until_heard(bob.recording(), std::array{kAnn_hz}, 1)) << bob.output();
  say("record speakers");
  ASSERT_TRUE(last_for(3, 1)) << mixer_->log();
  const std::vector<Tone> anns_tone{{bob.recording(), kAnn_hz}};
  const Listening listening(anns_tone);
  ASSERT_TRUE(contact_->answered("chat", "The recording has ended: The disk is full."))
      << mixer_->log();
  EXPECT_EQ(mixer_->logged("recording=failed"), 1);
  EXPECT_TRUE(ann_->wait_until([](const Call& call) {
    return call.documents().back().find("focus-owner") == std::string::npos;
  })) << ann_->output();
  EXPECT_LT(fs::space(recordings_).free, 20'000u) << "but for what a page took";
  int with_tone = 0;
  for (const fs::path& path : files()) {
    const auto file = test_support::read_ogg_opus(path);
    EXPECT_EQ(file.whole_bytes, fs::file_size(path)) << "no half a page";
    with_tone += std::abs(loudest(path) - kTone_dbfs) < 3 ? 1 : 0;
  }
  EXPECT_EQ(with_tone, 2) << "the mix and Ann; Bob is silent";
  listening.expect_no_gaps();
}

// A file may become no larger than what is left of a disk: the same error path, and no mount.
TEST_F(RecordedCall, EndsWithASentenceWhenTheDiskTakesNoMore) {
  begin(recordings_, "who");
  const rlimit small{30'000, 30'000};
  ASSERT_EQ(prlimit(mixer_->process().pid(), RLIMIT_FSIZE, &small, nullptr), 0);
  say("record");
  ASSERT_TRUE(
      contact_->answered("chat", "The recording has ended: The file may not become larger."))
      << mixer_->log();
  EXPECT_EQ(mixer_->logged("recording=failed"), 1);
  ASSERT_EQ(files().size(), 1u);
  const auto file = test_support::read_ogg_opus(files().front());
  EXPECT_EQ(file.whole_bytes, fs::file_size(files().front()));
  EXPECT_GT(file.samples(), 0u);
  Call bob(*prosody_, {.user = "bob", .to = kRoom, .record = true});
  ASSERT_TRUE(bob.wait_for("connected")) << "the room goes on";
  EXPECT_TRUE(wait_until_heard(bob.recording(), std::array{kAnn_hz}, 1));
}

// /sys is a folder in which nobody makes files, root neither.
TEST_F(RecordedCall, DoesNotBeginWhereItsFolderTakesNoFiles) {
  begin("/sys/kernel", "record speakers");
  ASSERT_TRUE(contact_->answered(
      "chat", "The call is not recorded. The folder for recordings cannot be written to."))
      << mixer_->log();
  EXPECT_EQ(mixer_->logged("recording=started"), 0) << mixer_->log();
  EXPECT_EQ(mixer_->logged("recording=failed"), 1) << mixer_->log();
  EXPECT_EQ(ann_->output().find("focus-owner"), std::string::npos) << "nobody is told of one";
  Call bob(*prosody_, {.user = "bob", .to = kRoom, .record = true});
  EXPECT_TRUE(wait_until_heard(bob.recording(), std::array{kAnn_hz}, 1)) << "the room goes on";
  say("record stop");
  EXPECT_TRUE(contact_->answered("chat", "The call is not being recorded.")) << mixer_->log();
}

// As the folder was when the mixer began.
TEST_F(RecordedCall, DoesNotBeginWhereItsFolderIsNoneAnyMore) {
  begin(recordings_, "who");
  ASSERT_TRUE(fs::remove(recordings_));
  std::ofstream(recordings_) << "a file";
  say("record");
  ASSERT_TRUE(
      contact_->answered("chat", "The call is not recorded. There is no folder for recordings."))
      << mixer_->log();
  EXPECT_EQ(mixer_->logged("recording=failed"), 1) << mixer_->log();
  ASSERT_TRUE(fs::remove(recordings_));
  say("record");
  EXPECT_TRUE(last_for(1, 1)) << "it is made again\n" << mixer_->log();
}

}  // namespace
}  // namespace e2e
