#include "tests/scale/world.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <pugixml.hpp>
#include <sstream>

#include "coin/xml.h"
#include "mixer/limits.h"
#include "signaling/iq_router.h"
#include "tests/support/focus_bench.h"

namespace scale {
namespace {

using namespace std::chrono_literals;

constexpr char kMixer[] = "mixer.localhost", kLoad[] = "load.localhost";
constexpr char kSpeaksCoin[] =
    "<query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:coin:1'/></query>";

support::ProsodySpec prosody_spec(Server server) {
  support::ProsodySpec spec;
  spec.components = {{kMixer, "secret"}, {kLoad, "secret"}};
  spec.extra = "log = { warn = \"*console\" }\n";  // not a line per stanza
  // Else it rests a millisecond and more for each 8 KiB it reads: 2.2 MB/s instead of 6.
  if (server == Server::tuned) spec.extra += "network_settings = { min_wait = 0 }";
  return spec;
}

mixer::Config config(std::size_t callers) {
  mixer::Config config = test::component_config();
  config.access.anyone = true;
  config.limits.participants = config.limits.participants_per_room = static_cast<int>(callers);
  config.room_defaults.departed_for = 0s;
  return config;
}

jingle::StropheConfig component(const support::Prosody& prosody, const char* domain) {
  return {.mode = jingle::StropheConfig::Mode::component,
          .jid = test::jid(domain),
          .password = "secret",
          .host = "127.0.0.1",
          .port = prosody.component_port()};
}

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// The value of that attribute in the stanza's own tag.
std::string attribute(const std::string& xml, const std::string& name) {
  const auto at = xml.find(" " + name + "='") + name.size() + 3;
  return xml.substr(at, xml.find('\'', at) - at);
}

// The users and the status of their audio, as far as they are connected.
std::map<std::string, std::string> users_of(const coin::View& view) {
  std::map<std::string, std::string> users;
  if (!view.info()) return users;
  for (const coin::User& user : view.info()->users->users) {
    std::string& status = users[user.entity];
    for (const coin::Endpoint& endpoint : user.endpoints) {
      if (endpoint.status != coin::EndpointStatus::connected) continue;
      for (const coin::Media& media : endpoint.media) {
        if (media.status) status = coin::to_string(*media.status);
      }
    }
  }
  return users;
}

}  // namespace

// Between the focus and its link.
class World::Tap : public jingle::XmppConnection {
 public:
  Tap(World& world, Observer& observer)
      : world_(world),
        under_(jingle::make_strophe_connection(component(world.prosody_, kMixer), observer)) {}

  void connect() override { under_->connect(); }
  void disconnect() override { under_->disconnect(); }
  bool send(jingle::Priority priority, std::string xml) override {
    note(xml);
    if (under_->send(priority, std::move(xml))) return true;
    ++world_.wire_.refused;
    return false;
  }
  int poll_fd() const override { return under_->poll_fd(); }
  short poll_events() const override { return under_->poll_events(); }
  std::chrono::milliseconds poll_timeout() const override { return under_->poll_timeout(); }
  void pump() override { under_->pump(); }

 private:
  void note(const std::string& xml) {
    Wire& wire = world_.wire_;
    ++wire.stanzas;
    wire.bytes += xml.size();
    wire.largest = std::max(wire.largest, xml.size());
    const std::string to = attribute(xml, "to");
    if (xml.find(coin::kNamespace) == std::string::npos) return;
    ++wire.documents;
    wire.document_bytes += xml.size();
    wire.full += xml.find(" state=\"full\"") < xml.find("<conference-description") ? 1 : 0;
    const auto [last, first] = wire.last_document.try_emplace(to, world_.focus_now_);
    if (!first && world_.focus_now_ - last->second < mixer::limits::kCoinGap) ++wire.crowded;
    last->second = world_.focus_now_;
  }

  World& world_;
  std::unique_ptr<jingle::XmppConnection> under_;
};

// What it is asked for has happened by the next turn.
class World::Engine : public test::FakeEngine, public mixer::EventSource {
 public:
  explicit Engine(World& world) : world_(world) {}

  void open_leg(media::LegSpec spec) override {
    const media::LegId leg = spec.leg;
    FakeEngine::open_leg(std::move(spec));
    events_.emplace_back(opened(leg));
    events_.emplace_back(connected(leg));
  }
  void close_leg(media::LegId leg) override {
    FakeEngine::close_leg(leg);
    events_.emplace_back(closed(leg));
  }
  std::optional<TimePoint> deadline() const override {
    return events_.empty() ? std::nullopt : std::optional(TimePoint{});
  }
  void on_ready(short, TimePoint) override;

