// The main() of a fuzz target in builds without libFuzzer: every file of the given folders and
// files, then mutations of them by a fixed seed.
//   NAME_fuzz FOLDER|FILE... [--seed N] [--mutations N]
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;
using Input = std::vector<std::uint8_t>;

// A copy of exactly this size, so that a sanitizer sees the first byte too many.
void run(const Input& input) {
  std::uint8_t* const data = new std::uint8_t[input.size()];
  std::copy(input.begin(), input.end(), data);
  LLVMFuzzerTestOneInput(data, input.size());
  delete[] data;
}

Input read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<Input> corpus(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());  // the same seed, the same inputs
  std::vector<Input> inputs;
  for (const fs::path& file : files) inputs.push_back(read(file));
  return inputs;
}

class Mutator {
 public:
  Mutator(const std::vector<Input>& corpus, std::uint64_t seed) : corpus_(corpus), random_(seed) {}

  Input next() {
    Input input = corpus_[below(corpus_.size())];
    for (std::size_t n = 1 + below(4); n > 0; --n) mutate(input);
    return input;
  }

 private:
  std::size_t below(std::size_t end) { return end == 0 ? 0 : random_() % end; }
  std::ptrdiff_t place(const Input& input) {
    return static_cast<std::ptrdiff_t>(below(input.size() + 1));
  }

  void mutate(Input& input) {
    const std::ptrdiff_t at = place(input);
    const auto rest = static_cast<std::size_t>(input.end() - (input.begin() + at));
    switch (below(6)) {
      case 0:  // another byte
        if (rest > 0) input[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(random_());
        break;
      case 1:  // a bit
        if (rest > 0)
          input[static_cast<std::size_t>(at)] ^= static_cast<std::uint8_t>(1u << below(8));
        break;
      case 2:  // some gone
        input.erase(input.begin() + at,
                    input.begin() + at + static_cast<std::ptrdiff_t>(std::min(rest, below(32))));
        break;
      case 3:  // cut off
        input.resize(static_cast<std::size_t>(at));
        break;
      case 4: insert_piece(input, at, input); break;
      default: insert_piece(input, at, corpus_[below(corpus_.size())]);
    }
  }
  static constexpr std::size_t kLongestPiece = 256, kLongest = 1 << 20;
  void insert_piece(Input& input, std::ptrdiff_t at, const Input& from) {
    const auto start = static_cast<std::size_t>(place(from));
    const std::size_t length = std::min(from.size() - start, 1 + below(kLongestPiece));
    if (input.size() + length > kLongest) return;
    const auto first = from.begin() + static_cast<std::ptrdiff_t>(start);
    const Input piece(first, first + static_cast<std::ptrdiff_t>(length));
    input.insert(input.begin() + at, piece.begin(), piece.end());
  }

  const std::vector<Input>& corpus_;
  std::mt19937_64 random_;
};

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seed = 1;
  unsigned long mutations = 100'000;
  std::vector<fs::path> paths;
  for (int i = 1; i < argc; ++i) {
    const bool more = i + 1 < argc;
    if (std::strcmp(argv[i], "--seed") == 0 && more) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (std::strcmp(argv[i], "--mutations") == 0 && more) {
      mutations = std::strtoul(argv[++i], nullptr, 10);
    } else {
      paths.emplace_back(argv[i]);
    }
  }
  const std::vector<Input> inputs = corpus(paths);
  if (inputs.empty()) {
    std::fprintf(stderr, "no corpus: %s FOLDER|FILE... [--seed N] [--mutations N]\n", argv[0]);
    return 2;
  }
  std::printf("%zu inputs, then %lu mutations with --seed %llu\n", inputs.size(), mutations,
              static_cast<unsigned long long>(seed));
  std::fflush(stdout);  // before whatever may crash
  for (const Input& input : inputs) run(input);
  Mutator mutator(inputs, seed);
  for (unsigned long i = 0; i < mutations; ++i) run(mutator.next());
  return 0;
}
