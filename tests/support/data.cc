#include "tests/support/data.h"

namespace test_support {

// The only file that knows where the tree is: what is compiled from all others is the same wherever
// that is, so a compiler's cache has it.
std::string data(std::string_view path) { return TEST_DATA "/" + std::string(path); }

}  // namespace test_support
