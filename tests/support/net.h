// tests/support/net.h: loopback ports and small blocking sockets for scripted peers.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace support {

// A port nobody listened on a moment ago (127.0.0.1).
std::uint16_t free_tcp_port();
std::uint16_t free_udp_port();
// Whether somebody accepts TCP connections on 127.0.0.1:port.
bool listening(std::uint16_t port);

// An owned file descriptor.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  void reset();

 private:
  int fd_;
};

// A listening socket on 127.0.0.1; `backlog` as in listen(2).
class Listener {
 public:
  explicit Listener(int backlog = 8);
  std::uint16_t port() const { return port_; }
  // An invalid Fd when nobody came in time.
  Fd accept(std::chrono::milliseconds within = std::chrono::seconds(30));

 private:
  Fd fd_;
  std::uint16_t port_ = 0;
};

// A TCP connection read and written with deadlines.
class Stream {
 public:
  explicit Stream(Fd fd) : fd_(std::move(fd)) {}
  static Stream dial(std::uint16_t port);

  bool open() const { return static_cast<bool>(fd_); }
  int fd() const { return fd_.get(); }
  // False when the peer closed or the deadline passed.
  bool write(std::string_view bytes, std::chrono::milliseconds within = std::chrono::seconds(30));
  // Reads until `token` has been seen; returns everything up to and including it and forgets it.
  // Without the token in time (or with the peer gone): what there is, and found() is false.
  std::string read_until(std::string_view token,
                         std::chrono::milliseconds within = std::chrono::seconds(30));
  // Reads and throws away until the peer closes; false when it did not in time.
  bool read_to_end(std::chrono::milliseconds within = std::chrono::seconds(30));
  bool found() const { return found_; }
  void close() { fd_.reset(); }
  // Closes with a reset instead of a FIN.
  void abort();

 private:
  bool fill(std::chrono::steady_clock::time_point deadline);

  Fd fd_;
  std::string buffer_;
  bool found_ = false;
};

}  // namespace support
