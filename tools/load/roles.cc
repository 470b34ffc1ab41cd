#include "tools/load/roles.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "tools/load/marker.h"

namespace load {
namespace {

constexpr std::size_t kEchoes = 3;

std::vector<std::size_t> shuffled(std::size_t count, std::mt19937_64& random) {
  std::vector<std::size_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  std::ranges::shuffle(numbers, random);
  return numbers;
}

bool may_be_afflicted(const Options& options, const Role& role) {
  switch (options.afflicted) {
    case Options::Afflicted::all: return true;
    case Options::Afflicted::listeners: return !role.talker;
    case Options::Afflicted::talkers: return role.talker;
  }
  return false;
}

}  // namespace

std::vector<Role> draw_roles(const Options& options) {
  std::mt19937_64 random(options.seed);
  std::vector<Role> roles(static_cast<std::size_t>(options.callers));
  for (std::size_t i = 0; i < roles.size(); ++i) {
    Role& role = roles[i];
    role.room = room_number(options, i);
    role.talker = is_talker(options, i);
    role.packet = options.ptime;
    const std::size_t rank = i / static_cast<std::size_t>(options.rooms);
    if (role.talker && rank < kMarkers) role.marker = rank;
    role.voice_from = random() >> 16;
  }
  std::size_t listeners = static_cast<std::size_t>(options.sample);
  std::size_t talkers = kEchoes;
  for (const std::size_t i : shuffled(roles.size(), random)) {
    std::size_t& left = roles[i].talker ? talkers : listeners;
    if (left == 0 || (roles[i].talker && !roles[i].marker)) continue;
    roles[i].sampled = true;
    --left;
  }
  const auto order = shuffled(roles.size(), random);
  const auto eligible = std::ranges::count_if(
      roles, [&](const Role& role) { return may_be_afflicted(options, role); });
  auto afflicted = std::llround(static_cast<double>(eligible) * options.afflicted_share);
  for (const std::size_t i : order) {
    if (afflicted == 0) break;
    if (!may_be_afflicted(options, roles[i])) continue;
    roles[i].afflicted = true;
    --afflicted;
  }
  return roles;
}

}  // namespace load
