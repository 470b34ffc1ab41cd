// What a room's tick costs, from packet rings to headers and payloads, without GStreamer:
// legs / talking / of these, mixers that name fifteen contributors each. Look at the CPU column;
// the callers encoded beforehand.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "media/room_mixer.h"
#include "tools/bench/voice.h"

namespace {

void room_tick(benchmark::State& state) {
  const auto legs = static_cast<std::uint32_t>(state.range(0));
  const auto talking = static_cast<std::uint32_t>(state.range(1));
  const auto mixers = static_cast<std::uint32_t>(state.range(2));
  media::RoomMixer mixer;
  media::MixPlan plan;
  std::vector<std::unique_ptr<media::MixLeg>> room;
  for (std::uint32_t i = 0; i < legs; ++i) {
    room.push_back(std::make_unique<media::MixLeg>(
        media::MixLegSpec{.leg = {i + 1}, .contributor_id = i + 1, .ssrc = i + 1, .rtp = {}}));
    mixer.add(*room.back());
    plan.legs.push_back({.leg = {i + 1}, .is_mixer = i < mixers});
  }
  mixer.set_plan(plan);
  std::vector<std::vector<std::vector<std::uint8_t>>> voices;
  for (std::uint32_t i = 0; i < talking; ++i)
    voices.push_back(bench::encoded(bench::voice(110 + 37 * i)));
  std::uint32_t tick = 0;
  for (auto _ : state) {
    for (std::uint32_t i = 0; i < talking; ++i) {
      std::array<std::uint8_t, media::kMaxRtpHeaderBytes> header;
      std::array<media::Contributor, media::limits::kMaxCsrcs> contributors;
      for (std::uint32_t k = 0; k < contributors.size(); ++k)
        contributors[k].id = 10000 + 20 * i + k;
      const std::span named(contributors.data(), i < mixers ? contributors.size() : 0);
      const std::size_t bytes =
          media::write_rtp_header({.payload_type = 111,
                                   .sequence = static_cast<std::uint16_t>(tick),
                                   .timestamp = tick * media::kFrame_samples,
                                   .ssrc = i},
                                  named, 0, header);
      const auto& payload = voices[i][tick % 50];
      const auto slot = room[i]->packets().reserve(bytes + payload.size());
      std::copy_n(header.begin(), bytes, slot.begin());
      std::ranges::copy(payload, slot.begin() + static_cast<std::ptrdiff_t>(bytes));
      room[i]->packets().commit();
    }
    mixer.tick();
    ++tick;
  }
  state.counters["encodes"] = mixer.counters().encodes;
  state.counters["decodes"] = mixer.counters().decodes;
}

}  // namespace

BENCHMARK(room_tick)
    ->Unit(benchmark::kMicrosecond)
    ->ArgNames({"legs", "talking", "mixers"})
    ->Args({3, 3, 0})
    ->Args({50, 0, 0})
    ->Args({50, 1, 0})
    ->Args({50, 3, 0})
    ->Args({500, 3, 0})
    ->Args({2000, 3, 0})
    ->Args({2000, 8, 8});
BENCHMARK_MAIN();
