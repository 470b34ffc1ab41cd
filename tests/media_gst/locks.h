// tests/media_gst/locks.h: the locks that this thread takes while they are counted: pthread's and
// GLib's, GStreamer's among them. Whoever includes this is linked with replacements of them.
#pragma once

#include <cstddef>

#include "tests/support/sanitized.h"

namespace test_support {

inline constexpr bool kCountsLocks = !kSanitized;  // they are the sanitizer's

void count_locks();           // from zero
std::size_t locks_counted();  // ends it

}  // namespace test_support
