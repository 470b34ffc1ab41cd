#include "tools/call/watch.h"

#include <cstdio>

namespace call {

std::string event_line(int caller, double t, TimePoint clock, const Tell& tell) {
  const std::chrono::duration<double> since_boot = clock.time_since_epoch();
  Json::Object line{
      {"caller", caller}, {"t", t}, {"clock", since_boot.count()}, {"event", tell.event}};
  if (!tell.detail.is_null()) line.emplace_back("detail", tell.detail);
  return Json(std::move(line)).str();
}

std::optional<std::string> event_text(int caller, double t, const Tell& tell) {
  if (tell.event == "document") return std::nullopt;
  char head[64];
  std::snprintf(head, sizeof head, "%7.2f s  ", t);
  std::string text = head;
  if (caller > 0) text += "caller " + std::to_string(caller) + "  ";
  text += tell.event;
  if (tell.event == "roster") {
    text += ":";
    for (const auto& entry : tell.detail.array()) {
      text += " " + entry["display_text"].string() + " (" + entry["status"].string();
      const auto media = entry["media_status"].string();
      if (!media.empty() && media != "sendrecv") text += ", " + media;
      text += ")";
    }
  } else if (const auto detail = tell.detail.string(); !detail.empty()) {
    text += ": " + detail;
  }
  return text;
}

}  // namespace call
