// media/gst/srtp_cipher.h: AES-128-GCM for libsrtp by OpenSSL. Debian's libsrtp2 has it by NSS,
// which looks up a session under locks for each packet: with hundreds of keys, none of it in cache,
// that is the largest part of sending. Key derivation, indices, replay windows and formats stay
// libsrtp's (RFC 3711, RFC 7714).
#pragma once

namespace media::gst {

// After srtp_init(), before any session. False: libsrtp refuses it; it tries it first, with the
// vector of RFC 7714 §16.1.1, those of its own implementation, and at random.
bool use_openssl_for_srtp();

}  // namespace media::gst
