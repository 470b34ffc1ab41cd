// tools/call/call_media.h: the media of all callers of the process: a transport each on a shared
// I/O thread, one pacing thread that sends everybody's packets, a recording for those who want one.
// The number of threads does not depend on the callers. Called on one thread (the signaling
// thread); events come on the I/O thread.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "media/media_engine.h"
#include "tools/call/events.h"

namespace call {

class CallMedia {
 public:
  struct Config {
    std::vector<std::string> addresses;     // local addresses to offer; empty: all but loopback
    std::vector<media::IceServer> servers;  // STUN and TURN
    std::string play;                       // a sound file; empty: silence
    bool loop = true;
    bool talkers = false;  // keep account of who talks; such a leg cannot be recorded
  };
  // `sink` must not block. Throws std::runtime_error: a server's name cannot be resolved (which
  // blocks until then), the sound cannot be decoded, GStreamer or
  // OpenSSL lack something.
  CallMedia(Config config, std::function<void(media::Event)> sink);
  // Closes every leg and joins every thread.
  ~CallMedia();

  // LegOpened or LegFailed follows. `record`: a WAV file, or empty. Throws std::runtime_error when
  // it cannot be written.
  void open(media::LegId leg, const OpenLeg& how, const std::string& record);
  void connect(media::LegId leg, media::LegRemote remote);
  void add_remote_candidates(media::LegId leg, std::vector<media::IceCandidate> candidates);
  // Throws std::invalid_argument: an address that is none.
  void restart_ice(media::LegId leg, const RestartIce& how);
  // Nothing is sent before the first of these.
  void set_sending(media::LegId leg, bool sending);
  void press(media::LegId leg, char digit);
  // The contributing sources heard just now.
  std::set<std::uint32_t> talking(media::LegId leg) const;
  // LegClosed follows; the recording is complete when this returns.
  void close(media::LegId leg);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace call
