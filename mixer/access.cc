#include "mixer/access.h"

#include <string_view>

namespace mixer {

std::optional<std::string> own_server(const std::string& component) {
  const auto dot = component.find('.');
  if (dot == std::string::npos) return std::nullopt;
  std::string rest = component.substr(dot + 1);
  if (rest == "localhost") return rest;
  const auto second = rest.find('.');
  if (second == std::string::npos || second == 0 || second + 1 == rest.size()) return std::nullopt;
  return rest;
}

Access::Access(const Config& config) : anyone_(config.access.anyone) {
  if (anyone_) return;
  if (config.access.dial_set) {
    for (const std::string& entry : config.access.dial) {
      const auto jid = jingle::Jid::parse(entry);
      if (!jid) continue;  // the configuration has complained already
      if (jid->local().empty() && jid->is_bare()) {
        domains_.insert(jid->domain());
      } else {
        jids_.insert(*jid);
      }
    }
  } else if (config.xmpp.mode == Config::Xmpp::Mode::client) {
    domains_.insert(config.xmpp.jid.domain());
    roster_counts_ = true;
  } else {
    parent_ = own_server(config.xmpp.jid.domain());
    own_server_missing_ = !parent_;
  }
}

bool Access::allows(const jingle::Jid& who) const {
  if (who.empty()) return false;
  if (anyone_ || domains_.contains(who.domain())) return true;
  if (parent_) {
    const std::string_view domain = who.domain();
    if (domain == *parent_) return true;
    if (domain.size() > parent_->size() + 1 && domain.ends_with(*parent_) &&
        domain[domain.size() - parent_->size() - 1] == '.') {
      return true;
    }
  }
  if (roster_counts_ && knows(who)) return true;
  return jids_.contains(who) || jids_.contains(who.bare());
}

std::optional<std::string> Access::complaint() const {
  if (!own_server_missing_) return std::nullopt;
  return "access.dial is not set and the component's domain names no own server: nobody may dial";
}

}  // namespace mixer
