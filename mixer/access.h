// mixer/access.h: who may dial, be dialled, propose and subscribe (XEP-0166 §13.2, XEP-0176 §10.1
// forbid accepting from just anybody). One function decides. Pure; signaling thread.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "mixer/config.h"
#include "signaling/jid.h"

namespace mixer {

class Access {
 public:
  explicit Access(const Config& config);

  // The one decision, for session-initiate, propose, subscribe, whom we dial (the operator's own
  // `invite` lines too), and whatever comes to be.
  //   dial = "anyone"         everybody
  //   dial = [...]            the domains (exactly) and JIDs (bare: any resource) listed
  //   not set, component      the JID without its first label, and that domain's subdomains
  //   not set, client         the account's domain and its roster
  bool allows(const jingle::Jid& who) const;

  // Why nobody may dial: the default rule found no own server. Names the key; nullopt: all is well.
  std::optional<std::string> complaint() const;

  // Client mode: the account's contacts (RFC 6121 §2), bare.
  void set_roster(std::set<jingle::Jid> contacts) { roster_ = std::move(contacts); }
  bool roster_counts() const { return roster_counts_; }
  bool knows(const jingle::Jid& who) const { return roster_.contains(who.bare()); }

 private:
  bool anyone_ = false;
  bool roster_counts_ = false;  // so what is refused today may be allowed tomorrow
  bool own_server_missing_ = false;
  std::set<std::string> domains_;
  std::optional<std::string> parent_;  // this domain and everything below it
  std::set<jingle::Jid> jids_;
  std::set<jingle::Jid> roster_;
};

// The default rule for a component: its domain without the first label, if two labels or more
// remain or it is `localhost`; nullopt otherwise ("mixer.org" must not open itself to all of org).
std::optional<std::string> own_server(const std::string& component);

}  // namespace mixer
