// mixer/listing.h: the users of a conference document as one audience is shown them, and how they
// changed, so that what somebody missed is found without a look at the others. Pure; signaling
// thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coin/conference_info.h"
#include "mixer/document_form.h"

namespace mixer {

// Immutable, and shared by all lists it is on.
using SharedUser = std::shared_ptr<const coin::User>;

// A conference document, or what may have changed in it since an earlier one.
struct News {
  coin::ConferenceInfo rest;                // all but the entries of `users`
  std::map<std::string, SharedUser> users;  // by entity; null: not there
  bool whole = true;                        // who is not among them is not there
  std::uint64_t revision = 0;               // what comes after is news since then
};

// All of a document. Requires: full at every level, each user's entity given once.
News whole(coin::ConferenceInfo info);

// Law: however the news came, whole or in parts, users() are those of shaped(the document), and
// since(revision) makes them of what users() were then (tests/mixer/listing_test.cc).
class Listing {
 public:
  explicit Listing(DocumentForm form) : form_(form) {}

  DocumentForm form() const { return form_; }
  // O(news). True if it changes what is shown; revision() is another then.
  bool take(const News& news);
  std::uint64_t revision() const { return revision_; }
  std::size_t size() const { return shown_; }
  // In the order of their entities.
  std::vector<coin::User> users() const;

  // Who is shown otherwise than then, and all who are `owed`: those who are not shown any more as
  // deleted. In the order of their entities. O(changes since). nullopt: that is too long ago.
  std::optional<std::vector<coin::User>> since(std::uint64_t revision,
                                               const std::set<std::string>& owed) const;
  // Whose entities the two show otherwise. O(all).
  std::vector<std::string> unlike(const Listing& other) const;
  // Nobody will ask for changes since before now.
  void forget_changes();

 private:
  struct Entry {
    std::vector<SharedUser> of;  // one to the reader
    SharedUser shown;            // null: not listed
  };
  struct Change {
    std::uint64_t revision;
    std::string key;
    SharedUser before;
  };

  void put(const std::string& entity, const SharedUser& user);
  SharedUser shaped_of(const std::vector<SharedUser>& same) const;
  SharedUser shown(const std::string& key) const;

  DocumentForm form_;
  std::map<std::string, Entry> entries_;  // by key_of(entity)
  std::size_t shown_ = 0;
  std::uint64_t revision_ = 0, forgotten_ = 0;
  std::deque<Change> changes_;  // those after forgotten_, the oldest first
};

}  // namespace mixer
