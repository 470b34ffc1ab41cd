// tools/load/options.h: the command lines of jingle-load and rtp-load as a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>

#include "signaling/jid.h"
#include "tools/load/bad_line.h"

namespace load {

struct Options {
  jingle::Jid component;
  std::string secret, host;
  std::uint16_t port = 5347;
  jingle::Jid to;
  std::string address = "127.0.0.1";  // of the callers
  int callers = 10, talkers = 1, rooms = 1;
  std::chrono::milliseconds seconds{10000}, settle{2000}, patience{60000};
  double join_rate = 50;                // a second
  std::chrono::milliseconds ptime{20};  // that callers like to be sent in a packet
  enum class Listeners { dtx, noise, none } listeners = Listeners::dtx;
  std::string speech;  // a WAV file; empty: espeak-ng
  int sample = 20;
  std::uint64_t seed = 0;
  // What goes wrong.
  LineSpec line;
  enum class Afflicted { all, listeners, talkers } afflicted = Afflicted::all;
  double afflicted_share = 1;
  int muted = 0;                              // talkers, per room
  std::chrono::milliseconds silence{};        // of all talkers, in the middle
  double vanish_share = 0, rejoin_share = 0;  // of all, in the middle
  double churn = 0;                           // leave and come back, a second
  // What is told.
  int watch_pid = 0;  // 0: nobody
  bool json = false, quiet = false;
};

enum class Program { jingle_load, rtp_load };

// The exit status when there is nothing to run: --help, --version, or a mistake, told in one line.
std::variant<Options, int> parse_options(Program program, int argc, char** argv);

// The room that caller `number` (from 0) dials: `to`, or with several rooms to1@…, to2@….
jingle::Jid room_of(const Options& options, std::size_t number);
inline std::size_t room_number(const Options& options, std::size_t number) {
  return number % static_cast<std::size_t>(options.rooms);
}
// The first of each room talk.
inline bool is_talker(const Options& options, std::size_t number) {
  return number / static_cast<std::size_t>(options.rooms) <
         static_cast<std::size_t>(options.talkers);
}

}  // namespace load
