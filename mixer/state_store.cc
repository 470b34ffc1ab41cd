#include "mixer/state_store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

#include "media/thread_role.h"
#include "mixer/log.h"
#include "mixer/shell_limits.h"

namespace mixer {
namespace {

constexpr char kFile[] = "/state.db";
// Each takes a database of version n (PRAGMA user_version) to n + 1. Never edited once released:
// what is there was made by them.
constexpr std::array kMigrations{
    "CREATE TABLE subscription ("
    "  room TEXT NOT NULL, contact TEXT NOT NULL,"
    "  own TEXT NOT NULL CHECK (own IN ('none', 'asked', 'granted', 'refused')),"
    "  PRIMARY KEY (room, contact)) STRICT, WITHOUT ROWID",
    "CREATE TABLE published ("
    "  publisher TEXT NOT NULL, node TEXT NOT NULL, item TEXT NOT NULL,"
    "  PRIMARY KEY (publisher, node)) STRICT, WITHOUT ROWID",
    "CREATE TABLE node_subscription ("
    "  room TEXT NOT NULL, subscriber TEXT NOT NULL,"
    "  nodes TEXT NOT NULL,"  // ids, with a space between
    "  PRIMARY KEY (room, subscriber)) STRICT, WITHOUT ROWID",
};
constexpr std::array<std::pair<OwnSubscription, std::string_view>, 4> kOwn{
    {{OwnSubscription::none, "none"},
     {OwnSubscription::asked, "asked"},
     {OwnSubscription::granted, "granted"},
     {OwnSubscription::refused, "refused"}}};

struct Closer {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Closer>;
using Statement = std::unique_ptr<sqlite3_stmt, Closer>;

// What SQLite says, thrown within this file only.
struct Failure {
  int code;
  std::string text;
};

void check(int code, sqlite3* database) {
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
  throw Failure{code, database ? sqlite3_errmsg(database) : sqlite3_errstr(code)};
}

Statement prepare(sqlite3* database, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  check(sqlite3_prepare_v2(database, sql, -1, &statement, nullptr), database);
  return Statement(statement);
}

bool step(const Statement& statement) {
  const int code = sqlite3_step(statement.get());
  check(code, sqlite3_db_handle(statement.get()));
  return code == SQLITE_ROW;
}

void run(sqlite3* database, const char* sql) {
  check(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), database);
}

std::string_view text_of(const Statement& row, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row.get(), column));
  return text ? std::string_view(text) : std::string_view();
}

void bind_text(const Statement& statement, int parameter, std::string_view text) {
  check(sqlite3_bind_text(statement.get(), parameter, text.data(), static_cast<int>(text.size()),
                          SQLITE_TRANSIENT),
        sqlite3_db_handle(statement.get()));
}

StateError::Kind kind_of(int code) {
  switch (code & 0xff) {  // the primary result code
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return StateError::Kind::in_use;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return StateError::Kind::corrupt;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return StateError::Kind::read_only;
    case SQLITE_FULL: return StateError::Kind::full;
    default: return StateError::Kind::other;
  }
}

StateError from_errno(int error, const std::string& what) {
  const auto kind = error == EACCES || error == EPERM || error == EROFS
                        ? StateError::Kind::read_only
                    : error == ENOSPC || error == EDQUOT ? StateError::Kind::full
                                                         : StateError::Kind::other;
  return {kind, what + ": " + std::generic_category().message(error)};
}

// Our own mode, which SQLite gives to the files beside it, too. Closed before SQLite opens it: a
// process that closes a file loses all of its locks on it.
std::optional<StateError> make_private(const std::string& directory, const std::string& file) {
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return from_errno(errno, directory);
  const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return from_errno(errno, file);
  const int made = fchmod(fd, 0600);
  const int error = errno;
  close(fd);
  if (made != 0) return from_errno(error, file);
  return std::nullopt;
}

// In exclusive mode there is no file of shared memory, and the lock lasts as long as the process.
void take(sqlite3* database) {
  run(database, "PRAGMA locking_mode = EXCLUSIVE");
  run(database, "PRAGMA journal_mode = WAL");
  run(database, "PRAGMA synchronous = NORMAL");
  run(database, "BEGIN IMMEDIATE");
}

// Requires: within a transaction. The version found, if it is beyond what we know.
std::optional<int> migrate(sqlite3* database) {
  const Statement version = prepare(database, "PRAGMA user_version");
  step(version);
  const int found = sqlite3_column_int(version.get(), 0);
  constexpr int kVersion = static_cast<int>(kMigrations.size());
  if (found > kVersion || found < 0) return found;
  for (auto i = static_cast<std::size_t>(found); i < kMigrations.size(); ++i) {
    run(database, kMigrations[i]);
    run(database, ("PRAGMA user_version = " + std::to_string(i + 1)).c_str());
  }
  return std::nullopt;
}

