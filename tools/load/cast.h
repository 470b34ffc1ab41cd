// tools/load/cast.h: who is who in the crowd, and what each says. One thread.
#pragma once

#include <memory>
#include <vector>

#include "tools/call/voice.h"
#include "tools/load/roles.h"

namespace load {

struct Cast {
  // Encoded once, shared by all who say the same; the roles point to them.
  std::vector<std::unique_ptr<call::Voice>> voices;
  std::vector<Role> roles;
  std::size_t markers = 0;  // in use
};

// Requires gst_init(). Throws std::runtime_error: nothing to say.
Cast make_cast(const Options& options);

}  // namespace load
