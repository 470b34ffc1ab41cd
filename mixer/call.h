// mixer/call.h: one call of a room, dialled in or out: a Jingle session (XEP-0166) and the leg that
// carries its sound. What it says on the wire is written here; what the room makes of it is
// the conference's. Pure; signaling thread.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "mixer/call_record.h"
#include "mixer/client_profile.h"
#include "mixer/negotiation.h"
#include "mixer/outbox.h"
#include "mixer/roster.h"
#include "signaling/jingle_session.h"

namespace mixer {

class Call {
 public:
  struct Setup {
    std::string room;
    jingle::Sid sid;
    // local: the JID that was dialled, or our full one; all our stanzas come from it.
    jingle::Jid local, peer;
    jingle::Jid focus;  // our full JID, for JMI
    media::RoomId media_room;
    media::LegId leg;
    std::uint32_t contributor_id = 0;
    jingle::Role role = jingle::Role::responder;
    Agreement agreed = {};                  // responder only; else the peer's accept makes it
    std::uint32_t max_bitrate_bps = 32000;  // what we send at most
    media::VoiceProcessing voice = {};
    // Until it is connected; an initiator's as the invitation is listed (RFC 4575 §5.7.2).
    coin::EndpointStatus status = coin::EndpointStatus::dialing_in;
    bool isfocus = true;  // whether our session-accept or -initiate says so
    coin::JoiningMethod joining_method = coin::JoiningMethod::dialed_in;
    coin::Execution joining_info = {};
    bool peer_is_focus = false;                 // said so in its offer, or later (XEP-0298 §5)
    bool proposed = false;                      // by JMI: finish follows the end (XEP-0353 §3.7)
    std::optional<media::LegId> replaces = {};  // ends when this one is connected
    bool occupant = false;  // of a chat room, by whose JID he is known (XEP-0045)
  };
  // Opens the leg; session-accept, or session-initiate as the initiator, follows when it is open.
  Call(Setup setup, Outbox& out, TimePoint now);

  const jingle::Session& session() const { return session_; }
  media::LegId leg() const { return setup_.leg; }
  const jingle::Jid& peer() const { return setup_.peer; }
  bool ended() const { return session_.state() == jingle::Session::State::ended; }
  bool accepted() const { return session_.state() == jingle::Session::State::active; }
  bool connected() const { return connected_at_.has_value(); }
  bool peer_is_focus() const { return setup_.peer_is_focus; }
  jingle::Role role() const { return session_.role(); }
  // Our session-initiate lost to one of the peer's (XEP-0166 §7.2.16): its session counts. Ended.
  bool yielded() const { return yielded_; }
  // What the peer was last told of us, or will be by our accept or initiate.
  bool isfocus() const { return setup_.isfocus; }
  std::optional<media::LegId> replaces() const { return setup_.replaces; }
  std::uint32_t contributor_id() const { return setup_.contributor_id; }
  // Nothing valid came from the peer for 3 s, or it never connected in that time.
  bool stale(TimePoint now) const;
  // How the call stands in RFC 4575's words: pending until there is an offer to send, dialing-out,
  // alerting (it rings there), connected, on-hold. Neither speaks nor hears before it is connected.
  Participant participant() const;
  // How it ended, at `now`. Requires: ended.
  Departure departure(const WallTime& wall, TimePoint now) const;
  CallRecord record(TimePoint now) const;

  // The peer's requests, session-initiate excepted. nullopt: result. May end the call.
  std::optional<jingle::StanzaError> receive(const jingle::Payload& payload, Outbox& out,
                                             TimePoint now);
  // The leg's events. Each may end the call.
  void opened(const media::LegOpened& event, Outbox& out, TimePoint now);
  void gathered(const media::CandidatesGathered& event, Outbox& out);
  void ice_restarted(const media::IceRestarted& event, Outbox& out, TimePoint now);
  void leg_connected(const media::LegConnected& event, Outbox& out, TimePoint now);
  // Of lost consent a peer that trickles is offered an ICE restart, once, before the call ends.
  void leg_failed(const media::LegFailed& event, Outbox& out, TimePoint now);
  void set_quiet(bool quiet, TimePoint now);
  // Our session-initiate, session-accept or transport-info was refused.
  void refused(const jingle::StanzaError& error, Purpose purpose, Outbox& out);
  // The ICE restart that we offered was acknowledged; the peer's answer is its own transport-info.
  void restart_acknowledged(Outbox& out, TimePoint now);

