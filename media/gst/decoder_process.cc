#include "media/gst/decoder_process.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace media::gst {
namespace {

// No fault of the file's.
Fd opened(long fd) {
  if (fd < 0 && (errno == EMFILE || errno == ENFILE)) throw std::runtime_error(kTooMuchOpen);
  return Fd(static_cast<int>(fd));
}

}  // namespace

Fd open_beneath(const std::string& directory, const std::string& name) {
  const Fd at = opened(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // a FIFO must not hold us up
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  Fd file = opened(syscall(SYS_openat2, at.get(), name.c_str(), &how, sizeof how));
  struct stat status {};
  const bool regular = file && fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode);
  return regular ? std::move(file) : Fd();
}

DecoderProcess::DecoderProcess(const std::string& program, const Fd& input, double loudness_lufs)
    : child_(program, {kDecoderArgument, std::to_string(loudness_lufs)}, input, seeks_.read) {
  seeks_.read = Fd();
  fcntl(seeks_.write.get(), F_SETFL, O_NONBLOCK);
}

std::optional<DecoderProcess::Message> DecoderProcess::next(Silence& why) {
  return child_.next(why, kPatience);
}

void DecoderProcess::seek(std::chrono::milliseconds to) {
  const std::int64_t to_ms = to.count();
  (void)!write(seeks_.write.get(), &to_ms, sizeof to_ms);
}

}  // namespace media::gst
