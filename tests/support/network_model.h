// tests/support/network_model.h: a network between a sender and a receiver, seeded and faster than
// real time: loss by itself and in bursts, jitter, queues, reordering, duplicates, stalls. Time is
// a parameter.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <utility>
#include <vector>

namespace test_support {

struct NetworkConditions {
  using Time = std::chrono::microseconds;

  Time delay{20'000};
  Time jitter{0};         // uniform, from nothing to this, on top
  bool in_order = false;  // a queue: what is behind a slow packet waits for it
  double loss = 0;        // of a packet by itself
  double burst = 0;       // that a burst of losses begins with a packet
  int burst_packets = 0;  // its length
  double duplicates = 0;  // sent twice; the other one with a jitter of its own
  double reordered = 0;   // overtaken by what is sent within `overtaken`
  Time overtaken{30'000};
  Time stall_every{0}, stall{0};  // nothing gets through for `stall`; then all of it at once
};

template <class Packet>
class NetworkModel {
 public:
  using Time = NetworkConditions::Time;

  explicit NetworkModel(unsigned seed, NetworkConditions conditions = {})
      : random_(seed), conditions_(conditions) {}

  void set(const NetworkConditions& conditions) { conditions_ = conditions; }

  void send(Time at, const Packet& packet) {
    if (lost_left_ > 0) {
      --lost_left_;
      return;
    }
    if (chance(conditions_.burst)) {
      lost_left_ = conditions_.burst_packets - 1;
      return;
    }
    if (chance(conditions_.loss)) return;
    const int copies = chance(conditions_.duplicates) ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) under_way_.emplace(arrival(at), packet);
  }
  // What has come by then, in its order, and when.
  std::vector<std::pair<Time, Packet>> arrivals(Time until) {
    std::vector<std::pair<Time, Packet>> arrived;
    const auto end = under_way_.upper_bound(until);
    for (auto it = under_way_.begin(); it != end; ++it) {
      arrived.emplace_back(it->first, std::move(it->second));
    }
    under_way_.erase(under_way_.begin(), end);
    return arrived;
  }
  std::vector<Packet> receive(Time until) {
    std::vector<Packet> packets;
    for (auto& [came, packet] : arrivals(until)) packets.push_back(std::move(packet));
    return packets;
  }

 private:
  bool chance(double probability) {
    return probability > 0 && std::uniform_real_distribution<>(0, 1)(random_) < probability;
  }
  Time arrival(Time at) {
    Time arrives = at + conditions_.delay;
    if (conditions_.jitter.count() > 0) {
      arrives +=
          Time(std::uniform_int_distribution<Time::rep>(0, conditions_.jitter.count())(random_));
    }
    if (chance(conditions_.reordered)) arrives += conditions_.overtaken;
    if (conditions_.stall_every.count() > 0) {
      const Time into_stall = arrives % conditions_.stall_every;
      if (into_stall < conditions_.stall) arrives += conditions_.stall - into_stall;
    }
    if (conditions_.in_order) arrives = last_ = std::max(arrives, last_);
    return arrives;
  }

  std::mt19937 random_;
  NetworkConditions conditions_;
  std::multimap<Time, Packet> under_way_;  // by arrival
  int lost_left_ = 0;
  Time last_{0};
};

}  // namespace test_support
