// What a caller asks within its session (XEP-0166 §7.2 action by action, XEP-0167 §8, XEP-0176
// §5.6).
#include <algorithm>
#include <type_traits>

#include "mixer/call.h"
#include "mixer/limits.h"
#include "mixer/reasons.h"

namespace mixer {

using jingle::StanzaError;
using Handled = std::optional<StanzaError>;  // nullopt: result

// One overload per request; jingle::Session has judged already that it is legal now.
struct RequestHandler {
  Call& call;
  Outbox& out;
  TimePoint now;

  Handled operator()(const jingle::SessionTerminate& terminate) {
    call.close(terminate.reason, true, out);
    return std::nullopt;
  }

  Handled operator()(const jingle::SessionInfo& info) { return std::visit(*this, info.payload); }
  Handled operator()(const jingle::Ping&) { return std::nullopt; }
  Handled operator()(const jingle::FocusInfo& focus) {
    call.setup_.peer_is_focus = focus.isfocus;
    return std::nullopt;
  }
  Handled operator()(const jingle::UnknownInfo&) { return jingle::unsupported_info(); }
  Handled operator()(const jingle::RtpInfo& info) {
    std::visit([this](const auto& payload) { apply(payload); }, info);
    return std::nullopt;
  }
  void apply(const jingle::Active&) { call.on_hold_ = call.muted_ = false; }
  void apply(const jingle::Hold&) { call.on_hold_ = true; }
  void apply(const jingle::Unhold&) { call.on_hold_ = false; }
  void apply(const jingle::Ringing&) {
    if (call.role() == jingle::Role::responder) return;
    call.setup_.status = coin::EndpointStatus::alerting;
  }
  void apply(const jingle::Mute& mute) {
    if (is_audio(mute.creator, mute.name)) call.muted_ = true;
  }
  void apply(const jingle::Unmute& unmute) {
    if (is_audio(unmute.creator, unmute.name)) call.muted_ = false;
  }
  // Of the one content with sound, which the initiator created, whoever that is. No name: all of
  // that creator's. An unknown one (Movim may send an m-line's id) is no error and has no effect.
  bool is_audio(const std::string& creator, const std::string& name) const {
    return creator == "initiator" && (name.empty() || name == call.setup_.agreed.audio);
  }
  bool is_audio(const jingle::Content& content) const {
    return content.creator == jingle::Creator::initiator &&
           content.name == call.setup_.agreed.audio;
  }

  Handled operator()(const jingle::TransportInfo& info) {
    call.restart_.peer_trickles = true;
    for (const jingle::Content& content : info.contents) {
      const jingle::IceUdpTransport* transport = content.ice();
      if (!transport || !is_audio(content)) continue;
      if (changes_fingerprint(*transport, call.setup_.agreed)) {
        call.end(reasons::invalid_crypto("A certificate cannot change during a call."), out);
        return std::nullopt;
      }
      call.on_transport(*transport, out, now);
    }
    return std::nullopt;
  }

  Handled operator()(const jingle::ContentAction& action) {
    switch (action.action) {
      case jingle::Action::content_add: content_add(action); break;
      case jingle::Action::content_remove: content_remove(action); break;
      case jingle::Action::content_modify: content_modify(action); break;
      case jingle::Action::transport_replace:  // §7.2.15: we speak ICE-UDP only
        answer(jingle::Action::transport_reject, names_only(action.contents),
               reasons::make("unsupported-transports"));
        break;
      case jingle::Action::description_info: description_info(action); break;
      default: break;  // answers to nothing we asked have no effect
    }
    return std::nullopt;
  }

  void content_add(const jingle::ContentAction& action) {
    // §7.2.2: exactly one answer, all or nothing.
    std::vector<jingle::Content> accepted;
    if (call.accepted()) {
      for (const jingle::Content& content : action.contents) {
        const auto video = accept_video(content, call.setup_.agreed, call.local_);
        if (video && !is_audio(content)) accepted.push_back(*video);
      }
    }
    if (!accepted.empty() && accepted.size() == action.contents.size()) {
      // It is the whole session's bundle, from which Conversations builds anew (XEP-0338).
      std::vector<jingle::Group> groups = action.groups;
      std::erase_if(groups, [](const jingle::Group& g) { return g.semantics != "BUNDLE"; });
      answer(jingle::Action::content_accept, std::move(accepted), std::nullopt, std::move(groups));
    } else {
      answer(jingle::Action::content_reject, names_only(action.contents),
             reasons::make("unsupported-applications"));
    }
  }

