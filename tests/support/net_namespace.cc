#include "tests/support/net_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <sstream>
#include <stdexcept>

#include "tests/support/process.h"

namespace support {
namespace {

Fd current() { return Fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)); }

void enter(const Fd& where) {
  if (::setns(where.get(), CLONE_NEWNET) != 0) {
    throw std::runtime_error(std::string("setns: ") + ::strerror(errno));
  }
}

Fd make() {
  const Fd outside = current();
  if (::unshare(CLONE_NEWNET) != 0) return Fd();
  Fd inside = current();
  enter(outside);
  return inside;
}

}  // namespace

std::string NetNamespace::missing() {
  if (!have_program("ip")) return "ip (iproute2) is not installed";
  if (!make()) return std::string("no network namespaces here: ") + ::strerror(errno);
  return {};
}

NetNamespace::NetNamespace() : fd_(make()) {
  if (!fd_) throw std::runtime_error("no network namespace");
  ip("link set lo up");
}

NetNamespace::Inside::Inside(const NetNamespace& where) : outside_(current()) { enter(where.fd_); }
NetNamespace::Inside::~Inside() { enter(outside_); }

void NetNamespace::ip(const std::string& arguments) const {
  std::istringstream words(arguments);
  std::vector<std::string> argv{"ip"};
  for (std::string word; words >> word;) argv.push_back(word);
  const Inside inside(*this);
  std::string output;
  if (run_command({.argv = argv}, &output) != 0) {
    throw std::runtime_error("ip " + arguments + ": " + output);
  }
}

void NetNamespace::connect(const NetNamespace& other, const std::string& own,
                           const std::string& others) {
  const std::string name = "cable" + std::to_string(cables_++);
  ip("link add " + name + " type veth peer name up0 netns " + other.path());
  ip("address add " + own + " dev " + name);
  ip("link set " + name + " up");
  other.ip("address add " + others + " dev up0");
  other.ip("link set up0 up");
}

std::string NetNamespace::path() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_.get());
}

}  // namespace support
