#include "media/gst/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>

namespace media::gst {
namespace {

// Beyond those that the child wants, so that none is overwritten by another on its way there.
Fd out_of_the_way(const Fd& fd) {
  Fd copy(fcntl(fd.get(), F_DUPFD_CLOEXEC, 10));
  if (!copy) throw std::runtime_error(kTooMuchOpen);
  return copy;
}

void hand_over(posix_spawn_file_actions_t& actions, std::span<const std::pair<int, int>> fds) {
  for (const auto& [ours, theirs] : fds) posix_spawn_file_actions_adddup2(&actions, ours, theirs);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, kChildExtra_fd + 1);
}

int spawn(const std::string& program, const std::vector<std::string>& arguments,
          std::span<const std::pair<int, int>> fds) {
  std::vector<char*> argv{const_cast<char*>("jingle-mixer")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  hand_over(actions, fds);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) throw std::runtime_error(kCannotStart);
  return pid;
}

bool write_all(const void* data, std::size_t bytes) {
  const auto* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t wrote = write(kChildMessages_fd, at, bytes);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    at += wrote;
    bytes -= static_cast<std::size_t>(wrote);
  }
  return true;
}

}  // namespace

Fd::Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
Fd& Fd::operator=(Fd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

Pipe::Pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error(kTooMuchOpen);
  read = Fd(ends[0]);
  write = Fd(ends[1]);
}

void say_to_parent(std::uint32_t kind, const void* data, std::size_t bytes) {
  const ChildHeader header{kind, static_cast<std::uint32_t>(bytes)};
  if (!write_all(&header, sizeof header) || !write_all(data, bytes)) _exit(0);
}

ChildProcess::ChildProcess(const std::string& program, const std::vector<std::string>& arguments,
                           const Fd& input, const Fd& extra)
    : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_) throw std::runtime_error(kTooMuchOpen);
  Pipe messages;
  const Fd in = out_of_the_way(input), out = out_of_the_way(messages.write),
           more = out_of_the_way(extra);
  const std::pair<int, int> fds[] = {
      {in.get(), kChildInput_fd}, {out.get(), kChildMessages_fd}, {more.get(), kChildExtra_fd}};
  pid_ = spawn(program, arguments, fds);
  messages_ = std::move(messages.read);
}

ChildProcess::~ChildProcess() {
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<ChildProcess::Message> ChildProcess::next(Silence& why,
                                                        std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  if (std::exchange(told_, false)) buffer_.clear();
  ChildHeader header;
  if (!fill(sizeof header, why, until)) return std::nullopt;
  std::memcpy(&header, buffer_.data(), sizeof header);
  why = Silence::gone;
  if (header.bytes > kMaxChildMessageBytes) return std::nullopt;
  if (!fill(sizeof header + header.bytes, why, until)) return std::nullopt;
  told_ = true;
  return Message{header.kind, std::span(buffer_).subspan(sizeof header)};
}

// Until the buffer has so many.
bool ChildProcess::fill(std::size_t bytes, Silence& why,
                        std::chrono::steady_clock::time_point until) {
  using std::chrono::milliseconds;
  while (buffer_.size() < bytes) {
    pollfd waiting[] = {{.fd = messages_.get(), .events = POLLIN, .revents = 0},
                        {.fd = wake_.get(), .events = POLLIN, .revents = 0}};
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    const int ready = poll(waiting, 2, static_cast<int>(std::max(left, milliseconds(0)).count()));
    if (ready < 0 && errno == EINTR) continue;
    why = ready == 0 ? Silence::stuck : Silence::gone;
    if (ready <= 0) return false;
    if (waiting[1].revents != 0) {
      std::uint64_t wakes = 0;
      why = Silence::woken;
      if (read(wake_.get(), &wakes, sizeof wakes) == sizeof wakes) return false;
    }
    const std::size_t had = buffer_.size();
    buffer_.resize(bytes);
    const ssize_t got = read(messages_.get(), buffer_.data() + had, bytes - had);
    buffer_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    why = Silence::gone;
    if (got == 0 || (got < 0 && errno != EINTR)) return false;
  }
  return true;
}

void ChildProcess::wake() {
  const std::uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof one);
}

}  // namespace media::gst
