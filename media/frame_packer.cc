#include "media/frame_packer.h"

#include <opus.h>

#include <algorithm>
#include <new>

#include "media/audio_frame.h"
#include "media/check.h"

namespace media {
namespace {

// RFC 6716 §3.2.5: what the header of several frames adds at most.
constexpr std::size_t kHeaderBytes = 2 + 2 * FramePacker::kMaxFrames;

}  // namespace

void FramePacker::Free::operator()(OpusRepacketizer* repacketizer) const {
  opus_repacketizer_destroy(repacketizer);
}

FramePacker::FramePacker(std::size_t frames) : repacketizer_(opus_repacketizer_create()) {
  if (!repacketizer_) throw std::bad_alloc();
  set_frames(frames);
}

void FramePacker::set_frames(std::size_t frames) {
  CHECK(frames >= 1 && frames <= kMaxFrames);
  frames_ = frames;
}

FramePacker::~FramePacker() = default;

bool FramePacker::goes_with(std::span<const std::uint8_t> frame, std::uint32_t timestamp) const {
  return !frame.empty() && ((frame[0] ^ waiting_[0]) & 0xFC) == 0 &&
         timestamp == first_timestamp_ + count_ * kFrame_samples &&
         bytes_ + frame.size() + kHeaderBytes <= kMaxBytes;
}

std::optional<FramePacker::Packet> FramePacker::put(std::span<const std::uint8_t> frame,
                                                    std::uint32_t timestamp) {
  std::optional<Packet> ended;
  if (count_ > 0 && !goes_with(frame, timestamp)) ended = take();
  if (frame.empty()) return ended;
  CHECK(frame.size() <= limits::kMaxOpusBytes);
  if (count_ == 0) first_timestamp_ = timestamp;
  std::ranges::copy(frame, waiting_.begin() + static_cast<std::ptrdiff_t>(bytes_));
  sizes_[count_++] = frame.size();
  bytes_ += frame.size();
  return !ended && count_ >= frames_ ? take() : ended;
}

FramePacker::Packet FramePacker::take() {
  OpusRepacketizer* const repacketizer = repacketizer_.get();
  opus_repacketizer_init(repacketizer);
  std::size_t at = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    const int error =
        opus_repacketizer_cat(repacketizer, &waiting_[at], static_cast<opus_int32>(sizes_[i]));
    CHECK(error == OPUS_OK);
    at += sizes_[i];
  }
  const opus_int32 bytes =
      opus_repacketizer_out(repacketizer, packet_.data(), static_cast<opus_int32>(packet_.size()));
  CHECK(bytes > 0);
  clear();
  return {{packet_.data(), static_cast<std::size_t>(bytes)}, first_timestamp_};
}

}  // namespace media
