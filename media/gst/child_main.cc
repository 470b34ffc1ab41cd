#include "media/gst/child_main.h"

#include "media/gst/decoder_main.h"
#include "media/gst/fetcher_main.h"

namespace media::gst {

std::optional<int> child_main(int argc, char** argv) {
  if (const auto decoded = decoder_main(argc, argv)) return decoded;
  return fetcher_main(argc, argv);
}

}  // namespace media::gst
