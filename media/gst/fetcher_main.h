// media/gst/fetcher_main.h: the process that fetches one piece by https for its decoder: whoever
// is at the other end talks to a process that can be killed at any moment and has none of the
// mixer's keys in its memory. Bytes are taken as they are wanted: what is not heard is not fetched.
#pragma once

#include <optional>

namespace media::gst {

// nullopt: this process is none of those; else what main() is to return.
std::optional<int> fetcher_main(int argc, char** argv);

}  // namespace media::gst
