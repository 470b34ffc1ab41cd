// media/gst/dtls_srtp.h: DTLS-SRTP (RFC 5763, RFC 5764): one association = the OpenSSL handshake,
// the fingerprint check (RFC 8122) and the two libsrtp contexts that come out of it. No socket and
// no clock inside: datagrams and the time come in, datagrams go out by the send function.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "media/media_engine.h"

namespace media::gst {

class SrtpSession;

// The process's certificate (ECDSA P-256, self-signed, made at construction) and what handshakes
// share. Immutable afterwards: any thread. Throws std::runtime_error when OpenSSL or libsrtp lack
// what is needed.
class DtlsIdentity {
 public:
  // For tests with odd peers (Dino: X.509 v1, not valid before tomorrow).
  struct Certificate {
    int version = 3;
    std::chrono::seconds not_before{-24 * 3600};  // from now
    std::chrono::seconds not_after{10 * 365 * 24 * 3600};
  };
  DtlsIdentity();
  explicit DtlsIdentity(const Certificate& certificate);
  ~DtlsIdentity();
  DtlsIdentity(const DtlsIdentity&) = delete;
  DtlsIdentity& operator=(const DtlsIdentity&) = delete;

  const DtlsFingerprint& fingerprint() const { return fingerprint_; }  // sha-256
  // The SRTP profiles to offer or accept, in OpenSSL's words, best first. Before any association.
  void set_profiles(const std::string& profiles);

  class Impl;  // dtls_internal.h

 private:
  friend class DtlsSrtp;
  std::unique_ptr<Impl> impl_;
  DtlsFingerprint fingerprint_;
};

class DtlsSrtp {
 public:
  enum class State { handshaking, connected, fingerprint_mismatch, failed };
  using Send = std::function<void(std::span<const std::uint8_t>)>;  // one datagram

  // The peer must present the certificate of `fingerprint` (sha-256, sha-384 or sha-512; others
  // match nothing); nothing else of it is looked at, and no key exists before. `ssrc`: of what we
  // protect, until set_ssrc().
  DtlsSrtp(const DtlsIdentity& identity, DtlsRole role, DtlsFingerprint fingerprint,
           std::uint32_t ssrc, Send send);
  ~DtlsSrtp();
  DtlsSrtp(const DtlsSrtp&) = delete;
  DtlsSrtp& operator=(const DtlsSrtp&) = delete;

  State start();  // the client's first flight
  State receive(std::span<const std::uint8_t> datagram);
  // When to call on_timeout(), from now, by a clock that is not set; none when nothing is to be
  // sent again. The wall clock, by which OpenSSL reckons, can make it sooner, but never later.
  std::optional<std::chrono::microseconds> timeout() const;
  State on_timeout();  // sends it again
  // Says close_notify when connected (RFC 5246 §7.2.1). The keys stay valid: who hangs up says so
  // in Jingle, and the peer's close_notify changes nothing here either.
  void close();
  void set_ssrc(std::uint32_t ssrc);
  State state() const;
  const std::string& error() const;    // for the log, when failed
  const std::string& profile() const;  // when connected: "SRTP_AEAD_AES_128_GCM"

  // What the four below use; null until connected, and the same from then on.
  SrtpSession* srtp();

  // In place; the packet is buffer[0, size), and buffer has kTrailer more. The new size; nullopt:
  // not connected, not ours to send, tag wrong, replayed or malformed.
  static constexpr std::size_t kTrailer = 148;  // SRTP_MAX_TRAILER_LEN + index
  std::optional<std::size_t> protect_rtp(std::span<std::uint8_t> buffer, std::size_t size);
  std::optional<std::size_t> protect_rtcp(std::span<std::uint8_t> buffer, std::size_t size);
  std::optional<std::size_t> unprotect_rtp(std::span<std::uint8_t> packet);
  std::optional<std::size_t> unprotect_rtcp(std::span<std::uint8_t> packet);

  class Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace media::gst
