// Two foci whose rooms dial each other at once (XEP-0166 §7.2.16, XEP-0353 §4.1), over a wire of
// random delays that keeps the order of each direction. Law: whatever the interleaving, they end
// with exactly one session, the same for both.
#include <deque>
#include <functional>

#include "mixer/features.h"
#include "tests/support/focus_bench.h"
#include "tests/support/sanitized.h"
#include "tests/support/seed.h"

namespace {

using namespace test;

// What happens between the two, from one seed.
struct Story {
  std::uint64_t seed = 0;
  std::chrono::milliseconds delay{};  // of a stanza at most
  bool full[2] = {};                  // that room dials the other's full JID
  bool known[2] = {};                 // has seen the other's presence, so it may dial directly
  bool same_ids = false;              // both draw the same random numbers
  friend std::ostream& operator<<(std::ostream& out, const Story& story) {
    return out << "seed=" << story.seed << " delay=" << story.delay.count()
               << "ms full=" << story.full[0] << story.full[1] << " known=" << story.known[0]
               << story.known[1] << " same_ids=" << story.same_ids;
  }
};

class Crossing {
 public:
  explicit Crossing(const Story& story) : story_(story), random_(story.seed) {
    for (int i = 0; i < 2; ++i) sites_.emplace_back(config(i), story.seed + (same() ? 0u : i));
  }

  void run() {
    for (int i = 0; i < 2; ++i) {
      handle(i, mixer::ConnectionUp{{jid(domain(i)), false}});
      if (story_.known[i]) {
        const auto features = mixer::room_features(mixer::Config::Xmpp::Mode::component);
        deliver(i, "<presence xmlns='jabber:client' from='" + room(1 - i) + "/focus' to='" +
                       room(i) + "'>" + mixer::room_presence(features, 0) + "</presence>");
      }
      // The first participant, whose arrival makes his room dial the other.
      at(up_to(story_.delay), [this, i] {
        deliver(i, "<iq xmlns='jabber:client' type='set' id='i' from='" + local(i) + "' to='" +
                       room(i) + "'>" + Offer{.sid = "L"}.xml() + "</iq>");
      });
    }
    pass(150s);
  }
  // Ends the first's session with the second.
  void shut_down_first() {
    handle(0, mixer::ShutdownRequested{});
    pass(60s);
  }
  // Leaves the second's room to itself.
  void leave_second() {
    deliver(1, "<iq xmlns='jabber:client' type='set' id='e' from='" + local(1) + "' to='" +
                   room(1) + "'>" + terminate("L") + "</iq>");
    pass(20s);
  }
  std::size_t rooms(int i) const { return sites_[i].focus.rooms(); }
  std::size_t legs(int i) const { return sites_[i].focus.legs(); }
  std::size_t connected(int i) const {
    std::size_t n = 0;
    for (const auto& [id, leg] : sites_[i].engine.legs()) n += leg.connected;
    return n;
  }
  const std::vector<std::string>& faults(int i) const { return sites_[i].engine.faults(); }
  const std::vector<std::string>& log() const { return log_; }
  // Session-initiates and tie-breaks on the wire, to see that the stories are worth telling.
  int initiates = 0, proposals = 0, ties = 0;

 private:
  struct Site {
    Site(mixer::Config config, std::uint64_t seed)
        : random(seed),
          focus(
              std::move(config), [this] { return random(); }, wall_time) {}
    std::mt19937_64 random;
    mixer::Focus focus;
    FakeEngine engine;
    TimePoint wire{};  // when the last stanza to it arrives
  };

  bool same() const { return story_.same_ids; }
  static std::string domain(int i) { return i == 0 ? "a.example" : "b.example"; }
  static std::string room(int i) { return "room@" + domain(i); }
  static std::string local(int i) { return "ann@people." + domain(i) + "/phone"; }
  mixer::Config config(int i) const {
    mixer::Config config;
    config.xmpp.jid = jid(domain(i));
    config.access.anyone = true;
    mixer::RoomConfig listed;
    listed.name = "room";
    listed.invite = {jid(room(1 - i) + (story_.full[i] ? "/focus" : ""))};
    config.rooms.emplace("room", listed);
    return config;
  }

