// Two calls against each other: one dialled, one answered, joined by a wire that loses nothing and
// keeps the order of each direction, as XMPP does, but takes its time.
//
// Laws, whatever either side does and whenever: no request of theirs is out of order, at most the
// session is gone; who has ended is silent; both end or both talk; both hold the same of the
// stream; every leg is closed once.
#include <deque>
#include <functional>
#include <map>
#include <random>

#include "mixer/call.h"
#include "mixer/reasons.h"
#include "tests/support/focus_bench.h"

namespace {

using namespace test;
using coin::EndpointStatus;
using mixer::Call;

struct Side {
  Side(const char* own_jid, const char* other_jid, jingle::Role its_role, mixer::Random random)
      : own(jid(own_jid)), other(jid(other_jid)), role(its_role), out(std::move(random)) {}

  jingle::Jid own, other;
  jingle::Role role;
  mixer::Outbox out;
  FakeEngine engine;
  std::optional<Call> call;
  std::map<std::string, int> asked;  // ids of our requests -> answers
  TimePoint arrives{};               // of what this side sent last
  bool held = false, muted = false;  // by the other side's user
  bool refuses = false;
  int initiates = 0, accepts = 0, terminates = 0;

  media::LegId leg() const { return media::LegId{role == jingle::Role::initiator ? 1u : 2u}; }
  bool live() const { return call && !call->ended(); }
};

class Pair {
 public:
  explicit Pair(unsigned seed)
      : random_(seed),
        dialler_("a@m/focus", "b@m/focus", jingle::Role::initiator, [this] { return random_(); }),
        callee_("b@m/focus", "a@m/focus", jingle::Role::responder, [this] { return random_(); }) {
    callee_.refuses = chance(5);
    slow_ = chance(10);
    make(dialler_, {});
    flush(dialler_);
    const int actions = static_cast<int>(random_() % 30);
    for (int i = 0; i < actions; ++i) {
      later(ms(chance(70) ? 6000 : 60000), [this] { act(chance(50) ? dialler_ : callee_); });
    }
    run();
  }

  void check() {
    for (Side* side : {&dialler_, &callee_}) {
      for (const std::string& fault : side->engine.faults()) ADD_FAILURE() << fault;
      for (const auto& [id, answers] : side->asked) EXPECT_EQ(answers, 1) << id;
      EXPECT_LE(side->initiates, 1);
      EXPECT_LE(side->accepts, 1);
      EXPECT_LE(side->terminates, 1);
      EXPECT_EQ(side->engine.opened_count(), side->call ? 1u : 0u);
      EXPECT_EQ(side->engine.close_count(), side->call && side->call->ended() ? 1u : 0u);
    }
    ASSERT_EQ(dialler_.live(), callee_.live());
    if (!dialler_.live()) return;
    for (Side* side : {&dialler_, &callee_}) {
      ASSERT_TRUE(side->call->accepted() && side->call->connected());
      const auto participant = side->call->participant();
      EXPECT_EQ(participant.status,
                side->held ? EndpointStatus::on_hold : EndpointStatus::connected);
      EXPECT_EQ(participant.plan.in_mix, !side->held && !side->muted);
      EXPECT_FALSE(side->call->next_deadline()) << "nothing is left to wait for";
    }
    const auto& here = *dialler_.engine.legs().at(dialler_.leg()).spec.remote;
    const auto& there = *callee_.engine.legs().at(callee_.leg()).spec.remote;
    EXPECT_EQ(here.rtp, there.rtp);
    EXPECT_NE(here.our_role, there.our_role);
    EXPECT_EQ(here.ice.ufrag, "ufrag2");
    EXPECT_EQ(there.ice.ufrag, "ufrag1");
  }

  bool talks() const { return dialler_.live(); }
  bool crossed() const { return dialler_.terminates > 0 && callee_.terminates > 0; }
  const std::string& ended_by() const { return ended_by_; }

