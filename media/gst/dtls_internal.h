// media/gst/dtls_internal.h: what dtls_identity.cc and dtls_srtp.cc share. The only header of ours
// that sees OpenSSL.
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "media/gst/dtls_srtp.h"

namespace media::gst {

struct SslContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct BioMethodFree {
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};

class DtlsIdentity::Impl {
 public:
  std::unique_ptr<BIO_METHOD, BioMethodFree> bio_method;
  std::unique_ptr<SSL_CTX, SslContextFree> context;
};

// Upper-case hex pairs with colons (RFC 8122 §5).
std::string fingerprint_of(const X509* certificate, const EVP_MD* hash);
// The oldest error of this thread's queue, which is emptied.
std::string openssl_error();
// A BIO that keeps datagrams apart, which a memory BIO does not: one read is the datagram at hand,
// one write is one datagram sent. Its data is the association (DtlsSrtp::Impl).
BIO_METHOD* make_datagram_bio_method();
// SSL_CTX_set_cert_verify_callback(3): the fingerprint instead of chains and dates.
int verify_fingerprint(X509_STORE_CTX* store, void*);

}  // namespace media::gst
