#include "mixer/recording_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "media/ogg_opus_writer.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"

namespace mixer {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

struct Folder {
  support::TempDir folder;

  void put(const std::string& name, const std::string& bytes, std::chrono::hours age) {
    std::ofstream(folder / name, std::ios::binary) << bytes;
    fs::last_write_time(folder / name, fs::file_time_type::clock::now() - age);
  }
  static std::string ours() {
    media::OggOpusWriter writer({.serial = 1, .comments = {"TITLE=Tea"}});
    writer.finish();
    return {writer.pages().begin(), writer.pages().end()};
  }
  bool has(const std::string& name) const { return fs::exists(fs::symlink_status(folder / name)); }
  std::size_t expire() const {
    return delete_recordings(folder.path(), std::chrono::system_clock::now() - 48h);
  }
};

TEST(RecordingFolder, OldRecordingsGoAndYoungOnesStay) {
  Folder folder;
  folder.put("tea-20260101T000000Z.opus", Folder::ours(), 49h);
  folder.put("tea-20260101T000000Z-1234567890.opus", Folder::ours(), 49h);
  folder.put("tea-20260101T000000Z-2-1234567890.opus", Folder::ours(), 49h);
  folder.put("tea-20260109T000000Z.opus", Folder::ours(), 47h);
  EXPECT_EQ(folder.expire(), 3u);
  EXPECT_TRUE(folder.has("tea-20260109T000000Z.opus"));
}

TEST(RecordingFolder, WhatIsNotOursIsLeftAlone) {
  Folder folder;
  const std::string named = "tea-20260101T00000";
  std::string foreign = Folder::ours();
  foreign.replace(foreign.find("jingle-mixer"), 12, "Lavf58.76.10");
  folder.put(named + "0Z.opus", foreign, 1000h);
  folder.put(named + "1Z.opus", "OggS", 1000h);
  folder.put(named + "2Z.opus", "", 1000h);
  folder.put("letter.opus", Folder::ours(), 1000h);
  folder.put(named + "3Z.opus.bak", Folder::ours(), 1000h);
  folder.put("elsewhere", Folder::ours(), 1000h);
  fs::create_symlink(folder.folder / "elsewhere", folder.folder / (named + "4Z.opus"));
  fs::create_hard_link(folder.folder / "elsewhere", folder.folder / (named + "5Z.opus"));
  fs::create_directory(folder.folder / (named + "6Z.opus"));
  ASSERT_EQ(::mkfifo((folder.folder / (named + "7Z.opus")).c_str(), 0600), 0);
  EXPECT_EQ(folder.expire(), 0u);
  EXPECT_TRUE(folder.has("elsewhere"));
  EXPECT_EQ(delete_recordings("/nonexistent", std::chrono::system_clock::now()), 0u);
}

TEST(RecordingFolder, IsMadeForUsAloneAndLookedIntoAtOnce) {
  Folder folder;
  const std::string made = folder.folder / "made";
  {
    Config::Record record;
    record.directory = made;
    const RecordingFolder recordings(record);
  }
  EXPECT_EQ(fs::status(made).permissions(), fs::perms::owner_all);
  const std::string old = "tea-20260101T000000Z.opus";
  folder.put(old, Folder::ours(), 49h);
  Config::Record record;
  record.directory = folder.folder.path();
  record.retention = std::chrono::days(2);
  const RecordingFolder recordings(record);
  EXPECT_TRUE(support::eventually([&] { return !folder.has(old); }));
}

}  // namespace
}  // namespace mixer
