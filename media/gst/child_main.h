// media/gst/child_main.h: this program in the roles in which the engine starts it again: the
// decoder and the fetcher of a piece. They meet what strangers made: nothing of the mixer is in
// their memory.
#pragma once

#include <optional>

namespace media::gst {

// First thing in main(). nullopt: this process is none of those; else what main() is to return.
std::optional<int> child_main(int argc, char** argv);

}  // namespace media::gst
