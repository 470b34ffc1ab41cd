// tests/support/seed.h: the seed of a property test: TEST_SEED from the environment, to see a
// failure again, else a new one each time.
#pragma once

#include <cstdlib>
#include <random>

namespace test_support {

inline unsigned test_seed() {
  const char* given = std::getenv("TEST_SEED");
  return given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10))
                          : std::random_device{}();
}

}  // namespace test_support
