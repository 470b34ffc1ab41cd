#include "tools/call/caller.h"

#include <algorithm>
#include <pugixml.hpp>
#include <sstream>
#include <utility>

#include "signaling/disco.h"
#include "signaling/limits.h"
#include "signaling/namespaces.h"

namespace call {
namespace {

using namespace std::chrono_literals;

// An ack, a last RTCP report and a stream's end take milliseconds; nobody waits longer for them.
constexpr auto kClosing = 5s;
constexpr char kCapsNode[] = "urn:jingle-mixer:jingle-call";

const jingle::DiscoInfo& disco() {
  static const jingle::DiscoInfo info{
      {{"client", "phone", "jingle-call", ""}},
      {jingle::ns::kDiscoInfo, jingle::ns::kCaps, jingle::ns::kPing, jingle::ns::kJingle,
       jingle::ns::kRtp, jingle::ns::kRtpAudio, jingle::ns::kHdrext, jingle::ns::kIceUdp,
       jingle::ns::kDtls, jingle::ns::kSsmaFeature, jingle::ns::kCoin}};
  return info;
}

std::string to_attribute(const jingle::Jid& to) {
  return to.empty() ? std::string() : " to='" + jingle::escape(to.str()) + "'";
}

std::string text_of(const pugi::xml_node& node) {
  std::ostringstream text;
  node.print(text, "", pugi::format_raw | pugi::format_skip_control_chars);
  return text.str();
}

std::string reason_of(media::LegFailure cause) {
  switch (cause) {
    case media::LegFailure::no_port: return "failed-transport";
    case media::LegFailure::ice_failed: return "failed-transport";
    case media::LegFailure::consent_lost: return "connectivity-error";
    case media::LegFailure::fingerprint_mismatch: return "security-error";
    case media::LegFailure::dtls_failed: return "security-error";
    case media::LegFailure::media_error: return "media-error";
  }
  return "general-error";
}

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace

Caller::Caller(CallerSpec spec, TimePoint start)
    : spec_(std::move(spec)), start_(start), now_(start), peer_(spec_.to) {
  report_.sid = spec_.sid;
  deadline_ = start + spec_.patience;
}

Commands Caller::handle(const Event& event, TimePoint now) {
  now_ = now;
  commands_.clear();
  if (!finished()) std::visit([this](const auto& each) { on(each); }, event);
  return std::exchange(commands_, {});
}

std::optional<TimePoint> Caller::next_deadline() const {
  return finished() ? std::nullopt : deadline_;
}

void Caller::on(const Online& online) {
  online_ = true;
  self_ = online.jid;
  report_.jid = self_.str();
  tell("online", self_.str());
  send_presence();
  if (stage_ != Stage::offline) return;  // back again, the call goes on
  if (spec_.jmi) {
    stage_ = Stage::proposing;
    send_jmi(spec_.to.bare(), jingle::jmi::Propose{{"audio"}});
    return;
  }
  dial();
}

void Caller::on(const Offline& offline) {
  online_ = false;
  tell("offline", offline.reason);
  terminate_id_.clear();
  if (stage_ == Stage::logging_out) {
    stage_ = Stage::finished;
  } else if (stage_ == Stage::closing) {
    close_when_done();
  } else if (in_call()) {
    commands_.push_back(Reconnect{});
  } else {
    end("failed", offline.reason, false);
  }
}

void Caller::on(const StanzaReceived& received) {
  std::visit(Overloaded{[this](const jingle::Iq& iq) { on_iq(iq); },
                        [this](const jingle::Message& message) { on_jmi(message); },
                        [](const jingle::Presence&) {}},
             received.stanza);
}

void Caller::on(const media::Event& event) {
  std::visit(
      Overloaded{
          [this](const media::LegOpened& opened) { on_opened(opened); },
          [this](const media::CandidatesGathered& gathered) {
            if (!session_ || session_->state() == jingle::Session::State::ended) return;
            send_iq(true,
                    jingle::write_jingle(
                        {session_->sid(), make_transport_info(*local_ice_, gathered.candidates)}));
          },
          [this](const media::LegConnected& connected) {
            if (stage_ != Stage::accepted) return;
            stage_ = Stage::connected;
            report_.local = connected.local;
            report_.remote = connected.remote;
            deadline_.reset();
            if (spec_.stay) deadline_ = now_ + *spec_.stay;
            tell("connected", connected.local + " - " + connected.remote);
            commands_.push_back(SetSending{muted_by_.empty()});
          },
          [this](const media::LegFailed& failed) { on_failed(failed); },
          [this](const media::LegQuiet&) { tell("quiet"); },
          [this](const media::LegHeard&) { tell("heard"); }, [](const media::DigitPressed&) {},
          [this](const media::LegClosed& closed) {
            report_.rtp = closed.statistics;
            leg_open_ = false;
            close_when_done();
          }},
      event);
}

void Caller::on(const UserAsked& asked) {
  using What = UserAsked::What;
  if (asked.what == What::hang_up) {
    if (stage_ == Stage::connected) return end("success", "success", true);
    return end("failed", "cancel", true);
  }
  if (!in_call()) return tell("ignored", "not in a call");
  switch (asked.what) {
    case What::mute:
      muted_by_.insert("mute");
      send_info(jingle::Mute{"initiator", kContentName});
      break;
    case What::unmute:
      muted_by_.erase("mute");
      send_info(jingle::Unmute{"initiator", kContentName});
      break;
    case What::hold:
      muted_by_.insert("hold");
      send_info(jingle::Hold{});
      break;
    case What::unhold:
      muted_by_.erase("hold");
      send_info(jingle::Unhold{});
      break;
    case What::digit: commands_.push_back(PressKey{asked.digit}); return;
    case What::hang_up: return;
  }
  commands_.push_back(SetSending{muted_by_.empty()});
}

void Caller::on(const DeadlinePassed&) {
  if (!deadline_ || now_ < *deadline_) return;
  deadline_.reset();
  switch (stage_) {
    case Stage::connected: return end("success", "success", true);
    case Stage::closing:
      terminate_id_.clear();
      leg_open_ = false;
      return close_when_done();
    case Stage::logging_out: stage_ = Stage::finished; return;
    case Stage::finished: return;
    default: return end("failed", "timeout", true);
  }
}

void Caller::on_iq(const jingle::Iq& iq) {
  if (iq.type == jingle::Iq::Type::result || iq.type == jingle::Iq::Type::error) {
    return on_answer(iq);
  }
  // The answer goes out before whatever the request makes us do.
  const auto at = static_cast<std::ptrdiff_t>(commands_.size());
  const auto result = answer(iq);
  std::string xml = "<iq type='";
  xml += result ? "result'" : "error'";
  xml += " id='" + jingle::escape(iq.id) + "'" + to_attribute(iq.from) + ">";
  xml += result ? *result : result.error().xml();
  xml += "</iq>";
  commands_.insert(commands_.begin() + at, Send{jingle::Priority::urgent, std::move(xml)});
}

tl::expected<std::string, jingle::StanzaError> Caller::answer(const jingle::Iq& iq) {
  const auto request = jingle::route(iq);
  if (!request) return tl::unexpected(request.error());
  const auto none_or = [](std::optional<jingle::StanzaError> error)
      -> tl::expected<std::string, jingle::StanzaError> {
    if (error) return tl::unexpected(std::move(*error));
    return std::string();
  };
  using Answer = tl::expected<std::string, jingle::StanzaError>;
  return std::visit(
      Overloaded{
          [&](const jingle::Request& jingle) { return none_or(on_jingle(jingle, iq.from)); },
          [&](const jingle::ConferenceInfoSet& set) { return none_or(on_document(set, iq)); },
          [](const jingle::ConferenceInfoGet&) -> Answer {
            return tl::unexpected(jingle::unknown_session());  // we are no focus
          },
          [](const jingle::DiscoInfoQuery& query) -> Answer {
            const std::string ours = kCapsNode + std::string("#") + disco().caps_ver();
            if (!query.node.empty() && query.node != ours) {
              return tl::unexpected(jingle::item_not_found());
            }
            return disco().xml(query.node);
          },
          [](const jingle::DiscoItemsQuery& query) -> Answer {
            return jingle::disco_items_xml({}, query.node);
          },
          [](const jingle::XmppPing&) -> Answer { return std::string(); }},
      *request);
}

void Caller::on_answer(const jingle::Iq& iq) {
  if (iq.id == terminate_id_) {
    terminate_id_.clear();
    return close_when_done();
  }
  if (iq.type == jingle::Iq::Type::error) {
    const auto error = jingle::StanzaError::parse(iq.xml.root());
    if (iq.id == initiate_id_) return end("refused", error.condition, false);
    tell("error", error.condition);
  } else if (iq.id == initiate_id_) {
    tell("acknowledged");
  }
}

void Caller::on_jmi(const jingle::Message& message) {
  if (message.type == "error" && message.id == proposal_id() && stage_ == Stage::proposing) {
    return end("refused", jingle::StanzaError::parse(message.xml.root()).condition, false);
  }
  const auto event = jingle::jmi::parse(message);
  if (!event || event->id.value != spec_.sid || message.from.bare() != spec_.to.bare()) return;
  std::visit(Overloaded{[&](const jingle::jmi::Proceed&) {
                          if (stage_ != Stage::proposing) return;
                          tell("proceed", message.from.str());
                          peer_ = message.from;
                          dial();
                        },
                        [&](const jingle::jmi::Reject& reject) {
                          if (stage_ == Stage::proposing)
                            end("refused", reject.reason.condition, false);
                        },
                        [&](const jingle::jmi::Ringing&) { tell("ringing"); },
                        [&](const jingle::jmi::Finish& finish) {
                          tell("finish", finish.reason.condition);
                        },
                        [](const auto&) {}},
             event->payload);
}

std::optional<jingle::StanzaError> Caller::on_jingle(const jingle::Request& request,
                                                     const jingle::Jid& from) {
  if (!session_ || session_->state() == jingle::Session::State::ended ||
      request.sid != session_->sid() || from != session_->peer()) {
    return jingle::unknown_session();
  }
  if (auto error = session_->receive(request.payload)) return error;
  return std::visit(
      Overloaded{[this](const jingle::SessionAccept& accept) -> std::optional<jingle::StanzaError> {
                   on_accept(accept);
                   return std::nullopt;
                 },
                 [this](const jingle::TransportInfo& info) -> std::optional<jingle::StanzaError> {
                   on_transport_info(info);
                   return std::nullopt;
                 },
                 [this](const jingle::SessionInfo& info) -> std::optional<jingle::StanzaError> {
                   if (const auto* focus = std::get_if<jingle::FocusInfo>(&info.payload)) {
                     report_.isfocus = focus->isfocus;
                     tell("isfocus", focus->isfocus);
                   }
                   return std::nullopt;
                 },
                 [this](const jingle::SessionTerminate& end) -> std::optional<jingle::StanzaError> {
                   this->end(stage_ == Stage::connected ? "ended" : "refused", end.reason.condition,
                             false);
                   return std::nullopt;
                 },
                 [](const auto&) -> std::optional<jingle::StanzaError> {
                   return jingle::feature_not_implemented();
                 }},
      request.payload);
}

std::optional<jingle::StanzaError> Caller::on_document(const jingle::ConferenceInfoSet& set,
                                                       const jingle::Iq& iq) {
  if (!session_ || session_->state() == jingle::Session::State::ended ||
      iq.from != session_->peer() || (set.sid && *set.sid != session_->sid())) {
    return jingle::unknown_session();
  }
  if (!report_.isfocus) return jingle::not_allowed();
  tell("document",
       text_of(jingle::child(iq.xml.root(), jingle::ns::kConferenceInfo, "conference-info")));
  switch (view_.receive(set.info)) {
    case coin::View::Outcome::applied:
      ++(set.info.state == coin::State::partial ? report_.partial_documents
                                                : report_.full_documents);
      break;
    case coin::View::Outcome::stale: tell("stale document"); return std::nullopt;
    case coin::View::Outcome::gap:
    case coin::View::Outcome::no_base: tell("gap"); return std::nullopt;
  }
  auto roster = roster_of(*view_.info());
  if (roster != report_.roster) {
    report_.roster = std::move(roster);
    tell("roster", to_json(report_.roster));
  }
  return std::nullopt;
}

void Caller::on_accept(const jingle::SessionAccept& accept) {
  auto remote = read_accept(accept);
  if (!remote) return end("failed", remote.error().condition, true);
  report_.isfocus = accept.isfocus.value_or(report_.isfocus);
  tell("accepted");
  stage_ = Stage::accepted;
  remote->candidates.insert(remote->candidates.end(), early_candidates_.begin(),
                            early_candidates_.end());
  commands_.push_back(ConnectLeg{std::move(*remote)});
}

void Caller::on_transport_info(const jingle::TransportInfo& info) {
  for (const auto& content : info.contents) {
    if (content.name != kContentName || content.ice() == nullptr) continue;
    auto candidates = read_candidates(*content.ice());
    if (candidates.empty()) continue;
    if (in_call()) {
      commands_.push_back(AddRemoteCandidates{std::move(candidates)});
    } else if (early_candidates_.size() < jingle::limits::kMaxCandidates) {
      early_candidates_.insert(early_candidates_.end(), candidates.begin(), candidates.end());
    }
  }
}

void Caller::on_opened(const media::LegOpened& opened) {
  if (stage_ != Stage::gathering) return;
  local_ice_ = opened.ice;
  stage_ = Stage::dialing;
  // Registered before it is sent: the follow-up can beat the ack.
  session_.emplace(jingle::Sid{spec_.sid}, self_, peer_, jingle::Role::initiator);
  initiate_id_ = send_iq(
      true, jingle::write_jingle({session_->sid(), make_offer(self_, opened, spec_.offer)}));
  tell("initiate", peer_.str());
}

void Caller::on_failed(const media::LegFailed& failed) {
  tell("media failed", failed.text);
  end("failed", reason_of(failed.cause), true);
}

void Caller::dial() {
  stage_ = Stage::gathering;
  leg_open_ = true;
  commands_.push_back(OpenLeg{spec_.offer.rtcp_mux});
}

void Caller::send_presence() {
  commands_.push_back(
      Send{jingle::Priority::normal, "<presence>" + disco().caps_xml(kCapsNode) + "</presence>"});
}

void Caller::send_info(jingle::RtpInfo info) {
  if (!online_) return;
  send_iq(true, jingle::write_jingle({session_->sid(), jingle::SessionInfo{std::move(info)}}));
}

std::string Caller::send_iq(bool is_set, const std::string& payload) {
  std::string id = "call" + std::to_string(++iqs_sent_);
  commands_.push_back(
      Send{jingle::Priority::urgent, "<iq type='" + std::string(is_set ? "set" : "get") + "' id='" +
                                         id + "'" + to_attribute(peer_) + ">" + payload + "</iq>"});
  return id;
}

void Caller::send_jmi(const jingle::Jid& to, jingle::jmi::Payload payload) {
  commands_.push_back(Send{
      jingle::Priority::urgent,
      "<message type='chat' id='" + jingle::escape(proposal_id()) + "'" + to_attribute(to) + ">" +
          jingle::jmi::write({jingle::Sid{spec_.sid}, std::move(payload)}) + "</message>"});
}

void Caller::end(std::string result, std::string reason, bool tell_peer) {
  if (stage_ >= Stage::closing) return;
  tell("ended", reason);
  if (tell_peer && online_) {
    if (session_ && session_->state() != jingle::Session::State::ended) {
      jingle::SessionTerminate terminate;
      terminate.reason.condition = reason;
      terminate_id_ = send_iq(true, jingle::write_jingle({session_->sid(), terminate}));
      session_->terminate();
    } else if (stage_ == Stage::proposing) {
      jingle::jmi::Retract retract;
      retract.reason.condition = "cancel";
      send_jmi(spec_.to.bare(), retract);
    }
  }
  report_.result = std::move(result);
  report_.reason = std::move(reason);
  if (leg_open_) commands_.push_back(CloseLeg{});
  stage_ = Stage::closing;
  deadline_ = now_ + kClosing;
  close_when_done();
}

void Caller::close_when_done() {
  if (stage_ != Stage::closing || leg_open_ || !terminate_id_.empty()) return;
  if (!online_) {
    stage_ = Stage::finished;
    return;
  }
  stage_ = Stage::logging_out;
  deadline_ = now_ + kClosing;
  commands_.push_back(Disconnect{});
}

void Caller::tell(std::string event, Json detail) {
  const std::chrono::duration<double> t = now_ - start_;
  report_.events.push_back({t.count(), event});
  commands_.push_back(Tell{std::move(event), std::move(detail)});
}

}  // namespace call
