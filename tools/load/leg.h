// tools/load/leg.h: one caller's media: a UDP socket, ICE, DTLS-SRTP, RTP and RTCP, on the crowd's
// thread. Without ICE and DTLS (plain RTP) it drives mixers that have neither.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "media/gst/dtls_srtp.h"
#include "media/media_engine.h"
#include "media/rtcp_session.h"
#include "tools/call/rtp_sender.h"
#include "tools/call/voice.h"
#include "tools/load/bad_line.h"
#include "tools/load/ear.h"
#include "tools/load/ice_end.h"
#include "tools/load/roles.h"

namespace load {

// Of the time measured; over all calls of the caller.
struct Traffic {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;  // RTP that could be decrypted, before a bad line spoils it
  std::uint64_t undecryptable = 0;
  std::uint64_t dropped = 0;      // by its bad line, both ways
  std::uint64_t delayed = 0;      // by it, both ways
  std::uint64_t overtaken = 0;    // received after a later one
  std::uint64_t gaps = 0;         // longer than three packets without one, be it until the end
  std::uint64_t gaps_of_two = 0;  // longer than two; these are among them
  std::chrono::nanoseconds longest_gap{};
  std::int64_t lost = 0;     // as its RTCP tells the mixer
  double reported_loss = 0;  // the most that the mixer's RTCP told it, 0 to 1
};

class Leg {
 public:
  // What all legs share; outlives them.
  struct Host {
    std::string address;  // to bind to
    bool plain = false;
    const media::gst::DtlsIdentity* identity = nullptr;
    LineSpec line;
    std::mt19937_64* random = nullptr;
    std::function<void(media::Event)> emit;
    // Later, when a bad line has kept it: arrive() or depart() with these bytes.
    std::function<void(media::LegId, bool in, std::vector<std::uint8_t>, TimePoint)> delay;
    std::function<void(const Role&, TimePoint)> said_marker;
  };

  // Throws std::runtime_error: no socket.
  Leg(Host& host, media::LegId id, const Role& role, Traffic& traffic, Ear* ear);
  ~Leg();
  Leg(const Leg&) = delete;
  Leg& operator=(const Leg&) = delete;

  int fd() const { return fd_; }
  void open();  // LegOpened
  void connect(const media::LegRemote& remote, TimePoint now);
  void add(const std::vector<media::IceCandidate>& candidates) { ice_.add(candidates); }
  void set_sending(bool sending) { sending_ = sending; }
  void set_silent(bool silent) { silent_ = silent; }
  // No word any more, no answer to anything.
  void vanish() { vanished_ = true; }
  bool connected() const { return connected_.has_value(); }
  std::uint64_t take_received_lately() { return std::exchange(received_lately_, 0); }
  media::LegStatistics statistics() const;
  void say_bye(TimePoint now);
  // Nothing more is expected of the mixer: what has not come by now is a gap.
  void end_hearing(TimePoint now);

  void readable(TimePoint now);
  void tick(TimePoint now);  // every 20 ms
  // After a delay: RTP that was decrypted; a datagram to be sent.
  void arrive(std::span<const std::uint8_t> rtp, TimePoint now);
  void depart(std::span<const std::uint8_t> datagram);

 private:
  void receive(std::span<std::uint8_t> datagram, const Address& from, TimePoint now);
  void decrypt(std::span<std::uint8_t> datagram, TimePoint now);
  void on_selected(const Address& peer);
  void shake_hands(media::gst::DtlsSrtp::State state);
  void send_sound(TimePoint now);
  void send_report(TimePoint now);
  void send_protected(std::size_t size, bool rtcp, TimePoint now);
  void count_gap(TimePoint from, TimePoint to);
  void fail(media::LegFailure cause, const char* text);

  // Constant after construction
  Host& host_;
  const media::LegId id_;
  const Role role_;
  Traffic& traffic_;
  Ear* const ear_;
  const std::uint32_t ssrc_;
  int fd_ = -1;
  std::uint16_t port_ = 0;

  IceEnd ice_;
  std::optional<media::gst::DtlsSrtp> dtls_;
  std::optional<TimePoint> dtls_due_;
  media::RtcpSession rtcp_;
  std::optional<call::RtpSender> sender_;
  std::optional<BadLine> out_, in_;
  bool selected_ = false, failed_ = false;
  bool sending_ = false, silent_ = false, vanished_ = false;
  std::uint64_t ticks_ = 0, received_lately_ = 0;
  std::int64_t lost_told_ = 0;
  std::optional<TimePoint> give_up_, connected_, last_received_;
  std::optional<std::uint16_t> newest_received_;
  TimePoint next_report_{};
  std::array<std::uint8_t, 2048> buffer_{};
};

}  // namespace load