 private:
  World& world_;
  std::vector<media::Event> events_;
};

// The agent as the program has it, and the time it takes.
class World::Agent : public mixer::EventSource {
 public:
  explicit Agent(World& world)
      : world_(world),
        agent_({.focus = {.handle =
                              [&world](const mixer::Event& event, TimePoint now) {
                                world.focus_now_ = now;
                                if (std::holds_alternative<mixer::ConnectionDown>(event)) {
                                  world.faults_.push_back("the focus's link went down");
                                }
                                return world.focus_.handle(event, now);
                              },
                          .next_deadline = [&world] { return world.focus_.next_deadline(); }},
                .engine = world.engine_.get(),
                .clock = &world.clock_,
                .random = [&world] { return world.random_(); },
                .server = "prosody"}),
        tap_(world, agent_) {}

  void start() { agent_.start(&tap_); }
  void handle(const mixer::Event& event) {
    const double begin = cpu_seconds();
    agent_.handle(event);
    world_.focus_cpu_ += cpu_seconds() - begin;
  }
  int poll_fd() const override { return agent_.poll_fd(); }
  short poll_events() const override { return agent_.poll_events(); }
  std::optional<TimePoint> deadline() const override { return agent_.deadline(); }
  void on_ready(short revents, TimePoint now) override {
    const double begin = cpu_seconds();
    agent_.on_ready(revents, now);
    world_.focus_cpu_ += cpu_seconds() - begin;
  }

 private:
  World& world_;
  mixer::FocusAgent agent_;
  Tap tap_;
};

void World::Engine::on_ready(short, TimePoint) {
  for (media::Event& event : std::exchange(events_, {})) world_.agent_->handle(std::move(event));
}

// The callers' link.
class World::Load : public mixer::EventSource, public jingle::XmppConnection::Observer {
 public:
  explicit Load(World& world)
      : world_(world),
        connection_(jingle::make_strophe_connection(component(world.prosody_, kLoad), *this)) {}

  void start() { connection_->connect(); }
  bool is_up() const { return up_; }
  void send(std::string xml) {
    if (!connection_->send(jingle::Priority::urgent, std::move(xml))) {
      world_.faults_.push_back("the callers' link refuses a stanza");
    }
  }

  void on_up(const jingle::XmppConnection::Up&) override { up_ = true; }
  void on_down(const jingle::XmppConnection::Down& down) override {
    world_.faults_.push_back("the callers' link went down: " + down.reason);
  }
  void on_stanza(jingle::Stanza stanza) override {
    if (const auto* iq = std::get_if<jingle::Iq>(&stanza)) world_.receive(*iq);
  }
  int poll_fd() const override { return connection_->poll_fd(); }
  short poll_events() const override { return connection_->poll_events(); }
  std::optional<TimePoint> deadline() const override {
    return pumped_at_ + connection_->poll_timeout();
  }
  void on_ready(short, TimePoint now) override {
    connection_->pump();
    pumped_at_ = now;
  }

