// mixer/recording_folder.h: where recordings are kept: a folder that is ours alone, made if it is
// not there, and rid of recordings that are older than they may be.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "mixer/config.h"
#include "mixer/recording.h"

namespace mixer {

// Deletes what was last written before that. Only recordings of ours: regular files with a name as
// we give them, our own vendor's (RFC 7845 §5.2), our user's, and no other name to them. Returns
// how many. Any thread.
std::size_t delete_recordings(const std::string& directory,
                              std::chrono::system_clock::time_point before);

class RecordingFolder {
 public:
  // Makes the folder and, if there is a retention, looks into it now and every kLook, on a thread
  // of its own. What fails is logged: calls do without. `refusal`: why no recording could begin
  // there; it waits for the disk, on that thread.
  explicit RecordingFolder(const Config::Record& record, RecordCheck refusal = {});
  ~RecordingFolder();
  RecordingFolder(const RecordingFolder&) = delete;
  RecordingFolder& operator=(const RecordingFolder&) = delete;

  // A RecordCheck: `refusal`, after a folder that is gone has been made again. A disk that does not
  // answer within kPatience has nothing against it. Any thread.
  std::string refuses();

  static constexpr std::chrono::minutes kLook{30};
  // All calls' signaling stands still so long.
  static constexpr std::chrono::milliseconds kPatience{200};

 private:
  void run();
  void make() const;
  void delete_old() const;

  // Constant after construction.
  const Config::Record record_;
  const RecordCheck refusal_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Under the lock.
  bool stopping_ = false;
  std::uint64_t asked_ = 0, answered_ = 0;
  std::string answer_;

  std::thread thread_;
};

}  // namespace mixer
