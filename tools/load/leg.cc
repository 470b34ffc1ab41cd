#include "tools/load/leg.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace load {
namespace {

using namespace std::chrono_literals;
using media::gst::DtlsSrtp;

constexpr auto kConnectTime = 30s;
constexpr auto kReportInterval = 5s;  // RFC 3550 §6.2, times 0.5 to 1.5
constexpr unsigned kAtOnce = 8;       // datagrams read by one system call
constexpr std::size_t kDatagram = 1600;

std::chrono::nanoseconds wall_offset() {
  return std::chrono::system_clock::now().time_since_epoch() -
         std::chrono::steady_clock::now().time_since_epoch();
}

bool is_stun(std::uint8_t first) { return first < 4; }  // RFC 7983 §7
bool is_dtls(std::uint8_t first) { return first >= 20 && first < 64; }

}  // namespace

Leg::Leg(Host& host, media::LegId id, const Role& role, Traffic& traffic, Ear* ear)
    : host_(host),
      id_(id),
      role_(role),
      traffic_(traffic),
      ear_(ear),
      ssrc_(static_cast<std::uint32_t>((*host.random)())),
      ice_(*host.random,
           [this](const Address& to, std::span<const std::uint8_t> datagram) {
             (void)sendto(fd_, datagram.data(), datagram.size(), 0, to.get(), to.length);
           }),
      rtcp_(ssrc_, "jingle-load", wall_offset()) {
  const auto address = Address::parse(host.address, 0);
  if (!address) throw std::runtime_error(host.address + " is no IP address");
  fd_ = socket(address->get()->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  Address bound;
  bound.length = sizeof bound.storage;
  if (fd_ < 0 || bind(fd_, address->get(), address->length) != 0 ||
      getsockname(fd_, reinterpret_cast<sockaddr*>(&bound.storage), &bound.length) != 0) {
    const int error = errno;
    if (fd_ >= 0) close(fd_);
    throw std::system_error(error, std::generic_category(), "a socket on " + host.address);
  }
  port_ = bound.port();
  if (role.afflicted) {
    out_.emplace(host.line, (*host.random)());
    in_.emplace(host.line, (*host.random)());
  }
}

Leg::~Leg() { close(fd_); }

void Leg::open() {
  media::LegOpened opened;
  opened.leg = id_;
  opened.ice = ice_.local();
  opened.candidates = {{1, "1", host_.address, port_, (126U << 24) | (65535U << 8) | 255U,
                        media::CandidateType::host, "", 0}};
  if (host_.identity != nullptr) opened.fingerprint = host_.identity->fingerprint();
  opened.ssrc = ssrc_;
  host_.emit(opened);
}

void Leg::connect(const media::LegRemote& remote, TimePoint now) {
  sender_.emplace(ssrc_, remote.rtp, static_cast<std::uint32_t>((*host_.random)()));
  give_up_ = now + kConnectTime;
  if (host_.plain) {
    const auto& to = remote.candidates.at(0);
    if (const auto peer = Address::parse(to.ip, to.port)) on_selected(*peer);
    return;
  }
  dtls_.emplace(*host_.identity, remote.our_role, remote.fingerprint, ssrc_,
                [this](std::span<const std::uint8_t> datagram) { depart(datagram); });
  ice_.start(remote.ice, now);
  ice_.add(remote.candidates);
}

void Leg::on_selected(const Address& peer) {
  selected_ = true;
  (void)::connect(fd_, peer.get(), peer.length);
  if (host_.plain) {
    connected_ = std::chrono::steady_clock::now();
    host_.emit(media::LegConnected{id_, "", ""});
  } else {
    shake_hands(dtls_->start());
  }
}

void Leg::shake_hands(DtlsSrtp::State state) {
  if (connected_ || failed_) return;
  if (const auto due = dtls_->timeout()) dtls_due_ = std::chrono::steady_clock::now() + *due;
  if (state == DtlsSrtp::State::connected) {
    dtls_due_.reset();
    connected_ = std::chrono::steady_clock::now();
    host_.emit(media::LegConnected{id_, "host " + host_.address + ":" + std::to_string(port_),
                                   dtls_->profile()});
  } else if (state == DtlsSrtp::State::fingerprint_mismatch) {
    fail(media::LegFailure::fingerprint_mismatch, "the certificate is another one");
  } else if (state == DtlsSrtp::State::failed) {
    fail(media::LegFailure::dtls_failed, dtls_->error().c_str());
  }
}

void Leg::fail(media::LegFailure cause, const char* text) {
  failed_ = true;
  host_.emit(media::LegFailed{id_, cause, text});
}

void Leg::readable(TimePoint now) {
  static thread_local std::array<std::array<std::uint8_t, kDatagram>, kAtOnce> bytes;
  std::array<mmsghdr, kAtOnce> messages{};
  std::array<iovec, kAtOnce> parts;
  std::array<Address, kAtOnce> from;
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    parts[i] = {bytes[i].data(), bytes[i].size()};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    if (selected_) continue;
    messages[i].msg_hdr.msg_name = &from[i].storage;
    messages[i].msg_hdr.msg_namelen = sizeof from[i].storage;
  }
  const int count = recvmmsg(fd_, messages.data(), kAtOnce, 0, nullptr);
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    from[at].length = messages[at].msg_hdr.msg_namelen;
    if (messages[at].msg_len == 0 || vanished_ || failed_) continue;
    receive(std::span(bytes[at]).first(messages[at].msg_len), from[at], now);
  }
}

