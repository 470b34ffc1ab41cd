#include "media/gst/pieces.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "media/gst/child_process.h"
#include "media/gst/room_pipeline.h"
#include "media/limits.h"

namespace media::gst {

void Pieces::play(const PlaySpec& spec, RoomPipeline* room) {
  const auto refuse = [&](const char* text) { emit_(PlayEnded{spec.play, PlayEnd::error, text}); };
  if (pieces_.contains(spec.play)) return;  // unique in the process, says its type
  if (!room) return refuse("Nobody is there to hear it.");
  std::size_t in_room = 0;
  for (const auto& [play, piece] : pieces_) in_room += play.room == spec.play.room ? 1 : 0;
  if (pieces_.size() >= limits::kMaxPlays || in_room >= limits::kMaxPlaysPerRoom) {
    return refuse("Too much is played at once.");
  }
  auto [pad, source] = room->add_play();
  try {
    auto player = std::make_unique<Player>(spec, std::move(source), parts_);
    pieces_.emplace(spec.play, Piece{room, std::move(pad), std::move(player)});
  } catch (const std::system_error&) {
    room->remove_play(std::move(pad));
    refuse(kNoThreadLeft);
  }
}

Player* Pieces::find(PlayId play) {
  const auto piece = pieces_.find(play);
  return piece == pieces_.end() || !piece->second.room ? nullptr : piece->second.player.get();
}

void Pieces::end(PlayEnded end) {
  if (!find(end.play)) return;
  Piece& piece = pieces_.at(end.play);
  piece.player->stop();
  std::exchange(piece.room, nullptr)->remove_play(std::move(piece.pad));
  emit_(std::move(end));
}

void Pieces::stop_all(RoomId room) {
  for (auto piece = pieces_.lower_bound({room, 0});
       piece != pieces_.end() && piece->first.room == room; ++piece) {
    stop(piece->first);
  }
}

void Pieces::clear() {
  for (const auto& [play, piece] : pieces_) stop(play);
  pieces_.clear();
}

void Pieces::tell(PlayId play, Event event) {
  if (find(play)) emit_(std::move(event));
}

void Pieces::over(PlayEnded ended) {
  const PlayId play = ended.play;
  end(std::move(ended));
  pieces_.erase(play);
}

}  // namespace media::gst
