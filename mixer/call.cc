#include "mixer/call.h"

#include <algorithm>

#include "mixer/limits.h"
#include "mixer/reasons.h"
#include "signaling/jingle_message.h"

namespace mixer {

Call::Call(Setup setup, Outbox& out, TimePoint now)
    : setup_(std::move(setup)),
      session_(setup_.sid, setup_.local, setup_.peer, setup_.role),
      token_(out.token()),
      candidates_received_(setup_.agreed.remote.candidates.size()),
      began_(now),
      waits_since_(now) {
  restart_.counted_at = now;
  const bool dials = role() == jingle::Role::initiator;
  media::LegSpec spec;
  spec.room = setup_.media_room;
  spec.leg = setup_.leg;
  spec.contributor_id = setup_.contributor_id;
  spec.ice_controlling = dials;  // the Jingle initiator controls (XEP-0176 §5.4)
  spec.voice = setup_.voice;
  // RFC 5761 §5.1.3: whether RTCP is multiplexed is known from the answer only.
  spec.rtcp_mux = !dials && setup_.agreed.remote.rtp.rtcp_mux;
  if (dials) {
    setup_.agreed.audio = kOfferedAudio;
    setup_.agreed.contents.emplace_back().name = kOfferedAudio;
  } else if (setup_.agreed.has_credentials) {
    spec.remote = setup_.agreed.remote;
  }
  out.put(OpenLeg{std::move(spec)});
}

bool Call::stale(TimePoint now) const {
  return quiet_since_ || (!connected() && now >= began_ + limits::kStuckAfter);
}

Participant Call::participant() const {
  const bool peer_initiated = role() == jingle::Role::responder;
  Participant participant{.peer = setup_.peer,
                          .token = token_,
                          .contributor_id = 0,
                          .plan = {.leg = setup_.leg, .in_mix = false, .receives = false},
                          .status = setup_.status,
                          .joining_method = setup_.joining_method,
                          .joining_info = setup_.joining_info,
                          .occupant = setup_.occupant};
  if (!connected()) return participant;
  const auto theirs = peer_initiated ? jingle::Senders::initiator : jingle::Senders::responder;
  const auto ours = peer_initiated ? jingle::Senders::responder : jingle::Senders::initiator;
  const jingle::Senders senders = setup_.agreed.senders;
  const bool speaks = senders == jingle::Senders::both || senders == theirs;
  const bool hears = senders == jingle::Senders::both || senders == ours;
  // A leg on hold is received but never mixed: the holder may send music (XEP-0167 §8.2).
  participant.contributor_id = setup_.contributor_id;
  participant.plan.in_mix = speaks && !muted_ && !on_hold_;
  participant.plan.receives = hears && !on_hold_;
  participant.plan.max_bitrate_bps = hinted_bitrate_bps_;
  participant.plan.packet_ms = hinted_packet_ms_;
  participant.status = on_hold_ ? coin::EndpointStatus::on_hold : coin::EndpointStatus::connected;
  return participant;
}

CallRecord Call::record(TimePoint now) const {
  CallRecord record{.room = setup_.room,
                    .peer = setup_.peer,
                    .sid = setup_.sid,
                    .dialled_out = role() == jingle::Role::initiator,
                    .began = began_,
                    .ended = now,
                    .connected = connected_at_,
                    .reason = reason_,
                    .by_peer = by_peer_,
                    .cause = cause_,
                    .local = pair_local_,
                    .remote = pair_remote_};
  // No agreement is without one.
  if (!setup_.agreed.remote.fingerprint.value.empty()) record.rtp = setup_.agreed.remote.rtp;
  return record;
}

void Call::request(jingle::Payload payload, Outbox& out) {
  out.jingle(setup_.local, setup_.peer, {setup_.sid, std::move(payload)});
}

void Call::ask(jingle::Payload payload, Purpose purpose, Outbox& out, TimePoint now) {
  out.ask({.from = setup_.local,
           .to = setup_.peer,
           .id = {},
           .is_set = true,
           .payload = jingle::write_jingle({setup_.sid, std::move(payload)}),
           .priority = jingle::Priority::urgent},
          {setup_.peer, purpose, setup_.room, setup_.leg, now});
}

void Call::opened(const media::LegOpened& event, Outbox& out, TimePoint now) {
  if (opened_) return;
  opened_ = true;
  local_ = {event.ice, event.fingerprint, event.ssrc, event.candidates, 0};
  candidates_sent_ = static_cast<int>(event.candidates.size());
  if (role() == jingle::Role::initiator) {
    if (setup_.status == coin::EndpointStatus::pending) {
      setup_.status = coin::EndpointStatus::dialing_out;
    }
    ask(offer(local_, setup_.local.str(), token_, setup_.isfocus), Purpose::session_initiate, out,
        now);
    waits_since_ = now;
    return;
  }
  // Jitsi waits for candidates before it parses the accept and reads no later ones, Jitsi and QXmpp
  // want them in the accept: so both.
  if (!event.candidates.empty()) {
    ask(trickle(setup_.agreed, local_, event.candidates, 1), Purpose::transport_info, out, now);
  }
  session_.accept();
  ask(answer(setup_.agreed, local_, setup_.local.str(), token_, setup_.isfocus),
      Purpose::session_accept, out, now);
}

void Call::gathered(const media::CandidatesGathered& event, Outbox& out) {
  if (!opened_ || event.candidates.empty()) return;
  local_.candidates.insert(local_.candidates.end(), event.candidates.begin(),
                           event.candidates.end());
  // Before the ack of our ICE restart the peer does not know what they are of; they follow it.
  if (restart_.own == OwnRestart::gathering || restart_.own == OwnRestart::offered) return;
  request(trickle(setup_.agreed, local_, event.candidates, candidates_sent_ + 1), out);
  candidates_sent_ += static_cast<int>(event.candidates.size());
}

void Call::leg_connected(const media::LegConnected& event, Outbox& out, TimePoint now) {
  pair_local_ = event.local;
  pair_remote_ = event.remote;
  restart_.offered = false;
  if (!connected_at_) {
    connected_at_ = now;
    quiet_since_.reset();
    return;
  }
  out.log(Log::Level::info,
          "ice restarted: room=" + quoted(setup_.room) + " peer=" + quoted(setup_.peer.str()) +
              " ice_local=" + quoted(pair_local_) + " ice_remote=" + quoted(pair_remote_));
}

void Call::leg_failed(const media::LegFailed& event, Outbox& out, TimePoint now) {
  if (event.cause == media::LegFailure::consent_lost && offer_restart(out, now)) {
    out.log(Log::Level::info, "ice lost: room=" + quoted(setup_.room) + " peer=" +
                                  quoted(setup_.peer.str()) + " cause=" + quoted(event.text));
    return;
  }
  cause_ = event.text;
  end(reasons::of(event.cause), out);
}

void Call::set_quiet(bool quiet, TimePoint now) {
  if (!quiet) {
    quiet_since_.reset();
  } else if (!quiet_since_) {
    quiet_since_ = now;
  }
}

void Call::set_available(bool available, Outbox& out, TimePoint now) {
  if (available) {
    unavailable_since_.reset();
  } else if (setup_.occupant) {
    end(reasons::left_chat_room(), out);
  } else if (!unavailable_since_) {
    unavailable_since_ = now;
  }
}

void Call::orphan(TimePoint now) {
  if (!orphaned_at_) orphaned_at_ = now;
}

void Call::refused(const jingle::StanzaError& error, Purpose purpose, Outbox& out) {
  if (purpose == Purpose::session_initiate) {
    // There is no session then (XEP-0166 §6.3.2). Whatever comes after the accept is only late.
    if (accepted()) return;
    yielded_ = error.app_name == "tie-break";
    if (!error.address.empty()) {
      out.log(Log::Level::info, "call redirected: room=" + quoted(setup_.room) + " peer=" +
                                    quoted(setup_.peer.str()) + " to=" + quoted(error.address));
    }
    session_.terminate();
    close(reasons::of(error), true, out);
    return;
  }
  if (purpose == Purpose::ice_restart) {
    session_.answered(jingle::Action::transport_info);
    // Of two that cross the initiator's counts (XEP-0166 §7.2.16), and the peer's is on its way; or
    // it came, and this one counts no more.
    if (error.app_name == "tie-break" || restart_.own == OwnRestart::none) return;
    end(reasons::of(media::LegFailure::consent_lost), out);
    return;
  }
  // It has the answer, or it could not be connected: its stream broke off before the ack.
  if (purpose == Purpose::session_accept && connected() && error.passes()) return;
  // A transport-info may be refused for a candidate's sake; only "no such session" is final.
  if (purpose == Purpose::transport_info && error.app_name != "unknown-session") return;
  end(reasons::make("general-error", "The answer was refused."), out);
}

void Call::migrate(const jingle::Sid& to, Outbox& out) {
  if (!setup_.proposed || migrated_) return;
  migrated_ = true;
  const jingle::jmi::Finish finish{reasons::finish(reasons::replaced(), connected()), to.value};
  out.put(SendMessage{setup_.focus, setup_.peer, "chat", out.next_id(),
                      jingle::jmi::write({setup_.sid, finish})});
}

void Call::say_isfocus(bool isfocus, Outbox& out) {
  setup_.isfocus = isfocus;
  request(jingle::SessionInfo{jingle::FocusInfo{isfocus}}, out);
}

Departure Call::departure(const WallTime& wall, TimePoint now) const {
  Departure departure{.method = reasons::method_of(reason_.condition, by_peer_, connected()),
                      .info = {}};
  departure.info.when = date_time(wall(now));
  if (std::string text = reasons::shown(reason_); !text.empty()) {
    departure.info.reason = std::move(text);
  }
  if (departure.method == coin::DisconnectionMethod::booted) {
    departure.info.by = setup_.focus.bare().uri();
  }
  return departure;
}

void Call::end(const jingle::Reason& reason, Outbox& out) {
  session_.terminate();
  const bool known_there = opened_ || role() == jingle::Role::responder;
  if (known_there) request(jingle::SessionTerminate{reason}, out);
  close(reason, false, out);
}

void Call::close(const jingle::Reason& reason, bool by_peer, Outbox& out) {
  reason_ = reason;
  by_peer_ = by_peer;
  if (setup_.proposed && !migrated_) {
    // XEP-0353 §3.7: SHOULD from both sides, so that other devices see the call over.
    const jingle::jmi::Finish finish{reasons::finish(reason, connected()), {}};
    out.put(SendMessage{setup_.focus, setup_.peer, "chat", out.next_id(),
                        jingle::jmi::write({setup_.sid, finish})});
  }
  out.put(CloseLeg{setup_.leg});
}

std::optional<TimePoint> Call::next_deadline() const {
  auto next = gone_at();
  const auto sooner = [&next](TimePoint at) { next = next ? std::min(*next, at) : at; };
  if (const auto restart = restart_deadline()) sooner(*restart);
  if (!connected()) sooner(waits_since_ + limits::kConnectWithin);
  if (const auto ring = ring_at()) sooner(*ring);
  return next;
}

// XEP-0167 §12.2.
std::optional<TimePoint> Call::ring_at() const {
  if (role() == jingle::Role::initiator || opened_ || rang_) return std::nullopt;
  return began_ + limits::kRingAfter;
}

std::optional<TimePoint> Call::gone_at() const {
  std::optional<TimePoint> at;
  if (orphaned_at_) at = *orphaned_at_ + limits::kOrphanedAfter;
  const auto quiet_since = connected() ? quiet_since_ : std::optional(began_);
  if (quiet_since && unavailable_since_) {
    const TimePoint silent = std::max(*quiet_since, *unavailable_since_) + limits::kGoneAfter;
    at = at ? std::min(*at, silent) : silent;
  }
  return at;
}

void Call::advance(Outbox& out, TimePoint now) {
  const auto gone = gone_at();
  if (orphaned_at_ && *orphaned_at_ + limits::kOrphanedAfter <= now) {
    end(reasons::orphaned(), out);
  } else if (gone && *gone <= now) {
    end(reasons::peer_gone(), out);
  } else if (!connected() && waits_since_ + limits::kConnectWithin <= now) {
    const bool unanswered = role() == jingle::Role::initiator && !accepted();
    end(unanswered ? reasons::unanswered() : reasons::of(media::LegFailure::ice_failed), out);
  } else if (restart_.own != OwnRestart::none && *restart_deadline() <= now) {
    end(reasons::of(media::LegFailure::consent_lost), out);
  } else {
    if (const auto ring = ring_at(); ring && *ring <= now) {
      rang_ = true;
      request(jingle::SessionInfo{jingle::RtpInfo(jingle::Ringing{})}, out);
    }
    restart_when_due(out, now);
  }
}

}  // namespace mixer
