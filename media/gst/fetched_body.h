// media/gst/fetched_body.h: what a fetcher hands to its decoder, and where that wants to read on:
// packets on a pair of sockets (SOCK_SEQPACKET) that know nobody else. To each place asked for
// belongs a generation: what was on its way when another was asked for is told by it, and dropped.
// Either side may be taken over by what it reads: the other believes nothing, and none can send the
// other more than bytes or a place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace media::gst {

// The fetcher's first packet. -1: it is read from its beginning to its end, and no place of it is
// asked for.
struct FetchedSize {
  std::int64_t bytes = -1;
};
// Before the bytes of each other packet of the fetcher's; without any: the end. Generation 0 begins
// with the first byte.
struct FetchedHeader {
  std::uint32_t generation = 0;
};
inline constexpr std::size_t kMaxFetchedBytes = 16384;
// The decoder's packets.
struct FetchedPlace {
  std::uint64_t offset = 0;  // no larger than the size
  std::uint32_t generation = 0, reserved = 0;
};

// The fetcher's side. One thread.
class BodyWriter {
 public:
  enum class Decoder { content, asks, gone };  // asks: asked() is set

  // Makes the fd non-blocking; it outlives this.
  explicit BodyWriter(int fd);
  // First. False: gone.
  bool begin(FetchedSize size);
  // Waits while the decoder has enough. asks: the rest of it was not taken.
  Decoder write(std::string_view bytes);
  // Nothing more comes of this generation.
  Decoder end() { return write({}); }
  // What it wants by now; `wait`: once it is not content any more.
  Decoder look(bool wait = false);
  // The last place; and what is written from now on is of there.
  FetchedPlace go();

 private:
  Decoder poll(short events, int wait_ms);

  const int fd_;
  std::uint32_t generation_ = 0;
  std::optional<FetchedPlace> asked_;
};

// The decoder's side. One thread at a time; all calls wait.
class BodyReader {
 public:
  // Waits for the first packet. The fd outlives this.
  explicit BodyReader(int fd);
  std::int64_t size() const { return size_; }

  // Where the size is -1: what comes next, until the next call. Empty: the end.
  std::span<const char> next();
  // Elsewhere: as many bytes from `at` on as fit and as there are; fewer: the end, or nothing more
  // comes. What was read a little before is kept, and what is a little ahead is waited for: only
  // else another place is asked for.
  std::size_t read(std::uint64_t at, std::span<char> bytes);

  // A place asked for costs a request.
  static constexpr std::size_t kBlock_bytes = 16384;
  static constexpr std::size_t kMaxBlocks = 128;  // kept
  static constexpr std::size_t kAheadBlocks = 32;

 private:
  struct Block {
    std::vector<char> bytes;
    std::uint64_t used = 0;  // when, in reads
  };
  const Block* find(std::uint64_t number);
  void ask(std::uint64_t number);
  void receive();
  std::span<const char> packet();

  const int fd_;
  std::int64_t size_ = -1;
  std::uint32_t generation_ = 0;
  bool gone_ = false;         // the fetcher
  bool ended_ = false;        // this generation
  std::uint64_t coming_ = 0;  // the block that comes next
  std::vector<char> begun_;   // and what there is of it
  std::map<std::uint64_t, Block> blocks_;
  std::uint64_t reads_ = 0;
  std::vector<char> packet_;
};

}  // namespace media::gst
