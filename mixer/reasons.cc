#include "mixer/reasons.h"

namespace mixer::reasons {

jingle::Reason of(media::LegFailure failure) {
  switch (failure) {
    case media::LegFailure::no_port:
      // §7.4 has no resource-constraint among the reasons; media-error would blame the caller.
      return make("failed-transport", "The mixer has no port left.");
    case media::LegFailure::ice_failed:
      return make("failed-transport", "No network path to you was found.");
    case media::LegFailure::consent_lost:
      return make("connectivity-error", "The network path to you was lost.");
    case media::LegFailure::fingerprint_mismatch:
      return make("security-error", "Your certificate is not the one that was announced.");
    case media::LegFailure::dtls_failed:
      return make("security-error", "The DTLS handshake failed.");
    case media::LegFailure::media_error: return make("media-error");
  }
  return make("general-error");
}

}  // namespace mixer::reasons
