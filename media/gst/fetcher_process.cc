#include "media/gst/fetcher_process.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace media::gst {
namespace {

// FetchRules::answer, and a list, come first.
constexpr std::chrono::seconds kPatience{40};

Fd in_memory(const std::string& text) {
  Fd memory(memfd_create("request", MFD_CLOEXEC));
  if (!memory ||
      pwrite(memory.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error(kTooMuchOpen);
  }
  return memory;
}

}  // namespace

std::string FetchRequest::write() const {
  std::ostringstream out;
  out << url << '\n'
      << rules.answer.count() << '\n'
      << rules.silence.count() << '\n'
      << rules.longest.count() << '\n'
      << rules.most_bytes << '\n'
      << rules.most_places << '\n'
      << rules.ca_file << '\n';
  for (const std::string& host : rules.hosts) out << host << '\n';
  return out.str();
}

std::optional<FetchRequest> FetchRequest::parse(const std::string& text) {
  std::istringstream in(text);
  std::string line;
  const auto number = [&]() -> std::optional<std::int64_t> {
    std::int64_t value = 0;
    if (!std::getline(in, line)) return {};
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (error != std::errc() || end != line.data() + line.size()) return {};
    return value;
  };
  FetchRequest request;
  if (!std::getline(in, request.url)) return {};
  const auto answer = number(), silence = number(), longest = number(), most = number(),
             places = number();
  if (!answer || !silence || !longest || !most || !places) return {};
  request.rules.answer = std::chrono::milliseconds(*answer);
  request.rules.silence = std::chrono::milliseconds(*silence);
  request.rules.longest = std::chrono::milliseconds(*longest);
  request.rules.most_bytes = static_cast<std::uint64_t>(*most);
  request.rules.most_places = static_cast<std::uint32_t>(*places);
  if (!std::getline(in, request.rules.ca_file)) return {};
  while (std::getline(in, line)) request.rules.hosts.push_back(line);
  return request;
}

struct FetcherProcess::Sockets {
  Sockets() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
      throw std::runtime_error(kTooMuchOpen);
    }
    fetchers = Fd(ends[0]);
    decoders = Fd(ends[1]);
  }
  Fd fetchers, decoders;
};

FetcherProcess::FetcherProcess(const std::string& program, const FetchRequest& request)
    : FetcherProcess(program, request, Sockets()) {}

// Its end is not kept here: so what it fetches ends with it.
FetcherProcess::FetcherProcess(const std::string& program, const FetchRequest& request,
                               Sockets sockets)
    : body_(std::move(sockets.decoders)),
      child_(program, {kFetcherArgument}, in_memory(request.write()), sockets.fetchers) {}

std::optional<FetcherProcess::Message> FetcherProcess::next(Silence& why) {
  return child_.next(why, kPatience);
}

std::optional<FetcherProcess::Message> FetcherProcess::glance() {
  Silence why{};
  return child_.next(why, std::chrono::milliseconds(0));
}

}  // namespace media::gst
