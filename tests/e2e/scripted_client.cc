#include "tests/e2e/scripted_client.h"

#include <gst/gst.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <pugixml.hpp>

#include "mixer/negotiation_parts.h"
#include "signaling/namespaces.h"
#include "signaling/strophe_connection.h"

namespace e2e {
namespace {

using Clock = std::chrono::steady_clock;
constexpr media::LegId kLeg{1};

jingle::StropheConfig account(const support::Prosody& prosody, const std::string& jid) {
  const bool tls = !prosody.certificate().pem.empty();
  return {.mode = jingle::StropheConfig::Mode::client,
          .jid = jingle::Jid::parse(jid).value(),
          .password = kPassword,
          .host = "127.0.0.1",
          .port = prosody.c2s_port(),
          .tls = tls ? jingle::StropheConfig::Tls::trust_all : jingle::StropheConfig::Tls::off};
}

call::CallMedia::Config media_config(const std::string& tone) {
  gst_init(nullptr, nullptr);
  return {.addresses = {"127.0.0.1"}, .servers = {}, .play = tone};
}

// Ends what is said to the mixer before it can know of a call.
constexpr char kAsks[] = "asks";

jingle::Request request(const pugi::xml_node& jingle) {
  return jingle::parse_jingle(jingle).value();
}

std::vector<media::IceCandidate> candidates(const jingle::IceUdpTransport& transport, bool mux) {
  return mixer::usable(transport.candidates, mux);
}

}  // namespace

ScriptedClient::ScriptedClient(const peers::Client& client, peers::Part part,
                               const support::Prosody& prosody, const std::string& user,
                               const std::string& room, double tone_hz)
    : peer_(client,
            {.self = user + "@localhost/" + client.name,
             .room = room,
             .dials = room + "/focus",
             .sid = "sid-of-" + client.name},
            part),
      mailbox_(64, [](const media::Event&) { return false; }),
      media_(media_config(tone_file(folder_, tone_hz)),
             [this](media::Event event) { mailbox_.push(std::move(event)); }),
      connection_(jingle::make_strophe_connection(account(prosody, peer_.memory().self), *this)) {
  connection_->connect();
}

ScriptedClient::~ScriptedClient() {
  if (testing::Test::HasFailure()) ADD_FAILURE() << story_;
}

bool ScriptedClient::run_until(const std::function<bool()>& condition) {
  const auto deadline = Clock::now() + kWait;
  while (!condition()) {
    if (Clock::now() >= deadline) return false;
    // The conditions read recordings and logs: not each time that something arrives.
    for (const auto next = Clock::now() + std::chrono::milliseconds(100); Clock::now() < next;) {
      turn();
    }
  }
  return true;
}

void ScriptedClient::turn() {
  pollfd fds[] = {{connection_->poll_fd(), connection_->poll_events(), 0},
                  {mailbox_.fd(), POLLIN, 0}};
  const auto longest = std::min(connection_->poll_timeout(), std::chrono::milliseconds(20));
  ::poll(fds, 2, static_cast<int>(longest.count()));
  connection_->pump();
  for (const auto& event : mailbox_.take()) on_media(event);
  peer_.pass(Clock::now());
  if (begun_ && !peer_.memory().connected) go_on();
}

void ScriptedClient::go_on() {
  while (const auto* step = peer_.upcoming()) {
    const bool accepts = step->act == peers::Act::accept;
    if (accepts && peer_.client().joins && !fingerprint_) {  // not before it knows its candidates
      if (!opening_) open_leg(peers::Act::accept);
      opening_ = true;
      return;
    }
    const auto stanza = peer_.next(Clock::now());
    if (!stanza) return;
    send(*stanza);
    if (accepts && fingerprint_) connect_as_offered();
  }
}

std::optional<peers::Act> ScriptedClient::step() {
  if (!run_until([this] { return peer_.upcoming() || peer_.ended() || peer_.done(); }) ||
      !peer_.upcoming()) {
    return std::nullopt;
  }
  const peers::Act act = peer_.upcoming()->act;
  if (act == peers::Act::restart) {
    restarted_ = false;
    media_.restart_ice(kLeg, {});
    run_until([this] { return restarted_; });
  }
  if (const auto stanza = peer_.next(Clock::now())) send(*stanza);
  if (act == peers::Act::hang_up) media_.close(kLeg);
  run_until([this] { return peer_.memory().requests.empty(); });
  return act;
}

void ScriptedClient::send(const std::string& stanza) {
  story_ += "> " + stanza + "\n";
  connection_->send(jingle::Priority::urgent, stanza);
}

void ScriptedClient::on_up(const jingle::XmppConnection::Up&) {
  send("<presence/>");
  if (!peer_.calls()) say_who_is_here();
  if (peer_.calls() && peer_.client().joins) {
    open_leg(peers::Act::initiate);
  } else {
    begun_ = true;
  }
}

void ScriptedClient::say_who_is_here() {
  const std::string room = peer_.memory().room;
  send("<presence to='" + room + "'><c xmlns='" + jingle::ns::kCaps +
       "' hash='sha-1' node='urn:x-test' ver='" + peer_.client().name + "'/></presence>");
  send("<iq type='get' id='" + std::string(kAsks) + "' to='" + room + "/focus'><query xmlns='" +
       jingle::ns::kDiscoInfo + "'/></iq>");
}

void ScriptedClient::on_down(const jingle::XmppConnection::Down& down) {
  ADD_FAILURE() << "the stream ended: " << down.reason;
}

// As its session-initiate or -accept says; the payload type is the offer's.
void ScriptedClient::open_leg(peers::Act terms) {
  const auto& script = peers::script(peer_.client(), peer_.part());
  const auto step = std::ranges::find(script, terms, &peers::Step::act);
  const auto xml = jingle::Xml::parse(step->stanza).value();
  const auto offer = peer_.calls() ? xml.root() : peer_.memory().offer.root();
  const auto opus = offer.select_node("//payload-type[@name='opus']").node();
  mux_ = bool(xml.root().select_node("//description[@media='audio']/rtcp-mux"));
  media_.open(kLeg,
              {.rtcp_mux = mux_,
               .ice_controlling = peer_.calls(),
               .opus_payload_type = static_cast<std::uint8_t>(opus.attribute("id").as_int())},
              recording());
}

void ScriptedClient::on_media(const media::Event& event) {
  if (const auto* opened = std::get_if<media::LegOpened>(&event)) {
    fingerprint_ = opened->fingerprint;
    use(opened->ice, opened->candidates);
    begun_ = true;
  } else if (const auto* restarted = std::get_if<media::IceRestarted>(&event)) {
    use(restarted->ice, restarted->candidates);
    restarted_ = true;
  } else if (std::get_if<media::LegConnected>(&event)) {
    if (peer_.memory().connected) ++restarts_;
    peer_.connected(Clock::now());
    media_.set_sending(kLeg, true);
  } else if (const auto* failed = std::get_if<media::LegFailed>(&event)) {
    if (!peer_.ended()) ADD_FAILURE() << failed->text;
  }
}

void ScriptedClient::use(const media::IceCredentials& ice,
                         const std::vector<media::IceCandidate>& candidates) {
  peer_.use({ice, *fingerprint_, candidates});
}

void ScriptedClient::on_stanza(jingle::Stanza stanza) {
  // The media's ways are shorter: what they brought came before.
  for (const auto& event : mailbox_.take()) on_media(event);
  const jingle::Xml& xml =
      std::visit([](const auto& each) -> const jingle::Xml& { return each.xml; }, stanza);
  story_ += "< " + xml.str() + "\n";
  if (xml.root().attribute("id").value() == std::string(kAsks)) ready_ = true;
  const std::string answer = peer_.receive(xml, Clock::now());
  if (!answer.empty()) send(answer);
  const auto jingle = jingle::child(xml.root(), jingle::ns::kJingle, "jingle");
  const std::string action = jingle.attribute("action").value();
  if (action == "session-accept") on_accept(jingle);
  if (action == "transport-info") on_transports(jingle);
}

void ScriptedClient::on_accept(const pugi::xml_node& jingle) {
  const auto accept = std::get<jingle::SessionAccept>(request(jingle).payload);
  const jingle::Content& audio = accept.contents.at(0);
  const jingle::RtpDescription& rtp = *audio.rtp();
  const auto fingerprint = mixer::choose_fingerprint(*audio.ice()).value();
  mixer::Agreement agreed;
  agreed.remote.fingerprint = {fingerprint.hash, fingerprint.value};
  agreed.remote.our_role = fingerprint.setup == jingle::Setup::active ? media::DtlsRole::server
                                                                      : media::DtlsRole::client;
  agreed.remote.rtp.rtcp_mux = rtp.rtcp_mux;
  mixer::read_opus(rtp, rtp.payload_types.at(0), 64000, agreed.remote.rtp);
  mixer::read_ice(*audio.ice(), agreed);
  remote_ = agreed.remote;
  remote_->candidates.insert(remote_->candidates.end(), early_.begin(), early_.end());
  media_.connect(kLeg, *remote_);
}

void ScriptedClient::connect_as_offered() {
  const auto jingle = jingle::child(peer_.memory().offer.root(), jingle::ns::kJingle, "jingle");
  const auto offer = std::get<jingle::SessionInitiate>(request(jingle).payload);
  remote_ = mixer::negotiate(offer, 64000).value().remote;
  remote_->rtp.rtcp_mux = mux_;
  std::erase_if(remote_->candidates, [&](const auto& each) { return mux_ && each.component == 2; });
  media_.connect(kLeg, *remote_);
}

void ScriptedClient::on_transports(const pugi::xml_node& jingle) {
  const auto info = std::get<jingle::TransportInfo>(request(jingle).payload);
  for (const auto& content : info.contents) {
    const jingle::IceUdpTransport& transport = *content.ice();
    const auto theirs = candidates(transport, !remote_ || remote_->rtp.rtcp_mux);
    if (!remote_) {
      early_.insert(early_.end(), theirs.begin(), theirs.end());
      continue;
    }
    const media::IceCredentials ice{transport.ufrag, transport.pwd};
    if (!ice.pwd.empty() && ice != remote_->ice) {
      remote_->ice = ice;
      media_.restart_ice(kLeg, {.remote = ice});
    }
    media_.add_remote_candidates(kLeg, theirs);
  }
}

}  // namespace e2e
