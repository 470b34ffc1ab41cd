#include "tools/call/options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <map>

namespace call {
namespace {

constexpr int kMaxCallers = 1000;  // one poll loop, one I/O thread

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

std::string numbered(std::string text, int number) {
  if (const auto at = text.find("{n}"); at != std::string::npos) {
    text.replace(at, 3, std::to_string(number));
  }
  return text;
}

// "host", "host:port", "[v6]:port".
bool read_server(const std::string& text, Options& options) {
  std::string host = text;
  std::string port;
  const auto colon = text.rfind(':');
  const bool bracketed = text.starts_with('[');
  if (bracketed) {
    const auto end = text.find(']');
    if (end == std::string::npos) return false;
    host = text.substr(1, end - 1);
    if (end + 1 < text.size()) {
      if (text[end + 1] != ':') return false;
      port = text.substr(end + 2);
    }
  } else if (colon != std::string::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (!port.empty()) {
    const char* end = port.data() + port.size();
    const auto [read_to, error] = std::from_chars(port.data(), end, options.port);
    if (error != std::errc() || read_to != end || options.port == 0) return false;
  }
  options.host = host;
  return !host.empty();
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

std::variant<Options, int> parse_options(int argc, char** argv) {
  Options options;
  std::string server;
  std::string to;
  double seconds = 0;
  double patience = 60;
  const std::map<std::string, Tls> tls{
      {"verify", Tls::verify}, {"trust-all", Tls::trust_all}, {"off", Tls::off}};

  CLI::App app(
      "Headless Jingle callers: dial, play, record, report.\n"
      "Exit status 0 only if every caller was connected and ended as asked.");
  app.set_version_flag("--version", TOOLS_VERSION);
  app.add_option("--server", server, "where to log in")->required()->type_name("HOST:PORT");
  app.add_option(
         "--jid", options.jid,
         "who to be; {n} becomes the caller's number, otherwise each caller gets a resource")
      ->required();
  app.add_option("--password", options.password)->required();
  app.add_option("--to", to, "whom to dial")->required()->type_name("JID");
  app.add_option("--tls", options.tls, "certificate checks on the way to the server")
      ->transform(CLI::CheckedTransformer(tls));
  app.add_option("--count", options.count, "how many callers")->check(CLI::Range(1, kMaxCallers));
  app.add_option("--play", options.play, "what to say, in a loop; silence if not given")
      ->check(CLI::ExistingFile);
  app.add_flag("--once", options.once, "play only once");
  app.add_option(
         "--record", options.record,
         "what is heard, 48 kHz mono; NAME-1.wav, NAME-2.wav … if there are several callers")
      ->type_name("WAV");
  auto* stay = app.add_option("--seconds", seconds, "hang up that long after being connected")
                   ->check(CLI::PositiveNumber);
  app.add_option("--patience", patience, "seconds until a call that is not connected has failed")
      ->check(CLI::PositiveNumber);
  app.add_flag("--json", options.json, "at the end, a JSON array with an object for each caller");
  app.add_flag("--events", options.events, "what happens, one JSON object a line, as it happens");
  app.add_flag("--commands", options.commands,
               "read from standard input: [N] mute|unmute|hold|unhold|dtmf KEY|hangup|quit");
  app.add_option("--address", options.addresses,
                 "local addresses to offer; default: 127.0.0.1 if the server is there, else all");
  app.add_flag("--jmi", options.jmi, "propose first (XEP-0353)");
  app.add_flag("!--no-rtcp-mux", options.rtcp_mux, "RTCP on a component of its own");
  app.add_flag("--fingerprint-lie", options.fingerprint_lie,
               "for tests: signal a fingerprint the certificate does not have");
  try {
    app.parse(argc, argv);
    if (!read_server(server, options)) throw CLI::ValidationError("--server", server);
    const auto parsed = jingle::Jid::parse(to);
    if (!parsed) throw CLI::ValidationError("--to", to + " is no JID");
    options.to = *parsed;
    if (const auto jid = jingle::Jid::parse(numbered(options.jid, 1));
        !jid || jid->local().empty()) {
      throw CLI::ValidationError("--jid", options.jid + " is no account");
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 64;  // EX_USAGE
  }
  if (stay->count() > 0) options.seconds = milliseconds(seconds);
  options.patience = milliseconds(patience);
  if (options.addresses.empty() && is_loopback(options.host)) {
    options.addresses = {options.host == "localhost" ? "127.0.0.1" : options.host};
  }
  return options;
}

jingle::Jid caller_jid(const Options& options, int number) {
  const auto jid = jingle::Jid::parse(numbered(options.jid, number)).value_or(jingle::Jid());
  if (options.count == 1 && !jid.is_bare()) return jid;
  const std::string base = jid.is_bare() ? "call" : jid.resource();
  return jid.with_resource(options.count == 1 ? base : base + "-" + std::to_string(number));
}

std::string record_file(const Options& options, int number) {
  if (options.record.empty() || options.count == 1) return options.record;
  const auto slash = options.record.rfind('/');
  const auto dot = options.record.rfind('.');
  const bool extended = dot != std::string::npos && (slash == std::string::npos || dot > slash);
  const auto stem = extended ? options.record.substr(0, dot) : options.record;
  return stem + "-" + std::to_string(number) + (extended ? options.record.substr(dot) : "");
}

}  // namespace call
