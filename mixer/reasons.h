// mixer/reasons.h: why we end calls (XEP-0166 §7.4), with a text for the user
// whose client shows it. Pure; any thread.
#pragma once

#include <string>

#include "media/media_engine.h"
#include "signaling/jingle.h"

namespace mixer::reasons {

jingle::Reason of(media::LegFailure failure);

inline jingle::Reason make(const char* condition, const char* text = "") {
  return {.condition = condition, .text = text, .alternative_sid = {}, .rtp_error = {}};
}
inline jingle::Reason success() { return make("success"); }
inline jingle::Reason room_full() { return make("busy", "This conference is full."); }
inline jingle::Reason shutting_down() { return make("gone", "The mixer is shutting down."); }
inline jingle::Reason peer_gone() {
  return make("connectivity-error", "Nothing has been heard of you any more.");
}
inline jingle::Reason replaced() { return make("expired", "You called again."); }
inline jingle::Reason alternative(const jingle::Sid& sid) {
  return {.condition = "alternative-session",
          .text = "You are in this conference already.",
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