  void content_remove(const jingle::ContentAction& action) {
    auto& contents = call.setup_.agreed.contents;
    for (const jingle::Content& removed : action.contents) {
      std::erase_if(contents, [&](const jingle::Content& content) {
        return content.creator == removed.creator && content.name == removed.name;
      });
    }
    // §7.2.5: nothing left to talk with.
    const bool audio =
        std::ranges::any_of(contents, [&](const auto& content) { return is_audio(content); });
    if (!audio) call.end(reasons::nothing_left(), out);
  }

  void content_modify(const jingle::ContentAction& action) {
    for (const jingle::Content& content : action.contents) {
      if (is_audio(content)) call.setup_.agreed.senders = content.senders;
    }
  }

  // XEP-0167 §9, advice.
  void description_info(const jingle::ContentAction& action) {
    for (const jingle::Content& content : action.contents) {
      if (!is_audio(content) || !content.rtp()) continue;
      const auto wanted =
          wanted_bitrate(*content.rtp(), call.setup_.agreed.remote.rtp.opus_payload_type,
                         call.setup_.max_bitrate_bps);
      if (wanted) call.hinted_bitrate_bps_ = *wanted;
      const auto packet_ms =
          wanted_packet_ms(*content.rtp(), call.setup_.agreed.remote.rtp.opus_payload_type);
      if (packet_ms) call.hinted_packet_ms_ = *packet_ms;
    }
  }

  static std::vector<jingle::Content> names_only(const std::vector<jingle::Content>& contents) {
    std::vector<jingle::Content> out;
    for (const jingle::Content& content : contents) {
      out.push_back({.creator = content.creator,
                     .name = content.name,
                     .senders = content.senders,
                     .disposition = content.disposition,
                     .description = {},
                     .transport = {}});
    }
    return out;
  }

  void answer(jingle::Action action, std::vector<jingle::Content> contents,
              std::optional<jingle::Reason> reason, std::vector<jingle::Group> groups = {}) {
    call.request(
        jingle::ContentAction{
            action, std::move(contents), std::move(reason), {}, std::move(groups)},
        out);
  }

  Handled operator()(const jingle::SessionAccept& accept) {
    call.waits_since_ = now;
    call.conclude(accept, out, now);
    return std::nullopt;
  }

  // jingle::Session refuses these before they get here.
  Handled operator()(const jingle::SessionInitiate&) { return jingle::out_of_order(); }
  Handled operator()(const jingle::SecurityInfo&) { return jingle::unsupported_info(); }
};

std::optional<StanzaError> Call::receive(const jingle::Payload& payload, Outbox& out,
                                         TimePoint now) {
  // The sid of a proposal is known before there is a session (XEP-0353 §3.1).
  if (role() == jingle::Role::initiator && !opened_) return jingle::unknown_session();
  if (auto error = session_.receive(payload, setup_.agreed.remote.ice.ufrag)) return error;
  if (unavailable_since_) unavailable_since_ = now;  // it lives, whatever its presence says
  return std::visit(RequestHandler{*this, out, now}, payload);
}

// The accept of our offer: the leg gets the peer's half, and what was trickled ahead of it.
void Call::conclude(const jingle::SessionAccept& accept, Outbox& out, TimePoint now) {
  auto agreed = mixer::conclude(accept, setup_.max_bitrate_bps);
  if (!agreed) {
    end(agreed.error(), out);
    return;
  }
  setup_.agreed = std::move(*agreed);
  setup_.peer_is_focus = accept.isfocus.value_or(setup_.peer_is_focus);
  candidates_received_ = setup_.agreed.remote.candidates.size();
  if (setup_.agreed.has_credentials) out.put(ConnectLeg{setup_.leg, setup_.agreed.remote});
  for (const auto& transport : std::exchange(before_accept_, {})) {
    // Credentials other than the accept's are older, and no restart.
    const bool of_before = setup_.agreed.has_credentials && !transport.ufrag.empty() &&
                           transport.ufrag != setup_.agreed.remote.ice.ufrag;
    if (!of_before) on_transport(transport, out, now);
  }
}

}  // namespace mixer
