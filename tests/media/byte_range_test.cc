#include "media/byte_range.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/support/seed.h"

namespace media {
namespace {

TEST(ContentRange, IsReadAsServersWriteIt) {
  EXPECT_EQ(parse_content_range("bytes 42-1233/1234"), (ContentRange{42, 1233, 1234}));
  EXPECT_EQ(parse_content_range("bytes 0-0/1"), (ContentRange{0, 0, 1}));
}

TEST(ContentRange, WhatDoesNotSayAllIsNone) {
  for (const char* value :
       {"", "bytes", "bytes ", "bytes 0-1", "bytes 0-1/", "bytes 0-1/*", "bytes */1234",
        "bytes 2-1/10", "bytes 0-10/10", "bytes -1-5/10", "bytes 0-1/10 ", "bytes 0-1/10, 2-3/10",
        "items 0-1/10", "bytes=0-1/10", "bytes 0x0-1/10", "bytes 0-99999999999999999999/10",
        "bytes 0-1/99999999999999999999"}) {
    EXPECT_EQ(parse_content_range(value), std::nullopt) << value;
  }
}

TEST(ContentRange, IsReadAsItWasWrittenWhateverItsNumbers) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t size = (random() >> random() % 64) | 1, last = random() % size,
                        first = random() % (last + 1);
    const std::string text =
        "bytes " + std::to_string(first) + '-' + std::to_string(last) + '/' + std::to_string(size);
    EXPECT_EQ(parse_content_range(text), (ContentRange{first, last, size})) << text;
  }
}

TEST(Etag, IsStrongUnlessItSaysOtherwise) {
  EXPECT_TRUE(is_strong_etag("\"67ab43\""));
  EXPECT_TRUE(is_strong_etag("\"\""));
  for (const char* value : {"", "\"", "67ab43", "W/\"67ab43\"", "w/\"67ab43\""}) {
    EXPECT_FALSE(is_strong_etag(value)) << value;
  }
}

}  // namespace
}  // namespace media
