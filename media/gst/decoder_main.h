// media/gst/decoder_main.h: the process that decodes one piece (decoder_messages.h): this same
// program under another name. It reads what strangers made: nothing of the mixer is in its memory,
// and all that it can do is to send sound.
#pragma once

#include <optional>

namespace media::gst {

// nullopt: this process is none of those; else what main() is to return.
std::optional<int> decoder_main(int argc, char** argv);

}  // namespace media::gst
