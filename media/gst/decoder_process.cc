#include "media/gst/decoder_process.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace media::gst {
namespace {

struct Pipe {
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("No pipe is left for a decoder.");
    read = Fd(ends[0]);
    write = Fd(ends[1]);
  }
  Fd read, write;
};

// Beyond those that the child wants, so that none is overwritten by another on its way there.
Fd out_of_the_way(const Fd& fd) { return Fd(fcntl(fd.get(), F_DUPFD_CLOEXEC, 10)); }

void hand_over(posix_spawn_file_actions_t& actions, std::span<const std::pair<int, int>> fds) {
  for (const auto& [ours, theirs] : fds) posix_spawn_file_actions_adddup2(&actions, ours, theirs);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, kDecoderSeeks_fd + 1);
}

int spawn(const std::string& program, const std::vector<std::string>& arguments,
          std::span<const std::pair<int, int>> fds) {
  std::vector<char*> argv;
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
  if (error != 0) throw std::runtime_error("A decoder does not start.");
  return pid;
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

Fd open_beneath(const std::string& directory, const std::string& name) {
  const Fd at(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // a FIFO must not hold us up
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  Fd file(static_cast<int>(syscall(SYS_openat2, at.get(), name.c_str(), &how, sizeof how)));
  struct stat status {};
  const bool regular = file && fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode);
  return regular ? std::move(file) : Fd();
}

DecoderProcess::DecoderProcess(const std::string& program, Fd input, double loudness_lufs)
    : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  Pipe messages, seeks;
  const Fd in = out_of_the_way(input), out = out_of_the_way(messages.write),
           commands = out_of_the_way(seeks.read);
  const std::pair<int, int> fds[] = {{in.get(), kDecoderInput_fd},
                                     {out.get(), kDecoderMessages_fd},
                                     {commands.get(), kDecoderSeeks_fd}};
  pid_ = spawn(program, {"jingle-mixer", kDecoderArgument, std::to_string(loudness_lufs)}, fds);
  messages_ = std::move(messages.read);
  seeks_ = std::move(seeks.write);
  fcntl(seeks_.get(), F_SETFL, O_NONBLOCK);
}

DecoderProcess::~DecoderProcess() {
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<DecoderProcess::Message> DecoderProcess::next(Silence& why) {
  buffer_.clear();
  DecoderHeader header;
  if (!fill(sizeof header, why)) return std::nullopt;
  std::memcpy(&header, buffer_.data(), sizeof header);
  why = Silence::gone;  // who speaks nonsense is not listened to any more
  if (header.bytes > kMaxDecoderMessageBytes || header.kind > DecoderHeader::Kind::error) return {};
  if (!fill(sizeof header + header.bytes, why)) return std::nullopt;
  return Message{header.kind, std::span(buffer_).subspan(sizeof header)};
}

// Until the buffer has so many. Woken only between messages.
bool DecoderProcess::fill(std::size_t bytes, Silence& why) {
  while (buffer_.size() < bytes) {
    pollfd waiting[] = {{.fd = messages_.get(), .events = POLLIN, .revents = 0},
                        {.fd = wake_.get(), .events = POLLIN, .revents = 0}};
    const nfds_t count = buffer_.empty() ? 2 : 1;
    const int ready = poll(waiting, count, std::chrono::milliseconds(kPatience).count());
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
    if (got == 0 || (got < 0 && errno != EINTR)) return false;
  }
  return true;
}

void DecoderProcess::seek(std::chrono::milliseconds to) {
  const std::int64_t to_ms = to.count();
  (void)!write(seeks_.get(), &to_ms, sizeof to_ms);
}

void DecoderProcess::wake() {
  const std::uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof one);
}

}  // namespace media::gst
