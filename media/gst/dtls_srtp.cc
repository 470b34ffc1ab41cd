#include "media/gst/dtls_srtp.h"

#include <openssl/err.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

#include "media/gst/dtls_internal.h"
#include "media/gst/srtp_session.h"
#include "media/gst/transport_limits.h"

namespace media::gst {
namespace {

// RFC 5764 §4.2.
constexpr char kExporterLabel[] = "EXTRACTOR-dtls_srtp";
// First resend after 0.4 s instead of RFC 6347's 1 s: people wait for this, and RTTs are below it
// (RFC 8831-era stacks start at 50 ms).
constexpr unsigned kFirstTimeout_us = 400'000, kLastTimeout_us = 6'000'000;

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

const EVP_MD* hash_by_name(const std::string& name) {
  if (name == "sha-256") return EVP_sha256();
  if (name == "sha-384") return EVP_sha384();
  if (name == "sha-512") return EVP_sha512();
  return nullptr;  // RFC 8122 §5: MD5 and MD2 must not, SHA-1 is broken
}

std::string upper(std::string text) {
  for (auto& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string lower(std::string text) {
  for (auto& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

class DtlsSrtp::Impl {
 public:
  Impl(const DtlsIdentity::Impl& identity, DtlsRole role, DtlsFingerprint fingerprint,
       std::uint32_t ssrc, Send send)
      : role_(role),
        expected_{lower(std::move(fingerprint.hash)), upper(std::move(fingerprint.value))},
        ssrc_(ssrc),
        send_(std::move(send)),
        ssl_(SSL_new(identity.context.get())) {
    BIO* bio = ssl_ ? BIO_new(identity.bio_method.get()) : nullptr;
    if (!bio) {
      fail(openssl_error());
      return;
    }
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);  // owned from here on
    SSL_set_app_data(ssl_.get(), this);
    SSL_set_mtu(ssl_.get(), static_cast<long>(limits::kDtlsMtu));
    DTLS_set_timer_cb(ssl_.get(), [](SSL* ssl, unsigned before_us) {
      unsigned& resend_us = static_cast<Impl*>(SSL_get_app_data(ssl))->resend_us_;
      return resend_us =
                 before_us == 0 ? kFirstTimeout_us : std::min(before_us * 2, kLastTimeout_us);
    });
    if (role == DtlsRole::client) {
      SSL_set_connect_state(ssl_.get());
    } else {
      SSL_set_accept_state(ssl_.get());
    }
  }

  void handshake() {
    if (state_ != State::handshaking) return;
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) {
      finish();
      return;
    }
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
    fail(mismatch_ ? "the certificate is not that of the fingerprint" : openssl_error());
    if (mismatch_) state_ = State::fingerprint_mismatch;
  }

  void receive(std::span<const std::uint8_t> datagram) {
    if (state_ != State::handshaking && state_ != State::connected) return;
    datagram_ = datagram;
    handshake();
    // The peer's repeated last flight is answered from within SSL_read; application data has no
    // meaning here; close_notify and alerts end the association but not the keys it gave: who hangs
    // up says so in Jingle or lets consent expire.
    if (state_ == State::connected) {
      read_to_the_end();
      give_buffers_back();
    }
    datagram_ = {};
  }

  std::optional<std::chrono::microseconds> timeout() const {
    timeval left{};
    if (state_ != State::handshaking || DTLSv1_get_timeout(ssl_.get(), &left) != 1) {
      return std::nullopt;
    }
    return std::min(std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec),
                    std::chrono::microseconds(resend_us_));
  }

  // OpenSSL has the timer go by the wall clock: set back by an hour, that is another hour. Whoever
  // calls this goes by a clock that nobody sets, so the timer is told that its time is over.
  void on_timeout() {
    if (!timeout()) return;
    if (timer_) *timer_ = {.tv_sec = 0, .tv_usec = 1};
    ERR_clear_error();
    if (DTLSv1_handle_timeout(ssl_.get()) < 0) fail("no answer to the handshake");
  }

  void close() {
    if (state_ != State::connected) return;
    read_to_the_end();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }

  bool verify(const X509* certificate) {
    const EVP_MD* hash = hash_by_name(expected_.hash);
    verified_ = certificate && hash && !expected_.value.empty() &&
                fingerprint_of(certificate, hash) == expected_.value;
    mismatch_ = !verified_;
    return verified_;
  }

  int read(char* into, int size) {
    if (datagram_.empty()) return -1;
    const auto length = std::min(datagram_.size(), static_cast<std::size_t>(size));
    std::memcpy(into, datagram_.data(), length);
    datagram_ = {};  // what does not fit is gone, as with a socket
    return static_cast<int>(length);
  }
  void write(std::span<const std::uint8_t> datagram) { send_(datagram); }
  // OpenSSL up to 3.1 shows its very timer here, later ones a copy on their stack.
  void timer_set(timeval* timer) {
    constexpr unsigned long kShowsCopies = 0x30200000L;
    if (OpenSSL_version_num() < kShowsCopies) timer_ = timer;
  }

  State state() const { return state_; }
  const std::string& error() const { return error_; }
  const std::string& profile() const { return profile_; }
  void set_ssrc(std::uint32_t ssrc) {
    ssrc_ = ssrc;
    if (srtp_) srtp_->set_ssrc(ssrc);
  }
  SrtpSession* srtp() { return state_ == State::connected ? srtp_.get() : nullptr; }

 private:
  void fail(std::string text) {
    state_ = State::failed;
    error_ = std::move(text);
  }

  void read_to_the_end() {
    std::array<std::uint8_t, 2048> ignored;
    ERR_clear_error();
    while (SSL_read(ssl_.get(), ignored.data(), ignored.size()) > 0) {
    }
    ERR_clear_error();
  }

  // 33 kB, for records that hardly ever come. OpenSSL 3.0 takes them again whenever it reads, but
  // not when it only writes, so each write must follow a read; after the peer's close_notify it
  // does not read any more.
  void give_buffers_back() {
    const bool reads = (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) == 0;
    if (reads && !SSL_in_init(ssl_.get())) SSL_free_buffers(ssl_.get());
  }

  void finish() {
    if (!verified_) {  // cannot be: no resumption, no anonymous cipher
      state_ = State::fingerprint_mismatch;
      error_ = "the peer showed no certificate";
      return;
    }
    const SRTP_PROTECTION_PROFILE* selected = SSL_get_selected_srtp_profile(ssl_.get());
    if (!selected) {
      fail("no SRTP profile in common");
      return;
    }
    const auto profile = selected->id == SRTP_AEAD_AES_128_GCM ? SrtpProfile::aead_aes_128_gcm
                                                               : SrtpProfile::aes128_cm_sha1_80;
    const auto key = srtp_key_length(profile), salt = srtp_salt_length(profile);
    // RFC 5764 §4.2: client key, server key, client salt, server salt.
    std::vector<std::uint8_t> material(2 * (key + salt));
    if (SSL_export_keying_material(ssl_.get(), material.data(), material.size(), kExporterLabel,
                                   sizeof(kExporterLabel) - 1, nullptr, 0, 0) != 1) {
      fail("no keying material");
      return;
    }
    const auto side = [&](std::size_t index) {
      std::vector<std::uint8_t> out(key + salt);
      std::memcpy(out.data(), material.data() + index * key, key);
      std::memcpy(out.data() + key, material.data() + 2 * key + index * salt, salt);
      return out;
    };
    const std::size_t ours = role_ == DtlsRole::client ? 0 : 1;
    srtp_ = std::make_unique<SrtpSession>(
        profile, SrtpKeys{.send = side(ours), .receive = side(1 - ours)}, ssrc_);
    OPENSSL_cleanse(material.data(), material.size());
    profile_ = selected->name;
    state_ = State::connected;
  }

  DtlsRole role_;
  DtlsFingerprint expected_;
  std::uint32_t ssrc_;
  Send send_;
  std::unique_ptr<SSL, SslFree> ssl_;
  timeval* timer_ = nullptr;  // OpenSSL's, in ssl_; null: none was set, or it is not shown
  unsigned resend_us_ = 0;    // that the timer was last set to
  std::span<const std::uint8_t> datagram_;
  State state_ = State::handshaking;
  bool verified_ = false, mismatch_ = false;
  std::string error_, profile_;
  std::unique_ptr<SrtpSession> srtp_;
};

std::string fingerprint_of(const X509* certificate, const EVP_MD* hash) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (X509_digest(certificate, hash, digest.data(), &length) != 1) return {};
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string text;
  for (unsigned i = 0; i < length; ++i) {
    if (i > 0) text += ':';
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 15];
  }
  return text;
}

std::string openssl_error() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : "error " + std::to_string(code);
}

