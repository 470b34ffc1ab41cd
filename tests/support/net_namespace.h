// tests/support/net_namespace.h: network namespaces (Linux), for tests whose programs must not
// reach each other directly.
#pragma once

#include <string>

#include "tests/support/net.h"

namespace support {

// A network of its own with a loopback interface that is up. Lives as long as this, and as the
// processes in it.
class NetNamespace {
 public:
  // Why there can be none here; empty when there can.
  static std::string missing();

  NetNamespace();  // throws std::runtime_error
  NetNamespace(const NetNamespace&) = delete;
  NetNamespace& operator=(const NetNamespace&) = delete;

  // While it lives this thread is inside, and so are the processes and sockets that it makes.
  class Inside {
   public:
    explicit Inside(const NetNamespace& where);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    Fd outside_;
  };

  // ip(8) inside; throws with what it says.
  void ip(const std::string& arguments) const;
  // A cable: `own` ("10.0.1.1/24") on this end, `others` on that of `other`.
  void connect(const NetNamespace& other, const std::string& own, const std::string& others);

 private:
  std::string path() const;  // for ip(8), while this process lives

  Fd fd_;
  int cables_ = 0;
};

}  // namespace support