void Leg::receive(std::span<std::uint8_t> datagram, const Address& from, TimePoint now) {
  if (is_stun(datagram[0]) && !host_.plain) {
    const bool known = selected_;
    ice_.receive(datagram, known ? *ice_.selected() : from, now);
    if (!known && ice_.selected()) on_selected(*ice_.selected());
  } else if (is_dtls(datagram[0]) && dtls_) {
    shake_hands(dtls_->receive(datagram));
  } else {
    decrypt(datagram, now);
  }
}

void Leg::decrypt(std::span<std::uint8_t> datagram, TimePoint now) {
  if (!connected_) return;
  if (media::looks_like_rtcp(datagram)) {
    const auto size = dtls_ ? dtls_->unprotect_rtcp(datagram) : datagram.size();
    if (!size) {
      ++traffic_.undecryptable;
    } else if (rtcp_.rtcp_received(datagram.first(*size), now.time_since_epoch())) {
      traffic_.reported_loss = std::max(traffic_.reported_loss, rtcp_.peer_loss());
    }
    return;
  }
  const auto size = dtls_ ? dtls_->unprotect_rtp(datagram) : datagram.size();
  if (!size) {
    ++traffic_.undecryptable;
    return;
  }
  // The mixer has done its part; from here on it is the bad line's.
  ++traffic_.received;
  ++received_lately_;
  const auto arrives = in_ ? in_->pass(now) : now;
  if (!arrives) {
    ++traffic_.dropped;
  } else if (*arrives <= now) {
    arrive(datagram.first(*size), now);
  } else {
    const auto rtp = datagram.first(*size);
    ++traffic_.delayed;
    host_.delay(id_, true, {rtp.begin(), rtp.end()}, *arrives);
  }
}

void Leg::arrive(std::span<const std::uint8_t> rtp, TimePoint now) {
  const auto packet = media::parse_rtp(rtp);
  if (!packet) return;
  rtcp_.rtp_received(*packet, now.time_since_epoch());
  if (newest_received_ && static_cast<std::int16_t>(packet->sequence - *newest_received_) < 0) {
    ++traffic_.overtaken;
  } else {
    newest_received_ = packet->sequence;
  }
  traffic_.lost += rtcp_.lost() - std::exchange(lost_told_, rtcp_.lost());
  if (last_received_) count_gap(*last_received_, now);
  last_received_ = now;
  if (ear_ != nullptr) ear_->hear(*packet, now);
}

