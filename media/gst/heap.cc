#include "media/gst/heap.h"

#include <malloc.h>

#include <algorithm>

#include "media/check.h"

namespace media::gst {

// A conference document is smaller: mapped for itself it would cost more than to be written.
void map_large_blocks() {
  constexpr int kLarge_bytes = 64 * 1024;
  mallopt(M_MMAP_THRESHOLD, kLarge_bytes);
}

void trim_heap() { malloc_trim(0); }

bool HeapTrim::closed() {
  CHECK(legs_ > 0);
  --legs_;
  if (++gone_ < std::max(kLeast, legs_)) return false;
  gone_ = 0;
  return true;
}

}  // namespace media::gst
