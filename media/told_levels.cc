#include "media/told_levels.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "media/loudness.h"

namespace media {

static_assert(ToldLevels::kOff_db < kDrowned_db);
static_assert(ToldLevels::kWrong_ticks + kPause_ticks < kVoiceHangOver_ticks);

void ToldLevels::compare(std::uint8_t told_dbov, std::uint8_t measured_dbov) {
  if (told_dbov >= kVoiceOff_dbov && measured_dbov >= kVoiceOn_dbov) return;
  if (std::abs(told_dbov - measured_dbov) <= kOff_db) {
    wrong_ticks_ = 0;
    right_ticks_ = std::min(right_ticks_ + 1, kRight_ticks);
  } else if (++wrong_ticks_ >= kWrong_ticks) {
    wrong_ticks_ = right_ticks_ = 0;
  }
}

void Turns::begin() {
  waiting_ = std::exchange(asked_, 0);
  taken_ = 0;
  if (++ticks_ % kTurn_ticks == 0) {
    ticks_ = 0;
    first_ += at_once_;
  }
  first_ = waiting_ == 0 ? 0 : first_ % waiting_;
}

bool Turns::take() {
  const std::size_t place = asked_++;
  if (taken_ == at_once_) return false;
  const std::size_t after = waiting_ == 0 ? 0 : (place + waiting_ - first_) % waiting_;
  if (after >= at_once_) return false;
  ++taken_;
  return true;
}

}  // namespace media
