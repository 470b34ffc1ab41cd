// media/gst/file_limit.h: how many files the process may have open (getrlimit(2)).
#pragma once

namespace media::gst {

// As many as it may allow itself: each leg has its sockets, and the usual soft limit of 1,024 would
// end at some 300 legs. For the whole process, and those it starts.
void raise_file_limit();

}  // namespace media::gst
