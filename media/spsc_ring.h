// media/spsc_ring.h: small values from one thread to another, without a lock and without an
// allocation. One producer and one consumer at a time. Full: what comes is dropped.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>

namespace media {

template <class Value, std::size_t kCapacity>
class SpscRing {
 public:
  // Producer. False: full.
  bool push(const Value& value) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head - tail_.load(std::memory_order_acquire) == kCapacity) return false;
    values_[head % kCapacity] = value;
    head_.store(head + 1, std::memory_order_release);
    return true;
  }
  // Consumer. The oldest; nullopt: none.
  std::optional<Value> pop() {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_.load(std::memory_order_acquire)) return std::nullopt;
    const Value value = values_[tail % kCapacity];
    tail_.store(tail + 1, std::memory_order_release);
    return value;
  }

 private:
  static_assert((kCapacity & (kCapacity - 1)) == 0, "positions wrap");
  std::array<Value, kCapacity> values_{};
  std::atomic<std::size_t> head_{0}, tail_{0};
};

}  // namespace media
