#include "tools/call/options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <map>

#include "mixer/net_address.h"

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

// What CLI11 fills in and Options has in another form.
struct Raw {
  std::string server, to;
  std::string stun, turn, turn_username, turn_password;
  double seconds = 0, patience = 60, ring = 0;
  bool answer = false;
  AnswerSpec::Policy policy = AnswerSpec::Policy::accept;
  bool no_jmi = false;
};

void add_common(CLI::App& app, Options& options, Raw& raw) {
  static const std::map<std::string, Tls> kTls{
      {"verify", Tls::verify}, {"trust-all", Tls::trust_all}, {"off", Tls::off}};
  app.set_version_flag("--version", TOOLS_VERSION);
  app.add_option("--server", raw.server, "where to log in")->required()->type_name("HOST:PORT");
  app.add_option("--jid", options.jid, "who to be")->required();
  app.add_option("--password", options.password)->required();
  auto* peer = app.add_option_group("peer");
  peer->add_option("--to", raw.to, "whom to dial")->type_name("JID");
  peer->add_flag("--answer", raw.answer, "wait for a call instead");
  peer->require_option(1);
  app.add_option("--ring", raw.ring, "with --answer: seconds until it is taken")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--tls", options.tls, "certificate checks on the way to the server")
      ->transform(CLI::CheckedTransformer(kTls).description(""))
      ->type_name("verify|trust-all|off");
  app.add_option("--play", options.play, "what to say, in a loop; silence if not given")
      ->check(CLI::ExistingFile);
  app.add_flag("--once", options.once, "play only once");
  app.add_option("--seconds", raw.seconds, "hang up that long after being connected")
      ->check(CLI::PositiveNumber);
  app.add_option("--patience", raw.patience,
                 "seconds until a call that is not connected has failed")
      ->check(CLI::PositiveNumber);
  app.add_option("--address", options.addresses,
                 "local addresses to offer; default: 127.0.0.1 if the server is there, else all");
  app.add_option("--stun", raw.stun, "a STUN server")->type_name("HOST[:PORT]");
  auto* turn = app.add_option("--turn", raw.turn, "a TURN server")->type_name("HOST[:PORT]");
  app.add_option("--turn-username", raw.turn_username)->needs(turn);
  app.add_option("--turn-password", raw.turn_password)->needs(turn);
  app.add_flag("--jmi", options.jmi, "with --to: propose first (XEP-0353)");
  app.add_flag("--no-jmi", raw.no_jmi, "with --answer: as a client that knows no proposals");
  app.add_flag("!--no-rtcp-mux", options.rtcp_mux, "RTCP on a component of its own");
}

void add_jingle_call(CLI::App& app, Options& options, Raw& raw) {
  app.description(
      "Headless Jingle callers: dial or answer, play, record, report.\n"
      "Exit status 0 only if every caller was connected and ended as asked, or refused as told.\n"
      "{n} in --jid becomes the caller's number; otherwise each caller gets a resource.");
  app.add_option("--count", options.count, "how many callers")->check(CLI::Range(1, kMaxCallers));
  app.add_option("--record", options.record,
                 "what is heard, 48 kHz; NAME-1.wav, NAME-2.wav … if there are several callers")
      ->type_name("WAV");
  app.add_flag("--stereo", options.stereo, "with --to: ask for it, and record it");
  const auto refuse = [&](const char* name, AnswerSpec::Policy policy, const char* how) {
    app.add_flag_callback(
        name, [&raw, policy] { raw.policy = policy; }, how);
  };
  refuse("--busy", AnswerSpec::Policy::busy, "with --answer: refuse every call as busy");
  refuse("--decline", AnswerSpec::Policy::decline, "with --answer: decline every call");
  refuse("--ignore", AnswerSpec::Policy::ignore, "with --answer: let every call ring in vain");
  app.add_flag("--json", options.json, "at the end, a JSON array with an object for each caller");
  app.add_flag("--events", options.events, "what happens, one JSON object a line, as it happens");
  app.add_flag("--commands", options.commands,
               "read from standard input: [N] mute|unmute|hold|unhold|dtmf KEY|focus|nofocus|\n"
               "document FILE|restart|restart ADDRESS|hangup|quit");
  app.add_flag("--focus", options.focus, "say isfocus (XEP-0298)");
  app.add_option("--document", options.documents,
                 "conference documents to send once connected, one after another, \"{sid}\" in\n"
                 "them becoming the session's; the answers are events")
      ->check(CLI::ExistingFile)
      ->type_name("XML");
  app.add_flag("--fingerprint-lie", options.fingerprint_lie,
               "for tests: signal a fingerprint the certificate does not have");
}

void add_coin_watch(CLI::App& app, Options& options) {
  app.description(
      "Shows the conference documents (XEP-0298, RFC 4575) of a call as they come: what each\n"
      "changes, in words, and who is there, as a table. \"*\" marks who talks.");
  app.add_flag("--raw", options.raw, "the documents' XML too");
  app.add_flag("!--no-redraw", options.redraw,
               "append every table, as it is done when standard output is no terminal");
}

void add_ice_server(const char* option, const std::string& text, media::IceServer server,
                    Options& options) {
  if (text.empty()) return;
  auto address = mixer::host_and_port(text, server.port);
  if (!address) throw CLI::ValidationError(option, text);
  server.host = std::move(address->host);
  server.port = address->port;
  options.ice_servers.push_back(std::move(server));
}

// Throws CLI::ValidationError.
void translate(const Raw& raw, Options& options) {
  if (!read_server(raw.server, options)) throw CLI::ValidationError("--server", raw.server);
  if (const auto jid = jingle::Jid::parse(numbered(options.jid, 1)); !jid || jid->local().empty()) {
    throw CLI::ValidationError("--jid", options.jid + " is no account");
  }
  if (raw.answer) {
    options.answer = AnswerSpec{raw.policy, milliseconds(raw.ring), !raw.no_jmi};
  } else if (raw.policy != AnswerSpec::Policy::accept || raw.ring > 0) {
    throw CLI::ValidationError("--busy, --decline, --ignore, --ring", "only with --answer");
  } else if (const auto to = jingle::Jid::parse(raw.to)) {
    options.to = *to;
  } else {
    throw CLI::ValidationError("--to", raw.to + " is no JID");
  }
  using Kind = media::IceServer::Kind;
  add_ice_server("--stun", raw.stun, {.kind = Kind::stun}, options);
  add_ice_server("--turn", raw.turn,
                 {.kind = Kind::turn, .username = raw.turn_username, .password = raw.turn_password},
                 options);
  if (raw.seconds > 0) options.seconds = milliseconds(raw.seconds);
  options.patience = milliseconds(raw.patience);
  if (options.addresses.empty() && is_loopback(options.host)) {
    options.addresses = {options.host == "localhost" ? "127.0.0.1" : options.host};
  }
}

}  // namespace

std::variant<Options, int> parse_options(Program program, int argc, char** argv) {
  Options options;
  Raw raw;
  CLI::App app;
  add_common(app, options, raw);
  if (program == Program::jingle_call) {
    add_jingle_call(app, options, raw);
  } else {
    add_coin_watch(app, options);
  }
  try {
    app.parse(argc, argv);
    translate(raw, options);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 64;  // EX_USAGE
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
