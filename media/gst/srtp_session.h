// media/gst/srtp_session.h: the two libsrtp contexts of one DTLS association (RFC 3711, RFC 5764
// §4.2). The association's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

struct srtp_ctx_t_;  // libsrtp's

namespace media::gst {

enum class SrtpProfile { aead_aes_128_gcm, aes128_cm_sha1_80 };

struct SrtpKeys {  // each: master key, then master salt
  std::vector<std::uint8_t> send, receive;
};

// RFC 5764 §4.2: lengths of a profile's master key and salt.
std::size_t srtp_key_length(SrtpProfile profile);
std::size_t srtp_salt_length(SrtpProfile profile);

// Once, before any session; any thread. Throws std::runtime_error when libsrtp cannot start or was
// built without GCM.
void start_srtp();

class SrtpSession {
 public:
  // `ssrc`: the only one we send with, until set_ssrc().
  SrtpSession(SrtpProfile profile, const SrtpKeys& keys, std::uint32_t ssrc);
  ~SrtpSession();
  SrtpSession(const SrtpSession&) = delete;
  SrtpSession& operator=(const SrtpSession&) = delete;

  void set_ssrc(std::uint32_t ssrc) { ssrc_ = ssrc; }
  // Looks up what protect_rtp() will: of several sessions, whose memory is in no cache, one after
  // the other, they are waited for together.
  void fetch() const;
  // In place, see DtlsSrtp.
  std::optional<std::size_t> protect_rtp(std::span<std::uint8_t> buffer, std::size_t size);
  std::optional<std::size_t> protect_rtcp(std::span<std::uint8_t> buffer, std::size_t size);
  std::optional<std::size_t> unprotect_rtp(std::span<std::uint8_t> packet);
  std::optional<std::size_t> unprotect_rtcp(std::span<std::uint8_t> packet);
  // Of the peer, that hold a replay window now.
  std::size_t peer_ssrcs() const { return peer_ssrcs_.size(); }

 private:
  struct Free {
    void operator()(srtp_ctx_t_* context) const;
  };
  using Context = std::unique_ptr<srtp_ctx_t_, Free>;

  template <auto Transform>
  std::optional<std::size_t> protect(std::span<std::uint8_t> buffer, std::size_t size,
                                     std::size_t least, std::size_t ssrc_at);
  template <auto Transform>
  std::optional<std::size_t> unprotect(std::span<std::uint8_t> packet, std::size_t least,
                                       std::size_t ssrc_at);
  void remember(std::uint32_t ssrc);

  std::uint32_t ssrc_;
  Context send_, receive_;
  std::vector<std::uint32_t> peer_ssrcs_;
};

}  // namespace media::gst
