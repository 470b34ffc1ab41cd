// tests/support/allocations.h: what this thread asks of malloc and its like (C's libraries and
// free() included) while it is counted. Whoever includes this is linked with replacements of them.
#pragma once

#include <cstddef>

#include "tests/support/sanitized.h"

namespace test_support {

inline constexpr bool kCountsAllocations = !kSanitized;  // malloc is the sanitizer's

void count_allocations();           // from zero
std::size_t allocations_counted();  // ends it

}  // namespace test_support
