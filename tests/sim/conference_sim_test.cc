// The focus among misbehaving clients, engine and network, all simulated from one seed: nothing
// sleeps, nothing is random twice. MIXER_SIM_SEEDS=N runs N seeds, MIXER_SIM_SEED=S only that one
// and tells its story.
//
// Laws: every IQ is answered exactly once; nobody is sent a document before his leg is connected;
// versions of a session strictly rise; a session we ended is silent; every leg opened is closed
// once; when all is quiet each roster equals the legs that are connected and, where they are kept,
// the users who left; in the end nothing is left.
#include <cstdlib>
#include <functional>
#include <iostream>

#include "coin/diff.h"
#include "tests/support/focus_bench.h"
#include "tests/support/generators.h"

namespace {

using namespace test;

struct Client {
  jingle::Jid full;
  enum class Manner { answers, never, errors } manner = Manner::answers;
  bool announces = true;  // answers disco#info, with Coin
  bool unheard = false;   // its answer to disco#info has not arrived (yet)
  int calls = 0;
  std::string sid;  // of the last call
  std::string room;
  bool in_call = false;
  std::map<std::string, coin::View> views;  // by sid
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed)
      : dice_(seed),
        departed_for_(dice_.one_of(std::vector{0s, 10s, 3600s})),
        focus_(
            config(departed_for_), [this] { return dice_.bits(); }, test::wall_time) {
    for (int i = 0; i < 6; ++i) {
      Client client;
      // Two devices of one user among them.
      client.full = jid("u" + std::to_string(i / 2 * 2 + (i == 1 ? 0 : i % 2)) + "@localhost/d" +
                        std::to_string(i));
      client.manner = dice_.chance(0.7)   ? Client::Manner::answers
                      : dice_.chance(0.5) ? Client::Manner::never
                                          : Client::Manner::errors;
      client.announces = dice_.chance(0.8);
      clients_.push_back(client);
    }
  }

  void run() {
    handle("up", mixer::ConnectionUp{{jid("mixer.localhost"), false}});
    for (int i = 0; i < 120 && !failed(); ++i) {
      act();
      pass(dice_.up_to(1500ms));
    }
    quiesce();
    check_rosters();
    handle("shutdown", mixer::ShutdownRequested{});
    pass(100s);
    EXPECT_EQ(focus_.legs(), 0u);
    EXPECT_EQ(focus_.rooms(), 0u);
    EXPECT_FALSE(focus_.next_deadline());
    EXPECT_EQ(engine_.opened_count(), engine_.close_count());
    EXPECT_TRUE(engine_.legs().empty());
  }
  const std::vector<std::string>& story() const { return story_; }

 private:
  static mixer::Config config(std::chrono::seconds departed_for) {
    mixer::Config config = component_config();
    config.room_defaults.departed_for = departed_for;
    config.limits.participants_per_room = 4;
    config.limits.calls_per_minute_per_jid = 20;
    return config;
  }
  static bool failed() { return ::testing::Test::HasFailure(); }

  void tell(const std::string& line) {
    story_.push_back(std::to_string((now_ - TimePoint(1000s)) / 1ms) + " ms: " + line);
  }
  void later(std::chrono::milliseconds delay, std::function<void()> what) {
    agenda_.emplace(now_ + delay, std::move(what));
  }
  // Stanzas on the way are lost with the connection.
  void on_the_wire(const std::string& path, std::function<void()> what) {
    // XMPP keeps the order between two parties, and no other.
    TimePoint& last = wire_[path];
    last = std::max(last, now_ + dice_.up_to(400ms));
    agenda_.emplace(last, [this, stream = stream_, what = std::move(what)] {
      if (stream == stream_ && connected_) what();
    });
  }

  void pass(std::chrono::milliseconds duration) {
    const TimePoint end = now_ + duration;
    while (!failed()) {
      const auto deadline = focus_.next_deadline();
      const bool ours = deadline && (agenda_.empty() || *deadline < agenda_.begin()->first);
      if (!ours && agenda_.empty()) break;
      const TimePoint next = ours ? *deadline : agenda_.begin()->first;
      if (next > end) break;
      now_ = std::max(now_, next);
      if (ours) {
        handle("deadline", mixer::DeadlinePassed{});
        EXPECT_TRUE(!focus_.next_deadline() || *focus_.next_deadline() > now_) << "no progress";
      } else {
        auto node = agenda_.extract(agenda_.begin());
        node.mapped()();
      }
    }
    now_ = end;
  }

