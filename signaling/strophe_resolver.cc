#include "signaling/strophe_resolver.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

namespace jingle {
namespace {

// Appends the addresses of `host`; returns the error's text, empty when there was none.
std::string look_up(const std::string& host, std::uint16_t port, int flags,
                    std::vector<Endpoint>& out) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (error != 0) return ::gai_strerror(error);
  for (const addrinfo* entry = list; entry; entry = entry->ai_next) {
    char text[NI_MAXHOST];
    if (out.size() >= Resolver::kMaxEndpoints ||
        ::getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST) != 0) {
      continue;
    }
    Endpoint endpoint{text, port};
    if (std::find(out.begin(), out.end(), endpoint) == out.end()) out.push_back(endpoint);
  }
  ::freeaddrinfo(list);
  return {};
}

std::vector<SrvTarget> query_srv(const std::string& domain) {
  struct __res_state state {};
  if (::res_ninit(&state) != 0) return {};
  std::vector<unsigned char> answer(16 * 1024);
  const std::string name = "_xmpp-client._tcp." + domain;
  const int size = ::res_nquery(&state, name.c_str(), ns_c_in, ns_t_srv, answer.data(),
                                static_cast<int>(answer.size()));
  ::res_nclose(&state);
  if (size <= 0) return {};
  return parse_srv_answer(
      std::span(answer).first(std::min(static_cast<std::size_t>(size), answer.size())));
}

Resolver::Result resolve(const ServerQuery& query) {
  std::vector<SrvTarget> targets;
  if (query.host.empty()) targets = query_srv(query.srv_domain);
  if (targets.empty()) {
    targets.push_back({0, 0, query.port, query.host.empty() ? query.srv_domain : query.host});
  }
  Resolver::Result result;
  for (const SrvTarget& target : targets) {
    const std::string error = look_up(target.host, target.port, AI_ADDRCONFIG, result.endpoints);
    if (!error.empty()) result.error = "cannot resolve " + target.host + ": " + error;
  }
  return result;
}

}  // namespace

struct Resolver::Shared {
  Shared() : fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Shared() { ::close(fd); }

  const int fd;
  std::mutex mutex;
  Result result;  // guarded by mutex
};

Resolver::Resolver(ServerQuery query) : shared_(std::make_shared<Shared>()) {
  try {
    std::thread([shared = shared_, query = std::move(query)] {
      Result result = resolve(query);
      const std::lock_guard lock(shared->mutex);
      shared->result = std::move(result);
      ::eventfd_write(shared->fd, 1);
    }).detach();
  } catch (const std::system_error& error) {
    shared_->result.error = std::string("no thread: ") + error.what();
    ::eventfd_write(shared_->fd, 1);
  }
}

Resolver::~Resolver() = default;

int Resolver::fd() const { return shared_->fd; }

bool Resolver::done() const {
  pollfd entry{shared_->fd, POLLIN, 0};
  return ::poll(&entry, 1, 0) > 0;
}

Resolver::Result Resolver::result() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->result;
}

std::vector<Endpoint> Resolver::numeric(const std::string& host, std::uint16_t port) {
  std::vector<Endpoint> endpoints;
  look_up(host, port, AI_NUMERICHOST, endpoints);
  return endpoints;
}

std::vector<SrvTarget> parse_srv_answer(std::span<const unsigned char> answer) {
  ns_msg message;
  if (::ns_initparse(answer.data(), static_cast<int>(answer.size()), &message) != 0) return {};
  std::vector<SrvTarget> targets;
  for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
    ns_rr record;
    char host[NS_MAXDNAME];
    if (::ns_parserr(&message, ns_s_an, i, &record) != 0 || ns_rr_type(record) != ns_t_srv ||
        ns_rr_rdlen(record) < 7) {
      continue;
    }
    const unsigned char* data = ns_rr_rdata(record);
    if (::dn_expand(ns_msg_base(message), ns_msg_end(message), data + 6, host, sizeof host) < 0) {
      continue;
    }
    if (host[0] == '\0' || std::string_view(host) == ".") continue;  // RFC 2782: no such service
    targets.push_back({static_cast<std::uint16_t>(ns_get16(data)),
                       static_cast<std::uint16_t>(ns_get16(data + 2)),
                       static_cast<std::uint16_t>(ns_get16(data + 4)), host});
  }
  std::stable_sort(targets.begin(), targets.end(), [](const SrvTarget& a, const SrvTarget& b) {
    return std::tuple(a.priority, b.weight) < std::tuple(b.priority, a.weight);
  });
  return targets;
}

}  // namespace jingle
