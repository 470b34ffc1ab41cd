// Fuzz target: whatever comes in on a media port after SRTP: RTP headers, packets on their way
// through the playout buffer and the decoder, who contributed to them, keys. The input is a row of
// packets, each behind two bytes: its length, and in the highest bits when it came.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>

#include "media/leg_voice.h"
#include "media/rtp_header.h"
#include "media/telephone_event.h"

namespace {

using Bytes = std::span<const std::uint8_t>;

void require(bool holds) {
  if (!holds) std::abort();
}

// A packet that parses stays inside its bytes, and is written back as it was read.
void check_header(Bytes bytes, const media::RtpPacket& packet) {
  require(packet.header_bytes + packet.payload.size() <= bytes.size());
  std::array<media::Contributor, media::limits::kMaxCsrcs> contributors;
  for (std::size_t i = 0; i < packet.csrc_count(); ++i) contributors[i].id = packet.csrc(i);
  const auto list = media::read_contributors(packet, 2);
  require(list.size() == packet.csrc_count());
  require(list.levels.empty() || list.levels.size() == list.size());
  for (std::size_t i = 0; i < list.size(); ++i) require(list.at(i, 0).id == contributors[i].id);
  for (unsigned id = 0; id < 256; ++id) {
    const auto element = media::find_extension(packet, static_cast<std::uint8_t>(id));
    if (element && !element->empty()) {
      require(element->data() >= bytes.data());
      require(element->data() + element->size() <= bytes.data() + packet.header_bytes);
    }
  }
  std::array<std::uint8_t, media::kMaxRtpHeaderBytes> out;
  const std::size_t size =
      media::write_rtp_header({.marker = packet.marker,
                               .payload_type = packet.payload_type,
                               .sequence = packet.sequence,
                               .timestamp = packet.timestamp,
                               .ssrc = packet.ssrc},
                              std::span(contributors).first(packet.csrc_count()), 5, out);
  const auto again = media::parse_rtp(std::span(out).first(size));
  require(again && again->sequence == packet.sequence && again->ssrc == packet.ssrc &&
          again->csrc_count() == packet.csrc_count());
}

// From 300 ms before this tick to 20 ms after it; nullopt: nobody knows.
std::optional<std::int32_t> age_of(std::size_t choice) {
  if (choice == 0) return std::nullopt;
  return 480 * (static_cast<std::int32_t>(choice % 33) - 2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes rest(data, size);
  media::LegVoice voice;
  media::TelephoneEvents events;
  media::Frame frame;
  while (rest.size() >= 2) {
    const std::size_t wanted = std::size_t{rest[0]} << 8 | rest[1];
    rest = rest.subspan(2);
    const Bytes bytes = rest.first(std::min(wanted % 1501, rest.size()));
    rest = rest.subspan(bytes.size());
    (void)media::looks_like_rtcp(bytes);
    if (const auto packet = media::parse_rtp(bytes)) {
      check_header(bytes, *packet);
      if (packet->payload_type == 101) {
        (void)events.insert(packet->timestamp, packet->payload);
      } else {
        voice.insert(*packet, media::read_audio_level(*packet, 1),
                     media::read_contributors(*packet, 2), age_of(wanted / 1501));
      }
    }
    (void)events.tick();
    // A tick, as the mixer does it.
    voice.next_level();
    if (wanted % 5 == 0) {
      voice.pass_over();
    } else {
      voice.decode(frame);
    }
    require(voice.playout().packets() <= media::limits::kPlayoutSlots);
    require(voice.contributors().size() <= media::limits::kMaxCsrcs);
    voice.begin(wanted % 97 == 0 ? 3 : 0);
  }
  return 0;
}
