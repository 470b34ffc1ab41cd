#include "tools/load/ice_end.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stun/stunagent.h>
#include <stun/usages/ice.h>

#include <array>
#include <cstring>

namespace load {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxCandidates = 20;
constexpr auto kCheckEvery = 100ms;  // until one is answered
constexpr auto kConsentEvery = 5s;   // RFC 7675 §5.1, times 0.8 to 1.2
constexpr auto kConsentLasts = 30s;
// RFC 8445 §5.1.2.1, of a peer-reflexive candidate.
constexpr std::uint32_t kPriority = (110U << 24) | (65535U << 8) | 255U;

std::string random_word(std::mt19937_64& random, std::size_t length) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string word;
  while (word.size() < length) word += kLetters[random() % kLetters.size()];
  return word;
}

const std::uint8_t* bytes(const std::string& text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

}  // namespace

std::optional<Address> Address::parse(const std::string& ip, std::uint16_t port) {
  Address address;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, ip.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    address.length = sizeof v4;
    std::memcpy(&address.storage, &v4, sizeof v4);
  } else if (inet_pton(AF_INET6, ip.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    address.length = sizeof v6;
    std::memcpy(&address.storage, &v6, sizeof v6);
  } else {
    return std::nullopt;
  }
  return address;
}

std::uint16_t Address::port() const {
  sockaddr_in v4{};  // the port is in the same place in both
  std::memcpy(&v4, &storage, sizeof v4);
  return ntohs(v4.sin_port);
}

struct IceEnd::Agent {
  StunAgent stun;
};

IceEnd::IceEnd(std::mt19937_64& random, Send send)
    : random_(random),
      send_(std::move(send)),
      local_{random_word(random, 4), random_word(random, 22)},
      tie_breaker_(random()),
      agent_(std::make_unique<Agent>()) {
  stun_agent_init(&agent_->stun, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                  static_cast<StunAgentUsageFlags>(STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS |
                                                   STUN_AGENT_USAGE_USE_FINGERPRINT));
}

IceEnd::~IceEnd() = default;

void IceEnd::start(const media::IceCredentials& remote, TimePoint now) {
  remote_password_ = remote.pwd;
  username_ = remote.ufrag + ":" + local_.ufrag;
  started_ = true;
  next_check_ = heard_ = now;
}

void IceEnd::add(const std::vector<media::IceCandidate>& candidates) {
  for (const auto& candidate : candidates) {
    if (candidate.component != 1 || candidates_.size() >= kMaxCandidates) continue;
    if (auto address = Address::parse(candidate.ip, candidate.port)) {
      candidates_.push_back(*address);
    }
  }
}

void IceEnd::tick(TimePoint now) {
  if (!started_ || now < next_check_) return;
  if (selected_) {
    check(*selected_);
    next_check_ = now + kConsentEvery * (80 + random_() % 41) / 100;
  } else {
    for (const Address& candidate : candidates_) check(candidate);
    next_check_ = now + kCheckEvery;
  }
}

void IceEnd::check(const Address& to) {
  StunMessage message;
  std::array<std::uint8_t, 512> buffer;
  const std::size_t size = stun_usage_ice_conncheck_create(
      &agent_->stun, &message, buffer.data(), buffer.size(), bytes(username_), username_.size(),
      bytes(remote_password_), remote_password_.size(), true, true, kPriority, tie_breaker_,
      nullptr, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
  if (size > 0) send_(to, std::span(buffer).first(size));
}

void IceEnd::receive(std::span<const std::uint8_t> datagram, const Address& from, TimePoint now) {
  // The user name of a check that is for us begins with our half (RFC 8445 §7.2.2).
  StunDefaultValidaterData ours[] = {
      {const_cast<std::uint8_t*>(bytes(local_.ufrag)), local_.ufrag.size(),
       const_cast<std::uint8_t*>(bytes(local_.pwd)), local_.pwd.size()},
      {nullptr, 0, nullptr, 0}};
  const auto validater = [](StunAgent*, StunMessage*, std::uint8_t* username,
                            std::uint16_t username_length, std::uint8_t** password,
                            std::size_t* password_length, void* data) -> bool {
    const auto& own = *static_cast<StunDefaultValidaterData*>(data);
    if (username_length <= own.username_len || username[own.username_len] != ':' ||
        std::memcmp(username, own.username, own.username_len) != 0) {
      return false;
    }
    *password = own.password;
    *password_length = own.password_len;
    return true;
  };
  StunMessage message;
  if (stun_agent_validate(&agent_->stun, &message, datagram.data(), datagram.size(), validater,
                          ours) != STUN_VALIDATION_SUCCESS) {
    return;
  }
  if (stun_message_get_class(&message) == STUN_REQUEST) {
    StunMessage reply;
    std::array<std::uint8_t, 512> buffer;
    std::size_t size = buffer.size();
    bool controlling = true;
    if (stun_usage_ice_conncheck_create_reply(&agent_->stun, &message, &reply, buffer.data(), &size,
                                              &from.storage, from.length, &controlling,
                                              tie_breaker_, STUN_USAGE_ICE_COMPATIBILITY_RFC5245) ==
        STUN_USAGE_ICE_RETURN_SUCCESS) {
      send_(from, std::span(buffer).first(size));
    }
  } else if (stun_message_get_class(&message) == STUN_RESPONSE) {
    heard_ = now;
    if (!selected_) {
      selected_ = from;
      next_check_ = now + kConsentEvery;
    }
  }
}

bool IceEnd::lost(TimePoint now) const { return selected_ && now - heard_ > kConsentLasts; }

}  // namespace load
