// tests/e2e/film.h: a video with tags, to be played.
#pragma once

#include <string>

#include "tests/support/made_file.h"

namespace e2e {

struct Film {
  std::string title, artist;
  int seconds = 0;
  double tone_hz = 0;
};

// WebM: VP8, a small picture a second; a tone in Opus. False: an encoder is not there.
inline bool make_film(const std::string& path, const Film& film) {
  const std::string seconds = " num-buffers=" + std::to_string(film.seconds) + ' ';
  return support::make_file(
      "webmmux name=film ! filesink location=" + path + " videotestsrc" + seconds +
      "! video/x-raw,width=64,height=48,framerate=1/1 ! vp8enc deadline=1 ! film. "
      "audiotestsrc samplesperbuffer=48000 volume=0.2 freq=" +
      std::to_string(film.tone_hz) + seconds +
      "! audio/x-raw,rate=48000,channels=1 ! audioconvert ! opusenc complexity=0 ! "
      "taginject tags=\"title=(string)\\\"" +
      film.title + "\\\",artist=(string)\\\"" + film.artist + "\\\"\" ! film.");
}

}  // namespace e2e
