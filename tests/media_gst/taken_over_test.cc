// Helper processes that have been taken over by what they read: whatever they say, they hold up
// nobody and swamp nobody.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "media/gst/child_process.h"
#include "tests/media_gst/played.h"
#include "tests/support/seed.h"
#include "tests/support/temp_dir.h"

namespace media::gst {
namespace {

using std::chrono::milliseconds;

class TakenOverHelper : public ::testing::Test {
 protected:
  void TearDown() override { unsetenv("TAKEN_OVER"); }
  static void take_over(const char* how) { setenv("TAKEN_OVER", how, 1); }
  PlaySpec file() const { return {.play = kPlay, .what = PlayFile{folder_.path(), "a"}}; }
  static PlaySpec url() { return {.play = kPlay, .what = PlayUrl{"https://localhost/"}}; }
  // By the helpers that run.
  static std::size_t bytes_said() {
    std::size_t all = 0, bytes = 0;
    for (const pid_t child : children()) {
      std::ifstream io("/proc/" + std::to_string(child) + "/io");
      for (std::string word; io >> word >> bytes;) all += word == "wchar:" ? bytes : 0;
    }
    return all;
  }
  void SetUp() override { std::ofstream(folder_ / "a") << "anything"; }

  support::TempDir folder_;
};

TEST_F(TakenOverHelper, AMessageWithoutEndKeepsNobody) {
  take_over("dribbling");
  for (const PlaySpec& spec : {file(), url()}) {
    Played played(spec);
    EXPECT_TRUE(eventually([] { return bytes_said() > sizeof(ChildHeader) + 2; }));
  }
  EXPECT_TRUE(children().empty());
}

TEST_F(TakenOverHelper, TitlesWithoutEndKeepNobody) {
  take_over("titles");
  {
    Played played(url());
    ASSERT_TRUE(played.log.wait_for<PlayStarted>(kPlay));
    EXPECT_TRUE(eventually([] { return bytes_said() > 30000; }));
  }
  EXPECT_TRUE(children().empty());
}

TEST_F(TakenOverHelper, TagsAreToldOnceASecondAndTheLastOfThemIs) {
  take_over("tags");
  const auto before = std::chrono::steady_clock::now();
  Played played(file());
  EXPECT_TRUE(eventually([&] {
    played.hear(kFrame_samples);
    const auto tagged = played.log.last<PlayTagged>(kPlay);
    return tagged && tagged->tags.title == "The last";
  }));
  const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - before;
  EXPECT_LE(static_cast<double>(played.log.count<PlayTagged>(kPlay)), lasted.count() + 2);
}

// What a child says is what cat gets to read.
class Cat {
 public:
  void give(std::string_view bytes) {
    ASSERT_EQ(write(in_.write.get(), bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }

 private:
  Pipe in_;

 public:
  ChildProcess child{"/bin/cat", {}, in_.read, in_.read};
};

std::string message_of(std::uint32_t kind, std::string_view text) {
  const ChildHeader header{kind, static_cast<std::uint32_t>(text.size())};
  return std::string(reinterpret_cast<const char*>(&header), sizeof header).append(text);
}

// Law: where a wake comes changes nothing of what is said.
TEST(ChildProcess, AWakeInAMessageIsSeenAndLosesNothingOfIt) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Cat cat;
  std::vector<std::string> said, heard;
  std::string stream;
  for (std::uint32_t kind = 0; kind < 50; ++kind) {
    said.push_back(std::string(random() % 60, static_cast<char>('a' + kind % 26)));
    stream += message_of(kind, said.back());
  }
  // Why there is no more of it yet.
  const auto hear = [&](milliseconds patience) {
    ChildProcess::Silence why{};
    while (const auto message = cat.child.next(why, patience)) {
      EXPECT_EQ(message->kind, heard.size());
      heard.emplace_back(message->bytes.begin(), message->bytes.end());
    }
    return why;
  };
  for (std::size_t at = 0, part = 0; at < stream.size(); at += part) {
    part = std::min<std::size_t>(stream.size() - at, 1 + random() % 40);
    cat.give(std::string_view(stream).substr(at, part));
    ASSERT_EQ(hear(milliseconds(5)), ChildProcess::Silence::stuck);  // in a message, mostly
    cat.child.wake();
    ASSERT_EQ(hear(kPatience), ChildProcess::Silence::woken) << "at byte " << at;
  }
  EXPECT_TRUE(eventually([&] { return hear(milliseconds(5)), heard.size() == said.size(); }));
  EXPECT_EQ(heard, said);
}

TEST(ChildProcess, AMessageHasOneTimeHoweverItDribbles) {
  Cat cat;
  cat.give(message_of(1, std::string(100, 'a')).substr(0, 20));
  ChildProcess::Silence why{};
  EXPECT_FALSE(cat.child.next(why, milliseconds(200)));
  EXPECT_EQ(why, ChildProcess::Silence::stuck) << "and not once more as long";
  EXPECT_FALSE(cat.child.next(why, milliseconds(0)));
  EXPECT_EQ(why, ChildProcess::Silence::stuck);
  cat.give(std::string(88, 'a'));
  EXPECT_TRUE(cat.child.next(why, kPatience)) << "the rest of it";
}

TEST(ChildProcess, WhoSpeaksNonsenseIsNotListenedToAnyMore) {
  Cat cat;
  const ChildHeader header{1, kMaxChildMessageBytes + 1};
  cat.give({reinterpret_cast<const char*>(&header), sizeof header});
  cat.give(message_of(1, ""));
  for (int i = 0; i < 2; ++i) {
    ChildProcess::Silence why{};
    EXPECT_FALSE(cat.child.next(why, kPatience));
    EXPECT_EQ(why, ChildProcess::Silence::gone);
  }
}

}  // namespace
}  // namespace media::gst
