// tools/load/roles.h: who is who in the crowd: drawn by lot from the seed. Pure; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "media/audio_frame.h"
#include "tools/load/options.h"

namespace call {
class Voice;
}

namespace load {

// What a caller is, whatever call of it is under way.
struct Role {
  std::size_t room = 0;
  bool talker = false;
  std::optional<std::size_t> marker = {};           // a talker's
  bool sampled = false;                             // what it hears is decoded
  bool afflicted = false;                           // its line is bad
  std::chrono::milliseconds packet = media::kTick;  // that it likes to be sent
  const call::Voice* voice = nullptr;
  std::uint64_t voice_from = 0;  // where in it
};

// As many sampled listeners as asked for, and three talkers, whose echo is listened for; the share
// of bad lines. Voiceless as yet.
std::vector<Role> draw_roles(const Options& options);

}  // namespace load
