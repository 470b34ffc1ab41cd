// tools/call/options.h: the command lines of jingle-call and coin-watch as a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "media/media_engine.h"
#include "signaling/jid.h"
#include "tools/call/answering.h"

namespace call {

enum class Program { jingle_call, coin_watch };
enum class Tls { verify, trust_all, off };

struct Options {
  std::string host;
  std::uint16_t port = 5222;
  std::string jid;  // "{n}" in it becomes the caller's number
  std::string password;
  jingle::Jid to;                    // whom to dial
  std::optional<AnswerSpec> answer;  // or how to be called
  Tls tls = Tls::verify;
  int count = 1;
  std::string play, record;
  bool once = false;
  std::optional<std::chrono::milliseconds> seconds;
  std::chrono::milliseconds patience{60000};
  bool jmi = false, rtcp_mux = true, stereo = false;
  std::vector<std::string> addresses;
  std::vector<media::IceServer> ice_servers;
  // jingle-call
  bool json = false, events = false, commands = false, fingerprint_lie = false;
  bool focus = false;
  std::vector<std::string> documents;  // files
  // coin-watch
  bool raw = false, redraw = true;
};

// The exit status when there is nothing to run: --help, --version, or a mistake (both are printed).
std::variant<Options, int> parse_options(Program program, int argc, char** argv);

// Of caller `number` (from 1). An account that many callers share gets a resource for each.
jingle::Jid caller_jid(const Options& options, int number);
// x.wav -> x-2.wav when there are several callers.
std::string record_file(const Options& options, int number);

}  // namespace call
