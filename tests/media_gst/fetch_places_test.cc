// Going to another place in what comes by https: what is heard then, how it is asked for, and what
// servers that cannot, or do not, give a part of it make of that.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <random>

#include "media/gst/fetched_body.h"
#include "media/gst/fetcher_process.h"
#include "tests/media_gst/played.h"
#include "tests/support/audio.h"
#include "tests/support/https_server.h"
#include "tests/support/seed.h"
#include "tests/support/temp_dir.h"

namespace media::gst {
namespace {

using std::chrono::milliseconds;
using test_support::Samples;
using test_support::tone_dbfs;

constexpr int kSeconds = 60;
constexpr int kRate = 48000;

// Each second of a piece has a tone of its own.
double tone_of(int second) { return 500 + 100 * second; }
int second_of(std::span<const std::int16_t> sound) {
  int loudest = 0;
  for (int second = 1; second < kSeconds; ++second) {
    if (tone_dbfs(sound, tone_of(second)) > tone_dbfs(sound, tone_of(loudest))) loudest = second;
  }
  return loudest;
}

class FetchedPlaces : public WithFiles {
 protected:
  bool make(const std::string& name, const std::string& codec, int seconds = kSeconds) {
    Samples sound;
    for (int second = 0; second < seconds; ++second) {
      const auto part = test_support::tone(tone_of(second), 8000, kRate);
      sound.insert(sound.end(), part.begin(), part.end());
    }
    test_support::write_wav((folder_ / "plain.wav").string(), {kRate, sound});
    return make_file("filesrc location=" + (folder_ / "plain.wav").string() +
                     " ! wavparse ! audioconvert ! " + codec +
                     " ! filesink location=" + (folder_ / name).string());
  }
  PlaySpec spec(const std::string& path) const {
    return {.play = kPlay, .what = PlayUrl{server_.url(path)}, .loudness_lufs = -23};
  }
  FetchRules rules() const { return {.hosts = {"localhost"}, .ca_file = server_.ca_file()}; }
  // Requests for parts.
  long asked() const {
    return std::ranges::count_if(
        server_.log(), [](const std::string& line) { return line.starts_with("bytes="); });
  }
  // What is heard of a second once it is gone to 400 ms into it: in 20 ms; until the next one.
  static int heard_of(Played& played, int second) {
    played.player_.seek(milliseconds(1000 * second + 400));
    int frames = 0;
    for (int i = 0; i < 50 * kSeconds; ++i) {
      const Samples part = played.hear(kRate / 50);
      if (part.empty()) break;
      const bool of_it = second_of(part) == second;
      if (!of_it && frames > 5) break;
      frames += of_it ? 1 : 0;
    }
    return frames;
  }

