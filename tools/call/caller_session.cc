// A caller's stanzas: what it answers to requests and makes of answers, its session, its documents.
#include <pugixml.hpp>
#include <sstream>
#include <utility>

#include "mixer/overloaded.h"
#include "signaling/disco.h"
#include "signaling/limits.h"
#include "signaling/namespaces.h"
#include "tools/call/caller.h"

namespace call {
namespace {

using mixer::Overloaded;
namespace ns = jingle::ns;

constexpr char kCapsNode[] = "urn:jingle-mixer:jingle-call";
constexpr char kCname[] = "jingle-call";
// Of no consequence: what is sent was encoded before.
constexpr std::uint32_t kBitrate_bps = 64000;

std::string text_of(const pugi::xml_node& node) {
  std::ostringstream text;
  node.print(text, "", pugi::format_raw | pugi::format_skip_control_chars);
  return text.str();
}

}  // namespace

jingle::DiscoInfo Caller::disco() const {
  jingle::DiscoInfo info{
      {{"client", "phone", "jingle-call", ""}},
      {ns::kDiscoInfo, ns::kCaps, ns::kPing, ns::kJingle, ns::kRtp, ns::kRtpAudio, ns::kHdrext,
       ns::kIceUdp, ns::kDtls, ns::kSsmaFeature, ns::kCoin}};
  if (answering_) {
    info.features.insert({ns::kBundleFeature, ns::kCoinJitsi});
    if (answering_->jmi()) info.features.insert(ns::kJingleMessage);
  }
  return info;
}

void Caller::send_presence() {
  out_.put(
      Send{jingle::Priority::normal, "<presence>" + disco().caps_xml(kCapsNode) + "</presence>"});
}

void Caller::send_info(jingle::SessionInfo info) {
  if (online_) out_.send_jingle(peer_, session_->sid(), std::move(info));
}

void Caller::send_offer(const media::LegOpened& local) {
  stage_ = Stage::dialing;
  // Registered before it is sent: the follow-up can beat the ack.
  session_.emplace(jingle::Sid{spec_.sid}, self_, peer_, jingle::Role::initiator);
  proposed_ = spec_.jmi;
  auto offer = make_offer(self_, local, spec_.offer);
  if (spec_.focus) offer.isfocus = true;
  initiate_id_ = out_.send_jingle(peer_, session_->sid(), std::move(offer));
  out_.tell("initiate", peer_.str());
}

void Caller::send_accept(const media::LegOpened& local) {
  auto accept = mixer::answer(
      *agreement_,
      {local.ice, claimed(local.fingerprint, spec_.offer), local.ssrc, local.candidates},
      self_.str(), kCname, spec_.focus);
  session_->accept();
  out_.send_jingle(peer_, session_->sid(), std::move(accept));
  out_.tell("accepted");
  connect(agreement_->remote);
}

void Caller::connect(media::LegRemote remote) {
  stage_ = Stage::accepted;
  remote_ice_ = remote.ice;
  remote.candidates.insert(remote.candidates.end(), early_candidates_.begin(),
                           early_candidates_.end());
  out_.put(ConnectLeg{std::move(remote)});
}

void Caller::on_iq(const jingle::Iq& iq) {
  if (iq.type == jingle::Iq::Type::result || iq.type == jingle::Iq::Type::error) {
    return on_answer(iq);
  }
  const auto at = out_.size();
  const auto result = answer(iq);
  out_.answer(iq, result, at);
}

Caller::Answer Caller::answer(const jingle::Iq& iq) {
  const auto request = jingle::route(iq);
  if (!request) {
    const auto& error = request.error();
    out_.tell("bad request", error.text.empty() ? error.condition : error.text);
    return tl::unexpected(error);
  }
  return std::visit(
      Overloaded{[&](const jingle::Request& jingle) { return on_jingle(jingle, iq.from); },
                 [&](const jingle::ConferenceInfoSet& set) { return on_document(set, iq); },
                 [](const jingle::ConferenceInfoGet&) -> Answer {
                   return tl::unexpected(jingle::unknown_session());  // we keep no documents
                 },
                 [this](const jingle::DiscoInfoQuery& query) -> Answer {
                   const auto ours = disco();
                   if (!query.node.empty() &&
                       query.node != kCapsNode + std::string("#") + ours.caps_ver()) {
                     return tl::unexpected(jingle::item_not_found());
                   }
                   return ours.xml(query.node);
                 },
                 [](const jingle::DiscoItemsQuery& query) -> Answer {
                   return jingle::disco_items_xml({}, query.node);
                 },
                 [](const jingle::ExternalServices&) -> Answer {
                   return tl::unexpected(jingle::service_unavailable());
                 },
                 [](const jingle::PubsubRequest&) -> Answer {
                   return tl::unexpected(jingle::service_unavailable());
                 },
                 [](const jingle::XmppPing&) -> Answer { return std::string(); }},
      *request);
}

void Caller::on_answer(const jingle::Iq& iq) {
  if (iq.id == terminate_id_) {
    terminate_id_.clear();
    return close_when_done();
  }
  if (documents_.on_answer(iq)) return;
  if (iq.id == restart_id_) on_restart_answer(iq.type == jingle::Iq::Type::error);
  if (iq.type == jingle::Iq::Type::error) {
    const auto error = jingle::StanzaError::parse(iq.xml.root());
    if (iq.id == initiate_id_) return end("refused", error.condition, false);
    out_.tell("error", error.condition);
  } else if (iq.id == initiate_id_) {
    out_.tell("acknowledged");
  }
}

void Caller::on_message(const jingle::Message& message) {
  if (message.type == "error" && message.id == proposal_id(jingle::Sid{spec_.sid}) &&
      stage_ == Stage::proposing) {
    return end("refused", jingle::StanzaError::parse(message.xml.root()).condition, false);
  }
  const auto event = jingle::jmi::parse(message);
  if (!event) return;
  if (!answering_) {
    if (event->id.value != spec_.sid || message.from.bare() != spec_.to.bare()) return;
    on_own_jmi(message.from, event->payload);
  } else if (!jingle::child(message.xml.root(), ns::kDelay, "delay")) {  // of before we came
    answering_->on_jmi(message.from, *event);
  }
}

void Caller::on_own_jmi(const jingle::Jid& from, const jingle::jmi::Payload& payload) {
  std::visit(Overloaded{[&](const jingle::jmi::Proceed&) {
                          if (stage_ != Stage::proposing) return;
                          out_.tell("proceed", from.str());
                          peer_ = from;
                          dial();
                        },
                        [&](const jingle::jmi::Reject& reject) {
                          if (stage_ == Stage::proposing)
                            end("refused", reject.reason.condition, false);
                        },
                        [&](const jingle::jmi::Ringing&) { out_.tell("ringing"); },
                        [&](const jingle::jmi::Finish& finish) {
                          out_.tell("finish", finish.reason.condition);
                        },
                        [](const auto&) {}},
             payload);
}

Caller::Answer Caller::on_jingle(const jingle::Request& request, const jingle::Jid& from) {
  const bool ours = in_session() && request.sid == session_->sid() && from == session_->peer();
  if (!ours) {
    if (std::holds_alternative<jingle::SessionInitiate>(request.payload) && answering_) {
      return on_initiate(request, from);
    }
    return tl::unexpected(jingle::unknown_session());
  }
  const std::string& ufrag = remote_ice_ ? remote_ice_->ufrag : "";
  if (auto error = session_->receive(request.payload, ufrag)) {
    return tl::unexpected(std::move(*error));
  }
  return std::visit(
      Overloaded{
          [this](const jingle::SessionAccept& accept) { return on_accept(accept), Answer(); },
          [this](const jingle::TransportInfo& info) { return on_transport_info(info), Answer(); },
          [this](const jingle::SessionInfo& info) { return on_info(info), Answer(); },
          [this](const jingle::SessionTerminate& end) { return on_terminate(end), Answer(); },
          [](const auto&) { return Answer(tl::unexpected(jingle::feature_not_implemented())); }},
      request.payload);
}

Caller::Answer Caller::on_initiate(const jingle::Request& request, const jingle::Jid& from) {
  const auto& offer = std::get<jingle::SessionInitiate>(request.payload);
  auto agreed = mixer::negotiate(offer, kBitrate_bps);
  std::optional<jingle::Reason> unfit;
  if (!agreed) unfit = agreed.error();
  if (!answering_->on_initiate(from, request.sid, std::move(unfit))) return std::string();
  session_.emplace(request.sid, self_, from, jingle::Role::responder);
  agreement_ = std::move(*agreed);
  content_ = agreement_->audio;
  report_.isfocus = offer.isfocus.value_or(false);
  early_candidates_.clear();
  return std::string();
}

void Caller::on_info(const jingle::SessionInfo& info) {
  if (const auto* focus = std::get_if<jingle::FocusInfo>(&info.payload)) {
    report_.isfocus = focus->isfocus;
    out_.tell("isfocus", focus->isfocus);
  } else if (const auto* rtp = std::get_if<jingle::RtpInfo>(&info.payload)) {
    if (std::holds_alternative<jingle::Ringing>(*rtp)) out_.tell("ringing");
  }
}

void Caller::on_terminate(const jingle::SessionTerminate& terminate) {
  if (stage_ == Stage::waiting) return answering_->gone(terminate.reason.condition);
  end(stage_ == Stage::connected ? "ended" : "refused", terminate.reason.condition, false);
}

Caller::Answer Caller::on_document(const jingle::ConferenceInfoSet& set, const jingle::Iq& iq) {
  const auto refuse = [this](jingle::StanzaError error) -> Answer {
    out_.tell("document refused", error.condition);
    return tl::unexpected(std::move(error));
  };
  if (!in_session() || iq.from != session_->peer() || (set.sid && *set.sid != session_->sid())) {
    return refuse(jingle::unknown_session());
  }
  if (!report_.isfocus) return refuse(jingle::not_allowed());
  out_.tell("document",
            text_of(jingle::child(iq.xml.root(), ns::kConferenceInfo, "conference-info")));
  switch (view_.receive(set.info)) {
    case coin::View::Outcome::applied:
      ++(set.info.state == coin::State::partial ? report_.partial_documents
                                                : report_.full_documents);
      break;
    case coin::View::Outcome::stale: return out_.tell("stale document"), Answer();
    case coin::View::Outcome::gap:
    case coin::View::Outcome::no_base: return out_.tell("gap"), Answer();
  }
  auto roster = roster_of(*view_.info());
  if (roster != report_.roster) {
    report_.roster = std::move(roster);
    out_.tell("roster", to_json(report_.roster));
  }
  return std::string();
}

void Caller::on_accept(const jingle::SessionAccept& accept) {
  auto remote = read_accept(accept);
  if (!remote) return end("failed", remote.error().condition, true);
  report_.isfocus = accept.isfocus.value_or(report_.isfocus);
  out_.tell("accepted");
  connect(std::move(*remote));
}

void Caller::on_transport_info(const jingle::TransportInfo& info) {
  for (const auto& content : info.contents) {
    if (content.name != content_ || content.ice() == nullptr) continue;
    if (in_call() && !reads_restart(*content.ice())) continue;
    auto candidates = read_candidates(*content.ice());
    if (candidates.empty()) continue;
    if (in_call()) {
      out_.put(AddRemoteCandidates{std::move(candidates)});
    } else if (early_candidates_.size() < jingle::limits::kMaxCandidates) {
      early_candidates_.insert(early_candidates_.end(), candidates.begin(), candidates.end());
    }
  }
}

}  // namespace call
