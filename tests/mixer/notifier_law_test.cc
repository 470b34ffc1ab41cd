// The notifier's laws, over a wire that loses, repeats, delays and refuses.
#include <deque>
#include <functional>
#include <random>

#include "coin/diff.h"
#include "coin/xml.h"
#include "mixer/limits.h"
#include "mixer/notifier.h"
#include "tests/support/focus_bench.h"
#include "tests/support/sanitized.h"
#include "tests/support/seed.h"

namespace {

using namespace std::chrono_literals;
using mixer::TimePoint;
namespace limits = mixer::limits;

// What a byte budget promises: `rate` bytes a second, a burst of some seconds' worth, and of the
// document begun within it the rest.
struct Bucket {
  double rate = 0, level = 0;
  TimePoint at{};
  void pour(std::size_t bytes, TimePoint now) {
    level = std::max(0.0, level - rate * std::chrono::duration<double>(now - at).count());
    at = now;
    EXPECT_LE(level, rate * std::chrono::duration<double>(limits::kCoinBurst).count() + 1);
    level += static_cast<double>(bytes);
  }
};

struct Peer {
  mixer::DocumentForm form = mixer::DocumentForm::standard;
  bool cascaded = false, isfocus = true;
  coin::View view;
  Bucket bytes{limits::kCoinBytesPerReceiver};
  std::optional<mixer::SendIq> in_flight;  // as the notifier must see it
  TimePoint in_flight_since{}, sent{};
  std::uint32_t version = 0;
  int partials = 0;
  bool answered = true, full_next = true;
};

class Wire {
 public:
  Wire(unsigned seed, double rate, std::size_t listed)
      : random_(seed),
        out_([this] { return random_(); }),
        budget_(rate),
        notifier_("room", {}, budget_),
        all_{rate},
        ample_(rate > 1e6 && listed == 0) {
    for (std::uint64_t n = 0; n < listed; ++n) list(1000 + n);
  }

  void join(std::uint64_t n) {
    Peer& peer = peers_[n];
    peer.form = below(2) ? mixer::DocumentForm::jitsi : mixer::DocumentForm::standard;
    list(n);
    notifier_.add({n}, {.local = test::jid("room@mixer.localhost"),
                        .peer = jid(n),
                        .sid = {"S" + std::to_string(n)},
                        .form = peer.form});
    notifier_.touch();
  }

  // Its client turns out to be another.
  void become(std::uint64_t n) {
    Peer& peer = peers_[n];
    peer.form = peer.form == mixer::DocumentForm::jitsi ? mixer::DocumentForm::standard
                                                        : mixer::DocumentForm::jitsi;
    peer.full_next = true;
    peer.answered = false;
    notifier_.add({n}, {.local = test::jid("room@mixer.localhost"),
                        .peer = jid(n),
                        .sid = {"S" + std::to_string(n)},
                        .form = peer.form});
  }

  // Something happens in the room or to the streams.
  void happen() {
    const std::uint64_t n = 1 + below(10);
    const bool in = peers_.contains(n);
    switch (below(10)) {
      case 0:
      case 1:
        if (!in) join(n);
        break;
      case 2:
        if (!in || below(3)) break;
        peers_.erase(n);
        std::erase_if(held_, [&](const auto& entry) { return leg_of(entry.second) == n; });
        roster_.remove({n});
        notifier_.remove({n});
        notifier_.touch();
        break;
      case 3:
        if (!in) break;
        set_cascaded(n, !peers_[n].cascaded);
        break;
      case 4:
        if (in) set_isfocus(n, !peers_[n].isfocus);
        break;
      case 5:
        if (in && peers_[n].isfocus && !below(4)) pull(n);
        if (in && !below(8)) become(n);
        break;
      case 6:
        if (below(8)) break;
        notifier_.connection_down();
        budget_.link_down();
        held_.clear();
        now_ += std::chrono::milliseconds(below(3000));
        notifier_.connection_up(now_);
        for (auto& [leg, peer] : peers_) {
          peer.in_flight.reset();
          peer.full_next = true;
        }
        break;
      default:
        if (in) list(n);
    }
  }

