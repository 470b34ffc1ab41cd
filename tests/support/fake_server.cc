#include "tests/support/fake_server.h"

#include <utility>

#include "tests/support/eventually.h"

namespace support {

FakeServer::FakeServer(Script script)
    : script_(std::move(script)), thread_([this] {
        while (!stopped_) {
          Fd fd = listener_.accept(std::chrono::milliseconds(20));
          if (!fd) continue;
          ++connections_;
          Stream stream(std::move(fd));
          script_(stream, *this);
        }
      }) {}

FakeServer::FakeServer(std::function<void(Stream&)> script)
    : FakeServer([script = std::move(script)](Stream& stream, FakeServer&) { script(stream); }) {}

FakeServer::~FakeServer() {
  stopped_ = true;
  allowed_ = true;
  thread_.join();
}

void FakeServer::record(std::string text) {
  const std::lock_guard lock(mutex_);
  recorded_ = std::move(text);
}

std::string FakeServer::recorded() {
  std::optional<std::string> text;
  eventually([&] {
    const std::lock_guard lock(mutex_);
    text = recorded_;
    return text.has_value();
  });
  return text.value_or("nothing");
}

bool accept_component(Stream& stream, const std::string& domain) {
  stream.read_until("<stream:stream");
  stream.read_until(">");
  stream.write(
      "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
      "xmlns:stream='http://etherx.jabber.org/streams' id='1' from='" +
      domain + "'>");
  stream.read_until("</handshake>");
  return stream.found() && stream.write("<handshake/>");
}

}  // namespace support
