#include "mixer/backoff.h"

#include <algorithm>

#include "mixer/shell_limits.h"

namespace mixer {

std::chrono::milliseconds Backoff::next(bool refused) {
  // 2^16 s is beyond the cap; the shift stays small however long the server is away.
  const auto doubled = limits::kBackoffFirst * (1LL << std::min(failures_, 16));
  ++failures_;
  auto wait = std::min<std::chrono::milliseconds>(doubled, limits::kBackoffMost);
  if (refused) wait = std::max(wait, limits::kBackoffRefused);
  const auto spread = wait.count() * 2 / 5;  // from -20 % to +20 %
  const auto jitter = static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(spread + 1));
  return wait - std::chrono::milliseconds(spread / 2) + std::chrono::milliseconds(jitter);
}

}  // namespace mixer
