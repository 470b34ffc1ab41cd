#include "tools/load/summary.h"

#include <iomanip>
#include <sstream>

namespace load {
namespace {

using call::Json;

std::string spread_text(const Json& spread, const char* unit) {
  if (spread.is_null()) return "not measured";
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << "median " << spread["median"].number() << unit
       << ", p99 " << spread["p99"].number() << unit << ", max " << spread["max"].number() << unit;
  return text.str();
}

void usage(std::ostringstream& text, const char* who, const Json& usage) {
  if (usage.is_null()) return;
  text << std::left << std::setw(18) << who << std::right << std::setprecision(1)
       << usage["cpu_percent"].number() << " % of a core, " << std::setprecision(3)
       << usage["cpu_percent_per_caller"].number() << " % a caller; " << std::setprecision(1)
       << usage["memory_mb"].number() << " MB; " << std::setprecision(0)
       << usage["threads"].number() << " threads\n";
}

}  // namespace

std::string summary(const Json& report) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(0);
  const Json& calls = report["calls"];
  text << "calls             " << calls["connected"].number() << " of "
       << report["callers"].number() << " connected, " << calls["ended_as_asked"].number()
       << " ended as asked";
  for (const char* how : {"refused", "failed", "ended_by_mixer", "ended_of_vanished"}) {
    if (calls[how].size() > 0) text << "; " << how << ": " << calls[how].str();
  }
  if (!report["link_lost"].is_null()) text << "; link lost: " << report["link_lost"].string();
  text << "\njoin              " << spread_text(report["join_ms"], " ms") << "\n";
  if (!report["rejoin_ms"].is_null()) {
    text << "rejoin            " << spread_text(report["rejoin_ms"], " ms") << "\n";
  }
  const Json& received = report["received_per_s"];
  text << "listeners get     " << std::setprecision(1) << received["min"].number() << " to "
       << received["max"].number() << " packets/s; " << std::setprecision(0)
       << report["packets"]["lost"].number() << " lost, "
       << report["packets"]["undecryptable"].number() << " undecryptable; "
       << report["gaps"]["count"].number() << " gaps, the longest "
       << report["gaps"]["longest_ms"].number() << " ms\n";
  text << "packet to packet  " << spread_text(report["delay_ms"], " ms") << "; "
       << report["markers"]["heard"].number() << " of " << report["markers"]["expected"].number()
       << " markers heard\n";
  if (!report["own_marker_db"].is_null()) {
    text << "own voice         " << std::setprecision(1) << report["own_marker_db"]["max"].number()
         << " dB\n";
  }
  const Json& coin = report["coin"];
  text << "Coin              " << std::setprecision(0) << coin["documents"].number()
       << " documents, " << std::setprecision(3) << coin["bytes"].number() / 1e6
       << " MB; told of a newcomer after " << spread_text(coin["lag_ms"], " ms") << "\n";
  usage(text, "jingle-load", report["own"]);
  usage(text, "the mixer", report["watched"]);
  text << "own lateness      " << spread_text(report["crowd_late_ms"], " ms") << "\n";
  return text.str();
}

}  // namespace load
