// Foci that dial each other, whole: Focus, Conference, Notifier, Roster and Cascade of each, over a
// wire, with callers that read what they are told. Laws: when all is quiet the calls between foci
// are a forest that connects what was dialled; each caller's roster lists every other one once;
// nobody is heard twice or hears himself at any time, and all hear all in the end; documents fall
// silent within 5 s; when the last callers have left, every link ends. TEST_SEED=S runs one seed.
#include "tests/mixer/mesh.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "tests/support/seed.h"

namespace {

using namespace std::chrono_literals;
using test::Mesh;
using Links = std::vector<std::pair<int, int>>;

std::vector<int> components(int foci, const Links& links) {
  std::vector<int> of(foci);
  std::iota(of.begin(), of.end(), 0);
  for (const auto& [a, b] : links) {
    const int from = std::max(of[a], of[b]), to = std::min(of[a], of[b]);
    std::ranges::replace(of, from, to);
  }
  return of;
}

// What must hold when all is quiet, among those components.
void check(const Mesh& mesh, int foci, const std::vector<int>& connected) {
  const Links links = mesh.links();
  EXPECT_EQ(components(foci, links), connected) << "somebody cannot be reached";
  const std::set<int> trees(connected.begin(), connected.end());
  EXPECT_EQ(links.size() + trees.size(), static_cast<std::size_t>(foci)) << "no forest";
  for (const int caller : mesh.callers()) {
    std::multiset<int> everybody;
    std::map<int, int> hearers;
    for (const int other : mesh.callers()) {
      if (connected[mesh.focus_of(other)] != connected[mesh.focus_of(caller)]) continue;
      everybody.insert(other);
      if (other != caller) hearers[other] = 1;
    }
    EXPECT_EQ(mesh.listed(caller), everybody) << "to caller " << caller;
    EXPECT_EQ(mesh.heard(caller), hearers) << "of caller " << caller;
  }
  EXPECT_LE(mesh.last_news() - mesh.last_change(), 5s) << "documents go round";
  EXPECT_EQ(mesh.faults(), std::vector<std::string>{});
}

void tell(const Mesh& mesh) {
  if (std::getenv("TEST_SEED") == nullptr) return;
  for (const std::string& line : mesh.log()) std::cerr << line << '\n';
}

// One caller in each room, then those links at about the same time.
void try_links(const std::string& names, const Links& links, std::chrono::milliseconds within) {
  const int foci = static_cast<int>(names.size());
  const unsigned first = test_support::test_seed();
  const unsigned seeds = std::getenv("TEST_SEED") != nullptr ? 1 : 10;
  for (unsigned seed = first; seed < first + seeds; ++seed) {
    SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
    std::string shuffled = names;
    std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937(seed));
    const mixer::Disclose disclose[] = {mixer::Disclose::bare, mixer::Disclose::full,
                                        mixer::Disclose::nick};
    Mesh mesh(seed, shuffled, disclose[seed % 3]);
    for (int focus = 0; focus < foci; ++focus) mesh.join(focus);
    mesh.pass(5s);
    for (const auto& [a, b] : links) {
      mesh.after(mesh.dice.up_to(within), [&mesh, a = a, b = b] { mesh.dial(a, b); });
    }
    mesh.pass(60s);
    EXPECT_EQ(mesh.callers().size(), names.size());
    check(mesh, foci, components(foci, links));
    for (const int caller : mesh.callers()) mesh.leave(caller);
    mesh.pass(60s);
    for (int focus = 0; focus < foci; ++focus) EXPECT_EQ(mesh.legs(focus), 0u) << "at " << focus;
    if (testing::Test::HasFailure()) return tell(mesh);
  }
}

TEST(Mesh, TwoFociInCascadeAreOneConference) { try_links("ab", {{0, 1}}, 0ms); }

TEST(Mesh, TwoThatDialEachOtherAtOnce) { try_links("ab", {{0, 1}, {1, 0}}, 300ms); }

