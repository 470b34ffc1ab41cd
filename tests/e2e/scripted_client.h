// tests/e2e/scripted_client.h: a client of tests/peers with a real XMPP server: its bytes carry the
// ICE and DTLS values of a real leg, which plays a tone and records what it hears.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "mixer/mailbox.h"
#include "signaling/xmpp_connection.h"
#include "tests/e2e/world.h"
#include "tests/peers/peer.h"
#include "tools/call/call_media.h"

namespace e2e {

class ScriptedClient : public jingle::XmppConnection::Observer {
 public:
  // Logs in as `user`@localhost and calls `room`, a bare JID, or has it among its contacts and
  // waits for its call. Nothing happens but in run_until().
  ScriptedClient(const peers::Client& client, peers::Part part, const support::Prosody& prosody,
                 const std::string& user, const std::string& room, double tone_hz);
  ~ScriptedClient() override;

  // False: not within kWait.
  bool run_until(const std::function<bool()>& condition);
  // Once connected it goes on when it is told to. What it then did, when it is acknowledged;
  // nullopt: its script is over, or it does not come to that.
  std::optional<peers::Act> step();

  const peers::Peer& peer() const { return peer_; }
  // The mixer has answered: it is there, and knows who is here.
  bool ready() const { return ready_; }
  std::string recording() const { return (folder_ / "heard.wav").string(); }
  std::string story() const { return story_; }
  int restarts() const { return restarts_; }  // of ICE, that led to a connection

  // XmppConnection::Observer.
  void on_up(const jingle::XmppConnection::Up& up) override;
  void on_down(const jingle::XmppConnection::Down& down) override;
  void on_stanza(jingle::Stanza stanza) override;

 private:
  void turn();
  void go_on();
  void send(const std::string& stanza);
  void open_leg(peers::Act terms);
  void say_who_is_here();
  void on_media(const media::Event& event);
  void use(const media::IceCredentials& ice, const std::vector<media::IceCandidate>& candidates);
  void on_accept(const pugi::xml_node& jingle);
  void connect_as_offered();
  void on_transports(const pugi::xml_node& jingle);

  support::TempDir folder_;
  peers::Peer peer_;
  std::string story_;
  mixer::Mailbox<media::Event> mailbox_;
  call::CallMedia media_;
  std::unique_ptr<jingle::XmppConnection> connection_;

  bool begun_ = false, ready_ = false, opening_ = false;
  bool mux_ = true;
  std::optional<media::DtlsFingerprint> fingerprint_;  // ours
  std::optional<media::LegRemote> remote_;             // once accepted
  std::vector<media::IceCandidate> early_;             // of the mixer's, before that
  bool restarted_ = false;
  int restarts_ = 0;
};

}  // namespace e2e
