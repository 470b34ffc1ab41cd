// tools/call/caller.h: one caller as a state machine: what it does about what happens to it. Dials
// or is called, follows the session (XEP-0166 §6), assembles the roster from conference documents
// (RFC 4575 §4.6, XEP-0298 §6) or sends such documents itself, hangs up. Pure: no socket, thread or
// clock inside. One thread.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coin/diff.h"
#include "mixer/negotiation.h"
#include "signaling/iq_router.h"
#include "signaling/jingle_session.h"
#include "tools/call/answering.h"
#include "tools/call/document_sender.h"
#include "tools/call/events.h"
#include "tools/call/offer.h"
#include "tools/call/outbox.h"
#include "tools/call/report.h"

namespace call {

struct CallerSpec {
  std::string sid;  // of its own call; unpredictable: whoever knows it can only annoy, but need not
  jingle::Jid to;
  OfferOptions offer;
  bool jmi = false;                               // XEP-0353: propose first, and call who proceeds
  std::optional<AnswerSpec> answer;               // instead of dialling
  bool focus = false;                             // says so (XEP-0298 §5)
  std::vector<std::string> documents;             // sent once connected
  std::optional<std::chrono::milliseconds> stay;  // hang up that long after being connected
  // From going online, or from taking a call, to being connected.
  std::chrono::milliseconds patience{60000};
};

class Caller {
 public:
  Caller(CallerSpec spec, TimePoint start);
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  [[nodiscard]] Commands handle(const Event& event, TimePoint now);
  std::optional<TimePoint> next_deadline() const;
  bool finished() const { return stage_ == Stage::finished; }
  const Report& report() const { return report_; }

 private:
  enum class Stage {
    offline,    // not logged in yet
    waiting,    // for a call, or for the right moment to take it
    proposing,  // JMI: waiting for proceed
    gathering,  // waiting for our own candidates
    dialing,    // session-initiate is out
    accepted,   // the answer is in, or out; ICE and DTLS at work
    connected,  // sound flows
    closing,    // waiting for the ack of session-terminate and for the leg's last event
    logging_out,
    finished,
  };
  using Answer = jingle::Result<std::string>;  // the payload of a result

  void on(const Online& online);
  void on(const Offline& offline);
  void on(const StanzaReceived& received);
  void on(const media::Event& event);
  void on(const UserAsked& asked);
  void on(const DeadlinePassed&);

  void on_iq(const jingle::Iq& iq);
  void on_answer(const jingle::Iq& iq);
  void on_message(const jingle::Message& message);
  void on_own_jmi(const jingle::Jid& from, const jingle::jmi::Payload& payload);
  Answer answer(const jingle::Iq& iq);
  Answer on_jingle(const jingle::Request& request, const jingle::Jid& from);
  Answer on_initiate(const jingle::Request& request, const jingle::Jid& from);
  Answer on_document(const jingle::ConferenceInfoSet& set, const jingle::Iq& iq);
  void on_accept(const jingle::SessionAccept& accept);
  void on_info(const jingle::SessionInfo& info);
  void on_transport_info(const jingle::TransportInfo& info);
  void on_terminate(const jingle::SessionTerminate& terminate);
  void on_opened(const media::LegOpened& opened);
  void on_connected(const media::LegConnected& connected);
  void on_failed(const media::LegFailed& failed);
  // ICE restarts (XEP-0176 §5.9), in caller_restart.cc.
  void on_restarted(const media::IceRestarted& restarted);
  void on_restart_answer(bool refused);
  bool reads_restart(const jingle::IceUdpTransport& transport);
  void send_candidates();

  void dial();
  void take_call();
  void send_offer(const media::LegOpened& local);
  void send_accept(const media::LegOpened& local);
  void connect(media::LegRemote remote);
  void send_presence();
  void send_info(jingle::SessionInfo info);
  jingle::DiscoInfo disco() const;
  void hang_up();
  // Ends the call: the first reason given counts.
  void end(std::string result, std::string reason, bool tell_peer);
  void close_when_done();
  bool in_call() const { return stage_ == Stage::accepted || stage_ == Stage::connected; }
  bool in_session() const { return session_ && session_->state() != jingle::Session::State::ended; }

  // Constant after construction
  const CallerSpec spec_;

  Stage stage_ = Stage::offline;
  Report report_;
  Outbox out_;
  std::optional<TimePoint> deadline_;
  bool online_ = false;
  jingle::Jid self_;

  jingle::Jid peer_;
  std::optional<jingle::Session> session_;  // from session-initiate on, whoever's it is
  bool proposed_ = false;                   // there is a session, and XEP-0353 announced it
  std::string initiate_id_, terminate_id_;  // of IQs not answered yet
  std::optional<Answering> answering_;
  std::optional<mixer::Agreement> agreement_;  // on the call that came
  DocumentSender documents_;

  bool leg_open_ = false;
  std::string content_;  // the one with sound
  std::optional<media::IceCredentials> local_ice_, remote_ice_;
  std::vector<media::IceCandidate> local_candidates_;  // of a restart
  bool restarting_ = false;                            // ours, and not answered yet
  std::string restart_id_;                             // the offer's, until it is acknowledged
  std::vector<media::IceCandidate> early_candidates_;  // came before the session-accept
  std::set<std::string> muted_by_;                     // "mute", "hold": why we do not send
  coin::View view_;
};

}  // namespace call
