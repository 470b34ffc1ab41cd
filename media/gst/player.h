// media/gst/player.h: one piece on its way into the room: a thread that gets its sound, generated
// or decoded, and writes it to what is behind the conference's pad play_%u, as fast as the room
// hears it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "media/gst/fetch_rules.h"
#include "media/media_engine.h"
#include "media/play_source.h"
#include "media/thread_role.h"

namespace media::gst {

class DecoderProcess;
class Fd;
class FetcherProcess;

class Player {
 public:
  struct Parts {                                  // called on the piece's thread; must not block
    std::function<void(PlayId, Event)> on_event;  // PlayStarted, PlayTagged
    std::function<void(PlayEnded)> over;          // once; afterwards the thread ends
    std::string program;                          // that has child_main()
    FetchRules fetch = {};
  };
  // `source` is written to by nobody else. Throws std::system_error when there is no thread for it.
  Player(PlaySpec spec, std::shared_ptr<PlaySource> source, Parts parts);
  // As stop(), and joins: waits for the file system, if it is there.
  ~Player();
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  // Control thread.
  void pause(bool on) { source_->pause(on); }
  void seek(std::chrono::milliseconds to);
  // It ends wherever it is.
  void stop();

 private:
  void run();
  PlayEnded play(Sound sound);
  PlayEnded play(const PlayFile& file);
  PlayEnded play(const PlayUrl& url);
  PlayEnded fetch(const std::string& url, std::vector<std::string>& list);
  PlayEnded fetch(const std::string& url, const FetchRules& rules, std::vector<std::string>& list);
  PlayEnded lead(FetcherProcess& fetcher, std::vector<std::string>& list);
  PlayEnded decode(const Fd& input, FetcherProcess* fetcher);
  PlayEnded listen(DecoderProcess& decoder, FetcherProcess* fetcher);
  void hear(FetcherProcess& fetcher);
  void started(std::span<const std::uint8_t> bytes);
  void tell_tags();
  PlayTags tags() const;
  void take(std::span<const std::uint8_t> sound);
  bool take_seek(DecoderProcess& decoder);
  PlayEnded error(std::string text) const { return {spec_.play, PlayEnd::error, std::move(text)}; }

  // Constant after construction.
  const PlaySpec spec_;
  const std::shared_ptr<PlaySource> source_;
  const Parts parts_;

  std::atomic<bool> stopping_{false};
  Mutex mutex_;
  // The thread's, to be woken.
  DecoderProcess* decoder_ ABSL_GUARDED_BY(mutex_) = nullptr;
  FetcherProcess* fetcher_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::optional<std::chrono::milliseconds> seek_to_ ABSL_GUARDED_BY(mutex_);

  // The piece's thread.
  int awaited_ = 0;  // seeks: the sound before they are answered is of elsewhere
  bool started_ = false;
  PlayTags decoded_, told_;  // tags: as they are in what is played; as they were told
  std::chrono::steady_clock::time_point tell_at_{};  // or later they are told again
  bool is_station_ = false;                          // as its server says
  std::string station_, title_;                      // the same
  bool of_many_ = false;                             // one of what a list names
  // Of what is fetched:
  std::string fetch_error_;
  bool no_place_ = false;  // that was why
  bool heard_ = false;

  std::thread thread_;
};

}  // namespace media::gst