 private:
  bool chance(unsigned percent) { return random_() % 100 < percent; }
  std::chrono::milliseconds ms(unsigned most) {
    return std::chrono::milliseconds(random_() % most);
  }
  Side& other(const Side& side) { return &side == &dialler_ ? callee_ : dialler_; }
  void later(std::chrono::milliseconds delay, std::function<void()> what) {
    agenda_.emplace(now_ + delay, std::move(what));
  }
  void on_the_wire(Side& from, std::function<void()> what) {
    from.arrives = std::max(from.arrives, now_ + ms(slow_ ? 20000 : 500));
    agenda_.emplace(from.arrives, std::move(what));
  }

  void make(Side& side, mixer::Agreement agreed) {
    side.call.emplace(Call::Setup{.room = "room",
                                  .sid = {"S"},
                                  .local = side.own,
                                  .peer = side.other,
                                  .focus = side.own,
                                  .media_room = {},
                                  .leg = side.leg(),
                                  .contributor_id = 1,
                                  .role = side.role,
                                  .agreed = std::move(agreed)},
                      side.out, now_);
  }

  void run() {
    while (true) {
      Side* due = nullptr;
      for (Side* side : {&dialler_, &callee_}) {
        if (!side->live() || !side->call->next_deadline()) continue;
        if (!due || *side->call->next_deadline() < *due->call->next_deadline()) due = side;
      }
      if (due && (agenda_.empty() || *due->call->next_deadline() < agenda_.begin()->first)) {
        now_ = std::max(now_, *due->call->next_deadline());
        due->call->advance(due->out, now_);
        flush(*due);
      } else if (!agenda_.empty()) {
        now_ = agenda_.begin()->first;
        auto node = agenda_.extract(agenda_.begin());
        node.mapped()();
      } else {
        return;
      }
    }
  }

  // What a side wants done: on the wire, and by its engine.
  void flush(Side& side) {
    if (side.call && side.call->ended() && ended_by_.empty()) {
      ended_by_ = side.call->record(now_).reason.condition;
    }
    for (const auto& command : side.out.take()) {
      if (const auto* open = std::get_if<mixer::OpenLeg>(&command)) {
        side.engine.open_leg(open->spec);
        later(ms(slow_ ? 50000 : 300), [this, &side] { opened(side); });
        if (open->spec.remote) talk_soon(side);
      } else if (const auto* connect = std::get_if<mixer::ConnectLeg>(&command)) {
        side.engine.connect_leg(connect->leg, connect->remote);
        talk_soon(side);
      } else if (const auto* close = std::get_if<mixer::CloseLeg>(&command)) {
        side.engine.close_leg(close->leg);
      } else if (const auto* iq = std::get_if<mixer::SendIq>(&command)) {
        send(side, *iq);
      }
    }
  }
  void opened(Side& side) {
    if (!side.live()) return;
    if (chance(3))
      return event(side, [&] { side.call->leg_failed({side.leg(), {}, ""}, side.out, now_); });
    event(side, [&] { side.call->opened(side.engine.opened(side.leg()), side.out, now_); });
  }
  // Both legs must know of each other before sound can flow.
  void talk_soon(Side& side) {
    later(500ms + ms(3000), [this, &side] {
      const auto knows = [](const Side& s) {
        return s.live() && s.engine.legs().at(s.leg()).spec.remote.has_value();
      };
      if (!side.live() || side.call->connected()) return;
      if (!knows(other(side)) || !side.call->accepted()) return talk_soon(side);
      if (chance(3)) {
        return event(side, [&] {
          side.call->leg_failed({side.leg(), media::LegFailure::ice_failed, ""}, side.out, now_);
        });
      }
      event(side,
            [&] { side.call->leg_connected(side.engine.connected(side.leg()), side.out, now_); });
    });
  }
  void event(Side& side, const std::function<void()>& what) {
    what();
    flush(side);
  }

