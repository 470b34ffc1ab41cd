// Who speaks again after a silence that was not sent is heard from his first syllable on.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <tuple>
#include <vector>

#include "tests/media/endless_speech.h"
#include "tests/media/voice_line.h"
#include "tests/support/audio.h"
#include "tests/support/opus_codec.h"
#include "tests/support/seed.h"
#include "tests/support/speech.h"

namespace media {
namespace {

using namespace std::chrono_literals;
using test_support::Samples;

constexpr std::size_t kTalk_samples = 4 * 48000;

// Talks that begin in the middle of a syllable, with silences between them; as packets, and as one
// hears them whom they all reach.
struct Talks {
  Talks(int times, int pause_s, bool refreshed) {
    const Samples speech = test_support::speech(110, 2 * kTalk_samples);
    std::span<const std::int16_t> voice(speech);
    while (test_support::rms_dbfs(voice.first(kFrame_samples)) < -25) voice = voice.subspan(480);
    voice = voice.first(kTalk_samples);
    const Samples silence(static_cast<std::size_t>(pause_s) * 48000);
    test_support::OpusSender sender;
    opus_encoder_ctl(sender.get(), OPUS_SET_DTX(1));
    for (int i = 0; i < times; ++i) {
      onsets.push_back(said.size() * kFrame_samples);
      say(sender, voice, true);
      say(sender, silence, refreshed);
    }
  }
  void say(test_support::OpusSender& sender, std::span<const std::int16_t> sound, bool sent) {
    for (; sound.size() >= kFrame_samples; sound = sound.subspan(kFrame_samples)) {
      const auto frame = sound.first(kFrame_samples);
      const double dbfs = test_support::rms_dbfs(frame);
      const auto level = static_cast<std::uint8_t>(std::clamp(-dbfs, 0.0, 127.0));
      auto packet = sender.encode(frame);
      if (packet.size() <= 2 || !sent) packet.clear();  // opus.h: need not be transmitted
      const Samples part = receiver.decode(packet);
      heard.insert(heard.end(), part.begin(), part.end());
      said.emplace_back(std::move(packet), AudioLevel{.level_dbov = level});
    }
  }
  std::vector<VoiceLine::Said> said;
  std::vector<std::size_t> onsets;  // samples
  test_support::OpusReceiver receiver;
  Samples heard;
};

struct Silence {
  int seconds;
  bool refreshed;  // Opus sends a packet every 400 ms; others send none
  bool levels;     // RFC 6464: he is passed over until he speaks
};
class AfterSilence : public ::testing::TestWithParam<Silence> {};

TEST_P(AfterSilence, NoMoreThanAFrameOfTheOnsetIsLost) {
  const auto [seconds, refreshed, levels] = GetParam();
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const Talks talks(3, seconds, refreshed);
  VoiceLine line(seed, {.delay = kNetwork, .jitter = 30ms},
                 [&talks](std::uint64_t first, int samples) {
                   return talks.said[first / static_cast<unsigned>(samples) % talks.said.size()];
                 });
  line.stamped = true;
  line.by_level = levels;
  HeardSpeech heard(line, talks.heard);
  Frame frame;
  for (std::size_t t = 0; t < talks.said.size(); ++t) {
    line.tick(frame);
    heard.hear(line, frame);
  }
  for (std::size_t i = 1; i < talks.onsets.size(); ++i) {
    const auto onset = static_cast<std::int64_t>(talks.onsets[i]);
    EXPECT_LE(heard.missing(onset, onset + 10 * kFrame_samples), 1) << "onset " << i;
  }
}
INSTANTIATE_TEST_SUITE_P(LegVoice, AfterSilence,
                         ::testing::Values(Silence{5, true, true}, Silence{5, true, false},
                                           Silence{5, false, true}, Silence{5, false, false},
                                           Silence{60, true, true}, Silence{60, true, false},
                                           Silence{60, false, true}, Silence{60, false, false}));

}  // namespace
}  // namespace media
