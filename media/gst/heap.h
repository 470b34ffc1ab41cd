// media/gst/heap.h: glibc's malloc, as legs need it. No other malloc is told anything.
#pragma once

#include <cstddef>

namespace media::gst {

// Large blocks are mapped each for itself from now on, in the whole process. Of a leg that are
// libnice's two of 64 kB, hardly any of which is ever touched. Among smaller ones they would come
// to lie, call by call, where something else has been.
void map_large_blocks();

// Gives back to the system what is free; looks through the whole heap for it.
void trim_heap();

// When that is worth it: when as many have gone since the last time as are still there. So for each
// that goes it costs the same, in a large conference that ends and in a small one where people come
// and go. One thread at a time.
class HeapTrim {
 public:
  void opened() { ++legs_; }
  // True: it is time.
  bool closed();

  static constexpr std::size_t kLeast = 8;

 private:
  std::size_t legs_ = 0, gone_ = 0;
};

}  // namespace media::gst
