// media/gst/gst_engine.h: MediaEngine on GStreamer: rooms as pipelines, one control thread, I/O
// threads (= cores), a tick pool. The number of threads does not depend on rooms or legs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "media/gst/fetch_rules.h"
#include "media/media_engine.h"

namespace media::gst {

struct EngineConfig {
  std::vector<std::string>
      addresses;  // local addresses to offer; empty: every interface's but loopback
  std::uint16_t port_min = 0, port_max = 0;  // 0: the system chooses
  std::string external_address;  // 1:1 NAT: offered in place of the local host candidate's address
  std::vector<std::string>
      deny_peers;           // remote candidates in these addresses or CIDR blocks are skipped
  unsigned io_threads = 0;  // 0: as many as cores
  FetchRules fetch = {};    // what may be played by https
  // The program that fetches and decodes what is played: this one, whose main() begins with
  // child_main().
  std::string decoder = "/proc/self/exe";
  bool voice_processing = false;  // some leg will want it: its plugin must be there
  // What an operator should know, and what one may like to know; any thread.
  std::function<void(std::string_view)> log = {}, note = {};
};

// `sink` is called from any of the engine's threads and must not block. Throws std::runtime_error
// when GStreamer lacks what is needed. The destructor closes every leg and joins every thread.
std::unique_ptr<MediaEngine> make_gst_engine(EngineConfig config, std::function<void(Event)> sink);

}  // namespace media::gst
