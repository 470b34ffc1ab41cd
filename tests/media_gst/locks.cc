#include "tests/media_gst/locks.h"

#include <dlfcn.h>
#include <glib.h>
#include <pthread.h>

namespace {
thread_local bool counting = false;
thread_local std::size_t locks = 0;
}  // namespace

namespace test_support {

void count_locks() {
  locks = 0;
  counting = true;
}

std::size_t locks_counted() {
  counting = false;
  return locks;
}

}  // namespace test_support

#if !TEST_SANITIZED
// `function`, as it would be without the one here.
#define REAL(function) reinterpret_cast<decltype(&(function))>(dlsym(RTLD_NEXT, #function))

extern "C" {
// GLib's GRecMutex and GRWLock come down to these; its GMutex is its own.
int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static const auto real = REAL(pthread_mutex_lock);
  if (counting) ++locks;
  return real(mutex);
}
int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  static const auto real = REAL(pthread_rwlock_rdlock);
  if (counting) ++locks;
  return real(lock);
}
int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  static const auto real = REAL(pthread_rwlock_wrlock);
  if (counting) ++locks;
  return real(lock);
}
void g_mutex_lock(GMutex* mutex) {
  static const auto real = REAL(g_mutex_lock);
  if (counting) ++locks;
  real(mutex);
}
}
#endif
