#include "media/gst/ice_servers.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>

#include <array>
#include <charconv>
#include <memory>

#include "media/gst/candidate_filter.h"

namespace media::gst {
namespace {

std::string numeric(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
  } else if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
  }
  return text.data();
}

std::string join(const ServerAddress& server) {
  const bool v6 = server.host.find(':') != std::string::npos;
  return (v6 ? '[' + server.host + ']' : server.host) + ':' + std::to_string(server.port);
}

bool resolve(std::string& text) {
  auto server = ServerAddress::parse(text);
  if (!server) return false;
  if (IpAddress::parse(server->host)) return true;
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(server->host.c_str(), nullptr, &hints, &found) != 0) return false;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  server->host = numeric(found->ai_addr);
  text = join(*server);
  return !server->host.empty();
}

}  // namespace

std::optional<ServerAddress> ServerAddress::parse(std::string_view text) {
  ServerAddress server;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    server.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) return std::nullopt;
  } else if (const auto colon = text.find(':');
             colon != std::string_view::npos &&
             text.find(':', colon + 1) == std::string_view::npos) {
    server.host = text.substr(0, colon);
    port = text.substr(colon);
  } else {
    server.host = text;
  }
  if (server.host.empty()) return std::nullopt;
  if (port.empty()) return server;
  port.remove_prefix(1);
  const auto* const end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data(), end, server.port);
  if (error != std::errc() || stop != end || server.port == 0) return std::nullopt;
  return server;
}

std::vector<std::string> resolve_servers(IceConfig& config) {
  std::vector<std::string> unresolved;
  for (auto* server : {&config.stun_server, &config.turn_server}) {
    if (server->empty() || resolve(*server)) continue;
    unresolved.push_back(*server);
    server->clear();
  }
  return unresolved;
}

std::vector<std::string> interface_addresses() {
  std::vector<std::string> addresses;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return addresses;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
  for (const ifaddrs* item = list; item; item = item->ifa_next) {
    if (!item->ifa_addr || (item->ifa_flags & IFF_UP) == 0) continue;
    const auto address = IpAddress::parse(numeric(item->ifa_addr));
    if (!address || address->is_loopback() || address->is_link_local()) continue;
    addresses.push_back(numeric(item->ifa_addr));
  }
  return addresses;
}

}  // namespace media::gst
