#include "tests/support/shifted_clock.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <ctime>

#include "tests/support/sanitized.h"

namespace support {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::atomic<std::int64_t> passed_ns{0}, stepped_ns{0};

void add(timespec& time, std::int64_t ns) {
  const std::int64_t sum = time.tv_sec * kSecond + time.tv_nsec + ns;
  time.tv_sec = sum / kSecond;
  time.tv_nsec = sum % kSecond;
}

}  // namespace

ShiftedClock::~ShiftedClock() { passed_ns = stepped_ns = 0; }
void ShiftedClock::let_pass(std::chrono::nanoseconds time) { passed_ns += time.count(); }
void ShiftedClock::step_wall_clock(std::chrono::nanoseconds by) { stepped_ns += by.count(); }

}  // namespace support

// ELF interposition: libstdc++, GLib and everybody else asks here. Programs that do not move the
// clocks do not link this file.
extern "C" {

#if TEST_THREADS_SANITIZED
// TSan must see that the mutex is given away meanwhile.
int __interceptor_pthread_cond_clockwait(pthread_cond_t*, pthread_mutex_t*, clockid_t,
                                         const timespec*);
#endif

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const auto result = static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  if (result != 0) return result;
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE: support::add(*time, support::stepped_ns); break;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME: support::add(*time, support::passed_ns); break;
    default: break;
  }
  return result;
}

// OpenSSL asks here.
int gettimeofday(timeval* time, void*) noexcept {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  *time = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return 0;
}

// The kernel waits until a time of its own.
int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* until) {
#if TEST_THREADS_SANITIZED
  constexpr auto real = &__interceptor_pthread_cond_clockwait;
#else
  static const auto real = reinterpret_cast<decltype(&pthread_cond_clockwait)>(
      dlsym(RTLD_NEXT, "pthread_cond_clockwait"));
#endif
  timespec kernels = *until;
  if (clock == CLOCK_MONOTONIC) support::add(kernels, -support::passed_ns);
  return real(condition, mutex, clock, &kernels);
}

}  // extern "C"
