#include "media/gst/srtp_cipher.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <srtp2/cipher.h>

#include <algorithm>
#include <array>
#include <memory>

#include "media/check.h"

namespace media::gst {
namespace {

struct ContextFree {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

// What is kept of a key is the key itself, one line of memory. What OpenSSL makes of it, the round
// keys and the table for GHASH, are 20: with hundreds of keys they are in no cache, and to wait for
// them takes longer than to make them anew.
struct Gcm {
  ~Gcm() { OPENSSL_cleanse(key.data(), key.size()); }
  srtp_cipher_t cipher{};
  std::array<std::uint8_t, 16> key{};
  int tag_bytes = 0;
};

using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextFree>;

Context make_context() {
  static const EVP_CIPHER* const kCipher = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
  Context context(EVP_CIPHER_CTX_new());
  CHECK(EVP_CipherInit_ex2(context.get(), kCipher, nullptr, nullptr, 1, nullptr) == 1);
  return context;
}

// Of this thread, and of the packet that was begun last by set_iv(): libsrtp ends it before
// another.
thread_local const Context context = make_context();
thread_local const void* at_hand = nullptr;

EVP_CIPHER_CTX* context_of(const void* gcm) {
  CHECK(at_hand == gcm);
  return context.get();
}

srtp_err_status_t ok_if(bool ok, srtp_err_status_t otherwise = srtp_err_status_cipher_fail) {
  return ok ? srtp_err_status_ok : otherwise;
}

extern const srtp_cipher_type_t kAes128Gcm;

srtp_err_status_t alloc(srtp_cipher_pointer_t* cipher, int key_bytes, int tag_bytes) {
  if (key_bytes != SRTP_AES_GCM_128_KEY_LEN_WSALT || (tag_bytes != 8 && tag_bytes != 16)) {
    return srtp_err_status_bad_param;
  }
  auto gcm = std::make_unique<Gcm>();
  gcm->tag_bytes = tag_bytes;
  gcm->cipher = {
      .type = &kAes128Gcm, .state = gcm.get(), .key_len = key_bytes, .algorithm = SRTP_AES_GCM_128};
  *cipher = &gcm.release()->cipher;
  return srtp_err_status_ok;
}

srtp_err_status_t dealloc(srtp_cipher_pointer_t cipher) {
  delete static_cast<Gcm*>(cipher->state);
  return srtp_err_status_ok;
}

srtp_err_status_t init(void* gcm, const std::uint8_t* key) {
  auto& kept = static_cast<Gcm*>(gcm)->key;
  std::copy_n(key, kept.size(), kept.begin());
  return srtp_err_status_ok;
}

srtp_err_status_t set_iv(void* gcm, std::uint8_t* iv, srtp_cipher_direction_t direction) {
  const int encrypt = direction == srtp_direction_encrypt ? 1 : 0;
  const auto& key = static_cast<const Gcm*>(gcm)->key;
  at_hand = gcm;
  return ok_if(EVP_CipherInit_ex2(context.get(), nullptr, key.data(), iv, encrypt, nullptr) == 1);
}

srtp_err_status_t set_aad(void* gcm, const std::uint8_t* aad, std::uint32_t bytes) {
  int length = 0;
  return ok_if(EVP_CipherUpdate(context_of(gcm), nullptr, &length, aad, static_cast<int>(bytes)) ==
               1);
}

srtp_err_status_t encrypt(void* gcm, std::uint8_t* data, unsigned* bytes) {
  int length = 0;
  return ok_if(EVP_CipherUpdate(context_of(gcm), data, &length, data, static_cast<int>(*bytes)) ==
               1);
}

srtp_err_status_t get_tag(void* gcm, std::uint8_t* tag, std::uint32_t* bytes) {
  const int tag_bytes = static_cast<Gcm*>(gcm)->tag_bytes;
  int length = 0;
  *bytes = static_cast<std::uint32_t>(tag_bytes);
  return ok_if(EVP_CipherFinal_ex(context_of(gcm), tag, &length) == 1 &&
               EVP_CIPHER_CTX_ctrl(context_of(gcm), EVP_CTRL_AEAD_GET_TAG, tag_bytes, tag) == 1);
}

srtp_err_status_t decrypt(void* gcm, std::uint8_t* data, unsigned* bytes) {
  const auto tag_bytes = static_cast<unsigned>(static_cast<Gcm*>(gcm)->tag_bytes);
  if (*bytes < tag_bytes) return srtp_err_status_bad_param;
  *bytes -= tag_bytes;
  int length = 0;
  const bool authentic =
      EVP_CIPHER_CTX_ctrl(context_of(gcm), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag_bytes),
                          data + *bytes) == 1 &&
      EVP_CipherUpdate(context_of(gcm), data, &length, data, static_cast<int>(*bytes)) == 1 &&
      EVP_CipherFinal_ex(context_of(gcm), data + *bytes, &length) == 1;
  return ok_if(authentic, srtp_err_status_auth_fail);
}

// RFC 7714 §16.1.1.
constexpr std::array<std::uint8_t, SRTP_AES_GCM_128_KEY_LEN_WSALT> kKey{
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f};
std::array<std::uint8_t, 12> test_iv{0x51, 0x75, 0x3c, 0x65, 0x80, 0xc2, 0x72,
                                     0x6f, 0x20, 0x71, 0x84, 0x14};  // libsrtp's are not const
constexpr std::array<std::uint8_t, 12> kAad{0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41,
                                            0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2};
constexpr char kPlain[] = "Gallia est omnis divisa in partes tres";
constexpr std::array<std::uint8_t, 54> kCiphertext{
    0xf2, 0x4d, 0xe3, 0xa3, 0xfb, 0x34, 0xde, 0x6c, 0xac, 0xba, 0x86, 0x1c, 0x9d, 0x7e,
    0x4b, 0xca, 0xbe, 0x63, 0x3b, 0xd5, 0x0d, 0x29, 0x4e, 0x6f, 0x42, 0xa5, 0xf4, 0x7a,
    0x51, 0xc7, 0xd1, 0x9b, 0x36, 0xde, 0x3a, 0xdf, 0x88, 0x33, 0x89, 0x9d, 0x7f, 0x27,
    0xbe, 0xb1, 0x6a, 0x91, 0x52, 0xcf, 0x76, 0x5e, 0xe4, 0x39, 0x0c, 0xce};
const srtp_cipher_test_case_t kTest{.key_length_octets = kKey.size(),
                                    .key = kKey.data(),
                                    .idx = test_iv.data(),
                                    .plaintext_length_octets = sizeof kPlain - 1,
                                    .plaintext = reinterpret_cast<const std::uint8_t*>(kPlain),
                                    .ciphertext_length_octets = kCiphertext.size(),
                                    .ciphertext = kCiphertext.data(),
                                    .aad_length_octets = kAad.size(),
                                    .aad = kAad.data(),
                                    .tag_length_octets = 16,
                                    .next_test_case = nullptr};

const srtp_cipher_type_t kAes128Gcm{.alloc = alloc,
                                    .dealloc = dealloc,
                                    .init = init,
                                    .set_aad = set_aad,
                                    .encrypt = encrypt,
                                    .decrypt = decrypt,
                                    .set_iv = set_iv,
                                    .get_tag = get_tag,
                                    .description = "AES-128 GCM by OpenSSL",
                                    .test_data = &kTest,
                                    .id = SRTP_AES_GCM_128};

}  // namespace

bool use_openssl_for_srtp() {
  return srtp_replace_cipher_type(&kAes128Gcm, SRTP_AES_GCM_128) == srtp_err_status_ok;
}

}  // namespace media::gst
