// tools/load/cast.h: who is who in the crowd, and what each says: drawn by lot from the seed. One
// thread.
#pragma once

#include <memory>
#include <vector>

#include "tools/load/leg.h"
#include "tools/load/options.h"

namespace load {

struct Cast {
  // Encoded once, shared by all who say the same; the roles point to them.
  std::vector<std::unique_ptr<call::Voice>> voices;
  std::vector<Role> roles;
  std::size_t markers = 0;  // in use
};

// The roles alone, silent as yet: as many sampled listeners as asked for, and three talkers, whose
// echo is listened for; the share of bad lines.
std::vector<Role> draw_roles(const Options& options);
// With their voices. Requires gst_init(). Throws std::runtime_error: nothing to say.
Cast make_cast(const Options& options);

}  // namespace load
