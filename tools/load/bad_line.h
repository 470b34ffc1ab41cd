// tools/load/bad_line.h: one direction of a bad network: losses that come in bursts (Gilbert's
// model), jitter that keeps the order, packets that are overtaken. Seeded: the same packets always
// fare the same. Pure; one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

namespace load {

struct LineSpec {
  double loss = 0;                     // share of the packets, 0 to 1
  double burst = 1;                    // packets lost in a row, on average; at least 1
  std::chrono::microseconds jitter{};  // at most
  double reorder = 0;                  // share that is overtaken by the next one, 0 to 0.5
  bool bad() const { return loss > 0 || jitter.count() > 0 || reorder > 0; }
  bool operator==(const LineSpec&) const = default;
};

class BadLine {
 public:
  using Time = std::chrono::steady_clock::time_point;

  BadLine(const LineSpec& spec, std::uint64_t seed) : spec_(spec), random_(seed) {}

  // When what sets off at `now` arrives; nullopt: never.
  std::optional<Time> pass(Time now);

  // What is overtaken comes that much after the jitter's most: over one packet of 20 ms.
  static constexpr std::chrono::milliseconds kOvertaken{25};

 private:
  bool happens(double probability) { return uniform_(random_) < probability; }

  const LineSpec spec_;
  std::mt19937_64 random_;
  std::uniform_real_distribution<double> uniform_{0, 1};
  bool losing_ = false, overtaken_ = false;
  Time last_{};
};

}  // namespace load
