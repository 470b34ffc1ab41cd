// Rooms that are configured and empty cost the program nothing (as it is, with its real engine): no
// file, no thread, no timer, nothing that wakes it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "tests/e2e/world.h"
#include "tests/support/eventually.h"
#include "tests/support/sanitized.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;

std::string rooms(int count) {
  std::string tables;
  for (int i = 0; i < count; ++i) tables += "[room.r" + std::to_string(i) + "]\n";
  return tables;
}

std::size_t open_files(Mixer& mixer) {
  const fs::directory_iterator fds("/proc/" + std::to_string(mixer.process().pid()) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(fds), end(fds)));
}

// By thread, how often it has gone to sleep: as often it was woken.
std::map<std::string, std::uint64_t> sleeps(Mixer& mixer) {
  std::map<std::string, std::uint64_t> found;
  const std::string tasks = "/proc/" + std::to_string(mixer.process().pid()) + "/task";
  for (const auto& task : fs::directory_iterator(tasks)) {
    std::ifstream status(task.path() / "status");
    const std::string key = "voluntary_ctxt_switches:";
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with(key))
        found[task.path().filename()] = std::stoull(line.substr(key.size()));
    }
  }
  return found;
}

TEST(Idle, TenThousandConfiguredRoomsHaveNoFileNoThreadAndNothingThatWakesThem) {
  REQUIRE_PROSODY();
  const support::Prosody prosody(prosody_spec());
  Mixer one(prosody, {.more = rooms(1)});
  Mixer many(prosody, {.more = rooms(10000), .component = "mixer-b.localhost"});
  ASSERT_TRUE(support::eventually([&] { return open_files(many) == open_files(one); }, kWait))
      << open_files(many) << " and " << open_files(one);
  EXPECT_EQ(many.threads(), one.threads());
  if (test_support::kSanitized) return;  // which has threads of its own, that wake

  // The first thread looks after the XMPP link now and then. That it does so tells the time.
  const std::string first = std::to_string(one.process().pid());
  const auto one_before = sleeps(one), many_before = sleeps(many);
  ASSERT_TRUE(support::eventually([&] { return sleeps(one).at(first) >= one_before.at(first) + 5; },
                                  kWait));
  const auto many_after = sleeps(many), one_after = sleeps(one);
  const auto looked = one_after.at(first) - one_before.at(first);
  ASSERT_EQ(many_after.size(), many_before.size());
  for (const auto& [thread, times] : many_after) {
    const auto more = times - many_before.at(thread);
    if (thread == std::to_string(many.process().pid())) {
      EXPECT_LE(more, 2 * looked) << "as often as with one room, but for where the second begins";
    } else {
      EXPECT_EQ(more, 0u) << "thread " << thread;
    }
  }
}

}  // namespace
}  // namespace e2e
