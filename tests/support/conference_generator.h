// tests/support/conference_generator.h: conference documents by the dice, every element, attribute
// and word of RFC 4575 among them. The same seed gives the same documents everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "coin/conference_info.h"

namespace test_support {

class ConferenceGenerator {
 public:
  explicit ConferenceGenerator(std::uint64_t seed) : random_(seed) {}

  // Anything a document may be: any states, keys given twice, sidebars in sidebars. What the writer
  // makes of it is valid against the schema, but for `sid`.
  coin::ConferenceInfo document();

  // A whole conference as merge() gives it: full at every level, each key once. Keys come from
  // small pools, so that two conferences have users in common.
  coin::ConferenceInfo full();

  // `base` (full) after one to three things happened: joins, leaves, changes, descriptions changed,
  // foreign elements and sidebars that come and go, other orders.
  coin::ConferenceInfo edited(coin::ConferenceInfo base);

  // Equal to `info`: the order of keyed children is another.
  coin::ConferenceInfo shuffled(coin::ConferenceInfo info);

  // A partial document about the same things, with partial users and endpoints as others send them.
  coin::ConferenceInfo partial();

  coin::User user(const std::string& entity);
  std::string text();
  bool chance(unsigned percent) { return below(100) < percent; }
  std::size_t below(std::size_t end) { return random_() % end; }

 private:
  std::string uri();
  std::string word();
  std::string dateTime();
  std::optional<std::string> maybe_text();
  std::optional<std::string> maybe_uri();
  std::optional<std::uint32_t> maybe_number();
  coin::State state();
  coin::Foreign foreign(bool elements);
  std::string foreign_element();
  std::optional<coin::Execution> execution();
  coin::UriEntry uri_entry(const std::string& key);
  std::optional<coin::Uris> uris();
  coin::Media media(const std::string& key);
  std::optional<coin::AvailableMedia> available_media();
  std::optional<coin::CallInfo> call_info();
  coin::Endpoint endpoint(const std::string& entity);
  coin::ConferenceDescription description();
  coin::HostInfo host_info();
  coin::ConferenceState conference_state();
  coin::ConferenceInfo conference(const std::string& entity, std::size_t sidebars);
  void edit(coin::ConferenceInfo& info);
  void edit_user(coin::User& user);

  // Each key of a pool at most once, in a random order, or with repetition where that is allowed.
  std::vector<std::string> keys(const char* stem, std::size_t least, std::size_t most);
  template <class E>
  E one_of(E last) {
    return static_cast<E>(below(static_cast<std::size_t>(last) + 1));
  }
  template <class T>
  void shuffle(std::vector<T>& entries) {
    for (std::size_t i = entries.size(); i > 1; --i) std::swap(entries[i - 1], entries[below(i)]);
  }
  void shuffle_all(coin::ConferenceInfo& info);

  std::mt19937_64 random_;
  bool only_full_ = false;
};

}  // namespace test_support
