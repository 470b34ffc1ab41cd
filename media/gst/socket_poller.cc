#include "media/gst/socket_poller.h"

#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <stdexcept>
#include <utility>

#include "media/gst/socket_address.h"

namespace media::gst {
namespace {

constexpr std::size_t kAtATime = 64;  // sockets that are read before GLib's own are looked at
constexpr std::size_t kHeld = 8;      // datagrams of one socket that wait for GLib's turn
// GLib's turn costs a look at every source of every leg. Checks of those who are connected, and
// timers, which come one by one, wait for each other: the less while somebody is on his way to be
// connected, which takes several timers one after the other.
constexpr std::chrono::milliseconds kTurn{100}, kBriskTurn{20};
constexpr std::chrono::seconds kBrisk{3};  // after what was done for a leg

thread_local SocketPoller* poller_here = nullptr;

struct Held {  // read, but libnice's
  sockaddr_storage from{};
  socklen_t from_length = 0;
  std::vector<std::uint8_t> bytes;
};

// RFC 7983 §7: all that libnice does not look into.
bool is_ours(std::span<const std::uint8_t> datagram) {
  if (datagram.empty()) return false;
  const auto first = datagram[0];
  return (first >= 20 && first <= 63) || (first >= 128 && first <= 191);
}

int poll_timeout(SocketPoller::TimePoint until) {
  using namespace std::chrono;
  if (until == SocketPoller::TimePoint::max()) return -1;
  const auto left = ceil<milliseconds>(until - steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

}  // namespace

// What libnice believes to be GLib's source of a socket. It has no descriptor that GLib would poll,
// and no ready time, each change of which wakes the context: it is asked.
struct SocketSource {
  GSource base;
  GSocket* socket;
  SocketPoller* poller;  // null: it is gone, this source never fires again
  int fd;
  bool readable;  // and not read here
  SocketPoller::Direct direct;
  std::deque<Held>* held;  // null: none

  static GSource* create(SocketPoller& poller, GSocket* socket) {
    static GSourceFuncs functions = {nullptr, &check, &dispatch, &finalize, nullptr, nullptr};
    GSource* const base = g_source_new(&functions, sizeof(SocketSource));
    auto* const self = reinterpret_cast<SocketSource*>(base);
    self->socket = G_SOCKET(g_object_ref(socket));
    self->poller = &poller;
    self->fd = g_socket_get_fd(socket);
    self->direct = {};
    auto& by_fd = poller.by_fd_;
    if (by_fd.size() <= static_cast<std::size_t>(self->fd)) {
      by_fd.resize(static_cast<std::size_t>(self->fd) + 1);
    }
    // One watch a socket; libnice replaces its own by destroying it first.
    auto* const before = std::exchange(by_fd[static_cast<std::size_t>(self->fd)], self);
    if (before && before->socket == socket) {
      self->direct = before->direct;
      self->held = std::exchange(before->held, nullptr);
    }
    if (before) before->poller = nullptr;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = self->fd;
    if (epoll_ctl(poller.epoll_, EPOLL_CTL_ADD, self->fd, &event) != 0 && errno == EEXIST) {
      epoll_ctl(poller.epoll_, EPOLL_CTL_MOD, self->fd, &event);
    }
    return base;
  }

  static gboolean check(GSource* base) noexcept {
    const auto* const self = reinterpret_cast<SocketSource*>(base);
    return self->readable || self->held;
  }

  static gboolean dispatch(GSource* base, GSourceFunc callback, gpointer data) noexcept {
    auto* const self = reinterpret_cast<SocketSource*>(base);
    self->readable = false;
    if (!callback) return G_SOURCE_REMOVE;
    return reinterpret_cast<GSocketSourceFunc>(reinterpret_cast<void (*)()>(callback))(
        self->socket, G_IO_IN, data);
  }

  static void finalize(GSource* base) noexcept {
    auto* const self = reinterpret_cast<SocketSource*>(base);
    if (self->poller && self->poller->by_fd_[static_cast<std::size_t>(self->fd)] == self) {
      self->poller->by_fd_[static_cast<std::size_t>(self->fd)] = nullptr;
      // Closed already: it left the set by itself.
      epoll_ctl(self->poller->epoll_, EPOLL_CTL_DEL, self->fd, nullptr);
    }
    delete self->held;
    g_object_unref(self->socket);
  }
};

SocketPoller::SocketPoller(std::function<Work()> work)
    : work_(std::move(work)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      signal_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = signal_;
  if (epoll_ < 0 || signal_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, signal_, &event) != 0) {
    throw std::runtime_error("no descriptor left to wait with");
  }
}

SocketPoller::~SocketPoller() {
  if (poller_here == this) poller_here = nullptr;
  for (auto* const source : by_fd_) {
    if (source) source->poller = nullptr;
  }
  close(signal_);
  close(epoll_);
}

void SocketPoller::install(GMainContext* context) {
  poller_here = this;
  g_main_context_set_poll_func(context, &SocketPoller::poll_for_glib);
}

void SocketPoller::signal() {
  const std::uint64_t one = 1;
  while (write(signal_, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void SocketPoller::set_direct(int fd, const Direct& direct) {
  if (!poller_here || fd < 0) return;
  const auto index = static_cast<std::size_t>(fd);
  if (index >= poller_here->by_fd_.size() || !poller_here->by_fd_[index]) return;
  poller_here->by_fd_[index]->direct = direct;
}

void SocketPoller::clear_direct(int fd, const void* self) {
  if (!poller_here || fd < 0) return;
  const auto index = static_cast<std::size_t>(fd);
  if (index >= poller_here->by_fd_.size() || !poller_here->by_fd_[index]) return;
  // The number may be another socket's by now.
  auto& direct = poller_here->by_fd_[index]->direct;
  if (direct.self == self) direct = {};
}

void SocketPoller::glib_has_news() {
  if (poller_here) poller_here->glib_has_news_ = true;
}

gint SocketPoller::poll_for_glib(GPollFD* fds, guint count, gint timeout_ms) noexcept {
  // Whoever turns this context from another thread waits as GLib does.
  if (!poller_here) return g_poll(fds, count, timeout_ms);
  return poller_here->poll({fds, count}, timeout_ms);
}

gint SocketPoller::poll(std::span<GPollFD> fds, gint timeout_ms) {
  const auto until = timeout_ms < 0
                         ? TimePoint::max()
                         : std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  waiting_.assign(fds.begin(), fds.end());
  waiting_.push_back({.fd = epoll_, .events = G_IO_IN, .revents = 0});
  // What GLib was to look at it may not have: it leaves its turn out when descriptors have changed.
  std::erase_if(held_, [this](int fd) {
    const auto* const source = by_fd_[static_cast<std::size_t>(fd)];
    return !source || !source->held;
  });
  waits_ = !held_.empty();
  for (;;) {
    const Work work = work_();
    waits_ = waits_ || work.glib == Work::Glib::soon;
    if (work.glib == Work::Glib::now) brisk_until_ = std::chrono::steady_clock::now() + kBrisk;
    const bool return_now =
        work.glib == Work::Glib::now || std::exchange(glib_has_news_, false) || timeout_ms == 0;
    const auto turn = [&] {
      const auto least = last_turn_ < brisk_until_ ? kBriskTurn : kTurn;
      return std::max(waits_ ? TimePoint::min() : until, last_turn_ + least);
    };
    const int wait = return_now ? 0 : poll_timeout(std::min(turn(), work.next));
    int ready = g_poll(waiting_.data(), static_cast<guint>(waiting_.size()), wait);
    if (ready < 0) return ready;
    if (waiting_.back().revents != 0) {
      --ready;
      receive();
    }
    if (!return_now && ready == 0 && !glib_has_news_) {
      if (std::chrono::steady_clock::now() < turn()) continue;
    }
    glib_has_news_ = false;
    last_turn_ = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < fds.size(); ++i) fds[i].revents = waiting_[i].revents;
    return ready;
  }
}

// One datagram of each socket that has any: who sends more waits for the others.
void SocketPoller::receive() {
  std::array<epoll_event, kAtATime> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const int fd = events[static_cast<std::size_t>(i)].data.fd;
    if (fd == signal_) {
      std::uint64_t signals = 0;
      [[maybe_unused]] const auto size = read(signal_, &signals, sizeof signals);
    } else if (auto* const source = by_fd_[static_cast<std::size_t>(fd)]) {
      receive(*source);
    }
  }
}

void SocketPoller::receive(SocketSource& source) {
  if (source.direct.receive && (!source.held || source.held->size() < kHeld)) {
    sockaddr_storage from;
    socklen_t length = sizeof from;
    const auto size = recvfrom(source.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT,
                               reinterpret_cast<sockaddr*>(&from), &length);
    if (size < 0) return;
    const auto datagram = std::span(buffer_).first(static_cast<std::size_t>(size));
    if (is_ours(datagram) && same_address(from, source.direct.from)) {
      source.direct.receive(source.direct.self, datagram);
      return;
    }
    if (!source.held) {
      source.held = new std::deque<Held>;
      held_.push_back(source.fd);
    }
    source.held->push_back({from, length, {datagram.begin(), datagram.end()}});
    waits_ = true;
    return;
  }
  source.readable = true;
  glib_has_news_ = true;
}

gssize SocketPoller::receive_message(GSocket* socket, GSocketAddress** address,
                                     GInputVector* vectors, gint num_vectors,
                                     GSocketControlMessage*** messages, gint* num_messages,
                                     gint* flags, GCancellable* cancellable, GError** error) {
  static const auto real = reinterpret_cast<decltype(&g_socket_receive_message)>(
      ::dlsym(RTLD_NEXT, "g_socket_receive_message"));
  if (poller_here && num_vectors == 1) {
    const auto fd = static_cast<std::size_t>(g_socket_get_fd(socket));
    auto* const source = fd < poller_here->by_fd_.size() ? poller_here->by_fd_[fd] : nullptr;
    if (source && source->socket == socket && source->held) {
      Held& held = source->held->front();
      const auto size = std::min(held.bytes.size(), vectors->size);
      std::memcpy(vectors->buffer, held.bytes.data(), size);
      if (address) *address = g_socket_address_new_from_native(&held.from, held.from_length);
      source->held->pop_front();
      if (source->held->empty()) delete std::exchange(source->held, nullptr);
      return static_cast<gssize>(size);
    }
  }
  return real(socket, address, vectors, num_vectors, messages, num_messages, flags, cancellable,
              error);
}

}  // namespace media::gst

// ELF interposition: libnice's calls land here; those of other threads pass through.
extern "C" GSource* g_socket_create_source(GSocket* socket, GIOCondition condition,
                                           GCancellable* cancellable) {
  using namespace media::gst;
  static const auto real = reinterpret_cast<decltype(&g_socket_create_source)>(
      ::dlsym(RTLD_NEXT, "g_socket_create_source"));
  const bool ours = poller_here && condition == G_IO_IN && !cancellable &&
                    g_socket_get_socket_type(socket) == G_SOCKET_TYPE_DATAGRAM;
  return ours ? SocketSource::create(*poller_here, socket) : real(socket, condition, cancellable);
}
