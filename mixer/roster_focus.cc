// How a roster says what the focus itself does.
#include <utility>

#include "mixer/display_name.h"
#include "mixer/roster.h"

namespace mixer {
namespace {

// Never a title alone, which may be anybody's name.
std::string name_for(bool recorded, const std::optional<NowPlaying>& playing) {
  if (!playing) return "Recording";
  const std::string does = recorded ? "Recording; playing" : "Playing";
  const std::string title = displayable(playing->called());
  return title.empty() ? does : displayable(does + ": " + title);
}

}  // namespace

bool Roster::set_doing(bool recorded, const std::optional<NowPlaying>& playing) {
  if (recorded == recorded_ && playing == playing_) return false;
  recorded_ = recorded;
  playing_ = playing;
  const std::optional<coin::User> before = std::exchange(own_, std::nullopt);
  if (before) names_.give_up(*before->display_text);
  if (recorded || playing) {
    coin::Endpoint endpoint;
    endpoint.entity = room_.uri();
    const bool stands_still = !recorded && playing->paused;
    endpoint.status =
        stands_still ? coin::EndpointStatus::on_hold : coin::EndpointStatus::connected;
    endpoint.joining_method = coin::JoiningMethod::focus_owner;
    coin::Media audio;
    audio.id = "audio";
    audio.type = "audio";
    audio.status = media_status({.leg = {}, .in_mix = playing.has_value(), .receives = recorded});
    endpoint.media.push_back(std::move(audio));
    own_.emplace();
    own_->entity = room_.uri();
    own_->display_text = names_.take(name_for(recorded, playing));
    own_->endpoints.push_back(std::move(endpoint));
  }
  if (own_ == before) return false;
  touch({room_.uri(), std::nullopt});
  return true;
}

}  // namespace mixer
