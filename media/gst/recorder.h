// media/gst/recorder.h: one recording: a thread that takes what the room's tick hands over
// (record_tap.h), makes Ogg Opus of it and writes that. The tick waits for no disk; a disk that
// stands still for longer than the queue lasts costs silence, and one that refuses ends the
// recording.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "media/gst/record_file.h"
#include "media/media_engine.h"
#include "media/ogg_opus_writer.h"
#include "media/record_tap.h"
#include "media/speaker_track.h"
#include "media/thread_role.h"

namespace media::gst {

class Recorder {
 public:
  struct Parts {                            // called on the recording's thread; must not block
    std::function<void(Event)> on_event;    // RecordReady, Started, Lost, Crowded
    std::function<void(RecordEnded)> over;  // once; afterwards the thread ends
  };
  // Throws std::system_error when there is no thread for it.
  Recorder(RecordSpec spec, Parts parts);
  // As finish(), and joins: waits for the disk.
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // For the room's tick; outlives this.
  const std::shared_ptr<RecordTap>& tap() const { return tap_; }
  // Any thread. Opens its file, and takes what comes by the tap.
  void begin();
  // Any thread. Writes what is left, and is over.
  void finish();

  // What came meanwhile is taken so often: a small part of what the queue holds.
  static constexpr std::chrono::milliseconds kRound{100};
  // A power failure takes no more than this; a SIGKILL a page, which is a second.
  static constexpr std::chrono::seconds kSync{10};
  // What others have put into the folder and left of the disk is looked at so often.
  static constexpr std::chrono::seconds kLook{5};

 private:
  struct Mix {
    Mix(OggOpusWriter::Info info, const std::string& directory, std::string name)
        : writer(std::move(info)), file(directory, std::move(name)) {}
    OggOpusWriter writer;
    RecordFile file;
  };
  struct Speaker {
    Speaker(OggOpusWriter::Info info, const std::string& directory, std::string name)
        : track(std::move(info)), file(directory, std::move(name)) {}
    SpeakerTrack track;
    RecordFile file;
  };

  void run();
  void prepare();
  bool begins();
  std::string keep();
  bool wait();
  void open();
  std::string bound();
  std::uint64_t bytes();
  void take();
  void take(const RecordedPacket& packet);
  void crowded();
  void write();
  void sync();
  void end();
  void tell_lost();
  OggOpusWriter::Info info(std::uint8_t channels) {
    return {static_cast<std::uint32_t>(random_()), spec_.comments, channels};
  }
  template <class Visit>
  void each_file(Visit visit);

  // Constant after construction.
  const RecordSpec spec_;
  const Parts parts_;
  const std::shared_ptr<RecordTap> tap_;

  Mutex mutex_;
  std::condition_variable_any changed_;
  bool beginning_ ABSL_GUARDED_BY(mutex_) = false, finishing_ ABSL_GUARDED_BY(mutex_) = false;

  // The recording's thread.
  std::random_device random_;
  std::string name_;  // spec_.name, or what took its place
  std::unique_ptr<Mix> mix_;
  std::map<std::uint32_t, Speaker> speakers_;  // by contributor id
  std::uint64_t now_samples_ = 0, lost_ = 0;
  bool crowded_ = false;
  std::chrono::steady_clock::time_point synced_, looked_;
  std::uint64_t others_bytes_ = 0, free_bytes_ = 0;  // when that was last looked at

  std::thread thread_;
};

}  // namespace media::gst
