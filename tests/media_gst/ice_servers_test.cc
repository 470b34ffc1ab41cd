#include "media/gst/ice_servers.h"

#include <gmock/gmock.h>

#include "media/gst/candidate_filter.h"

namespace media::gst {
namespace {

TEST(ServerAddress, ReadsHostsAndPorts) {
  const auto parse = &ServerAddress::parse;
  EXPECT_EQ(parse("stun.example.org"), (ServerAddress{"stun.example.org", 3478}));
  EXPECT_EQ(parse("stun.example.org:19302"), (ServerAddress{"stun.example.org", 19302}));
  EXPECT_EQ(parse("192.0.2.1:5"), (ServerAddress{"192.0.2.1", 5}));
  EXPECT_EQ(parse("[2001:db8::1]:5"), (ServerAddress{"2001:db8::1", 5}));
  EXPECT_EQ(parse("2001:db8::1"), (ServerAddress{"2001:db8::1", 3478}));
  for (const auto* bad :
       {"", ":3478", "host:", "host:0", "host:65536", "host:x", "[::1", "[::1]5"}) {
    EXPECT_FALSE(parse(bad)) << bad;
  }
}

TEST(IceServers, AreResolvedOnceAndLeftOutOtherwise) {
  IceConfig config{.stun_server = "localhost:3479", .turn_server = "no-such-host.invalid"};
  EXPECT_THAT(resolve_servers(config), testing::ElementsAre("no-such-host.invalid"));
  EXPECT_TRUE(config.turn_server.empty());
  const auto stun = ServerAddress::parse(config.stun_server);
  ASSERT_TRUE(stun);
  EXPECT_TRUE(IpAddress::parse(stun->host)) << stun->host;
  EXPECT_EQ(stun->port, 3479);
}

TEST(IceServers, InterfacesAreNeitherLoopbackNorLinkLocal) {
  for (const auto& text : interface_addresses()) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_FALSE(address->is_loopback() || address->is_link_local()) << text;
  }
}

}  // namespace
}  // namespace media::gst
