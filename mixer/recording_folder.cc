#include "mixer/recording_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <regex>
#include <string_view>
#include <vector>

#include "media/ogg_opus_writer.h"
#include "mixer/log.h"

namespace mixer {
namespace {

// As recording_name() and the recorder make them.
bool is_named_so(const std::string& name) {
  static const std::regex kNames(R"([A-Za-z0-9._-]+-\d{8}T\d{6}Z(-\d{1,2})?(-\d{1,10})?\.opus)");
  return std::regex_match(name, kNames);
}

bool has_our_vendor(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return false;
  std::array<char, 512> head;  // both headers' beginnings
  const ssize_t bytes = read(fd, head.data(), head.size());
  close(fd);
  const std::string_view read_so_far(head.data(), bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
  std::string tags = "OpusTags";
  tags += static_cast<char>(std::strlen(media::kOpusVendor));
  tags.append(3, '\0').append(media::kOpusVendor);
  return read_so_far.starts_with("OggS") && read_so_far.find(tags) != read_so_far.npos;
}

bool is_old_recording(const std::filesystem::path& path,
                      std::chrono::system_clock::time_point before) {
  struct stat file {};
  if (!is_named_so(path.filename()) || lstat(path.c_str(), &file) != 0) return false;
  return S_ISREG(file.st_mode) && file.st_uid == geteuid() && file.st_nlink == 1 &&
         std::chrono::system_clock::from_time_t(file.st_mtime) < before && has_our_vendor(path);
}

}  // namespace

std::size_t delete_recordings(const std::string& directory,
                              std::chrono::system_clock::time_point before) {
  std::error_code none;
  std::vector<std::filesystem::path> old;
  for (std::filesystem::directory_iterator entry(directory, none), end; !none && entry != end;
       entry.increment(none)) {
    if (is_old_recording(entry->path(), before)) old.push_back(entry->path());
  }
  std::size_t deleted = 0;
  for (const auto& path : old) deleted += unlink(path.c_str()) == 0 ? 1 : 0;
  return deleted;
}

RecordingFolder::RecordingFolder(const Config::Record& record) : record_(record) {
  if (record_.directory.empty()) return;
  constexpr mode_t kOnlyUs = S_IRWXU;
  if (mkdir(record_.directory.c_str(), kOnlyUs) != 0 && errno != EEXIST) {
    write_log(Log::Level::error, "recordings=nowhere " + field("directory", record_.directory) +
                                     ' ' + field("text", std::strerror(errno)));
  }
  if (record_.retention.count() > 0) thread_ = std::thread([this] { run(); });
}

RecordingFolder::~RecordingFolder() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void RecordingFolder::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const std::size_t deleted =
        delete_recordings(record_.directory, std::chrono::system_clock::now() - record_.retention);
    if (deleted > 0) {
      write_log(Log::Level::info,
                "recordings=deleted files=" + std::to_string(deleted) +
                    " older_than_days=" + std::to_string(record_.retention.count()));
    }
    lock.lock();
    changed_.wait_for(lock, kLook, [this] { return stopping_; });
  }
}

}  // namespace mixer
