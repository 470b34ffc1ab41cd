#include "mixer/names.h"

#include <algorithm>

namespace mixer {
namespace {

// "ann (2)" -> "ann"
std::string without_number(const std::string& name) {
  const std::size_t open = name.rfind(" (");
  if (open == name.npos || name.back() != ')') return name;
  const auto number = std::string_view(name).substr(open + 2, name.size() - open - 3);
  const bool numeric = !number.empty() && number.find_first_not_of("0123456789") == number.npos;
  return numeric ? name.substr(0, open) : name;
}

}  // namespace

bool same_in_any_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string Names::take(const std::string& wanted) {
  std::string name = wanted;
  for (int n = 2; taken_.contains(name); ++n) {
    name = without_number(wanted) + " (" + std::to_string(n) + ')';
  }
  taken_.insert(name);
  return name;
}

bool Names::is_taken(std::string_view name) const {
  return std::ranges::any_of(
      taken_, [&](const std::string& taken) { return same_in_any_case(taken, name); });
}

}  // namespace mixer
