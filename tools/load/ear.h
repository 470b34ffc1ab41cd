// tools/load/ear.h: what one listener hears: its packets decoded (RFC 6716), the marker tones in
// them, and how much of its own it hears. One thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "media/rtp_header.h"
#include "tools/load/marker.h"

struct OpusDecoder;

namespace load {

class Ear {
 public:
  // Listens for the first `markers`; `own`: its own, if it is a talker.
  Ear(std::size_t markers, std::optional<std::size_t> own);
  ~Ear();
  Ear(const Ear&) = delete;
  Ear& operator=(const Ear&) = delete;

  // Frames that are missing are made up, those that are late are not heard.
  void hear(const media::RtpPacket& packet, TimePoint at);
  // It began to say its own marker; what then comes back of it is measured 80 to 240 ms later.
  void said_own(TimePoint at) { own_said_ = at; }

  const std::vector<MarkerDetector::Onset>& heard() const { return heard_; }
  // For each own marker, its level in what was heard then, less that it was said with.
  const std::vector<double>& own_db() const { return own_db_; }
  void forget();

 private:
  void take(const media::Frame& frame, TimePoint at);

  struct Free {
    void operator()(OpusDecoder* decoder) const;
  };
  const std::optional<std::size_t> own_;
  std::unique_ptr<OpusDecoder, Free> decoder_;
  MarkerDetector detector_;
  std::uint32_t ssrc_ = 0;
  std::optional<std::uint16_t> sequence_;
  int packet_frames_ = 1;  // in the last one
  std::vector<MarkerDetector::Onset> heard_;
  std::optional<TimePoint> own_said_;
  std::vector<std::int16_t> after_own_;
  std::vector<double> own_db_;
};

}  // namespace load