  void handle(const std::string& what, const mixer::Event& event) {
    tell(what);
    const auto commands = focus_.handle(event, now_);
    const auto* asked = std::get_if<mixer::IqReceived>(&event);
    int replies = 0;
    for (const auto& command : commands) {
      if (const auto* reply = std::get_if<mixer::Reply>(&command)) {
        ++replies;
        ASSERT_TRUE(asked) << "an answer to nothing";
        EXPECT_EQ(reply->id, asked->iq.id);
        EXPECT_EQ(reply->to, asked->iq.from);
        EXPECT_EQ(reply->from, asked->iq.to);
        tell("  answer " + (reply->result ? "result" : reply->result.error().condition));
        if (reply->result && reply->result->starts_with("<conference-info")) {
          check_document(*reply->result);
          on_the_wire("to " + reply->to.str(), [this, to = reply->to, text = *reply->result] {
            if (Client* asker = client(to)) read(*asker, text);
          });
        }
      }
    }
    EXPECT_EQ(replies, asked ? 1 : 0) << what;
    for (const auto& command : commands)
      std::visit([this](const auto& c) { carry_out(c); }, command);
    for (const std::string& fault : engine_.faults()) ADD_FAILURE() << fault;
  }

  // What the engine makes of it.
  void carry_out(const mixer::OpenLeg& open) {
    const media::LegId leg = open.spec.leg;
    engine_.open_leg(open.spec);
    leg_of_[opening_] = leg;
    for (const Client& client : clients_) {
      if (opening_.starts_with(client.full.resource() + "-")) user_of_[leg] = client.full.bare();
    }
    later(dice_.up_to(300ms), [this, leg] {
      if (!alive(leg)) return;
      if (dice_.chance(0.05)) return fail(leg);
      const auto opened = engine_.opened(leg);
      handle("leg opened", opened);
      later(dice_.up_to(2000ms), [this, leg] {
        if (!alive(leg)) return;
        if (dice_.chance(0.1)) return fail(leg);
        const auto connected = engine_.connected(leg);
        handle("leg " + std::to_string(leg.value) + " connected", connected);
      });
    });
  }
  void carry_out(const mixer::CloseLeg& close) {
    const FakeEngine::Leg& leg = engine_.legs().at(close.leg);
    if (leg.connected) left_[leg.spec.room].insert(user_of_.at(close.leg));
    engine_.close_leg(close.leg);
    tell("  close leg " + std::to_string(close.leg.value));
    later(dice_.up_to(500ms),
          [this, leg = close.leg] { handle("leg closed", engine_.closed(leg)); });
  }
  void carry_out(const mixer::SetIceServers& c) { engine_.set_ice_servers(c.servers); }
  void carry_out(const mixer::ConnectLeg& c) { engine_.connect_leg(c.leg, c.remote); }
  void carry_out(const mixer::AddRemoteCandidates& c) {
    engine_.add_remote_candidates(c.leg, c.candidates);
  }
  void carry_out(const mixer::SetMixPlan& c) { engine_.set_mix_plan(c.room, c.plan); }
  void carry_out(const mixer::Reply&) {}
  void carry_out(const mixer::Log&) {}
  void carry_out(const mixer::SendMessage&) {}
  void carry_out(const mixer::SendPresence&) {}
  void carry_out(const mixer::SendIq& iq) {
    if (Client* to = client(iq.to); to && !iq.is_set) to->unheard = true;
    if (!connected_) return;
    check_sent(iq);
    on_the_wire("to " + iq.to.str(), [this, iq] { deliver(iq); });
  }

