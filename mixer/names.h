// mixer/names.h: the names in a room, each there once. Pure; signaling thread.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace mixer {

// Of ASCII letters, as in a localpart.
bool same_in_any_case(std::string_view a, std::string_view b);

class Names {
 public:
  // `wanted`, or that with a number: "ann (2)"; taken until it is given up.
  std::string take(const std::string& wanted);
  // One that is taken already.
  void keep(const std::string& name) { taken_.insert(name); }
  void give_up(const std::string& name) { taken_.erase(name); }
  // Whether somebody is called that, in any case.
  bool is_taken(std::string_view name) const;

 private:
  std::set<std::string> taken_;
};

}  // namespace mixer
