// This test program as the decoder that the engine starts: before anything else is set up.
#include <unistd.h>

#include "media/gst/decoder_main.h"

namespace {

[[gnu::constructor]] void decode_if_asked(int argc, char** argv, char**) {
  if (const auto decoded = media::gst::decoder_main(argc, argv)) _exit(*decoded);
}

}  // namespace
