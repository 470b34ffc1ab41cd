// media/gst/ice_servers.h: the addresses around ICE: this machine's, and those of STUN and TURN
// servers, which libnice would look up for each agent anew, with threads.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "media/media_engine.h"

namespace media::gst {

// Looks servers' names up on a thread of its own, now and again, without anybody waiting.
// getaddrinfo() can be neither interrupted nor bounded, so a thread that is inside is abandoned at
// the end. Without names there is no thread. Any thread may call, one at a time.
class IceServerResolver {
 public:
  using Log = std::function<void(std::string_view)>;

  // `changed`: servers() has changed otherwise than by set(). Both are called on that thread (`log`
  // by set() too, when there is none left), must not block, and are not called any more once the
  // destructor has returned.
  IceServerResolver(std::function<void()> changed, Log log);
  ~IceServerResolver();
  IceServerResolver(const IceServerResolver&) = delete;
  IceServerResolver& operator=(const IceServerResolver&) = delete;

  // Never blocks. Without a thread for them, names wait for the next call.
  void set(std::vector<IceServer> servers);
  // By address, as far as it is known: a name that is looked up for the first time or does not
  // resolve is left out (the latter with a line in the log, once), one that did before keeps its
  // addresses. A name may stand for two: IPv4 and IPv6. At most limits::kIceServers of each kind.
  std::vector<IceServer> servers() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

// The same at once, for programs that may block; names that do not resolve go into `unresolved`.
std::vector<IceServer> resolve(const std::vector<IceServer>& servers,
                               std::vector<std::string>& unresolved);

// Numeric addresses of this machine's interfaces that are up, but loopback and link-local. Any
// thread.
std::vector<std::string> interface_addresses();

}  // namespace media::gst
