#include "tests/support/coturn.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "tests/support/eventually.h"
#include "tests/support/net.h"

namespace support {
namespace {

// Sends a binding request (RFC 8489 §5) with every look, and looks for any answer.
class Ping {
 public:
  Ping(int family, std::uint16_t port)
      : fd_(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_addr = in6addr_loopback;
    const bool is_v4 = family == AF_INET;
    const void* to = is_v4 ? static_cast<const void*>(&v4) : &v6;
    if (::connect(fd_.get(), static_cast<const sockaddr*>(to), is_v4 ? sizeof v4 : sizeof v6) !=
        0) {
      throw std::runtime_error("no socket on loopback");
    }
  }
  bool answered() const {
    static constexpr std::array<unsigned char, 20> kRequest{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1};
    std::array<unsigned char, 512> answer{};
    // Refused (ECONNREFUSED) as long as nobody listens.
    (void)!::send(fd_.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL);
    return ::recv(fd_.get(), answer.data(), answer.size(), 0) > 0;
  }

 private:
  Fd fd_;
};

}  // namespace

std::string Coturn::missing() {
  return have_program("turnserver") ? "" : "turnserver (coturn) is not installed";
}

Coturn::Coturn(Spec spec) : port_(free_udp_port()) {
  const auto path = [this](const char* name) { return (folder_ / name).string(); };
  std::vector<std::string> argv{"turnserver",
                                "-n",
                                "--verbose",  // says what becomes of each request
                                "--relay-ip=" + spec.relay,
                                "--listening-port=" + std::to_string(port_),
                                "--no-rfc5780",
                                "--no-tcp",
                                "--no-tls",
                                "--no-dtls",
                                "--no-tcp-relay",
                                "--no-cli",
                                "--allow-loopback-peers",
                                "--relay-threads=1",
                                "--realm=mixer.localhost",
                                "--userdb=" + path("turndb"),
                                "--pidfile=" + path("turnserver.pid"),
                                "--log-file=stdout"};
  for (const auto& address : spec.listen) argv.push_back("--listening-ip=" + address);
  if (spec.secret.empty()) {
    argv.insert(argv.end(), {"--lt-cred-mech", std::string("--user=") + kUser + ":" + kPassword});
  } else {
    argv.insert(argv.end(), {"--use-auth-secret", "--static-auth-secret=" + spec.secret});
  }
  process_ = std::make_unique<Process>(Process::Spec{.argv = argv, .cwd = folder_.path()});
  const auto listens = [&](const char* address) {
    return std::find(spec.listen.begin(), spec.listen.end(), address) != spec.listen.end();
  };
  const Ping v4(AF_INET, port_), v6(AF_INET6, port_);
  bool answered[2] = {!listens("127.0.0.1"), !listens("::1")};
  const bool up = eventually([&] {
    answered[0] = answered[0] || v4.answered();
    answered[1] = answered[1] || v6.answered();
    return (answered[0] && answered[1]) || !process_->running();
  });
  if (!up || !process_->running()) {
    throw std::runtime_error("coturn did not start:\n" + process_->output());
  }
}

Coturn::Credentials Coturn::time_limited(const std::string& secret, std::chrono::seconds lifetime) {
  const auto until = std::chrono::system_clock::now() + lifetime;
  Credentials out;
  out.username = std::to_string(std::chrono::system_clock::to_time_t(until));
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  HMAC(EVP_sha1(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(out.username.data()), out.username.size(), mac.data(),
       &size);
  std::array<unsigned char, 4 * EVP_MAX_MD_SIZE> text{};
  const int length = EVP_EncodeBlock(text.data(), mac.data(), static_cast<int>(size));
  out.password.assign(text.begin(), text.begin() + length);
  return out;
}

}  // namespace support
