// tools/call/caller.h: one caller as a state machine: what it does about what happens to it. Dials,
// follows the session (XEP-0166 §6), assembles the roster from conference documents (RFC 4575 §4.6,
// XEP-0298 §6), hangs up. Pure: no socket, thread or clock inside. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "coin/diff.h"
#include "media/media_engine.h"
#include "signaling/iq_router.h"
#include "signaling/jingle_message.h"
#include "signaling/jingle_session.h"
#include "signaling/stanza.h"
#include "signaling/xmpp_connection.h"
#include "tools/call/offer.h"
#include "tools/call/report.h"

namespace call {

using TimePoint = std::chrono::steady_clock::time_point;

struct CallerSpec {
  std::string sid;  // unpredictable: whoever knows it can only annoy, but need not
  jingle::Jid to;
  OfferOptions offer;
  bool jmi = false;                               // XEP-0353: propose first, and call who proceeds
  std::optional<std::chrono::milliseconds> stay;  // hang up that long after being connected
  std::chrono::milliseconds patience{60000};      // from going online to being connected
};

// Events.
struct Online {
  jingle::Jid jid;
};
struct Offline {  // a call that is connected survives it
  std::string reason;
};
struct StanzaReceived {
  jingle::Stanza stanza;
};
struct UserAsked {
  enum class What { mute, unmute, hold, unhold, digit, hang_up };
  What what = What::hang_up;
  char digit = '0';
};
struct DeadlinePassed {};
using Event =
    std::variant<Online, Offline, StanzaReceived, media::Event, UserAsked, DeadlinePassed>;

// Commands, to be carried out in order.
struct Send {
  jingle::Priority priority = jingle::Priority::urgent;
  std::string xml;
};
struct OpenLeg {
  bool rtcp_mux = true;
};
struct ConnectLeg {
  media::LegRemote remote;
};
struct AddRemoteCandidates {
  std::vector<media::IceCandidate> candidates;
};
struct CloseLeg {};
struct SetSending {
  bool sending = true;
};
struct PressKey {
  char digit = '0';
};
struct Reconnect {};
struct Disconnect {};
struct Tell {  // for those who watch: what happened, and its detail (a document, the roster, a
               // reason)
  std::string event;
  Json detail;
};
using Command = std::variant<Send, OpenLeg, ConnectLeg, AddRemoteCandidates, CloseLeg, SetSending,
                             PressKey, Reconnect, Disconnect, Tell>;
using Commands = std::vector<Command>;

class Caller {
 public:
  Caller(CallerSpec spec, TimePoint start);

  [[nodiscard]] Commands handle(const Event& event, TimePoint now);
  std::optional<TimePoint> next_deadline() const;
  bool finished() const { return stage_ == Stage::finished; }
  const Report& report() const { return report_; }

 private:
  enum class Stage {
    offline,    // not logged in yet
    proposing,  // JMI: waiting for proceed
    gathering,  // waiting for our own candidates
    dialing,    // session-initiate is out
    accepted,   // the answer is in; ICE and DTLS at work
    connected,  // sound flows
    closing,    // waiting for the ack of session-terminate and for the leg's last event
    logging_out,
    finished,
  };

  void on(const Online& online);
  void on(const Offline& offline);
  void on(const StanzaReceived& received);
  void on(const media::Event& event);
  void on(const UserAsked& asked);
  void on(const DeadlinePassed&);

  void on_iq(const jingle::Iq& iq);
  void on_answer(const jingle::Iq& iq);
  void on_jmi(const jingle::Message& message);
  tl::expected<std::string, jingle::StanzaError> answer(const jingle::Iq& iq);
  std::optional<jingle::StanzaError> on_jingle(const jingle::Request& request,
                                               const jingle::Jid& from);
  std::optional<jingle::StanzaError> on_document(const jingle::ConferenceInfoSet& set,
                                                 const jingle::Iq& iq);
  void on_accept(const jingle::SessionAccept& accept);
  void on_transport_info(const jingle::TransportInfo& info);
  void on_opened(const media::LegOpened& opened);
  void on_failed(const media::LegFailed& failed);

  void dial();
  void send_presence();
  void send_info(jingle::RtpInfo info);
  std::string send_iq(bool is_set, const std::string& payload);
  void send_jmi(const jingle::Jid& to, jingle::jmi::Payload payload);
  // Ends the call: the first reason given counts.
  void end(std::string result, std::string reason, bool tell_peer);
  void close_when_done();
  void tell(std::string event, Json detail = {});
  std::string proposal_id() const { return "jm-propose-" + spec_.sid; }
  bool in_call() const { return stage_ == Stage::accepted || stage_ == Stage::connected; }

  // Constant after construction
  const CallerSpec spec_;
  const TimePoint start_;

  Stage stage_ = Stage::offline;
  TimePoint now_;
  Commands commands_;  // of the event at hand
  Report report_;
  std::optional<TimePoint> deadline_;
  bool online_ = false;

  jingle::Jid self_, peer_;
  std::optional<jingle::Session> session_;  // once session-initiate is out
  std::string initiate_id_, terminate_id_;  // of IQs not answered yet
  unsigned iqs_sent_ = 0;

  bool leg_open_ = false;
  std::optional<media::IceCredentials> local_ice_;
  std::vector<media::IceCandidate> early_candidates_;  // came before the session-accept
  std::set<std::string> muted_by_;                     // "mute", "hold": why we do not send
  coin::View view_;
};

}  // namespace call
