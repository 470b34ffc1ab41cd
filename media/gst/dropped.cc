#include "media/gst/dropped.h"

#include <algorithm>
#include <utility>

#include "media/gst/transport_limits.h"

namespace media::gst {

Dropped& Dropped::operator+=(const IoCounters& io) {
  outbox_full += io.outbox_full;
  refused += io.refused;
  srtp_rejected += io.srtp_rejected;
  junk += io.junk;
  return *this;
}

Dropped Dropped::operator-(const Dropped& before) const {
  return {.outbox_full = outbox_full - before.outbox_full,
          .refused = refused - before.refused,
          .ring_full = ring_full - before.ring_full,
          .srtp_rejected = srtp_rejected - before.srtp_rejected,
          .junk = junk - before.junk};
}

std::string to_string(const Dropped& dropped) {
  std::string text;
  const std::pair<const char*, std::uint64_t> fields[] = {{"outbox_full", dropped.outbox_full},
                                                          {"refused", dropped.refused},
                                                          {"ring_full", dropped.ring_full},
                                                          {"srtp_rejected", dropped.srtp_rejected},
                                                          {"junk", dropped.junk}};
  for (const auto& [name, count] : fields) {
    if (count == 0) continue;
    if (!text.empty()) text += ' ';
    text += name;
    text += '=' + std::to_string(count);
  }
  return text;
}

void DroppedLog::begin(TimePoint now) { due_ = std::min(due_, now + limits::kDroppedTold); }

void DroppedLog::tell(const Dropped& all, bool over, TimePoint now) {
  due_ = TimePoint::max();
  if (!over) begin(now);
  const Dropped more = all - std::exchange(told_, all);
  if (more == Dropped{}) return;
  const bool sound = more.outbox_full + more.refused + more.ring_full > 0;
  (sound ? warning_ : note_)("packets were dropped: " + to_string(more));
}

}  // namespace media::gst
