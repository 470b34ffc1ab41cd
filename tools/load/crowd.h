// tools/load/crowd.h: the media of all callers on one thread of its own: epoll over a socket each,
// and a clock that lets everybody speak every 20 ms, a tenth of them every 2 ms. Commands are
// values; so are the events.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "media/media_engine.h"
#include "tools/load/leg.h"

namespace load {

// One second of the whole crowd.
struct Second {
  TimePoint at;
  std::size_t connected = 0;
  std::uint64_t least = 0, median = 0, most = 0;  // packets received by a connected listener
};
using CrowdEvent = std::variant<media::Event, Second>;

struct SaidMarker {
  TimePoint at;
  std::size_t room = 0, marker = 0;
};
struct HeardBy {  // one of those that were sampled
  std::size_t caller = 0;
  std::vector<MarkerDetector::Onset> heard;
  std::vector<double> own_db;
};
// What was measured from begin() to end().
struct Measured {
  TimePoint from{}, to{};
  std::vector<Traffic> traffic;  // by caller
  std::vector<SaidMarker> said;
  std::vector<HeardBy> ears;
  std::vector<double> late_ms;  // how late the crowd's own clock was served, each time
};

class Crowd {
 public:
  struct Spec {
    std::string address;  // to bind to
    bool plain = false;   // bare RTP
    LineSpec line;        // of those afflicted
    std::uint64_t seed = 0;
    std::size_t markers = 0;    // in use
    std::vector<Role> callers;  // leg n is the caller callers[n - 1]
  };
  // `sink` must not block; it is called on the crowd's thread. Throws std::runtime_error: an
  // address that is none, OpenSSL lacks something.
  Crowd(Spec spec, std::function<void(CrowdEvent)> sink);
  ~Crowd();

  // As of media::MediaEngine: LegOpened or LegFailed follows; LegConnected or LegFailed; LegClosed.
  void open(media::LegId leg);
  void connect(media::LegId leg, media::LegRemote remote);
  void add_candidates(media::LegId leg, std::vector<media::IceCandidate> candidates);
  void set_sending(media::LegId leg, bool sending);
  void vanish(media::LegId leg);
  void close(media::LegId leg);
  // All talkers.
  void set_silent(bool silent);
  // Measured anew from here; until there.
  void begin();
  void end();
  // Ends the thread. Once.
  Measured finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace load
