#include "media/gst/srtp_session.h"

#include <srtp2/srtp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <stdexcept>

#include "media/gst/dtls_srtp.h"
#include "media/gst/srtp_cipher.h"
#include "media/gst/transport_limits.h"

namespace media::gst {
namespace {

static_assert(DtlsSrtp::kTrailer >= SRTP_MAX_TRAILER_LEN + 4);

srtp_profile_t id_of(SrtpProfile profile) {
  return profile == SrtpProfile::aead_aes_128_gcm ? srtp_profile_aead_aes_128_gcm
                                                  : srtp_profile_aes128_cm_sha1_80;
}

void set_policy(srtp_policy_t& policy, SrtpProfile profile) {
  srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, id_of(profile));
  srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, id_of(profile));
  policy.window_size = limits::kReplayWindow;
}

struct SrtpFree {
  void operator()(srtp_t session) const { srtp_dealloc(session); }
};
using SrtpPtr = std::unique_ptr<srtp_ctx_t, SrtpFree>;

SrtpPtr make_session(srtp_policy_t policy, const std::vector<std::uint8_t>& key) {
  auto copy = key;  // libsrtp takes it non-const, and keeps nothing of it
  policy.key = copy.data();
  srtp_t session = nullptr;
  if (srtp_create(&session, &policy) != srtp_err_status_ok) return nullptr;
  return SrtpPtr(session);
}

}  // namespace

std::size_t srtp_key_length(SrtpProfile profile) {
  return srtp_profile_get_master_key_length(id_of(profile));
}
std::size_t srtp_salt_length(SrtpProfile profile) {
  return srtp_profile_get_master_salt_length(id_of(profile));
}

void start_srtp() {
  static const bool started = [] {
    if (srtp_init() != srtp_err_status_ok) throw std::runtime_error("libsrtp does not start");
    if (!use_openssl_for_srtp()) throw std::runtime_error("libsrtp refuses OpenSSL's AES-GCM");
    srtp_policy_t policy{};
    set_policy(policy, SrtpProfile::aead_aes_128_gcm);
    policy.ssrc.type = ssrc_any_outbound;
    if (!make_session(policy, std::vector<std::uint8_t>(28))) {
      throw std::runtime_error("libsrtp was built without AES-GCM");
    }
    return true;
  }();
  (void)started;
}

class SrtpSession::Impl {
 public:
  Impl(SrtpProfile profile, const SrtpKeys& keys, std::uint32_t ssrc) : ssrc_(ssrc) {
    srtp_policy_t policy{};
    set_policy(policy, profile);
    policy.ssrc = {ssrc_any_outbound, 0};
    send_ = make_session(policy, keys.send);
    // Any source: Dino announces none, and clients change theirs (RFC 3550 §8.2).
    policy.ssrc = {ssrc_any_inbound, 0};
    receive_ = make_session(policy, keys.receive);
  }

  template <auto Transform>
  std::optional<std::size_t> protect(std::span<std::uint8_t> buffer, std::size_t size,
                                     std::size_t least, std::size_t ssrc_at) {
    if (!send_ || size < least || size + DtlsSrtp::kTrailer > buffer.size()) return std::nullopt;
    std::uint32_t ssrc = 0;
    for (const std::uint8_t byte : buffer.subspan(ssrc_at, 4)) ssrc = ssrc << 8 | byte;
    if (ssrc != ssrc_) return std::nullopt;
    int length = static_cast<int>(size);
    if (Transform(send_.get(), buffer.data(), &length) != srtp_err_status_ok) return std::nullopt;
    return static_cast<std::size_t>(length);
  }

  template <auto Transform>
  std::optional<std::size_t> unprotect(std::span<std::uint8_t> packet, std::size_t least,
                                       std::size_t ssrc_at) {
    if (!receive_ || packet.size() < least) return std::nullopt;
    std::uint32_t ssrc = 0;  // network order, as libsrtp wants it back
    std::memcpy(&ssrc, packet.data() + ssrc_at, sizeof(ssrc));
    int length = static_cast<int>(packet.size());
    if (Transform(receive_.get(), packet.data(), &length) != srtp_err_status_ok || length < 0) {
      return std::nullopt;
    }
    remember(ssrc);
    return static_cast<std::size_t>(length);
  }

  void set_ssrc(std::uint32_t ssrc) { ssrc_ = ssrc; }
  std::size_t peer_ssrcs() const { return peer_ssrcs_.size(); }

 private:
  // Only what was authentic gets here. Most recent first.
  void remember(std::uint32_t ssrc) {
    if (!peer_ssrcs_.empty() && peer_ssrcs_.front() == ssrc) return;
    const auto found = std::find(peer_ssrcs_.begin(), peer_ssrcs_.end(), ssrc);
    if (found != peer_ssrcs_.end()) {
      std::rotate(peer_ssrcs_.begin(), found, found + 1);
      return;
    }
    if (peer_ssrcs_.size() >= limits::kPeerSsrcs) {
      srtp_remove_stream(receive_.get(), peer_ssrcs_.back());
      peer_ssrcs_.pop_back();
    }
    peer_ssrcs_.insert(peer_ssrcs_.begin(), ssrc);
  }

  std::uint32_t ssrc_;
  SrtpPtr send_, receive_;
  std::vector<std::uint32_t> peer_ssrcs_;
};

SrtpSession::SrtpSession(SrtpProfile profile, const SrtpKeys& keys, std::uint32_t ssrc)
    : impl_(std::make_unique<Impl>(profile, keys, ssrc)) {}
SrtpSession::~SrtpSession() = default;

std::optional<std::size_t> SrtpSession::protect_rtp(std::span<std::uint8_t> buffer,
                                                    std::size_t size) {
  return impl_->protect<srtp_protect>(buffer, size, 12, 8);
}
std::optional<std::size_t> SrtpSession::protect_rtcp(std::span<std::uint8_t> buffer,
                                                     std::size_t size) {
  return impl_->protect<srtp_protect_rtcp>(buffer, size, 8, 4);
}
std::optional<std::size_t> SrtpSession::unprotect_rtp(std::span<std::uint8_t> packet) {
  return impl_->unprotect<srtp_unprotect>(packet, 12, 8);
}
std::optional<std::size_t> SrtpSession::unprotect_rtcp(std::span<std::uint8_t> packet) {
  return impl_->unprotect<srtp_unprotect_rtcp>(packet, 8, 4);
}
void SrtpSession::set_ssrc(std::uint32_t ssrc) { impl_->set_ssrc(ssrc); }
std::size_t SrtpSession::peer_ssrcs() const { return impl_->peer_ssrcs(); }

}  // namespace media::gst
