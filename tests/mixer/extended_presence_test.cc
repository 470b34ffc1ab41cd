#include "mixer/extended_presence.h"

#include <gmock/gmock.h>

#include "tests/support/generators.h"
#include "tests/support/seed.h"

namespace mixer {
namespace {

using namespace std::chrono_literals;
namespace pep = jingle::pep;
using pep::Node;
using testing::HasSubstr;
using testing::Not;

// The smallest PNG: its head is all that is looked at.
std::string png(char width = 64, char height = 32) {
  std::string image("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0w\0\0\0hrest", 28);
  image[19] = width;
  image[23] = height;
  return image;
}

Config::Presence everything() {
  Config::Presence config;
  for (std::size_t i = 0; i < pep::kNodes; ++i) config.publish.insert(static_cast<Node>(i));
  config.publish.erase(Node::avatar_data);
  config.mood.mood = "happy";
  config.geoloc.lat_deg = 52.5;
  config.location.country = "Denmark";
  config.avatar = png();
  return config;
}

Situation playing(NowPlaying piece) {
  return {.users = 2, .topic = "Tea", .playing = piece, .status = {}};
}

template <typename T>
std::optional<T> shown(const Config::Presence& config, const Situation& situation) {
  for (const auto& [node, payload] : extended_presence(config, situation)) {
    if (const auto* found = std::get_if<T>(&payload)) return *found;
  }
  return std::nullopt;
}

NowPlaying song() {
  NowPlaying song;
  song.artist = "Yes", song.title = "Heart of the Sunrise", song.source = "Yessongs";
  song.track = "3", song.genre = "Progressive", song.length = 686s;
  song.composer = "Anderson", song.date = "1972-07", song.language = "en", song.performer = "Howe";
  song.uri = "https://radio.example/heart.ogg";
  return song;
}

TEST(ExtendedPresenceOfARoom, OnlyShowsWhatTheConfigurationSwitchesOn) {
  const auto seed = test_support::test_seed();
  test::Dice dice(seed);
  for (int round = 0; round < 300; ++round) {
    Config::Presence config = everything();
    std::erase_if(config.publish, [&](Node) { return dice.chance(0.5); });
    Situation situation = playing(song());
    situation.users = dice.below(3);
    situation.playing->video = dice.chance(0.5);
    situation.playing->broadcast = dice.chance(0.5);
    for (const auto& [node, payload] : extended_presence(config, situation)) {
      const Node of = node == Node::avatar_data ? Node::avatar : node;
      EXPECT_TRUE(config.publish.contains(of)) << "TEST_SEED=" << seed;
      EXPECT_FALSE(is_stop(payload));
      EXPECT_EQ(node_of(payload), node);
    }
  }
  EXPECT_TRUE(extended_presence({}, playing(song())).empty()) << "by default nothing";
  EXPECT_EQ(extended_presence(everything(), playing(song())).size(), 8u);
}

TEST(TuneOfARoom, IsWhatTheTagsSay) {
  const auto tune = shown<pep::Tune>(everything(), playing(song()));
  ASSERT_TRUE(tune);
  EXPECT_EQ(tune->artist, "Yes");
  EXPECT_EQ(tune->title, "Heart of the Sunrise");
  EXPECT_EQ(tune->source, "Yessongs");
  EXPECT_EQ(tune->track, "3");
  EXPECT_EQ(tune->genre, "Progressive");
  EXPECT_EQ(tune->composer, "Anderson");
  EXPECT_EQ(tune->date, "1972-07");
  EXPECT_EQ(tune->language, "en");
  EXPECT_EQ(tune->performer, "Howe");
  EXPECT_EQ(tune->length_s, 686u);
  EXPECT_EQ(tune->uri, "https://radio.example/heart.ogg");
}

// XEP-0118 §3: "If the length is unknown, the <length/> element SHOULD NOT be included"
TEST(TuneOfARoom, LeavesOutALengthThatIsUnknownOrTooLong) {
  for (const auto& length : {std::optional<std::chrono::seconds>(), std::optional(0s),
                             std::optional(65536s), std::optional(-1s)}) {
    NowPlaying stream = song();
    stream.length = length;
    EXPECT_EQ(shown<pep::Tune>(everything(), playing(stream))->length_s, std::nullopt);
  }
}

TEST(TuneOfARoom, TellsNoPathOfThisMachine) {
  for (const char* path : {"file:///home/ann/secret.ogg", "/home/ann/secret.ogg", "secret.ogg"}) {
    NowPlaying local = song();
    local.uri = path;
    EXPECT_EQ(shown<pep::Tune>(everything(), playing(local))->uri, "") << path;
  }
}

TEST(ViewingOfARoom, IsOfVideosAndBroadcasts) {
  NowPlaying film = song();
  EXPECT_EQ(shown<pep::Viewing>(everything(), playing(film)), std::nullopt);
  film.video = true;
  film.said.episode = "807", film.said.program_name = "Said";
  const auto viewing = shown<pep::Viewing>(everything(), playing(film));
  ASSERT_TRUE(viewing);
  EXPECT_EQ(viewing->program_name, "Said") << "goes before the tags";
  EXPECT_EQ(viewing->episode, "807");
  EXPECT_EQ(viewing->author, "Yes");
  EXPECT_EQ(viewing->program_type, "Progressive");
  EXPECT_EQ(viewing->duration_s, 686u);
  EXPECT_EQ(shown<pep::Tune>(everything(), playing(film)), std::nullopt);
  film.video = false, film.broadcast = true;
  EXPECT_EQ(shown<pep::Viewing>(everything(), playing(film))->channel_name, "Yessongs");
}

TEST(ViewingOfARoom, TellsTheUrlThatAModeratorSaysButNotItsUser) {
  NowPlaying film = song();
  film.video = true;
  film.said.uri = "https://ann:secret@tube.example/watch?v=807#t=9";
  EXPECT_EQ(shown<pep::Viewing>(everything(), playing(film))->uri,
            "https://tube.example/watch?v=807#t=9");
}

// XEP-0197 §3: "A client MUST provide a way for a user to configure which videos or types of"
TEST(ViewingOfARoom, IsNeverOfWhatTheConfigurationNames) {
  NowPlaying film = song();
  film.video = true;
  film.said.program_type = "Horror";
  for (const char* never :
       {"heart of the SUNRISE", "horror", "https://radio.example/", "HTTPS://RADIO"}) {
    Config::Presence config = everything();
    config.viewing_never = {"something else", never};
    EXPECT_EQ(shown<pep::Viewing>(config, playing(film)), std::nullopt) << never;
  }
  Config::Presence config = everything();
  config.viewing_never = {"progressive"};
  EXPECT_EQ(shown<pep::Viewing>(config, playing(film)), std::nullopt) << "whatever is said of it";
  EXPECT_EQ(shown<pep::Tune>(config, playing(song())), std::nullopt);
  config.viewing_never = {"heart of the sunrise"};
  film.said.program_name = "Another";
  EXPECT_EQ(shown<pep::Viewing>(config, playing(film)), std::nullopt) << "by its tags";
  config.viewing_never = {"heart", "sunrise", "radio.example"};
  EXPECT_TRUE(shown<pep::Viewing>(config, playing(film))) << "no such title, type or beginning";
}

// Its tune told title, station and URL of what no viewing was told of.
TEST(TuneOfARoom, IsNeverOfWhatTheConfigurationNames) {
  const auto seed = test_support::test_seed();
  test::Dice dice(seed);
  for (int round = 0; round < 300; ++round) {
    NowPlaying stream = song();
    stream.video = dice.chance(0.3), stream.broadcast = dice.chance(0.5);
    if (dice.chance(0.5)) stream.said.program_name = "Said";
    stream.said.program_type = "Horror";
    Config::Presence config = everything();
    config.viewing_never = {dice.one_of<std::string>(
        {"heart of the SUNRISE", "horror", "https://radio.example/", "HTTPS://RADIO"})};
    EXPECT_EQ(shown<pep::Tune>(config, playing(stream)), std::nullopt) << "TEST_SEED=" << seed;
    EXPECT_EQ(shown<pep::Viewing>(config, playing(stream)), std::nullopt) << "TEST_SEED=" << seed;
    config.viewing_never = {"heart", "sunrise", "radio.example"};
    EXPECT_NE(shown<pep::Tune>(config, playing(stream)).has_value(), stream.video)
        << "no such title, type or beginning";
  }
}

TEST(ViewingOfARoom, IsOfLocalFilesOnlyIfThatIsWanted) {
  NowPlaying film = song();
  film.video = true;
  film.uri = "file:///srv/media/film.webm";
  EXPECT_EQ(shown<pep::Viewing>(everything(), playing(film)), std::nullopt);
  Config::Presence config = everything();
  config.viewing_local = true;
  const auto viewing = shown<pep::Viewing>(config, playing(film));
  ASSERT_TRUE(viewing);
  EXPECT_EQ(viewing->uri, "");
}

TEST(StatusOfARoom, IsTheTemplateOrAModeratorsWords) {
  Config::Presence config = everything();
  Situation situation{.users = 3, .topic = "{count} teas", .playing = {}, .status = {}};
  EXPECT_EQ(shown<pep::Status>(config, situation)->text, "3 on the call: {count} teas");
  config.status = "{topic}|{count}{count}|{other";
  EXPECT_EQ(shown<pep::Status>(config, situation)->text, "{count} teas|33|{other");
  situation.status = "Back at noon";
  EXPECT_EQ(shown<pep::Status>(config, situation)->text, "Back at noon");
  situation = {};
  EXPECT_EQ(shown<pep::Status>(config, situation), std::nullopt);
}

TEST(ActivityOfARoom, IsTalkingWhileSomebodyIsThere) {
  EXPECT_EQ(shown<pep::Activity>(everything(), playing(song())),
            (pep::Activity{"talking", "on_the_phone", ""}));
  EXPECT_EQ(shown<pep::Activity>(everything(), {}), std::nullopt);
}

TEST(AvatarOfARoom, HasItsSizeAndHash) {
  const auto metadata = shown<pep::AvatarMetadata>(everything(), {});
  ASSERT_TRUE(metadata);
  ASSERT_EQ(metadata->infos.size(), 1u);
  EXPECT_EQ(metadata->infos[0].id, pep::avatar_id(png()));
  EXPECT_EQ(metadata->infos[0].type, "image/png");
  EXPECT_EQ(metadata->infos[0].bytes, png().size());
  EXPECT_EQ(metadata->infos[0].width, 64u);
  EXPECT_EQ(metadata->infos[0].height, 32u);
  EXPECT_EQ(shown<pep::AvatarData>(everything(), {})->image, png());
  EXPECT_FALSE(png_size("GIF89a and much more than twenty-four bytes"));
  EXPECT_FALSE(png_size(png().substr(0, 20)));
}

}  // namespace
}  // namespace mixer
