// signaling/limits.h: every bound of this layer and its reason.
#pragma once

#include <cstddef>

namespace jingle::limits {

// Prosody's component cap is 512 KiB; nothing we understand comes near half of it.
inline constexpr std::size_t kMaxStanzaBytes = 256 * 1024;
// Deeper than any payload we parse (Jingle is 6, RFC 4575 8); recursion stays shallow.
inline constexpr int kMaxDepth = 32;
// The richest element we know, a candidate, has 12; more only makes every look-up slow.
inline constexpr std::size_t kMaxAttributes = 64;
// A browser offers at most audio, video, data twice; 100 contents is an attack.
inline constexpr std::size_t kMaxContents = 16;
// A laptop with VPNs and TURN gathers about 20; one stanza or one session never needs more.
inline constexpr std::size_t kMaxCandidates = 64;
// The longest host name (RFC 1035); addresses are shorter.
inline constexpr std::size_t kMaxAddressBytes = 255;
// RFC 8445 §5.3, for ufrag and pwd alike.
inline constexpr std::size_t kMaxIceCredential = 256;
// One per hash function in use; sha-512 takes 191 characters.
inline constexpr std::size_t kMaxFingerprints = 8;
inline constexpr std::size_t kMaxFingerprintBytes = 191;
// Real offers list up to 30 (libpurple, Jitsi).
inline constexpr std::size_t kMaxPayloadTypes = 64;
inline constexpr std::size_t kMaxParameters = 32;
inline constexpr std::size_t kMaxHeaderExtensions = 32;
inline constexpr std::size_t kMaxSources = 16;
// XEP-0215: a server that knows more services of one type is broken or hostile.
inline constexpr std::size_t kMaxExternalServices = 32;
// RFC 8489 §14.3: a user name in STUN has less than 513 bytes. Passwords are as long at most.
inline constexpr std::size_t kMaxServiceCredential = 512;
// RFC 7622: each part of a JID is at most 1023 octets.
inline constexpr std::size_t kMaxJidPart = 1023;
// XEP-0166 names no bound for a sid; UUIDs have 36 characters.
inline constexpr std::size_t kMaxSidBytes = 256;
// What a person tells of himself; the richest examples of the standards have 1 KiB.
inline constexpr std::size_t kMaxPayloadBytes = 8 * 1024;
// XEP-0084 §5 wants icons under 8 KiB; who ignores that must still fit a stanza in base64.
inline constexpr std::size_t kMaxAvatarBytes = 64 * 1024;
inline constexpr std::size_t kMaxAvatarInfos = 16;  // formats and places of one image
inline constexpr std::size_t kMaxEventItems = 16;  // of one notification; these nodes keep one item

}  // namespace jingle::limits
