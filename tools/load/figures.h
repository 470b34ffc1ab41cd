// tools/load/figures.h: what was measured, as figures. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "tools/call/json.h"
#include "tools/load/crowd.h"
#include "tools/load/process_watch.h"

namespace load {

// {"count", "min", "median", "p99", "max"}; null of nothing.
call::Json spread(std::vector<double> values);

struct Delay {
  double at_s = 0;  // since the beginning of the measured time
  double ms = 0;
};
// The way of a marker: from the packet in which a talker began to say it to the first packet in
// which a listener hears it begin. Each marker said in that room is expected of each listener, but
// those said in the last second, which may still be on their way.
struct Listened {
  std::size_t caller = 0;
  bool talker = false;
  bool on_bad_line = false;
  std::size_t expected = 0, heard = 0;
  std::vector<Delay> delays = {};
  // The least of a talker's own marker that came back: an echo would be in each time, others'
  // speech at that pitch is not.
  std::optional<double> own_db = {};
};
std::vector<Listened> listened(const Measured& measured, const std::vector<Role>& roles);

// {"cpu_percent", "cpu_percent_per_caller", "memory_mb", "threads"}: CPU between the two, the rest
// at the end.
call::Json usage(const ProcessSample& first, const ProcessSample& last, double time_s,
                 std::size_t callers);

// The members of the report that the crowd knows. Delays are the mixer's: of those on bad lines,
// who may miss the packet in which a marker begins, only where there is nobody else.
call::Json::Object to_json(const Measured& measured, const std::vector<Role>& roles);

}  // namespace load
