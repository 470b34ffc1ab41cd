// mixer/reasons.h: why calls end (XEP-0166 §7.4), with a text for the user whose client shows it
// and for the others of the conference (RFC 4575 §5.7.6), so it speaks to nobody in particular.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "coin/conference_info.h"
#include "media/media_engine.h"
#include "signaling/jingle.h"

namespace mixer::reasons {

jingle::Reason of(media::LegFailure failure);
// Of an error with which the peer, or its server, answered our session-initiate (§6.3.2).
jingle::Reason of(const jingle::StanzaError& error);

// How others are told that a call ended by that condition (RFC 4575 §5.7.5), whoever sent it; an
// unknown condition counts as general-error, an empty one as success. Who was never connected did
// not depart: he was busy, or it failed.
coin::DisconnectionMethod method_of(std::string_view condition, bool by_peer, bool was_connected);
// A few words for it, for when nobody gave any; empty where there is nothing to explain.
std::string text_of(std::string_view condition);
// As others are shown it: its own text, or else those words.
std::string shown(const jingle::Reason& reason);
// What a <finish/> says of it (XEP-0353 §3.7): success, expired or connectivity-error, which tell
// nothing that is nobody's business (§6).
jingle::Reason finish(const jingle::Reason& why, bool was_connected);

inline jingle::Reason make(const char* condition, const char* text = "") {
  return {.condition = condition, .text = text, .alternative_sid = {}, .rtp_error = {}};
}
// The peer took away the one content that there was (XEP-0166 §7.2.5).
inline jingle::Reason nothing_left() { return make("success", "No audio is left in this call."); }
inline jingle::Reason room_full() { return make("busy", "This conference is full."); }
inline jingle::Reason shutting_down() { return make("gone", "The mixer is shutting down."); }
inline jingle::Reason peer_gone() {
  return make("connectivity-error", "Nothing has been heard any more.");
}
// Our stream broke and came back under another name, which the peer does not know.
inline jingle::Reason orphaned() {
  return make("connectivity-error", "The mixer has lost the address that was called.");
}
// We proceeded, but were not called.
inline jingle::Reason not_followed_up() {
  return make("connectivity-error", "The call did not begin in time.");
}
inline jingle::Reason left_chat_room() { return make("success", "The chat room was left."); }
// The session-initiate was acknowledged, it may ring all the while, but no accept came.
inline jingle::Reason unanswered() { return make("timeout", "There was no answer."); }
// The initiator's word for taking back what was not accepted yet.
inline jingle::Reason withdrawn() { return make("cancel", "The invitation was withdrawn."); }
// Another session leads to that conference already, if by way of others.
inline jingle::Reason circle() {
  return make("alternative-session", "The two conferences are connected another way.");
}
inline jingle::Reason nobody_left() {
  return make("success", "Nobody is left here to hear the conference.");
}
inline jingle::Reason removed() { return make("gone", "A moderator ended the call."); }
inline jingle::Reason replaced() { return make("expired", "Another call took its place."); }
// Of two that called each other at once (XEP-0353 §4.1).
inline jingle::Reason tie_break() { return make("expired", "Tie-Break"); }
inline jingle::Reason alternative(const jingle::Sid& sid,
                                  const char* text = "You are in this conference already.") {
  return {.condition = "alternative-session",
          .text = text,
          .alternative_sid = sid.value,
          .rtp_error = {}};
}
inline jingle::Reason crypto_required() {
  return {.condition = "security-error",
          .text = "This conference is encrypted with DTLS-SRTP only; your call offered none.",
          .alternative_sid = {},
          .rtp_error = "crypto-required"};
}
inline jingle::Reason invalid_crypto(const char* text) {
  return {.condition = "security-error",
          .text = text,
          .alternative_sid = {},
          .rtp_error = "invalid-crypto"};
}

}  // namespace mixer::reasons
