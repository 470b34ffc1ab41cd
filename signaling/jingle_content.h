// signaling/jingle_content.h: the codec of <content/> (XEP-0166 §7.3) and <group/> (XEP-0338 §3),
// the parts jingle.cc is made of. Any thread.
#pragma once

#include "signaling/jingle.h"

namespace jingle {

// All contents of a <jingle/>. Errors as parse_jingle().
Result<std::vector<Content>> parse_contents(const pugi::xml_node& jingle);
// `with_senders`: also where it is the default (clients that parse it strictly expect it in offers
// and answers).
void write_content(pugi::xml_node& jingle, const Content& content, bool with_senders);

Result<std::vector<Group>> parse_groups(const pugi::xml_node& jingle);
void write_group(pugi::xml_node& jingle, const Group& group);

}  // namespace jingle