std::vector<Subscription> load_subscriptions(sqlite3* database) {
  std::vector<Subscription> rows;
  const Statement all = prepare(database, "SELECT room, contact, own FROM subscription");
  while (step(all)) {
    const auto room = jingle::Jid::parse(text_of(all, 0));
    const auto contact = jingle::Jid::parse(text_of(all, 1));
    const auto* own = kOwn.begin();
    while (own != kOwn.end() && own->second != text_of(all, 2)) ++own;
    if (room && contact && own != kOwn.end()) rows.push_back({*room, *contact, own->first});
  }
  return rows;
}

std::vector<NodeSubscription> load_node_subscriptions(sqlite3* database) {
  std::vector<NodeSubscription> rows;
  const Statement all = prepare(database, "SELECT room, subscriber, nodes FROM node_subscription");
  while (step(all)) {
    const auto room = jingle::Jid::parse(text_of(all, 0));
    const auto subscriber = jingle::Jid::parse(text_of(all, 1));
    std::set<jingle::pep::Node> nodes;
    std::istringstream ids{std::string(text_of(all, 2))};
    for (std::string id; ids >> id;) {
      if (const auto node = jingle::pep::node_of(id)) nodes.insert(*node);
    }
    if (room && subscriber && !nodes.empty()) rows.push_back({*room, *subscriber, nodes});
  }
  return rows;
}

std::vector<Published> load_published(sqlite3* database) {
  std::vector<Published> rows;
  const Statement all = prepare(database, "SELECT publisher, node, item FROM published");
  while (step(all)) {
    const auto by = jingle::Jid::parse(text_of(all, 0));
    if (by) rows.push_back({*by, std::string(text_of(all, 1)), std::string(text_of(all, 2))});
  }
  return rows;
}

