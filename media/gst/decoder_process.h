// media/gst/decoder_process.h: the decoder of one piece as its player sees it: a process
// (decoder_main.h) that is started, listened to, and gone at the end, whatever it does.
// One thread, but for wake().
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/gst/decoder_messages.h"

namespace media::gst {

// An fd that is closed.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept;
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

// A regular file beneath the directory, wherever links point; none: there is none.
Fd open_beneath(const std::string& directory, const std::string& name);

class DecoderProcess {
 public:
  struct Message {
    DecoderHeader::Kind kind;
    std::span<const std::uint8_t> bytes;  // until the next call
  };
  enum class Silence { gone, stuck, woken };

  // `program`: this one, or another that calls decoder_main(). Throws std::runtime_error.
  DecoderProcess(const std::string& program, Fd input, double loudness_lufs);
  ~DecoderProcess();  // kills and reaps it

  // The next message. Waits; stuck: nothing came for kPatience.
  std::optional<Message> next(Silence& why);
  void seek(std::chrono::milliseconds to);
  // Any thread: a next() that waits, or the next one, returns woken.
  void wake();

  // From its start until it speaks, a slow disk and a busy machine included.
  static constexpr std::chrono::seconds kPatience{20};

 private:
  bool fill(std::size_t bytes, Silence& why);

  Fd messages_, seeks_, wake_;
  int pid_ = -1;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace media::gst
