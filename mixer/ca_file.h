// mixer/ca_file.h: files of certificates that vouch for servers: PEM (RFC 7468 §5). Any thread.
#pragma once

#include <optional>
#include <string>

namespace mixer {

// For people; nullopt: there is a certificate in it.
std::optional<std::string> why_no_ca_file(const std::string& path);

}  // namespace mixer
