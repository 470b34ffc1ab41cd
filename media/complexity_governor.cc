#include "media/complexity_governor.h"

#include <algorithm>

namespace media {

void ComplexityGovernor::tick(std::chrono::nanoseconds late) {
  if (late >= kLate) ++late_;
  if (++ticks_ == kWindow_ticks) end_window();
}

void ComplexityGovernor::end_window() {
  since_up_ticks_ = std::min(since_up_ticks_ + kWindow_ticks, kMostCalm_ticks);
  calm_ticks_ = late_ == 0 ? calm_ticks_ + kWindow_ticks : 0;
  if (late_ >= kTooMany) {
    if (step_ + 1 < kSteps.size()) ++step_;
    if (since_up_ticks_ < calm_needed_) {
      calm_needed_ = std::min(2 * calm_needed_, kMostCalm_ticks);
      since_up_ticks_ = kMostCalm_ticks;  // counted once
    }
  } else if (step_ > 0 && calm_ticks_ >= calm_needed_) {
    --step_;
    calm_ticks_ = since_up_ticks_ = 0;
  } else if (step_ == 0 && calm_ticks_ >= calm_needed_) {
    calm_needed_ = kCalm_ticks;
  }
  ticks_ = late_ = 0;
}

}  // namespace media
