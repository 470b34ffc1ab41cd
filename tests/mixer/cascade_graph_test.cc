// Foci that dial each other in any way, as a graph: each has its Cascade and tells its neighbours
// of everybody but those whom it has from them, at most every 500 ms; documents take their time.
// Laws: what was connected stays connected, by a forest; everybody is listed everywhere once; no
// circle is ever heard; silence follows. TEST_SEED=S runs one seed again.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

#include "mixer/cascade.h"
#include "tests/support/generators.h"
#include "tests/support/sanitized.h"
#include "tests/support/seed.h"

namespace {

using namespace std::chrono_literals;
using media::LegId;
using mixer::Cascade;
using mixer::TimePoint;

constexpr unsigned kTimings = test_support::kSanitized ? 12 : 60;

class Graph {
 public:
  explicit Graph(std::uint64_t seed) : dice(seed) {}

  // `plays_along`: one of ours; else it lists its peers as plain users, tells of nobody behind them
  // and ends nothing. Each has a guest of its own.
  int focus(const std::string& name, bool plays_along = true) {
    nodes_.emplace_back(name, plays_along);
    return static_cast<int>(nodes_.size()) - 1;
  }
  int connect(int a, int b) {
    const int id = static_cast<int>(links_.size());
    links_.push_back({.ends = {End{a}, End{b}}});
    for (const int side : {0, 1}) after(dice.up_to(300ms), [=, this] { add(id, side); });
    return id;
  }
  void cut(int link) {
    for (const int side : {0, 1}) after(dice.up_to(300ms), [=, this] { remove(link, side); });
  }
  void guest(int node, bool there) {
    nodes_[node].guest = there;
    last_change_ = now_;
    touch(node);
  }
  void after(std::chrono::milliseconds time, std::function<void()> what) {
    events_.emplace(now_ + time, std::move(what));
  }
  void run(std::chrono::milliseconds duration) {
    const TimePoint end = now_ + duration;
    while (!events_.empty() && events_.begin()->first <= end) {
      now_ = events_.begin()->first;
      const auto what = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      what();
      ASSERT_TRUE(is_forest([this](int id) { return is_heard(id); })) << "a circle is heard";
    }
    now_ = end;
  }

  bool is_up(int id) const { return links_[id].ends[0].up && links_[id].ends[1].up; }
  bool is_heard(int id) const {
    return std::ranges::all_of(links_[id].ends, [&](const End& end) {
      const Node& node = nodes_[end.node];
      return end.up && (!node.plays_along || node.cascade.settled(end.leg, now_));
    });
  }
  // The component of each node over those links.
  std::vector<int> components(const std::function<bool(int)>& counts) const {
    std::vector<int> of(nodes_.size());
    std::iota(of.begin(), of.end(), 0);
    for (int id = 0; id < static_cast<int>(links_.size()); ++id) {
      if (!counts(id)) continue;
      const int a = of[links_[id].ends[0].node], b = of[links_[id].ends[1].node];
      std::ranges::replace(of, std::max(a, b), std::min(a, b));
    }
    return of;
  }
  bool is_forest(const std::function<bool(int)>& counts) const {
    std::size_t edges = 0;
    for (int id = 0; id < static_cast<int>(links_.size()); ++id) edges += counts(id) ? 1 : 0;
    const std::vector<int> of = components(counts);
    const std::set<int> trees(of.begin(), of.end());
    return edges + trees.size() == nodes_.size();
  }
  // The guests that our node's participants see, with repetitions.
  std::multiset<std::string> listed(int node) const {
    std::multiset<std::string> out;
    if (nodes_[node].guest) out.insert(nodes_[node].guest_uri());
    for (const Link& link : links_) {
      for (const End& end : link.ends) {
        if (end.node != node || !end.up) continue;
        for (const coin::User& user : nodes_[node].cascade.behind(end.leg)) {
          if (user.entity.starts_with("xmpp:guest-")) out.insert(user.entity);
        }
      }
    }
    return out;
  }
  std::multiset<std::string> expected(const std::vector<int>& of, int node) const {
    std::multiset<std::string> out;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (of[i] == of[node] && nodes_[i].guest) out.insert(nodes_[i].guest_uri());
    }
    return out;
  }
  int links() const { return static_cast<int>(links_.size()); }
  int foci() const { return static_cast<int>(nodes_.size()); }
  TimePoint last_change() const { return last_change_; }
  TimePoint last_document() const { return last_document_; }