  support::TempDir folder_;
  support::HttpsServer server_{folder_.path().string()};
};

TEST_F(FetchedPlaces, WhatIsHeardIsOfThePlaceAskedForLast) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  // An MP4 file has what tells its places at its end.
  for (const char* codec :
       {"wavenc", "vorbisenc quality=0.9 ! oggmux", "opusenc bitrate=256000 ! oggmux",
        "flacenc quality=0", "opusenc bitrate=256000 ! matroskamux", "mulawenc ! qtmux",
        "opusenc bitrate=256000 ! mp4mux", "lamemp3enc target=bitrate bitrate=256 ! xingmux"}) {
    SCOPED_TRACE(codec);
    if (!make("a", codec)) {
      std::printf("no encoder: %s\n", codec);
      continue;
    }
    const long before = asked();
    Played played(spec("/ranged/a"), rules());
    played.hear(kRate);
    const auto started = played.log.wait_for<PlayStarted>(kPlay);
    ASSERT_TRUE(started);
    EXPECT_TRUE(started->seekable);
    ASSERT_TRUE(started->duration);
    EXPECT_NEAR(static_cast<double>(started->duration->count()), 1000 * kSeconds, 100);
    int last = 0;
    for (int i = 0; i < 6; ++i) {
      int second = last;
      while (second >= last - 2 && second <= last + 2) second = random() % (kSeconds - 1);
      EXPECT_NEAR(heard_of(played, second), 30, 4) << second << " after " << last;
      last = second;
    }
    const bool small = std::filesystem::file_size(folder_ / "a") < (1 << 20);
    EXPECT_TRUE(small || asked() > before) << "it is not in memory";
  }
}

TEST_F(FetchedPlaces, OnesThatCannotBeAskedForAreNot) {
  ASSERT_TRUE(make("a.ogg", "vorbisenc ! oggmux", 2));
  for (const char* path : {"/a.ogg", "/unsized/a.ogg", "/station/a.ogg", "/ranged/weak/a.ogg",
                           "/ranged/unvouched/a.ogg"}) {
    SCOPED_TRACE(path);
    Played played(spec(path), rules());
    played.hear(kRate);
    const auto started = played.log.wait_for<PlayStarted>(kPlay);
    ASSERT_TRUE(started);
    EXPECT_FALSE(started->seekable);
    EXPECT_EQ(started->duration, std::nullopt);
  }
  EXPECT_EQ(asked(), 0);
}

TEST_F(FetchedPlaces, AreAskedForOnlyWhereItIsOneThing) {
  ASSERT_TRUE(make("a.wav", "wavenc", 2));
  std::ofstream(folder_ / "one.m3u") << "ranged/a.wav\n";
  std::ofstream(folder_ / "two.m3u") << "missing.wav\nranged/a.wav\n";
  for (const bool one : {true, false}) {
    Played played(spec(one ? "/one.m3u" : "/two.m3u"), rules());
    EXPECT_EQ(played.ended().cause, PlayEnd::finished);
    EXPECT_EQ(played.log.wait_for<PlayStarted>(kPlay)->seekable, one);
  }
}

// It is known before it is played: at its end, the server may be gone.
TEST_F(FetchedPlaces, OfAFileThatLacksItsEndThatIsSaid) {
  for (const auto& [name, codec] :
       {std::pair("a.wav", "wavenc"), {"a.ogg", "vorbisenc ! oggmux"}}) {
    ASSERT_TRUE(make(name, codec, 12));
    const std::string path = (folder_ / name).string();
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    const PlayEnded end = Played(spec(std::string("/ranged/") + name), rules()).ended();
    EXPECT_TRUE(end.text.starts_with("It breaks off after 0:0")) << name << ", " << end.text;
  }
  const PlayEnded end = Played(spec("/a.wav"), rules()).ended();
  EXPECT_TRUE(end.text.starts_with("It breaks off after 0:0")) << "without places, " << end.text;
}

TEST_F(FetchedPlaces, AServerMayVouchByDateOrLeadElsewhereOrGiveAllOfIt) {
  ASSERT_TRUE(make("a.wav", "wavenc"));
  for (const char* how : {"untagged", "moved", "unable"}) {
    SCOPED_TRACE(how);
    Played played(spec("/ranged/" + std::string(how) + "/a.wav"), rules());
    played.hear(kRate);
    for (const int second : {50, 20}) EXPECT_NEAR(heard_of(played, second), 30, 4) << second;
  }
}

TEST_F(FetchedPlaces, WhatAServerGivesInsteadIsNotPlayed) {
  ASSERT_TRUE(make("a.wav", "wavenc"));
  const std::string another = "Its server gives another part of it than is asked for.";
  const std::pair<const char*, std::string> all[] = {
      {"changed", "It has changed meanwhile."},
      {"elsewhere", another},
      {"shrinking", another},
      {"refusing", "Its server says 416."},
      {"trap", "169.254.10.10 is no public host, nor one that may be played from."},
      {"broken", "The connection to localhost was lost."},
      {"stalling", "Nothing more comes of it."},
      {"silent", "Nothing more comes of it."}};
  FetchRules hasty = rules();
  for (const auto& [how, text] : all) {
    SCOPED_TRACE(how);
    const bool waits = text.starts_with("Nothing");
    hasty.silence = hasty.answer = milliseconds(waits ? 2000 : 15000);
    Played played(spec("/ranged/" + std::string(how) + "/a.wav"), hasty);
    played.hear(kRate);
    played.player_.seek(milliseconds(50000));
    EXPECT_EQ(played.ended().cause, PlayEnd::error);
    EXPECT_EQ(played.ended().text, text);
  }
}

TEST_F(FetchedPlaces, WhatOnlySaysItGivesPartsIsPlayedFromBeginningToEnd) {
  ASSERT_TRUE(make("a.ogg", "opusenc bitrate=256000 ! oggmux"));
  Played played(spec("/ranged/changing/a.ogg"), rules());
  EXPECT_NEAR(static_cast<double>(played.hear().size()), kSeconds * kRate, kRate);
  EXPECT_EQ(played.ended().cause, PlayEnd::finished) << played.ended().text;
  EXPECT_FALSE(played.log.wait_for<PlayStarted>(kPlay)->seekable);
  EXPECT_GT(asked(), 0) << "its demuxer looked for its end";
}

TEST_F(FetchedPlaces, WhatBreaksOffIsAskedForFromThereOn) {
  ASSERT_TRUE(make("a.wav", "wavenc"));
  Played played(spec("/ranged/brief/a.wav"), rules());
  const Samples heard = played.hear();
  EXPECT_EQ(played.ended().cause, PlayEnd::finished) << played.ended().text;
  ASSERT_NEAR(static_cast<double>(heard.size()), kSeconds * kRate, kRate / 10.0);
  for (int second = 0; second < kSeconds; ++second) {
    EXPECT_EQ(second_of(std::span(heard).subspan(second * kRate + kRate / 2, kRate / 50)), second);
  }
  EXPECT_GT(asked(), 10);
}

TEST_F(FetchedPlaces, AllOfThemTogetherAreNoMoreBytesThanAreAllowed) {
  ASSERT_TRUE(make("a.wav", "wavenc"));
  FetchRules few = rules();
  few.most_bytes = 6000000;
  ASSERT_LT(std::filesystem::file_size(folder_ / "a.wav"), few.most_bytes);
  Played played(spec("/ranged/a.wav"), few);
  for (int i = 0; i < 100 && !played.log.wait_for<PlayEnded>(kPlay, milliseconds(0)); ++i) {
    played.hear(5 * kRate);
    played.player_.seek(milliseconds(1000 * (i * 23 % 55)));
  }
  EXPECT_EQ(played.ended().text, "It is too large.");
}

// A decoder that has been taken over by what it reads.
class TakenOver : public FetchedPlaces {
 protected:
  void SetUp() override {
    FetchedPlaces::SetUp();
    ASSERT_TRUE(make("a.wav", "wavenc"));
  }
  void send(const void* data, std::size_t bytes) {
    ASSERT_EQ(write(fetcher_->body().get(), data, bytes), static_cast<ssize_t>(bytes));
  }
  void start(const std::string& path, const FetchRules& rules) {
    fetcher_.emplace("/proc/self/exe", FetchRequest{server_.url(path), rules});
    FetcherProcess::Silence why{};
    const auto message = fetcher_->next(why);
    ASSERT_TRUE(message);
    ASSERT_EQ(static_cast<FetcherKind>(message->kind), FetcherKind::stream);
  }
  // Nothing: it is gone without a word.
  std::optional<std::string> last_words() {
    FetcherProcess::Silence why{};
    std::optional<std::string> words;
    while (const auto message = fetcher_->next(why)) {
      words.emplace(message->bytes.begin(), message->bytes.end());
    }
    EXPECT_EQ(why, FetcherProcess::Silence::gone);
    return words;
  }
  std::optional<FetcherProcess> fetcher_;
};

TEST_F(TakenOver, ADecoderGetsNoOtherPlaceThanOneOfWhatIsFetched) {
  const std::uint64_t size = std::filesystem::file_size(folder_ / "a.wav");
  for (const std::uint64_t offset : {size, size + 1, UINT64_MAX, std::uint64_t{1} << 63}) {
    start("/ranged/a.wav", rules());
    const FetchedPlace place{.offset = offset, .generation = 1};
    send(&place, sizeof place);
    EXPECT_EQ(last_words(), "There is no such place in it.") << offset;
  }
  start("/a.wav", rules());
  const FetchedPlace place{.offset = 1, .generation = 1};
  send(&place, sizeof place);
  EXPECT_EQ(last_words(), "There is no such place in it.") << "it gives no parts";
  for (const std::size_t bytes : {1, 15, 17, 5000}) {
    start("/ranged/a.wav", rules());
    const std::vector<char> nonsense(bytes, '\x01');
    send(nonsense.data(), bytes);
    const auto words = last_words();
    EXPECT_EQ(words.value_or(""), bytes < sizeof place ? "" : "There is no such place in it.");
  }
  EXPECT_EQ(asked(), 0);
}

TEST_F(TakenOver, ADecoderGetsNoMorePlacesThanAreAllowed) {
  FetchRules few = rules();
  few.most_places = 5;
  start("/ranged/a.wav", few);
  BodyReader reader(fetcher_->body().get());
  std::vector<char> part(1000);
  std::mt19937 random(1);
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t far = i % 2 == 0 ? 4000000 : 1000000;
    const std::size_t got = reader.read(far + 60000 * static_cast<std::uint64_t>(i), part);
    EXPECT_EQ(got, i < 5 ? part.size() : 0) << i;
  }
  EXPECT_EQ(last_words(), "Too many places of it were asked for.");
  EXPECT_EQ(asked(), 5);
}

}  // namespace
}  // namespace media::gst
