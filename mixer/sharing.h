// mixer/sharing.h: what participants let the others in their call see of what they publish of
// themselves (XEP-0119): only nodes that the operator lists, only who said so in this call, until
// he says otherwise or leaves. Nobody else's is even kept. Pure; signaling thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "signaling/jid.h"
#include "signaling/pep.h"
#include "signaling/pubsub.h"

namespace mixer {

// Of no word: to share nothing, and to unshare everything.
struct ShareWish {
  bool share = true;
  std::set<jingle::pep::Node> nodes;
  std::vector<std::string> unknown = {};  // words that are no node's name
  bool operator==(const ShareWish&) const = default;
};
// "tune mood"
ShareWish parse_share(std::string_view nodes, bool share);

class Sharing {
 public:
  explicit Sharing(std::set<jingle::pep::Node> relay) : relay_(std::move(relay)) {}

  // The nodes that are to be asked for what stands there: those that are new.
  std::set<jingle::pep::Node> apply(const jingle::Jid& user, const ShareWish& wish);
  std::set<jingle::pep::Node> nodes(const jingle::Jid& user) const;
  bool shares(const jingle::Jid& user) const { return users_.contains(user); }
  // What the others see of him, for people: "tune, mood"; empty: nothing.
  std::string names(const jingle::Jid& user) const { return listed(nodes(user)); }
  // What may be shared at all, the same way; and what of a wish may not.
  std::string offered() const { return listed(relay_); }
  std::string refused(const ShareWish& wish) const;
  // Whether he still has to let us see what he shares: he is asked.
  void set_unseen(const jingle::Jid& user, bool unseen);
  bool is_unseen(const jingle::Jid& user) const;
  void forget(const jingle::Jid& user) { users_.erase(user); }

  // What stands at a node of his now; it is what the others see if he shares it. One that cannot be
  // read stands for nothing: what stood there before does not any more. The error is the first of
  // that user's. A physical location (XEP-0112) is seen as a geolocation, where he has no other; of
  // an avatar's image nothing is, but it may be wrong.
  struct Taken {
    bool changed = false;  // what the others see of him
    std::optional<jingle::StanzaError> error = {};
  };
  Taken take(const jingle::Jid& user, const jingle::pubsub::Event& event);

  // What he calls himself (XEP-0172), as others may see it; empty: he does not share it.
  std::string nick(const jingle::Jid& user) const;
  // What else the others see: elements for the end of his <user> (RFC 4575 §5.6, xs:any), in the
  // order of the nodes; together at most limits::kMaxUserBytes, what comes later is left out.
  std::vector<std::string> elements(const jingle::Jid& user) const;

 private:
  struct User {
    // By the nodes he shares: the element, but of a nick its text; empty: nothing.
    std::map<jingle::pep::Node, std::string> shown;
    bool complained = false;
    bool unseen = false;
  };
  static std::string listed(const std::set<jingle::pep::Node>& nodes);

  std::set<jingle::pep::Node> relay_;  // constant after construction
  std::map<jingle::Jid, User> users_;  // bare JIDs in the call
};

}  // namespace mixer
