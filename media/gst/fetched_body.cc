#include "media/gst/fetched_body.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace media::gst {

BodyWriter::BodyWriter(int fd) : fd_(fd) { fcntl(fd_, F_SETFL, O_NONBLOCK); }

bool BodyWriter::begin(FetchedSize size) {
  return ::write(fd_, &size, sizeof size) == static_cast<ssize_t>(sizeof size);
}

BodyWriter::Decoder BodyWriter::write(std::string_view bytes) {
  for (;;) {
    const Decoder decoder = poll(POLLIN | POLLOUT, -1);
    if (decoder != Decoder::content) return decoder;
    FetchedHeader header{generation_};
    const std::string_view part = bytes.substr(0, kMaxFetchedBytes);
    const iovec parts[] = {{&header, sizeof header}, {const_cast<char*>(part.data()), part.size()}};
    if (writev(fd_, parts, 2) >= 0) {
      bytes.remove_prefix(part.size());
      if (bytes.empty()) return Decoder::content;
    } else if (errno != EAGAIN && errno != EINTR) {
      return Decoder::gone;
    }
  }
}

BodyWriter::Decoder BodyWriter::look(bool wait) { return poll(POLLIN, wait ? -1 : 0); }

FetchedPlace BodyWriter::go() {
  const FetchedPlace place = *std::exchange(asked_, std::nullopt);
  generation_ = place.generation;
  return place;
}

BodyWriter::Decoder BodyWriter::poll(short events, int wait_ms) {
  pollfd waiting{.fd = fd_, .events = events, .revents = 0};
  while (::poll(&waiting, 1, asked_ ? 0 : wait_ms) < 0 && errno == EINTR) {
  }
  if ((waiting.revents & POLLIN) != 0) {
    FetchedPlace place;
    if (::read(fd_, &place, sizeof place) != static_cast<ssize_t>(sizeof place)) {
      return Decoder::gone;
    }
    asked_ = place;
  } else if ((waiting.revents & (POLLHUP | POLLERR)) != 0) {
    return Decoder::gone;
  }
  return asked_ ? Decoder::asks : Decoder::content;
}

BodyReader::BodyReader(int fd) : fd_(fd), packet_(sizeof(FetchedHeader) + kMaxFetchedBytes) {
  FetchedSize size;
  gone_ = ::read(fd_, &size, sizeof size) != static_cast<ssize_t>(sizeof size);
  if (!gone_) size_ = size.bytes;
}

std::span<const char> BodyReader::next() { return packet(); }

std::size_t BodyReader::read(std::uint64_t at, std::span<char> bytes) {
  std::size_t had = 0;
  while (had < bytes.size()) {
    const Block* const block = find((at + had) / kBlock_bytes);
    const std::size_t from = (at + had) % kBlock_bytes;
    if (!block || from >= block->bytes.size()) break;
    const std::size_t count = std::min(bytes.size() - had, block->bytes.size() - from);
    std::memcpy(bytes.data() + had, block->bytes.data() + from, count);
    had += count;
  }
  return had;
}

const BodyReader::Block* BodyReader::find(std::uint64_t number) {
  auto found = blocks_.find(number);
  if (found == blocks_.end()) {
    if (size_ < 0 || number * kBlock_bytes >= static_cast<std::uint64_t>(size_)) return nullptr;
    if (number < coming_ || number - coming_ > kAheadBlocks) ask(number);
    while (coming_ <= number && !ended_ && !gone_) receive();
    found = blocks_.find(number);
    if (found == blocks_.end()) return nullptr;
  }
  found->second.used = ++reads_;
  return &found->second;
}

void BodyReader::ask(std::uint64_t number) {
  const FetchedPlace place{.offset = number * kBlock_bytes, .generation = ++generation_};
  if (gone_ || ::write(fd_, &place, sizeof place) != static_cast<ssize_t>(sizeof place)) {
    gone_ = true;
    return;
  }
  begun_.clear();
  coming_ = number;
  ended_ = false;
}

// One block more, or the end of it.
void BodyReader::receive() {
  while (begun_.size() < kBlock_bytes && !ended_) {
    const auto bytes = packet();
    ended_ = bytes.empty();
    begun_.insert(begun_.end(), bytes.begin(), bytes.end());
  }
  if (begun_.empty()) return;
  if (blocks_.size() >= kMaxBlocks) {
    blocks_.erase(
        std::ranges::min_element(blocks_, {}, [](const auto& block) { return block.second.used; }));
  }
  const auto end = begun_.begin() +
                   static_cast<std::ptrdiff_t>(std::min<std::size_t>(begun_.size(), kBlock_bytes));
  blocks_[coming_++] = {{begun_.begin(), end}, ++reads_};
  begun_.erase(begun_.begin(), end);
}

// The bytes of the next packet of this generation. Empty: there is none.
std::span<const char> BodyReader::packet() {
  while (!gone_) {
    const ssize_t got = ::read(fd_, packet_.data(), packet_.size());
    if (got < 0 && errno == EINTR) continue;
    gone_ = got < static_cast<ssize_t>(sizeof(FetchedHeader));
    if (gone_) break;
    FetchedHeader header;
    std::memcpy(&header, packet_.data(), sizeof header);
    if (header.generation != generation_) continue;
    return std::span(packet_).first(static_cast<std::size_t>(got)).subspan(sizeof header);
  }
  return {};
}

}  // namespace media::gst