  void send(Side& side, const mixer::SendIq& iq) {
    EXPECT_TRUE(side.asked.emplace(iq.id, 0).second) << "an id used twice";
    const auto xml = jingle::Xml::parse(iq.payload);
    const auto request = jingle::parse_jingle(xml->root());
    ASSERT_TRUE(request) << iq.payload;
    const auto action = jingle::action_of(request->payload);
    EXPECT_EQ(side.terminates, 0) << "who has ended is silent: " << iq.payload;
    side.initiates += action == jingle::Action::session_initiate;
    side.accepts += action == jingle::Action::session_accept;
    side.terminates += action == jingle::Action::session_terminate;
    on_the_wire(side, [this, &side, id = iq.id, payload = request->payload] {
      Side& there = other(side);
      const auto error = received(there, payload);
      on_the_wire(there, [this, &side, id, error] { answered(side, id, error); });
      flush(there);  // what follows from a request comes after its answer
    });
  }
  std::optional<jingle::StanzaError> received(Side& side, const jingle::Payload& payload) {
    if (const auto* initiate = std::get_if<jingle::SessionInitiate>(&payload)) {
      if (side.refuses) return jingle::service_unavailable();
      auto agreed = mixer::negotiate(*initiate, 32000);
      EXPECT_TRUE(agreed);
      make(side, std::move(*agreed));
      return std::nullopt;
    }
    if (!side.call) return jingle::unknown_session();
    const auto error = side.call->receive(payload, side.out, now_);
    if (const auto* info = std::get_if<jingle::SessionInfo>(&payload); info && !error) {
      if (const auto* rtp = std::get_if<jingle::RtpInfo>(&info->payload)) {
        if (std::holds_alternative<jingle::Hold>(*rtp)) side.held = true;
        if (std::holds_alternative<jingle::Unhold>(*rtp)) side.held = false;
        if (std::holds_alternative<jingle::Mute>(*rtp)) side.muted = true;
        if (std::holds_alternative<jingle::Unmute>(*rtp)) side.muted = false;
      }
    }
    return error;
  }
  void answered(Side& side, const std::string& id, std::optional<jingle::StanzaError> error) {
    ++side.asked.at(id);
    const auto awaited = side.out.answered(id, side.other);
    if (!error) return;
    EXPECT_TRUE(*error == jingle::unknown_session() || other(side).refuses)
        << error->condition << "/" << error->app_name;
    if (awaited && side.live()) side.call->refused(*error, awaited->purpose, side.out);
    flush(side);
  }

  // What a side's user, engine or room comes up with.
  void act(Side& side) {
    if (!side.live()) return;
    const bool known_there = side.role == jingle::Role::responder || side.initiates > 0;
    const auto say = [&](jingle::RtpInfo info) {
      if (known_there) side.out.jingle(side.own, side.other, {{"S"}, jingle::SessionInfo{info}});
    };
    switch (random_() % 9) {
      case 0: say(jingle::Hold{}); break;
      case 1: say(jingle::Unhold{}); break;
      case 2: say(jingle::Mute{"initiator", chance(50) ? "audio" : ""}); break;
      case 3: say(jingle::Unmute{"initiator", "audio"}); break;
      case 4: say(jingle::Ringing{}); break;
      case 5:
      case 6:
        if (side.engine.legs().at(side.leg()).opened) {
          side.call->gathered({side.leg(), side.engine.opened(side.leg()).candidates}, side.out);
        }
        break;
      case 7:
        if (side.call->accepted()) side.call->say_isfocus(chance(50), side.out);
        break;
      case 8:
        if (chance(20)) side.call->end(mixer::reasons::nothing_left(), side.out);
        break;
    }
    flush(side);
  }

  std::mt19937_64 random_;
  TimePoint now_{1000s};
  std::multimap<TimePoint, std::function<void()>> agenda_;
  Side dialler_, callee_;
  bool slow_ = false;
  std::string ended_by_;
};

TEST(CallPair, EndsInTheSameStateWhateverEitherSideDoes) {
  int talking = 0, crossed = 0;
  std::map<std::string, int> reasons;
  for (unsigned seed = 1; seed <= 2000 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Pair pair(seed);
    pair.check();
    talking += pair.talks();
    crossed += pair.crossed();
    if (!pair.talks()) ++reasons[pair.ended_by()];
  }
  // The cases that matter did occur.
  EXPECT_GT(talking, 500);
  EXPECT_GT(crossed, 5);
  for (const char* reason : {"success", "gone", "timeout", "failed-transport"}) {
    EXPECT_GT(reasons[reason], 10) << reason;
  }
}

}  // namespace
