#include "media/gst/socket_poller.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "media/gst/gst_ptr.h"
#include "tests/support/eventually.h"

namespace media::gst {
namespace {

const std::string kStun("\x00\x01stun", 6), kRtp("\x80rtp"), kDtls("\x16 dtls");

sockaddr_storage address_of(GSocket* socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  getsockname(g_socket_get_fd(socket), reinterpret_cast<sockaddr*>(&address), &length);
  return address;
}

ObjectPtr<GSocket> bound_socket() {
  auto socket = ObjectPtr<GSocket>::adopt(
      g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, nullptr));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(
      bind(g_socket_get_fd(socket.get()), reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
  g_socket_set_blocking(socket.get(), FALSE);
  return socket;
}

void send(GSocket* from, GSocket* to, const std::string& bytes) {
  const auto address = address_of(to);
  EXPECT_EQ(sendto(g_socket_get_fd(from), bytes.data(), bytes.size(), 0,
                   reinterpret_cast<const sockaddr*>(&address), sizeof(sockaddr_in)),
            static_cast<ssize_t>(bytes.size()));
}

// A socket as libnice watches it, and what came either way.
struct Watched {
  explicit Watched(GMainContext* context)
      : source(g_socket_create_source(socket.get(), G_IO_IN, nullptr)) {
    g_source_set_callback(source, G_SOURCE_FUNC(&Watched::readable), this, nullptr);
    g_source_attach(source, context);
  }
  ~Watched() { unwatch(); }
  void unwatch() {
    if (!source) return;
    g_source_destroy(source);
    g_source_unref(std::exchange(source, nullptr));
  }
  void direct_from(GSocket* peer) {
    SocketPoller::set_direct(
        g_socket_get_fd(socket.get()),
        {.from = address_of(peer), .receive = &Watched::receive, .self = this});
  }
  static void receive(void* self, std::span<std::uint8_t> datagram) {
    static_cast<Watched*>(self)->straight.emplace_back(datagram.begin(), datagram.end());
  }
  static gboolean readable(GSocket* socket, GIOCondition, gpointer data) {
    auto* const self = static_cast<Watched*>(data);
    for (;;) {
      char buffer[2000];
      GInputVector into{buffer, sizeof buffer};
      GSocketAddress* from = nullptr;
      const auto size = g_socket_receive_message(socket, &from, &into, 1, nullptr, nullptr, nullptr,
                                                 nullptr, nullptr);
      if (size < 0) return G_SOURCE_CONTINUE;
      EXPECT_TRUE(G_IS_INET_SOCKET_ADDRESS(from));
      g_object_unref(from);
      self->by_glib.emplace_back(buffer, static_cast<std::size_t>(size));
    }
  }

  ObjectPtr<GSocket> socket = bound_socket();
  GSource* source;
  std::vector<std::string> straight, by_glib;
};

class SocketPollerTest : public testing::Test {
 protected:
  SocketPollerTest() : context_(g_main_context_new()), poller_([this] { return work(); }) {
    poller_.install(context_.get());
  }
  SocketPoller::Work work() {
    ++works_;
    return {.next = SocketPoller::TimePoint::max(), .glib = SocketPoller::Work::Glib::no};
  }
  bool turn_until(const std::function<bool()>& condition) {
    return support::eventually([&] {
      g_main_context_iteration(context_.get(), FALSE);
      return condition();
    });
  }

  ContextPtr context_;
  std::atomic<int> works_{0};
  SocketPoller poller_;
  ObjectPtr<GSocket> peer_ = bound_socket(), stranger_ = bound_socket();
};

using Strings = std::vector<std::string>;

TEST_F(SocketPollerTest, WhatIsNotStunGoesStraightFromThePeerAndOnlyFromHim) {
  Watched leg(context_.get());
  leg.direct_from(peer_.get());
  send(peer_.get(), leg.socket.get(), kRtp);
  send(peer_.get(), leg.socket.get(), kStun);
  send(peer_.get(), leg.socket.get(), kDtls);
  send(stranger_.get(), leg.socket.get(), kRtp);
  EXPECT_TRUE(turn_until([&] { return leg.straight.size() + leg.by_glib.size() == 4; }));
  // libnice reads on when it reads at all: what stands behind a check may come either way.
  EXPECT_EQ(leg.straight.at(0), kRtp);
  EXPECT_EQ(leg.by_glib.at(0), kStun);
  EXPECT_EQ(leg.by_glib.back(), kRtp);
}

// Checks of one who is connected wait for GLib's turn, in their order, and keep nothing else back.
TEST_F(SocketPollerTest, WhatWaitsForGlibIsNotInTheWayOfTheRest) {
  Watched leg(context_.get());
  leg.direct_from(peer_.get());
  Strings checks;
  for (int i = 0; i < 20; ++i) {
    checks.push_back(kStun + std::to_string(i));
    send(peer_.get(), leg.socket.get(), checks.back());
  }
  send(peer_.get(), leg.socket.get(), kRtp);
  EXPECT_TRUE(turn_until([&] { return leg.by_glib.size() >= 20; }));
  EXPECT_TRUE(turn_until([&] { return leg.by_glib.size() + leg.straight.size() == 21; }));
  EXPECT_EQ(Strings(leg.by_glib.begin(), leg.by_glib.begin() + 20), checks);
}

TEST_F(SocketPollerTest, WithoutAPeerAllGoesTheOldWay) {
  Watched leg(context_.get());
  send(peer_.get(), leg.socket.get(), kRtp);
  EXPECT_TRUE(turn_until([&] { return leg.by_glib == Strings{kRtp}; }));
  leg.direct_from(peer_.get());
  SocketPoller::clear_direct(g_socket_get_fd(leg.socket.get()), &leg);
  send(peer_.get(), leg.socket.get(), kRtp);
  EXPECT_TRUE(turn_until([&] { return leg.by_glib == Strings{kRtp, kRtp}; }));
  EXPECT_TRUE(leg.straight.empty());
}

TEST_F(SocketPollerTest, WhoSendsAFloodWaitsForTheOthers) {
  Watched flooded(context_.get()), other(context_.get());
  flooded.direct_from(peer_.get());
  other.direct_from(stranger_.get());
  bool timer = false;
  GSource* const timeout = g_timeout_source_new(0);
  g_source_set_callback(
      timeout,
      [](gpointer flag) -> gboolean {
        *static_cast<bool*>(flag) = true;
        return G_SOURCE_REMOVE;
      },
      &timer, nullptr);
  g_source_attach(timeout, context_.get());
  for (int i = 0; i < 100; ++i) send(peer_.get(), flooded.socket.get(), kRtp);
  send(stranger_.get(), other.socket.get(), kRtp);
  EXPECT_TRUE(turn_until([&] { return !other.straight.empty() && timer; }));
  EXPECT_LT(flooded.straight.size(), 10U);
  EXPECT_TRUE(turn_until([&] { return flooded.straight.size() == 100; }));
  g_source_unref(timeout);
}

TEST_F(SocketPollerTest, ASignalEndsTheWaitAndTheWorkIsDone) {
  const int before = works_;
  std::atomic<bool> over{false};
  std::thread other([&] {
    while (works_ == before) std::this_thread::yield();  // it is about to wait, or waits
    poller_.signal();
    while (works_ == before + 1) std::this_thread::yield();
    over = true;
    g_main_context_wakeup(context_.get());
  });
  g_main_context_iteration(context_.get(), TRUE);
  EXPECT_TRUE(over);
  EXPECT_GE(works_, before + 2);
  other.join();
}

TEST_F(SocketPollerTest, ADescriptorThatIsUsedAgainHasNoPeer) {
  Watched first(context_.get());
  first.direct_from(peer_.get());
  const int fd = g_socket_get_fd(first.socket.get());
  g_socket_close(first.socket.get(), nullptr);  // as the agent does, while it is watched
  Watched second(context_.get());
  ASSERT_EQ(g_socket_get_fd(second.socket.get()), fd);
  first.unwatch();
  SocketPoller::clear_direct(fd, &first);
  send(peer_.get(), second.socket.get(), kRtp);
  EXPECT_TRUE(turn_until([&] { return second.by_glib == Strings{kRtp}; }));
  EXPECT_TRUE(first.straight.empty());
}

TEST_F(SocketPollerTest, OtherThreadsSocketsAreGlibsOwn) {
  std::thread([] {
    const auto socket = bound_socket();
    const ContextPtr context(g_main_context_new());
    GSource* const source = g_socket_create_source(socket.get(), G_IO_IN, nullptr);
    bool readable = false;
    g_source_set_callback(source, G_SOURCE_FUNC(+[](GSocket*, GIOCondition, gpointer flag) {
                            *static_cast<bool*>(flag) = true;
                            return G_SOURCE_REMOVE;
                          }),
                          &readable, nullptr);
    g_source_attach(source, context.get());
    send(socket.get(), socket.get(), kRtp);
    EXPECT_TRUE(support::eventually([&] {
      g_main_context_iteration(context.get(), FALSE);
      return readable;
    }));
    g_source_destroy(source);
    g_source_unref(source);
  }).join();
}

}  // namespace
}  // namespace media::gst
