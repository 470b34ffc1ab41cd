// tools/call/coin_log.h: what coin-watch has to say of a call, document by document (XEP-0298 §6,
// RFC 4575 §4.6). Pure. One thread.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "coin/diff.h"
#include "tools/call/coin_words.h"
#include "tools/call/events.h"

namespace call {

class CoinLog {
 public:
  explicit CoinLog(bool raw) : raw_(raw) {}

  // The lines about what happened `t` seconds after the start. The table may have changed.
  std::vector<std::string> on(double t, const Tell& tell);
  // Empty until there is a conference to show.
  std::string table(const std::set<std::uint32_t>& talking, const Page& page = {}) const;

 private:
  void document(std::string_view xml, std::vector<std::string>& lines);

  const bool raw_;
  coin::View view_;
  coin::ConferenceInfo known_;  // what was said of it so far
};

}  // namespace call