class SqliteStore : public StateStore {
 public:
  explicit SqliteStore(Database database)
      : database_(std::move(database)),
        subscriptions_{
            prepare(database_.get(), "INSERT OR REPLACE INTO subscription VALUES (?, ?, ?)"),
            prepare(database_.get(), "DELETE FROM subscription WHERE room = ? AND contact = ?")},
        node_subscriptions_{
            prepare(database_.get(), "INSERT OR REPLACE INTO node_subscription VALUES (?, ?, ?)"),
            prepare(database_.get(),
                    "DELETE FROM node_subscription WHERE room = ? AND subscriber = ?")},
        published_{
            prepare(database_.get(), "INSERT OR REPLACE INTO published VALUES (?, ?, ?)"),
            prepare(database_.get(), "DELETE FROM published WHERE publisher = ? AND node = ?")},
        thread_([this] { write_all(); }) {}
  ~SqliteStore() override {
    {
      const media::MutexLock lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  void save(const Subscription& row) override {
    change({Table::subscriptions, row.room.str(), row.contact.str()},
           std::string(kOwn[static_cast<std::size_t>(row.own)].second));
  }
  void forget(const jingle::Jid& room, const jingle::Jid& contact) override {
    change({Table::subscriptions, room.str(), contact.str()}, std::nullopt);
  }
  void save(const NodeSubscription& row) override {
    std::string nodes;
    for (const auto node : row.nodes) {
      nodes.append(nodes.empty() ? "" : " ").append(jingle::pep::id_of(node));
    }
    change({Table::node_subscriptions, row.room.str(), row.subscriber.str()},
           nodes.empty() ? std::nullopt : std::optional(std::move(nodes)));
  }
  void save(const Published& row) override {
    change({Table::published, row.by.str(), row.node}, row.item);
  }
  void forget(const jingle::Jid& by, const std::string& node) override {
    change({Table::published, by.str(), node}, std::nullopt);
  }

 private:
  enum class Table { subscriptions, node_subscriptions, published };
  using Key = std::tuple<Table, std::string, std::string>;  // all have two columns of it
  // What is to become of each row, its third column; nullopt: it goes.
  using Changes = std::map<Key, std::optional<std::string>>;
  struct Statements {
    Statement save, forget;
  };

  void change(const Key& key, std::optional<std::string> value) {
    bool begins_losing = false;
    {
      const media::MutexLock lock(mutex_);
      const bool full = pending_.size() >= limits::kMaxUnwrittenRows && !pending_.contains(key);
      if (!full) pending_[key] = std::move(value);
      begins_losing = full && !std::exchange(losing_, true);
    }
    changed_.notify_one();
    if (begins_losing) {
      write_log(
          Log::Level::error,
          "state=losing " + field("kept", "the first " + std::to_string(limits::kMaxUnwrittenRows) +
                                              " changed rows; no more changes"));
    }
  }

  void write_all() {
    bool failed = false;
    while (true) {
      Changes changes;
      bool last = false;
      {
        const media::MutexLock lock(mutex_);
        while (pending_.empty() && !stopping_) changed_.wait(mutex_);
        const auto retry_at = std::chrono::steady_clock::now() + limits::kStateRetry;
        while (failed && !stopping_ &&
               changed_.wait_until(mutex_, retry_at) != std::cv_status::timeout) {
        }
        last = stopping_;
        changes.swap(pending_);
      }
      const auto error = write(changes);
      if (error && !failed) {
        write_log(Log::Level::error,
                  std::string("state=failing ") + field("error", to_string(error->kind)) + " " +
                      field("text", error->text + "; kept in memory, tried again every minute"));
      } else if (!error && failed) {
        write_log(Log::Level::info, "state=written");
      }
      failed = error.has_value();
      if (last) return;
      const media::MutexLock lock(mutex_);
      if (failed) {
        pending_.merge(changes);  // newer ones stay
      } else {
        losing_ = false;
      }
    }
  }

  std::optional<StateError> write(const Changes& changes) {
    if (changes.empty()) return std::nullopt;
    const std::array tables{&subscriptions_, &node_subscriptions_, &published_};
    try {
      run(database_.get(), "BEGIN IMMEDIATE");
      for (const auto& [key, value] : changes) {
        const auto& [table, first, second] = key;
        const Statements& statements = *tables[static_cast<std::size_t>(table)];
        const Statement& statement = value ? statements.save : statements.forget;
        bind_text(statement, 1, first);
        bind_text(statement, 2, second);
        if (value) bind_text(statement, 3, *value);
        step(statement);
        sqlite3_reset(statement.get());
      }
      run(database_.get(), "COMMIT");
    } catch (const Failure& failure) {
      for (const Statements* table : tables) {
        sqlite3_reset(table->save.get());
        sqlite3_reset(table->forget.get());
      }
      sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
      return StateError{kind_of(failure.code), failure.text};
    }
    write_log(Log::Level::debug, "state=written " + field("rows", std::to_string(changes.size())));
    return std::nullopt;
  }

  // The thread's alone once it runs.
  Database database_;
  Statements subscriptions_, node_subscriptions_, published_;

  media::Mutex mutex_;
  std::condition_variable_any changed_;
  Changes pending_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool losing_ ABSL_GUARDED_BY(mutex_) = false;  // since the disk took something last

  std::thread thread_;
};

}  // namespace

const char* to_string(StateError::Kind kind) {
  switch (kind) {
    case StateError::Kind::in_use: return "in-use";
    case StateError::Kind::newer: return "newer-version";
    case StateError::Kind::corrupt: return "corrupt";
    case StateError::Kind::read_only: return "read-only";
    case StateError::Kind::full: return "disk-full";
    case StateError::Kind::other: break;
  }
  return "failed";
}

bool has_state(const std::string& directory) {
  return !directory.empty() && access((directory + kFile).c_str(), F_OK) == 0;
}

tl::expected<OpenedState, StateError> open_state(const std::string& directory) {
  const std::string file = directory + kFile;
  if (auto error = make_private(directory, file)) return tl::unexpected(std::move(*error));
  try {
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(file.c_str(), &opened,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    Database database(opened);
    check(code, opened);
    take(opened);
    if (const auto version = migrate(opened)) {
      return tl::unexpected(
          StateError{StateError::Kind::newer, file + ": version " + std::to_string(*version) +
                                                  ", this program knows " +
                                                  std::to_string(kMigrations.size())});
    }
    std::vector<Subscription> subscriptions = load_subscriptions(opened);
    std::vector<NodeSubscription> node_subscriptions = load_node_subscriptions(opened);
    std::vector<Published> published = load_published(opened);
    run(opened, "COMMIT");
    return OpenedState{std::make_unique<SqliteStore>(std::move(database)), std::move(subscriptions),
                       std::move(node_subscriptions), std::move(published)};
  } catch (const Failure& failure) {
    return tl::unexpected(StateError{kind_of(failure.code), file + ": " + failure.text});
  }
}

}  // namespace mixer
