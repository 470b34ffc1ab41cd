// media/gst/socket_poller.h: how an I/O thread waits. GLib looks at each source of a context, and
// poll() at each descriptor, whenever anything happens: with hundreds of agents that costs several
// times as much as the packets themselves. So the context polls through here: sockets that libnice
// watches stand in an epoll set, what comes over a leg's selected pair and is not STUN goes
// straight to the leg, and GLib gets its turn only for the rest: other datagrams, timers, its own
// wake-ups; and where that can wait, once for all that came within 100 ms (20 while somebody is on
// his way to be connected).
//
// libnice cannot be asked for that: its g_socket_create_source() is interposed (socket_poller.cc),
// on a poller's thread only. Everything but signal() on that thread.
#pragma once

#include <gio/gio.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "media/limits.h"

namespace media::gst {

struct SocketSource;

class SocketPoller {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Work {
    TimePoint next;  // when there is more
    // Sources may have come or gone: GLib looks at them before waiting, or within 100 ms.
    enum class Glib { no, soon, now } glib = Glib::now;
  };
  // From where a socket's datagrams go straight to `receive`: those that libnice would pass on
  // without a look (RFC 7983: DTLS, RTP, RTCP).
  struct Direct {
    sockaddr_storage from{};
    void (*receive)(void* self, std::span<std::uint8_t> datagram) = nullptr;  // null: nothing
    void* self = nullptr;
  };

  // `work` is called before each wait: at the latest at its own `next`, and after signal(). From
  // within it and from `receive` the context may be changed but not turned.
  explicit SocketPoller(std::function<Work()> work);
  ~SocketPoller();
  SocketPoller(const SocketPoller&) = delete;
  SocketPoller& operator=(const SocketPoller&) = delete;

  // This thread, from now on, waits here when it turns `context`.
  void install(GMainContext* context);
  void signal();  // any thread

  // For the watched socket with this descriptor; without a poller, or if it is watched no more,
  // nothing happens and GLib's way is the only one. The last one counts.
  static void set_direct(int fd, const Direct& direct);
  static void clear_direct(int fd, const void* self);
  // libnice was called from within `work` or `receive` and may have set timers.
  static void glib_has_news();
  // g_socket_receive_message(), but first what was read here and is not for `receive`.
  static gssize receive_message(GSocket* socket, GSocketAddress** address, GInputVector* vectors,
                                gint num_vectors, GSocketControlMessage*** messages,
                                gint* num_messages, gint* flags, GCancellable* cancellable,
                                GError** error);

 private:
  friend struct SocketSource;
  // Longer than any datagram that is taken, so that one that is too long is seen to be.
  using Buffer = std::array<std::uint8_t, 2 * limits::kMaxPacketBytes>;

  static gint poll_for_glib(GPollFD* fds, guint count, gint timeout_ms) noexcept;
  gint poll(std::span<GPollFD> fds, gint timeout_ms);
  void receive();
  void receive(SocketSource& source);

  const std::function<Work()> work_;
  int epoll_ = -1, signal_ = -1;
  bool glib_has_news_ = false;  // and must not wait
  bool waits_ = false;          // GLib has something to do that may
  TimePoint last_turn_{};       // of GLib's
  TimePoint brisk_until_{};     // it has its turns more often
  std::vector<int> held_;       // whose sources hold datagrams
  std::vector<GPollFD> waiting_;
  std::vector<SocketSource*> by_fd_;
  Buffer buffer_;
};

}  // namespace media::gst
