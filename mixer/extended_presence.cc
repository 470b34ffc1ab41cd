#include "mixer/extended_presence.h"

#include <algorithm>
#include <cctype>

#include "mixer/display_name.h"
#include "mixer/limits.h"
#include "mixer/room_picture.h"

namespace mixer {

namespace pep = jingle::pep;

namespace {

std::string text_of(std::string_view text) {
  return displayable(text, limits::kMaxReasonCodePoints);
}

bool same_letter(unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); }

bool equal(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, same_letter); }

bool begins(std::string_view text, std::string_view with) {
  return text.size() >= with.size() && equal(text.substr(0, with.size()), with);
}

bool is_local(std::string_view uri) { return uri.find("://") == uri.npos || begins(uri, "file:"); }

std::string public_uri(const std::string& uri) {
  return !is_local(uri) && pep::is_uri_reference(uri) ? uri : std::string();
}

// Where it comes from, as anybody may know it.
std::string public_place(const std::string& uri) { return public_uri(without_keys(uri)); }

pep::Tune tune_of(const NowPlaying& playing) {
  constexpr auto kLongest = std::chrono::seconds(65535);  // xs:unsignedShort
  pep::Tune tune;
  tune.artist = text_of(playing.artist);
  tune.title = text_of(playing.called());
  tune.source = text_of(playing.source);
  tune.track = text_of(playing.track);
  tune.genre = text_of(playing.genre);
  tune.composer = text_of(playing.composer);
  tune.date = text_of(playing.date);
  tune.language = text_of(playing.language);
  tune.performer = text_of(playing.performer);
  tune.uri = public_place(playing.uri);
  if (playing.length && playing.length->count() > 0 && *playing.length <= kLongest) {
    tune.length_s = static_cast<std::uint32_t>(playing.length->count());
  }
  return tune;
}

pep::Viewing viewing_of(const NowPlaying& playing) {
  pep::Viewing viewing = playing.said;
  const auto fill = [](std::string& field, const std::string& tag) {
    if (field.empty()) field = text_of(tag);
  };
  fill(viewing.program_name, playing.title);
  fill(viewing.author, playing.artist);
  fill(viewing.program_type, playing.genre);
  if (playing.broadcast) fill(viewing.channel_name, playing.source);
  viewing.uri =
      viewing.uri.empty() ? public_place(playing.uri) : public_uri(without_user(viewing.uri));
  if (!viewing.duration_s && playing.length && playing.length->count() > 0) {
    viewing.duration_s = static_cast<std::uint32_t>(playing.length->count());
  }
  return viewing;
}

// XEP-0197 §3: which pieces and which types of them are not told of.
bool is_never_told(const NowPlaying& playing, const pep::Viewing& viewing,
                   const Config::Presence& config) {
  return std::ranges::any_of(config.viewing_never, [&](const std::string& never) {
    for (const std::string* field :
         {&playing.title, &playing.name, &playing.genre, &viewing.program_name,
          &viewing.program_type, &viewing.subprogram_type, &viewing.channel_name,
          &viewing.description}) {
      if (equal(*field, never)) return true;
    }
    return begins(playing.uri, never) || begins(viewing.uri, never);
  });
}

std::string filled_in(const std::string& pattern, const Situation& situation) {
  std::string out;
  for (std::size_t at = 0; at < pattern.size();) {
    const auto rest = std::string_view(pattern).substr(at);
    if (rest.starts_with("{count}")) {
      out += std::to_string(situation.users);
      at += 7;
    } else if (rest.starts_with("{topic}")) {
      out += situation.topic;
      at += 7;
    } else {
      out += pattern[at++];
    }
  }
  return out;
}

std::string status_of(const Config::Presence& config, const Situation& situation) {
  if (!situation.status.empty()) return text_of(situation.status);
  return situation.users == 0 ? std::string() : text_of(filled_in(config.status, situation));
}

// What is switched on, and says something.
void add(Shown& shown, const Config::Presence& config, pep::Payload payload) {
  const pep::Node node = node_of(payload);
  if (config.publish.contains(node) && !is_stop(payload)) shown.emplace(node, std::move(payload));
}

std::uint32_t big_endian(std::string_view four) {
  std::uint32_t value = 0;
  for (const unsigned char byte : four) value = value << 8 | byte;
  return value;
}

}  // namespace

bool is_of_a_call(pep::Node node) {
  return node == pep::Node::tune || node == pep::Node::viewing || node == pep::Node::status ||
         node == pep::Node::activity;
}

std::string item_id(const pep::Payload& payload) {
  if (const auto* data = std::get_if<pep::AvatarData>(&payload)) return pep::avatar_id(data->image);
  const auto* avatar = std::get_if<pep::AvatarMetadata>(&payload);
  return avatar && !avatar->infos.empty() ? avatar->infos.front().id : "current";
}

std::optional<PngSize> png_size(std::string_view image) {
  constexpr std::string_view kSignature("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
  constexpr std::size_t kHeader = 24;
  if (image.size() < kHeader || !image.starts_with(kSignature)) return std::nullopt;
  return PngSize{big_endian(image.substr(16, 4)), big_endian(image.substr(20, 4))};
}

Shown call_presence(const Config::Presence& config, const Situation& situation) {
  Shown shown;
  const auto show = [&](pep::Payload payload) { add(shown, config, std::move(payload)); };
  const auto& playing = situation.playing;
  const pep::Viewing viewing = playing ? viewing_of(*playing) : pep::Viewing();
  if (playing && !is_never_told(*playing, viewing, config)) {
    const bool watched = playing->video || playing->broadcast;
    if (!playing->video) show(tune_of(*playing));
    if (watched && (config.viewing_local || !is_local(playing->uri))) show(viewing);
  }
  show(pep::Status{status_of(config, situation)});
  if (situation.users > 0) show(pep::Activity{"talking", "on_the_phone", ""});
  return shown;
}

Shown standing_presence(const Config::Presence& config, const std::string& name) {
  Shown shown;
  const auto show = [&](pep::Payload payload) { add(shown, config, std::move(payload)); };
  show(config.mood);
  show(config.geoloc);
  show(config.location);
  if (!config.publish.contains(pep::Node::avatar)) return shown;
  const std::string image = config.avatar.empty() ? room_picture(name) : config.avatar;
  if (const auto size = png_size(image)) {
    pep::AvatarInfo info;
    info.id = pep::avatar_id(image);
    info.type = "image/png";
    info.bytes = static_cast<std::uint32_t>(image.size());
    info.width = size->width;
    info.height = size->height;
    show(pep::AvatarMetadata{{info}});
    shown.emplace(pep::Node::avatar_data, pep::AvatarData{image});
  }
  return shown;
}

Shown extended_presence(const Config::Presence& config, const Situation& situation) {
  Shown shown = standing_presence(config, situation.name);
  shown.merge(call_presence(config, situation));
  return shown;
}

}  // namespace mixer
