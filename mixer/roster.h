// mixer/roster.h: who is in the call, and the same as a conference document (RFC 4575 §5). One user
// per bare JID, one endpoint per call. Pure; signaling thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coin/conference_info.h"
#include "media/mix_plan.h"
#include "mixer/clock.h"
#include "mixer/config.h"
#include "signaling/jid.h"

namespace mixer {

// A call or an invitation, as the others may learn of it.
struct Participant {
  jingle::Jid peer;                  // bare while somebody invited has not said where he is
  std::string token;                 // stands for the resource where that is not disclosed
  std::uint32_t contributor_id = 0;  // its CSRC in the mix; 0: no media yet, none is listed
  media::LegPlan plan;               // what it says and hears
  coin::EndpointStatus status = coin::EndpointStatus::connected;
  coin::JoiningMethod joining_method = coin::JoiningMethod::dialed_in;
  coin::Execution joining_info = {};  // empty: not written
  bool operator==(const Participant&) const = default;
};

// How somebody left (RFC 4575 §5.7.6, §5.7.7).
struct Departure {
  coin::DisconnectionMethod method = coin::DisconnectionMethod::departed;
  coin::Execution info = {};
  bool operator==(const Departure&) const = default;
};

class Roster {
 public:
  Roster(jingle::Jid room, const RoomConfig& config) : room_(std::move(room)), config_(config) {}

  // Adds or changes the participant of that leg. True if anything that others see changed.
  bool set(media::LegId leg, const Participant& participant);
  // True if it was there.
  bool remove(media::LegId leg);
  // It left: listed as disconnected until `until` or until its user is there again, whichever is
  // first. True if it was there.
  bool depart(media::LegId leg, const Departure& departure, TimePoint until);
  // Those whose time is up go. True if any did.
  bool expire(TimePoint now);
  std::optional<TimePoint> next_deadline() const;

  // That leg's peer is the focus of `conference` (a URI), and these users are connected to it
  // (§5.6.5 cascaded-focus: a flat list, whatever lies between). `conference` empty: it is a focus
  // no more. True if anything that others see changed.
  bool set_cascade(media::LegId leg, const std::string& conference, std::vector<coin::User> behind);

  // Users with a connected endpoint, those behind other foci not counted.
  std::size_t users() const { return users_.size(); }
  // The display-text of that leg's user; empty if unknown. Stable while the user stays.
  std::string name_of(media::LegId leg) const;
  // Every user's display-text, in the order of their JIDs.
  std::vector<std::string> names() const;

  // The whole truth, full, without version and sid. For a receiver that is itself a focus: without
  // the users behind it, whom it knows better (`without`).
  coin::ConferenceInfo info(std::optional<media::LegId> without = std::nullopt) const;

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
