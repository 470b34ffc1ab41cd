// What outlives the process, on a real disk.
#include "mixer/state_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "mixer/log.h"
#include "mixer/shell_limits.h"
#include "tests/support/eventually.h"
#include "tests/support/generators.h"
#include "tests/support/seed.h"
#include "tests/support/temp_dir.h"

namespace mixer {
namespace {

using Kind = StateError::Kind;

jingle::Jid jid(const std::string& text) { return jingle::Jid::parse(text).value(); }
Subscription row(int n, OwnSubscription own = OwnSubscription::asked) {
  return {jid("room" + std::to_string(n % 7) + "@mixer.localhost"),
          jid("u" + std::to_string(n) + "@localhost"), own};
}
std::vector<Subscription> sorted(std::vector<Subscription> rows) {
  std::sort(rows.begin(), rows.end(), [](const Subscription& a, const Subscription& b) {
    return std::pair(a.room, a.contact) < std::pair(b.room, b.contact);
  });
  return rows;
}
mode_t mode_of(const std::string& file) {
  struct stat status {};
  EXPECT_EQ(stat(file.c_str(), &status), 0) << file;
  return status.st_mode & 0777;
}
// As another program would see it.
int execute(const std::string& file, const char* sql) {
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
  const int code = sqlite3_exec(database, sql, nullptr, nullptr, nullptr);
  sqlite3_close(database);
  return code;
}

class StateStoreTest : public testing::Test {
 protected:
  std::vector<Subscription> read() {
    auto opened = open_state(directory);
    EXPECT_TRUE(opened) << opened.error().text;
    return opened ? sorted(opened->subscriptions) : std::vector<Subscription>();
  }
  void write(const std::vector<Subscription>& rows) {
    const auto opened = open_state(directory);
    ASSERT_TRUE(opened) << opened.error().text;
    for (const Subscription& each : rows) opened->store->save(each);
  }
  // The store does not open, is left as it is, and opens when the cause is gone.
  void expect_refused(Kind kind) {
    const auto opened = open_state(directory);
    ASSERT_FALSE(opened);
    EXPECT_STREQ(to_string(opened.error().kind), to_string(kind)) << opened.error().text;
    EXPECT_THAT(opened.error().text, testing::HasSubstr(file));
  }

