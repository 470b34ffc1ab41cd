#include "tests/media_gst/transport_peer.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <gst/gst.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace media::gst {
namespace {

int entries(const char* folder) {
  DIR* dir = opendir(folder);
  int count = 0;
  while (const dirent* entry = readdir(dir)) {
    if (entry->d_name[0] != '.') count++;
  }
  closedir(dir);
  return count;
}

void start_gstreamer() { gst_init(nullptr, nullptr); }

sockaddr_storage socket_address(const std::string& ip, std::uint16_t port, socklen_t& length) {
  sockaddr_storage storage{};
  if (ip.find(':') != std::string::npos) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    inet_pton(AF_INET6, ip.c_str(), &v6->sin6_addr);
    length = sizeof(*v6);
  } else {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    inet_pton(AF_INET, ip.c_str(), &v4->sin_addr);
    length = sizeof(*v4);
  }
  return storage;
}

bool send_on(int fd, const std::string& ip, std::uint16_t to,
             const std::vector<std::uint8_t>& datagram) {
  socklen_t length = 0;
  const auto address = socket_address(ip, to, length);
  return sendto(fd, datagram.data(), datagram.size(), 0,
                reinterpret_cast<const sockaddr*>(&address),
                length) == static_cast<ssize_t>(datagram.size());
}

}  // namespace

Receiver::Receiver() {
  start_gstreamer();
  leg_src_ = make_leg_src(111);
  pad_ = PadPtr::sink(gst_pad_new("sink", GST_PAD_SINK));
  gst_pad_set_element_private(pad_.get(), this);
  gst_pad_set_chain_function(pad_.get(), &Receiver::chain);
  gst_pad_set_active(pad_.get(), TRUE);
  const auto src = PadPtr::adopt(gst_element_get_static_pad(leg_src_.get(), "src"));
  EXPECT_EQ(gst_pad_link(src.get(), pad_.get()), GST_PAD_LINK_OK);
  gst_element_set_state(leg_src_.get(), GST_STATE_PLAYING);
}

Receiver::~Receiver() {
  gst_element_set_state(leg_src_.get(), GST_STATE_NULL);
  gst_pad_set_active(pad_.get(), FALSE);  // waits for a push on its way
}

GstFlowReturn Receiver::chain(GstPad* pad, GstObject*, GstBuffer* buffer) {
  auto* self = static_cast<Receiver*>(gst_pad_get_element_private(pad));
  std::vector<std::uint8_t> bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  gst_buffer_unref(buffer);
  const std::lock_guard lock(self->mutex_);
  self->packets_.push_back(std::move(bytes));
  self->changed_.notify_all();
  return GST_FLOW_OK;
}

std::vector<std::vector<std::uint8_t>> Receiver::packets() const {
  const std::lock_guard lock(mutex_);
  return packets_;
}

bool Receiver::wait_for_packets(std::size_t count, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [&] { return packets_.size() >= count; });
}

Peer::Peer(PeerOptions options)
    : options_(std::move(options)),
      identity_(options_.certificate),
      io_(options_.ice, identity_, [this](Event event) { log_.push(std::move(event)); }) {
  if (!options_.profiles.empty()) identity_.set_profiles(options_.profiles);
}

void Peer::open() {
  io_.open({.leg = options_.leg,
            .ssrc = options_.ssrc,
            .cname = {},
            .ice_controlling = options_.controlling,
            .rtcp_mux = options_.rtcp_mux,
            .leg_src = receiver_.leg_src()});
}

LegOpened Peer::opened() {
  auto event = log_.wait_for<LegOpened>(leg());
  EXPECT_TRUE(event);
  return event.value_or(LegOpened{});
}

LegRemote Peer::as_remote(DtlsRole role_of_other) {
  const auto event = opened();
  LegRemote remote;
  remote.ice = event.ice;
  remote.candidates = event.candidates;
  remote.fingerprint = event.fingerprint;
  remote.our_role = role_of_other;
  remote.rtp.rtcp_mux = options_.rtcp_mux;
  return remote;
}

void Peer::send(std::vector<std::uint8_t> rtp) {
  io_.enqueue(leg(), BufferPtr(gst_buffer_new_memdup(rtp.data(), rtp.size())));
  io_.flush();
}

void Peer::send_rtp(std::size_t packets, std::uint16_t first, std::size_t payload_bytes) {
  for (std::size_t i = 0; i < packets; ++i) {
    send(rtp_packet(options_.ssrc, static_cast<std::uint16_t>(first + i), payload_bytes));
  }
}

std::vector<std::uint8_t> rtp_packet(std::uint32_t ssrc, std::uint16_t sequence,
                                     std::size_t payload_bytes) {
  std::vector<std::uint8_t> packet(12 + payload_bytes, 0x55);
  const std::uint32_t timestamp = sequence * 960U;
  packet[0] = 0x80;
  packet[1] = 111;
  packet[2] = static_cast<std::uint8_t>(sequence >> 8);
  packet[3] = static_cast<std::uint8_t>(sequence);
  for (unsigned i = 0; i < 4; ++i) {
    packet[4 + i] = static_cast<std::uint8_t>(timestamp >> (24 - 8 * i));
    packet[8 + i] = static_cast<std::uint8_t>(ssrc >> (24 - 8 * i));
  }
  return packet;
}

void join(Peer& a, Peer& b, DtlsRole role_of_b) {
  a.open();
  b.open();
  const auto role_of_a = role_of_b == DtlsRole::client ? DtlsRole::server : DtlsRole::client;
  a.io_.connect(a.leg(), b.as_remote(role_of_a));
  b.io_.connect(b.leg(), a.as_remote(role_of_b));
}

void expect_connected(Peer& a, Peer& b) {
  ASSERT_TRUE(a.log_.wait_for<LegConnected>(a.leg()));
  ASSERT_TRUE(b.log_.wait_for<LegConnected>(b.leg()));
}

int udp_socket_on(std::uint16_t port) {
  for (int fd = 3; fd < 4096; ++fd) {
    int type = 0;
    socklen_t length = sizeof(type);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_DGRAM) continue;
    sockaddr_storage address{};
    length = sizeof(address);
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) continue;
    // sin_port and sin6_port lie at the same place.
    if (ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port) == port) return fd;
  }
  return -1;
}

bool send_from_port(std::uint16_t from, const std::string& ip, std::uint16_t to,
                    const std::vector<std::uint8_t>& datagram) {
  const int fd = udp_socket_on(from);
  return fd >= 0 && send_on(fd, ip, to, datagram);
}

bool send_off_path(const std::string& ip, std::uint16_t to,
                   const std::vector<std::uint8_t>& datagram) {
  const int fd = socket(ip.find(':') == std::string::npos ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
  const bool sent = send_on(fd, ip, to, datagram);
  close(fd);
  return sent;
}

std::uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), length), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), 0);
  close(fd);
  return ntohs(address.sin_port);
}

std::uint16_t port_of(const std::string& pair_end) {
  return static_cast<std::uint16_t>(std::atoi(pair_end.c_str() + pair_end.rfind(':') + 1));
}

int open_fds() { return entries("/proc/self/fd") - 1; }
int threads() { return entries("/proc/self/task"); }

}  // namespace media::gst
