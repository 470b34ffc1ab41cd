// media/record_queue.h: packets from one room's tick to the thread that writes a recording, copied,
// without a lock and without an allocation. One producer and one consumer at a time.
// Full is a defined outcome: what does not fit is dropped and counted; whoever reads sees from the
// times of what follows how long it was.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "media/limits.h"

namespace media {

struct RecordedPacket {
  std::uint64_t now_samples = 0;     // of the recording, when it came
  std::uint32_t contributor_id = 0;  // whose it is; 0: the mix
  std::uint32_t ssrc = 0, timestamp = 0;
  std::span<const std::uint8_t> payload{};
};

class RecordQueue {
 public:
  RecordQueue() : bytes_(new std::uint8_t[kCapacity]) {}
  RecordQueue(const RecordQueue&) = delete;
  RecordQueue& operator=(const RecordQueue&) = delete;

  // Producer.
  void push(const RecordedPacket& packet) {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    const std::uint64_t used = head - tail_.load(std::memory_order_acquire);
    const std::uint64_t needed = kHeader + rounded(packet.payload.size());
    const std::uint64_t to_end = kCapacity - head % kCapacity;
    const std::uint64_t skip = needed > to_end ? to_end : 0;  // a packet lies in one piece
    if (packet.payload.size() > limits::kMaxPacketBytes || used + skip + needed > kCapacity) {
      lost_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    if (skip >= kHeader) store(head, {.bytes = kSkip});
    store(head + skip, {.now_samples = packet.now_samples,
                        .contributor_id = packet.contributor_id,
                        .ssrc = packet.ssrc,
                        .timestamp = packet.timestamp,
                        .bytes = static_cast<std::uint32_t>(packet.payload.size())});
    if (!packet.payload.empty()) {
      std::memcpy(at(head + skip) + kHeader, packet.payload.data(), packet.payload.size());
    }
    head_.store(head + skip + needed, std::memory_order_release);
  }

  // Consumer. Calls take(const RecordedPacket&) for each that is there, oldest first.
  template <class Take>
  void drain(Take take) {
    const std::uint64_t head = head_.load(std::memory_order_acquire);
    std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    while (tail != head) {
      const std::uint64_t to_end = kCapacity - tail % kCapacity;
      if (to_end < kHeader || load(tail).bytes == kSkip) tail += to_end;
      const Header header = load(tail);
      take(RecordedPacket{.now_samples = header.now_samples,
                          .contributor_id = header.contributor_id,
                          .ssrc = header.ssrc,
                          .timestamp = header.timestamp,
                          .payload = {at(tail) + kHeader, header.bytes}});
      tail += kHeader + rounded(header.bytes);
      tail_.store(tail, std::memory_order_release);
    }
  }

  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }  // any thread

 private:
  static constexpr std::uint64_t kCapacity = limits::kRecordQueueBytes;
  static constexpr std::uint32_t kSkip = UINT32_MAX;  // the rest up to the end is unused
  struct Header {
    std::uint64_t now_samples = 0;
    std::uint32_t contributor_id = 0, ssrc = 0, timestamp = 0, bytes = 0;
  };
  static constexpr std::uint64_t kHeader = sizeof(Header);
  static_assert(kCapacity % 8 == 0 && kHeader % 8 == 0);

  static constexpr std::uint64_t rounded(std::uint64_t bytes) { return (bytes + 7) / 8 * 8; }
  std::uint8_t* at(std::uint64_t position) const { return bytes_.get() + position % kCapacity; }
  void store(std::uint64_t position, const Header& header) {
    std::memcpy(at(position), &header, kHeader);
  }
  Header load(std::uint64_t position) const {
    Header header;
    std::memcpy(&header, at(position), kHeader);
    return header;
  }

  const std::unique_ptr<std::uint8_t[]> bytes_;  // constant after construction
  alignas(64) std::atomic<std::uint64_t> head_{0};
  alignas(64) std::atomic<std::uint64_t> tail_{0};
  std::atomic<std::uint64_t> lost_{0};
};

}  // namespace media
