// mixer/document_form.h: what a client's reader of conference documents needs otherwise than RFC
// 4575 has it. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coin/conference_info.h"

namespace mixer {

// How conference documents must look for a client.
enum class DocumentForm {
  standard,
  jitsi,  // without what ends its stream or spoils its list
};

// `info` in that form. Requires: full at every level. Law: standard changes nothing; of jitsi, the
// documents that a Notifier makes hold no token that is fatal to it
// (tests/mixer/jitsi_document_test.cc).
//
// Jitsi desktop finds elements by their local names, in any namespace and at any depth, and a word
// that it does not know closes its XMPP stream. So its form is not what is left when some things
// are taken out, but what it reads and nothing else: whatever a room may say one day is not in it.
// Users by their key in Jitsi's list (the entity up to `;`, in lower case), once; who is
// disconnected is not listed.
coin::ConferenceInfo shaped(coin::ConferenceInfo info, DocumentForm form);

// Its parts, so that a user is shaped once for many documents. Entities with the same key are one
// user to the reader, and shown under it; empty: none to it.
std::string key_of(std::string_view entity, DocumentForm form);
// The user that those of one key are; nullopt: not listed. Requires: one at least.
std::optional<coin::User> shaped(std::vector<coin::User> same, DocumentForm form);
// All but the entries of `users`, of which there are so many.
coin::ConferenceInfo shaped_rest(coin::ConferenceInfo rest, std::size_t users, DocumentForm form);

}  // namespace mixer
