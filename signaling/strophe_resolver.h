// signaling/strophe_resolver.h: where the XMPP server is (RFC 6120 §3.2), found without blocking.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace jingle {

struct Endpoint {
  std::string address;  // numeric, IPv4 or IPv6
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

struct ServerQuery {
  std::string host;        // a name or a numeric address; empty: ask for srv_domain
  std::uint16_t port = 0;  // of `host`, and of srv_domain when it has no SRV records
  std::string srv_domain;  // _xmpp-client._tcp.<srv_domain>
};

// One look-up on a thread of its own. getaddrinfo() can be neither interrupted nor bounded, so the
// thread is detached and owns what it writes to: destroying the Resolver abandons it. Otherwise
// used by one thread.
class Resolver {
 public:
  struct Result {
    std::vector<Endpoint> endpoints;  // in the order to try; at most kMaxEndpoints
    std::string error;                // when there are none
  };
  static constexpr std::size_t kMaxEndpoints = 8;

  explicit Resolver(ServerQuery query);
  ~Resolver();
  int fd() const;  // readable when done
  bool done() const;
  Result result() const;  // requires: done()

  // The endpoint of a numeric address: needs no Resolver.
  static std::vector<Endpoint> numeric(const std::string& host, std::uint16_t port);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

struct SrvTarget {
  std::uint16_t priority = 0, weight = 0, port = 0;
  std::string host;
  bool operator==(const SrvTarget&) const = default;
};
// The SRV records of a DNS answer by priority, then weight (RFC 2782); empty also when the only
// target is "." (no such service). `answer` is as the network sent it.
std::vector<SrvTarget> parse_srv_answer(std::span<const unsigned char> answer);

}  // namespace jingle
