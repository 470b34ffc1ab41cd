// tests/support/readme.h: what README shows, for tests that hold it to what is really said.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace support {

inline std::string readme() {
  std::ifstream in(TEST_DATA "/../README.md", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// These lines, as they are.
inline testing::AssertionResult readme_shows(const std::string& lines) {
  if (readme().find('\n' + lines) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "README is to show\n" << lines;
}

}  // namespace support
