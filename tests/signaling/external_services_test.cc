#include "signaling/external_services.h"

#include <gmock/gmock.h>

#include <pugixml.hpp>
#include <random>

#include "signaling/limits.h"
#include "signaling/stanza.h"
#include "tests/support/generators.h"

namespace jingle {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using Action = ExternalService::Action;

Result<ExternalServices> parse(const std::string& text) {
  const auto xml = Xml::parse(text);
  EXPECT_TRUE(xml) << text;
  return xml ? ExternalServices::parse(xml->root()) : tl::unexpected(bad_request());
}
std::string services(const std::string& children) {
  return "<services xmlns='urn:xmpp:extdisco:2'>" + children + "</services>";
}
ExternalServices read(const std::string& children) {
  return parse(services(children)).value_or(ExternalServices{});
}
// The one service, with `attribute` as given and the others in order.
ExternalServices with(const std::string& attribute) {
  std::string out = "<service";
  for (const char* normal : {"type='turn'", "host='t.example'", "port='3478'"}) {
    const std::string text = normal;
    const auto name = attribute.substr(0, attribute.find('='));
    if (text.substr(0, text.find('=')) != name) out += " " + text;
  }
  return read(out + " " + attribute + "/>");
}

// XEP-0215 §3.1, the list of its second example, shortened.
TEST(ExternalServices, ReadsAListOfTheXep) {
  const auto list = parse(
      "<services xmlns='urn:xmpp:extdisco:2' type='turn'>"
      "<service host='stun.shakespeare.lit' port='9998' transport='udp' type='stun'/>"
      "<service host='relay.shakespeare.lit' password='jj929jkj5sadjfj93v3n' port='9999' "
      "transport='udp' type='turn' username='nb78932lkjlskjfdb7g8'/>"
      "<service host='ftp.shakespeare.lit' name='Shakespearean File Server' password='guest' "
      "port='20' transport='tcp' type='ftp' username='guest'/></services>");
  ASSERT_TRUE(list);
  ASSERT_THAT(list->services, SizeIs(3));
  EXPECT_EQ(list->services[0], (ExternalService{.type = "stun",
                                                .host = "stun.shakespeare.lit",
                                                .port = 9998,
                                                .transport = "udp",
                                                .username = {},
                                                .password = {},
                                                .expires = {}}));
  EXPECT_EQ(list->services[1].username, "nb78932lkjlskjfdb7g8");
  EXPECT_EQ(list->services[1].password, "jj929jkj5sadjfj93v3n");
  EXPECT_THAT(list->faults, SizeIs(0));
}

// XEP-0215 §3.2: the example says delete, the text of §2 remove; without a word it is added.
TEST(ExternalServices, ReadsThePushOfTheXepAndBothWordsForGone) {
  const auto push = read(
      "<service action='modify' host='a' type='turn'/><service action='delete' host='b' "
      "type='turn'/><service action='remove' host='c' type='turn'/><service host='d' "
      "type='turn'/>");
  ASSERT_THAT(push.services, SizeIs(4));
  EXPECT_EQ(push.services[0].action, Action::modify);
  EXPECT_EQ(push.services[1].action, Action::remove);
  EXPECT_EQ(push.services[2].action, Action::remove);
  EXPECT_EQ(push.services[3].action, Action::add);
  EXPECT_EQ(push.services[3].port, std::nullopt);
}

// XEP-0215 §3.3
TEST(ExternalServices, ReadsCredentialsWithoutAPort) {
  const auto answer = parse(
      "<credentials xmlns='urn:xmpp:extdisco:2'><service host='turn.shakespeare.lit' type='turn' "
      "password='jj929jkj5sadjfj93v3n' username='nb78932lkjlskjfdb7g8'/></credentials>");
  ASSERT_TRUE(answer);
  ASSERT_THAT(answer->services, SizeIs(1));
  EXPECT_EQ(answer->services[0].password, "jj929jkj5sadjfj93v3n");
}

TEST(ExternalServices, ReadsWhenCredentialsExpireInUtcOnly) {
  const auto at = [](const std::string& text) {
    const auto list = with("expires='" + text + "'");
    return list.services.empty() ? std::nullopt : list.services[0].expires;
  };
  const std::chrono::sys_seconds leap =
      std::chrono::sys_days(std::chrono::year(2028) / 2 / 29) + 23h + 59min + 58s;
  EXPECT_EQ(at("2028-02-29T23:59:58Z"), leap);
  EXPECT_EQ(at("2028-02-29T23:59:58.250Z"), leap);
  EXPECT_EQ(at("2028-02-29T23:59:58+00:00"), leap);
  for (const char* bad :
       {"", "tomorrow", "2027-02-29T00:00:00Z", "2028-02-29T24:00:00Z", "2028-02-29T23:59:58",
        "2028-02-29T23:59:58.Z", "2028-02-29T23:59:58+02:00", "2028-13-01T00:00:00Z",
        "-028-02-29T23:59:58Z", "2028-02-29 23:59:58Z", "2028-02-29T23:59:58Z "}) {
    EXPECT_EQ(at(bad), std::nullopt) << bad;
    EXPECT_THAT(with(std::string("expires='") + bad + "'").faults, SizeIs(1)) << bad;
  }
}

TEST(ExternalServices, LeavesOutWhatMakesNoSenseAndKeepsTheRest) {
  for (const char* bad : {"port='0'", "port='65536'", "port='-1'", "port='3478x'", "port=''",
                          "type=''", "host=''", "restricted='perhaps'", "action='frobnicate'"}) {
    const auto list = with(bad);
    EXPECT_THAT(list.services, SizeIs(0)) << bad;
    EXPECT_THAT(list.faults, SizeIs(1)) << bad;
  }
  const auto mixed = read("<service type='stun'/><service type='stun' host='good'/>");
  ASSERT_THAT(mixed.services, SizeIs(1));
  EXPECT_EQ(mixed.services[0].host, "good");
  EXPECT_THAT(mixed.faults, ElementsAre(HasSubstr("host")));
}

TEST(ExternalServices, FaultsTellNoSecrets) {
  const std::string secret(limits::kMaxServiceCredential + 1, 's');
  for (const char* name : {"password", "username"}) {
    const auto list = with(name + ("='" + secret) + "'");
    ASSERT_THAT(list.faults, SizeIs(1));
    EXPECT_THAT(list.faults[0], testing::Not(HasSubstr("sss")));
  }
  EXPECT_THAT(with("port='0' password='hush' username='quiet'").faults,
              ElementsAre(testing::Not(testing::AnyOf(HasSubstr("hush"), HasSubstr("quiet")))));
}

TEST(ExternalServices, RefusesTooManyAndOtherElements) {
  std::string many;
  for (std::size_t i = 0; i < limits::kMaxExternalServices; ++i) {
    many += "<service type='stun' host='h" + std::to_string(i) + "'/>";
  }
  EXPECT_TRUE(parse(services(many)));
  EXPECT_FALSE(parse(services(many + "<service/>")));
  EXPECT_FALSE(parse("<services xmlns='urn:xmpp:extdisco:1'/>"));
  EXPECT_FALSE(parse("<query xmlns='urn:xmpp:extdisco:2'/>"));
  EXPECT_FALSE(ExternalServices::parse({}));
}

TEST(ExternalServices, QueriesNameATypeOrAService) {
  EXPECT_EQ(services_query("turn"), "<services xmlns='urn:xmpp:extdisco:2' type='turn'/>");
  ExternalService service;
  service.type = "turn";
  service.host = "turn.shakespeare.lit";
  EXPECT_EQ(credentials_query(service),
            "<credentials xmlns='urn:xmpp:extdisco:2'><service host='turn.shakespeare.lit' "
            "type='turn'/></credentials>");
  service.port = 3479;
  const auto again = parse(credentials_query(service));
  ASSERT_TRUE(again);
  EXPECT_THAT(again->services, ElementsAre(service));
}

// Whatever the attributes say, a service that is read is within bounds, and asking for its
// credentials names it.
TEST(ExternalServicesProperty, WhatIsReadCanBeAskedForAgain) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(seed);
  test::Dice dice(seed);
  const std::vector<std::string> values{"",
                                        "turn",
                                        "stun",
                                        "t.example",
                                        "::1",
                                        "a b",
                                        "&lt;&quot;&apos;",
                                        "0",
                                        "3478",
                                        "65536",
                                        "1",
                                        "false",
                                        "udp",
                                        "TCP",
                                        "add",
                                        "delete",
                                        "2030-01-01T00:00:00Z",
                                        "\xc3\xa9"};
  int kept = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = "<service";
    for (const char* name : {"type", "host", "port", "transport", "username", "password",
                             "restricted", "expires", "action"}) {
      if (dice.chance(0.6)) text += std::string(" ") + name + "='" + dice.one_of(values) + "'";
    }
    const auto list = read(text + "/>");
    ASSERT_EQ(list.services.size() + list.faults.size(), 1u) << text;
    for (const auto& service : list.services) {
      kept++;
      EXPECT_FALSE(service.type.empty() || service.host.empty() || service.port == 0) << text;
      const auto asked = parse(credentials_query(service));
      ASSERT_TRUE(asked) << text;
      ASSERT_THAT(asked->services, SizeIs(1)) << text;
      EXPECT_EQ(asked->services[0].host, service.host);
      EXPECT_EQ(asked->services[0].type, service.type);
      EXPECT_EQ(asked->services[0].port, service.port);
    }
  }
  EXPECT_GT(kept, 0);
}

}  // namespace
}  // namespace jingle