  // Presence of the peer's full JID (XEP-0166 §6.7). An occupant who has left his chat room cannot
  // be reached by it any more: the call ends.
  void set_available(bool available, Outbox& out, TimePoint now);
  // The stream came back under another name: the peer will not know us any more.
  void orphan(TimePoint now);
  // XEP-0353 §4.2: the call goes on at another device of the same user, under `to`.
  void migrate(const jingle::Sid& to, Outbox& out);
  // What session-accept or -initiate will say; no effect once that is sent.
  void set_isfocus(bool isfocus) {
    if (!opened_) setup_.isfocus = isfocus;
  }
  // Says whether we are the focus of a conference in a session-info (XEP-0298 §5): when that
  // changes, and for clients that miss it in session-accept. Requires: accepted.
  void say_isfocus(bool isfocus, Outbox& out);
  // session-terminate (none if the peer has not heard of the session yet), and the leg is closed.
  // Requires: not ended.
  void end(const jingle::Reason& reason, Outbox& out);

  std::optional<TimePoint> next_deadline() const;
  // Ends the call when its time is up.
  void advance(Outbox& out, TimePoint now);

 private:
  friend struct RequestHandler;  // call_requests.cc

  void request(jingle::Payload payload, Outbox& out);
  void ask(jingle::Payload payload, Purpose purpose, Outbox& out, TimePoint now);
  void conclude(const jingle::SessionAccept& accept, Outbox& out, TimePoint now);
  // call_restart.cc
  void on_transport(const jingle::IceUdpTransport& transport, Outbox& out, TimePoint now);
  void take_candidates(const jingle::IceUdpTransport& transport,
                       std::vector<media::IceCandidate>& into);
  void give_candidates(Outbox& out);
  void restart_failed(bool ours, Outbox& out);
  void on_new_credentials(media::IceCredentials credentials, Outbox& out, TimePoint now);
  void restart_when_due(Outbox& out, TimePoint now);
  void count_candidates_anew(TimePoint now);
  void tell_candidates(Outbox& out, TimePoint now);
  bool offer_restart(Outbox& out, TimePoint now);
  std::optional<TimePoint> restart_deadline() const;
  void close(const jingle::Reason& reason, bool by_peer, Outbox& out);
  std::optional<TimePoint> gone_at() const;  // when the peer counts as gone
  std::optional<TimePoint> ring_at() const;  // when we say that accepting takes time

  Setup setup_;
  jingle::Session session_;
  std::string token_;
  LocalMedia local_;
  bool opened_ = false;
  bool rang_ = false;  // we said so
  int candidates_sent_ = 0;
  std::size_t candidates_received_ = 0;
  std::vector<jingle::IceUdpTransport> before_accept_;  // initiator: nobody to give them to yet
  // Before the engine knows the credentials they are of.
  std::vector<media::IceCandidate> early_;

  // Ours, before the peer's new credentials are there.
  enum class OwnRestart { none, gathering, offered, acknowledged };
  struct Restart {                   // XEP-0176 §5.9
    std::deque<std::string> former;  // ufrags of the peer's that count no more
    // The peer offered, and the IceRestarted with this remote_ufrag is our answer to it.
    std::optional<std::string> owed;
    std::optional<TimePoint> due;    // the peer offered, too soon after the last
    TimePoint last{}, counted_at{};  // candidates were counted anew
    bool peer_trickles = false;
    bool offered = false;  // by us, since the leg connected last
    OwnRestart own = OwnRestart::none;
    TimePoint own_since{};
  } restart_;

  bool on_hold_ = false, muted_ = false;
  std::uint32_t hinted_bitrate_bps_ = 0;  // by the peer, during the call (XEP-0167 §9); 0: never
  std::uint8_t hinted_packet_ms_ = 0;     // likewise
  bool migrated_ = false, yielded_ = false;

  TimePoint began_{};
  TimePoint waits_since_{};  // for the peer's accept, then for the leg to connect
  std::optional<TimePoint> connected_at_, quiet_since_, unavailable_since_, orphaned_at_;
  jingle::Reason reason_;
  bool by_peer_ = false;
  std::string cause_;  // of a leg that failed
  std::string pair_local_, pair_remote_;
};

}  // namespace mixer
