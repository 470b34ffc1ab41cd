#include "mixer/ice_services.h"

#include <strings.h>

#include <algorithm>
#include <pugixml.hpp>
#include <set>

#include "mixer/access.h"
#include "mixer/limits.h"
#include "signaling/namespaces.h"

namespace mixer {
namespace {

constexpr std::uint16_t kDefaultPort = 3478;  // RFC 8489 §18.6, RFC 8656 §19

jingle::Jid server_to_ask(const Config& config) {
  if (config.media.discover_services) return *config.media.discover_services;
  const std::string& domain = config.xmpp.jid.domain();
  if (config.xmpp.mode == Config::Xmpp::Mode::client) return jingle::Jid::of("", domain);
  const auto server = own_server(domain);
  return server ? jingle::Jid::of("", *server) : jingle::Jid();
}

std::uint16_t port_of(const jingle::ExternalService& service) {
  return service.port.value_or(kDefaultPort);
}

bool same_server(const jingle::ExternalService& a, const jingle::ExternalService& b) {
  return a.type == b.type && a.host == b.host && port_of(a) == port_of(b);
}

bool by_udp(const jingle::ExternalService& service) {
  return service.transport.empty() || strcasecmp(service.transport.c_str(), "udp") == 0;
}

bool wants_credentials(const jingle::ExternalService& service) {
  return service.type == "turn" && service.restricted && service.password.empty();
}

// Any other failure may pass.
bool knows_none(const std::string& condition) {
  static const std::set<std::string> kConditions{"service-unavailable", "forbidden",
                                                 "item-not-found", "feature-not-implemented"};
  return kConditions.contains(condition);
}

TimePoint::duration retry_after(const std::string& condition) {
  if (knows_none(condition)) return limits::kServicesAskAgain;
  return limits::kServicesRetry;
}

std::string names(const std::vector<media::IceServer>& servers, media::IceServer::Kind kind) {
  std::string text;
  for (const auto& server : servers) {
    if (server.kind != kind) continue;
    text += (text.empty() ? "" : ",") + HostAndPort{server.host, server.port}.str();
  }
  return text.empty() ? "none" : quoted(text);
}

}  // namespace

std::vector<media::IceServer> ice_servers(const Config::Media& media) {
  using Kind = media::IceServer::Kind;
  std::vector<media::IceServer> servers;
  if (media.stun) servers.push_back({Kind::stun, media.stun->host, media.stun->port, {}, {}});
  if (media.turn) {
    servers.push_back(
        {Kind::turn, media.turn->host, media.turn->port, media.turn_username, media.turn_password});
  }
  return servers;
}

IceServices::IceServices(const Config& config, WallTime wall)
    : configured_(ice_servers(config.media)),
      server_(server_to_ask(config)),
      wall_(std::move(wall)),
      lists_{List{"stun", Purpose::stun_services, false, {}, {}},
             List{"turn", Purpose::turn_services, false, {}, {}}},
      told_(configured_) {}

void IceServices::connection_up(const jingle::Jid& self, bool resumed, Outbox& out, TimePoint now) {
  self_ = self;
  connected_ = true;
  if (resumed || server_.empty()) return;
  for (List& list : lists_) ask(list, out, now);
}

void IceServices::ask(List& list, Outbox& out, TimePoint now) {
  list.asking = true;
  list.due = now + limits::kServicesTimeout;
  out.ask({.from = self_,
           .to = server_,
           .id = {},
           .is_set = false,
           .payload = jingle::services_query(list.type),
           .priority = jingle::Priority::normal},
          {server_, list.purpose, {}, {}, now});
}

void IceServices::answered(const Awaited& awaited, const jingle::Iq& iq, Outbox& out,
                           TimePoint now) {
  if (awaited.purpose == Purpose::turn_credentials) return credentials(iq, out, now);
  List& list = awaited.purpose == Purpose::stun_services ? lists_[0] : lists_[1];
  if (iq.type == jingle::Iq::Type::error) {
    return failed(list, jingle::StanzaError::parse(iq.xml.root()).condition, out, now);
  }
  const auto services = jingle::ExternalServices::parse(
      jingle::child(iq.xml.root(), jingle::ns::kExtDisco, "services"));
  if (!services) return failed(list, services.error().text, out, now);
  failure_.clear();
  learned(list, *services, out, now);
}

void IceServices::learned(List& list, const jingle::ExternalServices& services, Outbox& out,
                          TimePoint now) {
  const auto before = std::exchange(list.known, {});
  list.asking = false;
  Faults faults = services.faults;
  for (const auto& service : services.services) {
    if (service.type == list.type) take(list, service, before, faults, out, now);
  }
  report(faults, out);
  refresh_in_time(list, now);
  settle(out);
}

void IceServices::take(List& list, const jingle::ExternalService& service,
                       const std::vector<Known>& before, Faults& faults, Outbox& out,
                       TimePoint now) {
  if (!by_udp(service)) return;
  if (!is_host(service.host)) {
    faults.push_back("host " + quoted(service.host));
    return;
  }
  Known fresh{service, {}, {}};
  if (service.expires) {
    const auto left =
        std::min<std::chrono::seconds>(*service.expires - wall_(now), limits::kServicesLongest);
    if (left <= std::chrono::seconds(0)) {
      faults.push_back("expired " + date_time(*service.expires));
      return;
    }
    fresh.expires = now + left;
    fresh.refresh =
        now + std::max<TimePoint::duration>(left * 4 / 5, limits::kServicesRefreshAtLeast);
  }
  const auto is_it = [&](const Known& known) { return same_server(known.service, service); };
  std::erase_if(list.known, is_it);
  if (list.known.size() == limits::kMaxDiscoveredServers) {
    faults.push_back("more than " + std::to_string(limits::kMaxDiscoveredServers));
    return;
  }
  if (wants_credentials(service)) {
    // Those it had are good until others come.
    const auto old = std::find_if(before.begin(), before.end(), is_it);
    if (old != before.end()) {
      fresh.service.username = old->service.username;
      fresh.service.password = old->service.password;
      fresh.expires = old->expires;
    }
    fresh.refresh = now + limits::kServicesRetry;  // until there is an answer
    out.ask({.from = self_,
             .to = server_,
             .id = {},
             .is_set = false,
             .payload = jingle::credentials_query(service),
             .priority = jingle::Priority::normal},
            {server_, Purpose::turn_credentials, {}, {}, now});
  }
  list.known.push_back(std::move(fresh));
}

void IceServices::credentials(const jingle::Iq& iq, Outbox& out, TimePoint now) {
  List& list = lists_[1];
  const auto answer = jingle::ExternalServices::parse(
      jingle::child(iq.xml.root(), jingle::ns::kExtDisco, "credentials"));
  if (iq.type == jingle::Iq::Type::error || !answer) {
    const auto condition = iq.type == jingle::Iq::Type::error
                               ? jingle::StanzaError::parse(iq.xml.root()).condition
                               : answer.error().text;
    for (Known& known : list.known) {
      if (wants_credentials(known.service)) known.refresh = now + retry_after(condition);
    }
    refresh_in_time(list, now);
    return complain(condition, out);
  }
  Faults faults = answer->faults;
  for (const auto& given : answer->services) {
    // The port is there only to tell servers of one host apart (XEP-0215 §3.3).
    const auto is_it = [&](const Known& known) {
      return known.service.restricted && known.service.host == given.host &&
             (!given.port || port_of(known.service) == *given.port);
    };
    const auto known = std::find_if(list.known.begin(), list.known.end(), is_it);
    if (known == list.known.end() || given.password.empty()) continue;
    jingle::ExternalService service = known->service;
    service.username = given.username;
    service.password = given.password;
    service.expires = given.expires;
    take(list, service, {}, faults, out, now);
  }
  report(faults, out);
  refresh_in_time(list, now);
  settle(out);
}

void IceServices::failed(List& list, const std::string& condition, Outbox& out, TimePoint now) {
  list.asking = false;
  if (knows_none(condition)) list.known.clear();
  list.due = now + retry_after(condition);
  complain(condition, out);
  settle(out);
}

void IceServices::complain(const std::string& condition, Outbox& out) {
  if (std::exchange(failure_, condition) == condition) return;
  out.log(Log::Level::info, "ice-services=unavailable from=" + quoted(server_.str()) +
                                " reason=" + quoted(condition));
}

jingle::Result<std::string> IceServices::pushed(const jingle::Iq& iq,
                                                const jingle::ExternalServices& push, Outbox& out,
                                                TimePoint now) {
  if (server_.empty() || iq.from != server_ || iq.to != self_) {
    return tl::unexpected(jingle::service_unavailable());
  }
  Faults faults = push.faults;
  for (const auto& service : push.services) {
    for (List& list : lists_) {
      if (service.type != list.type) continue;
      if (service.action == jingle::ExternalService::Action::remove) {
        std::erase_if(list.known, [&](const Known& known) {
          return by_udp(service) && same_server(known.service, service);
        });
      } else {
        take(list, service, std::vector<Known>(list.known), faults, out, now);
      }
    }
  }
  report(faults, out);
  for (List& list : lists_) refresh_in_time(list, now);
  settle(out);
  return std::string();
}

void IceServices::refresh_in_time(List& list, TimePoint now) {
  if (list.asking) return;
  list.due = now + limits::kServicesAskAgain;
  for (const Known& known : list.known) {
    if (known.refresh) list.due = std::min(*list.due, *known.refresh);
  }
}

void IceServices::report(const Faults& faults, Outbox& out) const {
  if (faults.empty()) return;
  out.log(Log::Level::warning, "ice-services=ignored count=" + std::to_string(faults.size()) +
                                   " from=" + quoted(server_.str()) +
                                   " first=" + quoted(faults.front()));
}

void IceServices::advance(Outbox& out, TimePoint now) {
  const auto over = [&](const Known& known) { return known.expires && *known.expires <= now; };
  for (List& list : lists_) {
    if (std::erase_if(list.known, over) > 0) settle(out);
    if (!list.due || *list.due > now) continue;
    if (list.asking) {
      failed(list, "timeout", out, now);
    } else if (connected_) {
      ask(list, out, now);
    }
  }
}

std::optional<TimePoint> IceServices::next_deadline() const {
  std::optional<TimePoint> next;
  const auto consider = [&](std::optional<TimePoint> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  for (const List& list : lists_) {
    if (list.asking || connected_) consider(list.due);
    for (const Known& known : list.known) consider(known.expires);
  }
  return next;
}

void IceServices::settle(Outbox& out) {
  using Kind = media::IceServer::Kind;
  auto servers = configured_;
  for (const List& list : lists_) {
    for (const auto& [service, refresh, expires] : list.known) {
      if (wants_credentials(service)) continue;
      servers.push_back({list.type == "stun" ? Kind::stun : Kind::turn, service.host,
                         port_of(service), service.username, service.password});
    }
  }
  if (servers == told_) return;
  told_ = servers;
  out.log(Log::Level::info, "ice-servers=changed stun=" + names(servers, Kind::stun) +
                                " turn=" + names(servers, Kind::turn));
  out.put(SetIceServers{std::move(servers)});
}

}  // namespace mixer
