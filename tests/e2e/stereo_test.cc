// A piece in stereo through the whole: who asked for stereo hears each channel on its side, who did
// not hears both in the middle.
#include <gtest/gtest.h>

#include <string>

#include "tests/e2e/contact.h"
#include "tests/e2e/world.h"
#include "tests/support/eventually.h"
#include "tools/call/tones.h"
#include "tools/call/wav.h"

namespace e2e {
namespace {

constexpr char kRoom[] = "room@mixer.localhost";
constexpr double kLeft_hz = 440, kRight_hz = 610;
constexpr double kHeard_dbfs = -40, kApart_db = 30;

TEST(Stereo, APieceIsHeardOnItsSidesByWhoAskedForIt) {
  REQUIRE_PROSODY();
  if (const auto why = Contact::missing(); !why.empty()) GTEST_SKIP() << why;
  const support::TempDir folder;
  const auto left = call::sine(kLeft_hz, kTone_dbfs, 60);
  const auto right = call::sine(kRight_hz, kTone_dbfs, 60);
  std::vector<std::int16_t> both;
  for (std::size_t i = 0; i < left.size(); ++i) {
    both.push_back(left[i]);
    both.push_back(right[i]);
  }
  call::WavWriter((folder / "sides.wav"), 2).write(both);
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody, {.more = "moderators = [\"ann@localhost\"]\n[play]\nmedia-dir = \"" +
                                folder.path().string() + "\"\n"});
  Contact contact(prosody, "ann");
  Call ann(prosody, {.user = "ann", .to = kRoom, .record = true, .more = {"--stereo"}});
  Call bob(prosody, {.user = "bob", .to = kRoom, .record = true});
  ASSERT_TRUE(ann.wait_for("connected")) << ann.output();
  ASSERT_TRUE(bob.wait_for("connected")) << bob.output();
  contact.say(std::string("say ") + kRoom + " play sides.wav");
  const auto level = [](const Call& call, std::size_t channel, double hz) {
    return last_dbfs(call.recording(), hz, 1, channel);
  };
  EXPECT_TRUE(support::eventually(
      [&] {
        return level(ann, 0, kLeft_hz) > kHeard_dbfs && level(ann, 1, kRight_hz) > kHeard_dbfs &&
               level(ann, 0, kRight_hz) < level(ann, 0, kLeft_hz) - kApart_db &&
               level(ann, 1, kLeft_hz) < level(ann, 1, kRight_hz) - kApart_db;
      },
      kWait))
      << level(ann, 0, kLeft_hz) << " " << level(ann, 1, kRight_hz) << " "
      << level(ann, 0, kRight_hz) << " " << level(ann, 1, kLeft_hz) << mixer.log();
  EXPECT_TRUE(support::eventually(
      [&] {
        return level(bob, 0, kLeft_hz) > kHeard_dbfs && level(bob, 0, kRight_hz) > kHeard_dbfs;
      },
      kWait))
      << mixer.log();
  EXPECT_FALSE(call::read_wav(bob.recording(), 1)) << "he did not ask for it";
  EXPECT_EQ(ann.finish(), 0) << ann.output();
  EXPECT_EQ(bob.finish(), 0) << bob.output();
}

}  // namespace
}  // namespace e2e
