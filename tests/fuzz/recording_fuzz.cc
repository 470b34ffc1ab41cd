// Fuzz target: a peer's packets on their way into a recording: the file can be read, and has in it
// what was taken, where it belongs. The input is a row of packets, each behind two bytes: its
// length, and in the highest bits how much of it is missing before.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "media/ogg_opus_writer.h"
#include "tests/support/ogg_reader.h"

namespace {

using Bytes = std::vector<std::uint8_t>;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Taken {
  std::uint64_t at_samples;
  Bytes packet;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::uint8_t> rest(data, size);
  media::OggOpusWriter writer({.serial = 7, .comments = {"TITLE=fuzz"}, .channels = 0});
  std::vector<Taken> taken;
  Bytes file;
  const auto collect = [&] {
    file.insert(file.end(), writer.pages().begin(), writer.pages().end());
    writer.clear();
  };
  while (rest.size() >= 2) {
    const std::size_t head = std::size_t{rest[0]} << 8 | rest[1];
    const auto packet = rest.subspan(2, std::min(head % 1501, rest.size() - 2));
    rest = rest.subspan(2 + packet.size());
    const std::uint64_t at_samples = writer.samples() + head / 1501 * 500;
    if (writer.put(at_samples, packet)) {
      taken.push_back({at_samples, {packet.begin(), packet.end()}});
    }
    collect();
  }
  writer.finish();
  collect();
  const auto read = test_support::read_ogg_opus(file);
  require(read.ended && read.whole_bytes == file.size() && read.samples() == writer.samples());
  auto next = taken.begin();
  for (const auto& packet : read.packets) {
    if (next == taken.end() || packet.bytes != next->packet) continue;
    const std::uint64_t late = next->at_samples - packet.at_samples;
    if (late < media::OggOpusWriter::kLeastGap_samples) ++next;
  }
  require(next == taken.end());
  return 0;
}
