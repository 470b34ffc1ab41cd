// signaling/pep_codec.h: the codecs behind pep.h, one per kind of payload. Inside signaling only.
#pragma once

#include "signaling/pep.h"

namespace pugi {
class xml_node;
}

namespace jingle::pep {

// Each reads the children of its root, and writes them. Requires: the root is the payload's.
Result<Payload> parse_fields(Node node, const pugi::xml_node& root);
void write_fields(pugi::xml_node& root, const Payload& payload);

Result<Payload> parse_status(const pugi::xml_node& root);
Result<Payload> parse_activity(const pugi::xml_node& root);
Result<Payload> parse_mood(const pugi::xml_node& root);
void write_words(pugi::xml_node& root, const Payload& payload);

Result<Payload> parse_avatar_metadata(const pugi::xml_node& root);
Result<Payload> parse_avatar_data(const pugi::xml_node& root, std::string_view item_id);
void write_avatar(pugi::xml_node& root, const Payload& payload);

// Without the white space of XML around it.
std::string trimmed(std::string_view text);
std::string trimmed_text(const pugi::xml_node& node);

}  // namespace jingle::pep
