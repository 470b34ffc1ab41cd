#include "mixer/reasons.h"

#include <algorithm>
#include <array>

#include "mixer/display_name.h"

namespace mixer::reasons {
namespace {

using Method = coin::DisconnectionMethod;

struct Row {
  std::string_view condition;
  Method by_peer, by_us;
  const char* text;
};
// XEP-0166 §7.4, every condition. We never end calls by success to put somebody out.
constexpr std::array<Row, 17> kRows{{
    {"alternative-session", Method::departed, Method::booted, "Another session is used instead."},
    {"busy", Method::busy, Method::booted, "Busy."},
    {"cancel", Method::departed, Method::booted, "Cancelled."},
    {"connectivity-error", Method::failed, Method::failed, "The connection was lost."},
    {"decline", Method::busy, Method::booted, "Declined."},
    {"expired", Method::departed, Method::booted, "The time was up."},
    {"failed-application", Method::failed, Method::failed, "No common codec was found."},
    {"failed-transport", Method::failed, Method::failed, "No network path was found."},
    {"general-error", Method::failed, Method::failed, "Something went wrong."},
    {"gone", Method::departed, Method::booted, ""},
    {"incompatible-parameters", Method::failed, Method::failed, "No common codec was found."},
    {"media-error", Method::failed, Method::failed, "The audio failed."},
    {"security-error", Method::failed, Method::failed, "Encryption could not be agreed on."},
    {"success", Method::departed, Method::departed, ""},
    {"timeout", Method::failed, Method::failed, "There was no answer."},
    {"unsupported-applications", Method::failed, Method::failed, "Audio calls are not supported."},
    {"unsupported-transports", Method::failed, Method::failed, "No common transport was found."},
}};

const Row& row_of(std::string_view condition) {
  if (condition.empty()) condition = "success";
  const auto row = std::ranges::find(kRows, condition, &Row::condition);
  return row != kRows.end() ? *row : *std::ranges::find(kRows, "general-error", &Row::condition);
}

}  // namespace

Method method_of(std::string_view condition, bool by_peer, bool was_connected) {
  const Row& row = row_of(condition);
  const Method method = by_peer ? row.by_peer : row.by_us;
  return was_connected || method == Method::busy ? method : Method::failed;
}

std::string text_of(std::string_view condition) { return row_of(condition).text; }

std::string shown(const jingle::Reason& reason) {
  std::string text = displayable(reason.text, limits::kMaxReasonCodePoints);
  return text.empty() ? text_of(reason.condition) : text;
}

jingle::Reason finish(const jingle::Reason& why, bool was_connected) {
  const std::string& condition = why.condition;
  if (condition == "connectivity-error" || condition == "failed-transport") {
    return make("connectivity-error");
  }
  const bool over = condition.empty() || condition == "success" || condition == "gone";
  return make(over && was_connected ? "success" : "expired");
}

jingle::Reason of(const jingle::StanzaError& error) {
  jingle::Reason reason = make("general-error");
  if (error.app_name == "tie-break") {
    reason = make("alternative-session", "Both called at once.");
  } else if (error.condition == "resource-constraint") {
    reason = make("busy");
  } else if (error.condition == "feature-not-implemented") {
    reason = make("unsupported-applications");
  } else if (error.condition == "redirect") {
    // Not followed: somebody else may answer there, and only people can tell (RFC 6120 §8.3.3.14).
    reason = make("gone", "Moved.");
  } else if (error.condition == "service-unavailable" || error.condition == "item-not-found" ||
             error.condition == "recipient-unavailable" || error.condition == "gone") {
    reason = make("gone", "Not available.");
  } else if (error.condition == "forbidden" || error.condition == "not-allowed" ||
             error.condition == "not-authorized") {
    reason = make("decline", "The call was not allowed.");
  }
  if (!error.text.empty()) reason.text = error.text;
  return reason;
}

jingle::Reason of(media::LegFailure failure) {
  switch (failure) {
    case media::LegFailure::no_port:
      // §7.4 has no resource-constraint among the reasons; media-error would blame the caller.
      return make("failed-transport", "The mixer has no port left.");
    case media::LegFailure::ice_failed:
      return make("failed-transport", "No network path was found.");
    case media::LegFailure::consent_lost:
      return make("connectivity-error", "The network path was lost.");
    case media::LegFailure::fingerprint_mismatch:
      return make("security-error", "The certificate is not the one that was announced.");
    case media::LegFailure::dtls_failed:
      return make("security-error", "The DTLS handshake failed.");
    case media::LegFailure::media_error: return make("media-error", "The audio failed.");
  }
  return make("general-error");
}

}  // namespace mixer::reasons
