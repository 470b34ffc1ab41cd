// media/icy_stream.h: the titles that radio stations put between the bytes of what they send, once
// asked to ("Icy-MetaData: 1"): after every `icy-metaint` bytes one byte that counts blocks of 16,
// and that many of "StreamTitle='…';". SHOUTcast's, and Icecast's. Pure; one thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace media {

class IcyStream {
 public:
  // 0: there are no titles in it.
  explicit IcyStream(std::size_t interval_bytes) : interval_(interval_bytes), left_(interval_) {}

  // `body` gets what is not a title, in order; `title` each title, in UTF-8.
  void feed(std::string_view bytes, const std::function<void(std::string_view)>& body,
            const std::function<void(std::string)>& title);

 private:
  const std::size_t interval_;
  std::size_t left_;       // until something else begins
  bool in_title_ = false;  // left_ counts what is missing of it
  std::string words_;      // of it
};

// UTF-8 as it is; anything else is taken for ISO 8859-1, as stations still send it.
std::string as_utf8(std::string_view text);

}  // namespace media
