// tests/media/endless_speech.h: a voice without an end, what a decoder that never rests makes of
// it, and how much of it somebody has heard.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "media/time_stretch.h"
#include "tests/media/voice_line.h"
#include "tests/support/audio.h"
#include "tests/support/opus_codec.h"
#include "tests/support/speech.h"

namespace media {

// Six seconds, encoded once for each length of packets.
class EndlessSpeech {
 public:
  static constexpr int kPitch_hz = 120;
  static constexpr std::size_t kSamples = 6 * 48000;

  static const EndlessSpeech& in_packets_of(int samples) {
    static std::map<int, EndlessSpeech> made;
    return made.try_emplace(samples, samples).first->second;
  }
  explicit EndlessSpeech(int samples) : packet_samples_(static_cast<std::size_t>(samples)) {
    static const test_support::Samples voice = test_support::speech(kPitch_hz, kSamples);
    test_support::OpusSender sender(12000);
    // Half as much work to decode.
    opus_encoder_ctl(sender.get(), OPUS_SET_MAX_BANDWIDTH(OPUS_BANDWIDTH_NARROWBAND));
    for (std::size_t at = 0; at + packet_samples_ <= kSamples; at += packet_samples_) {
      const auto part = std::span(voice).subspan(at, packet_samples_);
      const double dbfs = test_support::rms_dbfs(part);
      const auto level = static_cast<std::uint8_t>(std::clamp(-dbfs, 0.0, 127.0));
      said_.emplace_back(sender.encode(part), AudioLevel{.level_dbov = level});
    }
    test_support::OpusReceiver receiver;
    for (int times = 0; times < 2; ++times) {
      heard_.clear();
      for (const VoiceLine::Said& said : said_) {
        const auto frame = receiver.decode(said.payload);
        heard_.insert(heard_.end(), frame.begin(), frame.end());
      }
    }
  }
  const VoiceLine::Said& at(std::uint64_t first) const {
    return said_[first / packet_samples_ % said_.size()];
  }
  // The second time, as every time from then on.
  const test_support::Samples& heard() const { return heard_; }

 private:
  std::size_t packet_samples_;
  std::vector<VoiceLine::Said> said_;
  test_support::Samples heard_;
};

inline VoiceLine::Said endless_speech(std::uint64_t first, int samples) {
  return EndlessSpeech::in_packets_of(samples).at(first);
}

// What was heard of a voice from some moment on, laid where it was said.
class HeardSpeech {
 public:
  // `reference`: what a decoder that never rests makes of it, again and again.
  HeardSpeech(const VoiceLine& line, test_support::Samples reference)
      : reference_(std::move(reference)), shortened_(line.voice.shortened_samples()) {}
  explicit HeardSpeech(const VoiceLine& line)
      : HeardSpeech(line, EndlessSpeech::in_packets_of(line.ptime_samples).heard()) {}

  // After each tick of the line.
  void hear(const VoiceLine& line, const Frame& frame) {
    const std::int64_t from = line.heard_from();
    if (!line.voice.playout().started() || from < 0) return;
    if (heard_.empty()) begin_ = from;
    if (from < begin_) return;
    const auto at = static_cast<std::size_t>(from - begin_);
    // Where its length was changed it is no longer, sample by sample, what was said: taken for it.
    const std::int64_t shortened = line.voice.shortened_samples();
    const bool changed = std::exchange(shortened_, shortened) != shortened;
    const std::size_t size = frame.size() + (changed ? kMostPeriod_samples : 0);
    heard_.resize(std::max(heard_.size(), at + size));
    for (std::size_t i = 0; i < size; ++i) heard_[at + i] = changed ? said(at + i) : frame[i];
  }
  // Of the frames between these samples of what was said, those that are louder than -40 dBFS: how
  // many were not heard.
  int missing(std::int64_t from = 0, std::int64_t to = kEnd) const {
    int missing = 0;
    std::size_t at = static_cast<std::size_t>(std::max(from - begin_, std::int64_t{0}));
    const std::size_t end = std::min(heard_.size(), static_cast<std::size_t>(to - begin_));
    for (; at + kFrame_samples <= end; at += kFrame_samples) {
      const auto heard = std::span(heard_).subspan(at, kFrame_samples);
      const test_support::Samples frame = said(at, kFrame_samples);
      if (test_support::rms_dbfs(frame) > -40 && test_support::snr_db(heard, frame) < 6) ++missing;
    }
    return missing;
  }
  static constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
  double snr_db() const { return test_support::snr_db(heard_, said(0, heard_.size())); }

 private:
  std::int16_t said(std::size_t at) const {
    return reference_[(static_cast<std::size_t>(begin_) + at) % reference_.size()];
  }
  test_support::Samples said(std::size_t at, std::size_t size) const {
    test_support::Samples part(size);
    for (std::size_t i = 0; i < size; ++i) part[i] = said(at + i);
    return part;
  }

  const test_support::Samples reference_;
  std::int64_t shortened_;
  std::int64_t begin_ = 0;  // sample of what was said
  test_support::Samples heard_;
};

// From now on somebody hears him: of what is loud no more is missing than the first frame, and what
// comes too late.
inline void expect_heard_from_now_on(VoiceLine& line, int ticks) {
  line.passed_over = false;
  HeardSpeech heard(line);
  const std::uint64_t late = line.voice.playout().late();
  Frame frame;
  for (int t = 0; t < ticks; ++t) {
    line.tick(frame);
    heard.hear(line, frame);
  }
  EXPECT_LE(heard.missing(), 1 + static_cast<int>(line.voice.playout().late() - late));
}

}  // namespace media
