#include "tools/load/ear.h"

#include <opus/opus.h>

#include <algorithm>
#include <array>
#include <new>

namespace load {
namespace {

using namespace std::chrono_literals;

constexpr int kMadeUp_frames = 5;       // beyond that, silence
constexpr int kLongest_frames = 3;      // of a packet: 60 ms
constexpr auto kOwnFrom = 80ms;         // the way there and back
constexpr std::size_t kOwn_frames = 8;  // of the marker's ten

}  // namespace

void Ear::Free::operator()(OpusDecoder* decoder) const { opus_decoder_destroy(decoder); }

Ear::Ear(std::size_t markers, std::optional<std::size_t> own)
    : own_(own),
      decoder_(opus_decoder_create(media::kSampleRate_hz, 1, nullptr)),
      detector_(markers) {
  if (!decoder_) throw std::bad_alloc();
}

Ear::~Ear() = default;

void Ear::hear(const media::RtpPacket& packet, TimePoint at) {
  if (packet.ssrc != ssrc_) {  // another call, another stream
    ssrc_ = packet.ssrc;
    sequence_.reset();
    opus_decoder_ctl(decoder_.get(), OPUS_RESET_STATE);
  }
  const auto ahead = sequence_ ? static_cast<std::int16_t>(packet.sequence - *sequence_) : 1;
  if (ahead <= 0) return;
  media::Frame frame;
  const int missing = std::min((ahead - 1) * packet_frames_, kMadeUp_frames);
  for (int i = 0; i < missing; ++i) {
    if (opus_decode(decoder_.get(), nullptr, 0, frame.data(), media::kFrame_samples, 0) > 0) {
      take(frame, at);
    }
  }
  sequence_ = packet.sequence;
  std::array<std::int16_t, kLongest_frames * media::kFrame_samples> sound;
  const int samples = opus_decode(decoder_.get(), packet.payload.data(),
                                  static_cast<opus_int32>(packet.payload.size()), sound.data(),
                                  static_cast<int>(sound.size()), 0);
  if (samples < media::kFrame_samples) return;
  packet_frames_ = samples / media::kFrame_samples;
  for (int i = 0; i < packet_frames_; ++i) {
    std::copy_n(sound.begin() + i * media::kFrame_samples, media::kFrame_samples, frame.begin());
    take(frame, at);
  }
}

void Ear::take(const media::Frame& frame, TimePoint at) {
  for (const auto& onset : detector_.frame(frame, at)) {
    if (onset.marker != own_) heard_.push_back(onset);
  }
  if (!own_said_ || at < *own_said_ + kOwnFrom) return;
  after_own_.insert(after_own_.end(), frame.begin(), frame.end());
  if (after_own_.size() < kOwn_frames * frame.size()) return;
  own_db_.push_back(level_dbfs(after_own_, marker_hz(*own_)) - kMarker_dbfs);
  after_own_.clear();
  own_said_.reset();
}

void Ear::forget() {
  heard_.clear();
  own_db_.clear();
  after_own_.clear();
  own_said_.reset();
}

}  // namespace load
