// A leg behind a TURN server (RFC 8656) that is made by hand, and peers beyond it that know the
// leg's ICE password and say what no agent would.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/media_gst/transport_peer.h"
#include "tests/support/stun.h"

namespace media::gst {
namespace {

using namespace std::chrono_literals;
using support::Bytes;
using support::IceEnd;
using support::Stun;

constexpr std::uint16_t kAllocate = 0x0003, kRefresh = 0x0004, kSend = 0x0016, kData = 0x0017,
                        kSuccessOf = 0x0100, kErrorOf = 0x0110;
constexpr std::uint16_t kLifetime = 0x000D, kXorPeer = 0x0012, kDataAttribute = 0x0013,
                        kXorRelayed = 0x0016;

// One beyond the server.
struct Beyond : IceEnd {
  std::vector<Bytes> checks{};  // of the leg's, as they came
};

class Relayed {
 public:
  Relayed() : leg(options()) {
    leg.open();
    const auto opened = leg.opened();
    for (IceEnd* each : {&turn, static_cast<IceEnd*>(&one), static_cast<IceEnd*>(&two)}) {
      each->other = {opened.ice.ufrag, opened.ice.pwd, "127.0.0.1", opened.candidates.at(0).port};
    }
    EXPECT_TRUE(serve_until([&] { return leg.log_.count<CandidatesGathered>(leg.leg()) > 0; }));
    LegRemote half;
    half.ice = {one.ufrag, one.pwd};
    half.fingerprint = leg.identity_.fingerprint();
    leg.io_.connect(leg.leg(), half);
  }

  // What `from` says to the leg's relayed address.
  void say(const Beyond& from, const Bytes& message) {
    turn.send(Stun(kData)
                  .xor_address(kXorPeer, "127.0.0.1", from.port())
                  .attribute(kDataAttribute, message)
                  .bytes());
  }
  // False: the condition was not met in time.
  bool serve_until(const std::function<bool()>& condition) {
    return eventually([&] {
      while (const auto datagram = turn.receive(10ms)) serve(*datagram);
      return condition();
    });
  }
  // The leg checks `from`, because of its check.
  bool checked(const Beyond& from, const Bytes& check) {
    return serve_until([&] {
      if (from.checks.empty()) say(from, check);
      return !from.checks.empty();
    });
  }
  // The leg uses a pair with `one`.
  bool connect() {
    std::size_t answered = 0;
    return checked(one, one.check()) && serve_until([&] {
             for (; answered < one.checks.size(); ++answered) {
               say(one, one.success(one.checks[answered], "10.0.0.1", 9));
             }
             return dtls > 0;
           });
  }

  IceEnd turn;
  Beyond one, two;
  std::size_t dtls = 0;     // datagrams of it that came through the relay
  std::size_t replies = 0;  // to checks through the relay
  Peer leg;

 private:
  PeerOptions options() const {
    PeerOptions options;
    options.ice.servers = {{IceServer::Kind::turn, "127.0.0.1", turn.port(), "", ""}};
    return options;
  }

  void serve(const Bytes& datagram) {
    const auto type = support::stun_type(datagram);
    const auto id = support::stun_transaction(datagram);
    if (type == kAllocate) {
      turn.send(Stun(kAllocate | kSuccessOf, id)
                    .xor_address(kXorRelayed, "198.51.100.1", 5000)
                    .number(kLifetime, 600, 4)
                    .bytes());
    } else if (type == kSend) {
      const auto peer = support::stun_attribute(datagram, kXorPeer);
      const auto data = support::stun_attribute(datagram, kDataAttribute);
      ASSERT_TRUE(peer && data && !data->empty());
      relay((*peer)[2] << 8 | (*peer)[3], *data);
    } else if (type != kRefresh) {  // permissions, channels: libnice goes without
      turn.send(Stun(type | kErrorOf, id).error(400).bytes());
    }
  }
  void relay(int masked_port, const Bytes& data) {
    Beyond& to = (masked_port ^ 0x2112) == one.port() ? one : two;
    dtls += data[0] == 22;
    replies += support::stun_type(data) == Stun::kSuccess;
    if (support::stun_type(data) == Stun::kRequest) to.checks.push_back(data);
  }
};

TEST(HostileRelay, APairThroughTheRelayIsValidWhateverTheAnswerMaps) {
  Relayed called;
  ASSERT_TRUE(called.connect());
  EXPECT_EQ(called.leg.log_.count<LegFailed>(called.leg.leg()), 0U);
}

// RFC 8445 §7.2.5.2.1, as HostileStun.AnAnswerToAnotherSocketOfTheLegIsNone.
TEST(HostileRelay, AnAnswerPastTheRelayIsNone) {
  Relayed called;
  ASSERT_TRUE(called.connect());
  Beyond silent;
  silent.other = called.one.other;
  auto& two = called.two;
  const Bytes check = two.check(false, 0xFFFFFFFF);
  ASSERT_TRUE(called.checked(two, check));
  const auto answered = two.checks.front();
  two.checks.clear();
  called.say(silent, silent.check(false, 0xFFFFFFFE));
  Bytes unanswered;
  ASSERT_TRUE(called.serve_until([&] {  // of all but `one` the checks are in `two`
    for (const auto& each : two.checks) {
      if (support::stun_transaction(each) != support::stun_transaction(answered)) unanswered = each;
    }
    return !unanswered.empty();
  }));
  two.send(two.success(answered));
  called.say(two, two.refusal(unanswered, 403));
  two.send(check);
  const auto before = called.replies;
  EXPECT_TRUE(called.serve_until([&] {
    called.say(called.one, called.one.check());
    return called.replies > before;
  }));
}

}  // namespace
}  // namespace media::gst
