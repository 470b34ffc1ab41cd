#include "tools/load/process_watch.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace load {

std::optional<ProcessSample> sample_process(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // The name may hold anything; the third field follows its last parenthesis.
  std::istringstream rest(line.substr(line.rfind(')') + 1));
  const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
  if (fields.size() < 22) return std::nullopt;
  const auto field = [&fields](std::size_t number) { return std::stod(fields[number - 3]); };
  ProcessSample sample;
  sample.cpu_s = (field(14) + field(15)) / static_cast<double>(sysconf(_SC_CLK_TCK));
  sample.threads = static_cast<int>(field(20));
  sample.memory_mb = field(24) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
  return sample;
}

}  // namespace load
