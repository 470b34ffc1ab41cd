// mixer/state_store.h: SEAM to what outlives the process: subscriptions to rooms and to their
// nodes, and what stands published. Behind it SQLite and a thread of its own, for a disk may take
// seconds where the signaling thread has none.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "mixer/node_subscription.h"
#include "mixer/published.h"
#include "mixer/subscription.h"

namespace mixer {

class StateStore {
 public:
  // What was given is written before this returns, if it can be.
  virtual ~StateStore() = default;
  // Signaling thread; neither waits for the disk. What happens while something is being written
  // goes into the next transaction together. What cannot be written is kept and tried again every
  // limits::kStateRetry; one line of the log when that begins and one when it is over. Beyond
  // limits::kMaxUnwrittenRows changes are lost, and one line says so.
  virtual void save(const Subscription& row) = 0;
  virtual void forget(const jingle::Jid& room, const jingle::Jid& contact) = 0;
  // Without nodes it is forgotten.
  virtual void save(const NodeSubscription& row) = 0;
  virtual void save(const Published& row) = 0;
  virtual void forget(const jingle::Jid& by, const std::string& node) = 0;
};

struct StateError {
  enum class Kind {
    in_use,     // by another process
    newer,      // written by a later version of this program
    corrupt,    // or no database at all
    read_only,  // or not for us
    full,       // the disk
    other
  };
  Kind kind = Kind::other;
  std::string text;  // for people
};
const char* to_string(StateError::Kind kind);  // "in-use", …

struct OpenedState {
  std::unique_ptr<StateStore> store;
  std::vector<Subscription> subscriptions;
  std::vector<NodeSubscription> node_subscriptions;
  std::vector<Published> published;
};
// Opens `directory`/state.db for this process alone, until the store goes or the process dies;
// makes both if they are not there (the directory's parent must be), for our eyes only.
tl::expected<OpenedState, StateError> open_state(const std::string& directory);
// There is one to open.
bool has_state(const std::string& directory);

}  // namespace mixer
