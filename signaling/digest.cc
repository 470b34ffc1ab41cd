#include "signaling/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace jingle {

std::string sha1(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) {
    return {};
  }
  return {digest.begin(), digest.begin() + size};
}

std::string hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const unsigned char byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::optional<std::string> from_base64(std::string_view encoded) {
  std::string text(encoded);
  std::erase_if(text,
                [](char c) { return std::string_view(" \n\r\t").find(c) != std::string::npos; });
  const std::size_t last = text.find_last_not_of('=');
  const std::size_t padding = last == std::string::npos ? text.size() : text.size() - last - 1;
  if (text.size() % 4 != 0 || padding > 2) return std::nullopt;
  if (text.find('=') < text.size() - padding) return std::nullopt;  // libcrypto takes it for 0
  std::string out(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

}  // namespace jingle
