#include "mixer/byte_budget.h"

namespace mixer {

void Rate::spend(std::size_t much, TimePoint now) {
  const auto cost = std::chrono::duration_cast<TimePoint::duration>(
      std::chrono::duration<double>(static_cast<double>(much) / per_second_));
  ready_at_ = std::max(ready_at_, now - limits::kCoinBurst) + cost;
}

TimePoint ByteBudget::sent(const std::string& id, std::size_t bytes, TimePoint now) {
  on_link_.push_back({id, bytes, now});
  bytes_on_link_ += bytes;
  look(now);
  return now + limits::kCoinReplyTimeout + lag_;
}

void ByteBudget::answered(const std::string& id, TimePoint now) {
  const auto found = std::ranges::find(on_link_, id, &Document::id);
  if (found == on_link_.end()) return;  // what was sent later was answered before
  const std::size_t before = bytes_on_link_;
  const TimePoint sent = found->sent;
  passed(static_cast<std::size_t>(found - on_link_.begin()) + 1);
  lag_ = now - sent;
  patience_ = limits::kCoinReplyTimeout;
  if (lag_ > limits::kCoinLag) {
    // Once for all that was sent before the window's last change could show.
    if (sent >= narrowed_at_) {
      window_ = std::max(window_ / 2, limits::kCoinWindowLeast);
      narrowed_at_ = now;
    }
  } else if (lag_ < limits::kCoinLag / 2 && before > window_ / 2) {
    window_ = std::min(window_ + before - bytes_on_link_, limits::kCoinWindowMost);
  }
  // Some at a time: whoever is ready looks through all who wait.
  if (bytes_on_link_ < window_ - window_ / 8) look_again_at_ = {};
}

void ByteBudget::look(TimePoint now) {
  while (!on_link_.empty() && on_link_.front().sent + patience_ + lag_ <= now) {
    // Those of the same time as one: what they stand for is one silence.
    const TimePoint silent = on_link_.front().sent;
    while (!on_link_.empty() && on_link_.front().sent == silent) passed(1);
    patience_ = std::min<TimePoint::duration>(2 * patience_, limits::kCoinPatience);
    window_ = limits::kCoinWindowLeast;
  }
  if (bytes_on_link_ >= window_) look_again_at_ = now + limits::kCoinLookAgain;
}

void ByteBudget::link_down() {
  passed(on_link_.size());
  look_again_at_ = {};
  window_ = limits::kCoinWindowAtFirst;
  lag_ = {};
  patience_ = limits::kCoinReplyTimeout;
}

void ByteBudget::passed(std::size_t documents) {
  for (; documents > 0; --documents) {
    bytes_on_link_ -= on_link_.front().bytes;
    on_link_.pop_front();
  }
}

}  // namespace mixer