  test::Dice dice;

 private:
  struct Node {
    Node(const std::string& n, bool p)
        : name(n), plays_along(p), cascade("xmpp:" + n + "@mixer.example") {}
    std::string uri() const { return "xmpp:" + name + "@mixer.example"; }
    std::string guest_uri() const { return "xmpp:guest-" + name + "@example.org"; }
    std::string name;
    bool plays_along;
    bool guest = true;
    Cascade cascade;
  };
  struct End {
    int node = 0;
    LegId leg = {};
    bool up = false, over = false;
    std::optional<coin::ConferenceInfo> sent = {};
    std::uint32_t version = 0;
    TimePoint not_before = {}, arrives = {};
    bool due = false;
  };
  struct Link {
    End ends[2];
  };

  void add(int id, int side) {
    End& end = links_[id].ends[side];
    if (end.up || end.over) return;
    end.up = true;
    end.leg = LegId{++legs_};
    const Node& peer = nodes_[links_[id].ends[1 - side].node];
    nodes_[end.node].cascade.add(end.leg, jid(peer.name + "@mixer.example/focus"), now_);
    changed(end.node);
  }
  void remove(int id, int side) {
    End& end = links_[id].ends[side];
    end.over = true;
    if (!end.up) return;
    end.up = false;
    nodes_[end.node].cascade.remove(end.leg, now_);
    changed(end.node);
  }
  void changed(int node) {
    last_change_ = now_;
    look(node);
    touch(node);
  }
  // What the room does whenever anything may be otherwise.
  void look(int node) {
    if (!nodes_[node].plays_along) return;
    while (const auto leg = nodes_[node].cascade.redundant(now_)) {
      for (int id = 0; id < links(); ++id) {
        for (const int side : {0, 1}) {
          if (links_[id].ends[side].node != node || links_[id].ends[side].leg != *leg) continue;
          remove(id, side);
          after(dice.up_to(300ms), [=, this] { remove(id, 1 - side); });
        }
      }
    }
    if (const auto at = nodes_[node].cascade.next_deadline(now_)) {
      events_.emplace(*at, [=, this] { look(node); });
    }
  }
  void touch(int node) {
    for (int id = 0; id < links(); ++id) {
      for (const int side : {0, 1}) {
        End& end = links_[id].ends[side];
        if (end.node != node || !end.up || end.due) continue;
        end.due = true;
        events_.emplace(std::max(now_, end.not_before), [=, this] { send(id, side); });
      }
    }
  }
  coin::ConferenceInfo document(const Node& node, const End& to) const {
    coin::ConferenceInfo info;
    info.entity = node.uri();
    coin::Users users;
    const auto list = [&](const std::string& entity, const std::string& focus) {
      coin::User user;
      user.entity = entity;
      if (!focus.empty()) user.cascaded_focus = focus;
      users.users.push_back(std::move(user));
    };
    if (node.guest) list(node.guest_uri(), "");
    for (const Link& link : links_) {
      for (const int side : {0, 1}) {
        const End& end = link.ends[side];
        if (&nodes_[end.node] != &node || !end.up) continue;
        const std::string peer = nodes_[link.ends[1 - side].node].uri();
        list(peer, node.plays_along ? peer : "");
        if (!node.plays_along || end.leg == to.leg) continue;
        for (coin::User& user : node.cascade.behind(end.leg)) {
          users.users.push_back(std::move(user));
        }
      }
    }
    info.users = std::move(users);
    return info;
  }
  void send(int id, int side) {
    End& end = links_[id].ends[side];
    end.due = false;
    if (!end.up) return;
    coin::ConferenceInfo info = document(nodes_[end.node], end);
    if (end.sent == info) return;
    end.sent = info;
    info.version = ++end.version;
    end.not_before = now_ + 500ms;
    end.arrives = std::max(end.arrives, now_ + dice.up_to(300ms));
    last_document_ = now_;
    events_.emplace(end.arrives, [=, this] { receive(id, 1 - side, info); });
  }
  void receive(int id, int side, const coin::ConferenceInfo& info) {
    End& end = links_[id].ends[side];
    add(id, side);  // isfocus was said before it
    if (!end.up) return;
    const auto received = nodes_[end.node].cascade.receive(end.leg, info, now_);
    EXPECT_FALSE(received.defect) << *received.defect;
    look(end.node);
    if (received.changed) touch(end.node);
  }
  static jingle::Jid jid(const std::string& text) { return *jingle::Jid::parse(text); }

