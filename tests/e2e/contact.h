// tests/e2e/contact.h: a contact that shares no code with the project (contact.py): what it is told
// to do, and what came.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>

#include "tests/e2e/world.h"
#include "tests/support/data.h"
#include "tests/support/eventually.h"
#include "tests/support/presence_schema.h"

namespace e2e {

class Contact {
 public:
  static std::string missing() {
    std::string output;
    const int status =
        support::run_command({.argv = {"/usr/bin/python3", "-c", "import slixmpp"}}, &output);
    return status == 0 ? "" : "python3-slixmpp is needed: " + output;
  }
  // `program`: its client says that no person is behind it (XEP-0030 client/bot).
  Contact(const Server& server, const std::string& user, bool program = false)
      : jid_(user + "@localhost") {
    const auto fifo = (folder_ / "commands").string();
    if (mkfifo(fifo.c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
    commands_fd_ = open(fifo.c_str(), O_RDWR | O_CLOEXEC);
    support::Process::Spec spec{.argv = {"/bin/sh", "-c", "exec \"$@\" <\"$0\"", fifo,
                                         "/usr/bin/python3", test_support::data("e2e/contact.py"),
                                         "--server", "127.0.0.1:" + std::to_string(server.c2s_port),
                                         "--jid", jid_, "--password", kPassword, "--tls",
                                         server.tls ? "trust-all" : "off"}};
    if (program) spec.argv.emplace_back("--program");
    process_ = std::make_unique<support::Process>(spec);
    EXPECT_TRUE(process_->wait_for_output("\"online\"", kWait)) << process_->output();
  }
  ~Contact() {
    for (const call::Json& event : told_of_anything()) {
      const auto node = jingle::pep::node_of(event["node"].string());
      const bool own = event["sender"].string() == jid_;
      if (!node || own) continue;
      EXPECT_EQ(test_support::presence_complaint(*node, event["payload"].string()), std::nullopt);
    }
    close(commands_fd_);
  }
  Contact(const Contact&) = delete;
  Contact& operator=(const Contact&) = delete;

  void say(const std::string& command) {
    const std::string line = command + "\n";
    ASSERT_EQ(write(commands_fd_, line.data(), line.size()), static_cast<ssize_t>(line.size()));
  }
  // What came, in order, if `wanted`.
  std::vector<call::Json> events(const std::function<bool(const call::Json&)>& wanted) const {
    std::vector<call::Json> found;
    std::istringstream lines(process_->output());
    for (std::string line; std::getline(lines, line);) {
      auto value = call::Json::parse(line);
      if (value && wanted(*value)) found.push_back(std::move(*value));
    }
    return found;
  }
  std::vector<call::Json> presences(const std::string& type, const std::string& from) const {
    return events([&](const call::Json& event) {
      return event["event"].string() == "presence" && event["type"].string() == type &&
             event["sender"].string() == from;
    });
  }
  // At least `times` since the beginning.
  bool sees(const std::string& type, const std::string& from, std::size_t times = 1) const {
    return support::eventually([&] { return presences(type, from).size() >= times; }, kWait);
  }
  bool answered(const std::string& event, const std::string& text) const {
    return support::eventually(
        [&] {
          return !events([&](const call::Json& each) {
                    return each["event"].string() == event &&
                           each.str().find(text) != std::string::npos;
                  }).empty();
        },
        kWait);
  }
  // A tune of that title, for anybody to read.
  void expose(const std::string& title) {
    say("expose " + title);
    ASSERT_TRUE(answered("expose", title)) << output();
  }
  // They come to see each other's presence.
  void befriend(const std::string& who) {
    say("subscribe " + who);
    ASSERT_TRUE(sees("subscribed", who)) << output();
    say("allow " + who);
  }
  // What came from nodes (XEP-0163), in order; the same from one of theirs.
  std::vector<call::Json> told_of_anything() const {
    return events([](const call::Json& event) { return event["event"].string() == "published"; });
  }
  std::vector<call::Json> told_of(const std::string& who, const std::string& node) const {
    return events([&](const call::Json& event) {
      return event["event"].string() == "published" && event["sender"].string() == who &&
             event["node"].string() == node;
    });
  }
  // The last of it: its payload, "empty", or "".
  std::string told(const std::string& who, const std::string& node) const {
    const auto all = told_of(who, node);
    if (all.empty()) return "";
    return all.back()["empty"].boolean() ? "empty" : all.back()["payload"].string();
  }
  bool is_told(const std::string& who, const std::string& node, const std::string& what) const {
    // A change is waited for, and comes some time after the one before (XEP-0118 §3).
    constexpr auto kForChanges = kWait + std::chrono::seconds(20);
    return support::eventually([&] { return told(who, node).find(what) != std::string::npos; },
                               kForChanges);
  }
  std::string output() const { return process_->output(); }

 private:
  const std::string jid_;
  support::TempDir folder_;
  int commands_fd_ = -1;
  std::unique_ptr<support::Process> process_;
};

}  // namespace e2e
