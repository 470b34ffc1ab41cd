// tests/support/readme.h: what README shows, for tests that hold it to what is really said.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "tests/support/data.h"

namespace support {

inline std::string readme() {
  std::ifstream in(test_support::data("../README.md"), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// These lines, as they are.
inline testing::AssertionResult readme_shows(const std::string& lines) {
  if (readme().find('\n' + lines) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "README is to show\n" << lines;
}

// The attributes of the first <`name` …> in order, which a server need not keep.
inline std::string in_order(const std::string& xml, const std::string& name) {
  std::smatch tag;
  if (!std::regex_search(xml, tag, std::regex('<' + name + "( [^>]*\")( ?/?>)"))) return xml;
  std::istringstream words(tag.str(1));
  std::string sorted;
  for (const auto& attribute : std::set(std::istream_iterator<std::string>(words), {})) {
    sorted += ' ' + attribute;
  }
  return tag.prefix().str() + '<' + name + sorted + tag.str(2) + tag.suffix().str();
}

}  // namespace support
