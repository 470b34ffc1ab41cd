// media/gst/record_file.h: one file of a recording: whole Ogg pages, or an error. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace media::gst {

// Throws std::runtime_error with a sentence for people wherever the disk refuses; what was written
// before stays, to its last whole page. What has no page in the end is no file.
class RecordFile {
 public:
  // A new file in that folder, mode 0600.
  RecordFile(const std::string& directory, std::string name);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  void write(std::span<const std::uint8_t> pages);
  // To the disk itself: a crash of the machine takes no more than what follows. Throws, too, when
  // nobody can find the file any more.
  void sync();

  const std::string& name() const { return name_; }
  std::uint64_t bytes() const { return bytes_; }

  // Of all files in that folder; 0: it cannot be read.
  static std::uint64_t bytes_in(const std::string& directory);
  // Whether there is one already.
  static bool exists(const std::string& directory, const std::string& name);

 private:
  const std::string name_, path_;
  int fd_ = -1;
  std::uint64_t bytes_ = 0;
};

}  // namespace media::gst
