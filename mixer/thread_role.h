// mixer/thread_role.h: the one thread on which the focus, all sessions and the XMPP connection
// live.
#pragma once

#include "media/thread_role.h"

namespace mixer {

inline constexpr media::ThreadRole signaling_thread;

}  // namespace mixer
