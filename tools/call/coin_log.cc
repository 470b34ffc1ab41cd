#include "tools/call/coin_log.h"

#include <cstdio>
#include <pugixml.hpp>
#include <sstream>

#include "coin/xml.h"
#include "tools/call/visible.h"
#include "tools/call/watch.h"

namespace call {
namespace {

std::string version_of(const coin::ConferenceInfo& info) {
  return info.version ? "version " + std::to_string(*info.version) : "no version";
}

// Why it was left out (RFC 4575 §4.6).
std::string nonsense(coin::View::Outcome outcome, const coin::View& view) {
  switch (outcome) {
    case coin::View::Outcome::applied: return {};
    case coin::View::Outcome::stale:
      return "stale: " + version_of(*view.info()) + " was here before; left out";
    case coin::View::Outcome::gap:
      return "gap: it does not follow " + version_of(*view.info()) +
             "; left out until the next full one";
    case coin::View::Outcome::no_base:
      return "no base: nothing to apply it to; left out until the next full one";
  }
  return {};
}

// A user count is of those who take part, and a sidebar's are not among them.
std::string count_disagrees(const Shown& now) {
  if (!now.user_count || *now.user_count == now.present()) return {};
  if (*now.user_count == now.present() - now.owners()) return {};
  return "user-count is " + std::to_string(*now.user_count) + ", but " +
         std::to_string(now.present()) + " take part";
}

void append_raw(std::string_view xml, std::vector<std::string>& lines) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return;
  std::ostringstream text;
  document.print(text, "  ", pugi::format_indent | pugi::format_no_declaration);
  std::istringstream read(text.str());
  for (std::string line; std::getline(read, line);) lines.push_back("    " + visible(line));
}

}  // namespace

std::vector<std::string> CoinLog::on(double t, const Tell& tell) {
  std::vector<std::string> lines;
  if (tell.event == "document") {
    char head[32];
    std::snprintf(head, sizeof head, "%7.2f s  ", t);
    document(tell.detail.string(), lines);
    lines.front().insert(0, head);
  } else if (tell.event != "roster" && tell.event != "gap" && tell.event != "stale document") {
    if (const auto text = event_text(0, t, tell)) lines.push_back(visible(*text));
  }
  return lines;
}

void CoinLog::document(std::string_view xml, std::vector<std::string>& lines) {
  const auto info = coin::parse(xml);
  lines.push_back("document: " + std::to_string(xml.size()) + " bytes");
  if (info) {
    lines[0] += ", " + version_of(*info) + ", " + std::string(coin::to_string(info->state));
    const auto outcome = view_.receive(*info);
    if (outcome == coin::View::Outcome::applied) {
      for (const auto& line : difference(known_, *view_.info())) lines.push_back("    " + line);
      known_ = *view_.info();
      if (const auto note = count_disagrees(shown(known_)); !note.empty()) {
        lines.push_back("    nonsense: " + note);
      }
    } else {
      lines.push_back("    nonsense: " + nonsense(outcome, view_));
    }
  }
  if (raw_) append_raw(xml, lines);
}

std::string CoinLog::table(const std::set<std::uint32_t>& talking, const Page& page) const {
  return view_.info() ? call::table(shown(*view_.info()), talking, page) : std::string();
}

}  // namespace call
