#include "tools/load/cast.h"

#include "tools/load/marker.h"
#include "tools/load/speech.h"

namespace load {
Cast make_cast(const Options& options) {
  Cast cast;
  cast.roles = draw_roles(options);
  const auto add = [&cast](std::unique_ptr<call::Voice> voice) {
    return cast.voices.emplace_back(std::move(voice)).get();
  };
  const call::Voice* listener = options.listeners == Options::Listeners::noise
                                    ? add(std::make_unique<call::Voice>(comfort_noise(), true))
                                    : add(std::make_unique<call::Voice>());
  std::vector<std::int16_t> said;
  if (options.talkers > 0) said = speech(options.speech);
  const call::Voice* unmarked = nullptr;
  std::vector<const call::Voice*> marked;
  for (Role& role : cast.roles) {
    if (!role.talker) {
      role.voice = listener;
    } else if (role.marker) {
      while (marked.size() <= *role.marker) {
        marked.push_back(
            add(std::make_unique<call::Voice>(with_markers(said, marked.size()), true)));
      }
      role.voice = marked[*role.marker];
    } else {
      if (unmarked == nullptr) {
        unmarked = add(std::make_unique<call::Voice>(with_markers(said, std::nullopt), true));
      }
      role.voice = unmarked;
    }
  }
  cast.markers = marked.size();
  return cast;
}

}  // namespace load
