// tests/support/raw_client.h: a client session as bytes on a socket, for what no library would
// send.
#pragma once

#include <string>
#include <string_view>

#include "tests/support/net.h"

namespace support {

class RawClient {
 public:
  // Logs in by SASL PLAIN without TLS. Check ready().
  RawClient(std::uint16_t port, const std::string& user, const std::string& password,
            const std::string& resource);
  bool ready() const { return ready_; }
  Stream& stream() { return stream_; }
  bool send(std::string_view xml) { return stream_.write(xml); }

 private:
  Stream stream_;
  bool ready_ = false;
};

}  // namespace support
