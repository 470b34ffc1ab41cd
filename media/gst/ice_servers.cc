#include "media/gst/ice_servers.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <map>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "media/gst/candidate_filter.h"
#include "media/gst/transport_limits.h"
#include "media/thread_role.h"

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

using Addresses = std::map<std::string, std::vector<std::string>>;  // by name

bool is_name(const std::string& host) { return !IpAddress::parse(host); }

// Blocks. At most one address of each family.
std::vector<std::string> look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
  std::vector<std::string> addresses;
  std::set<int> families;
  for (const addrinfo* item = list; item; item = item->ai_next) {
    auto text = numeric(item->ai_addr);
    if (text.empty() || !families.insert(item->ai_family).second) continue;
    addresses.push_back(std::move(text));
  }
  return addresses;
}

std::vector<IceServer> by_address(const std::vector<IceServer>& servers,
                                  const Addresses& addresses) {
  std::vector<IceServer> out;
  std::map<IceServer::Kind, std::size_t> count;
  const auto add = [&](IceServer server, const std::string& address) {
    if (++count[server.kind] > limits::kIceServers) return;
    server.host = address;
    out.push_back(std::move(server));
  };
  for (const auto& server : servers) {
    if (!is_name(server.host)) {
      add(server, server.host);
    } else if (const auto found = addresses.find(server.host); found != addresses.end()) {
      for (const auto& address : found->second) add(server, address);
    }
  }
  return out;
}

}  // namespace

// What the thread and the resolver own together, so that the thread may stay behind.
struct IceServerResolver::Shared {
  void run() ABSL_LOCKS_EXCLUDED(mutex);
  void look_up_one(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  std::set<std::string> names() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::set<std::string> names;
    for (const auto& server : wanted) {
      if (is_name(server.host)) names.insert(server.host);
    }
    return names;
  }

  // Constant after construction.
  std::function<void()> changed;
  Log log;
  std::thread thread;  // the resolver's alone

  Mutex mutex;
  std::condition_variable_any woken;
  std::vector<IceServer> wanted ABSL_GUARDED_BY(mutex);
  Addresses addresses ABSL_GUARDED_BY(mutex);
  std::set<std::string> failed ABSL_GUARDED_BY(mutex);
  bool look_again ABSL_GUARDED_BY(mutex) = false;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  bool looking_up ABSL_GUARDED_BY(mutex) = false;  // without the lock, perhaps for ever
  bool telling ABSL_GUARDED_BY(mutex) = false;     // without the lock: the destructor waits
};

void IceServerResolver::Shared::run() {
  pthread_setname_np(pthread_self(), "mixer-resolver");
  const MutexLock lock(mutex);
  while (!stopping) {
    look_again = false;
    for (const auto& name : names()) {
      if (!stopping) look_up_one(name);
    }
    const auto until = std::chrono::steady_clock::now() +
                       (failed.empty() ? limits::kLookUpAgain : limits::kLookUpFailedAgain);
    while (!stopping && !look_again && woken.wait_until(mutex, until) != std::cv_status::timeout) {
    }
  }
}

void IceServerResolver::Shared::look_up_one(const std::string& name) {
  looking_up = true;
  mutex.unlock();
  auto found = look_up(name);
  mutex.lock();
  looking_up = false;
  if (stopping || !names().contains(name)) return;
  const bool lost = found.empty() && failed.insert(name).second;
  bool news = false;
  if (!found.empty()) {
    failed.erase(name);
    news = std::exchange(addresses[name], found) != found;
  }
  telling = true;
  mutex.unlock();
  if (lost) log("ice-server=unresolved host=\"" + name + '"');
  if (news) changed();
  mutex.lock();
  telling = false;
  woken.notify_all();
}

IceServerResolver::IceServerResolver(std::function<void()> changed, Log log)
    : shared_(std::make_shared<Shared>()) {
  shared_->changed = std::move(changed);
  shared_->log = std::move(log);
}

IceServerResolver::~IceServerResolver() {
  bool abandoned = false;
  {
    const MutexLock lock(shared_->mutex);
    shared_->stopping = true;
    shared_->woken.notify_all();
    while (shared_->telling) shared_->woken.wait(shared_->mutex);
    abandoned = shared_->looking_up;
  }
  if (!shared_->thread.joinable()) return;
  // Its own reference keeps what it still touches.
  if (abandoned) {
    shared_->thread.detach();
  } else {
    shared_->thread.join();
  }
}

void IceServerResolver::set(std::vector<IceServer> servers) {
  bool any = false;
  {
    const MutexLock lock(shared_->mutex);
    shared_->wanted = std::move(servers);
    const auto names = shared_->names();
    std::erase_if(shared_->addresses, [&](auto& entry) { return !names.contains(entry.first); });
    std::erase_if(shared_->failed, [&](auto& name) { return !names.contains(name); });
    shared_->look_again = any = !names.empty();
    shared_->woken.notify_all();
  }
  if (!any || shared_->thread.joinable()) return;
  try {
    shared_->thread = std::thread([shared = shared_] { shared->run(); });
  } catch (const std::system_error&) {
    shared_->log("ice-server=unresolved text=\"There is no thread left to look it up.\"");
  }
}

std::vector<IceServer> IceServerResolver::servers() const {
  const MutexLock lock(shared_->mutex);
  return by_address(shared_->wanted, shared_->addresses);
}

std::vector<IceServer> resolve(const std::vector<IceServer>& servers,
                               std::vector<std::string>& unresolved) {
  Addresses addresses;
  for (const auto& server : servers) {
    if (!is_name(server.host)) continue;
    addresses[server.host] = look_up(server.host);
    if (addresses[server.host].empty()) unresolved.push_back(server.host);
  }
  return by_address(servers, addresses);
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