void Leg::count_gap(TimePoint from, TimePoint to) {
  const std::chrono::nanoseconds gap = to - from;
  if (gap > 2 * role_.packet) ++traffic_.gaps_of_two;
  if (gap <= 3 * role_.packet) return;
  ++traffic_.gaps;
  traffic_.longest_gap = std::max(traffic_.longest_gap, gap);
}

void Leg::end_hearing(TimePoint now) {
  if (connected_ && !vanished_) count_gap(last_received_.value_or(*connected_), now);
}

void Leg::tick(TimePoint now) {
  if (vanished_ || failed_) return;
  if (!host_.plain) ice_.tick(now);
  if (dtls_due_ && now >= *dtls_due_) {
    dtls_due_.reset();
    shake_hands(dtls_->on_timeout());
  }
  if (!connected_) {
    if (give_up_ && now > *give_up_) {
      fail(selected_ ? media::LegFailure::dtls_failed : media::LegFailure::ice_failed, "time-out");
    }
    return;
  }
  if (ice_.lost(now)) return fail(media::LegFailure::consent_lost, "no answer to checks");
  send_sound(now);
  if (now >= next_report_) send_report(now);
}

void Leg::send_sound(TimePoint now) {
  if (!sending_ && ticks_ == 0) return;
  const std::uint64_t frame = role_.voice_from + ticks_++;
  const bool says = sending_ && !silent_;
  const auto packets = sender_->tick(says ? role_.voice->frame(frame) : nullptr);
  if (says && role_.marker && frame % kPeriod_frames == kMarkerAt_frame) {
    host_.said_marker(role_, now);
    if (ear_ != nullptr) ear_->said_own(now);
  }
  for (const auto& packet : packets) {
    if (const auto parsed = media::parse_rtp(packet))
      rtcp_.rtp_sent(*parsed, now.time_since_epoch());
    std::ranges::copy(packet, buffer_.begin());
    send_protected(packet.size(), false, now);
    ++traffic_.sent;
  }
}

void Leg::send_report(TimePoint now) {
  next_report_ = now + kReportInterval * (50 + (*host_.random)() % 101) / 100;
  const auto report = rtcp_.report(now.time_since_epoch());
  std::ranges::copy(report, buffer_.begin());
  send_protected(report.size(), true, now);
}

void Leg::say_bye(TimePoint now) {
  if (!connected_ || vanished_) return;
  const auto bye = rtcp_.bye(now.time_since_epoch());
  std::ranges::copy(bye, buffer_.begin());
  send_protected(bye.size(), true, now);
  if (dtls_) dtls_->close();
}

void Leg::send_protected(std::size_t size, bool rtcp, TimePoint now) {
  std::optional<std::size_t> length = size;
  if (dtls_) {
    length = rtcp ? dtls_->protect_rtcp(buffer_, size) : dtls_->protect_rtp(buffer_, size);
  }
  if (!length) return;
  const auto datagram = std::span(buffer_).first(*length);
  const auto departs = out_ ? out_->pass(now) : now;
  if (!departs) {
    ++traffic_.dropped;
  } else if (*departs <= now) {
    depart(datagram);
  } else {
    ++traffic_.delayed;
    host_.delay(id_, false, {datagram.begin(), datagram.end()}, *departs);
  }
}

void Leg::depart(std::span<const std::uint8_t> datagram) {
  if (selected_ && !vanished_) (void)send(fd_, datagram.data(), datagram.size(), 0);
}

media::LegStatistics Leg::statistics() const {
  return {.sent = rtcp_.sent(),
          .received = rtcp_.received(),
          .lost = rtcp_.lost(),
          .jitter_ms = rtcp_.jitter_ms(),
          .rtt_ms = rtcp_.rtt_ms()};
}

}  // namespace load
