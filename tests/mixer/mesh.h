// tests/mixer/mesh.h: several foci, each its own component domain with one room, and plain
// callers, on one simulated clock, joined by a wire of random delays that keeps the order of each
// direction. Who hears whom is reckoned from the mix plans. One thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "coin/diff.h"
#include "mixer/features.h"
#include "tests/support/focus_bench.h"
#include "tests/support/generators.h"

namespace test {

class Mesh {
 public:
  // `names`: of the foci, one letter each; the order of their URIs.
  Mesh(std::uint64_t seed, const std::string& names,
       mixer::Disclose disclose = mixer::Disclose::bare);

  void dial(int from, int to);
  int join(int focus);  // a new caller
  void leave(int caller);
  void say(int caller, const std::string& text);  // to its room; the first caller is a moderator
  // That focus' first connected link dies in the media plane, at both ends.
  void break_link(int focus);
  void after(std::chrono::milliseconds delay, std::function<void()> what) {
    agenda_.emplace(now_ + delay, std::move(what));
  }
  // Callers are checked whenever who hears whom may have changed.
  void pass(std::chrono::milliseconds duration);

  // Pairs of foci with a connected call, once per call.
  std::vector<std::pair<int, int>> links() const;
  // Who is in that caller's assembled roster, with repetitions; foci left out.
  std::multiset<int> listed(int caller) const;
  // The foci in it, by name.
  std::vector<std::string> foci(int caller) const;
  // How often each caller hears that one: {hearer, times}.
  std::map<int, int> heard(int caller) const;
  std::vector<int> callers() const;  // connected
  int focus_of(int caller) const { return callers_[caller].focus; }
  std::size_t legs(int focus) const { return sites_[focus].focus.legs(); }

  // The last document that told its receiver anything (those that heal tell nothing), and the last
  // change of calls, mix plans or people.
  TimePoint last_news() const { return last_news_; }
  TimePoint last_change() const { return last_change_; }
  const std::vector<std::string>& faults() const { return faults_; }
  const std::vector<std::string>& log() const { return log_; }

  Dice dice;

 private:
  struct Site {
    Site(mixer::Config config, std::uint64_t seed)
        : random(seed),
          focus(
              std::move(config), [this] { return random(); }, wall_time) {}
    std::mt19937_64 random;
    mixer::Focus focus;
    FakeEngine engine;
  };
  struct Caller {
    int focus = 0;
    bool in_call = false;
    coin::View view = {};
  };

  std::string domain(int focus) const {
    return std::string("mixer-") + names_[focus] + ".localhost";
  }
  std::string room(int focus) const { return "room@" + domain(focus); }
  static std::string name(int caller) { return "c" + std::to_string(caller); }
  static std::string caller_jid(int caller) { return name(caller) + "@people.localhost/phone"; }
  static std::string sid(int caller) { return "S" + name(caller); }
  std::string ufrag(int focus, media::LegId leg) const {
    return std::string("ice") + names_[focus] + std::to_string(leg.value);
  }

  void handle(int focus, const mixer::Event& event);
  void carry_out(int focus, const mixer::Command& command);
  void send(const std::string& kind, const jingle::Jid& from, const jingle::Jid& to,
            const std::string& attributes, const std::string& payload);
  void deliver(const std::string& text, const jingle::Jid& to);
  void answer(int caller, const jingle::Iq& iq);
  void note_document(const std::string& from, const std::string& to, const std::string& payload);
  void opened(int focus, media::LegId leg);
  void connect(int focus, media::LegId leg);
  bool live(int focus, media::LegId leg) const;
  std::optional<std::pair<int, media::LegId>> other_end(int focus, media::LegId leg) const;
  std::optional<int> caller_at(int focus, media::LegId leg) const;
  std::map<media::LegId, media::LegPlan> plan(int focus) const;
  void mixed(int focus, media::LegId from, std::map<int, int>& out, int depth) const;
  void check_sound();
  std::vector<std::string> names_shown(int caller) const;

  std::string names_;
  std::deque<Site> sites_;
  std::vector<Caller> callers_;
  TimePoint now_{1000s};
  std::multimap<TimePoint, std::function<void()>> agenda_;
  std::map<std::pair<std::string, std::string>, TimePoint> wire_;  // last arrival, by domains
  std::map<std::pair<std::string, std::string>, coin::View> told_;
  TimePoint last_news_{}, last_change_{};
  bool sound_changed_ = false;
  std::vector<std::string> faults_, log_;
};

}  // namespace test
