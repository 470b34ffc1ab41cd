// tests/media_gst/engine_fixture.h: the real engine on loopback, and how callers get into its
// rooms.
#pragma once

#include <memory>

#include "media/gst/gst_engine.h"
#include "tests/media_gst/test_caller.h"
#include "tests/media_gst/transport_peer.h"

namespace media::gst {

inline EngineConfig loopback() {
  EngineConfig config;
  config.addresses = {"127.0.0.1"};
  return config;
}

class Engine {
 public:
  explicit Engine(const EngineConfig& config = loopback())
      : engine(make_gst_engine(config, [this](Event event) { log.push(std::move(event)); })) {}
  EventLog log;
  std::unique_ptr<MediaEngine> engine;
};

// A leg of ours that waits for the peer's half.
inline LegSpec dialled_leg(LegId leg, RoomId room) {
  LegSpec spec;
  spec.room = room;
  spec.leg = leg;
  spec.contributor_id = static_cast<std::uint32_t>(5000 + leg.value);
  spec.ice_controlling = true;
  return spec;
}

inline LegSpec leg_for(LegId leg, RoomId room, const LegRemote& remote) {
  LegSpec spec = dialled_leg(leg, room);
  spec.ice_controlling = false;
  spec.remote = remote;
  return spec;
}

// The half of a leg of an engine, as another peer gets it.
inline LegRemote half_of(const LegOpened& opened, DtlsRole role_of_other) {
  LegRemote half;
  half.ice = opened.ice;
  half.candidates = opened.candidates;
  half.fingerprint = opened.fingerprint;
  half.our_role = role_of_other;
  return half;
}

// Dials as a session-initiate would: the caller's half first, the engine's answer back.
inline void dial(Engine& mixer, TestCaller& caller, RoomId room, const RtpParameters& rtp = {}) {
  caller.open();
  auto half = caller.half(DtlsRole::client);
  half.rtp = rtp;
  mixer.engine->open_leg(leg_for(caller.leg(), room, half));
  const auto opened = mixer.log.wait_for<LegOpened>(caller.leg());
  ASSERT_TRUE(opened);
  caller.connect(*opened, DtlsRole::server);
}

}  // namespace media::gst
