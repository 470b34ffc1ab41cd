// media/outbox.h: packets from many threads (ticks, callers) to one I/O thread, copied, without a
// lock and without an allocation. Two arenas: everybody appends to the one, the consumer walks
// through the other; both begin at their beginning each time, so a quiet thread's touch little.
// Full is a defined outcome: the packet that does not fit is dropped.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <utility>

namespace media {

class Outbox {
 public:
  // Each packet has `trailer` bytes more, for what the consumer appends.
  Outbox(std::size_t capacity_bytes, std::size_t trailer)
      : capacity_(capacity_bytes), trailer_(trailer) {
    for (Arena& arena : arenas_) {
      arena.bytes = std::make_unique_for_overwrite<std::uint8_t[]>(capacity_ + sizeof(Head));
    }
  }
  // After the producers' last call; see PacketRing.
  ~Outbox() {
    for (const Arena& arena : arenas_) arena.written.load(std::memory_order_acquire);
  }
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // Any thread; never waits. `first` and `second` one behind the other are the packet, for whoever
  // `to` is. False: full.
  bool push(std::uint64_t to, std::span<const std::uint8_t> first,
            std::span<const std::uint8_t> second = {}) {
    const std::size_t size = first.size() + second.size();
    const std::size_t needed = (sizeof(Head) + size + trailer_ + kAlign - 1) / kAlign * kAlign;
    const std::uint64_t place = place_.fetch_add(needed, std::memory_order_acq_rel);
    Arena& arena = arenas_[place >> kArenaBit];
    const std::size_t at = place & kOffset;
    const bool fits = at + needed <= capacity_;
    if (fits) {
      std::uint8_t* bytes = write_head(arena, at, {.to = to, .size = size, .needed = needed});
      if (!first.empty()) std::memcpy(bytes, first.data(), first.size());
      if (!second.empty()) std::memcpy(bytes + first.size(), second.data(), second.size());
    } else if (at < capacity_) {
      write_head(arena, at, {});  // the last one fitted
    }
    arena.written.fetch_add(needed, std::memory_order_seq_cst);
    return fits;
  }

  // Any thread. False: whoever consumes has seen all that this thread has pushed.
  bool waiting() const {
    return (place_.load(std::memory_order_seq_cst) & kOffset) != 0 ||
           unfinished_.load(std::memory_order_seq_cst);
  }

  struct Packet {
    std::uint64_t to = 0;
    std::span<std::uint8_t> buffer{};  // the packet and the trailer
    std::size_t size = 0;              // of the packet
  };
  static constexpr std::size_t kAtOnce = 16;

  // Consumer. Calls take(std::span<const Packet>) for all packets, up to kAtOnce at a time, in the
  // order of the pushes. Nothing, while somebody is in the midst of a push: waiting() is true for
  // him afterwards.
  template <class Take>
  void drain(Take take) {
    if (unfinished_.load(std::memory_order_relaxed) && !finish(take)) return;
    unfinished_.store(true, std::memory_order_seq_cst);
    filled_ ^= 1U;
    end_ = place_.exchange(filled_ << kArenaBit, std::memory_order_acq_rel) & kOffset;
    finish(take);
  }

 private:
  struct Head {
    std::uint64_t to = 0;
    std::size_t size = 0, needed = 0;  // needed 0: the end
  };
  static constexpr std::size_t kAlign = alignof(Head);
  struct Arena {
    std::unique_ptr<std::uint8_t[]> bytes;
    alignas(64) std::atomic<std::uint64_t> written{0};  // by those who are done, fitting or not
  };
  static constexpr unsigned kArenaBit = 63;
  static constexpr std::uint64_t kOffset = (std::uint64_t{1} << kArenaBit) - 1;

  // Walks through the arena that is not being filled; false: not yet.
  template <class Take>
  bool finish(Take& take) {
    Arena& arena = arenas_[filled_ ^ 1U];
    if (arena.written.load(std::memory_order_seq_cst) != end_) return false;
    std::array<Packet, kAtOnce> packets;
    std::size_t count = 0;
    for (std::size_t at = 0; at < end_ && at < capacity_;) {
      const Head* const head = std::launder(reinterpret_cast<const Head*>(&arena.bytes[at]));
      if (head->needed == 0) break;
      packets[count++] = {
          head->to, {&arena.bytes[at + sizeof(Head)], head->size + trailer_}, head->size};
      if (count == kAtOnce) take(std::span<const Packet>(packets).first(std::exchange(count, 0)));
      at += head->needed;
    }
    if (count > 0) take(std::span<const Packet>(packets).first(count));
    arena.written.store(0, std::memory_order_relaxed);  // made known by the next exchange()
    unfinished_.store(false, std::memory_order_seq_cst);
    return true;
  }

  static std::uint8_t* write_head(Arena& arena, std::size_t at, const Head& head) {
    new (&arena.bytes[at]) Head(head);
    return &arena.bytes[at + sizeof(Head)];
  }

  // Constant after construction.
  const std::size_t capacity_, trailer_;

  // Any thread.
  std::array<Arena, 2> arenas_;
  // Which arena is being filled (the highest bit), and how much of it is taken, fitting or not.
  alignas(64) std::atomic<std::uint64_t> place_{0};
  std::atomic<bool> unfinished_{false};  // written by the consumer

  // Consumer.
  std::uint64_t filled_ = 0;  // the arena that place_ names
  std::uint64_t end_ = 0;     // of the other, while unfinished
};

}  // namespace media
