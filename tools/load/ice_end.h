// tools/load/ice_end.h: the smallest end of ICE (RFC 8445) that a caller of many can do with:
// controlling, one host candidate, every check nominates; consent (RFC 7675). Its messages are
// libnice's (stun/usages), its sockets and clock its owner's: no agent, no GLib source, no thread.
// One thread.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "media/media_engine.h"

namespace load {

using TimePoint = std::chrono::steady_clock::time_point;

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  // nullopt: not an IP address.
  static std::optional<Address> parse(const std::string& ip, std::uint16_t port);
  std::uint16_t port() const;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

class IceEnd {
 public:
  using Send = std::function<void(const Address& to, std::span<const std::uint8_t>)>;

  IceEnd(std::mt19937_64& random, Send send);
  ~IceEnd();
  IceEnd(const IceEnd&) = delete;
  IceEnd& operator=(const IceEnd&) = delete;

  const media::IceCredentials& local() const { return local_; }
  void start(const media::IceCredentials& remote, TimePoint now);
  // Of component 1; others, and more than 20, are ignored.
  void add(const std::vector<media::IceCandidate>& candidates);
  // Every 20 ms or so: sends what is due.
  void tick(TimePoint now);
  // A datagram that looks like STUN (RFC 7983).
  void receive(std::span<const std::uint8_t> datagram, const Address& from, TimePoint now);

  // Where the peer has answered from.
  const std::optional<Address>& selected() const { return selected_; }
  // 30 s without an answer (RFC 7675 §5.1).
  bool lost(TimePoint now) const;

 private:
  struct Agent;
  void check(const Address& to);
  void answer(std::span<const std::uint8_t> request, const Address& from);

  // Constant after construction
  std::mt19937_64& random_;
  const Send send_;
  const media::IceCredentials local_;
  const std::uint64_t tie_breaker_;

  std::unique_ptr<Agent> agent_;
  bool started_ = false;
  std::string remote_password_, username_;
  std::vector<Address> candidates_;
  std::optional<Address> selected_;
  TimePoint next_check_{}, heard_{};
};

}  // namespace load
