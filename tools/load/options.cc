#include "tools/load/options.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <iostream>
#include <map>
#include <random>

#include "mixer/net_address.h"

namespace load {
namespace {

constexpr int kMaxCallers = 5000, kMaxRooms = 1000;

struct Raw {  // what CLI11 fills in and Options has in another form
  std::string component, server, to;
  double seconds = 10, settle = 2, patience = 60, silence = 0;
  double loss = 0, jitter_ms = 0, reorder = 0, afflicted = 100, vanish = 0, rejoin = 0;
  int ptime_ms = 20;
};

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

void add_link(CLI::App& app, Options& options, Raw& raw) {
  app.add_option("--component", raw.component, "what the server knows us as (XEP-0114)")
      ->required()
      ->type_name("JID");
  app.add_option("--secret", options.secret)->required();
  app.add_option("--server", raw.server)->required()->type_name("HOST:PORT");
  app.add_option("--to", raw.to, "the room that all dial")->required()->type_name("JID");
  app.add_option("--rooms", options.rooms, "spread over to1@…, to2@…")
      ->check(CLI::Range(1, kMaxRooms));
  app.add_option("--patience", raw.patience, "seconds until a call has failed")
      ->check(CLI::PositiveNumber);
  app.add_option("--join-rate", options.join_rate, "calls a second")
      ->check(CLI::Range(0.1, 10000.0));
  app.add_option("--ptime", raw.ptime_ms, "ms of sound that callers like in a packet")
      ->check(CLI::IsMember({20, 40, 60}));
  app.add_option("--muted", options.muted, "so many talkers of each room are muted")
      ->check(CLI::Range(0, kMaxCallers));
  app.add_option("--silence", raw.silence, "seconds without talk, in the middle")
      ->check(CLI::NonNegativeNumber);
  const CLI::Range share(0.0, 100.0);
  app.add_option("--vanish", raw.vanish, "% of the callers gone without a word, in the middle")
      ->check(share);
  app.add_option("--rejoin", raw.rejoin, "% that hang up and dial again at once, in the middle")
      ->check(share);
  app.add_option("--churn", options.churn, "callers a second that hang up and dial again")
      ->check(CLI::Range(0.0, 1000.0));
  app.add_flag("--json", options.json, "the report as JSON on standard output");
  app.add_flag("--quiet", options.quiet, "no progress on standard error");
}

void add_sound(CLI::App& app, Options& options, Raw& raw) {
  static const std::map<std::string, Options::Listeners> kListeners{
      {"dtx", Options::Listeners::dtx},
      {"noise", Options::Listeners::noise},
      {"none", Options::Listeners::none}};
  app.add_option("--callers", options.callers)->check(CLI::Range(1, kMaxCallers));
  app.add_option("--talkers", options.talkers, "so many of each room talk")
      ->check(CLI::Range(0, kMaxCallers));
  app.add_option("--seconds", raw.seconds, "measured, once all are there")
      ->check(CLI::Range(0.1, 1e6));
  app.add_option("--settle", raw.settle, "seconds before")->check(CLI::Range(0.0, 1e4));
  app.add_option("--listeners", options.listeners,
                 "what they send: a frame of silence every 0.4 s, noise 50 times a second, nothing")
      ->transform(CLI::CheckedTransformer(kListeners).description(""))
      ->type_name("dtx|noise|none");
  app.add_option("--speech", options.speech, "what talkers say; default: espeak-ng speaks")
      ->check(CLI::ExistingFile)
      ->type_name("WAV");
  app.add_option("--address", options.address, "where the callers are")->type_name("IP");
  app.add_option("--sample", options.sample, "listeners, picked at random, that are decoded")
      ->check(CLI::Range(0, kMaxCallers));
  app.add_option("--seed", options.seed, "of all that is random; 0: a new one, which is told");
}

void add_bad_lines(CLI::App& app, Options& options, Raw& raw) {
  static const std::map<std::string, Options::Afflicted> kAfflicted{
      {"all", Options::Afflicted::all},
      {"listeners", Options::Afflicted::listeners},
      {"talkers", Options::Afflicted::talkers}};
  const CLI::Range share(0.0, 100.0);
  app.add_option("--loss", raw.loss, "% of the packets lost, each way")->check(share);
  app.add_option("--burst", options.line.burst, "packets lost in a row, on average")
      ->check(CLI::Range(1.0, 1000.0));
  app.add_option("--jitter", raw.jitter_ms, "ms at most")->check(CLI::Range(0.0, 10000.0));
  app.add_option("--reorder", raw.reorder, "% of the packets overtaken by the next, each way")
      ->check(CLI::Range(0.0, 50.0));
  app.add_option("--afflict", options.afflicted, "who has such a line")
      ->transform(CLI::CheckedTransformer(kAfflicted).description(""))
      ->type_name("all|listeners|talkers");
  app.add_option("--afflicted", raw.afflicted, "% of those")->check(share);
}

// Throws CLI::ValidationError.
void translate_link(const Raw& raw, Options& options) {
  const auto component = jingle::Jid::parse(raw.component);
  if (!component || !component->local().empty()) {
    throw CLI::ValidationError("--component", raw.component + " is no domain");
  }
  options.component = *component;
  const auto to = jingle::Jid::parse(raw.to);
  if (!to || (options.rooms > 1 && to->local().empty())) {
    throw CLI::ValidationError("--to", raw.to + " is no room");
  }
  options.to = *to;
  const auto server = mixer::host_and_port(raw.server, options.port);
  if (!server) throw CLI::ValidationError("--server", raw.server);
  options.host = server->host;
  options.port = server->port;
}

// Throws CLI::ValidationError.
void translate(const Raw& raw, Options& options) {
  if (!mixer::is_host_address(options.address)) {
    throw CLI::ValidationError("--address", options.address + " is no address");
  }
  options.seconds = milliseconds(raw.seconds);
  options.settle = milliseconds(raw.settle);
  options.patience = milliseconds(raw.patience);
  options.silence = milliseconds(raw.silence);
  options.ptime = std::chrono::milliseconds(raw.ptime_ms);
  options.line.loss = raw.loss / 100;
  options.line.jitter = std::chrono::microseconds(std::llround(raw.jitter_ms * 1000));
  options.line.reorder = raw.reorder / 100;
  options.afflicted_share = options.line.bad() ? raw.afflicted / 100 : 0;
  options.vanish_share = raw.vanish / 100;
  options.rejoin_share = raw.rejoin / 100;
  if (options.seed == 0) options.seed = std::random_device()();
}

}  // namespace

std::variant<Options, int> parse_options(Program program, int argc, char** argv) {
  const bool calls = program == Program::jingle_load;
  Options options;
  Raw raw;
  CLI::App app(
      calls ? "Hundreds of callers in one process, over one component link, with real encrypted "
              "media.\n"
              "Exit status 0 only if every call was connected and stayed until it was to end."
            : "The same crowd with bare RTP, for mixers that have no Jingle: prints its UDP ports "
              "as\n"
              "a JSON array, reads as many lines \"IP PORT\", whom each speaks with, and reports.");
  app.set_version_flag("--version", TOOLS_VERSION);
  if (calls) add_link(app, options, raw);
  add_sound(app, options, raw);
  add_bad_lines(app, options, raw);
  app.add_option("--watch-pid", options.watch_pid, "the mixer's: its CPU, memory, threads too")
      ->check(CLI::PositiveNumber);
  try {
    app.parse(argc, argv);
    if (calls) translate_link(raw, options);
    translate(raw, options);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::cerr << (calls ? "jingle-load: " : "rtp-load: ") << error.what() << "\n";
    return 64;  // EX_USAGE
  }
  return options;
}

jingle::Jid room_of(const Options& options, std::size_t number) {
  if (options.rooms == 1) return options.to;
  const std::string name = options.to.local() + std::to_string(room_number(options, number) + 1) +
                           "@" + options.to.domain();
  return *jingle::Jid::parse(name);
}

}  // namespace load
