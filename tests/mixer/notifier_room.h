// tests/mixer/notifier_room.h: a room's notifier, its roster, and receivers that apply what they
// are sent.
#pragma once

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "coin/diff.h"
#include "coin/xml.h"
#include "mixer/notifier.h"
#include "tests/support/focus_bench.h"

namespace test {

using mixer::TimePoint;

struct Room {
  explicit Room(mixer::Config::Coin config = {}, double rate = 4e6)
      : budget(rate),
        notifier("room", config, budget),
        random(1),
        out([this] { return random(); }) {}

  mixer::Roster roster{test::jid("room@mixer.localhost"), {}};
  mixer::ByteBudget budget;
  mixer::Notifier notifier;
  std::mt19937_64 random;
  mixer::Outbox out;
  TimePoint now{1000s};
  std::map<std::string, coin::View> views;
  std::map<std::string, std::vector<coin::ConferenceInfo>> received;
  std::vector<mixer::SendIq> last;
  std::set<std::string> deaf;  // never answer

  static std::string peer(std::uint64_t n) { return "u" + std::to_string(n) + "@a.example/x"; }

  void join(std::uint64_t n, bool announced = true, bool pushed = true) {
    set(n, {.leg = {}, .in_mix = true, .receives = true});
    notifier.add({n}, {.local = test::jid("room@mixer.localhost"),
                       .peer = test::jid(peer(n)),
                       .sid = {"S" + std::to_string(n)},
                       .pushed = pushed,
                       .announced = announced});
  }
  void set(std::uint64_t n, media::LegPlan plan) {
    if (roster.set({n}, {.peer = test::jid(peer(n)),
                         .token = "t" + std::to_string(n),
                         .contributor_id = static_cast<std::uint32_t>(n),
                         .plan = plan})) {
      notifier.touch();
    }
  }
  void leave(std::uint64_t n) {
    if (roster.remove({n})) notifier.touch();
    notifier.remove({n});
    views.erase(peer(n));
    received.erase(peer(n));
  }
  // Sends what is due now; hearers apply and acknowledge.
  void step() {
    notifier.advance(roster, out, now);
    last.clear();
    for (auto& command : out.take()) last.push_back(std::get<mixer::SendIq>(command));
    for (const auto& iq : last) {
      const std::string to = iq.to.str();
      if (deaf.contains(to)) {
        views.erase(to);  // without this document it knows nothing for certain
        continue;
      }
      auto info = coin::parse(iq.payload);
      ASSERT_TRUE(info) << iq.payload;
      EXPECT_EQ(views[to].receive(*info), coin::View::Outcome::applied) << iq.payload;
      received[to].push_back(*info);
      answer(iq);
    }
  }
  // Also of who has left.
  void answer(const mixer::SendIq& iq, const jingle::StanzaError* error = nullptr) {
    const auto awaited = out.answered(iq.id, iq.to);
    ASSERT_TRUE(awaited);
    budget.answered(iq.id, now);
    notifier.answered(awaited->leg, iq.id, error, now);
  }
  void run(std::chrono::milliseconds duration) {
    const TimePoint end = now + duration;
    while (notifier.next_deadline() && *notifier.next_deadline() <= end) {
      now = std::max(now, *notifier.next_deadline());
      step();
      ASSERT_TRUE(!notifier.next_deadline() || *notifier.next_deadline() > now) << "no progress";
    }
    now = end;
  }
  // What that receiver has assembled is the truth (versions and sids are each session's own).
  bool knows_the_truth(std::uint64_t n) {
    if (!views[peer(n)].info() || views[peer(n)].stale()) return false;
    coin::ConferenceInfo assembled = *views[peer(n)].info();
    assembled.version.reset();
    assembled.sid.reset();
    return assembled == roster.info();
  }
  int documents(std::uint64_t n) { return static_cast<int>(received[peer(n)].size()); }
  coin::State last_state(std::uint64_t n) { return received[peer(n)].back().state; }
};

}  // namespace test
