// tone_check: who is heard in a recording. Prints the level of each tone over the five seconds in
// which the expected ones are clearest; exit 0 only if those are heard and the others are not.
//   tone_check FILE --heard 610 --heard 970 --absent 440
//   tone_check --make FILE --tone 440          writes such a tone, 8 s, to play
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "tools/call/tones.h"
#include "tools/call/wav.h"

namespace {

constexpr double kStretch_s = 5;
constexpr double kTone_dbfs = -14;
constexpr double kTone_s = 8;

int make(const std::string& file, double hz) {
  call::WavWriter(file).write(call::sine(hz, kTone_dbfs, kTone_s));
  return 0;
}

int check(const std::string& file, const std::vector<double>& heard,
          const std::vector<double>& absent, double tolerance_db, double apart_db) {
  const auto sound = call::read_wav(file);
  if (!sound) {
    std::printf("%s: no WAV file\n", file.c_str());
    return 1;
  }
  const auto stretch = call::best_stretch(sound->samples, heard, kStretch_s, sound->rate_hz);
  if (!stretch) {
    std::printf("%s: shorter than %.0f s\n", file.c_str(), kStretch_s);
    return 1;
  }
  bool good = true;
  double weakest = 0;
  for (const double hz : heard) {
    const double level = call::tone_dbfs(*stretch, hz, sound->rate_hz);
    weakest = std::min(weakest, level);
    const bool ok = std::abs(level - kTone_dbfs) <= tolerance_db;
    good &= ok;
    std::printf("%s: %.0f Hz at %.1f dBFS, sent at %.1f: %s\n", file.c_str(), hz, level, kTone_dbfs,
                ok ? "heard" : "WRONG");
  }
  for (const double hz : absent) {
    const double below = weakest - call::tone_dbfs(*stretch, hz, sound->rate_hz);
    const bool ok = below >= apart_db;
    good &= ok;
    std::printf("%s: %.0f Hz is %.1f dB below: %s\n", file.c_str(), hz, below,
                ok ? "absent" : "WRONG, it is heard");
  }
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Who is heard in a recording of tones.");
  std::string file;
  bool make_it = false;
  double tone = 440;
  double tolerance_db = 3;
  double apart_db = 50;
  std::vector<double> heard;
  std::vector<double> absent;
  app.add_option("file", file)->required();
  app.add_flag("--make", make_it, "write a tone instead");
  app.add_option("--tone", tone, "Hz, with --make");
  app.add_option("--heard", heard, "Hz of a tone that must be there");
  app.add_option("--absent", absent, "Hz of a tone that must not");
  app.add_option("--tolerance", tolerance_db, "dB");
  app.add_option("--apart", apart_db, "dB by which what is absent is below what is heard");
  CLI11_PARSE(app, argc, argv);
  return make_it ? make(file, tone) : check(file, heard, absent, tolerance_db, apart_db);
}
