// tests/support/sanitized.h: whether ASan or TSan is built in: everything is slower by an order of
// magnitude, and memory is theirs.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TEST_SANITIZED 1
#endif
#endif
#ifndef TEST_SANITIZED
#define TEST_SANITIZED 0
#endif
#if defined(__SANITIZE_THREAD__)
#define TEST_THREADS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TEST_THREADS_SANITIZED 1
#endif
#endif
#ifndef TEST_THREADS_SANITIZED
#define TEST_THREADS_SANITIZED 0
#endif

namespace test_support {

inline constexpr bool kSanitized = TEST_SANITIZED;
inline constexpr bool kThreadsSanitized = TEST_THREADS_SANITIZED;

}  // namespace test_support
