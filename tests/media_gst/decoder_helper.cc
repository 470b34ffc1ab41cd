// This test program as the decoder and the fetcher that the engine starts: before anything else is
// set up.
#include <unistd.h>

#include "media/gst/child_main.h"

namespace {

[[gnu::constructor]] void serve_if_asked(int argc, char** argv, char**) {
  if (const auto child = media::gst::child_main(argc, argv)) _exit(*child);
}

}  // namespace
