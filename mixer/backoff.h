// mixer/backoff.h: how long to wait before dialling the server again: 1, 2, 4 … 60 s, each ±20 % so
// that a fleet does not come back in step; from 30 s when the password was refused. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace mixer {

class Backoff {
 public:
  explicit Backoff(std::function<std::uint64_t()> random) : random_(std::move(random)) {}

  // The next wait. Law: within ±20 % of limits::kBackoffFirst * 2^failures, capped at kBackoffMost,
  // and of no less than kBackoffRefused when `refused`.
  std::chrono::milliseconds next(bool refused);
  // It worked: the next failure is the first.
  void reset() { failures_ = 0; }

 private:
  std::function<std::uint64_t()> random_;
  int failures_ = 0;
};

}  // namespace mixer
