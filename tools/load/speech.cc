#include "tools/load/speech.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <stdexcept>

#include "media/audio_frame.h"
#include "tools/call/voice.h"

extern char** environ;

namespace load {
namespace {

// About half a minute at 170 words a minute.
constexpr char kText[] =
    "Good morning to all of you. Before we begin, please tell me whether you can hear me well. "
    "Today we look at what a conference sounds like when many people are in it. Each of us says a "
    "few sentences, now fast and now slowly, and all the others listen. Whoever has a question may "
    "simply ask it. We shall see whether the first syllable of every word arrives, whether quiet "
    "words are as clear as loud ones, and how long it takes until somebody answers. The weather is "
    "fine, the coffee is hot, and the machine in the corner has a great deal to do.";

// The file goes with its owner.
class TemporaryFile {
 public:
  TemporaryFile() : fd_(mkstemps(name_.data(), 4)) {
    if (fd_ < 0) throw std::runtime_error("no temporary file");
  }
  ~TemporaryFile() {
    close(fd_);
    unlink(name_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& name() const { return name_; }

 private:
  std::string name_ = std::filesystem::temp_directory_path() / "jingle-load-XXXXXX.wav";
  int fd_;
};

}  // namespace

std::vector<std::int16_t> speech(const std::string& wav) {
  if (!wav.empty()) return call::read_sound(wav);
  const TemporaryFile file;
  std::string name = file.name();
  std::string text = kText;
  char program[] = "espeak-ng", to[] = "-w", speed[] = "-s", words[] = "170";
  char* argv[] = {program, speed, words, to, name.data(), text.data(), nullptr};
  pid_t pid = 0;
  int status = -1;
  if (posix_spawnp(&pid, program, nullptr, nullptr, argv, environ) != 0 ||
      waitpid(pid, &status, 0) != pid || status != 0) {
    throw std::runtime_error("espeak-ng does not speak; give --speech a WAV file");
  }
  return call::read_sound(file.name());
}

std::vector<std::int16_t> comfort_noise() {
  std::mt19937 random(1);
  std::normal_distribution<double> noise(0, 32767 * std::pow(10, -70.0 / 20));
  std::vector<std::int16_t> samples(media::kSampleRate_hz);
  for (auto& sample : samples) sample = static_cast<std::int16_t>(std::lround(noise(random)));
  return samples;
}

}  // namespace load