  std::vector<Node> nodes_;
  std::vector<Link> links_;
  std::multimap<TimePoint, std::function<void()>> events_;
  TimePoint now_{1000s}, last_change_{}, last_document_{};
  std::uint64_t legs_ = 0;
};

std::vector<int> all_components(const Graph& graph) {
  return graph.components([](int) { return true; });
}

// What must hold when all is quiet, where no link was lost.
void check(Graph& graph, const std::vector<int>& connected) {
  const auto up = [&](int id) { return graph.is_up(id); };
  EXPECT_TRUE(graph.is_forest(up)) << "a circle is left";
  EXPECT_EQ(graph.components(up), connected) << "somebody cannot be reached";
  EXPECT_EQ(graph.components([&](int id) { return graph.is_heard(id); }), connected)
      << "a link is never heard";
  EXPECT_LE(graph.last_document() - graph.last_change(), 5s) << "documents go round";
  for (int node = 0; node < graph.foci(); ++node) {
    EXPECT_EQ(graph.listed(node), graph.expected(connected, node)) << "at focus " << node;
  }
}

using Links = std::vector<std::pair<int, int>>;

// For every order of names and many timings.
void try_all(int foci, const Links& links, const std::function<void(Graph&)>& more = {}) {
  for (unsigned seed = 0; seed < kTimings; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Graph graph(seed);
    std::vector<std::string> names = {"a", "b", "c", "d", "e", "f", "g"};
    names.resize(foci);
    std::shuffle(names.begin(), names.end(), std::mt19937(seed));
    for (const std::string& name : names) graph.focus(name);
    for (const auto& [a, b] : links) graph.connect(a, b);
    if (more) more(graph);
    graph.run(60s);
    check(graph, all_components(graph));
    if (testing::Test::HasFailure()) return;
  }
}

TEST(CascadeGraph, ARingIsCutOnceWhateverItsSize) {
  for (const int size : {3, 4, 5, 6, 7}) {
    SCOPED_TRACE(std::to_string(size) + " foci");
    Links ring;
    for (int i = 0; i < size; ++i) ring.emplace_back(i, (i + 1) % size);
    try_all(size, ring);
  }
}

TEST(CascadeGraph, ALinkThatClosesARingOfCallsUnderWayIsHeardOnlyWhenOneIsCut) {
  for (const int size : {3, 5, 7}) {
    Links line;
    for (int i = 0; i + 1 < size; ++i) line.emplace_back(i, i + 1);
    try_all(size, line, [=](Graph& graph) {
      graph.run(30s);
      graph.connect(0, size - 1);
    });
  }
}

TEST(CascadeGraph, TwoLinksAtOnceThatCloseARingTogetherAreNotHeard) {
  for (const int apart : {0, 300, 900, 1500, 2100, 3000}) {
    SCOPED_TRACE(std::to_string(apart) + " ms apart");
    try_all(7, {{0, 1}, {1, 2}, {2, 3}, {4, 5}, {5, 6}}, [=](Graph& graph) {
      graph.run(30s);
      graph.connect(0, 4);
      graph.after(std::chrono::milliseconds(apart), [&graph] { graph.connect(3, 6); });
    });
  }
}

TEST(CascadeGraph, EverybodyDialsEverybody) {
  try_all(4, {{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}});
}

TEST(CascadeGraph, TwoCirclesShareALink) { try_all(4, {{0, 1}, {1, 2}, {2, 0}, {1, 3}, {3, 2}}); }

TEST(CascadeGraph, TwoCirclesShareAFocus) {
  try_all(5, {{0, 1}, {1, 2}, {2, 0}, {0, 3}, {3, 4}, {4, 0}});
}

