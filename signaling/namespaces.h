// signaling/namespaces.h: every XML namespace spoken here, with the document it comes from.
#pragma once

namespace jingle::ns {

inline constexpr char kClient[] = "jabber:client";                               // RFC 6120
inline constexpr char kComponent[] = "jabber:component:accept";                  // XEP-0114
inline constexpr char kStanzas[] = "urn:ietf:params:xml:ns:xmpp-stanzas";        // RFC 6120 §8.3
inline constexpr char kDiscoInfo[] = "http://jabber.org/protocol/disco#info";    // XEP-0030
inline constexpr char kDiscoItems[] = "http://jabber.org/protocol/disco#items";  // XEP-0030
inline constexpr char kCaps[] = "http://jabber.org/protocol/caps";               // XEP-0115
inline constexpr char kPing[] = "urn:xmpp:ping";                                 // XEP-0199
inline constexpr char kDelay[] = "urn:xmpp:delay";                               // XEP-0203
inline constexpr char kReceipts[] = "urn:xmpp:receipts";                         // XEP-0184
inline constexpr char kHints[] = "urn:xmpp:hints";                               // XEP-0334
inline constexpr char kAddress[] = "http://jabber.org/protocol/address";         // XEP-0033
inline constexpr char kMucUser[] = "http://jabber.org/protocol/muc#user";        // XEP-0045
inline constexpr char kExtDisco[] = "urn:xmpp:extdisco:2";                       // XEP-0215
inline constexpr char kJingle[] = "urn:xmpp:jingle:1";                           // XEP-0166
inline constexpr char kJingleErrors[] = "urn:xmpp:jingle:errors:1";              // XEP-0166 §10
inline constexpr char kRtp[] = "urn:xmpp:jingle:apps:rtp:1";                     // XEP-0167
inline constexpr char kRtpAudio[] = "urn:xmpp:jingle:apps:rtp:audio";            // XEP-0167 §10
inline constexpr char kRtpInfo[] = "urn:xmpp:jingle:apps:rtp:info:1";            // XEP-0167 §8
inline constexpr char kRtpErrors[] = "urn:xmpp:jingle:apps:rtp:errors:1";        // XEP-0167 §11
inline constexpr char kRtcpFb[] = "urn:xmpp:jingle:apps:rtp:rtcp-fb:0";          // XEP-0293
inline constexpr char kHdrext[] = "urn:xmpp:jingle:apps:rtp:rtp-hdrext:0";       // XEP-0294
inline constexpr char kSsma[] = "urn:xmpp:jingle:apps:rtp:ssma:0";               // XEP-0339
inline constexpr char kGrouping[] = "urn:xmpp:jingle:apps:grouping:0";           // XEP-0338
inline constexpr char kIceUdp[] = "urn:xmpp:jingle:transports:ice-udp:1";        // XEP-0176
inline constexpr char kDtls[] = "urn:xmpp:jingle:apps:dtls:0";                   // XEP-0320
inline constexpr char kBundleFeature[] = "urn:ietf:rfc:5888";                    // XEP-0338 §4
inline constexpr char kSsmaFeature[] = "urn:ietf:rfc:5576";                      // XEP-0339 §4
inline constexpr char kJingleMessage[] = "urn:xmpp:jingle-message:0";            // XEP-0353
inline constexpr char kCoin[] = "urn:xmpp:coin:1";                               // XEP-0298 §7
inline constexpr char kCoinJitsi[] = "urn:xmpp:coin";  // what Jitsi and SylkServer test
inline constexpr char kConferenceInfo[] = "urn:ietf:params:xml:ns:conference-info";  // RFC 4575

inline constexpr char kPubsub[] = "http://jabber.org/protocol/pubsub";               // XEP-0060
inline constexpr char kPubsubEvent[] = "http://jabber.org/protocol/pubsub#event";    // XEP-0060
inline constexpr char kPubsubOwner[] = "http://jabber.org/protocol/pubsub#owner";    // XEP-0060
inline constexpr char kPubsubErrors[] = "http://jabber.org/protocol/pubsub#errors";  // XEP-0060
inline constexpr char kPublishOptions[] =
    "http://jabber.org/protocol/pubsub#publish-options";  // XEP-0060 §7.1.5
inline constexpr char kNodeConfig[] =
    "http://jabber.org/protocol/pubsub#node_config";                        // XEP-0060 §16.4.4
inline constexpr char kDataForms[] = "jabber:x:data";                       // XEP-0004
inline constexpr char kTune[] = "http://jabber.org/protocol/tune";          // XEP-0118
inline constexpr char kViewing[] = "urn:xmpp:viewing:0";                    // XEP-0197
inline constexpr char kUserStatus[] = "http://jabber.org/protocol/status";  // User Status
inline constexpr char kActivity[] = "http://jabber.org/protocol/activity";  // XEP-0108
inline constexpr char kMood[] = "http://jabber.org/protocol/mood";          // XEP-0107
inline constexpr char kNick[] = "http://jabber.org/protocol/nick";          // XEP-0172
inline constexpr char kGeoloc[] = "http://jabber.org/protocol/geoloc";      // XEP-0080
inline constexpr char kPhysloc[] = "http://jabber.org/protocol/physloc";    // XEP-0112
inline constexpr char kAvatarMetadata[] = "urn:xmpp:avatar:metadata";       // XEP-0084
inline constexpr char kAvatarData[] = "urn:xmpp:avatar:data";               // XEP-0084

// Header extensions by URI (XEP-0294).
inline constexpr char kSsrcAudioLevel[] =
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level";  // RFC 6464
inline constexpr char kCsrcAudioLevel[] =
    "urn:ietf:params:rtp-hdrext:csrc-audio-level";  // RFC 6465

}  // namespace jingle::ns