  std::chrono::milliseconds up_to(std::chrono::milliseconds most) {
    return std::chrono::milliseconds(random_() % (most.count() + 1));
  }
  void at(std::chrono::milliseconds delay, std::function<void()> what) {
    agenda_.emplace(now_ + delay, std::move(what));
  }
  void pass(std::chrono::milliseconds duration) {
    const TimePoint end = now_ + duration;
    for (int guard = 0; guard < 100000; ++guard) {
      TimePoint next = agenda_.empty() ? end : agenda_.begin()->first;
      int due = -1;
      for (int i = 0; i < 2; ++i) {
        const auto deadline = sites_[i].focus.next_deadline();
        if (deadline && *deadline < next) {
          next = *deadline;
          due = i;
        }
      }
      if (next >= end) break;
      now_ = std::max(now_, next);
      if (due >= 0) {
        handle(due, mixer::DeadlinePassed{});
      } else {
        const auto node = agenda_.extract(agenda_.begin());
        node.mapped()();
      }
    }
    now_ = end;
  }

  void deliver(int to, const std::string& text) {
    auto read = stanza(text);
    ASSERT_TRUE(read) << text;
    log_.push_back(std::to_string((now_ - TimePoint(1000s)) / 1ms) + " -> " + domain(to) + ' ' +
                   text);
    handle(to, test::received(std::move(*read)));
  }
  // From one site to the other, after whatever went there before.
  void send(int from, const std::string& name, const jingle::Jid& sender, const jingle::Jid& to,
            const std::string& attributes, const std::string& payload) {
    if (to.domain() != domain(1 - from)) return;
    initiates += payload.find("'session-initiate'") != std::string::npos ||
                 payload.find("\"session-initiate\"") != std::string::npos;
    proposals += payload.find("<propose") != std::string::npos;
    ties += payload.find("tie-break") != std::string::npos;
    TimePoint& arrival = sites_[1 - from].wire;
    arrival = std::max(arrival, now_ + up_to(story_.delay));
    const std::string text = "<" + name + " xmlns='jabber:client' from='" + sender.str() +
                             "' to='" + to.str() + "' " + attributes + ">" + payload + "</" + name +
                             ">";
    agenda_.emplace(arrival, [this, from, text] { deliver(1 - from, text); });
  }

