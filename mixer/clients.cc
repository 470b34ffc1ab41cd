#include "mixer/clients.h"

#include <algorithm>
#include <pugixml.hpp>

#include "mixer/limits.h"
#include "signaling/namespaces.h"

namespace mixer {

Clients::Clients(const std::map<std::string, std::string>& profiles) {
  for (const auto& [jid, name] : profiles) {
    if (const ClientProfile* profile = profile_named(name)) profiles_.emplace(jid, profile);
  }
}

const ClientProfile* Clients::configured(const jingle::Jid& full) const {
  for (const std::string& jid : {full.bare().str(), full.domain()}) {
    if (const auto found = profiles_.find(jid); found != profiles_.end()) return found->second;
  }
  return nullptr;
}

const ClientProfile* Clients::known(const jingle::Jid& full, TimePoint now) const {
  if (const ClientProfile* profile = configured(full)) return profile;
  const auto found = clients_.find(full);
  if (found == clients_.end()) return nullptr;
  const Client& client = found->second;
  const ClientProfile& profile = profile_of({client.info, client.caps_node});
  if (client.asked && now < client.at + limits::kDiscoLifetime) return &profile;
  // Presence alone decides for whom it names (Dino), before a document could reach it.
  return profile.takes_documents ? nullptr : &profile;
}

void Clients::presence(const jingle::Presence& presence, TimePoint now) {
  if (presence.from.is_bare()) return;
  if (presence.type == "unavailable") {
    clients_.erase(presence.from);
    return;
  }
  const pugi::xml_node caps = jingle::child(presence.xml.root(), jingle::ns::kCaps, "c");
  if (!presence.type.empty() || !caps) return;
  const std::string node = caps.attribute("node").value(), ver = caps.attribute("ver").value();
  Client& client = entry(presence.from, now);
  if (client.caps_ver == ver && client.caps_node == node && client.asked) return;
  client = {.caps_node = node,
            .caps_ver = ver,
            .hashed = !caps.attribute("hash").empty(),
            .info = {},
            .asked = false,
            .at = now};
  if (const auto same = by_ver_.find(ver); same != by_ver_.end()) {
    client.info = same->second;
    client.asked = true;
  }
}

const ClientProfile& Clients::learned(const jingle::Jid& full, jingle::DiscoInfo info,
                                      TimePoint now) {
  Client& client = entry(full, now);
  client.info = std::move(info);
  client.asked = true;
  client.at = now;
  if (!client.caps_ver.empty() && client.info.caps_ver() == client.caps_ver) {
    if (by_ver_.size() >= limits::kMaxKnownClients) by_ver_.erase(by_ver_.begin());
    by_ver_.insert_or_assign(client.caps_ver, client.info);
  }
  const ClientProfile* profile = configured(full);
  return profile ? *profile : profile_of({client.info, client.caps_node});
}

const ClientProfile& Clients::guess(const jingle::Jid& full) const {
  if (const ClientProfile* profile = configured(full)) return *profile;
  const auto found = clients_.find(full);
  if (found == clients_.end()) return profile_of({});
  return profile_of({found->second.info, found->second.caps_node});
}

std::string Clients::caps_node(const jingle::Jid& full) const {
  const auto found = clients_.find(full);
  if (found == clients_.end() || !found->second.hashed) return {};
  return found->second.caps_node + '#' + found->second.caps_ver;
}

const jingle::DiscoInfo* Clients::said_of_itself(const jingle::Jid& full) const {
  const auto found = clients_.find(full);
  return found == clients_.end() || !found->second.asked ? nullptr : &found->second.info;
}

bool Clients::is_bot(const jingle::Jid& full) const {
  const auto found = clients_.find(full);
  if (found == clients_.end()) return false;
  return std::ranges::any_of(found->second.info.identities, [](const jingle::Identity& identity) {
    return identity.category == "client" && identity.type == "bot";
  });
}

std::optional<jingle::Jid> Clients::callable(const jingle::Jid& bare) const {
  for (auto at = clients_.lower_bound(bare); at != clients_.end() && at->first.bare() == bare;
       ++at) {
    const auto& features = at->second.info.features;
    if (features.contains(jingle::ns::kJingle) && features.contains(jingle::ns::kRtpAudio) &&
        features.contains(jingle::ns::kIceUdp)) {
      return at->first;
    }
  }
  return std::nullopt;
}

bool Clients::may_know_proposals(const jingle::Jid& full) const {
  const auto found = clients_.find(full);
  return found == clients_.end() || !found->second.asked ||
         found->second.info.features.contains(jingle::ns::kJingleMessage);
}

std::vector<jingle::Jid> Clients::unasked(const jingle::Jid& bare, std::size_t most) const {
  std::vector<jingle::Jid> out;
  for (auto at = clients_.lower_bound(bare);
       at != clients_.end() && at->first.bare() == bare && out.size() < most; ++at) {
    if (!at->second.asked) out.push_back(at->first);
  }
  return out;
}

Clients::Client& Clients::entry(const jingle::Jid& full, TimePoint now) {
  if (clients_.size() >= limits::kMaxKnownClients && !clients_.contains(full)) {
    clients_.erase(
        std::ranges::min_element(clients_, {}, [](const auto& entry) { return entry.second.at; }));
  }
  Client& client = clients_[full];
  client.at = now;
  return client;
}

}  // namespace mixer
