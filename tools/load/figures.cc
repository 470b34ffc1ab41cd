#include "tools/load/figures.h"

#include <algorithm>
#include <cmath>

namespace load {
namespace {

using namespace std::chrono_literals;
using call::Json;

// Later than that it is another marker's.
constexpr auto kLatest = 1s;
constexpr std::size_t kDotsToDraw = 2000;

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

Json number(std::uint64_t value) { return Json(static_cast<double>(value)); }

Json sound_of(const Listened& ear) {
  Json::Object object{{"caller", static_cast<double>(ear.caller + 1)},
                      {"talker", ear.talker},
                      {"on_bad_line", ear.on_bad_line},
                      {"markers_expected", number(ear.expected)},
                      {"markers_heard", number(ear.heard)}};
  std::vector<double> ms;
  for (const Delay& delay : ear.delays) ms.push_back(delay.ms);
  object.emplace_back("delay_ms", spread(std::move(ms)));
  if (ear.own_db) object.emplace_back("own_db", *ear.own_db);
  return object;
}

}  // namespace

Json spread(std::vector<double> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  const auto at = [&values](double share) {
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
  };
  return Json::Object{{"count", static_cast<double>(values.size())},
                      {"min", values.front()},
                      {"median", at(0.5)},
                      {"p99", at(0.99)},
                      {"max", values.back()}};
}

Json usage(const ProcessSample& first, const ProcessSample& last, double time_s,
           std::size_t callers) {
  const double percent = 100 * (last.cpu_s - first.cpu_s) / std::max(time_s, 1e-9);
  return Json::Object{{"cpu_percent", percent},
                      {"cpu_percent_per_caller", percent / static_cast<double>(callers)},
                      {"memory_mb", last.memory_mb},
                      {"threads", static_cast<double>(last.threads)}};
}

std::vector<Listened> listened(const Measured& measured, const std::vector<Role>& roles) {
  std::vector<Listened> all;
  for (const HeardBy& ear : measured.ears) {
    const Role& role = roles.at(ear.caller);
    Listened one{.caller = ear.caller, .talker = role.talker, .on_bad_line = role.afflicted};
    for (const SaidMarker& said : measured.said) {
      if (said.room != role.room || (role.marker && said.marker == *role.marker)) continue;
      if (said.at > measured.to - kLatest) continue;
      ++one.expected;
      const auto heard = std::ranges::find_if(ear.heard, [&said](const auto& onset) {
        return onset.marker == said.marker && onset.at >= said.at && onset.at < said.at + kLatest;
      });
      if (heard == ear.heard.end()) continue;
      ++one.heard;
      one.delays.push_back({seconds(said.at - measured.from), 1000 * seconds(heard->at - said.at)});
    }
    if (!ear.own_db.empty()) one.own_db = std::ranges::min(ear.own_db);
    all.push_back(std::move(one));
  }
  return all;
}

Json::Object to_json(const Measured& measured, const std::vector<Role>& roles) {
  const double time_s = std::max(seconds(measured.to - measured.from), 1e-9);
  Traffic total;
  std::vector<double> received, talkers_sent, listeners_sent, reported;
  std::size_t listeners_with_loss = 0;
  std::size_t short_of = 0;
  for (std::size_t i = 0; i < roles.size(); ++i) {
    const Traffic& traffic = measured.traffic.at(i);
    (roles[i].talker ? talkers_sent : listeners_sent)
        .push_back(static_cast<double>(traffic.sent) / time_s);
    if (!roles[i].talker) {
      received.push_back(static_cast<double>(traffic.received) / time_s);
      short_of += received.back() * (roles[i].packet / media::kTick) < 49 ? 1 : 0;
      listeners_with_loss += traffic.lost > 0 ? 1 : 0;
    }
    if (roles[i].afflicted) reported.push_back(100 * traffic.reported_loss);
    total.received += traffic.received;
    total.sent += traffic.sent;
    total.undecryptable += traffic.undecryptable;
    total.dropped += traffic.dropped;
    total.delayed += traffic.delayed;
    total.overtaken += traffic.overtaken;
    total.gaps += traffic.gaps;
    total.gaps_of_two += traffic.gaps_of_two;
    total.lost += traffic.lost;
    total.longest_gap = std::max(total.longest_gap, traffic.longest_gap);
  }
  const auto afflicted = std::ranges::count_if(roles, &Role::afflicted);

  std::vector<double> delays, own_db;
  Json::Array dots, ears;
  std::size_t expected = 0;
  std::size_t heard = 0;
  const std::vector<Listened> listeners = listened(measured, roles);
  const bool all_bad = std::ranges::all_of(listeners, &Listened::on_bad_line);
  for (const Listened& ear : listeners) {
    expected += ear.expected;
    heard += ear.heard;
    if (ear.own_db) own_db.push_back(*ear.own_db);
    ears.push_back(sound_of(ear));
    if (ear.on_bad_line && !all_bad) continue;
    for (const Delay& delay : ear.delays) {
      delays.push_back(delay.ms);
      if (dots.size() < kDotsToDraw) dots.push_back(Json::Array{delay.at_s, delay.ms});
    }
  }
  return {{"measured_s", time_s},
          {"received_per_s", spread(std::move(received))},
          {"listeners_below_49_per_s", number(short_of)},
          {"talkers_sent_per_s", spread(std::move(talkers_sent))},
          {"listeners_sent_per_s", spread(std::move(listeners_sent))},
          {"packets", Json::Object{{"sent", number(total.sent)},
                                   {"received", number(total.received)},
                                   {"undecryptable", number(total.undecryptable)},
                                   {"dropped_by_bad_lines", number(total.dropped)},
                                   {"delayed_by_bad_lines", number(total.delayed)},
                                   {"overtaken", number(total.overtaken)},
                                   {"lost", static_cast<double>(total.lost)}}},
          {"gaps", Json::Object{{"count", number(total.gaps)},
                                {"over_two_packets", number(total.gaps_of_two)},
                                {"longest_ms", 1000 * seconds(total.longest_gap)}}},
          {"bad_lines", static_cast<double>(afflicted)},
          {"listeners_with_loss", number(listeners_with_loss)},
          {"loss_reported_by_mixer_percent", spread(std::move(reported))},
          {"delay_ms", spread(std::move(delays))},
          {"markers", Json::Object{{"said", number(measured.said.size())},
                                   {"expected", number(expected)},
                                   {"heard", number(heard)}}},
          {"own_marker_db", spread(std::move(own_db))},
          {"crowd_late_ms", spread(measured.late_ms)},
          {"sampled", std::move(ears)},
          {"delays", std::move(dots)}};
}

}  // namespace load
