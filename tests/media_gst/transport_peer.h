// tests/media_gst/transport_peer.h: a leg's transport with its I/O thread, what came out of it, and
// ways to disturb it, for tests that let two of them talk.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "media/gst/dtls_srtp.h"
#include "media/gst/gst_ptr.h"
#include "media/gst/io_thread.h"
#include "media/gst/leg_src.h"
#include "tests/support/eventually.h"

namespace media::gst {

// Far beyond what anything here takes; a test that waits so long has failed.
inline constexpr std::chrono::seconds kPatience{40};

// Waits for what other threads write; no sleeping in between.
class EventLog {
 public:
  void push(Event event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    changed_.notify_all();
  }
  void poke() { changed_.notify_all(); }
  // The first event of type T about `subject`, a leg or a piece that is played.
  template <class T, class Id>
  std::optional<T> wait_for(Id subject, std::chrono::milliseconds patience = kPatience) {
    std::unique_lock lock(mutex_);
    std::optional<T> found;
    changed_.wait_for(lock, patience, [&] {
      found = find<T>(subject);
      return found.has_value();
    });
    return found;
  }
  template <class T, class Id>
  std::size_t count(Id subject) const {
    const std::lock_guard lock(mutex_);
    std::size_t n = 0;
    for (const auto& event : events_) {
      const auto* typed = std::get_if<T>(&event);
      if (typed && is_about(*typed, subject)) n++;
    }
    return n;
  }
  template <class T, class Id>
  std::optional<T> last(Id subject) const {
    const std::lock_guard lock(mutex_);
    for (auto each = events_.rbegin(); each != events_.rend(); ++each) {
      const auto* typed = std::get_if<T>(&*each);
      if (typed && is_about(*typed, subject)) return *typed;
    }
    return std::nullopt;
  }
  std::vector<Event> of(LegId leg) const {
    const std::lock_guard lock(mutex_);
    std::vector<Event> out;
    for (const auto& event : events_) {
      if (leg_of(event) == leg) out.push_back(event);
    }
    return out;
  }

 private:
  template <class T, class Id>
  std::optional<T> find(Id subject) const {
    for (const auto& event : events_) {
      const auto* typed = std::get_if<T>(&event);
      if (typed && is_about(*typed, subject)) return *typed;
    }
    return std::nullopt;
  }
  template <class T>
  static bool is_about(const T& event, LegId leg) {
    return event.leg == leg;
  }
  template <class T>
  static bool is_about(const T& event, RecordId record) {
    return event.record == record;
  }
  template <class T>
  static bool is_about(const T& event, PlayId play) {
    return event.play == play;
  }
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Event> events_;
};

using support::eventually;

// What a leg_src pushes, as bytes.
class Receiver {
 public:
  Receiver();
  ~Receiver();
  ElementPtr leg_src() const { return leg_src_; }
  std::vector<std::vector<std::uint8_t>> packets() const;
  bool wait_for_packets(std::size_t count, std::chrono::milliseconds patience = kPatience);

 private:
  static GstFlowReturn chain(GstPad* pad, GstObject* parent, GstBuffer* buffer);
  ElementPtr leg_src_;
  PadPtr pad_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::vector<std::uint8_t>> packets_;
};

struct PeerOptions {
  LegId leg{1};
  std::uint32_t ssrc = 0x1000;
  bool controlling = false, rtcp_mux = true;
  IceConfig ice{.addresses = {"127.0.0.1"}};
  DtlsIdentity::Certificate certificate{};
  std::string profiles{};  // empty: the default
};

class Peer {
 public:
  explicit Peer(PeerOptions options);

  void open();
  LegOpened opened();  // waits
  // This side as the other must see it.
  LegRemote as_remote(DtlsRole role_of_other);
  void send(std::vector<std::uint8_t> rtp);
  // RTP with a payload of `payload_bytes` and consecutive sequence numbers from `first`.
  void send_rtp(std::size_t packets, std::uint16_t first = 0, std::size_t payload_bytes = 80);
  LegId leg() const { return options_.leg; }

  PeerOptions options_;
  DtlsIdentity identity_;
  EventLog log_;
  Receiver receiver_;
  IoThread io_;  // last: stops first
};

std::vector<std::uint8_t> rtp_packet(std::uint32_t ssrc, std::uint16_t sequence,
                                     std::size_t payload_bytes);
// Both opened, connected to each other: a dials (controlling, DTLS server as `actpass` offers
// become), b answers as DTLS client unless told otherwise.
void join(Peer& a, Peer& b, DtlsRole role_of_b = DtlsRole::client);
// Both are connected; else the test has failed.
void expect_connected(Peer& a, Peer& b);

// The file descriptor of this process's UDP socket on that port; -1 if none.
int udp_socket_on(std::uint16_t port);
// Sends from that very socket, as an attacker on the path could.
bool send_from_port(std::uint16_t from, const std::string& ip, std::uint16_t to,
                    const std::vector<std::uint8_t>& datagram);
// From some other socket.
bool send_off_path(const std::string& ip, std::uint16_t to,
                   const std::vector<std::uint8_t>& datagram);
// "host 127.0.0.1:4000" -> 4000.
std::uint16_t port_of(const std::string& pair_end);

// Of UDP on 127.0.0.1, a moment ago.
std::uint16_t free_port();
int open_fds();
int threads();

}  // namespace media::gst
