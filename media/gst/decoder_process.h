// media/gst/decoder_process.h: the decoder of one piece (decoder_main.h) as its player sees it.
// One thread, but for wake().
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "media/gst/child_process.h"
#include "media/gst/decoder_messages.h"

namespace media::gst {

// A regular file beneath the directory, wherever links point; none: there is none. Throws
// std::runtime_error when too much is open.
Fd open_beneath(const std::string& directory, const std::string& name);

class DecoderProcess {
 public:
  using Message = ChildProcess::Message;
  using Silence = ChildProcess::Silence;

  // `program`: this one, or another that calls child_main(). `input`: a file, or
  // FetcherProcess::body(). Throws std::runtime_error.
  DecoderProcess(const std::string& program, const Fd& input, double loudness_lufs);

  // The next message, of a DecoderKind. Waits; stuck: nothing came for kPatience.
  std::optional<Message> next(Silence& why);
  void seek(std::chrono::milliseconds to);
  // Any thread: a next() that waits, or the next one, returns woken.
  void wake() { child_.wake(); }

  // From its start until it speaks, a slow disk and a busy machine included.
  static constexpr std::chrono::seconds kPatience{20};

 private:
  Pipe seeks_;
  ChildProcess child_;
};

}  // namespace media::gst