  void check_sent(const mixer::SendIq& iq) {
    const auto xml = jingle::Xml::parse(iq.payload);
    ASSERT_TRUE(xml) << iq.payload;
    if (jingle::is(xml->root(), jingle::ns::kJingle, "jingle")) {
      const std::string sid = xml->root().attribute("sid").value();
      const std::string action = xml->root().attribute("action").value();
      tell("  " + action + " " + sid);
      EXPECT_FALSE(ended_.contains({iq.to, sid})) << action << " in a session we ended";
      if (action == "session-terminate") ended_.insert({iq.to, sid});
    } else if (iq.is_set) {
      check_document(iq.payload);
    }
  }
  void check_document(const std::string& text) {
    const auto info = coin::parse(text);
    ASSERT_TRUE(info && info->sid && info->version) << text;
    const auto leg = leg_of_.find(*info->sid);
    ASSERT_TRUE(leg != leg_of_.end());
    ASSERT_TRUE(alive(leg->second) && engine_.legs().at(leg->second).connected)
        << "a document before the leg is connected";
    std::uint32_t& version = versions_[*info->sid];
    EXPECT_EQ(*info->version, version + 1);
    version = *info->version;
  }

  bool alive(media::LegId leg) const {
    const auto found = engine_.legs().find(leg);
    return found != engine_.legs().end() && !found->second.closing;
  }
  void fail(media::LegId leg) {
    const auto cause = static_cast<media::LegFailure>(dice_.below(6));
    handle("leg " + std::to_string(leg.value) + " fails", media::LegFailed{leg, cause, "sim"});
  }

  // What the clients make of it.
  Client* client(const jingle::Jid& full) {
    for (Client& client : clients_) {
      if (client.full == full) return &client;
    }
    return nullptr;
  }
  static void read(Client& client, const std::string& document) {
    const auto info = coin::parse(document);
    ASSERT_TRUE(info) << document;
    client.views[*info->sid].receive(*info);
  }
  void deliver(const mixer::SendIq& iq) {
    Client* to = client(iq.to);
    if (!to) return;
    std::string answer;
    const auto xml = jingle::Xml::parse(iq.payload);
    const bool jingle = jingle::is(xml->root(), jingle::ns::kJingle, "jingle");
    if (jingle) {
      const std::string action = xml->root().attribute("action").value();
      if (action == "session-terminate" && to->sid == xml->root().attribute("sid").value()) {
        to->in_call = false;
      }
    } else if (!iq.is_set) {
      if (!to->announces) return;
      answer =
          "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' "
          "type='pc' name='sim'/><feature var='urn:xmpp:coin:1'/></query>";
    } else {
      read(*to, iq.payload);
    }
    if (to->manner == Client::Manner::never && !quiet_) return;
    // An error to a Jingle stanza ends the call; to a document, Coin.
    const bool error = to->manner == Client::Manner::errors && iq.is_set && dice_.chance(0.1);
    if (!quiet_ && dice_.chance(0.1)) return;  // the ack is lost
    const std::string text = "<iq xmlns='jabber:client' type='" +
                             std::string(error ? "error" : "result") + "' id='" + iq.id +
                             "' from='" + iq.to.str() + "' to='" + iq.from.str() + "'>" +
                             (error ? "<error type='cancel'><service-unavailable "
                                      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
                                    : answer) +
                             "</iq>";
    on_the_wire("from " + iq.to.str(), [this, text, iq] {
      if (!iq.is_set) client(iq.to)->unheard = false;
      handle("an answer", mixer::IqAnswered{std::get<jingle::Iq>(stanza(text).value())});
    });
  }

