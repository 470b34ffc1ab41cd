// This test program in a sandbox of a piece's helpers, or in none: it tries what one that has been
// taken over would, and says of each what came of it. Its arguments: the sandbox, and a file that
// only its user may read.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "media/gst/child_sandbox.h"

namespace media::gst {
namespace {

// What a call returned, or did: refused is what the kernel does not even begin.
void say(const char* what, long result) {
  const bool refused = result < 0 && (errno == EPERM || errno == EACCES || errno == ENOSYS);
  std::string line = std::string(what) + (refused ? " refused\n" : " done\n");
  (void)!write(STDOUT_FILENO, line.data(), line.size());
}

long connect_to(int family) {
  const int fd = socket(family, SOCK_STREAM, 0);
  if (fd < 0) return fd;
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_port = htons(1);
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const long result =
      family == AF_INET ? connect(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) : 0;
  close(fd);
  return result;
}

long fork_once() {
  const auto pid = static_cast<int>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  if (pid == 0) _exit(0);
  if (pid > 0) waitpid(pid, nullptr, 0);
  return pid;
}

long start_thread() {
  pthread_t thread{};
  const int error = pthread_create(
      &thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr);
  if (error == 0) pthread_join(thread, nullptr);
  errno = error;
  return -error;
}

long look_into(int pid) {
  char byte = 0;
  const iovec local{&byte, 1}, remote{&byte, 1};
  return process_vm_readv(pid, &local, 1, &remote, 1, 0);
}

long queue_signal(long call, int pid) {
  siginfo_t info{};
  info.si_code = SI_QUEUE;
  return call == SYS_rt_sigqueueinfo ? syscall(call, pid, 0, &info)
                                     : syscall(call, pid, pid, 0, &info);
}

long give_priority(int pid) { return setpriority(PRIO_PROCESS, static_cast<id_t>(pid), 0); }

long bind_to_processor(int pid) {
  cpu_set_t all;
  if (sched_getaffinity(pid, sizeof all, &all) != 0) return -1;
  return sched_setaffinity(pid, sizeof all, &all);
}

void try_others(int parent, int pair) {
  say("kill", kill(parent, 0));
  say("tgkill", syscall(SYS_tgkill, parent, parent, 0));
  say("tkill", syscall(SYS_tkill, parent, 0));
  say("rt_sigqueueinfo", queue_signal(SYS_rt_sigqueueinfo, parent));
  say("rt_tgsigqueueinfo", queue_signal(SYS_rt_tgsigqueueinfo, parent));
  say("pidfd_open", syscall(SYS_pidfd_open, parent, 0));
  say("F_SETOWN", fcntl(pair, F_SETOWN, parent));
  // The kernel looks at 32 bits of it.
  say("F_SETOWN-wide", syscall(SYS_fcntl, pair, F_SETOWN | 1L << 32, parent));
  f_owner_ex owner{F_OWNER_PID, parent};
  say("F_SETOWN_EX", fcntl(pair, F_SETOWN_EX, &owner));
  say("FIOSETOWN", ioctl(pair, FIOSETOWN, &parent));
  say("setpriority", give_priority(parent));
  say("sched_setaffinity", bind_to_processor(parent));
  rlimit limits{};
  say("prlimit", prlimit(parent, RLIMIT_NOFILE, nullptr, &limits));
  say("process_vm_readv", look_into(parent));
  say("environ", open(("/proc/" + std::to_string(parent) + "/environ").c_str(), O_RDONLY));
  say("ptrace", ptrace(PTRACE_SEIZE, parent, nullptr, nullptr));
}

void try_files(const char* file) {
  say("read", open(file, O_RDONLY));
  say("write", open(file, O_WRONLY));
  say("chmod", chmod(file, 0600));
  say("touch", utimensat(AT_FDCWD, file, nullptr, 0));
  say("link", link(file, (std::string(file) + "2").c_str()));
  say("mkdir", mkdir((std::string(file) + "3").c_str(), 0700));
  say("hosts", open("/etc/hosts", O_RDONLY));
}

void try_all(int parent, const char* file) {
  int pair[2] = {-1, -1};
  (void)!socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  say("thread", start_thread());
  say("fork", fork_once());
  const char* const nothing[] = {nullptr};
  say("execve", execve("/nonexistent", const_cast<char**>(nothing), const_cast<char**>(nothing)));
  try_files(file);
  say("connect", connect_to(AF_INET));
  say("unix", connect_to(AF_UNIX));
  say("vsock", connect_to(AF_VSOCK));
  say("own-tgkill", syscall(SYS_tgkill, getpid(), getpid(), 0));
  try_others(parent, pair[0]);
}

// A GiB that is not touched.
void try_limits() {
  void* const memory =
      mmap(nullptr, 1U << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) errno = EPERM;
  say("memory", memory == MAP_FAILED ? -1 : 0);
  rlimit processor{};
  getrlimit(RLIMIT_CPU, &processor);
  errno = EPERM;
  say("processor", processor.rlim_max == RLIM_INFINITY ? 0 : -1);
}

[[gnu::constructor]] void probe_if_asked(int argc, char** argv, char**) {
  if (argc != 4 || std::strcmp(argv[1], "--probe") != 0) return;
  const std::string_view sandbox = argv[2];
  const int parent = getppid();
  if (sandbox != "none") limit_resources();
  if (sandbox == "decoder" && !enter_decoder_sandbox()) _exit(1);
  if (sandbox == "fetcher" && !enter_fetcher_sandbox(nullptr)) _exit(1);
  try_all(parent, argv[3]);
  try_limits();
  say("end", 0);
  _exit(0);
}

}  // namespace
}  // namespace media::gst
