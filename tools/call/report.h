// tools/call/report.h: what became of a caller, and its JSON. Values; any thread.
#pragma once

#include <string>
#include <vector>

#include "coin/conference_info.h"
#include "media/media_engine.h"
#include "tools/call/json.h"

namespace call {

struct ReportedEvent {
  double t = 0;  // seconds since the start
  std::string event;
};

struct RosterEntry {   // one endpoint
  std::string entity;  // the user's
  std::string display_text, status, src_id, media_status;
  bool operator==(const RosterEntry&) const = default;
};

struct Report {
  std::string jid;
  std::string result = "failed";  // "success": was connected and ended by ourselves
  std::string reason;             // of XEP-0166 §7.4, or a stanza error's condition
  std::string sid;
  bool isfocus = false;
  std::vector<ReportedEvent> events;
  std::string local, remote;  // the selected pair
  media::LegStatistics rtp;
  unsigned full_documents = 0, partial_documents = 0;
  std::vector<RosterEntry> roster;
};

// Deleted users and endpoints are not in it.
std::vector<RosterEntry> roster_of(const coin::ConferenceInfo& info);
Json to_json(const std::vector<RosterEntry>& roster);
Json to_json(const Report& report);

}  // namespace call
