// tools/call/coin_words.h: a conference (RFC 4575 §5) as people see it: what of it is shown, how
// one state differs from another in words, and who is there as a table. Whatever others wrote in it
// is made harmless. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coin/conference_info.h"

namespace call {

struct ShownEndpoint {
  std::string entity;
  std::optional<coin::EndpointStatus> status;
  std::string joined, left;  // how, when, by whom, why; empty: not said
  std::optional<coin::MediaStatus> audio;
  std::string src_id;
  bool operator==(const ShownEndpoint&) const = default;
};
struct ShownUser {
  std::string entity, display_text, behind;  // behind: another focus (§5.6.5)
  std::map<std::string, ShownEndpoint> endpoints;
  bool operator==(const ShownUser&) const = default;
};
struct Shown {
  std::string entity, display_text, subject;
  std::optional<std::uint32_t> user_count;
  std::optional<bool> active, locked;
  bool over = false;
  std::map<std::string, ShownUser> users;
  bool operator==(const Shown&) const = default;

  // Users with an endpoint that takes part, on hold or not; and how many of them are the focus
  // itself (§5.7.4), which one may count or not.
  std::size_t present() const;
  std::size_t owners() const;
};

// Requires: full, as a View keeps it. Of a key given twice the last one counts.
Shown shown(const coin::ConferenceInfo& info);

// What happened between the two, a line each.
// Law: empty iff shown(before) == shown(after).     tests/tools/coin_words_test.cc
std::vector<std::string> difference(const coin::ConferenceInfo& before,
                                    const coin::ConferenceInfo& after);

struct Page {  // of a terminal; longer lines and tables are cut
  std::size_t columns = std::string::npos, rows = std::string::npos;
};
// A line for the conference, a heading, a line for each endpoint; "*" where its source is among
// `talking`. Each line ends in "\n".
std::string table(const Shown& conference, const std::set<std::uint32_t>& talking,
                  const Page& page = {});

}  // namespace call
