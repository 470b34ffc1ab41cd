// Files decoded by the process that the player starts: what comes of good ones, and of bad ones.
#include <gst/gst.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "media/gst/piece_loudness.h"
#include "tests/media_gst/played.h"
#include "tests/support/audio.h"
#include "tests/support/seed.h"
#include "tests/support/temp_dir.h"
#include "tools/call/wav.h"

namespace media::gst {
namespace {

using test_support::rms_dbfs;
using test_support::Samples;
using test_support::tone_dbfs;

class Decoder : public WithFiles {
 protected:
  // A tone of so many seconds, as `codec` (elements with a !) makes a file of it.
  void tone_file(const std::string& name, const std::string& codec, double seconds = 3,
                 double volume = 0.3) {
    const auto buffers = static_cast<int>(seconds * 48000 / 960);
    ASSERT_TRUE(make_file("audiotestsrc freq=1000 samplesperbuffer=960 num-buffers=" +
                          std::to_string(buffers) + " volume=" + std::to_string(volume) +
                          " ! audio/x-raw,rate=48000,channels=2 ! audioconvert ! " + codec +
                          " ! filesink location=" + path(name)));
  }
  std::string path(const std::string& name) const { return dir_.path() / name; }
  std::string folder() const { return dir_.path(); }
  std::string error_of(const std::string& name) {
    const PlayEnded end = Played(folder(), name).ended();
    EXPECT_EQ(end.cause, PlayEnd::error) << name;
    return end.text;
  }

