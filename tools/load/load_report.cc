// A load test's report: what is noted while it goes on, and what becomes of it.
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "tools/load/figures.h"
#include "tools/load/load.h"

namespace load {
namespace {

using call::Json;

Json to_json(const std::map<std::string, unsigned>& counts) {
  Json::Object object;
  for (const auto& [what, count] : counts) object.emplace_back(what, static_cast<double>(count));
  return object;
}

const char* name_of(Options::Listeners listeners) {
  switch (listeners) {
    case Options::Listeners::dtx: return "dtx";
    case Options::Listeners::noise: return "noise";
    case Options::Listeners::none: return "none";
  }
  return "";
}

const char* name_of(Options::Afflicted afflicted) {
  switch (afflicted) {
    case Options::Afflicted::all: return "all";
    case Options::Afflicted::listeners: return "listeners";
    case Options::Afflicted::talkers: return "talkers";
  }
  return "";
}

// What went wrong because it was asked for.
Json injected(const Options& options) {
  return Json::Object{{"loss_percent", 100 * options.line.loss},
                      {"burst", options.line.burst},
                      {"jitter_ms", static_cast<double>(options.line.jitter.count()) / 1000},
                      {"reorder_percent", 100 * options.line.reorder},
                      {"afflicted", name_of(options.afflicted)},
                      {"afflicted_percent", 100 * options.afflicted_share},
                      {"muted", options.muted},
                      {"silence_s", static_cast<double>(options.silence.count()) / 1000},
                      {"vanish_percent", 100 * options.vanish_share},
                      {"rejoin_percent", 100 * options.rejoin_share},
                      {"churn_per_s", options.churn}};
}

}  // namespace

void Load::on_second(const Second& second) {
  const std::chrono::duration<double> t = second.at - start_;
  std::size_t over = 0;
  for (const Slot& slot : slots_) over += slot.caller && slot.caller->finished() ? 1 : 0;
  constexpr const char* kNames[] = {"connecting", "joining", "settling",
                                    "measuring",  "leaving", "over"};
  const char* phase = kNames[static_cast<std::size_t>(phase_)];
  progress_({.phase = phase,
             .t = t.count(),
             .callers = slots_.size(),
             .connected = second.connected,
             .over = over,
             .least_received = second.least,
             .documents = coin_.documents()});
  Json::Object entry{{"t", t.count()},
                     {"phase", phase},
                     {"connected", static_cast<double>(second.connected)},
                     {"received_min", static_cast<double>(second.least)},
                     {"received_median", static_cast<double>(second.median)},
                     {"received_max", static_cast<double>(second.most)},
                     {"coin_bytes", static_cast<double>(coin_.bytes())}};
  if (const auto own = sample_process(getpid())) entry.emplace_back("own_cpu_s", own->cpu_s);
  if (const auto watched =
          options_.watch_pid > 0 ? sample_process(options_.watch_pid) : std::nullopt) {
    entry.emplace_back("watched_cpu_s", watched->cpu_s);
    entry.emplace_back("watched_memory_mb", watched->memory_mb);
  }
  timeline_.emplace_back(std::move(entry));
}

void Load::sample_processes(bool first) {
  if (const auto own = sample_process(getpid())) (first ? own_first_ : own_last_) = *own;
  if (options_.watch_pid > 0) {
    (first ? watched_first_ : watched_last_) = sample_process(options_.watch_pid);
  }
}

Json Load::report() {
  const Measured measured = crowd_.finish();
  const double time_s = std::chrono::duration<double>(measured.to - measured.from).count();
  const std::chrono::duration<double> from = measured.from - start_;
  Json::Object report{{"seed", static_cast<double>(options_.seed)},
                      {"callers", options_.callers},
                      {"talkers", options_.talkers},
                      {"rooms", options_.rooms},
                      {"listeners", name_of(options_.listeners)},
                      {"ptime_ms", static_cast<double>(options_.ptime.count())},
                      {"injected", injected(options_)},
                      {"calls", Json::Object{{"connected", static_cast<double>(join_ms_.size())},
                                             {"ended_as_asked", static_cast<double>(succeeded_)},
                                             {"refused", to_json(refused_)},
                                             {"failed", to_json(failed_)},
                                             {"ended_by_mixer", to_json(ended_)},
                                             {"ended_of_vanished", to_json(ended_vanished_)}}},
                      {"link_lost", lost_link_.empty() ? Json() : Json(lost_link_)},
                      {"join_ms", spread(join_ms_)},
                      {"rejoin_ms", spread(rejoin_ms_)},
                      {"vanishing_noticed_s", spread(vanish_noticed_s_)},
                      {"measured_from_s", time_s > 0 ? Json(from.count()) : Json()}};
  for (auto& member : to_json(measured, cast_.roles)) report.push_back(std::move(member));
  report.emplace_back("coin", coin_.to_json());
  report.emplace_back("own", usage(own_first_, own_last_, time_s, slots_.size()));
  report.emplace_back("watched", watched_first_ && watched_last_
                                     ? usage(*watched_first_, *watched_last_, time_s, slots_.size())
                                     : Json());
  report.emplace_back("timeline", std::move(timeline_));
  return report;
}

}  // namespace load
