// media/gst/child_process.h: this same program once more in another role, for what is not to be in
// the mixer's own memory: started with the fds it needs and no other, listened to, and gone at the
// end, whatever it does. Both ends are of one program; still nothing of what it says is believed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

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
// Sentences for whoever wanted to hear it.
inline constexpr const char* kTooMuchOpen = "The mixer has too much open.";
inline constexpr const char* kNoThreadLeft = "The mixer has no thread left for it.";
inline constexpr const char* kCannotStart = "The mixer cannot start what plays it.";

// Throws std::runtime_error.
struct Pipe {
  Pipe();
  Fd read, write;
};

// Before the bytes of each message of a child.
struct ChildHeader {
  std::uint32_t kind = 0, bytes = 0;
};
inline constexpr std::uint32_t kMaxChildMessageBytes = 8192;

// A child's fds: 0 what it is about, 1 its messages, 3 what its role says.
inline constexpr int kChildInput_fd = 0;
inline constexpr int kChildMessages_fd = 1;
inline constexpr int kChildExtra_fd = 3;

// In the child. The parent that is gone ends the process: nobody is left to care.
void say_to_parent(std::uint32_t kind, const void* data = nullptr, std::size_t bytes = 0);

// One thread, but for wake().
class ChildProcess {
 public:
  struct Message {
    std::uint32_t kind;
    std::span<const std::uint8_t> bytes;  // until the next call
  };
  enum class Silence { gone, stuck, woken };

  // `arguments`: from argv[1] on. Throws std::runtime_error.
  ChildProcess(const std::string& program, const std::vector<std::string>& arguments,
               const Fd& input, const Fd& extra);
  ~ChildProcess();  // kills and reaps it

  // The next message. Waits; stuck: it was not all there within so long. What there is of it is
  // kept for the next call. Who has spoken nonsense is gone for good.
  std::optional<Message> next(Silence& why, std::chrono::milliseconds patience);
  // Any thread: a next() that waits, or the next one, returns woken, in a message, too.
  void wake();

 private:
  bool fill(std::size_t bytes, Silence& why, std::chrono::steady_clock::time_point until);

  Fd messages_, wake_;
  int pid_ = -1;
  std::vector<std::uint8_t> buffer_;  // a message, or what there is of it
  bool told_ = false;                 // it was the last one
};

}  // namespace media::gst