  support::TempDir folder;
  std::string directory = (folder / "state").string(), file = directory + "/state.db";
};

TEST_F(StateStoreTest, KeepsWhatItWasGiven) {
  EXPECT_TRUE(read().empty());
  write({row(1), row(2, OwnSubscription::none), row(3, OwnSubscription::refused)});
  {
    const auto opened = open_state(directory);
    ASSERT_TRUE(opened);
    opened->store->save(row(1, OwnSubscription::granted));
    opened->store->forget(row(2).room, row(2).contact);
    opened->store->forget(row(9).room, row(9).contact);
  }
  EXPECT_EQ(read(), sorted({row(1, OwnSubscription::granted), row(3, OwnSubscription::refused)}));
}

TEST_F(StateStoreTest, IsTheModelAfterAnyHistory) {
  const auto seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  test::Dice dice(seed);
  std::map<int, OwnSubscription> model;
  for (int process = 0; process < 10; ++process) {
    const auto opened = open_state(directory);
    ASSERT_TRUE(opened) << opened.error().text;
    std::vector<Subscription> expected;
    for (const auto& [n, own] : model) expected.push_back(row(n, own));
    EXPECT_EQ(sorted(opened->subscriptions), sorted(expected));
    for (auto i = dice.below(200); i > 0; --i) {
      const int n = static_cast<int>(dice.below(50));
      if (dice.chance(0.3)) {
        model.erase(n);
        opened->store->forget(row(n).room, row(n).contact);
      } else {
        model[n] = static_cast<OwnSubscription>(dice.below(4));
        opened->store->save(row(n, model[n]));
      }
    }
  }
}

TEST_F(StateStoreTest, KeepsWhatStandsPublished) {
  const Published tune{jid("bot@localhost"), "http://jabber.org/protocol/tune", "current"};
  const Published viewing{tune.by, "urn:xmpp:viewing:0", "8eaa"};
  {
    const auto opened = open_state(directory);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(opened->published.empty());
    opened->store->save(tune);
    opened->store->save(viewing);
    opened->store->save(row(1));
  }
  {
    const auto opened = open_state(directory);
    ASSERT_TRUE(opened);
    EXPECT_THAT(opened->published, testing::UnorderedElementsAre(tune, viewing));
    opened->store->forget(tune.by, tune.node);
    opened->store->forget(tune.by, "another");
  }
  const auto opened = open_state(directory);
  ASSERT_TRUE(opened);
  EXPECT_THAT(opened->published, testing::ElementsAre(viewing));
  EXPECT_EQ(opened->subscriptions, std::vector<Subscription>{row(1)});
}

TEST_F(StateStoreTest, KeepsWhatPeopleHaveSubscribedToByName) {
  using jingle::pep::Node;
  const jingle::Jid room = jid("room@mixer.localhost");
  const NodeSubscription ann{room, jid("ann@localhost"), {Node::tune, Node::mood}};
  const NodeSubscription phone{room, jid("ann@localhost/phone & desk"), {Node::avatar}};
  {
    const auto opened = open_state(directory);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(opened->node_subscriptions.empty());
    opened->store->save(ann);
    opened->store->save(phone);
    opened->store->save(NodeSubscription{room, jid("bob@localhost"), {}});
    opened->store->save(row(1));
  }
  NodeSubscription less = ann;
  less.nodes.erase(Node::mood);
  {
    const auto opened = open_state(directory);
    ASSERT_TRUE(opened);
    EXPECT_THAT(opened->node_subscriptions, testing::UnorderedElementsAre(ann, phone));
    opened->store->save(less);
    opened->store->save(NodeSubscription{room, phone.subscriber, {}});
  }
  const auto opened = open_state(directory);
  ASSERT_TRUE(opened);
  EXPECT_THAT(opened->node_subscriptions, testing::ElementsAre(less));
  EXPECT_EQ(opened->subscriptions, std::vector<Subscription>{row(1)});
}

TEST_F(StateStoreTest, ARowThatSaysNothingIsPassedOver) {
  write({});
  ASSERT_EQ(execute(file,
                    "INSERT INTO node_subscription VALUES"
                    " ('room@mixer.localhost', 'ann@localhost',"
                    "  'http://jabber.org/protocol/tune urn:example:later  '),"
                    " ('room@mixer.localhost', 'bob@localhost', ''),"
                    " ('room@mixer.localhost', 'cyd@localhost', 'urn:example:later'),"
                    " ('room@mixer.localhost', '@', 'http://jabber.org/protocol/tune'),"
                    " ('a b@mixer.localhost', 'ann@localhost', 'http://jabber.org/protocol/tune')"),
            SQLITE_OK);
  const auto opened = open_state(directory);
  ASSERT_TRUE(opened) << opened.error().text;
  EXPECT_THAT(opened->node_subscriptions,
              testing::ElementsAre(NodeSubscription{
                  jid("room@mixer.localhost"), jid("ann@localhost"), {jingle::pep::Node::tune}}));
}

// Made by the versions of this program before.
TEST_F(StateStoreTest, OpensWhatAnOlderOneLeft) {
  write({row(1)});
  for (const char* older : {"DROP TABLE node_subscription; PRAGMA user_version = 2",
                            "DROP TABLE node_subscription; DROP TABLE published;"
                            "PRAGMA user_version = 1"}) {
    ASSERT_EQ(execute(file, older), SQLITE_OK);
    const auto opened = open_state(directory);
    ASSERT_TRUE(opened) << opened.error().text;
    EXPECT_EQ(opened->subscriptions, std::vector<Subscription>{row(1)});
    EXPECT_TRUE(opened->published.empty());
    EXPECT_TRUE(opened->node_subscriptions.empty());
  }
}

TEST_F(StateStoreTest, IsForOurEyesOnly) {
  const mode_t before = umask(0);
  const auto opened = open_state(directory);
  umask(before);
  ASSERT_TRUE(opened);
  EXPECT_EQ(mode_of(directory), 0700u);
  EXPECT_EQ(mode_of(file), 0600u);
  EXPECT_EQ(mode_of(file + "-wal"), 0600u);
}

TEST_F(StateStoreTest, BecomesPrivateThoughSomebodyOpenedItUp) {
  write({});
  chmod(file.c_str(), 0644);
  write({});
  EXPECT_EQ(mode_of(file), 0600u);
}

TEST_F(StateStoreTest, IsForOneAtATime) {
  const auto opened = open_state(directory);
  ASSERT_TRUE(opened);
  expect_refused(Kind::in_use);
  opened->store->save(row(1));
}

TEST_F(StateStoreTest, WhatALaterVersionWroteIsLeftAlone) {
  write({row(1)});
  ASSERT_EQ(execute(file, "PRAGMA user_version = 1000"), SQLITE_OK);
  expect_refused(Kind::newer);
  ASSERT_EQ(execute(file, "PRAGMA user_version = 3"), SQLITE_OK);
  EXPECT_EQ(read(), std::vector{row(1)});
}

TEST_F(StateStoreTest, AnEmptyFileIsTheFirstVersion) {
  ASSERT_TRUE(std::filesystem::create_directory(directory));
  std::ofstream(file).close();
  EXPECT_TRUE(read().empty());
  write({row(1)});
  EXPECT_EQ(read(), std::vector{row(1)});
}

TEST_F(StateStoreTest, NonsenseIsCorrupt) {
  ASSERT_TRUE(std::filesystem::create_directory(directory));
  std::ofstream(file) << std::string(8192, 'x');
  expect_refused(Kind::corrupt);
}

TEST_F(StateStoreTest, DamageInTheMiddleIsCorrupt) {
  std::vector<Subscription> rows;
  for (int i = 0; i < 500; ++i) rows.push_back(row(i));
  write(rows);
  const auto size = std::filesystem::file_size(file);
  ASSERT_GT(size, 3 * 4096u);
  std::fstream damage(file, std::ios::in | std::ios::out | std::ios::binary);
  damage.seekp(4096);
  damage << std::string(size - 4096, '\xff');
  damage.close();
  expect_refused(Kind::corrupt);
}

TEST_F(StateStoreTest, WhatIsNotOursToWriteIsReadOnly) {
  write({row(1)});
  chmod(folder.path().c_str(), 0755);
  chmod(directory.c_str(), 0555);
  chmod(file.c_str(), 0444);
  // Nothing is forbidden to root.
  const bool root = geteuid() == 0;
  if (root) {
    ASSERT_EQ(seteuid(65534), 0);
  }
  const auto opened = open_state(directory);
  if (root) {
    ASSERT_EQ(seteuid(0), 0);
  }
  chmod(directory.c_str(), 0755);
  ASSERT_FALSE(opened);
  EXPECT_STREQ(to_string(opened.error().kind), "read-only") << opened.error().text;
}

TEST_F(StateStoreTest, WithoutADirectoryAboveItFails) {
  directory += "/a/b";
  const auto opened = open_state(directory);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().text, testing::HasSubstr("No such file or directory"));
}

// The limit of a file's size stands for a full disk: SQLite cannot write, and says so.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    limit(bytes);
  }
  ~FullDisk() {
    limit(RLIM_INFINITY);
    signal(SIGXFSZ, SIG_DFL);
  }

 private:
  static void limit(rlim_t bytes) {
    rlimit limits{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limits), 0);
    limits.rlim_cur = std::min(bytes, limits.rlim_max);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limits), 0);
  }
};

