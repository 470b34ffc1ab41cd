#include "signaling/digest.h"

#include <gtest/gtest.h>

namespace jingle {
namespace {

TEST(Digest, Sha1IsThatOfItsStandard) {
  EXPECT_EQ(hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(sha1("")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

// RFC 4648 §10.
TEST(Base64, IsWrittenAndReadAsItsStandardShows) {
  const std::string encoded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  const std::string bytes = "foobar";
  for (std::size_t n = 0; n <= bytes.size(); ++n) {
    EXPECT_EQ(base64(bytes.substr(0, n)), encoded[n]);
    EXPECT_EQ(from_base64(encoded[n]), bytes.substr(0, n));
  }
  EXPECT_EQ(from_base64(" Zm9v\r\n YmFy\t"), bytes);
  for (const char* wrong : {"Z", "Zg=", "Zg===", "====", "Z!==", "Zg==Zg=="}) {
    EXPECT_EQ(from_base64(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace jingle
