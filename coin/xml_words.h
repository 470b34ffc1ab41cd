// coin/xml_words.h: the words of the schema's enumerations and the enumerators they stand for: one
// table for both directions. Inside coin only.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "coin/conference_info.h"

namespace coin {

template <class E>
struct Words;

template <>
struct Words<State> {
  static constexpr std::pair<State, std::string_view> table[] = {
      {State::full, "full"}, {State::partial, "partial"}, {State::deleted, "deleted"}};
};
template <>
struct Words<EndpointStatus> {
  static constexpr std::pair<EndpointStatus, std::string_view> table[] = {
      {EndpointStatus::pending, "pending"},
      {EndpointStatus::dialing_out, "dialing-out"},
      {EndpointStatus::dialing_in, "dialing-in"},
      {EndpointStatus::alerting, "alerting"},
      {EndpointStatus::on_hold, "on-hold"},
      {EndpointStatus::connected, "connected"},
      {EndpointStatus::muted_via_focus, "muted-via-focus"},
      {EndpointStatus::disconnecting, "disconnecting"},
      {EndpointStatus::disconnected, "disconnected"}};
};
template <>
struct Words<JoiningMethod> {
  static constexpr std::pair<JoiningMethod, std::string_view> table[] = {
      {JoiningMethod::dialed_in, "dialed-in"},
      {JoiningMethod::dialed_out, "dialed-out"},
      {JoiningMethod::focus_owner, "focus-owner"}};
};
template <>
struct Words<DisconnectionMethod> {
  static constexpr std::pair<DisconnectionMethod, std::string_view> table[] = {
      {DisconnectionMethod::departed, "departed"},
      {DisconnectionMethod::booted, "booted"},
      {DisconnectionMethod::failed, "failed"},
      {DisconnectionMethod::busy, "busy"}};
};
template <>
struct Words<MediaStatus> {
  static constexpr std::pair<MediaStatus, std::string_view> table[] = {
      {MediaStatus::recvonly, "recvonly"},
      {MediaStatus::sendonly, "sendonly"},
      {MediaStatus::sendrecv, "sendrecv"},
      {MediaStatus::inactive, "inactive"}};
};

template <class E>
constexpr std::string_view word_of(E value) {
  for (const auto& [enumerator, word] : Words<E>::table) {
    if (enumerator == value) return word;
  }
  return {};
}

// Exactly the word: the schema's enumerations restrict xs:string, so white space counts.
template <class E>
constexpr std::optional<E> enumerator_of(std::string_view text) {
  for (const auto& [enumerator, word] : Words<E>::table) {
    if (word == text) return enumerator;
  }
  return std::nullopt;
}

}  // namespace coin
