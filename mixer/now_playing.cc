#include "mixer/now_playing.h"

#include <algorithm>
#include <utility>

namespace mixer {

std::string without_user(std::string url) {
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == url.npos) return url;
  const std::size_t authority = scheme_end + 3;
  const std::size_t authority_end = std::min(url.find_first_of("/?#", authority), url.size());
  const std::size_t user_end = url.rfind('@', authority_end);
  if (user_end != url.npos && user_end >= authority) url.erase(authority, user_end + 1 - authority);
  return url;
}

std::string without_keys(std::string url) {
  if (url.find("://") == url.npos) return url;
  url = without_user(std::move(url));
  url.erase(std::min(url.find_first_of("?#"), url.size()));
  return url;
}

}  // namespace mixer
