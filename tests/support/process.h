// tests/support/process.h: child processes that never outlive the test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

// A child in its own process group, ended with its owner (and by the kernel when the test dies:
// PR_SET_PDEATHSIG). Owned and waited for by one thread, the one that started it.
class Process {
 public:
  struct Spec {
    std::vector<std::string> argv;                              // argv[0] is looked up in PATH
    std::vector<std::pair<std::string, std::string>> env = {};  // added to ours
    std::filesystem::path cwd = {};
    // stdout and stderr together; empty: kept in memory.
    std::filesystem::path output = {};
  };

  explicit Process(const Spec& spec);  // throws std::runtime_error when it cannot be started
  ~Process();                          // terminate()
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  // Everything it has written so far.
  std::string output() const;
  // False when it has ended or the deadline has passed without `text` in its output.
  bool wait_for_output(std::string_view text,
                       std::chrono::milliseconds within = std::chrono::seconds(30));
  // Exit code, 128 + signal when it died of one; nullopt: still running at the deadline.
  std::optional<int> wait(std::chrono::milliseconds within = std::chrono::seconds(30));
  void signal(int number);
  // SIGTERM to its group, SIGKILL after `grace`; returns as wait() does. Harmless when it has
  // ended.
  std::optional<int> terminate(std::chrono::milliseconds grace = std::chrono::seconds(10));

 private:
  pid_t pid_ = -1;
  int output_fd_ = -1;
  std::optional<int> status_;
};

// Runs a command to its end and returns its exit code; its output goes to `output` if given.
int run_command(const Process::Spec& spec, std::string* output = nullptr);

// Whether `program` is an executable file, by path or in PATH or in the sbin folders.
bool have_program(const std::string& program);

}  // namespace support