  void run(std::chrono::milliseconds duration) {
    const TimePoint end = now_ + duration;
    while (!testing::Test::HasFailure()) {
      std::optional<TimePoint> next = notifier_.next_deadline();
      for (const auto& [at, iq] : held_) next = next ? std::min(*next, at) : at;
      if (!next || *next > end) break;
      now_ = std::max(now_, *next);
      arrive();
      notifier_.advance(roster_, out_, now_);
      for (auto& command : out_.take()) sent(std::get<mixer::SendIq>(command));
      ASSERT_TRUE(!notifier_.next_deadline() || *notifier_.next_deadline() > now_) << "no progress";
      if (ample_) expect_healed();
    }
    now_ = end;
  }

  // From now on the wire carries everything, and everybody is in the conference.
  void calm_down() {
    faults_ = false;
    for (auto& [n, peer] : peers_) set_isfocus(n, true);
  }
  void expect_truth() {
    for (auto& [n, peer] : peers_) {
      ASSERT_TRUE(peer.view.info() && !peer.view.stale()) << n;
      coin::ConferenceInfo known = *peer.view.info();
      known.version.reset();
      known.sid.reset();
      const auto without = peer.cascaded ? std::optional(media::LegId{n}) : std::nullopt;
      EXPECT_TRUE(known == mixer::shaped(roster_.info(without), peer.form)) << n;
    }
  }

  int documents = 0;
  std::uint64_t below(std::uint64_t end) { return random_() % end; }

 private:
  static jingle::Jid jid(std::uint64_t n) {
    return test::jid("u" + std::to_string(n) + "@a.example/x");
  }
  void list(std::uint64_t n) {
    roster_.set({n}, {.peer = jid(n),
                      .token = "t" + std::to_string(n),
                      .contributor_id = static_cast<std::uint32_t>(n + 1),
                      .plan = {.leg = {}, .in_mix = below(2) == 0, .receives = below(2) == 0}});
    notifier_.touch();
  }
  void set_isfocus(std::uint64_t n, bool isfocus) {
    Peer& peer = peers_[n];
    peer.full_next |= peer.isfocus != isfocus;
    peer.isfocus = isfocus;
    peer.answered = false;  // a full one is to come
    notifier_.set_isfocus({n}, isfocus);
  }
  // Behind each cascaded receiver are users that it is not told of.
  void set_cascaded(std::uint64_t n, bool cascaded) {
    peers_[n].cascaded = cascaded;
    notifier_.set_cascaded({n}, cascaded);
    std::vector<coin::User> behind(cascaded ? below(3) : 0);
    for (std::size_t i = 0; i < behind.size(); ++i) {
      behind[i].entity = "xmpp:Behind" + std::to_string(n + i) + "@b.example";
      behind[i].endpoints.emplace_back().entity = behind[i].entity + "/" + std::to_string(n);
      behind[i].endpoints[0].status = coin::EndpointStatus::connected;
    }
    const std::string conference = "xmpp:focus" + std::to_string(n) + "@b.example";
    roster_.set_cascade({n}, cascaded ? conference : "", std::move(behind));
    notifier_.touch();
  }

