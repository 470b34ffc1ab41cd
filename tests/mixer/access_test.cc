#include "mixer/access.h"

namespace {

using mixer::Access;

mixer::Config component(const std::string& domain) {
  mixer::Config config;
  config.xmpp.jid = jingle::Jid::parse(domain).value();
  return config;
}
bool allows(const Access& access, const std::string& who) {
  return access.allows(jingle::Jid::parse(who).value());
}

TEST(Access, ComponentServesItsOwnServerAndSubdomains) {
  const Access access(component("mixer.example.org"));
  EXPECT_TRUE(allows(access, "ann@example.org/phone"));
  EXPECT_TRUE(allows(access, "room@muc.example.org/ann"));
  EXPECT_TRUE(allows(access, "a.b.example.org"));
  EXPECT_FALSE(allows(access, "ann@example.com/phone"));
  EXPECT_FALSE(allows(access, "ann@evilexample.org/phone"));
  EXPECT_FALSE(allows(access, "ann@org"));
  EXPECT_FALSE(access.complaint());
}

TEST(Access, LocalhostIsAnOwnServer) {
  const Access access(component("mixer.localhost"));
  EXPECT_TRUE(allows(access, "ann@localhost/x"));
  EXPECT_TRUE(allows(access, "caller1@load.localhost/load"));
  EXPECT_FALSE(access.complaint());
}

TEST(Access, DoesNotOpenItselfToATopLevelDomain) {
  for (const char* domain : {"example.org", "mixer", "mixer.org."}) {
    const auto jid = jingle::Jid::parse(domain);
    if (!jid) continue;
    mixer::Config config;
    config.xmpp.jid = *jid;
    const Access access(config);
    EXPECT_FALSE(allows(access, "ann@org")) << domain;
    EXPECT_FALSE(allows(access, "ann@other.org")) << domain;
    ASSERT_TRUE(access.complaint()) << domain;
    EXPECT_NE(access.complaint()->find("access.dial"), std::string::npos);
  }
}

TEST(Access, BotServesItsDomainAndItsRoster) {
  mixer::Config config;
  config.xmpp.mode = mixer::Config::Xmpp::Mode::client;
  config.xmpp.jid = jingle::Jid::parse("bot@example.org").value();
  Access access(config);
  EXPECT_TRUE(allows(access, "ann@example.org/x"));
  EXPECT_FALSE(allows(access, "ann@sub.example.org/x"));
  EXPECT_FALSE(allows(access, "cyd@example.com/x"));
  access.set_roster({jingle::Jid::parse("cyd@example.com").value()});
  EXPECT_TRUE(allows(access, "cyd@example.com/x"));
}

TEST(Access, AListStandsInsteadOfTheRoster) {
  mixer::Config config;
  config.xmpp.mode = mixer::Config::Xmpp::Mode::client;
  config.xmpp.jid = jingle::Jid::parse("bot@example.org").value();
  config.access.dial_set = true;
  config.access.dial = {"ann@example.org"};
  Access access(config);
  access.set_roster({jingle::Jid::parse("cyd@example.com").value()});
  EXPECT_TRUE(allows(access, "ann@example.org/x"));
  EXPECT_FALSE(allows(access, "cyd@example.com/x"));
  EXPECT_TRUE(access.knows(jingle::Jid::parse("cyd@example.com/x").value()));
}

TEST(Access, ListMeansDomainsExactlyAndBareJidsWithAnyResource) {
  mixer::Config config = component("mixer.example.org");
  config.access.dial_set = true;
  config.access.dial = {"example.com", "ann@example.net", "bob@example.net/desk"};
  const Access access(config);
  EXPECT_TRUE(allows(access, "x@example.com/y"));
  EXPECT_FALSE(allows(access, "x@sub.example.com/y"));
  EXPECT_TRUE(allows(access, "ann@example.net/anything"));
  EXPECT_TRUE(allows(access, "bob@example.net/desk"));
  EXPECT_FALSE(allows(access, "bob@example.net/sofa"));
  EXPECT_FALSE(allows(access, "dan@example.org/x"));
  EXPECT_FALSE(access.complaint());
}

TEST(Access, EmptyListAllowsNobodyAndAnyoneEverybody) {
  mixer::Config config = component("mixer.example.org");
  config.access.dial_set = true;
  EXPECT_FALSE(allows(Access(config), "ann@example.org/x"));
  config.access.anyone = true;
  EXPECT_TRUE(allows(Access(config), "ann@anywhere.example/x"));
  EXPECT_FALSE(Access(config).allows(jingle::Jid()));
}

}  // namespace