// What a focus sees by two links may come of a circle that it does not belong to.
TEST(CascadeGraph, ACircleBeyondANeighbourIsNoneOfOurs) {
  try_all(6, {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 2}, {0, 5}});
}

TEST(CascadeGraph, TwoThatDialEachOtherKeepOneOfTwoSessions) {
  try_all(2, {{0, 1}, {1, 0}});
  try_all(3, {{0, 1}, {1, 0}, {1, 2}, {2, 1}, {0, 2}});
}

TEST(CascadeGraph, AFocusThatDoesNotPlayAlongLosesItsSecondLink) {
  for (unsigned seed = 0; seed < kTimings; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Graph graph(seed);
    // Before, between and after the others.
    const int jitsi = graph.focus(std::vector<std::string>{"a", "m", "z"}[seed % 3], false);
    const int b = graph.focus("b"), n = graph.focus("n"), y = graph.focus("y");
    graph.connect(jitsi, b);
    graph.connect(jitsi, n);
    if (seed % 2 == 0) graph.connect(jitsi, y);
    graph.connect(b, y);
    graph.connect(y, n);
    graph.run(60s);
    const auto up = [&](int id) { return graph.is_up(id); };
    EXPECT_TRUE(graph.is_forest(up));
    EXPECT_EQ(graph.components(up), all_components(graph));
    EXPECT_LE(graph.last_document() - graph.last_change(), 5s);
    for (const int node : {b, n, y}) {
      EXPECT_EQ(graph.listed(node), graph.expected(all_components(graph), node));
    }
    if (HasFailure()) return;
  }
}

TEST(CascadeGraph, WhoeverDialsWhomAndWhenAForestRemains) {
  const unsigned first = test_support::test_seed();
  for (unsigned seed = first; seed < first + 300; ++seed) {
    SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
    Graph graph(seed);
    const int foci = 2 + static_cast<int>(graph.dice.below(5));
    std::vector<std::string> names = {"a", "b", "c", "d", "e", "f"};
    names.resize(foci);
    std::shuffle(names.begin(), names.end(), std::mt19937(seed));
    for (const std::string& name : names) graph.focus(name);
    const auto any = [&] { return static_cast<int>(graph.dice.below(foci)); };
    for (std::uint64_t i = graph.dice.below(12); i > 0; --i) {
      const int a = any(), b = any();
      if (a != b) graph.after(graph.dice.up_to(10s), [=, &graph] { graph.connect(a, b); });
    }
    for (std::uint64_t i = graph.dice.below(6); i > 0; --i) {
      const int node = any();
      const bool there = graph.dice.chance(0.5);
      graph.after(graph.dice.up_to(20s), [=, &graph] { graph.guest(node, there); });
    }
    graph.run(60s);
    check(graph, all_components(graph));
    if (HasFailure()) return;
  }
}

// A link may die while another is ended for its sake, and no rule helps; but whatever is left is
// sound, and dialling again brings everybody together.
TEST(CascadeGraph, LinksThatDieAndComeBackLeaveNothingStale) {
  const unsigned first = test_support::test_seed();
  for (unsigned seed = first; seed < first + 200; ++seed) {
    SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
    Graph graph(seed);
    const int foci = 3 + static_cast<int>(graph.dice.below(4));
    std::vector<std::string> names = {"a", "b", "c", "d", "e", "f"};
    names.resize(foci);
    std::shuffle(names.begin(), names.end(), std::mt19937(seed));
    for (const std::string& name : names) graph.focus(name);
    for (int i = 0; i < foci; ++i) graph.connect(i, (i + 1) % foci);
    graph.connect(0, 2);
    for (int i = 0; i < 3; ++i) {
      const int link = static_cast<int>(graph.dice.below(foci));
      graph.after(graph.dice.up_to(10s), [=, &graph] { graph.cut(link); });
    }
    graph.guest(0, false);
    graph.run(60s);
    check(graph, graph.components([&](int id) { return graph.is_up(id); }));
    for (int i = 0; i + 1 < foci; ++i) graph.connect(i, i + 1);
    graph.run(60s);
    check(graph, all_components(graph));
    if (HasFailure()) return;
  }
}

}  // namespace
