// What is played by https: from a real server on loopback, which is listed, since nothing else
// there may be asked; and all that is refused.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <thread>

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

class Fetcher : public WithFiles {
 protected:
  void SetUp() override {
    WithFiles::SetUp();
    setenv("SSL_CERT_FILE", server_.ca_file().c_str(), 1);
  }
  void TearDown() override { unsetenv("SSL_CERT_FILE"); }
  bool tone_file(const std::string& name, int hz, double seconds, const std::string& codec) {
    return make_file("audiotestsrc freq=" + std::to_string(hz) + " samplesperbuffer=960 " +
                     "num-buffers=" + std::to_string(static_cast<int>(seconds * 50)) +
                     " volume=0.3 ! audio/x-raw,rate=48000,channels=1 ! audioconvert ! " + codec +
                     " ! filesink location=" + (folder_ / name).string());
  }
  static std::string titled(const std::string& title) {
    return "taginject tags=\"title=(string)\\\"" + title + "\\\"\" ! vorbisenc ! oggmux";
  }
  void write_file(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  std::string read_file(const std::string& name) {
    std::ifstream in(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  PlaySpec spec(const std::string& url) {
    return {.play = kPlay, .what = PlayUrl{url}, .loudness_lufs = -23};
  }
  static FetchRules rules() { return {.hosts = {"LocalHost"}}; }
  PlayEnded end_of(const std::string& url, const FetchRules& rules) {
    return Played(spec(url), rules).ended();
  }
  std::string error_of(const std::string& url, const FetchRules& rules) {
    const PlayEnded end = end_of(url, rules);
    EXPECT_EQ(end.cause, PlayEnd::error) << url;
    return end.text;
  }
  std::string error_of(const std::string& url) { return error_of(url, rules()); }
  // What the fetcher that runs has written.
  static std::size_t bytes_fetched() {
    for (const pid_t child : children()) {
      const std::string proc = "/proc/" + std::to_string(child);
      std::string role, word;
      std::getline(std::ifstream(proc + "/cmdline").ignore(100, '\0'), role, '\0');
      std::ifstream io(proc + "/io");
      for (std::size_t bytes = 0; role == kFetcherArgument && io >> word >> bytes;) {
        if (word == "wchar:") return bytes;
      }
    }
    return 0;
  }
  std::size_t connections() {
    const auto log = server_.log();
    return static_cast<std::size_t>(std::ranges::count(log, "connection"));
  }

  support::TempDir folder_;
  support::HttpsServer server_{folder_.path().string()};
};

TEST_F(Fetcher, PlaysWhatAServerHasAndFollowsItWhereItLeads) {
  ASSERT_TRUE(tone_file("a.ogg", 1000, 3, titled("Nocturne")));
  std::filesystem::rename(folder_ / "a.ogg", folder_ / "a b.ogg");
  Played played(spec(server_.url("/to?/to?/a%2520b.ogg")), rules());
  const Samples heard = played.hear();
  EXPECT_EQ(played.ended().cause, PlayEnd::finished) << played.ended().text;
  ASSERT_GT(heard.size(), 120000U);
  EXPECT_GT(tone_dbfs(std::span(heard).subspan(48000, 48000), 1000), -30);
  const auto started = played.log.wait_for<PlayStarted>(kPlay);
  ASSERT_TRUE(started);
  EXPECT_EQ(started->tags.title, "Nocturne");
  EXPECT_FALSE(started->seekable);
  EXPECT_EQ(children().size(), 1U) << "the server";
}

TEST_F(Fetcher, OnlyHttpsToPublicOrListedHostsIsAskedForAnything) {
  const std::string no_url = "That is no https URL.";
  const std::string elsewhere = "It leads to what is no https URL.";
  const auto not_public = [](const std::string& host) {
    return host + " is no public host, nor one that may be played from.";
  };
  const std::string unlisted = server_.url("/a.ogg", "127.0.0.1");
  const std::pair<std::string, std::string> direct[] = {
      {"file:///etc/passwd", no_url},
      {server_.url("/a.ogg").replace(0, 5, "http"), no_url},
      {"v4l2:///dev/video0", no_url},
      {"alsasrc://", no_url},
      {"/etc/passwd", no_url},
      {"", no_url},
      {"https://ann:secret@localhost/", "A URL with a name in it is not played."},
      {unlisted, not_public("127.0.0.1")},
      {"https://169.254.169.254/", not_public("169.254.169.254")},
      {"https://[::ffff:127.0.0.1]/", not_public("::ffff:127.0.0.1")},
      {"https://[::1]/", not_public("::1")},
      {"https://0x7f.1/", not_public("127.0.0.1")},
      {"https://10.1.2.3/", not_public("10.1.2.3")}};
  for (const auto& [url, text] : direct) EXPECT_EQ(error_of(url), text) << url;
  EXPECT_EQ(error_of(server_.url("/a.ogg"), {}), not_public("localhost")) << "a name is none";
  EXPECT_EQ(connections(), 0U);

  const std::pair<std::string, std::string> led[] = {
      {"file:///etc/passwd", elsewhere},
      {"http://localhost/", elsewhere},
      {"https://169.254.169.254/latest/meta-data/", not_public("169.254.169.254")},
      {"https://[fe80::1]/", not_public("fe80::1")},
      {unlisted, not_public("127.0.0.1")}};
  for (const auto& [url, text] : led) {
    const std::size_t before = connections();
    EXPECT_EQ(error_of(server_.url("/to?" + url)), text) << url;
    EXPECT_EQ(connections(), before + 1) << url;
  }
  EXPECT_EQ(error_of(server_.url("/round")), "It leads from one place to the next without end.");
}

TEST_F(Fetcher, WhatAListNamesIsJudgedAsWhatPeopleName) {
  const std::string none = "It is a list, and nothing in it is an https URL.";
  const std::string refused = "169.254.10.10 is no public host, nor one that may be played from.";
  const std::pair<std::string, std::string> lists[] = {
      {"file:///etc/passwd", none},
      {"http://localhost/a.ogg%0Av4l2:///dev/video0%0Aalsasrc://", none},
      {"%0A%23", none},
      {"%23EXTM3U%0Ahttps://169.254.10.10/a.ogg", refused},
      {"[playlist]%0AFile1=https://169.254.10.10/a.ogg", refused},
      {"%23EXTM3U%0A%23EXT-X-TARGETDURATION:10%0A%23EXTINF:10,%0Aa.ts",
       "Streams in pieces (HLS) are not played."}};
  for (const auto& [text, error] : lists) {
    EXPECT_EQ(error_of(server_.url("/list?" + text)), error) << text;
  }
  write_file("long.m3u", std::string(70000, 'a'));
  EXPECT_EQ(error_of(server_.url("/long.m3u")), "That list is too long.");
  write_file("round.m3u", "round.m3u\n");
  EXPECT_EQ(error_of(server_.url("/round.m3u")), "Nothing in that list can be played.");
  EXPECT_EQ(std::ranges::count(server_.log(), "/round.m3u"), 4) << "a list of lists of lists";
}

TEST_F(Fetcher, AListIsPlayedInItsOrderAndWhatIsMissingLeftOut) {
  ASSERT_TRUE(tone_file("a.ogg", 1000, 2, titled("One")));
  ASSERT_TRUE(tone_file("b.ogg", 400, 2, titled("Two")));
  write_file("all.m3u", "#EXTM3U\nfile:///etc/passwd\nmissing.ogg\na.ogg\nmore.pls\n");
  write_file("more.pls", "[playlist]\nFile1=" + server_.url("/b.ogg") + "\n");
  Played played(spec(server_.url("/all.m3u")), rules());
  const Samples heard = played.hear();
  EXPECT_EQ(played.ended().cause, PlayEnd::finished) << played.ended().text;
  ASSERT_GT(heard.size(), 180000U);
  EXPECT_GT(tone_dbfs(std::span(heard).subspan(40000, 40000), 1000), -30);
  EXPECT_GT(tone_dbfs(std::span(heard).last(48000), 400), -30);
  EXPECT_EQ(played.log.wait_for<PlayStarted>(kPlay)->tags.title, "One");
  EXPECT_EQ(played.log.wait_for<PlayTagged>(kPlay)->tags.title, "Two");
}

TEST_F(Fetcher, AServerWithoutAGoodCertificateIsAskedForNothing) {
  EXPECT_EQ(error_of(server_.url("/a.ogg", "127.0.0.1"), {.hosts = {"127.0.0.1"}}),
            "The certificate of 127.0.0.1 is not to be trusted.")
      << "it is of another name";
  unsetenv("SSL_CERT_FILE");
  EXPECT_EQ(error_of(server_.url("/a.ogg")), "The certificate of localhost is not to be trusted.");
  EXPECT_EQ(server_.log(), (std::vector<std::string>{"connection", "connection"}));
}

TEST_F(Fetcher, TheConfiguredAuthorityVouchesForAServerAndNoOtherDoes) {
  ASSERT_TRUE(tone_file("a.ogg", 1000, 1, titled("One")));
  unsetenv("SSL_CERT_FILE");
  FetchRules trusting = rules();
  trusting.ca_file = server_.ca_file();
  EXPECT_EQ(end_of(server_.url("/a.ogg"), trusting).cause, PlayEnd::finished);
  const support::TempDir other;
  trusting.ca_file = support::make_certificate(other.path(), "localhost").pem;
  EXPECT_EQ(error_of(server_.url("/a.ogg"), trusting),
            "The certificate of localhost is not to be trusted.");
}

// Makes this thread and the processes it starts see that file as /etc/hosts. Why not, if not.
std::string see_as_hosts(const std::filesystem::path& file) {
  const bool seen = ::unshare(CLONE_NEWNS) == 0 &&
                    ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                    ::mount(file.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr) == 0;
  return seen ? "" : std::string("no hosts file of one's own: ") + std::strerror(errno);
}

// libcurl takes a second for each that nobody is at.
TEST_F(Fetcher, AHostIsTriedAtAFewOfItsAddressesOnly) {
  struct Host {
    int dead;  // addresses before the server's
    bool reached = false;
    std::string why = {};
  };
  std::vector<Host> hosts{{11}, {12}};
  std::vector<std::jthread> threads;
  for (Host& host : hosts) {
    threads.emplace_back([this, &host] {
      // Less like our own address (RFC 6724 §5, rule 9), so tried after those that nobody is at.
      const support::HttpsServer server(folder_.path().string(), "127.0.128.1");
      const auto file = folder_ / ("hosts" + std::to_string(host.dead));
      std::ofstream names(file);
      for (int i = 1; i <= host.dead; ++i) names << "127.0.9." << i << " many.lan\n";
      names << "127.0.128.1 many.lan\n" << std::flush;
      host.why = see_as_hosts(file);
      if (!host.why.empty()) return;
      error_of(server.url("/a.ogg", "many.lan"), {.hosts = {"many.lan"}});
      host.reached = !server.log().empty();
    });
  }
  threads.clear();
  if (!hosts[0].why.empty()) GTEST_SKIP() << hosts[0].why;
  EXPECT_TRUE(hosts[0].reached);
  EXPECT_FALSE(hosts[1].reached);
}

TEST_F(Fetcher, WhatAServerRefusesOrOverdoesIsAnError) {
  EXPECT_EQ(error_of(server_.url("/status/503")), "Its server says 503.");
  EXPECT_EQ(error_of(server_.url("/nothing.ogg")), "Its server says 404.");
  EXPECT_EQ(error_of(server_.url("/status/204")), "There is nothing in it.");
  EXPECT_EQ(error_of(server_.url("/large")), "It is too large.");
  EXPECT_EQ(error_of("https://localhost:1/"), "No connection to localhost can be made.");
  write_file("words.html", "<html>This is about music.</html>");
  EXPECT_EQ(error_of(server_.url("/words.html")), "What kind of sound this is is not known here.");
}

TEST_F(Fetcher, AStreamMayHaveNoMoreBytesOrTimeThanIsAllowed) {
  ASSERT_TRUE(tone_file("a.flac", 1000, 5, "flacenc"));
  FetchRules few = rules();
  few.most_bytes = 200000;
  EXPECT_EQ(error_of(server_.url("/station/a.flac"), few), "It is too large.");
  FetchRules brief = rules();
  brief.longest = milliseconds(1);
  EXPECT_EQ(error_of(server_.url("/stall/a.flac"), brief), "It is too long.");
}

TEST_F(Fetcher, AServerThatVanishesIsHeardUntilThen) {
  ASSERT_TRUE(tone_file("a.ogg", 1000, 8, titled("One")));
  Played played(spec(server_.url("/short/a.ogg")), rules());
  EXPECT_NEAR(static_cast<double>(played.hear().size()) / 48000, 4, 1.5);
  EXPECT_EQ(played.ended().cause, PlayEnd::error);
  EXPECT_EQ(played.ended().text, "The connection to localhost was lost.");
}

TEST_F(Fetcher, AServerThatFallsSilentIsNotWaitedFor) {
  ASSERT_TRUE(tone_file("a.flac", 1000, 5, "flacenc"));
  FetchRules hasty = rules();
  hasty.silence = hasty.answer = milliseconds(500);
  EXPECT_EQ(error_of(server_.url("/silent"), hasty), "Its server does not answer in time.");
  EXPECT_EQ(error_of(server_.url("/trickle"), hasty), "Its server does not answer in time.");
  hasty.answer = rules().answer;
  Played played(spec(server_.url("/stall/a.flac")), hasty);
  EXPECT_GT(played.hear().size(), 48000U);
  EXPECT_EQ(played.ended().text, "Nothing more comes of it.");
}

TEST_F(Fetcher, StoppingDoesNotWaitForTheServer) {
  {
    Played played(spec(server_.url("/silent")), rules());
    ASSERT_TRUE(server_.asked_for("/silent"));
  }
  EXPECT_EQ(children().size(), 1U) << "the server";
}

TEST_F(Fetcher, ItIsLockedIn) {
  Played played(spec(server_.url("/silent")), rules());
  ASSERT_TRUE(server_.asked_for("/silent"));
  std::size_t locked = 0;
  for (const pid_t child : children()) {
    std::ifstream in("/proc/" + std::to_string(child) + "/status");
    const std::string status((std::istreambuf_iterator<char>(in)), {});
    locked += status.find("Seccomp:\t2") != status.npos ? 1 : 0;
  }
  EXPECT_EQ(locked, 1U);
}

TEST_F(Fetcher, AStationIsFetchedAsItIsHeardAndItsTitlesAreTold) {
  if (!tone_file("a.mp3", 1000, 20, "lamemp3enc bitrate=64 target=bitrate cbr=true")) {
    GTEST_SKIP() << "no encoder for MP3";
  }
  Played played(spec(server_.url("/station/a.mp3")), rules());
  const Samples heard = played.hear(30 * 48000);
  ASSERT_GT(heard.size(), 29U * 48000);
  EXPECT_GT(tone_dbfs(std::span(heard).subspan(24 * 48000, 48000), 1000), -30);
  // 240 kB were heard, of what has no end.
  const auto fetched = bytes_fetched();
  EXPECT_GT(fetched, 240000U);
  EXPECT_LT(fetched, 2000000U);
  const auto started = played.log.wait_for<PlayStarted>(kPlay);
  ASSERT_TRUE(started);
  EXPECT_EQ(started->tags.album, "Radio Test");
  EXPECT_EQ(started->duration, std::nullopt);
  EXPECT_EQ(started->tags.artist, "The Testers");
  EXPECT_TRUE(eventually([&] {  // a second passes; of sound, many
    played.hear(kFrame_samples);
    return played.log.last<PlayTagged>(kPlay).has_value();
  }));
  const auto tagged = played.log.last<PlayTagged>(kPlay);
  ASSERT_TRUE(tagged);
  EXPECT_EQ(tagged->tags.artist, "The Testers");
  EXPECT_TRUE(tagged->tags.title.starts_with("It's number ")) << tagged->tags.title;
  EXPECT_FALSE(played.log.wait_for<PlayEnded>(kPlay, milliseconds(0)));
}

TEST_F(Fetcher, AStationWithATitleForEachByteIsToldOfOnceASecond) {
  ASSERT_TRUE(tone_file("a.ogg", 1000, 8, "vorbisenc ! oggmux"));
  const auto before = std::chrono::steady_clock::now();
  Played played(spec(server_.url("/titles/a.ogg")), rules());
  EXPECT_EQ(played.ended().cause, PlayEnd::finished) << played.ended().text;
  const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - before;
  const auto started = played.log.wait_for<PlayStarted>(kPlay);
  ASSERT_TRUE(started);
  EXPECT_NE(started->tags.title, "");
  EXPECT_LE(static_cast<double>(played.log.count<PlayTagged>(kPlay)), lasted.count() + 2);
}

TEST_F(Fetcher, TellsNoMoreTitlesThanOneASecond) {
  ASSERT_TRUE(tone_file("a.ogg", 1000, 8, "vorbisenc ! oggmux"));
  const auto before = std::chrono::steady_clock::now();
  FetcherProcess fetcher("/proc/self/exe", {server_.url("/titles/a.ogg"), rules()});
  BodyReader body(fetcher.body().get());
  int titles = 0;
  do {
    while (const auto message = fetcher.glance()) {
      titles += static_cast<FetcherKind>(message->kind) == FetcherKind::title ? 1 : 0;
    }
  } while (!body.next().empty());
  const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - before;
  EXPECT_GE(titles, 1);
  EXPECT_LE(titles, lasted.count() + 2);
}

TEST_F(Fetcher, AStationIsWhatSaysSoAndNotWhateverHasNoLength) {
  ASSERT_TRUE(tone_file("a.ogg", 1000, 3, titled("One")));
  const std::pair<std::string, bool> all[] = {
      {"/a.ogg", false}, {"/unsized/a.ogg", false}, {"/station/a.ogg", true}};
  for (const auto& [path, broadcast] : all) {
    Played played(spec(server_.url(path)), rules());
    const auto started = played.log.wait_for<PlayStarted>(kPlay);
    ASSERT_TRUE(started) << path;
    EXPECT_EQ(started->duration, std::nullopt) << path << ": nobody knows before its end";
    EXPECT_EQ(started->broadcast, broadcast) << path;
    if (broadcast) continue;
    EXPECT_EQ(played.ended().cause, PlayEnd::finished) << path;
  }
}

TEST_F(Fetcher, AnOggStationsNextPieceIsHeardAndNamed) {
  ASSERT_TRUE(tone_file("a.ogg", 1000, 3, titled("One")));
  ASSERT_TRUE(tone_file("b.ogg", 400, 3, titled("Two")));
  write_file("both.ogg", read_file("a.ogg") + read_file("b.ogg"));  // RFC 3533 §4: chained
  Played played(spec(server_.url("/both.ogg")), rules());
  const Samples heard = played.hear();
  EXPECT_EQ(played.ended().cause, PlayEnd::finished) << played.ended().text;
  ASSERT_GT(heard.size(), 240000U);
  EXPECT_GT(tone_dbfs(std::span(heard).last(96000).first(48000), 400), -30);
  EXPECT_EQ(played.log.wait_for<PlayStarted>(kPlay)->tags.title, "One");
  EXPECT_EQ(played.log.wait_for<PlayTagged>(kPlay)->tags.title, "Two");
}

TEST_F(Fetcher, ATaggedStreamIsAtItsLoudnessFromTheBeginning) {
  // RFC 7845 §5.2.1: R128_TRACK_GAIN is in 1/256 dB, to -23 LUFS.
  const auto heard_with = [this](const std::string& tag) {
    EXPECT_TRUE(tone_file(
        "a.opus", 1000, 3,
        "taginject tags=\"extended-comment=(string)\\\"" + tag + "\\\"\" ! opusenc ! oggmux"));
    Samples heard = Played(spec(server_.url("/a.opus")), rules()).hear();
    heard.resize(std::max<std::size_t>(heard.size(), 96000));
    // The highest sample: where it is not there in time it is faded.
    const auto part = std::span(heard).subspan(9600, 48000);
    return 20 * std::log10(*std::max_element(part.begin(), part.end()) / 32768.0);
  };
  const double at_0 = heard_with("R128_TRACK_GAIN=0");
  EXPECT_NEAR(heard_with("R128_TRACK_GAIN=-2560"), at_0 - 10, 0.3);
  EXPECT_NEAR(heard_with("r128_track_gain=-1000"), at_0 - 3.9, 0.3);
  EXPECT_NEAR(heard_with("R128_TRACK_GAIN=loud"), at_0 - 7, 0.3) << "as most streams are";
}

TEST(FetchRequest, IsReadAsItWasWritten) {
  const FetchRequest request{"https://a.example/?a=b c",
                             {.hosts = {"radio.lan", "::1"},
                              .answer = milliseconds(1),
                              .silence = milliseconds(2),
                              .longest = milliseconds(3),
                              .most_bytes = 4,
                              .most_places = 5}};
  FetchRequest vouched = request;
  vouched.rules.ca_file = "/etc/a b.pem";
  EXPECT_EQ(FetchRequest::parse(vouched.write()), vouched);
  EXPECT_EQ(FetchRequest::parse(request.write()), request);
  const FetchRequest plain{"https://a.example/", {}};
  EXPECT_EQ(FetchRequest::parse(plain.write()), plain);
  EXPECT_EQ(FetchRequest::parse("https://a.example/\n1\n2\nx\n4\n1\n"), std::nullopt);
  EXPECT_EQ(FetchRequest::parse(""), std::nullopt);
}

}  // namespace
}  // namespace media::gst
