#include "tests/e2e/world.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/eventually.h"
#include "tools/call/tones.h"
#include "tools/call/wav.h"

namespace e2e {

std::string tone_file(const support::TempDir& folder, double hz) {
  const auto file = (folder / (std::to_string(static_cast<int>(hz)) + ".wav")).string();
  if (!std::filesystem::exists(file)) call::WavWriter(file).write(call::sine(hz, kTone_dbfs, 8));
  return file;
}

support::ProsodySpec prosody_spec() {
  support::ProsodySpec spec;
  spec.hosts = {"localhost", "stranger.example"};
  spec.components.push_back({"mixer-b.localhost", kPassword});
  spec.components.push_back({"mixer-c.localhost", kPassword});
  for (const char* user : {"ann", "bob", "cyd", "bot"}) {
    spec.accounts.push_back({std::string(user) + "@localhost", kPassword});
  }
  spec.accounts.push_back({"eve@stranger.example", kPassword});
  for (int i = 1; i <= 50; ++i) {
    spec.accounts.push_back({"caller" + std::to_string(i) + "@localhost", kPassword});
  }
  return spec;
}

Mixer::Mixer(const Server& server, Spec spec)
    : client_mode_(spec.client_mode), component_(spec.component) {
  const auto file = folder_ / "mixer.toml";
  std::ofstream(file) << "[xmpp]\n"
                      << (client_mode_ ? "mode = \"client\"\njid = \"bot@localhost\"\n"
                                       : "mode = \"component\"\njid = \"" + component_ + "\"\n")
                      << "password = \"" << spec.secret << "\"\nhost = \"" << spec.host
                      << "\"\nport = " << (client_mode_ ? server.c2s_port : server.component_port)
                      << "\n"
                      << (client_mode_ ? "tls = \"trust-all\"\n" : "") << "[media]\n"
                      << spec.media << "\n[log]\nlevel = \"debug\"\n"
                      << "[rooms]\ndeparted-seconds = 1\n"  // or each leave takes 10 s
                      << spec.more << "\n";
  process_ = std::make_unique<support::Process>(
      support::Process::Spec{.argv = {JINGLE_MIXER, "--config", file.string()}});
  if (spec.wait_until_up && !process_->wait_for_output("xmpp=up", kWait)) {
    throw std::runtime_error("the mixer did not come up:\n" + log());
  }
}

Mixer::~Mixer() {
  if (crashed_) return;
  EXPECT_EQ(process_->terminate(kWait), 0) << log();
}

void Mixer::crash() {
  crashed_ = true;
  process_->signal(SIGKILL);
  EXPECT_TRUE(process_->wait(kWait)) << log();
}

std::string Mixer::jid(const std::string& room) const {
  return client_mode_ ? "bot@localhost/focus" : room + "@" + component_;
}

std::size_t Mixer::threads() const {
  const auto tasks =
      std::filesystem::directory_iterator("/proc/" + std::to_string(process_->pid()) + "/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

int Mixer::logged(const std::string& text) const {
  const std::string all = log();
  int count = 0;
  for (auto at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++count;
  return count;
}

namespace {

std::string account(const std::string& user) {
  return user.find('@') == std::string::npos ? user + "@localhost" : user;
}

}  // namespace

void Call::start(const std::vector<std::string>& argv) {
  const auto fifo = (folder_ / "commands").string();
  if (mkfifo(fifo.c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
  commands_fd_ = open(fifo.c_str(), O_RDWR | O_CLOEXEC);
  std::vector<std::string> with_commands{"/bin/sh", "-c", "exec \"$@\" <\"$0\"", fifo};
  with_commands.insert(with_commands.end(), argv.begin(), argv.end());
  process_ = std::make_unique<support::Process>(support::Process::Spec{.argv = with_commands});
}

Call::Call(const Server& server, CallSpec spec) {
  const std::string address = spec.host + ":" + std::to_string(server.c2s_port);
  std::vector<std::string> argv{JINGLE_CALL,        "--server",   address,      "--jid",
                                account(spec.user), "--password", kPassword,    "--json",
                                "--events",         "--commands", "--patience", "120"};
  if (spec.to.empty()) {
    argv.emplace_back("--answer");
  } else {
    argv.insert(argv.end(), {"--to", spec.to});
  }
  argv.insert(argv.end(), {"--tls", server.tls ? "trust-all" : "off"});
  if (!spec.play.empty()) argv.insert(argv.end(), {"--play", spec.play});
  if (spec.record) argv.insert(argv.end(), {"--record", recording()});
  if (spec.seconds > 0) argv.insert(argv.end(), {"--seconds", std::to_string(spec.seconds)});
  argv.insert(argv.end(), spec.more.begin(), spec.more.end());
  start(argv);
}

Call::~Call() {
  if (commands_fd_ >= 0) close(commands_fd_);
}

Call::Events Call::events() const {
  Events events;
  std::istringstream lines(output());
  for (std::string line; std::getline(lines, line);) {
    auto value = call::Json::parse(line);
    if (value && !(*value)["event"].is_null()) events.push_back(std::move(*value));
  }
  return events;
}

bool Call::happened(const std::string& event) const {
  const auto all = events();
  return std::any_of(all.begin(), all.end(),
                     [&](const auto& each) { return each["event"].string() == event; });
}

bool Call::wait_for(const std::string& event) {
  return wait_until([&](const Call& call) { return call.happened(event); });
}

bool Call::wait_until(const std::function<bool(const Call&)>& condition) {
  bool held = false;
  support::eventually(
      [&] {
        const bool ended = !process_->running();
        held = condition(*this);
        return held || ended;
      },
      kWait);
  return held;
}

std::vector<std::string> Call::roster() const {
  std::vector<std::string> names;
  const auto all = events();
  const auto last = std::find_if(all.rbegin(), all.rend(), [](const auto& each) {
    return each["event"].string() == "roster";
  });
  if (last == all.rend()) return names;
  for (const auto& entry : (*last)["detail"].array()) {
    auto name = entry["display_text"].string();
    const auto status = entry["status"].string();
    const auto media = entry["media_status"].string();
    if (status != "connected" || media != "sendrecv") name += ":" + status + "/" + media;
    names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

call::Json Call::roster_entry(const std::string& display_text) const {
  const auto all = events();
  for (auto event = all.rbegin(); event != all.rend(); ++event) {
    if ((*event)["event"].string() != "roster") continue;
    for (const auto& entry : (*event)["detail"].array()) {
      if (entry["display_text"].string() == display_text) return entry;
    }
    break;
  }
  return {};
}

std::vector<std::string> Call::documents() const {
  std::vector<std::string> documents;
  for (const auto& event : events()) {
    if (event["event"].string() != "document") continue;
    const auto& detail = event["detail"];
    documents.push_back(detail.is_null() ? event["xml"].string() : detail.string());
  }
  return documents;
}

void Call::say(const std::string& command) {
  const std::string line = command + "\n";
  if (write(commands_fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    throw std::runtime_error("cannot command the caller");
  }
}

std::optional<int> Call::finish() {
  process_->signal(SIGTERM);
  return process_->wait(kWait);
}

call::Json Call::report(std::size_t number) const {
  std::istringstream lines(output());
  for (std::string line; std::getline(lines, line);) {
    if (auto value = call::Json::parse(line); value && value->array().size() > 0) {
      return (*value)[number];
    }
  }
  return {};
}

void expect_all_but_own_heard(const std::vector<Heard>& recordings) {
  for (const auto& [recording, own_hz, others_hz] : recordings) {
    SCOPED_TRACE(recording + " of the caller with " + std::to_string(own_hz) + " Hz");
    const auto sound = call::read_wav(recording);
    ASSERT_TRUE(sound);
    const auto stretch = call::best_stretch(sound->samples, others_hz, 5, sound->rate_hz);
    ASSERT_TRUE(stretch) << sound->samples.size() << " samples";
    const double own = call::tone_dbfs(*stretch, own_hz, sound->rate_hz);
    for (const double hz : others_hz) {
      const double level = call::tone_dbfs(*stretch, hz, sound->rate_hz);
      EXPECT_NEAR(level, kTone_dbfs, 3) << hz << " Hz";
      EXPECT_LE(own, level - 50) << hz << " Hz";
    }
  }
}

double last_dbfs(const std::string& recording, double hz, double seconds, std::size_t channel) {
  const auto sound = call::read_wav(recording, channel);
  const auto length = static_cast<std::size_t>(seconds * 48000);
  if (!sound || sound->samples.size() < length) return call::kSilence_dbfs;
  return call::tone_dbfs(std::span(sound->samples).last(length), hz, sound->rate_hz);
}

bool wait_until_heard(const std::string& recording, std::span<const double> tones_hz,
                      double seconds) {
  return support::eventually(
      [&] {
        const auto sound = call::read_wav(recording);
        if (!sound) return false;
        const auto stretch = call::best_stretch(sound->samples, tones_hz, seconds, sound->rate_hz);
        return stretch && std::all_of(tones_hz.begin(), tones_hz.end(), [&](double hz) {
                 return call::tone_dbfs(*stretch, hz, sound->rate_hz) > kTone_dbfs - 3;
               });
      },
      kWait);
}

}  // namespace e2e
