// mixer/roster.h: who is in the call, and the same as a conference document (RFC 4575 §5). One user
// per bare JID, one endpoint per call. Pure; signaling thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "coin/conference_info.h"
#include "media/mix_plan.h"
#include "mixer/config.h"
#include "signaling/jid.h"

namespace mixer {

// A connected call, as the others may learn of it.
struct Participant {
  jingle::Jid peer;                  // full
  std::string token;                 // stands for the resource where that is not disclosed
  std::uint32_t contributor_id = 0;  // its CSRC in the mix
  bool on_hold = false;              // the participant's own doing
  media::LegPlan plan;               // what it says and hears
  bool operator==(const Participant&) const = default;
};

class Roster {
 public:
  Roster(jingle::Jid room, const RoomConfig& config) : room_(std::move(room)), config_(config) {}

  // Adds or changes the participant of that leg. True if anything that others see changed.
  bool set(media::LegId leg, const Participant& participant);
  // True if it was there.
  bool remove(media::LegId leg);

  std::size_t users() const { return users_.size(); }
  // The display-text of that leg's user; empty if unknown. Stable while the user stays.
  std::string name_of(media::LegId leg) const;
  // Every user's display-text, in the order of their JIDs.
  std::vector<std::string> names() const;

  // The whole truth, full, without version and sid.
  coin::ConferenceInfo info() const;

 private:
  struct User {
    std::string display_text;
    std::string token;  // stands for the JID where only the nick is disclosed
    int endpoints = 0;
  };
  std::string unused_name(const jingle::Jid& bare) const;
  std::string user_entity(const jingle::Jid& bare, const User& user) const;
  std::string endpoint_entity(const Participant& participant) const;
  coin::Endpoint endpoint(const Participant& participant) const;

  jingle::Jid room_;
  RoomConfig config_;
  std::map<media::LegId, Participant> participants_;
  std::map<jingle::Jid, User> users_;  // by bare JID
};

// The participant's point of view (RFC 4575 §5.8.4): recvonly hears and is not heard.
coin::MediaStatus media_status(const media::LegPlan& plan);

}  // namespace mixer