 private:
  World& world_;
  std::unique_ptr<jingle::XmppConnection> connection_;
  bool up_ = false;
  TimePoint pumped_at_{};
};

World::World(std::size_t callers, std::size_t per_room, Server server)
    : prosody_(prosody_spec(server)),
      focus_(
          config(callers), [this] { return random_(); }, test::wall_time),
      engine_(std::make_unique<Engine>(*this)),
      agent_(std::make_unique<Agent>(*this)),
      load_(std::make_unique<Load>(*this)) {
  mixer::signaling_thread.assert_here();
  for (std::size_t i = 0; i < callers; ++i) {
    const std::string n = std::to_string(i);
    const std::string room = "room" + std::to_string(i / per_room) + "@" + kMixer;
    callers_.push_back({.jid = "caller" + n + "@" + kLoad + "/load", .room = room, .sid = "s" + n});
    numbers_[callers_.back().jid] = i;
    auto& nothing = nothing_[room];
    if (!nothing) nothing = std::make_shared<Known>();
    callers_.back().known = nothing;
  }
  loop_.add(engine_.get());
  loop_.add(agent_.get());
  loop_.add(load_.get());
}

World::~World() = default;

bool World::up() {
  agent_->start();
  load_->start();
  return run_until([this] { return load_->is_up() && focus_now_ != TimePoint{}; }, 30s);
}

bool World::run_until(const std::function<bool()>& done, std::chrono::seconds within) {
  const TimePoint end = clock_.now() + within;
  // To look at every roster costs more than to carry a stanza.
  for (TimePoint look_at{};;) {
    const TimePoint now = clock_.now();
    if (now >= look_at && done()) return true;
    if (now >= end || !faults_.empty()) return false;
    if (now >= look_at) look_at = now + 100ms;
    loop_.turn();
  }
}

void World::request(std::size_t caller, const std::string& jingle) {
  const Caller& from = callers_[caller];
  load_->send("<iq type='set' id='c" + std::to_string(++ids_) + "' from='" + from.jid + "' to='" +
              from.room + "'>" + jingle + "</iq>");
}

void World::call(std::size_t caller) {
  called_.insert(caller);
  test::Offer offer;
  offer.sid = callers_[caller].sid;
  request(caller, offer.xml());
}

void World::mute(std::size_t caller) {
  muted_.insert(caller);
  request(caller, test::in_session(callers_[caller].sid, "session-info",
                                   "<mute xmlns='urn:xmpp:jingle:apps:rtp:info:1' "
                                   "creator='initiator'/>"));
}

void World::leave(std::size_t caller) {
  callers_[caller].left = true;
  request(caller, test::terminate(callers_[caller].sid));
}

void World::receive(const jingle::Iq& iq) {
  const auto number = numbers_.find(iq.to.str());
  if (number == numbers_.end()) return faults_.push_back("a stanza for " + iq.to.str());
  Caller& caller = callers_[number->second];
  if (iq.type == jingle::Iq::Type::error) return faults_.push_back(iq.xml.str());
  if (iq.type == jingle::Iq::Type::result) return;
  load_->send("<iq type='result' id='" + iq.id + "' from='" + caller.jid + "' to='" +
              iq.from.str() + "'" +
              (iq.type == jingle::Iq::Type::get ? std::string(">") + kSpeaksCoin + "</iq>" : "/>"));
  for (const pugi::xml_node& child : iq.xml.root().children()) {
    if (jingle::local_name(child) == "conference-info") receive(caller, child);
    const std::string_view action = child.attribute("action").value();
    if (action == "session-accept") caller.accepted = true;
  }
}

void World::receive(Caller& caller, const pugi::xml_node& document) {
  ++documents_received_;
  const auto version = static_cast<std::uint32_t>(document.attribute("version").as_uint());
  if (version != ++caller.version) {
    faults_.push_back(caller.jid + " is told version " + std::to_string(version) + " after " +
                      std::to_string(caller.version - 1));
  }
  std::ostringstream body;
  body << document.attribute("state").value();
  for (const auto& child : document.children()) child.print(body, "", pugi::format_raw);
  auto& next = caller.known->next[std::hash<std::string>()(body.str())];
  auto known = next.lock();
  if (!known) {
    auto info = coin::parse(document);
    if (!info) return faults_.push_back("not a document: " + info.error().where);
    known = std::make_shared<Known>();
    info->version = known->version = caller.known->version + 1;
    info->sid.reset();
    known->view = caller.known->view;
    if (known->view.receive(*info) != coin::View::Outcome::applied) {
      faults_.push_back("a document that cannot be applied for " + caller.jid);
    }
    next = known;
  }
  caller.known = std::move(known);
}

std::map<std::string, std::string> World::truth_of(const std::string& room) const {
  std::map<std::string, std::string> truth;
  for (const std::size_t i : called_) {
    const Caller& caller = callers_[i];
    if (caller.room != room || caller.left) continue;
    truth["xmpp:" + caller.jid.substr(0, caller.jid.find('/'))] =
        muted_.contains(i) ? "recvonly" : "sendrecv";
  }
  return truth;
}

bool World::rosters_are_true() const {
  std::map<std::string, std::map<std::string, std::string>> truths;
  std::set<const Known*> right;
  for (const std::size_t i : called_) {
    const Caller& caller = callers_[i];
    if (caller.left || right.contains(caller.known.get())) continue;
    auto& truth = truths[caller.room];
    if (truth.empty()) truth = truth_of(caller.room);
    if (users_of(caller.known->view) != truth) return false;
    right.insert(caller.known.get());
  }
  return true;
}

std::size_t World::accepted() const {
  return static_cast<std::size_t>(std::ranges::count_if(callers_, &Caller::accepted));
}

std::string World::figures() const {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::ostringstream text;
  text << wire_.stanzas << " stanzas, " << wire_.bytes / 1000000 << " MB; " << wire_.documents
       << " documents (" << wire_.full << " full), " << wire_.document_bytes / 1000000
       << " MB, largest " << wire_.largest << " B; " << wire_.refused
       << " refused by the queue; CPU of the focus " << focus_cpu_ << " s; this process at most "
       << usage.ru_maxrss / 1024 << " MB";
  return text.str();
}

}  // namespace scale
