// media/packet_ring.h: packets from one I/O thread to one room's tick, copied, with the times at
// which they came; without a lock and without an allocation. One producer and one consumer at a
// time.
// Full is a defined outcome: the packet that does not fit is dropped and counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

#include "media/limits.h"

namespace media {

class PacketRing {
 public:
  PacketRing() : bytes_(new std::uint8_t[kCapacity]) {}
  // After the producer's last call; whatever told us so (a pad's stream lock) need not order memory
  // in the eyes of ThreadSanitizer, these two loads do.
  ~PacketRing() {
    head_.load(std::memory_order_acquire);
    dropped_.load(std::memory_order_acquire);
  }
  PacketRing(const PacketRing&) = delete;
  PacketRing& operator=(const PacketRing&) = delete;

  // Producer. Where to put a packet of this length; empty: no room, or no packet (0, or longer than
  // limits::kMaxPacketBytes): dropped. commit() hands it over; without it nothing has happened.
  std::span<std::uint8_t> reserve(std::size_t length) {
    const std::uint32_t head = head_.load(std::memory_order_relaxed);
    const std::uint32_t used = head - tail_.load(std::memory_order_acquire);
    const std::uint32_t to_end = kCapacity - head % kCapacity;
    const auto needed = static_cast<std::uint32_t>(kHeadBytes + length);
    reserved_ = needed;
    skip_ = needed > to_end ? to_end : 0;  // a packet lies in one piece
    const std::uint32_t packets = pushed_ - popped_.load(std::memory_order_acquire);
    if (length == 0 || length > limits::kMaxPacketBytes || packets >= limits::kPacketRing ||
        used + skip_ + needed > kCapacity) {
      dropped_.fetch_add(1, std::memory_order_release);
      return {};
    }
    return {at(head + skip_) + kHeadBytes, length};
  }
  // `came`: when, in samples of the clock that the tick knows; wraps.
  void commit(std::uint32_t came = kUnknown) {
    const std::uint32_t head = head_.load(std::memory_order_relaxed);
    if (skip_ >= kLengthBytes) store_length(head, kSkip);
    store_length(head + skip_, static_cast<std::uint16_t>(reserved_ - kHeadBytes));
    std::memcpy(at(head + skip_) + kLengthBytes, &came, sizeof came);
    ++pushed_;
    head_.store(head + skip_ + reserved_, std::memory_order_release);
  }

  // Consumer. The oldest packet, valid until pop(); empty: none.
  std::span<const std::uint8_t> front() {
    std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_.load(std::memory_order_acquire)) return {};
    const std::uint32_t to_end = kCapacity - tail % kCapacity;
    if (to_end < kLengthBytes || load_length(tail) == kSkip) tail += to_end;
    front_ = tail;
    return {at(tail) + kHeadBytes, load_length(tail)};
  }
  // How many samples before `now` it came; negative: after. nullopt: that is not known, or cannot
  // be. Requires: front() was not empty.
  std::optional<std::int32_t> front_age(std::uint32_t now) const {
    std::uint32_t came;
    std::memcpy(&came, at(front_) + kLengthBytes, sizeof came);
    const auto age = static_cast<std::int32_t>(now - came);
    const bool known = came != kUnknown && now != kUnknown && age >= -kOldest && age <= kOldest;
    return known ? std::optional(age) : std::nullopt;
  }
  // Requires: front() was not empty.
  void pop() {
    const std::uint32_t next = front_ + kHeadBytes + load_length(front_);
    popped_.store(popped_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    tail_.store(next, std::memory_order_release);
  }

  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }  // any thread

  static constexpr std::uint32_t kUnknown = 0;  // nobody looked at a clock

 private:
  static constexpr std::uint32_t kCapacity = limits::kPacketRingBytes;
  static_assert((kCapacity & (kCapacity - 1)) == 0, "positions wrap at 2^32");
  static constexpr std::uint32_t kLengthBytes = 2, kHeadBytes = kLengthBytes + 4;
  static constexpr std::int32_t kOldest = 2 * 48000;  // what is older by then is dropped anyway
  static constexpr std::uint16_t kSkip = 0xFFFF;      // the rest up to the end is unused

  std::uint8_t* at(std::uint32_t position) const { return bytes_.get() + position % kCapacity; }
  void store_length(std::uint32_t position, std::uint16_t length) {
    std::memcpy(at(position), &length, kLengthBytes);
  }
  std::uint16_t load_length(std::uint32_t position) const {
    std::uint16_t length;
    std::memcpy(&length, at(position), kLengthBytes);
    return length;
  }

  // Constant after construction.
  const std::unique_ptr<std::uint8_t[]> bytes_;

  // Producer.
  std::uint32_t reserved_ = 0, skip_ = 0, pushed_ = 0;
  // Consumer.
  std::uint32_t front_ = 0;
  // Both.
  alignas(64) std::atomic<std::uint32_t> head_{0};
  alignas(64) std::atomic<std::uint32_t> tail_{0};
  std::atomic<std::uint32_t> popped_{0};
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace media
