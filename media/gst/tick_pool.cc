#include "media/gst/tick_pool.h"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <thread>
#include <unordered_map>
#include <vector>

#include "media/audio_frame.h"
#include "media/check.h"
#include "media/thread_role.h"

namespace media::gst {

class TickPool::Impl {
 public:
  explicit Impl(std::size_t threads) {
    CHECK(threads > 0);
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  }

  ~Impl() {
    {
      MutexLock lock(mutex_);
      CHECK(rooms_.empty());
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void queue(Room* room) {
    {
      MutexLock lock(mutex_);
      State& state = rooms_[room];
      if (state.removing || state.queued) return;
      state.queued = true;
      if (!state.ticking) ready_.push_back(room);
    }
    changed_.notify_one();
  }

  void remove(Room* room) {
    mutex_.lock();
    const auto found = rooms_.find(room);
    if (found != rooms_.end()) {
      found->second.removing = true;
      found->second.queued = false;
      std::erase(ready_, room);
      while (rooms_[room].ticking) wait(ended_);
      rooms_.erase(room);
    }
    mutex_.unlock();
  }

  std::size_t next_stagger_ms() {
    MutexLock lock(mutex_);
    // 7 and 20 share no divisor: every millisecond once before any comes twice, neighbours apart.
    constexpr auto kTick_ms = static_cast<std::size_t>(kTick.count());
    stagger_ms_ = (stagger_ms_ + 7) % kTick_ms;
    return stagger_ms_;
  }

 private:
  struct State {
    bool queued = false, ticking = false, removing = false;
  };

  void wait(std::condition_variable& condition) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::unique_lock<std::mutex> lock(mutex_.native(), std::adopt_lock);
    condition.wait(lock);
    lock.release();
  }

  void run() {
    pthread_setname_np(pthread_self(), "mixer-tick");
    mutex_.lock();
    for (;;) {
      while (!stopping_ && ready_.empty()) wait(changed_);
      if (stopping_) break;
      Room* const room = ready_.front();
      ready_.pop_front();
      State& state = rooms_[room];  // stays where it is: unordered_map, and remove() waits for us
      state.queued = false;
      state.ticking = true;
      mutex_.unlock();
      room->tick();
      mutex_.lock();
      state.ticking = false;
      if (state.queued) ready_.push_back(room);
      if (state.removing) ended_.notify_all();
    }
    mutex_.unlock();
  }

  Mutex mutex_;
  std::condition_variable changed_, ended_;
  std::unordered_map<Room*, State> rooms_ ABSL_GUARDED_BY(mutex_);
  std::deque<Room*> ready_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::size_t stagger_ms_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::thread> threads_;
};

TickPool::TickPool(std::size_t threads) : impl_(std::make_unique<Impl>(threads)) {}
TickPool::~TickPool() = default;
void TickPool::queue(Room* room) { impl_->queue(room); }
void TickPool::remove(Room* room) { impl_->remove(room); }
std::size_t TickPool::next_stagger_ms() { return impl_->next_stagger_ms(); }

}  // namespace media::gst