  support::TempDir dir_;
};

TEST_F(Decoder, PlaysWhatGStreamerWritesAndTellsItsTagsAndLength) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string title = "Étude " + std::to_string(random()), artist = std::to_string(random()),
                    album = std::to_string(random()), genre = "Horror " + std::to_string(random()),
                    composer = std::to_string(random()), performer = std::to_string(random());
  const auto date = std::to_string(1900 + random() % 100) + "-0" + std::to_string(random() % 9 + 1);
  const auto track = std::to_string(random() % 90 + 1);
  const std::string tags = "taginject tags=\"title=(string)\\\"" + title +
                           "\\\",artist=(string)\\\"" + artist + "\\\",album=(string)\\\"" + album +
                           "\\\",track-number=(uint)" + track + ",genre=(string)\\\"" + genre +
                           "\\\",composer=(string)\\\"" + composer + "\\\",datetime=(datetime)" +
                           date + ",language-code=(string)da,performer=(string)\\\"" + performer +
                           "\\\"\" ! ";
  for (const char* codec :
       {"vorbisenc ! oggmux", "opusenc ! oggmux", "flacenc", "opusenc ! matroskamux"}) {
    SCOPED_TRACE(codec);
    const double seconds = 2 + random() % 30 / 10.0;
    tone_file("a", tags + codec, seconds);
    Played played(folder(), "a");
    const Samples heard = played.hear();
    const PlayEnded end = played.ended();
    EXPECT_EQ(end.cause, PlayEnd::finished) << end.text;
    EXPECT_NEAR(static_cast<double>(heard.size()) / 48000, seconds, 0.1);
    ASSERT_GT(heard.size(), 72000U);
    EXPECT_GT(tone_dbfs(std::span(heard).subspan(24000, 48000), 1000), -27);
    const auto started = played.log.wait_for<PlayStarted>(kPlay);
    ASSERT_TRUE(started);
    PlayTags told = started->tags;
    if (const auto tagged = played.log.wait_for<PlayTagged>(kPlay, std::chrono::milliseconds(0))) {
      told = tagged->tags;
    }
    EXPECT_EQ(told.title, title);
    // GStreamer's own Matroska muxer does not write all of them.
    if (std::string(codec).find("matroska") == std::string::npos) {
      EXPECT_EQ(told,
                (PlayTags{title, artist, album, track, genre, composer, "da", performer, date}));
    }
    EXPECT_TRUE(started->seekable);
    ASSERT_TRUE(started->duration);
    EXPECT_NEAR(static_cast<double>(started->duration->count()) / 1000, seconds, 0.1);
  }
}

TEST_F(Decoder, WhateverItsLevelAPieceIsHeardAtTheLoudnessWanted) {
  for (const double volume : {0.02, 0.2, 0.9}) {
    tone_file("a.flac", "flacenc", 4, volume);
    Played played(folder(), "a.flac", -20);
    const Samples heard = played.hear();
    // A tone of 1000 Hz in one channel: R 128 has it 0.7 dB over its RMS less 0.691.
    PieceLoudness meter(-20);
    std::vector<float> sound;
    for (std::size_t at = 1920; at + 1920 <= heard.size(); at += 960) {
      if (played.dry.contains(at) || played.dry.contains(at + 960)) continue;  // faded
      for (const std::int16_t s : std::span(heard).subspan(at, 960))
        sound.resize(sound.size() + 2, s / 32768.0F);
    }
    ASSERT_GT(sound.size(), 48000U) << "half a second";
    meter.measure(sound);
    meter.settle();
    EXPECT_NEAR(meter.gain_db(), 0, 1) << volume;
  }
}

TEST_F(Decoder, SoIsWhatIsGenerated) {
  const auto level_at = [](double lufs) {
    Played played({.play = kPlay, .what = Sound::hold_music, .loop = true, .loudness_lufs = lufs});
    return rms_dbfs(played.hear(5 * 48000));
  };
  EXPECT_NEAR(level_at(-23) - level_at(-33), 10, 0.5);
}

// It ended without a word.
TEST_F(Decoder, WhatIsBrokenInTheMiddleIsPlayedUntilThereAndThatIsSaid) {
  const unsigned seed = test_support::test_seed();
  std::mt19937 random(seed);
  for (const char* codec : {"flacenc", "vorbisenc ! webmmux", "opusenc ! matroskamux"}) {
    for (const bool cut : {false, true}) {
      SCOPED_TRACE(std::string(codec) + (cut ? ", cut off" : "") + ", seed " +
                   std::to_string(seed));
      tone_file("a", codec, 12);
      const auto size = std::filesystem::file_size(path("a"));
      if (cut) {
        std::filesystem::resize_file(path("a"), size / 2);
      } else {
        std::fstream file(path("a"), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(size / 2));
        for (auto left = size - size / 2; left > 0; --left) file.put(static_cast<char>(random()));
      }
      Played played(folder(), "a");
      const double heard_s = static_cast<double>(played.hear().size()) / 48000;
      EXPECT_GT(heard_s, 4);
      EXPECT_LT(heard_s, 8);
      const PlayEnded end = played.ended();
      EXPECT_EQ(end.cause, PlayEnd::error);
      EXPECT_TRUE(end.text.starts_with("It breaks off after 0:0") ||
                  end.text == "It is broken, and cannot be decoded.")
          << end.text;
    }
  }
}

// It was silent: its demuxer says that it can seek, and there is nothing then.
TEST_F(Decoder, OneThatOnlySaysThatItCanSeekIsHeard) {
  const auto big_endian = [](std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
    return bytes;
  };
  const auto tone = test_support::tone(1000, 8000, 96000);
  std::ofstream file(path("a.au"), std::ios::binary);
  file << ".snd";
  for (const std::uint32_t value : {24U, 2 * 96000U, 3U, 48000U, 1U}) file << big_endian(value);
  for (const std::int16_t sample : tone) {
    file << static_cast<char>(sample >> 8) << static_cast<char>(sample);
  }
  file.close();
  Played played(folder(), "a.au");
  const Samples heard = played.hear();
  EXPECT_EQ(played.ended().cause, PlayEnd::finished) << played.ended().text;
  ASSERT_NEAR(static_cast<double>(heard.size()) / 48000, 2, 0.1);
  EXPECT_GT(tone_dbfs(std::span(heard).subspan(24000, 48000), 1000), -27);
  EXPECT_FALSE(played.log.wait_for<PlayStarted>(kPlay)->seekable);
}

// Of these the demuxers take what is there for the whole.
TEST_F(Decoder, WhatLacksItsEndIsPlayedToThereAndThatIsSaid) {
  for (const char* codec : {"wavenc", "aiffmux", "vorbisenc ! oggmux", "opusenc ! oggmux"}) {
    SCOPED_TRACE(codec);
    tone_file("a", codec, 12);
    EXPECT_EQ(Played(folder(), "a").ended().text, "") << "it is whole";
    std::filesystem::resize_file(path("a"), std::filesystem::file_size(path("a")) / 2);
    Played played(folder(), "a");
    const double heard_s = static_cast<double>(played.hear().size()) / 48000;
    EXPECT_GT(heard_s, 4);
    EXPECT_LT(heard_s, 8);
    EXPECT_TRUE(played.ended().text.starts_with("It breaks off after 0:0")) << played.ended().text;
  }
}

// It was broken, or silent for 20 s: its demuxer had given it before decodebin listened.
TEST_F(Decoder, WhatIsGivenBeforeItIsListenedToIsReadAgain) {
  tone_file("a.aiff", "aiffmux", 12);
  setenv("LISTENS_LATE", "1", 1);
  Played played(folder(), "a.aiff");
  const Samples heard = played.hear();
  unsetenv("LISTENS_LATE");
  EXPECT_EQ(played.ended().text, "");
  EXPECT_NEAR(static_cast<double>(heard.size()) / 48000, 12, 0.1);
}

// A film's sound may end before its pictures do, and begin after them.
TEST_F(Decoder, AFilmThatLacksItsEndIsPlayedToThereAndThatIsSaidAndOneWithLessSoundIsWhole) {
  for (const char* film :
       {"vorbisenc ! mux. matroskamux", "opusenc ! mux. qtmux faststart=true", "mux. avimux"}) {
    for (const int sound_s : {12, 5}) {
      SCOPED_TRACE(std::string(film) + ", " + std::to_string(sound_s) + " s of sound");
      const std::string codec = film;
      if (!make_file("videotestsrc num-buffers=300 ! video/x-raw,width=64,height=48,framerate=25/1 "
                     "! jpegenc ! mux. audiotestsrc samplesperbuffer=960 num-buffers=" +
                     std::to_string(sound_s * 50) +
                     " ! audio/x-raw,rate=48000,channels=1 ! audioconvert ! " + codec +
                     " name=mux ! filesink location=" + path("a"))) {
        GTEST_SKIP() << "no encoder for pictures";
      }
      Played whole(folder(), "a");
      EXPECT_NEAR(static_cast<double>(whole.hear().size()) / 48000, sound_s, 0.2);
      EXPECT_EQ(whole.ended().text, "");
      EXPECT_TRUE(whole.log.wait_for<PlayStarted>(kPlay)->has_video);
      std::filesystem::resize_file(path("a"), std::filesystem::file_size(path("a")) / 3);
      Played played(folder(), "a");
      const double heard_s = static_cast<double>(played.hear().size()) / 48000;
      EXPECT_GT(heard_s, 1.5);
      EXPECT_LT(heard_s, 6);
      EXPECT_TRUE(played.ended().text.starts_with("It breaks off after 0:0"))
          << played.ended().text;
    }
  }
}

TEST_F(Decoder, TwoChannelsStayApartAndOthersBecomeTwo) {
  const auto left_tone = test_support::tone(440, 8000, 96000);
  const auto right_tone = test_support::tone(610, 8000, 96000);
  Samples both;
  for (std::size_t i = 0; i < left_tone.size(); ++i) {
    both.push_back(left_tone[i]);
    both.push_back(right_tone[i]);
  }
  call::WavWriter(path("a.wav"), 2).write(both);
  Played played(folder(), "a.wav");
  const Samples mid = played.hear();
  ASSERT_GT(mid.size(), 72000U);
  Samples left, right;
  for (std::size_t i = 24000; i < 72000; ++i) {
    left.push_back(static_cast<std::int16_t>(mid[i] + played.side[i]));
    right.push_back(static_cast<std::int16_t>(mid[i] - played.side[i]));
  }
  EXPECT_GT(tone_dbfs(left, 440), -27);
  EXPECT_GT(tone_dbfs(right, 610), -27);
  EXPECT_LT(tone_dbfs(left, 610), -80);
  EXPECT_LT(tone_dbfs(right, 440), -80);
  for (const char* channels : {"1", "6"}) {
    ASSERT_TRUE(
        make_file("audiotestsrc samplesperbuffer=960 num-buffers=100 freq=1000 ! "
                  "audio/x-raw,rate=48000,channels=" +
                  std::string(channels) + " ! flacenc ! filesink location=" + path("b.flac")));
    const Samples heard = Played(folder(), "b.flac").hear();
    ASSERT_GT(heard.size(), 72000U);
    EXPECT_GT(tone_dbfs(std::span(heard).subspan(24000, 48000), 1000), -27) << channels;
  }
}

TEST_F(Decoder, SeeksToTheSampleOfAFile) {
  // Its level tells the place: a second of sound, then two without, and so on.
  Samples sound(8 * 48000);
  for (std::size_t i = 5 * 48000; i < sound.size(); ++i) sound[i] = i % 48 < 24 ? 8000 : -8000;
  test_support::write_wav(path("a.wav"), {48000, sound});
  Played played(folder(), "a.wav");
  played.hear(48000);
  played.player_.seek(std::chrono::milliseconds(4500));
  const Samples heard = played.hear();
  EXPECT_EQ(played.ended().cause, PlayEnd::finished);
  const auto loud = std::ranges::find_if(heard, [](int s) { return std::abs(s) > 500; });
  const auto left_ms = (heard.end() - loud) / 48;
  EXPECT_NEAR(static_cast<double>(left_ms), 3000, 25);
}

TEST_F(Decoder, GoesBackFromTheEnd) {
  tone_file("a.flac", "flacenc", 2);
  Played played(folder(), "a.flac");
  EXPECT_EQ(played.hear(47040).size(), 47040U);
  played.player_.seek(std::chrono::milliseconds(0));
  EXPECT_NEAR(static_cast<double>(played.hear().size()), 96000, 20000);
}

TEST_F(Decoder, AnIndexOfAnySizeIsRead) {
  tone_file("a.mp4", "opusenc frame-size=2.5 ! mp4mux", 60);  // of 24,000 packets
  Played played(folder(), "a.mp4");
  EXPECT_NEAR(static_cast<double>(played.hear().size()) / 48000, 60, 0.1);
  EXPECT_EQ(played.ended().cause, PlayEnd::finished) << played.ended().text;
}

TEST_F(Decoder, TheSoundOfAVideoIsPlayed) {
  if (!make_file("videotestsrc num-buffers=50 ! video/x-raw,width=64,height=48 ! jpegenc ! mux. "
                 "audiotestsrc num-buffers=100 samplesperbuffer=960 ! audio/x-raw,rate=48000 ! "
                 "audioconvert ! vorbisenc ! matroskamux name=mux ! filesink location=" +
                 path("a.mkv"))) {
    GTEST_SKIP() << "no encoder for pictures";
  }
  Played played(folder(), "a.mkv");
  EXPECT_GT(rms_dbfs(played.hear()), -30);
  EXPECT_EQ(played.ended().cause, PlayEnd::finished) << played.ended().text;
  EXPECT_TRUE(played.log.wait_for<PlayStarted>(kPlay)->has_video);
}

TEST_F(Decoder, FilesOutsideTheFolderAreNotThere) {
  tone_file("outside.wav", "wavenc", 1);
  std::filesystem::create_directory(path("music"));
  std::filesystem::create_symlink(path("outside.wav"), path("music/link.wav"));
  std::filesystem::create_symlink("/etc", path("music/etc"));
  mkfifo(path("music/fifo").c_str(), 0600);
  for (const char* name : {"../outside.wav", "link.wav", "etc/passwd", "/etc/passwd", "fifo", ".",
                           "missing.wav", "file:///etc/passwd", "/dev/zero", "/proc/self/fd/0"}) {
    const PlayEnded end = Played(path("music"), name).ended();
    EXPECT_EQ(end.cause, PlayEnd::error) << name;
    EXPECT_EQ(end.text, "There is no such file.") << name;
  }
}

TEST_F(Decoder, WhatIsNoSoundIsAnErrorAndNamedSo) {
  const std::string secret = path("secret.wav");
  tone_file("secret.wav", "wavenc", 1);
  const std::pair<const char*, std::string> files[] = {
      {"list.m3u", "#EXTM3U\n#EXTINF:1,x\nfile://" + secret + "\n"},
      {"list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1/a.ts\n"},
      {"list.pls", "[playlist]\nFile1=" + secret + "\nNumberOfEntries=1\n"},
      {"list.xspf", "<?xml version='1.0'?><playlist version='1' xmlns='http://xspf.org/ns/0/'/>"},
      {"a.sdp",
       "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n"},
      {"a.mpd", "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'/>"},
      {"a.txt", "Nothing but words, of which there are some.\n"},
      {"zeros", std::string(100000, '\0')},
      {"empty", ""}};
  for (const auto& [name, text] : files) {
    std::ofstream(path(name)) << text;
    EXPECT_NE(error_of(name), "") << name;
  }
  EXPECT_EQ(error_of("list.m3u"), "A list of other things is not played.");
}

TEST_F(Decoder, TruncatedAndGarbledFilesEnd) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  tone_file("a.ogg", "vorbisenc ! oggmux", 2);
  std::ifstream in(path("a.ogg"), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  for (int round = 0; round < 6; ++round) {
    std::string bad = whole;
    if (round % 2 == 0) bad.resize(random() % bad.size());
    for (int i = 0; i < round * 3; ++i) bad[random() % bad.size()] = static_cast<char>(random());
    std::ofstream(path("b.ogg"), std::ios::binary) << bad;
    const PlayEnded end = Played(folder(), "b.ogg").ended();
    EXPECT_EQ(end.cause == PlayEnd::error, !end.text.empty());
  }
}

TEST_F(Decoder, ManyMinutesInAFewBytesAreDecodedOnlyAsTheyAreHeard) {
  ASSERT_TRUE(
      make_file("audiotestsrc wave=silence samplesperbuffer=48000 num-buffers=1200 ! "
                "audio/x-raw,rate=48000,channels=1 ! flacenc ! filesink location=" +
                path("hours.flac")));
  Played played(folder(), "hours.flac");
  const Samples heard = played.hear(10 * 48000);
  EXPECT_LT(rms_dbfs(heard), -150);
  EXPECT_TRUE(played.log.wait_for<PlayStarted>(kPlay));
  EXPECT_FALSE(played.log.wait_for<PlayEnded>(kPlay, std::chrono::milliseconds(0)));
}

TEST_F(Decoder, ACrashEndsThePieceAndSaysSo) {
  tone_file("a.flac", "flacenc", 20);
  for (const int signal : {SIGSEGV, SIGKILL}) {
    Played played(folder(), "a.flac");
    played.hear(48000);
    const auto decoders = children();
    ASSERT_EQ(decoders.size(), 1U);
    kill(decoders.front(), signal);
    EXPECT_EQ(played.ended().cause, PlayEnd::error);
    EXPECT_EQ(played.ended().text, "It has broken its decoder.");
  }
  EXPECT_TRUE(children().empty()) << "and nothing is left of it";
}

TEST_F(Decoder, ItIsLockedIn) {
  tone_file("a.flac", "flacenc", 20);
  Played played(folder(), "a.flac");
  played.hear(48000);
  const auto decoders = children();
  ASSERT_EQ(decoders.size(), 1U);
  const auto proc = "/proc/" + std::to_string(decoders.front());
  std::ifstream status(proc + "/status");
  const std::string text((std::istreambuf_iterator<char>(status)), {});
  EXPECT_NE(text.find("Seccomp:\t2"), text.npos) << text;
  EXPECT_NE(text.find("NoNewPrivs:\t1"), text.npos);
  std::size_t files = 0;
  for (const auto& fd : std::filesystem::directory_iterator(proc + "/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(fd.path(), gone).string();
    files += target.starts_with("/") && target != "/dev/null" ? 1 : 0;
  }
  EXPECT_EQ(files, 1U) << "what it decodes";
}

TEST_F(Decoder, StoppingDoesNotWaitForWhatIsPaused) {
  tone_file("a.flac", "flacenc", 30);
  Played played(folder(), "a.flac");
  played.player_.pause(true);
  ASSERT_TRUE(played.log.wait_for<PlayStarted>(kPlay));
}

}  // namespace
}  // namespace media::gst
