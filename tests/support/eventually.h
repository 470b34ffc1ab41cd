// tests/support/eventually.h: waiting for a condition with a deadline, for what only the outside
// world can bring about (another process, a file).
#pragma once

#include <chrono>
#include <functional>

namespace support {

// True as soon as `condition` holds; false when it still does not after `within`. Looks every few
// milliseconds.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds within = std::chrono::seconds(30));

}  // namespace support
