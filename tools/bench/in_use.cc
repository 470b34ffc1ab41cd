// tools/bench/in_use.cc: preloaded into a program, writes once a second into the file IN_USE_LOG
// when that was (s since 1970) and how many bytes are allocated and not freed: under a sanitizer by
// its own count, what it keeps to find who still uses it included; else by malloc's (mallinfo2(3)).
//   c++ -std=c++20 -shared -fPIC tools/bench/in_use.cc -o in_use.so
#include <dlfcn.h>
#include <malloc.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace {

std::size_t in_use() {
  using Count = std::size_t (*)();
  static const auto sanitizers =
      reinterpret_cast<Count>(::dlsym(RTLD_DEFAULT, "__sanitizer_get_current_allocated_bytes"));
  if (sanitizers) return sanitizers();
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

void log_for_ever(const char* file) {
  std::ofstream log(file);
  for (;;) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    log << std::chrono::duration_cast<std::chrono::seconds>(now).count() << ' ' << in_use()
        << std::endl;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

// Signals are the program's.
[[gnu::constructor]] void start() {
  const char* const file = std::getenv("IN_USE_LOG");
  if (file == nullptr) return;
  ::unsetenv("IN_USE_LOG");  // what the program starts is not meant
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread(log_for_ever, file).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace
