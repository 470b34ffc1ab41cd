#include "media/listener_classes.h"

#include <algorithm>
#include <limits>

namespace media {
namespace {

constexpr std::uint8_t kNone = 0xFF;

}  // namespace

std::size_t ListenerClasses::wish_of(const EncoderSettings& wish) {
  const auto above = std::upper_bound(kRungs_bps.begin(), kRungs_bps.end(), wish.bitrate_bps);
  const auto rung =
      static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, above - kRungs_bps.begin() - 1));
  return 4 * rung + (wish.loses ? 2 : 0) + (wish.stereo ? 1 : 0);
}

void ListenerClasses::begin() {
  group_of_.fill(kNone);
  group_count_ = 0;
}

void ListenerClasses::add(const EncoderSettings& wish) {
  const std::size_t number = wish_of(wish);
  const Group one{.settings = wish, .members = 1, .rung = number / 4};
  if (group_of_[number] == kNone) {
    group_of_[number] = static_cast<std::uint8_t>(group_count_);
    groups_[group_count_++] = one;
  } else {
    Group& group = groups_[group_of_[number]];
    group = joined(group, one);
  }
}

ListenerClasses::Group ListenerClasses::joined(const Group& a, const Group& b) {
  const EncoderSettings &x = a.settings, &y = b.settings;
  return {.settings = {.bitrate_bps = std::min(x.bitrate_bps, y.bitrate_bps),
                       .loses = x.loses || y.loses,
                       .max_rate_hz = std::max(x.max_rate_hz, y.max_rate_hz),
                       .constant_bitrate = x.constant_bitrate && y.constant_bitrate,
                       .stereo = x.stereo && y.stereo},
          .members = a.members + b.members,
          .rung = std::min(a.rung, b.rung)};
}

// What it takes from one who wished `from`: a rung is heard more than FEC that he does not need,
// and one channel instead of two more than a rung.
std::size_t ListenerClasses::distance(const Group& from, const Group& to) {
  const auto apart = [](std::size_t a, std::size_t b) { return a > b ? a - b : b - a; };
  return 2 * apart(from.rung, to.rung) + (from.settings.loses != to.settings.loses ? 1 : 0) +
         (from.settings.stereo != to.settings.stereo ? 3 : 0);
}

void ListenerClasses::join_nearest() {
  std::size_t best = std::numeric_limits<std::size_t>::max(), into = 0, from = 0;
  for (std::size_t a = 0; a < group_count_; ++a) {
    for (std::size_t b = a + 1; b < group_count_; ++b) {
      const Group both = joined(groups_[a], groups_[b]);
      const std::size_t cost = groups_[a].members * distance(groups_[a], both) +
                               groups_[b].members * distance(groups_[b], both);
      if (cost >= best) continue;
      best = cost;
      into = a;
      from = b;
    }
  }
  groups_[into] = joined(groups_[into], groups_[from]);
  groups_[from] = groups_[--group_count_];
  for (std::uint8_t& group : group_of_) {
    if (group == from) {
      group = static_cast<std::uint8_t>(into);
    } else if (group == group_count_) {
      group = static_cast<std::uint8_t>(from);
    }
  }
}

void ListenerClasses::settle() {
  while (group_count_ > kClasses) join_nearest();
  number();
}

// The nearest pair of a group and a class of before first; a class that was not used is farther
// than any.
void ListenerClasses::number() {
  std::array<Group, kClasses> next{};
  std::array<bool, kClasses> taken{};
  class_of_.fill(kNone);
  for (std::size_t round = 0; round < group_count_; ++round) {
    std::size_t best = std::numeric_limits<std::size_t>::max(), group = 0, number = 0;
    for (std::size_t g = 0; g < group_count_; ++g) {
      if (class_of_[g] != kNone) continue;
      for (std::size_t c = 0; c < kClasses; ++c) {
        if (taken[c]) continue;
        const std::size_t apart =
            classes_[c].members > 0 ? distance(groups_[g], classes_[c]) : 1000;
        if (apart >= best) continue;
        best = apart;
        group = g;
        number = c;
      }
    }
    class_of_[group] = static_cast<std::uint8_t>(number);
    taken[number] = true;
    next[number] = groups_[group];
  }
  classes_ = next;
}

std::size_t ListenerClasses::class_of(const EncoderSettings& wish) const {
  return class_of_[group_of_[wish_of(wish)]];
}

}  // namespace media
