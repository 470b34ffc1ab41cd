#include "tests/support/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sstream>
#include <stdexcept>

#include "tests/support/eventually.h"

extern char** environ;

namespace support {
namespace {

std::vector<std::string> merged_environment(
    const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text = *entry;
    const std::string_view key = text.substr(0, text.find('='));
    bool replaced = false;
    for (const auto& [name, value] : added) replaced = replaced || name == key;
    if (!replaced) result.emplace_back(text);
  }
  for (const auto& [name, value] : added) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Process::Process(const Spec& spec) {
  output_fd_ = spec.output.empty()
                   ? ::memfd_create("output", MFD_CLOEXEC)
                   : ::open(spec.output.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (output_fd_ < 0) throw std::runtime_error("cannot keep the output of " + spec.argv.at(0));
  // Everything that allocates happens before fork(): another thread may hold malloc's lock.
  std::vector<std::string> argv = spec.argv, env = merged_environment(spec.env);
  const std::vector<char*> argv_pointers = pointers(argv), env_pointers = pointers(env);
  const std::string cwd = spec.cwd.string();
  const pid_t parent = ::getpid();

  pid_ = ::fork();
  if (pid_ == 0) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // died in between
    const int null = ::open("/dev/null", O_RDONLY);
    ::dup2(null, 0);
    ::dup2(output_fd_, 1);
    ::dup2(output_fd_, 2);
    ::close_range(3, ~0U, 0);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (!cwd.empty() && ::chdir(cwd.c_str()) != 0) ::_exit(126);
    ::execvpe(argv_pointers[0], argv_pointers.data(), env_pointers.data());
    ::_exit(127);
  }
  if (pid_ < 0) {
    ::close(output_fd_);
    throw std::runtime_error("fork: " + spec.argv.at(0));
  }
  ::setpgid(pid_, pid_);
}

Process::~Process() {
  terminate();
  ::close(output_fd_);
}

bool Process::running() { return !wait(std::chrono::milliseconds(0)); }

std::string Process::output() const {
  struct stat info {};
  if (::fstat(output_fd_, &info) != 0) return {};
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  const ssize_t n = ::pread(output_fd_, text.data(), text.size(), 0);
  text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return text;
}

bool Process::wait_for_output(std::string_view text, std::chrono::milliseconds within) {
  bool found = false;
  eventually(
      [&] {
        const bool ended = !running();
        found = output().find(text) != std::string::npos;
        return found || ended;
      },
      within);
  return found;
}

std::optional<int> Process::wait(std::chrono::milliseconds within) {
  if (pid_ < 0 || status_) return status_;
  eventually(
      [&] {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) status_ = exit_code(status);
        return status_.has_value();
      },
      within);
  return status_;
}

void Process::signal(int number) {
  if (pid_ > 0 && !status_) ::kill(pid_, number);
}

std::optional<int> Process::terminate(std::chrono::milliseconds grace) {
  if (pid_ < 0 || status_) return status_;
  ::kill(-pid_, SIGTERM);
  if (!wait(grace)) {
    ::kill(-pid_, SIGKILL);
    wait(std::chrono::seconds(10));
  }
  return status_;
}

int run_command(const Process::Spec& spec, std::string* output) {
  Process process(spec);
  const int code = process.wait(std::chrono::seconds(60)).value_or(-1);
  if (output) *output = process.output();
  return code;
}

bool have_program(const std::string& program) {
  if (program.find('/') != std::string::npos) return ::access(program.c_str(), X_OK) == 0;
  const char* path = ::getenv("PATH");
  std::istringstream folders(std::string(path ? path : "") + ":/usr/sbin:/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace support
