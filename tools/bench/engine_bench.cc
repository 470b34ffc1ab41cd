// What a participant costs the engine, with ICE, DTLS-SRTP and Opus as in a call, over loopback:
//
//   engine_bench [--sizes 100,300,500] [--seconds 20] [--talking 3] [--rows dtx,all]
//                [--io-threads 1,2]
//
// One room grows through the sizes. Row `dtx`: three talk, the others send what Opus sends in a
// silence (2.5 packets/s). Row `all`: the others send 50 packets/s of it. All packets tell their
// levels (RFC 6464), callers' phases are spread over the 20 ms. The callers live in a process of
// their own; what is printed is the engine's process alone, by its threads' own CPU clocks, so
// other load on the machine disturbs little. With several numbers of I/O threads (default: one
// engine with as many as cores), one engine after the other; the last column is what each I/O
// thread took of a core. A row whose callers missed more than 2 % of what they
// are to get (50 packets/s each) is void.
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "media/audio_frame.h"
#include "media/gst/dtls_srtp.h"
#include "media/gst/file_limit.h"
#include "media/gst/gst_engine.h"
#include "media/gst/io_thread.h"
#include "media/rtp_header.h"
#include "tools/bench/voice.h"

namespace {

using namespace media;
using namespace media::gst;
using Clock = std::chrono::steady_clock;

constexpr std::uint8_t kLevelExtension = 1;
constexpr int kSlots = 20;           // of a tick, in which callers send
constexpr int kDtxTicks = 20;        // between two packets of somebody silent
constexpr std::size_t kAtOnce = 25;  // calls that are being set up

// Between the two processes.
struct Message {
  enum class Kind { half, connected, failed, open, mode, count } kind{};
  std::uint64_t leg = 0;
  std::uint64_t value = 0;
  std::uint16_t port = 0;
  char ufrag[64]{}, pwd[64]{}, hash[16]{}, fingerprint[200]{};
};

void put(char* into, std::size_t size, const std::string& text) {
  if (text.size() >= size) std::abort();
  std::memcpy(into, text.c_str(), text.size() + 1);
}

Message half_of(const LegOpened& opened) {
  Message half{.kind = Message::Kind::half, .leg = opened.leg.value};
  half.port = opened.candidates.at(0).port;
  put(half.ufrag, sizeof half.ufrag, opened.ice.ufrag);
  put(half.pwd, sizeof half.pwd, opened.ice.pwd);
  put(half.hash, sizeof half.hash, opened.fingerprint.hash);
  put(half.fingerprint, sizeof half.fingerprint, opened.fingerprint.value);
  return half;
}

LegRemote remote_of(const Message& half, DtlsRole our_role) {
  LegRemote remote;
  remote.ice = {half.ufrag, half.pwd};
  IceCandidate host;
  host.foundation = "1";
  host.ip = "127.0.0.1";
  host.port = half.port;
  host.priority = 2130706431;
  remote.candidates = {host};
  remote.fingerprint = {half.hash, half.fingerprint};
  remote.our_role = our_role;
  remote.rtp.ssrc_audio_level = kLevelExtension;
  return remote;
}

void say(int socket, const Message& message) {
  if (send(socket, &message, sizeof message, 0) != sizeof message) std::_Exit(1);
}

// The callers' process.
class Callers {
 public:
  Callers(int socket, std::uint64_t talking)
      : socket_(socket),
        io_(IceConfig{.addresses = {"127.0.0.1"}}, identity_,
            [this](const Event& event) { on_event(event); }) {
    for (std::uint64_t i = 0; i < talking; ++i) {
      voices_.push_back(bench::encoded(bench::voice(110 + 37 * static_cast<double>(i))));
    }
  }

  void run() {
    std::thread sender([this] { send_for_ever(); });
    Message message;
    while (recv(socket_, &message, sizeof message, 0) == sizeof message) {
      const LegId leg{message.leg};
      switch (message.kind) {
        case Message::Kind::open:
          io_.open({.leg = leg, .ssrc = ssrc_of(leg.value), .ice_controlling = true});
          break;
        case Message::Kind::half: io_.connect(leg, remote_of(message, DtlsRole::server)); break;
        case Message::Kind::mode: all_send_ = message.value != 0; break;
        case Message::Kind::count:
          message.value = io_.counters().rtp_received;
          say(socket_, message);
          break;
        default: break;
      }
    }
    std::_Exit(0);  // the engine's process is gone
  }

 private:
  static std::uint32_t ssrc_of(std::uint64_t leg) {
    return static_cast<std::uint32_t>(0x10000 + leg);
  }

  void on_event(const Event& event) {
    if (const auto* opened = std::get_if<LegOpened>(&event)) {
      say(socket_, half_of(*opened));
    } else if (const auto* connected = std::get_if<LegConnected>(&event)) {
      legs_ = std::max(legs_.load(), connected->leg.value);
    }
  }

