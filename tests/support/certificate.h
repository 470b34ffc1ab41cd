// tests/support/certificate.h: a self-signed certificate for a loopback server.
#pragma once

#include <filesystem>
#include <string>

namespace support {

struct Certificate {
  std::filesystem::path pem, key;
};

// Made with openssl(1) in `folder`; valid for a month. Throws when openssl fails.
Certificate make_certificate(const std::filesystem::path& folder, const std::string& host);

}  // namespace support
