#include "media/gst/srtp_session.h"

#include <srtp2/srtp.h>

#include <algorithm>
#include <cstring>
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

srtp_policy_t policy_for(SrtpProfile profile, srtp_ssrc_type_t direction) {
  srtp_policy_t policy{};
  srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, id_of(profile));
  srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, id_of(profile));
  policy.ssrc.type = direction;
  return policy;
}

srtp_t make_context(srtp_policy_t policy, std::vector<std::uint8_t> key) {
  policy.key = key.data();  // libsrtp takes it non-const, and keeps nothing of it
  srtp_t context = nullptr;
  return srtp_create(&context, &policy) == srtp_err_status_ok ? context : nullptr;
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
    const auto policy = policy_for(SrtpProfile::aead_aes_128_gcm, ssrc_any_outbound);
    const srtp_t tried = make_context(policy, std::vector<std::uint8_t>(28));
    if (!tried) throw std::runtime_error("libsrtp was built without AES-GCM");
    srtp_dealloc(tried);
    return true;
  }();
  (void)started;
}

void SrtpSession::Free::operator()(srtp_ctx_t_* context) const { srtp_dealloc(context); }

SrtpSession::SrtpSession(SrtpProfile profile, const SrtpKeys& keys, std::uint32_t ssrc)
    : ssrc_(ssrc), send_(make_context(policy_for(profile, ssrc_any_outbound), keys.send)) {
  // Any source: Dino announces none, and clients change theirs (RFC 3550 §8.2).
  auto policy = policy_for(profile, ssrc_any_inbound);
  policy.window_size = limits::kReplayWindow;
  receive_.reset(make_context(policy, keys.receive));
}

SrtpSession::~SrtpSession() = default;

void SrtpSession::fetch() const {
  std::uint32_t ignored = 0;
  if (send_) srtp_get_stream_roc(send_.get(), ssrc_, &ignored);
}

template <auto Transform>
std::optional<std::size_t> SrtpSession::protect(std::span<std::uint8_t> buffer, std::size_t size,
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
std::optional<std::size_t> SrtpSession::unprotect(std::span<std::uint8_t> packet, std::size_t least,
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

// Only what was authentic gets here. Most recent first.
void SrtpSession::remember(std::uint32_t ssrc) {
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

std::optional<std::size_t> SrtpSession::protect_rtp(std::span<std::uint8_t> buffer,
                                                    std::size_t size) {
  return protect<srtp_protect>(buffer, size, 12, 8);
}
std::optional<std::size_t> SrtpSession::protect_rtcp(std::span<std::uint8_t> buffer,
                                                     std::size_t size) {
  return protect<srtp_protect_rtcp>(buffer, size, 8, 4);
}
std::optional<std::size_t> SrtpSession::unprotect_rtp(std::span<std::uint8_t> packet) {
  return unprotect<srtp_unprotect>(packet, 12, 8);
}
std::optional<std::size_t> SrtpSession::unprotect_rtcp(std::span<std::uint8_t> packet) {
  return unprotect<srtp_unprotect_rtcp>(packet, 8, 4);
}

}  // namespace media::gst