BIO_METHOD* make_datagram_bio_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "datagram");
  if (!method) return nullptr;
  BIO_meth_set_read(method, [](BIO* bio, char* into, int size) {
    BIO_clear_retry_flags(bio);
    const int length = static_cast<DtlsSrtp::Impl*>(BIO_get_data(bio))->read(into, size);
    if (length < 0) BIO_set_retry_read(bio);
    return length;
  });
  BIO_meth_set_write(method, [](BIO* bio, const char* data, int size) {
    static_cast<DtlsSrtp::Impl*>(BIO_get_data(bio))
        ->write({reinterpret_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)});
    return size;
  });
  BIO_meth_set_ctrl(method, [](BIO* bio, int command, long, void* argument) -> long {
    switch (command) {
      case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
        static_cast<DtlsSrtp::Impl*>(BIO_get_data(bio))->timer_set(static_cast<timeval*>(argument));
        return 1;
      case BIO_CTRL_FLUSH: return 1;
      case BIO_CTRL_DGRAM_QUERY_MTU:
      case BIO_CTRL_DGRAM_GET_FALLBACK_MTU: return static_cast<long>(limits::kDtlsMtu);
      default: return 0;
    }
  });
  return method;
}

int verify_fingerprint(X509_STORE_CTX* store, void*) {
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* association = static_cast<DtlsSrtp::Impl*>(SSL_get_app_data(ssl));
  if (association->verify(X509_STORE_CTX_get0_cert(store))) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
  return 0;
}

