// mixer/overloaded.h: one lambda for each alternative of a variant, for std::visit.
#pragma once

namespace mixer {

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace mixer
