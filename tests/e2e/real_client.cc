#include "tests/e2e/real_client.h"
#include "tests/support/data.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace e2e {
namespace {

constexpr char kChromium[] = "/usr/bin/chromium";
constexpr char kBrowser[] = TEST_BUILD "/browser";  // a copy of the folder browser

std::string content(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// Keeps other test processes out while it lives.
class FileLock {
 public:
  explicit FileLock(const std::string& file)
      : fd_(::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
    if (fd_ < 0 || ::flock(fd_, LOCK_EX) != 0) throw std::runtime_error("cannot lock " + file);
  }
  ~FileLock() { ::close(fd_); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  const int fd_;
};

std::string missing_for_chromium() {
  for (const char* program : {kChromium, "node", "npm"}) {
    if (!support::have_program(program)) return std::string(program) + " is not installed";
  }
  // npm ci begins by removing what another process may be running from.
  const FileLock installing(std::string(kBrowser) + "/installing.lock");
  const auto wanted = std::filesystem::path(kBrowser) / "package-lock.json";
  const auto installed = std::filesystem::path(kBrowser) / "node_modules" / "installed-lock.json";
  if (content(installed) == content(wanted)) return {};
  std::string output;
  const int status = support::run_command(
      {.argv = {"npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline",
                "--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000"},
       .cwd = kBrowser},
      &output);
  if (status != 0) return "npm ci could not install StanzaJS and playwright-core: " + output;
  std::filesystem::copy_file(wanted, installed);
  return {};
}

std::string missing_for_aiortc() {
  std::string output;
  const int status =
      support::run_command({.argv = {"/usr/bin/python3", "-c", "import slixmpp, aiortc"}}, &output);
  return status == 0 ? "" : "python3-slixmpp and python3-aiortc are needed: " + output;
}

// Where this test leaves what is worth looking at.
std::string test_file(const std::string& ending) {
  const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
  std::string name = std::string(test->test_suite_name()) + "." + test->name();
  std::replace(name.begin(), name.end(), '/', '-');
  std::filesystem::create_directories(TEST_BUILD "/real_clients");
  return TEST_BUILD "/real_clients/" + name + ending;
}

}  // namespace

std::string RealClient::missing(Stack stack) {
  return stack == Stack::chromium ? missing_for_chromium() : missing_for_aiortc();
}

RealClient::RealClient(Stack stack, const support::Prosody& prosody, const Spec& spec) {
  recording_ = test_file("-" + spec.user + "-heard.wav");
  std::filesystem::remove(recording_);
  auto argv = stack == Stack::chromium ? chromium(prosody, spec) : aiortc(prosody, spec);
  argv.insert(argv.end(),
              {"--jid", spec.user + "@localhost", "--password", kPassword, "--record", recording_});
  if (const auto& turn = spec.turn) {
    argv.insert(argv.end(), {"--turn", "turn:" + turn->address + "?transport=udp",
                             "--turn-username", turn->username, "--turn-password", turn->password});
  }
  start(argv);
}

std::vector<std::string> RealClient::chromium(const support::Prosody& prosody,
                                              const Spec& spec) const {
  std::string url = prosody.websocket_url();
  const std::string loopback = "127.0.0.1";
  url.replace(url.find(loopback), loopback.size(), spec.host);
  return {"node",         std::string(kBrowser) + "/caller.mjs",
          "--chromium",   kChromium,
          "--websocket",  url,
          "--tone",       std::to_string(spec.hz),
          "--screenshot", test_file("-" + spec.user + "-page.png")};
}

std::vector<std::string> RealClient::aiortc(const support::Prosody& prosody,
                                            const Spec& spec) const {
  return {"/usr/bin/python3",
          test_support::data("e2e/foreign_caller.py"),
          "--server",
          spec.host + ":" + std::to_string(prosody.c2s_port()),
          "--play",
          tone_file(folder_, spec.hz),
          "--address",
          spec.address,
          "--ca",
          prosody.certificate().pem.string()};
}

call::Json RealClient::last(const std::string& event) const {
  call::Json found;
  for (auto& each : events()) {
    if (each["event"].string() == event) found = std::move(each);
  }
  return found;
}

}  // namespace e2e
