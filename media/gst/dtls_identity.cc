// The process's certificate and what handshakes share; see dtls_srtp.h.
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <stdexcept>

#include "media/gst/dtls_internal.h"
#include "media/gst/dtls_srtp.h"
#include "media/gst/srtp_session.h"

namespace media::gst {
namespace {

constexpr const char* kProfiles = "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";
// Forward secrecy always; ECDSA is ours, RSA may be the peer's (RFC 8827 §6.5 for the first).
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:!aNULL";

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Deleter<X509_free>>;

[[noreturn]] void fail(const char* what) {
  throw std::runtime_error(std::string("OpenSSL: ") + what + ": " + openssl_error());
}

X509Ptr make_certificate(const DtlsIdentity::Certificate& spec, EVP_PKEY* key) {
  X509Ptr certificate(X509_new());
  if (!certificate) fail("X509_new");
  X509* x509 = certificate.get();
  const std::unique_ptr<BIGNUM, Deleter<BN_free>> serial(BN_new());
  X509_NAME* name = X509_get_subject_name(x509);
  // The common name is seen by the peer only; nothing of this host goes into it.
  const auto* common_name = reinterpret_cast<const unsigned char*>("mixer");
  if (!X509_set_version(x509, spec.version - 1) ||
      !BN_rand(serial.get(), 64, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) ||
      !BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(x509)) ||
      !X509_gmtime_adj(X509_getm_notBefore(x509), spec.not_before.count()) ||
      !X509_gmtime_adj(X509_getm_notAfter(x509), spec.not_after.count()) ||
      !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0) ||
      !X509_set_issuer_name(x509, name) || !X509_set_pubkey(x509, key) ||
      !X509_sign(x509, key, EVP_sha256())) {
    fail("certificate");
  }
  return certificate;
}

}  // namespace

DtlsIdentity::DtlsIdentity() : DtlsIdentity(Certificate{}) {}

DtlsIdentity::DtlsIdentity(const Certificate& spec) : impl_(std::make_unique<Impl>()) {
  start_srtp();
  const KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) fail("EVP_EC_gen");
  const auto certificate = make_certificate(spec, key.get());
  impl_->context.reset(SSL_CTX_new(DTLS_method()));
  SSL_CTX* context = impl_->context.get();
  if (!context) fail("SSL_CTX_new");
  if (SSL_CTX_use_certificate(context, certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1 ||
      SSL_CTX_set_cipher_list(context, kCiphers) != 1 ||
      SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) != 1) {
    fail("SSL_CTX");
  }
  // No resumption of any kind: a resumed session would skip the certificate, hence the fingerprint.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_QUERY_MTU | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, &verify_fingerprint, nullptr);
  impl_->bio_method.reset(make_datagram_bio_method());
  if (!impl_->bio_method) fail("BIO_meth_new");
  set_profiles(kProfiles);
  fingerprint_ = {"sha-256", fingerprint_of(certificate.get(), EVP_sha256())};
}

DtlsIdentity::~DtlsIdentity() = default;

void DtlsIdentity::set_profiles(const std::string& profiles) {
  // 0 is success here (SSL_CTX_set_tlsext_use_srtp(3)).
  if (SSL_CTX_set_tlsext_use_srtp(impl_->context.get(), profiles.c_str()) != 0)
    fail(profiles.c_str());
}

}  // namespace media::gst
