// media/thread_role.h: threads as capabilities that Clang checks (-Wthread-safety), and a lock it
// understands.
#pragma once

#include <absl/base/thread_annotations.h>

#include <mutex>

namespace media {

// "Runs on the thread that plays this role". A function that is entered from outside (a callback, a
// thread's body) says assert_here() once; what it calls says ABSL_EXCLUSIVE_LOCKS_REQUIRED(role);
// members say ABSL_GUARDED_BY(role). Lambdas need the assert inside.
class ABSL_LOCKABLE ThreadRole {
 public:
  constexpr ThreadRole() = default;
  ThreadRole(const ThreadRole&) = delete;
  ThreadRole& operator=(const ThreadRole&) = delete;
  void assert_here() const ABSL_ASSERT_EXCLUSIVE_LOCK() {}
};

// The thread that edits pipelines and owns every GstElement's structure.
inline constexpr ThreadRole control_thread;

// std::mutex as a capability (the bare one is none to Clang).
class ABSL_LOCKABLE Mutex {
 public:
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }
  std::mutex& native() { return mutex_; }  // for std::condition_variable

 private:
  std::mutex mutex_;
};
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace media