DtlsSrtp::DtlsSrtp(const DtlsIdentity& identity, DtlsRole role, DtlsFingerprint fingerprint,
                   std::uint32_t ssrc, Send send)
    : impl_(std::make_unique<Impl>(*identity.impl_, role, std::move(fingerprint), ssrc,
                                   std::move(send))) {}
DtlsSrtp::~DtlsSrtp() = default;

DtlsSrtp::State DtlsSrtp::start() {
  impl_->handshake();
  return impl_->state();
}
DtlsSrtp::State DtlsSrtp::receive(std::span<const std::uint8_t> datagram) {
  impl_->receive(datagram);
  return impl_->state();
}
std::optional<std::chrono::microseconds> DtlsSrtp::timeout() const { return impl_->timeout(); }
DtlsSrtp::State DtlsSrtp::on_timeout() {
  impl_->on_timeout();
  return impl_->state();
}
void DtlsSrtp::close() { impl_->close(); }
DtlsSrtp::State DtlsSrtp::state() const { return impl_->state(); }
const std::string& DtlsSrtp::error() const { return impl_->error(); }
const std::string& DtlsSrtp::profile() const { return impl_->profile(); }

void DtlsSrtp::set_ssrc(std::uint32_t ssrc) { impl_->set_ssrc(ssrc); }
SrtpSession* DtlsSrtp::srtp() { return impl_->srtp(); }
std::optional<std::size_t> DtlsSrtp::protect_rtp(std::span<std::uint8_t> buffer, std::size_t size) {
  auto* srtp = impl_->srtp();
  return srtp ? srtp->protect_rtp(buffer, size) : std::nullopt;
}
std::optional<std::size_t> DtlsSrtp::protect_rtcp(std::span<std::uint8_t> buffer,
                                                  std::size_t size) {
  auto* srtp = impl_->srtp();
  return srtp ? srtp->protect_rtcp(buffer, size) : std::nullopt;
}
std::optional<std::size_t> DtlsSrtp::unprotect_rtp(std::span<std::uint8_t> packet) {
  auto* srtp = impl_->srtp();
  return srtp ? srtp->unprotect_rtp(packet) : std::nullopt;
}
std::optional<std::size_t> DtlsSrtp::unprotect_rtcp(std::span<std::uint8_t> packet) {
  auto* srtp = impl_->srtp();
  return srtp ? srtp->unprotect_rtcp(packet) : std::nullopt;
}

}  // namespace media::gst
