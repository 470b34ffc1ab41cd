#include "mixer/ca_file.h"

#include <openssl/pem.h>

#include <memory>

#include "mixer/config_reader.h"

namespace mixer {

std::optional<std::string> why_no_ca_file(const std::string& path) {
  const auto file = read_file(path);
  if (!file) return "cannot read " + path + ": " + file.error();
  const std::string& text = file->text;
  const std::unique_ptr<BIO, decltype(&BIO_free)> pem(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> first(
      PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr), X509_free);
  if (!first) return path + " has no certificate in it that can be read (PEM)";
  return std::nullopt;
}

}  // namespace mixer
