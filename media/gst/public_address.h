// media/gst/public_address.h: whom anybody on the Internet may be asked to connect to. Pure; any
// thread.
#pragma once

#include "media/gst/candidate_filter.h"

namespace media::gst {

// Public unicast: none of the special-purpose blocks of RFC 6890 as IANA's registries have them
// now (this host, private, shared, loopback, link-local, documentation, benchmarks, reserved),
// no multicast, and of IPv6 only what is allotted (2000::/3) but for tunnels to addresses that are
// not seen (Teredo, 6to4). An IPv4 address behind IPv6 (mapped; NAT64, RFC 6052) is judged as such.
bool is_public_unicast(const IpAddress& address);

}  // namespace media::gst
