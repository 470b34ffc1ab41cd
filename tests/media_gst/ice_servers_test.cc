#include "media/gst/ice_servers.h"

#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>

#include "media/gst/candidate_filter.h"
#include "media/gst/transport_limits.h"
#include "tests/media_gst/engine_fixture.h"

namespace media::gst {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = IceServer::Kind;

// RFC 6761 §6.4: this never resolves.
constexpr char kNobody[] = "no-such-host.invalid";

IceServer stun(std::string host, std::uint16_t port = 3478) {
  return {Kind::stun, std::move(host), port, {}, {}};
}
IceServer turn(std::string host, std::string password = "p") {
  return {Kind::turn, std::move(host), 3478, "u", std::move(password)};
}

// A resolver and what it said.
class Resolver {
 public:
  Resolver()
      : resolver_([this] { note("changed"); },
                  [this](std::string_view line) { note(std::string(line)); }) {}
  IceServerResolver* operator->() { return &resolver_; }
  bool wait_for(const std::string& text, int count = 1) {
    std::unique_lock lock(mutex_);
    return said_something_.wait_for(lock, kPatience, [&] {
      return std::count_if(said_.begin(), said_.end(),
                           [&](const auto& line) { return line.find(text) != line.npos; }) >= count;
    });
  }
  std::vector<std::string> said() {
    const std::lock_guard lock(mutex_);
    return said_;
  }

 private:
  void note(std::string line) {
    const std::lock_guard lock(mutex_);
    said_.push_back(std::move(line));
    said_something_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable said_something_;
  std::vector<std::string> said_;
  IceServerResolver resolver_;  // last: ends first
};

TEST(IceServers, AddressesNeedNoLookingUp) {
  Resolver resolver;
  const int before = threads();
  const std::vector<IceServer> servers{turn("192.0.2.1"), stun("2001:db8::1", 5)};
  resolver->set(servers);
  EXPECT_EQ(resolver->servers(), servers);
  EXPECT_EQ(threads(), before);
}

TEST(IceServers, NamesFollowWhenTheyAreFound) {
  Resolver resolver;
  resolver->set({stun("localhost", 3479), turn("192.0.2.1")});
  ASSERT_TRUE(resolver.wait_for("changed"));
  const auto servers = resolver->servers();
  ASSERT_GE(servers.size(), 2U);  // localhost may have two
  for (std::size_t i = 0; i + 1 < servers.size(); ++i) {
    const auto address = IpAddress::parse(servers[i].host);
    ASSERT_TRUE(address) << servers[i].host;
    EXPECT_TRUE(address->is_loopback());
    EXPECT_EQ(servers[i].port, 3479);
  }
  EXPECT_EQ(servers.back(), turn("192.0.2.1"));
}

TEST(IceServers, WhatIsNotFoundIsLeftOutWithOneLineInTheLog) {
  Resolver resolver;
  resolver->set({turn(kNobody), turn("192.0.2.1")});
  EXPECT_THAT(resolver->servers(), ElementsAre(turn("192.0.2.1")));
  ASSERT_TRUE(resolver.wait_for("unresolved host=\"no-such-host.invalid\""));
  // Looked up again for new credentials, but not said again.
  resolver->set({turn(kNobody, "new"), stun("zzz.invalid")});  // in alphabetical order
  ASSERT_TRUE(resolver.wait_for("zzz.invalid"));
  const auto said = resolver.said();
  EXPECT_EQ(std::count_if(said.begin(), said.end(),
                          [](const auto& line) { return line.find(kNobody) != line.npos; }),
            1);
  for (const auto& line : said) EXPECT_THAT(line, testing::Not(HasSubstr("new")));
}

TEST(IceServers, NewCredentialsKeepTheAddressesThatAreKnown) {
  Resolver resolver;
  resolver->set({turn("localhost", "old")});
  ASSERT_TRUE(resolver.wait_for("changed"));
  const auto before = resolver->servers();
  resolver->set({turn("localhost", "new")});
  const auto after = resolver->servers();  // at once
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i].host, before[i].host);
    EXPECT_EQ(after[i].password, "new");
  }
}

TEST(IceServers, AtMostFourOfEachKindAreUsed) {
  Resolver resolver;
  std::vector<IceServer> many;
  for (int i = 1; i <= 20; ++i) {
    many.push_back(turn("192.0.2." + std::to_string(i)));
    many.push_back(stun("192.0.2." + std::to_string(i)));
  }
  resolver->set(many);
  many.resize(2 * limits::kIceServers);
  EXPECT_EQ(resolver->servers(), many);
}

// The end does not wait for a look-up, wherever it is.
TEST(IceServers, EndingAnywhereIsSafe) {
  for (int i = 0; i < 50; ++i) {
    Resolver resolver;
    resolver->set({stun("localhost"), turn(kNobody)});
    if (i % 2 == 0) resolver->set({});
  }
}

TEST(IceServers, ALegOpensThoughAServersNameDoesNotResolve) {
  auto config = loopback();
  std::mutex mutex;
  std::vector<std::string> lines;
  config.log = [&](std::string_view line) {
    const std::lock_guard lock(mutex);
    lines.emplace_back(line);
  };
  Engine mixer(config);
  mixer.engine->set_ice_servers({stun(kNobody), turn(kNobody)});
  mixer.engine->open_leg(dialled_leg(LegId{1}, RoomId{1}));
  const auto opened = mixer.log.wait_for<LegOpened>(LegId{1});
  ASSERT_TRUE(opened);
  EXPECT_FALSE(opened->candidates.empty());
  EXPECT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return lines.size() == 1;  // two servers, one name
  }));
  mixer.engine->close_leg(LegId{1});
}

TEST(IceServers, AreFoundByProgramsThatMayWait) {
  std::vector<std::string> unresolved;
  const auto found = resolve({stun("localhost"), turn(kNobody), turn("192.0.2.1")}, unresolved);
  EXPECT_THAT(unresolved, ElementsAre(kNobody));
  ASSERT_THAT(found, testing::Not(IsEmpty()));
  EXPECT_EQ(found.back(), turn("192.0.2.1"));
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
