// A peer that shakes hands again within a call (RFC 5246 §7.4.1): it gets no second handshake, and
// the call goes on with the keys of the first. The peer is OpenSSL itself: ours refuses to.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <deque>

#include "media/gst/dtls_internal.h"
#include "media/gst/srtp_session.h"
#include "tests/media_gst/transport_peer.h"
#include "tests/support/certificate.h"
#include "tests/support/temp_dir.h"

namespace media::gst {
namespace {

using Bytes = std::vector<std::uint8_t>;
using State = DtlsSrtp::State;

class Renegotiation : public testing::TestWithParam<DtlsRole> {  // ours
 protected:
  void SetUp() override {
    const auto files = support::make_certificate(folder_.path(), "peer");
    context_.reset(SSL_CTX_new(DTLS_method()));
    ASSERT_EQ(SSL_CTX_use_certificate_file(context_.get(), files.pem.c_str(), SSL_FILETYPE_PEM), 1);
    ASSERT_EQ(SSL_CTX_use_PrivateKey_file(context_.get(), files.key.c_str(), SSL_FILETYPE_PEM), 1);
    ASSERT_EQ(SSL_CTX_set_tlsext_use_srtp(context_.get(), "SRTP_AES128_CM_SHA1_80"), 0);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
    SSL_CTX_set_options(context_.get(), SSL_OP_NO_QUERY_MTU);
    peer_ = SSL_new(context_.get());
    SSL_set_mtu(peer_, 1200);
    SSL_set_bio(peer_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (GetParam() == DtlsRole::client) {
      SSL_set_accept_state(peer_);
    } else {
      SSL_set_connect_state(peer_);
    }
    const auto* certificate = SSL_CTX_get0_certificate(context_.get());
    ours_ = std::make_unique<DtlsSrtp>(
        identity_, GetParam(),
        DtlsFingerprint{"sha-256", fingerprint_of(certificate, EVP_sha256())}, kSsrc,
        [this](auto datagram) { to_peer_.emplace_back(datagram.begin(), datagram.end()); });
    ours_->start();
    talk();
    ASSERT_EQ(ours_->state(), State::connected) << ours_->error();
    ASSERT_EQ(SSL_is_init_finished(peer_), 1);
  }
  ~Renegotiation() override { SSL_free(peer_); }

  // Until neither has anything to say.
  void talk() {
    bool more = true;
    while (more) {
      SSL_do_handshake(peer_);
      std::array<std::uint8_t, 2000> buffer;
      SSL_read(peer_, buffer.data(), buffer.size());
      more = !to_peer_.empty();
      for (int size; (size = BIO_read(SSL_get_wbio(peer_), buffer.data(), buffer.size())) > 0;) {
        ours_->receive(std::span(buffer).first(static_cast<std::size_t>(size)));
        more = true;
      }
      for (const auto& datagram : std::exchange(to_peer_, {})) {
        BIO_write(SSL_get_rbio(peer_), datagram.data(), static_cast<int>(datagram.size()));
        SSL_read(peer_, buffer.data(), buffer.size());
      }
    }
  }
  // Sealed with the keys of the first handshake.
  Bytes sealed_by_us() {
    auto packet = rtp_packet(kSsrc, sequence_++, 60);
    const auto size = packet.size();
    packet.resize(size + DtlsSrtp::kTrailer);
    packet.resize(ours_->protect_rtp(packet, size).value_or(0));
    return packet;
  }
  long handshakes() const {  // completed
    return SSL_CTX_sess_connect_good(context_.get()) + SSL_CTX_sess_accept_good(context_.get());
  }
  SrtpSession peers_srtp() {
    Bytes material(60);
    EXPECT_EQ(SSL_export_keying_material(peer_, material.data(), material.size(),
                                         "EXTRACTOR-dtls_srtp", 19, nullptr, 0, 0),
              1);
    const auto side = [&](std::size_t index) {
      Bytes out(material.begin() + static_cast<std::ptrdiff_t>(16 * index),
                material.begin() + static_cast<std::ptrdiff_t>(16 * index + 16));
      out.insert(out.end(), material.begin() + static_cast<std::ptrdiff_t>(32 + 14 * index),
                 material.begin() + static_cast<std::ptrdiff_t>(32 + 14 * index + 14));
      return out;
    };
    const std::size_t peers = GetParam() == DtlsRole::client ? 1 : 0;
    return {SrtpProfile::aes128_cm_sha1_80, {.send = side(peers), .receive = side(1 - peers)}, 1};
  }

  static constexpr std::uint32_t kSsrc = 0x77;
  const support::TempDir folder_;
  DtlsIdentity identity_;
  std::unique_ptr<SSL_CTX, SslContextFree> context_;
  SSL* peer_ = nullptr;
  std::unique_ptr<DtlsSrtp> ours_;
  std::deque<Bytes> to_peer_;
  std::uint16_t sequence_ = 0;
};

TEST_P(Renegotiation, ChangesNothing) {
  auto peers = peers_srtp();
  for (int i = 0; i < 20; ++i) {
    SSL_renegotiate(peer_);
    talk();
    EXPECT_EQ(ours_->state(), State::connected) << ours_->error();
    auto packet = sealed_by_us();
    EXPECT_TRUE(peers.unprotect_rtp(packet)) << "after " << i << " tries";
    EXPECT_EQ(handshakes(), 1) << "after " << i << " tries";
  }
}

INSTANTIATE_TEST_SUITE_P(WhileWeAreThe, Renegotiation,
                         testing::Values(DtlsRole::client, DtlsRole::server), [](const auto& info) {
                           return std::string(info.param == DtlsRole::client ? "client" : "server");
                         });

}  // namespace
}  // namespace media::gst