  void send_for_ever() {
    auto next = Clock::now();
    for (std::uint64_t round = 0;; ++round) {
      next += kTick / kSlots;
      std::this_thread::sleep_until(next);
      const std::uint64_t tick = round / kSlots, slot = round % kSlots;
      const std::uint64_t legs = legs_;
      for (std::uint64_t leg = 1 + slot; leg <= legs; leg += kSlots) {
        const bool talks = leg <= voices_.size();
        if (talks || all_send_ || (tick + leg / kSlots) % kDtxTicks == 0) send(leg, tick, talks);
      }
      io_.flush();
    }
  }

  void send(std::uint64_t leg, std::uint64_t tick, bool talks) {
    const auto& payload = (talks ? voices_[leg - 1] : silence_)[tick % 50];
    std::array<std::uint8_t, kMaxRtpHeaderBytes + 8 + limits::kMaxOpusBytes> packet;
    const RtpHeader header{.payload_type = 111,
                           .sequence = sequences_[leg]++,
                           .timestamp = static_cast<std::uint32_t>(tick * kFrame_samples),
                           .ssrc = ssrc_of(leg)};
    std::size_t size = write_rtp_header(header, {}, 0, packet);
    // RFC 8285 §4.2, one-byte header; RFC 6464 §3.
    packet[0] |= 0x10;
    const std::uint8_t level = talks ? 0x80 | 25 : 127;
    for (const std::uint8_t byte : {0xBE, 0xDE, 0x00, 0x01, kLevelExtension << 4, int{level}, 0, 0})
      packet[size++] = static_cast<std::uint8_t>(byte);
    std::copy(payload.begin(), payload.end(), packet.begin() + static_cast<std::ptrdiff_t>(size));
    size += payload.size();
    io_.enqueue({leg}, BufferPtr(gst_buffer_new_memdup(packet.data(), size)));
  }

  const int socket_;
  const std::vector<std::vector<std::uint8_t>> silence_ = bench::encoded(std::vector<Frame>(50));
  std::vector<std::vector<std::vector<std::uint8_t>>> voices_;
  std::map<std::uint64_t, std::uint16_t> sequences_;
  std::atomic<std::uint64_t> legs_{0};
  std::atomic<bool> all_send_{false};
  DtlsIdentity identity_;
  IoThread io_;
};

struct ThreadTime {
  std::string name;
  double cpu_ns = 0;
};
// By the threads' ids.
std::map<std::string, ThreadTime> thread_times() {
  std::map<std::string, ThreadTime> times;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    ThreadTime& time = times[task.path().filename()];
    std::getline(std::ifstream(task.path() / "comm") >> std::ws, time.name);
    std::ifstream(task.path() / "schedstat") >> time.cpu_ns;
  }
  return times;
}

