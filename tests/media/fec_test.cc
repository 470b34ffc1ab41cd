// A lost packet is heard by the in-band FEC of the next one (RFC 6716 §2.1.7).
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/media/endless_speech.h"
#include "tests/media/voice_line.h"
#include "tests/support/audio.h"
#include "tests/support/network_model.h"
#include "tests/support/opus_codec.h"
#include "tests/support/seed.h"
#include "tests/support/speech.h"

namespace media {
namespace {

using test_support::NetworkConditions;
using test_support::OpusReceiver;
using test_support::Samples;

struct Sent {
  explicit Sent(std::size_t seconds) {
    const Samples voice = test_support::speech(120, seconds * 48000);
    test_support::OpusSender sender(24000);
    opus_encoder_ctl(sender.get(), OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    opus_encoder_ctl(sender.get(), OPUS_SET_INBAND_FEC(1));
    opus_encoder_ctl(sender.get(), OPUS_SET_PACKET_LOSS_PERC(10));
    OpusReceiver receiver;
    for (std::size_t at = 0; at < voice.size(); at += kFrame_samples) {
      packets.push_back(sender.encode(std::span(voice).subspan(at, kFrame_samples)));
      const Samples frame = receiver.decode(packets.back());
      heard.insert(heard.end(), frame.begin(), frame.end());
    }
  }
  std::vector<std::vector<std::uint8_t>> packets;
  Samples heard;  // of all of them
};

// At 10 % loss, against who hears all of it: far better than one who only conceals.
TEST(Fec, OfTheNextPacketTakesTheLostOnesPlace) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const Sent sent(30);
  const NetworkConditions lossy{.delay = kNetwork, .loss = 0.1};
  VoiceLine line(seed, lossy, [&sent](std::uint64_t first, int samples) {
    return sent.packets[first / static_cast<unsigned>(samples) % sent.packets.size()];
  });
  HeardSpeech heard(line, sent.heard);
  Frame frame;
  for (std::size_t t = 0; t < sent.packets.size(); ++t) {
    line.tick(frame);
    heard.hear(line, frame);
  }
  // The same losses, concealed.
  test_support::NetworkModel<std::size_t> network(seed, lossy);
  for (std::size_t i = 0; i < sent.packets.size(); ++i) network.send(i * kTick, i);
  std::vector<std::uint8_t> came(sent.packets.size());
  for (const std::size_t i : network.receive(2 * sent.packets.size() * kTick)) came[i] = 1;
  OpusReceiver receiver;
  Samples concealed;
  for (std::size_t i = 0; i < came.size(); ++i) {
    const Samples part = receiver.decode(came[i] ? sent.packets[i] : std::vector<std::uint8_t>{});
    concealed.insert(concealed.end(), part.begin(), part.end());
  }
  EXPECT_GT(heard.snr_db(), test_support::snr_db(concealed, sent.heard) + 3);
}

}  // namespace
}  // namespace media
