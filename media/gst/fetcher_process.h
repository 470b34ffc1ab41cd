// media/gst/fetcher_process.h: what fetches one URL (fetcher_main.h) as its player sees it. One
// thread, but for wake().
#pragma once

#include <optional>
#include <string>

#include "media/gst/child_process.h"
#include "media/gst/fetcher_messages.h"

namespace media::gst {

class FetcherProcess {
 public:
  using Message = ChildProcess::Message;
  using Silence = ChildProcess::Silence;

  // `program`: as DecoderProcess. Throws std::runtime_error.
  FetcherProcess(const std::string& program, const FetchRequest& request);

  // The next message, of a FetcherKind. Waits: it ends by itself if nothing answers.
  std::optional<Message> next(Silence& why);
  // What is there.
  std::optional<Message> glance();
  // The decoder's side (fetched_body.h).
  const Fd& body() const { return body_; }
  // Any thread: a next() that waits, or the next one, returns woken.
  void wake() { child_.wake(); }

 private:
  struct Sockets;
  FetcherProcess(const std::string& program, const FetchRequest& request, Sockets sockets);

  Fd body_;
  ChildProcess child_;
};

}  // namespace media::gst