double resident_kb() {
  std::ifstream statm("/proc/self/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1000;
}

EngineConfig loopback(unsigned io_threads) {
  EngineConfig config;
  config.addresses = {"127.0.0.1"};
  config.io_threads = io_threads;
  return config;
}

class Bench {
 public:
  Bench(int socket, unsigned io_threads)
      : socket_(socket),
        engine_(
            make_gst_engine(loopback(io_threads), [this](const Event& event) { on_event(event); })),
        listener_([this] { listen(); }) {}

  void grow(std::uint64_t size) {
    while (opened_ < size) {
      while (opened_ - connected_ >= kAtOnce) wait();
      say(socket_, {.kind = Message::Kind::open, .leg = ++opened_});
    }
    while (connected_ < size) wait();
  }

  void measure(bool all_send, std::chrono::seconds seconds) {
    say(socket_, {.kind = Message::Kind::mode, .value = all_send});
    std::this_thread::sleep_for(std::chrono::seconds(3));  // playout buffers, speakers: settled
    const double packets_before = received();
    const auto before = thread_times();
    const auto begin = Clock::now();
    std::this_thread::sleep_for(seconds);
    const auto after = thread_times();
    const double took_s = std::chrono::duration<double>(Clock::now() - begin).count();
    const double per_s = (received() - packets_before) / took_s / static_cast<double>(opened_);
    double total = 0, other = 0;
    std::map<std::string, double> of;
    std::string of_each;
    for (const auto& [id, time] : after) {
      const auto earlier = before.find(id);
      const double ns = time.cpu_ns - (earlier == before.end() ? 0 : earlier->second.cpu_ns);
      const double percent = ns / 1e7 / took_s, spent = percent / static_cast<double>(opened_);
      total += spent;
      const bool named = time.name.starts_with("mixer-io") || time.name.starts_with("mixer-tick");
      (named ? of[time.name.substr(0, 8)] : other) += spent;
      char text[16];
      std::snprintf(text, sizeof text, " %5.1f", percent);
      if (time.name.starts_with("mixer-io")) of_each += text;
    }
    std::printf("%-4s %5llu | %8.4f | %8.4f %8.4f %8.4f | %9.0f | %7.1f %7.0f | %6.2f%s |%s\n",
                all_send ? "all" : "dtx", static_cast<unsigned long long>(opened_), total,
                of["mixer-io"], of["mixer-ti"], other, 100 / total, resident_kb() / 1000,
                (resident_kb() - empty_kb_) / static_cast<double>(opened_), per_s,
                per_s < 49 ? " VOID" : "", of_each.c_str());
    std::fflush(stdout);
  }

  void header() const {
    std::printf(
        "           |             %% of a core per participant         | particip. |"
        " memory            | received | each I/O\n");
    std::printf(
        "row  legs  |      all |      I/O     tick    other |  per core |"
        "      MB  kB/leg | per s    | thread, %%\n");
  }

 private:
  void on_event(const Event& event) {
    if (const auto* opened = std::get_if<LegOpened>(&event)) {
      say(socket_, half_of(*opened));
    } else if (std::get_if<LegConnected>(&event)) {
      connected_++;
    } else if (const auto* failed = std::get_if<LegFailed>(&event)) {
      std::fprintf(stderr, "leg %llu: %s\n", static_cast<unsigned long long>(failed->leg.value),
                   failed->text.c_str());
      std::_Exit(1);
    }
  }

  void listen() {
    Message message;
    while (recv(socket_, &message, sizeof message, 0) == sizeof message) {
      if (message.kind == Message::Kind::count) counted_ = message.value;
      if (message.kind != Message::Kind::half) continue;
      LegSpec spec{.room = {1}, .leg = {message.leg}, .remote = {}};
      spec.contributor_id = static_cast<std::uint32_t>(message.leg);
      spec.remote = remote_of(message, DtlsRole::client);
      engine_->open_leg(std::move(spec));
    }
    std::fprintf(stderr, "the callers' process is gone\n");
    std::_Exit(1);
  }

  double received() {
    counted_ = kNotCounted;
    say(socket_, {.kind = Message::Kind::count});
    while (counted_ == kNotCounted) wait();
    return static_cast<double>(counted_);
  }
  static void wait() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

  static constexpr std::uint64_t kNotCounted = ~std::uint64_t{0};
  const int socket_;
  const double empty_kb_ = resident_kb();
  std::uint64_t opened_ = 0;
  std::atomic<std::uint64_t> connected_{0}, counted_{0};
  std::unique_ptr<MediaEngine> engine_;
  std::thread listener_;
};

struct Options {
  std::vector<std::uint64_t> sizes{100, 300, 500};
  std::chrono::seconds seconds{20};
  std::uint64_t talking = 3;
  std::string rows = "dtx,all";
  std::vector<std::uint64_t> io_threads{0};  // 0: as many as cores
};

std::vector<std::uint64_t> numbers(const char* list) {
  std::vector<std::uint64_t> found;
  for (char* at = const_cast<char*>(list); *at != '\0'; at += *at == ',') {
    found.push_back(std::strtoull(at, &at, 10));
  }
  return found;
}

Options options_of(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--seconds") options.seconds = std::chrono::seconds(std::atoi(argv[i + 1]));
    if (name == "--talking") options.talking = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--rows") options.rows = argv[i + 1];
    if (name == "--sizes") options.sizes = numbers(argv[i + 1]);
    if (name == "--io-threads") options.io_threads = numbers(argv[i + 1]);
  }
  return options;
}

// A process for the engine, and one for its callers.
[[noreturn]] void run(const Options& options, unsigned io_threads) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) std::_Exit(1);
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ends[0]);
    gst_init(nullptr, nullptr);
    (new Callers(ends[1], options.talking))->run();
  }
  close(ends[1]);
  auto* const bench = new Bench(ends[0], io_threads);
  bench->header();
  for (const std::uint64_t size : options.sizes) {
    bench->grow(size);
    if (options.rows.find("dtx") != std::string::npos) bench->measure(false, options.seconds);
    if (options.rows.find("all") != std::string::npos) bench->measure(true, options.seconds);
  }
  std::fflush(stdout);
  std::_Exit(0);  // without ending the calls: that is not what is measured
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = options_of(argc, argv);
  raise_file_limit();
  for (const std::uint64_t io_threads : options.io_threads) {
    const pid_t engine = fork();
    if (engine == 0) run(options, static_cast<unsigned>(io_threads));
    int status = -1;
    if (waitpid(engine, &status, 0) != engine || status != 0) return 1;
  }
}
