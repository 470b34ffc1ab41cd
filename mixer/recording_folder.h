// mixer/recording_folder.h: where recordings are kept: a folder that is ours alone, made if it is
// not there, and rid of recordings that are older than they may be.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>

#include "mixer/config.h"

namespace mixer {

// Deletes what was last written before that. Only recordings of ours: regular files with a name as
// we give them, our own vendor's (RFC 7845 §5.2), our user's, and no other name to them. Returns
// how many. Any thread.
std::size_t delete_recordings(const std::string& directory,
                              std::chrono::system_clock::time_point before);

class RecordingFolder {
 public:
  // Makes the folder, and looks into it now and every kLook, on a thread of its own, if there is a
  // retention. What fails is logged: calls do without.
  explicit RecordingFolder(const Config::Record& record);
  ~RecordingFolder();
  RecordingFolder(const RecordingFolder&) = delete;
  RecordingFolder& operator=(const RecordingFolder&) = delete;

  static constexpr std::chrono::minutes kLook{30};

 private:
  void run();

  const Config::Record record_;  // constant after construction
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // under the lock
  std::thread thread_;
};

}  // namespace mixer
