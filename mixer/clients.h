// mixer/clients.h: what is known of the programs that call (XEP-0030, XEP-0115), to choose their
// profiles. Bounded and forgetful. Pure; signaling thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mixer/client_profile.h"
#include "mixer/clock.h"
#include "signaling/jid.h"
#include "signaling/stanza.h"

namespace mixer {

class Clients {
 public:
  // `profiles`: bare JID or domain -> a profile's name, which goes before whatever the client says.
  explicit Clients(const std::map<std::string, std::string>& profiles = {});

  // nullptr: ask its full JID for disco#info.
  const ClientProfile* known(const jingle::Jid& full, TimePoint now) const;

  // Caps come with available presence; other caps: it is asked again when it calls. Unavailable:
  // whatever runs there next may be another program.
  void presence(const jingle::Presence& presence, TimePoint now);
  // Its answer to disco#info.
  const ClientProfile& learned(const jingle::Jid& full, jingle::DiscoInfo info, TimePoint now);

  // By whatever little is known: it could not be reached, and is asked again when it calls again.
  const ClientProfile& guess(const jingle::Jid& full) const;

  // The node at which it says what its caps stand for now (XEP-0115 §6.2); empty: it has announced
  // none, or none by a hash.
  std::string caps_node(const jingle::Jid& full) const;
  // Its own answer to disco#info, or that of another with the same caps; nullptr: none yet.
  const jingle::DiscoInfo* said_of_itself(const jingle::Jid& full) const;

  // By what it said of itself (XEP-0030 client/bot).
  bool is_bot(const jingle::Jid& full) const;

  // Of the resources of that bare JID known from presence: one that takes calls by what it said of
  // itself (XEP-0166 §11, XEP-0167 §13); those that have not been asked, at most `most`.
  std::optional<jingle::Jid> callable(const jingle::Jid& bare) const;
  std::vector<jingle::Jid> unasked(const jingle::Jid& bare, std::size_t most) const;
  // Unless it has said what it knows, and proposals (XEP-0353) are not among it.
  bool may_know_proposals(const jingle::Jid& full) const;

 private:
  struct Client {
    std::string caps_node, caps_ver;
    bool hashed = false;  // caps_ver
    jingle::DiscoInfo info;
    bool asked = false;  // `info` is its own answer, or that of another with the same caps
    TimePoint at{};
  };
  Client& entry(const jingle::Jid& full, TimePoint now);
  const ClientProfile* configured(const jingle::Jid& full) const;

  std::map<std::string, const ClientProfile*> profiles_;  // constant after construction
  std::map<jingle::Jid, Client> clients_;
  std::map<std::string, jingle::DiscoInfo> by_ver_;  // hashes we have checked (XEP-0115 §5.4)
};

}  // namespace mixer