  void handle(int i, const mixer::Event& event) {
    for (const auto& command : sites_[i].focus.handle(event, now_)) carry_out(i, command);
  }
  void carry_out(int i, const mixer::Command& command) {
    FakeEngine& engine = sites_[i].engine;
    if (const auto* reply = std::get_if<mixer::Reply>(&command)) {
      const bool ok = reply->result.has_value();
      send(i, "iq", reply->from, reply->to,
           "type='" + std::string(ok ? "result" : "error") + "' id='" + reply->id + "'",
           ok ? *reply->result : reply->result.error().xml());
    } else if (const auto* iq = std::get_if<mixer::SendIq>(&command)) {
      send(i, "iq", iq->from, iq->to,
           "type='" + std::string(iq->is_set ? "set" : "get") + "' id='" + iq->id + "'",
           iq->payload);
    } else if (const auto* message = std::get_if<mixer::SendMessage>(&command)) {
      send(i, "message", message->from, message->to,
           "type='" + message->type + "' id='" + message->id + "'", message->payload);
    } else if (const auto* presence = std::get_if<mixer::SendPresence>(&command)) {
      send(i, "presence", presence->from, presence->to,
           presence->type.empty() ? "" : "type='" + presence->type + "'", presence->payload);
    } else if (const auto* open = std::get_if<mixer::OpenLeg>(&command)) {
      engine.open_leg(open->spec);
      at(up_to(300ms), [this, i, leg = open->spec.leg] { opened(i, leg); });
    } else if (const auto* connect = std::get_if<mixer::ConnectLeg>(&command)) {
      engine.connect_leg(connect->leg, connect->remote);
      at(up_to(300ms), [this, i, leg = connect->leg] { connect_leg(i, leg); });
    } else if (const auto* close = std::get_if<mixer::CloseLeg>(&command)) {
      engine.close_leg(close->leg);
      at(up_to(300ms), [this, i, leg = close->leg] { handle(i, sites_[i].engine.closed(leg)); });
    }
  }
  bool live(int i, media::LegId leg) const {
    const auto found = sites_[i].engine.legs().find(leg);
    return found != sites_[i].engine.legs().end() && !found->second.closing;
  }
  void opened(int i, media::LegId leg) {
    if (!live(i, leg)) return;
    auto event = sites_[i].engine.opened(leg);
    event.fingerprint.value = kFingerprint;  // the other reads it
    handle(i, media::Event(event));
    if (live(i, leg) && sites_[i].engine.legs().at(leg).spec.remote) connect_leg(i, leg);
  }
  void connect_leg(int i, media::LegId leg) {
    if (!live(i, leg) || !sites_[i].engine.legs().at(leg).opened) return;
    handle(i, media::Event(sites_[i].engine.connected(leg)));
  }

  Story story_;
  std::mt19937_64 random_;
  std::deque<Site> sites_;
  TimePoint now_{1000s};
  std::multimap<TimePoint, std::function<void()>> agenda_;
  std::vector<std::string> log_;
};

Story story_of(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::chrono::milliseconds delays[] = {0ms, 100ms, 1s, 8s};
  Story story{.seed = seed, .delay = delays[random() % 4]};
  for (int i = 0; i < 2; ++i) {
    story.full[i] = random() % 4 == 0;
    story.known[i] = random() % 2 == 0;
  }
  story.same_ids = random() % 8 == 0;
  return story;
}

TEST(Crossing, TwoFociThatDialEachOtherEndWithExactlyOneSession) {
  const unsigned first = test_support::test_seed();
  const int stories = std::getenv("TEST_SEED") != nullptr ? 1
                      : test_support::kSanitized          ? 200
                                                          : 1000;
  int initiates = 0, proposals = 0, ties = 0;
  for (int i = 0; i < stories && !HasFailure(); ++i) {
    const Story story = story_of(first + static_cast<unsigned>(i));
    Crossing crossing(story);
    crossing.run();
    // His own participant and the other focus.
    for (const int site : {0, 1}) {
      EXPECT_EQ(crossing.legs(site), 2u) << "TEST_SEED=" << story;
      EXPECT_EQ(crossing.connected(site), 2u) << "TEST_SEED=" << story;
      EXPECT_EQ(crossing.faults(site), std::vector<std::string>{}) << "TEST_SEED=" << story;
    }
    crossing.shut_down_first();
    EXPECT_EQ(crossing.legs(0), 0u) << "TEST_SEED=" << story;
    EXPECT_EQ(crossing.legs(1), 1u) << "not the same session, TEST_SEED=" << story;
    crossing.leave_second();
    EXPECT_EQ(crossing.rooms(1), 0u) << "an invitation is left, TEST_SEED=" << story;
    if (HasFailure()) {
      for (const auto& line : crossing.log()) std::cerr << line << '\n';
    }
    initiates += crossing.initiates;
    proposals += crossing.proposals;
    ties += crossing.ties;
  }
  if (stories == 1) return;
  std::cout << stories << " stories: " << proposals << " proposals, " << initiates
            << " session-initiates, " << ties << " tie-breaks\n";
  EXPECT_GT(ties, stories / 4) << "they hardly ever crossed";
}

}  // namespace