  void send(Client& from, const std::string& what, const std::string& payload) {
    const std::string text = "<iq xmlns='jabber:client' type='" +
                             std::string(payload.starts_with("<jingle") ? "set"
                                         : dice_.chance(0.5)            ? "set"
                                                                        : "get") +
                             "' id='s" + std::to_string(++ids_) + "' from='" + from.full.str() +
                             "' to='" + from.room + "'>" + payload + "</iq>";
    on_the_wire("from " + from.full.str(), [this, text, what, sid = from.sid] {
      opening_ = sid;
      auto read = stanza(text);
      ASSERT_TRUE(read) << text;
      const pugi::xml_node jingle = std::get<jingle::Iq>(*read).xml.root().first_child();
      if (std::string(jingle.attribute("action").value()) == "session-initiate") {
        // The same sid, another session.
        ended_.erase({std::get<jingle::Iq>(*read).from, jingle.attribute("sid").value()});
      }
      handle(what, mixer::IqReceived{std::get<jingle::Iq>(*std::move(read))});
    });
  }
  void message(Client& from, const std::string& what, const std::string& children) {
    const std::string text = "<message xmlns='jabber:client' type='chat' id='s" +
                             std::to_string(++ids_) + "' from='" + from.full.str() + "' to='" +
                             from.room + "'>" + children + "</message>";
    on_the_wire("from " + from.full.str(), [this, text, what] {
      handle(what, mixer::MessageReceived{std::get<jingle::Message>(stanza(text).value())});
    });
  }
  void presence(Client& from, const std::string& type) {
    const std::string text = "<presence xmlns='jabber:client'" +
                             (type.empty() ? "" : " type='" + type + "'") + " from='" +
                             from.full.str() + "' to='" + from.room + "'/>";
    on_the_wire("from " + from.full.str(), [this, text, type] {
      handle("presence " + type,
             mixer::PresenceReceived{std::get<jingle::Presence>(stanza(text).value())});
    });
  }

  void act() {
    Client& who = clients_[dice_.below(clients_.size())];
    const std::string name = who.full.resource();
    switch (dice_.below(12)) {
      case 0:
      case 1:
      case 2:
        if (who.in_call && !dice_.chance(0.2)) break;
        who.sid = name + "-" + std::to_string(++who.calls);
        who.room = dice_.one_of(std::vector<std::string>{
            "tea@mixer.localhost", "talk@mixer.localhost", "tea@mixer.localhost/focus"});
        who.in_call = true;
        if (dice_.chance(0.3)) {
          message(
              who, name + " proposes " + who.sid,
              "<propose xmlns='urn:xmpp:jingle-message:0' id='" + who.sid +
                  "'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>");
          if (dice_.chance(0.2)) break;  // and thinks better of it
        }
        send(who, name + " calls " + who.sid, Offer{.sid = who.sid}.xml());
        break;
      case 3:
        if (!who.in_call) break;
        who.in_call = false;
        send(who, name + " hangs up", terminate(who.sid));
        break;
      case 4:
        if (who.in_call) send(who, name + " holds", session_info(who.sid, "hold"));
        break;
      case 5:
        if (who.in_call) send(who, name + " is active", session_info(who.sid, "active"));
        break;
      case 6:
      case 7: {
        if (who.room.empty()) break;
        const Client& other = clients_[dice_.below(clients_.size())];
        send(who, name + " sends rubbish",
             random_payload(dice_, dice_.chance(0.8) ? who.sid : other.sid));
        break;
      }
      case 8: {
        const auto leg = leg_of_.find(who.sid);
        if (leg == leg_of_.end() || !alive(leg->second)) break;
        if (dice_.chance(0.2)) {
          fail(leg->second);
        } else {
          quiet_leg(leg->second, dice_.chance(0.5));
        }
        break;
      }
      case 9:
        if (!who.room.empty()) presence(who, dice_.chance(0.5) ? "unavailable" : "");
        break;
      case 10:
        if (dice_.chance(0.2)) reset();
        break;
      case 11:
        if (!who.room.empty()) presence(who, dice_.chance(0.5) ? "subscribe" : "unsubscribe");
        break;
    }
  }
  void quiet_leg(media::LegId leg, bool quiet) {
    if (quiet) {
      handle("leg quiet", media::LegQuiet{leg});
    } else {
      handle("leg heard", media::LegHeard{leg});
    }
  }
  void reset() {
    if (!connected_) return;
    connected_ = false;
    ++stream_;
    handle("down", mixer::ConnectionDown{});
    later(dice_.up_to(5000ms), [this] {
      connected_ = true;
      handle("up", mixer::ConnectionUp{{jid("mixer.localhost"), false}});
    });
  }

  // Everybody behaves, and nothing more happens.
  void quiesce() {
    quiet_ = true;
    pass(400s);
  }

