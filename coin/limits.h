// coin/limits.h: what a document may hold before parse() refuses it, and why. Documents we build
// ourselves stay far below; these bounds are for what others send.
#pragma once

#include <cstddef>

namespace coin::limits {

// Twice the largest stanza any server was seen to pass (Prosody 0.12 closes a component's stream at
// 533 kB); checked by parse(text), a tree was bounded by whoever built it.
inline constexpr std::size_t kDocumentBytes = 1024 * 1024;

// The longest xmpp: URI is 5 + 3 * 3071 = 9,218 bytes (RFC 7622 §3.1, every byte percent-encoded);
// no text of a roster needs more.
inline constexpr std::size_t kTextBytes = 16 * 1024;

// Five times what one mixer is built for (2,000 participants a core).
inline constexpr std::size_t kUsers = 10'000;

// A user's devices, an endpoint's streams: one or two in practice; a cascaded focus may show more.
inline constexpr std::size_t kEndpoints = 64;
inline constexpr std::size_t kMedia = 32;

// Addresses and media of a conference, roles of a user: lists that people read.
inline constexpr std::size_t kUris = 256;
inline constexpr std::size_t kAvailableMedia = 64;
inline constexpr std::size_t kRoles = 64;
inline constexpr std::size_t kListItems = 256;  // keywords, languages

// A sidebar is a conference and may have sidebars; parse() recurses, so the depth is small.
inline constexpr std::size_t kSidebars = 64;
inline constexpr std::size_t kSidebarDepth = 4;

// Foreign attributes and elements of one element, in canonical form: twice the 8 KiB that a
// published item may have. The total stops what is small on the wire and large here: a long
// namespace declared once and used ten thousand times.
inline constexpr std::size_t kForeignBytes = 16 * 1024;
inline constexpr std::size_t kForeignTotalBytes = 1024 * 1024;
inline constexpr std::size_t kForeignDepth = 32;  // recursion; geoloc, the deepest in use, has 2

// On one element, xmlns declarations included: names are resolved by walking up, so what stands
// above costs every descendant. The busiest in use have about ten.
inline constexpr std::size_t kAttributes = 64;

}  // namespace coin::limits
