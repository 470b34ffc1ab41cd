// tests/support/data.h: files of the source tree that tests read.
#pragma once

#include <string>
#include <string_view>

namespace test_support {

// The path of a file beneath tests/; of the project's others: "../README.md".
std::string data(std::string_view path);

}  // namespace test_support
