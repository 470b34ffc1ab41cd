// What a piece's decoder and fetcher could do if they were taken over: tried in their sandboxes
// (sandbox_probe.cc), and in none, so that what is refused is refused by them.
#include "media/gst/child_sandbox.h"

#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "tests/support/sanitized.h"
#include "tests/support/temp_dir.h"

namespace media::gst {
namespace {

using Tried = std::map<std::string, std::string>;

bool has_landlock() {
  return syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

class Sandbox : public ::testing::Test {
 protected:
  Tried tried_in(const std::string& sandbox) const {
    const support::TempDir folder;
    std::ofstream(folder / "secret") << "a password";
    // By a pipe, for they may not write to a file.
    FILE* const probe = popen(("exec " + std::filesystem::read_symlink("/proc/self/exe").string() +
                               " --probe " + sandbox + " " + (folder / "secret").string())
                                  .c_str(),
                              "r");
    Tried tried;
    char what[100], outcome[100];
    while (std::fscanf(probe, "%99s %99s", what, outcome) == 2) tried[what] = outcome;
    EXPECT_EQ(pclose(probe), 0) << sandbox;
    EXPECT_TRUE(tried.contains("end")) << sandbox;
    return tried;
  }
  // All but these, of which each would be done outside.
  void expect_refused(const std::string& sandbox, const std::vector<std::string>& allowed) const {
    for (const auto& [what, outcome] : tried_in(sandbox)) {
      const bool may = std::ranges::find(allowed, what) != allowed.end();
      EXPECT_EQ(outcome, may ? "done" : "refused") << sandbox << ": " << what;
      const bool shown = outside_.at(what) == "done";
      if (!shown) std::printf("not shown, for nobody may do that here: %s\n", what.c_str());
      if (!may) refused_by_it_ += shown ? 1 : 0;
    }
    EXPECT_GT(refused_by_it_, 20) << "of what is done outside";
  }

  const Tried outside_ = tried_in("none");
  mutable int refused_by_it_ = 0;
};

TEST_F(Sandbox, ADecoderOpensTouchesAndAsksNothing) {
  std::vector<std::string> allowed{"thread", "end"};
  if (test_support::kSanitized) allowed.push_back("memory");
  expect_refused("decoder", allowed);
}

TEST_F(Sandbox, AFetcherReadsWhatNamesNeedConnectsAndDoesNothingElse) {
  std::vector<std::string> allowed{"thread", "connect", "hosts", "own-tgkill", "end"};
  if (test_support::kSanitized) allowed.push_back("memory");
  if (!has_landlock()) {
    std::printf("the kernel has no Landlock: a fetcher reads any file\n");
    allowed.insert(allowed.end(), {"read", "environ"});
  }
  expect_refused("fetcher", allowed);
}

}  // namespace
}  // namespace media::gst
