// tests/support/golden.h: golden stanzas as they stand in tests/golden. Each file begins with a
// comment that says where it comes from, then holds one stanza, indented for people.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace test_support {

// The stanza as it would stand on the wire: no comments, no white space between elements.
inline std::string golden_text(const std::filesystem::path& file) {
  std::ifstream in(file);
  const std::string raw((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::string out;
  for (std::size_t i = 0; i < raw.size();) {
    if (raw.compare(i, 4, "<!--") == 0) {
      const auto end = raw.find("-->", i);
      i = end == std::string::npos ? raw.size() : end + 3;
      continue;
    }
    const auto text = raw.find_first_not_of(" \t\r\n", i);
    const bool between =
        (out.empty() || out.back() == '>') && (text == std::string::npos || raw[text] == '<');
    if (between && text != i) {
      i = text == std::string::npos ? raw.size() : text;
    } else {
      out += raw[i++];
    }
  }
  return out;
}

// All golden files below `folder`, sorted.
inline std::vector<std::filesystem::path> golden_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".xml") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace test_support