  void check_rosters() {
    for (const Client& client : clients_) {
      // Coin may have stopped, rightly, for the others.
      const bool served = client.manner == Client::Manner::answers && client.announces;
      if (!served || client.unheard) continue;
      const auto leg = leg_of_.find(client.sid);
      if (leg == leg_of_.end() || !alive(leg->second)) continue;
      const auto& mine = engine_.legs().at(leg->second);
      if (!mine.connected) continue;
      std::map<std::string, coin::MediaStatus> truth, told;
      for (const auto& planned : engine_.plans().at(mine.spec.room).legs) {
        const auto& other = engine_.legs().at(planned.leg);
        EXPECT_TRUE(other.connected && !other.closing) << "the plan names a dead leg";
        truth.emplace(std::to_string(other.spec.contributor_id), mixer::media_status(planned));
      }
      std::set<std::string> gone, told_gone;
      if (departed_for_ > 400s) {  // or they are forgotten by now
        for (const jingle::Jid& user : left_[mine.spec.room]) gone.insert(user.uri());
      }
      for (const auto& [id, other] : engine_.legs()) {
        if (other.spec.room == mine.spec.room && other.connected && !other.closing) {
          EXPECT_TRUE(truth.contains(std::to_string(other.spec.contributor_id)));
          gone.erase(user_of_.at(id).uri());  // he is back
        }
      }
      const auto view = client.views.find(client.sid);
      ASSERT_TRUE(view != client.views.end() && view->second.info()) << client.full.str();
      EXPECT_FALSE(view->second.stale());
      for (const auto& user : view->second.info()->users->users) {
        for (const auto& endpoint : user.endpoints) {
          if (endpoint.status == coin::EndpointStatus::disconnected) {
            told_gone.insert(user.entity);
            continue;
          }
          const auto& audio = endpoint.media.at(0);
          told.emplace(audio.src_id.value(), audio.status.value());
        }
      }
      EXPECT_EQ(told, truth) << "what " << client.full.str() << " was told";
      EXPECT_EQ(told_gone, gone) << "what " << client.full.str() << " was told";
      ++checked;
      if (!gone.empty()) ++checked_departed;
    }
  }

 public:
  int checked = 0, checked_departed = 0;

 private:
  Dice dice_;
  std::chrono::seconds departed_for_;
  TimePoint now_{1000s};
  mixer::Focus focus_;
  FakeEngine engine_;
  std::vector<Client> clients_;
  std::multimap<TimePoint, std::function<void()>> agenda_;
  std::map<std::string, TimePoint> wire_;
  bool connected_ = true, quiet_ = false;
  int stream_ = 0, ids_ = 0;
  std::string opening_;                         // the sid whose stanza is being handled
  std::map<std::string, media::LegId> leg_of_;  // by sid
  std::map<media::LegId, jingle::Jid> user_of_;
  std::map<media::RoomId, std::set<jingle::Jid>> left_;  // some came back
  std::map<std::string, std::uint32_t> versions_;        // by sid
  std::set<std::pair<jingle::Jid, std::string>> ended_;  // peer, sid
  std::vector<std::string> story_;
};

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(ConferenceSim, EveryLawHoldsForEverySeed) {
  const std::uint64_t only = from_environment("MIXER_SIM_SEED", 0);
  const std::uint64_t seeds = only ? only : from_environment("MIXER_SIM_SEEDS", 1000);
  int checked = 0, checked_departed = 0;
  for (std::uint64_t seed = only ? only : 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("MIXER_SIM_SEED=" + std::to_string(seed));
    Simulation simulation(seed);
    simulation.run();
    checked += simulation.checked;
    checked_departed += simulation.checked_departed;
    if (HasFailure() || only) {
      for (const std::string& line : simulation.story()) std::cout << line << "\n";
      if (HasFailure()) FAIL() << "seed " << seed;
    }
  }
  // The simulation must get as far as rosters, or it proves nothing.
  if (!only) {
    EXPECT_GT(checked, static_cast<int>(seeds));
    EXPECT_GT(checked_departed, static_cast<int>(seeds) / 10);
  }
}

}  // namespace