// The log while it exists.
class CapturedLog {
 public:
  explicit CapturedLog(const std::string& file) : file_(file), stderr_(dup(STDERR_FILENO)) {
    const int to = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(to, STDERR_FILENO);
    close(to);
  }
  ~CapturedLog() {
    dup2(stderr_, STDERR_FILENO);
    close(stderr_);
  }
  std::ptrdiff_t lines(const std::string& text) const {
    std::ifstream in(file_);
    std::ptrdiff_t count = 0;
    for (std::string line; std::getline(in, line);) count += line.find(text) != std::string::npos;
    return count;
  }

 private:
  std::string file_;
  int stderr_;
};

TEST_F(StateStoreTest, WhatAFullDiskDidNotTakeIsWrittenLater) {
  set_log_level("info");
  write({row(0)});
  std::vector<Subscription> rows;
  for (int i = 0; i < 2000; ++i) rows.push_back(row(i));
  const CapturedLog log((folder / "log").string());
  {
    const auto opened = open_state(directory);
    ASSERT_TRUE(opened);
    const FullDisk full(64 * 1024);
    for (const Subscription& each : rows) opened->store->save(each);
    EXPECT_TRUE(support::eventually([&] { return log.lines("state=failing") == 1; }));
    opened->store->save(row(0, OwnSubscription::refused));
    rows[0] = row(0, OwnSubscription::refused);
  }  // there is room again, and the store makes its last try
  EXPECT_EQ(log.lines("state=failing"), 1) << "said once";
  EXPECT_EQ(log.lines("state=written"), 1);
  EXPECT_EQ(read(), sorted(rows));
}

TEST_F(StateStoreTest, ChangesThatAreLostAreSaidOnce) {
  set_log_level("info");
  write({row(0)});
  const CapturedLog log((folder / "log").string());
  {
    const auto opened = open_state(directory);
    ASSERT_TRUE(opened);
    const FullDisk full(4096);
    const jingle::Jid room = jid("room@mixer.localhost");
    // What is being tried at this moment is not among those that wait.
    opened->store->save(row(0, OwnSubscription::refused));
    EXPECT_TRUE(support::eventually([&] { return log.lines("state=failing") == 1; }));
    for (std::size_t i = 0; i < limits::kMaxUnwrittenRows + 10; ++i) {
      opened->store->forget(room, jingle::Jid::of("u" + std::to_string(i), "localhost"));
    }
    EXPECT_EQ(log.lines("state=losing"), 1);
  }
  EXPECT_EQ(log.lines("state=losing"), 1) << "said once";
}

}  // namespace
}  // namespace mixer
