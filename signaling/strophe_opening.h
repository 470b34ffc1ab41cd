// signaling/strophe_opening.h: connecting and logging in, on a thread of its own because
// libstrophe's TLS handshake blocks for as long as the server pleases.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "signaling/strophe_stream.h"

namespace jingle {

// Owns the use of `stream` from construction until finish() has returned. Belongs to one thread,
// as the Resolver.
class StropheOpening {
 public:
  StropheOpening(StropheStream& stream, std::vector<Endpoint> endpoints);
  ~StropheOpening();  // without finish(): stop(), and a short wait for the thread

  // Readable when done; -1 when no descriptor was left: done() tells without it.
  int fd() const { return done_fd_; }
  bool done() const { return done_; }
  // Gives up as soon as may be; done() follows.
  void stop();
  // Takes the stream back: up, or down with this reason. Requires: done().
  struct Outcome {
    bool up = false;
    bool resumption_refused = false;  // try again with a fresh stream
    std::string reason;
    bool wrong_password = false;
  };
  Outcome finish();

 private:
  void work();
  bool attempt(const Endpoint& endpoint);

  StropheStream& stream_;
  const std::vector<Endpoint> endpoints_;
  int done_fd_, stop_fd_;  // eventfds
  std::atomic<bool> stopped_ = false, done_ = false;
  Outcome outcome_;  // written by the thread, read after it has been joined
  std::thread thread_;
};

}  // namespace jingle
