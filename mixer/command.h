// mixer/command.h: what the focus wants done. Values; carried out by focus_agent in order.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "media/media_engine.h"
#include "mixer/node_subscription.h"
#include "mixer/published.h"
#include "mixer/subscription.h"
#include "signaling/jid.h"
#include "signaling/stanza_error.h"
#include "signaling/xmpp_connection.h"

namespace mixer {

// The one answer to an IQ get or set: the result's payload as XML (may be empty), or an error.
struct Reply {
  jingle::Jid from, to;
  std::string id;
  jingle::Result<std::string> result;
  jingle::Priority priority = jingle::Priority::urgent;
};
struct SendIq {
  jingle::Jid from, to;
  std::string id;
  bool is_set = true;
  std::string payload;  // exactly one element, but for Coin with coin.jingle-sibling
  jingle::Priority priority = jingle::Priority::urgent;
};
struct SendMessage {
  jingle::Jid from, to;
  std::string type = "chat", id;
  std::string payload;
};
struct SendPresence {
  jingle::Jid from, to;  // to empty: broadcast (client mode)
  std::string type;      // empty: available
  std::string payload;
  jingle::Priority priority = jingle::Priority::normal;
};
struct SetIceServers {
  std::vector<media::IceServer> servers;
};
struct OpenLeg {
  media::LegSpec spec;
};
struct ConnectLeg {
  media::LegId leg;
  media::LegRemote remote;
};
struct AddRemoteCandidates {
  media::LegId leg;
  std::vector<media::IceCandidate> candidates;
};
struct RestartIce {
  media::LegId leg;
  std::optional<media::IceCredentials> remote;
};
struct CloseLeg {
  media::LegId leg;
};
struct SetMixPlan {
  media::RoomId room;
  media::MixPlan plan;
};
struct Play {
  media::PlaySpec spec;
};
struct PausePlay {
  media::PlayId play;
  bool on = true;
};
struct SeekPlay {
  media::PlayId play;
  std::chrono::milliseconds to{};
};
struct StopPlay {
  media::PlayId play;
};
struct PrepareRecord {
  media::RecordSpec spec;
};
struct Record {
  media::RecordId record;
};
struct StopRecord {
  media::RecordId record;
};
// What outlives the process. Carried out some time soon: an answer does not wait for a disk.
struct SaveSubscription {
  Subscription row;
};
struct ForgetSubscription {
  jingle::Jid room, contact;
};
struct SaveNodeSubscription {
  NodeSubscription row;  // without nodes: there is no more
};
struct SavePublished {
  Published row;
};
struct ForgetPublished {
  jingle::Jid by;
  std::string node;
};
struct Log {
  enum class Level { debug, info, warning, error };
  Level level = Level::info;
  std::string text;  // one line, key=value
};

using Command =
    std::variant<Reply, SendIq, SendMessage, SendPresence, SetIceServers, OpenLeg, ConnectLeg,
                 AddRemoteCandidates, RestartIce, CloseLeg, SetMixPlan, Play, PausePlay, SeekPlay,
                 StopPlay, PrepareRecord, Record, StopRecord, SaveSubscription, ForgetSubscription,
                 SaveNodeSubscription, SavePublished, ForgetPublished, Log>;
using Commands = std::vector<Command>;

}  // namespace mixer
