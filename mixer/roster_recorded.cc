// How a roster says that the room is recorded.
#include "mixer/roster.h"

namespace mixer {

bool Roster::set_recorded(bool recorded) {
  if (recorded_ == recorded) return false;
  recorded_ = recorded;
  touch({room_.uri(), std::nullopt});
  return true;
}

coin::User Roster::recorder() const {
  coin::User focus;
  focus.entity = room_.uri();
  focus.display_text = "Recording";
  coin::Endpoint endpoint;
  endpoint.entity = room_.uri();
  endpoint.status = coin::EndpointStatus::connected;
  endpoint.joining_method = coin::JoiningMethod::focus_owner;
  focus.endpoints.push_back(std::move(endpoint));
  return focus;
}

}  // namespace mixer