  void pull(std::uint64_t n) {
    const auto text = notifier_.pull({n}, roster_, now_);
    if (!text) return;
    Peer& peer = peers_[n];
    give_up(peer);
    peer.full_next = false;
    read(peer, *text);
    const auto info = coin::parse(*text);
    EXPECT_EQ(info->state, coin::State::full);
    peer.view.receive(*info);
    peer.sent = now_;
  }
  void give_up(Peer& peer) {
    if (!peer.in_flight || now_ - peer.in_flight_since < limits::kCoinReplyTimeout) return;
    peer.in_flight.reset();
    peer.full_next = true;
  }
  // What holds for all that is said to one peer, whatever becomes of it.
  void read(Peer& peer, const std::string& text) {
    ++documents;
    const auto info = coin::parse(text);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->version, ++peer.version);
    EXPECT_TRUE(info->description && info->users);
    EXPECT_LE(text.size(), limits::kMaxDocumentBytes);
    EXPECT_TRUE(peer.isfocus);
    EXPECT_TRUE(!peer.full_next || info->state == coin::State::full);
    peer.full_next = false;
    peer.partials = info->state == coin::State::full ? 0 : peer.partials + 1;
    if (ample_) {
      EXPECT_LE(peer.partials, limits::kCoinPartialsInARow);
    }
    peer.bytes.pour(text.size(), now_);
    all_.pour(text.size(), now_);
  }
  void sent(const mixer::SendIq& iq) {
    const std::uint64_t n = leg_of(iq);
    Peer& peer = peers_.at(n);
    EXPECT_GE(now_ - peer.sent, 500ms) << "more than two a second";
    give_up(peer);
    EXPECT_FALSE(peer.in_flight);
    read(peer, iq.payload);
    peer.in_flight = iq;
    peer.in_flight_since = peer.sent = now_;
    peer.answered = false;
    switch (faults_ ? below(12) : 11) {
      case 0: break;  // lost
      case 1:         // acknowledged, but a partial not applied; a full one needs nothing before it
        if (peer.partials == 0) deliver(iq);
        answer(iq, nullptr);
        break;
      case 2: deliver(iq); break;  // the answer is lost
      case 3: deliver(iq), deliver(iq), answer(iq, nullptr); break;
      case 4: {
        static const jingle::StanzaError wait{"wait", "resource-constraint", {}, {}, {}};
        answer(iq, &wait);
        break;
      }
      case 5: held_.emplace_back(now_ + std::chrono::milliseconds(below(8000)), iq); break;
      default: deliver(iq), answer(iq, nullptr);
    }
  }
  void arrive() {
    for (auto at = held_.begin(); at != held_.end();) {
      if (at->first > now_) {
        ++at;
        continue;
      }
      const mixer::SendIq iq = std::move(at->second);
      at = held_.erase(at);
      deliver(iq);
      answer(iq, nullptr);
    }
  }
  void deliver(const mixer::SendIq& iq) {
    const auto peer = peers_.find(leg_of(iq));
    if (peer != peers_.end()) peer->second.view.receive(coin::parse(iq.payload).value());
  }
  void answer(const mixer::SendIq& iq, const jingle::StanzaError* error) {
    const std::uint64_t n = leg_of(iq);
    budget_.answered(iq.id, now_);
    notifier_.answered({n}, iq.id, error, now_);
    const auto found = peers_.find(n);
    if (found == peers_.end() || !found->second.in_flight) return;
    Peer& peer = found->second;
    if (peer.in_flight->id != iq.id) return;
    peer.in_flight.reset();
    peer.full_next |= error != nullptr;
    peer.answered = error == nullptr;
  }
  static std::uint64_t leg_of(const mixer::SendIq& iq) {
    return std::stoull(iq.to.str().substr(1));
  }
  // Nobody is left with partials alone for longer than the bound.
  void expect_healed() {
    for (const auto& [n, peer] : peers_) {
      if (!peer.isfocus || !peer.answered || peer.partials == 0) continue;
      // What another audience is told is published within the half second.
      EXPECT_LE(now_ - peer.sent, limits::kCoinHealAfter + 500ms) << n;
    }
  }

  std::mt19937_64 random_;
  mixer::Outbox out_;
  mixer::ByteBudget budget_;
  mixer::Roster roster_{test::jid("room@mixer.localhost"), {}};
  mixer::Notifier notifier_;
  std::map<std::uint64_t, Peer> peers_;
  std::deque<std::pair<TimePoint, mixer::SendIq>> held_;
  Bucket all_;
  TimePoint now_{1000s};
  bool faults_ = true;
  bool ample_;  // no budget stands in the way of healing
};