TEST(Mesh, ThreeInARing) { try_links("abc", {{0, 1}, {1, 2}, {2, 0}}, 300ms); }

TEST(Mesh, FiveInARing) { try_links("abcde", {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 0}}, 1s); }

TEST(Mesh, FourThatAllDialAll) {
  try_links("abcd", {{0, 1}, {1, 2}, {2, 3}, {3, 0}, {0, 2}, {3, 1}}, 1s);
}

// Three in a row: what the first does is news for those behind the last, too (RFC 4575 §5.7.4).
TEST(Mesh, WhoIsRecordedSeesItWhereverHeIs) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  Mesh mesh(seed, "abc");
  for (int focus = 0; focus < 3; ++focus) mesh.join(focus);
  mesh.pass(5s);
  mesh.dial(0, 1);
  mesh.dial(2, 1);
  mesh.pass(30s);
  const auto recording = [&mesh](int caller) {
    return std::ranges::count_if(mesh.foci(caller), [](const std::string& name) {
      return name == "Recording" || name.starts_with("Recording (room");
    });
  };
  const auto times = [&](int each) {
    for (const int caller : mesh.callers()) {
      EXPECT_EQ(recording(caller), each) << "to caller " << caller;
    }
  };
  EXPECT_EQ(mesh.callers().size(), 3u);
  times(0);
  mesh.say(0, "record");
  mesh.pass(10s);
  times(1);
  check(mesh, 3, {0, 0, 0});
  mesh.say(0, "record stop");
  mesh.pass(10s);
  times(0);
  EXPECT_EQ(mesh.faults(), std::vector<std::string>{});
  if (HasFailure()) tell(mesh);
}

TEST(Mesh, WhoeverDialsWhomAndComesAndGoes) {
  const unsigned first = test_support::test_seed();
  const unsigned seeds = std::getenv("TEST_SEED") != nullptr ? 1 : 40;
  for (unsigned seed = first; seed < first + seeds; ++seed) {
    SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
    std::string names = "abcdef";
    std::shuffle(names.begin(), names.end(), std::mt19937(seed));
    names.resize(2 + seed % 5);
    const int foci = static_cast<int>(names.size());
    Mesh mesh(seed, names);
    // Somebody stays in each room, or the link that it dialled serves nobody and ends.
    for (int focus = 0; focus < foci; ++focus) mesh.join(focus);
    mesh.pass(2s);
    const auto any = [&] { return static_cast<int>(mesh.dice.below(foci)); };
    const auto within = mesh.dice.chance(0.5) ? 1s : 20s;  // all at once, or one after another
    Links dialled;
    for (std::uint64_t i = 1 + mesh.dice.below(2 * foci); i > 0; --i) {
      const int a = any(), b = any();
      if (a == b) continue;
      dialled.emplace_back(a, b);
      mesh.after(mesh.dice.up_to(within), [&mesh, a, b] { mesh.dial(a, b); });
      if (mesh.dice.chance(0.2))
        mesh.after(mesh.dice.up_to(within), [&mesh, a, b] { mesh.dial(b, a); });
    }
    for (std::uint64_t i = mesh.dice.below(8); i > 0; --i) {
      mesh.after(mesh.dice.up_to(20s), [&mesh, focus = any()] {
        const int caller = mesh.join(focus);
        if (mesh.dice.chance(0.5)) {
          mesh.after(mesh.dice.up_to(20s), [&mesh, caller] { mesh.leave(caller); });
        }
      });
    }
    mesh.pass(100s);
    check(mesh, foci, components(foci, dialled));
    if (mesh.dice.chance(0.5)) {
      mesh.break_link(any());
      mesh.pass(60s);
      check(mesh, foci, components(foci, mesh.links()));
    }
    for (const int caller : mesh.callers()) mesh.leave(caller);
    mesh.pass(60s);
    for (int focus = 0; focus < foci; ++focus) EXPECT_EQ(mesh.legs(focus), 0u) << "at " << focus;
    if (HasFailure()) return tell(mesh);
  }
}

}  // namespace
