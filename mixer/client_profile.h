// mixer/client_profile.h: what clients need beyond the standard, one row per client. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mixer/document_form.h"
#include "signaling/disco.h"

namespace mixer {

struct ClientProfile {
  std::string_view name;        // for logs and tests
  bool takes_documents = true;  // may be sent conference documents at all
  bool announced_coin = false;  // said so, or is known to
  bool shows_roster = false;    // its user sees who is there: no chat instead
  bool isfocus_again = false;   // reads isfocus in session-info only
  DocumentForm form = DocumentForm::standard;
};

// What a client told of itself; either may be empty.
struct ClientSigns {
  jingle::DiscoInfo info;  // XEP-0030
  std::string caps_node;   // XEP-0115, from its presence
};

// The first row that fits. Never fails: the last row is for a client that announced nothing.
const ClientProfile& profile_of(const ClientSigns& signs);
// The row of that name, for who is known better than by signs; nullptr: there is none.
const ClientProfile* profile_named(std::string_view name);
std::vector<std::string_view> profile_names();
// For a client that asked for a conference document: it understands them, whatever it announces.
const ClientProfile& profile_of_asker(const ClientProfile& before);
// For one that sent a document: it speaks Coin. Who announces none and sends all the same is a
// Jitsi (its HEAD), so it gets that form, which all can read.
const ClientProfile& profile_of_sender(const ClientProfile& before);

}  // namespace mixer
