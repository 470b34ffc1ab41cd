// tests/support/small_disk.h: a disk that is soon full (Linux): a tmpfs in a mount namespace of its
// own, which nobody else sees and which needs no privilege where user namespaces are allowed.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

#include "tests/support/process.h"

namespace support {

class SmallDisk {
 public:
  // Why there can be none here; empty when there can.
  static std::string missing() {
    if (!have_program("unshare")) return "unshare (util-linux) is not installed";
    try {
      const SmallDisk tried(4096);
    } catch (const std::runtime_error& error) {
      return std::string("no mount namespaces here: ") + error.what();
    }
    return {};
  }
  explicit SmallDisk(std::size_t bytes)  // throws std::runtime_error with what unshare(1) says
      : holder_({.argv = {"unshare", "--map-root-user", "--mount", "sh", "-c",
                          "mount -t tmpfs -o size=" + std::to_string(bytes) +
                              " tmpfs /mnt && echo mounted && exec sleep infinity"}}) {
    if (!holder_.wait_for_output("mounted")) throw std::runtime_error(holder_.output());
  }

  // The folder, by way of the process that holds it (proc(5), /proc/PID/root): it goes with this.
  std::string path() const { return "/proc/" + std::to_string(holder_.pid()) + "/root/mnt"; }

 private:
  Process holder_;
};

}  // namespace support
