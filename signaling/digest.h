// signaling/digest.h: SHA-1, which XEP-0084 and XEP-0115 name things by, and base64 (RFC 4648 §4).
// Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace jingle {

std::string sha1(std::string_view bytes);  // 20 bytes
std::string hex(std::string_view bytes);   // in lower case
std::string base64(std::string_view bytes);
// White space is left out; nullopt: anything else that does not belong there.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace jingle
