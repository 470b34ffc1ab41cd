#include "signaling/strophe_opening.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <system_error>
#include <utility>

namespace jingle {
namespace {

// libstrophe's own timers are invisible, and its steps follow one another closely.
constexpr int kRoundMs = 20;
constexpr int kProbeMs = 5000;  // as libstrophe's CONNECT_TIMEOUT

// errno of a TCP connection to the endpoint, 0 when it stands; gives up when `stop_fd` is readable.
int probe(const Endpoint& endpoint, int stop_fd) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* address = nullptr;
  const std::string port = std::to_string(endpoint.port);
  if (::getaddrinfo(endpoint.address.c_str(), port.c_str(), &hints, &address) != 0) return EINVAL;
  const int fd =
      ::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  int error = ::connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
  ::freeaddrinfo(address);
  if (error == EINPROGRESS) {
    pollfd entries[] = {{fd, POLLOUT, 0}, {stop_fd, POLLIN, 0}};
    socklen_t size = sizeof error;
    error = ETIMEDOUT;
    if (::poll(entries, 2, kProbeMs) > 0 && entries[0].revents != 0) {
      ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
  }
  if (fd >= 0) ::close(fd);
  return error;
}

}  // namespace

StropheOpening::StropheOpening(StropheStream& stream, std::vector<Endpoint> endpoints)
    : stream_(stream),
      endpoints_(std::move(endpoints)),
      done_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      stop_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  const auto be_done = [this] {
    done_ = true;
    ::eventfd_write(done_fd_, 1);
  };
  try {
    thread_ = std::thread([this, be_done] {
      work();
      be_done();
    });
  } catch (const std::system_error& error) {
    outcome_.reason = std::string("no thread: ") + error.what();
    be_done();
  }
}

StropheOpening::~StropheOpening() {
  if (thread_.joinable()) {
    stop();
    thread_.join();
  }
  ::close(done_fd_);
  ::close(stop_fd_);
}

void StropheOpening::stop() {
  stopped_ = true;
  ::eventfd_write(stop_fd_, 1);
  stream_.cut();
}

StropheOpening::Outcome StropheOpening::finish() {
  if (thread_.joinable()) thread_.join();
  return outcome_;
}

void StropheOpening::work() {
  for (const Endpoint& endpoint : endpoints_) {
    if (stopped_ || attempt(endpoint)) return;
  }
}

// True when there is no point in trying another address.
bool StropheOpening::attempt(const Endpoint& endpoint) {
  // A failed connection makes libstrophe forget the session it could resume.
  if (const int error = stream_.resumable() ? probe(endpoint, stop_fd_) : 0; error != 0) {
    char text[128];
    outcome_.reason = ::strerror_r(error, text, sizeof text);
    return false;
  }
  stream_.open(endpoint);
  while (stream_.state() == StropheStream::State::opening && !stopped_) {
    const bool refused = stream_.resumption_refused();
    if (refused) break;
    // Rounds follow one another while there is something to read.
    const auto progress = stream_.progress();
    stream_.run();
    // A stop() between open() and here may have come too early for cut() to find the socket.
    if (stopped_) stream_.cut();
    if (stream_.progress() != progress) continue;
    pollfd entries[] = {{stream_.fd(), POLLIN, 0}, {stop_fd_, POLLIN, 0}};
    ::poll(entries, 2, kRoundMs);
  }
  outcome_.resumption_refused = stream_.resumption_refused();
  outcome_.up =
      stream_.state() == StropheStream::State::up && !outcome_.resumption_refused && !stopped_;
  outcome_.wrong_password = stream_.wrong_password();
  outcome_.reason = stream_.reason();
  return outcome_.up || outcome_.resumption_refused || stream_.refused_by_server();
}

}  // namespace jingle
