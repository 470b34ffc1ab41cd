// tests/support/generators.h: seeded choices for property tests and the simulator. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace test {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}

  // 0 .. n-1
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool chance(double probability) {
    return static_cast<double>(random_() >> 11) * 0x1.0p-53 < probability;
  }
  std::chrono::milliseconds up_to(std::chrono::milliseconds most) {
    return std::chrono::milliseconds(below(static_cast<std::uint64_t>(most.count()) + 1));
  }
  template <typename T>
  const T& one_of(const std::vector<T>& choices) {
    return choices[below(choices.size())];
  }
  std::uint64_t bits() { return random_(); }

 private:
  std::mt19937_64 random_;
};

// A child of <iq/> that some client could send within a session, legal or not.
std::string random_jingle(Dice& dice, const std::string& sid);
// Any child of <iq/>, Jingle or not.
std::string random_payload(Dice& dice, const std::string& sid);

}  // namespace test
