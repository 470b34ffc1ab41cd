// tests/support/in_use.h: memory that is allocated and not freed, in the whole process: what a leak
// adds to, unlike residence, in which what was freed may stay. What threads keep to allocate it
// again soon counts: a few hundred kB each.
#pragma once

#include <malloc.h>

#include <cstddef>

#include "tests/support/sanitized.h"

namespace test_support {

inline constexpr bool kKnowsInUse = !kSanitized;  // a sanitizer keeps what was freed for a while

inline std::size_t bytes_in_use() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace test_support
