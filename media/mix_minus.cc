#include "media/mix_minus.h"

#include "media/check.h"
#include "media/limits.h"

namespace media {

void sum_frames(std::span<const Frame* const> in, Sum& total) {
  CHECK(in.size() <= limits::kMaxLegs);
  total.fill(0);
  for (const Frame* frame : in) {
    if (frame == nullptr) continue;
    for (std::size_t i = 0; i < kFrame_samples; ++i) total[i] += (*frame)[i];
  }
}

void subtract(const Sum& total, const Frame* own, Sum& minus) {
  if (own == nullptr) {
    minus = total;
    return;
  }
  for (std::size_t i = 0; i < kFrame_samples; ++i) minus[i] = total[i] - (*own)[i];
}

}  // namespace media
