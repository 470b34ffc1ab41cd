#include "tests/support/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace support {
namespace {

using Clock = std::chrono::steady_clock;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

std::uint16_t bound_port(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("getsockname");
  }
  return ntohs(address.sin_port);
}

Fd bind_any(int type) {
  Fd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(0);
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("no loopback port");
  }
  return fd;
}

bool wait_for(int fd, short events, Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  pollfd entry{fd, events, 0};
  return ::poll(&entry, 1, static_cast<int>(std::max<long>(0, left.count()))) > 0;
}

}  // namespace

std::uint16_t free_tcp_port() { return bound_port(bind_any(SOCK_STREAM).get()); }
std::uint16_t free_udp_port() { return bound_port(bind_any(SOCK_DGRAM).get()); }

bool listening(std::uint16_t port) { return Stream::dial(port).open(); }

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}
int Fd::release() { return std::exchange(fd_, -1); }
void Fd::reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Listener::Listener(int backlog) : fd_(bind_any(SOCK_STREAM)) {
  if (::listen(fd_.get(), backlog) != 0) throw std::runtime_error("listen");
  port_ = bound_port(fd_.get());
}

Fd Listener::accept(std::chrono::milliseconds within) {
  if (!wait_for(fd_.get(), POLLIN, Clock::now() + within)) return Fd();
  return Fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

Stream Stream::dial(std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fd.reset();
  }
  return Stream(std::move(fd));
}

bool Stream::write(std::string_view bytes, std::chrono::milliseconds within) {
  const auto deadline = Clock::now() + within;
  while (!bytes.empty()) {
    if (!open() || !wait_for(fd_.get(), POLLOUT, deadline)) return false;
    const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool Stream::fill(Clock::time_point deadline) {
  if (!open() || !wait_for(fd_.get(), POLLIN, deadline)) return false;
  char chunk[65536];
  const ssize_t n = ::recv(fd_.get(), chunk, sizeof chunk, 0);
  if (n <= 0) return false;
  buffer_.append(chunk, static_cast<std::size_t>(n));
  return true;
}

std::string Stream::read_until(std::string_view token, std::chrono::milliseconds within) {
  const auto deadline = Clock::now() + within;
  std::size_t from = 0;
  for (;;) {
    const std::size_t at = buffer_.find(token, from);
    found_ = at != std::string::npos;
    if (found_) {
      std::string result = buffer_.substr(0, at + token.size());
      buffer_.erase(0, at + token.size());
      return result;
    }
    from = buffer_.size() < token.size() ? 0 : buffer_.size() - token.size();
    if (!fill(deadline)) return std::exchange(buffer_, {});
  }
}

bool Stream::read_to_end(std::chrono::milliseconds within) {
  const auto deadline = Clock::now() + within;
  while (fill(deadline)) buffer_.clear();
  return Clock::now() < deadline;
}

void Stream::abort() {
  const linger now{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  fd_.reset();
}

}  // namespace support
