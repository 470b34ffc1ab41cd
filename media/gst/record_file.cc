#include "media/gst/record_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace media::gst {
namespace {

std::string why(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT: return "The disk is full.";
    case EFBIG: return "The file may not become larger.";
    case ENOENT:
    case ENOTDIR: return "There is no folder for recordings.";
    case EACCES:
    case EPERM:
    case EROFS: return "The folder for recordings cannot be written to.";
    default: return std::string("The disk does not take it: ") + std::strerror(error) + '.';
  }
}

std::string path_of(const std::string& directory, const std::string& name) {
  return directory + '/' + name;
}

}  // namespace

RecordFile::RecordFile(const std::string& directory, std::string name)
    : name_(std::move(name)), path_(path_of(directory, name_)) {
  constexpr mode_t kOnlyUs = S_IRUSR | S_IWUSR;
  fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kOnlyUs);
  if (fd_ < 0) throw std::runtime_error(why(errno));
}

RecordFile::~RecordFile() {
  close(fd_);
  if (bytes_ == 0) unlink(path_.c_str());
}

void RecordFile::write(std::span<const std::uint8_t> pages) {
  std::span<const std::uint8_t> left = pages;
  while (!left.empty()) {
    const ssize_t took = ::write(fd_, left.data(), left.size());
    if (took < 0 && errno == EINTR) continue;
    if (took <= 0) {
      const std::string said = why(took < 0 ? errno : ENOSPC);
      // A part of a page is of no use to anybody; but if it stays, readers get over it.
      [[maybe_unused]] const int cut = ftruncate(fd_, static_cast<off_t>(bytes_));
      throw std::runtime_error(said);
    }
    left = left.subspan(static_cast<std::size_t>(took));
  }
  bytes_ += pages.size();
}

void RecordFile::sync() {
  // What cannot be synced (EINVAL: a pipe, a strange file system) is no fault of the disk.
  if (fdatasync(fd_) != 0 && errno != EINVAL) throw std::runtime_error(why(errno));
  struct stat file {};
  if (fstat(fd_, &file) == 0 && file.st_nlink == 0) {
    throw std::runtime_error("Its file is gone: somebody has deleted it.");
  }
}

std::uint64_t RecordFile::bytes_in(const std::string& directory) {
  std::uint64_t bytes = 0;
  std::error_code none;
  for (std::filesystem::directory_iterator entry(directory, none), end; !none && entry != end;
       entry.increment(none)) {
    struct stat file {};
    if (lstat(entry->path().c_str(), &file) == 0 && S_ISREG(file.st_mode)) {
      bytes += static_cast<std::uint64_t>(file.st_size);
    }
  }
  return bytes;
}

bool RecordFile::exists(const std::string& directory, const std::string& name) {
  struct stat unused {};
  return lstat(path_of(directory, name).c_str(), &unused) == 0;
}

}  // namespace media::gst
