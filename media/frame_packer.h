// media/frame_packer.h: longer packets for one listener who wants fewer (RFC 4566 §6, ptime): the
// very frames of the stream he listens to, whichever that is, under one header (RFC 6716 §3.2);
// another encode costs more, and its frames would be other ones. Pure; a tick's thread; nothing is
// allocated after construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "media/limits.h"

struct OpusRepacketizer;

namespace media {

class FramePacker {
 public:
  static constexpr std::size_t kMaxFrames = 3;  // 60 ms: what is said waits for the last of them
  // Together they fit every path that carries IPv6 (1280 less headers and SRTP's tag).
  static constexpr std::size_t kMaxBytes = 1150;

  struct Packet {
    std::span<const std::uint8_t> payload;  // valid until the next put()
    std::uint32_t timestamp = 0;            // of its first frame
  };

  // Requires: 1 to kMaxFrames.
  explicit FramePacker(std::size_t frames);
  ~FramePacker();

  // The frame of this tick, 20 ms; empty: none is sent in it (DTX). The packet that is complete
  // with it, or that ends before it: at a pause, at frames of another mode or bandwidth, which one
  // header cannot name (RFC 6716 §3.1), and where time has been left out.
  // Law: a decoder that is given the packets hears what it hears of the frames, sample by sample.
  //                                                           tests/media/frame_packer_test.cc
  std::optional<Packet> put(std::span<const std::uint8_t> frame, std::uint32_t timestamp);
  // What waits is not sent.
  void clear() { count_ = bytes_ = 0; }

  // From the next frame on; what waits goes with it.
  void set_frames(std::size_t frames);

 private:
  bool goes_with(std::span<const std::uint8_t> frame, std::uint32_t timestamp) const;
  Packet take();

  struct Free {
    void operator()(OpusRepacketizer* repacketizer) const;
  };
  std::size_t frames_;
  std::unique_ptr<OpusRepacketizer, Free> repacketizer_;
  std::array<std::uint8_t, kMaxBytes + limits::kMaxOpusBytes> waiting_;
  std::array<std::size_t, kMaxFrames> sizes_{};
  std::size_t count_ = 0, bytes_ = 0;
  std::uint32_t first_timestamp_ = 0;
  std::array<std::uint8_t, kMaxBytes + limits::kMaxOpusBytes> packet_;
};

}  // namespace media
