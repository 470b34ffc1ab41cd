#include "tests/support/starvation.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace support {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto kLook = 50ms;
constexpr auto kCount = 1s;  // as often new threads are looked for

pid_t number(const fs::path& path) { return std::atoi(path.filename().c_str()); }

std::vector<pid_t> numbers_in(const fs::path& folder) {
  std::vector<pid_t> out;
  std::error_code gone;
  for (fs::directory_iterator at(folder, gone), end; !gone && at != end; at.increment(gone)) {
    if (const pid_t n = number(at->path()); n > 0) out.push_back(n);
  }
  return out;
}

// proc(5): "PID (NAME) STATE PPID ..."; the name may hold anything.
pid_t parent_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text);
  const auto name_ends = text.rfind(')');
  return name_ends == std::string::npos ? 0 : std::atoi(text.c_str() + name_ends + 4);
}

}  // namespace

// "cpu0 USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL ..." in USER_HZ; a line without a number is
// the sum.
std::vector<std::chrono::milliseconds> stolen_of_cores(std::string_view proc_stat) {
  std::vector<std::chrono::milliseconds> stolen;
  std::istringstream lines{std::string(proc_stat)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string name;
    std::int64_t ticks = 0;
    if (!(fields >> name) || !name.starts_with("cpu") || name == "cpu") continue;
    for (int field = 0; field < 8; ++field) fields >> ticks;
    if (fields) stolen.emplace_back(1000 * ticks / sysconf(_SC_CLK_TCK));
  }
  return stolen;
}

Starvation::Starvation() : thread_([this](const std::stop_token& stop) { watch(stop); }) {}

void Starvation::watch(const std::stop_token& stop) {
  std::condition_variable_any stopped;
  std::mutex mutex;
  std::unique_lock until_stopped(mutex);
  for (auto count_at = begun_; !stop.stop_requested();) {
    const auto at = std::chrono::steady_clock::now();
    if (at >= count_at) {
      find_threads();
      count_at = at + kCount;
    }
    bool starved = somebody_waited();
    starved = a_core_stood_still() || starved;
    const auto looked = std::chrono::steady_clock::now();
    stopped.wait_for(until_stopped, stop, kLook, [] { return false; });
    const auto now = std::chrono::steady_clock::now();
    starved = starved || now - looked > kLook + kWaited;
    if (!starved) continue;
    const std::lock_guard lock(mutex_);
    moments_.push_back(now);
  }
}

// Those of this process and its descendants.
void Starvation::find_threads() {
  const auto processes = numbers_in("/proc");
  std::set<pid_t> ours{getpid()};
  for (std::size_t before = 0; before != ours.size();) {
    before = ours.size();
    for (const pid_t process : processes) {
      if (!ours.contains(process) && ours.contains(parent_of(process))) ours.insert(process);
    }
  }
  std::map<pid_t, Waits> found;
  for (const pid_t process : ours) {
    const auto tasks = fs::path("/proc") / std::to_string(process) / "task";
    for (const pid_t thread : numbers_in(tasks)) {
      if (auto known = threads_.extract(thread)) {
        found.insert(std::move(known));
        continue;
      }
      const auto file = tasks / std::to_string(thread) / "schedstat";
      found[thread].file = Fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    }
  }
  threads_ = std::move(found);
}

bool Starvation::somebody_waited() {
  bool any = false;
  for (auto& [thread, waits] : threads_) {
    char text[96];  // nanoseconds on a CPU, nanoseconds waited for one, times
    const ssize_t length = pread(waits.file.get(), text, sizeof text, 0);
    if (length <= 0) continue;
    const std::string_view all(text, static_cast<std::size_t>(length));
    const auto second = all.find(' ');
    if (second == all.npos) continue;
    std::chrono::nanoseconds::rep ns = 0;
    std::from_chars(text + second + 1, text + length, ns);
    const std::chrono::nanoseconds waited(ns);
    any = any || (waits.waited > 0ns && waited - waits.waited > kWaited);
    waits.waited = waited;
  }
  return any;
}

bool Starvation::a_core_stood_still() {
  std::ostringstream text;
  text << std::ifstream("/proc/stat").rdbuf();
  const auto before = std::exchange(stolen_, stolen_of_cores(text.str()));
  bool any = false;
  for (std::size_t core = 0; core < std::min(before.size(), stolen_.size()); ++core) {
    any = any || stolen_[core] - before[core] >= kWaited;
  }
  return any;
}

bool Starvation::between(Time from, Time to) const {
  const std::lock_guard lock(mutex_);
  const auto first = std::ranges::lower_bound(moments_, from);
  return first != moments_.end() && *first <= to;
}

}  // namespace support