// The bound is the healing's 60 s, after at most 60 s of backing off and 5 s of waiting.
TEST(NotifierLaw, EveryViewEqualsTheTruthWhateverTheWireDid) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  int documents = 0;
  constexpr unsigned kRuns = test_support::kSanitized ? 30 : 300;
  for (unsigned i = 0; i < kRuns && !HasFailure(); ++i) {
    Wire wire(seed + i, 4e6, 0);
    for (int step = 0; step < 80; ++step) {
      wire.happen();
      wire.run(std::chrono::milliseconds(wire.below(step % 20 ? 3000 : 70'000)));
    }
    wire.calm_down();
    wire.run(130s);
    wire.expect_truth();
    documents += wire.documents;
  }
  EXPECT_GE(documents, static_cast<int>(kRuns) * 66);
}

// Few bytes and rosters of several stanzas: whatever has to wait, the budgets hold, and in the end
// everybody knows.
TEST(NotifierLaw, TheBudgetsHoldAndTheTruthComesLater) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  constexpr unsigned kRuns = test_support::kSanitized ? 4 : 20;
  for (unsigned i = 0; i < kRuns && !HasFailure(); ++i) {
    const std::size_t listed = i % 10 == 0 ? 1500 : 0;
    Wire wire(seed + i, listed ? 1e6 : 4e3, listed);
    for (int step = 0; step < 60; ++step) {
      wire.happen();
      wire.run(std::chrono::milliseconds(wire.below(3000)));
    }
    wire.calm_down();
    wire.run(1200s);
    wire.expect_truth();
  }
}

// A server that reads slowly what waits before it, first in, first out: one room of many.
class SlowLink {
 public:
  SlowLink(std::uint64_t callers, double rate) : rate_(rate) {
    for (std::uint64_t n = 1; n <= callers; ++n) {
      set(n, true);
      known_[n] = nothing_;
      notifier_.add({n}, {.local = test::jid("room@mixer.localhost"),
                          .peer = jid(n),
                          .sid = {"S" + std::to_string(n)}});
    }
  }
  void set(std::uint64_t n, bool in_mix) {
    roster_.set({n}, {.peer = jid(n),
                      .token = "t" + std::to_string(n),
                      .contributor_id = static_cast<std::uint32_t>(n),
                      .plan = {.leg = {}, .in_mix = in_mix, .receives = true}});
    notifier_.touch();
  }
  // Somebody alone in a room of his own.
  void join_small_room(std::uint64_t n) {
    small_roster_.set({n}, {.peer = jid(n), .token = "t", .contributor_id = 1, .plan = {}});
    known_[n] = nothing_;
    small_.add({n}, {.local = test::jid("small@mixer.localhost"), .peer = jid(n), .sid = {"S"}});
  }
  bool knows_anything(std::uint64_t n) { return known_.at(n)->view.info().has_value(); }
  bool all_know_the_truth() {
    const coin::ConferenceInfo truth = roster_.info();
    std::set<const Known*> right;
    for (const auto& [n, known] : known_) {
      if (n >= kInSmallRoom) break;
      if (right.contains(known.get())) continue;
      if (!known->view.info()) return false;
      coin::ConferenceInfo assembled = *known->view.info();
      assembled.version.reset();
      assembled.sid.reset();
      if (assembled != truth) return false;
      right.insert(known.get());
    }
    return true;
  }
  void run_until(const std::function<bool()>& done, std::chrono::seconds within) {
    const TimePoint end = now_ + within;
    for (; now_ < end && !testing::Test::HasFailure(); now_ += 10ms) {
      notifier_.advance(roster_, out_, now_);
      small_.advance(small_roster_, out_, now_);
      for (auto& command : out_.take()) put(std::get<mixer::SendIq>(std::move(command)));
      most = std::max(most, waiting_);
      drain();
      if (now_.time_since_epoch().count() % 1'000'000'000 == 0 && done()) return;
    }
    ADD_FAILURE() << "not within " << within.count() << " s";
  }

  static constexpr std::uint64_t kInSmallRoom = 10'000;
  std::size_t most = 0;  // that waited
  std::size_t bytes = 0;
  int full = 0;

 private:
  // A roster that several know: read once, for all who knew the same and are told the same.
  struct Known {
    coin::View view;
    std::map<std::string, std::weak_ptr<Known>> next;
  };
  static jingle::Jid jid(std::uint64_t n) {
    return test::jid("u" + std::to_string(n) + "@a.example/x");
  }
  void put(mixer::SendIq iq) {
    waiting_ += iq.payload.size();
    bytes += iq.payload.size();
    link_.push_back(std::move(iq));
  }
  void drain() {
    credit_ = std::min(credit_ + rate_ / 100, link_.empty() ? 0 : 1e9);
    while (!link_.empty() && credit_ >= static_cast<double>(link_.front().payload.size())) {
      const mixer::SendIq iq = std::move(link_.front());
      link_.pop_front();
      waiting_ -= iq.payload.size();
      credit_ -= static_cast<double>(iq.payload.size());
      read(std::stoull(iq.to.str().substr(1)), iq.payload);
      const auto awaited = out_.answered(iq.id, iq.to);
      ASSERT_TRUE(awaited);
      budget_.answered(iq.id, now_);
      (awaited->room == "small" ? small_ : notifier_).answered(awaited->leg, iq.id, nullptr, now_);
    }
  }
  void read(std::uint64_t n, const std::string& payload) {
    auto& known = known_.at(n);
    const std::string said = payload.substr(payload.find("<conference-description"));
    const bool is_full = payload.find("state=\"full\"") < payload.find("<conference-description");
    full += is_full;
    auto next = known->next[said].lock();
    if (!next) {
      next = std::make_shared<Known>();
      next->view = known->view;
      auto info = coin::parse(payload).value();
      // Each session counts its own; those who know the same may have been told in more documents.
      info.version = known->view.info() ? *known->view.info()->version + 1 : 1;
      ASSERT_EQ(next->view.receive(info), coin::View::Outcome::applied);
      known->next[said] = next;
    }
    known = next;
  }

  double rate_, credit_ = 0;
  std::mt19937_64 random_{1};
  mixer::Outbox out_{[this] { return random_(); }};
  mixer::ByteBudget budget_{limits::kCoinBytesPerProcess};
  mixer::Roster roster_{test::jid("room@mixer.localhost"), {}};
  mixer::Notifier notifier_{"room", {}, budget_};
  mixer::Roster small_roster_{test::jid("small@mixer.localhost"), {}};
  mixer::Notifier small_{"small", {}, budget_};
  std::deque<mixer::SendIq> link_;
  std::size_t waiting_ = 0;
  std::shared_ptr<Known> nothing_ = std::make_shared<Known>();
  std::map<std::uint64_t, std::shared_ptr<Known>> known_;
  TimePoint now_{1000s};
};

// Nobody's first document is sent again because the link was slow, the link is never given more
// than it carries in the reply time-out, and all is said in little more than the time that takes.
TEST(NotifierLaw, OneLargeRoomOverASlowLinkComesTrueInTheTimeTheLinkTakes) {
  constexpr std::uint64_t kCallers = test_support::kSanitized ? 200 : 600;
  for (const double rate : {200e3, 1e6}) {
    SCOPED_TRACE(std::to_string(rate) + " bytes a second");
    SlowLink link(kCallers, rate);
    const auto all_know = [&] { return link.all_know_the_truth(); };
    const std::size_t roster = kCallers * 400;
    const std::chrono::seconds least(
        static_cast<int>(static_cast<double>(kCallers * roster) / rate) + 10);
    link.run_until(all_know, 2 * least);
    EXPECT_EQ(link.full, static_cast<int>(kCallers));
    link.set(1, false);
    link.run_until(all_know, 2 * least);
    EXPECT_LE(static_cast<double>(link.most),
              std::max<double>(2 * rate, limits::kCoinWindowAtFirst) + limits::kMaxDocumentBytes);
  }
}

// However much the large room still has to say, and whichever is asked first.
TEST(NotifierLaw, OneLargeRoomsStormKeepsNoSmallRoomWaiting) {
  SlowLink link(test_support::kSanitized ? 200 : 600, 400e3);
  link.run_until([&] { return link.bytes > 3'000'000; }, 20s);
  link.join_small_room(SlowLink::kInSmallRoom);
  link.run_until([&] { return link.knows_anything(SlowLink::kInSmallRoom); }, 5s);
  EXPECT_FALSE(link.all_know_the_truth()) << "the storm must be on";
}

}  // namespace
