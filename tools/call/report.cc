#include "tools/call/report.h"

#include "coin/xml.h"

namespace call {
namespace {

RosterEntry entry(const coin::User& user, const coin::Endpoint& endpoint) {
  RosterEntry entry;
  entry.entity = user.entity;
  entry.display_text = user.display_text.value_or("");
  if (endpoint.status) entry.status = coin::to_string(*endpoint.status);
  for (const auto& media : endpoint.media) {
    if (media.type && *media.type != "audio") continue;
    entry.src_id = media.src_id.value_or("");
    if (media.status) entry.media_status = coin::to_string(*media.status);
    break;
  }
  return entry;
}

}  // namespace

std::vector<RosterEntry> roster_of(const coin::ConferenceInfo& info) {
  std::vector<RosterEntry> roster;
  if (!info.users) return roster;
  for (const auto& user : info.users->users) {
    if (user.state == coin::State::deleted) continue;
    for (const auto& endpoint : user.endpoints) {
      if (endpoint.state != coin::State::deleted) roster.push_back(entry(user, endpoint));
    }
  }
  return roster;
}

Json to_json(const std::vector<RosterEntry>& roster) {
  Json::Array entries;
  for (const auto& entry : roster) {
    entries.push_back(Json::Object{{"entity", entry.entity},
                                   {"display_text", entry.display_text},
                                   {"status", entry.status},
                                   {"src_id", entry.src_id},
                                   {"media_status", entry.media_status}});
  }
  return entries;
}

Json to_json(const Report& report) {
  Json::Array events;
  for (const auto& [t, event] : report.events) {
    events.push_back(Json::Object{{"t", t}, {"event", event}});
  }
  const auto& rtp = report.rtp;
  return Json::Object{
      {"jid", report.jid},
      {"result", report.result},
      {"reason", report.reason},
      {"sid", report.sid},
      {"isfocus", report.isfocus},
      {"events", std::move(events)},
      {"ice", Json::Object{{"local", report.local}, {"remote", report.remote}}},
      {"rtp", Json::Object{{"sent", static_cast<double>(rtp.sent)},
                           {"received", static_cast<double>(rtp.received)},
                           {"lost", static_cast<double>(rtp.lost)},
                           {"jitter_ms", rtp.jitter_ms},
                           {"rtt_ms", rtp.rtt_ms}}},
      {"documents", Json::Object{{"full", static_cast<double>(report.full_documents)},
                                 {"partial", static_cast<double>(report.partial_documents)}}},
      {"roster", to_json(report.roster)}};
}

}  // namespace call
