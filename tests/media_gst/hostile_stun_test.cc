// A peer that knows the leg's ICE password and says what no agent would (RFC 8445, RFC 8489): the
// process lives, and so does the leg.
#include <gtest/gtest.h>
#include <malloc.h>

#include "media/gst/transport_limits.h"
#include "media/limits.h"
#include "tests/media_gst/transport_peer.h"
#include "tests/support/generators.h"
#include "tests/support/resident.h"
#include "tests/support/sanitized.h"
#include "tests/support/seed.h"
#include "tests/support/stun.h"

namespace media::gst {
namespace {

using namespace std::chrono_literals;
using support::Bytes;
using support::IceEnd;
using support::Stun;

// A leg of ours whose peer is made by hand.
class Called {
 public:
  explicit Called(PeerOptions options = {}) : leg(std::move(options)) {
    leg.open();
    const auto opened = leg.opened();
    for (std::size_t i = 0; i < opened.candidates.size(); ++i) {
      const auto& at = opened.candidates[i];
      addresses.push_back({opened.ice.ufrag, opened.ice.pwd, at.ip, at.port});
    }
    for (auto* end : {&one, &two}) end->other = addresses.at(0);
    LegRemote half;
    half.ice = {one.ufrag, one.pwd};
    for (const auto* end : {&one, &two}) {
      auto& candidate = half.candidates.emplace_back();
      candidate.foundation = "f";
      candidate.ip = "127.0.0.1";
      candidate.port = end->port();
      candidate.priority = 2130706431;
    }
    half.fingerprint = leg.identity_.fingerprint();
    leg.io_.connect(leg.leg(), half);
  }

  // The leg's next check of `one`.
  Bytes check() {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < deadline) {
      const auto datagram = one.receive(1000ms);
      if (datagram && support::stun_type(*datagram) == Stun::kRequest) return *datagram;
    }
    ADD_FAILURE() << "no check came";
    return Bytes(20);
  }
  // The answer to what `one` asks; whatever else comes is passed over.
  std::optional<Bytes> answer_to(const Bytes& request) {
    for (int tries = 0; tries < 100; ++tries) {
      one.send(request);
      while (const auto datagram = one.receive(100ms)) {
        const bool answer = support::stun_type(*datagram) == Stun::kSuccess ||
                            support::stun_type(*datagram) == Stun::kError;
        if (answer && support::stun_transaction(*datagram) == support::stun_transaction(request)) {
          return datagram;
        }
      }
    }
    return std::nullopt;
  }
  void expect_alive() {
    const auto answer = answer_to(one.check());
    ASSERT_TRUE(answer) << "an honest check is not answered";
    EXPECT_EQ(support::stun_type(*answer), Stun::kSuccess);
    EXPECT_EQ(leg.log_.count<LegFailed>(leg.leg()), 0U);
  }
  // Both sides' checks are answered: a pair is selected.
  void connect() {
    one.send(one.check());
    one.send(one.success(check()));
    expect_alive();
  }

  Peer leg;
  IceEnd one, two;
  std::vector<IceEnd::Other> addresses;  // the leg's
};

TEST(HostileStun, AnAnswerThatHasNoRoomForALongUsernameEndsNoProcess) {
  Called called;
  for (std::size_t length = 480; length < 1400; length += 4) {
    std::string username = called.one.other.ufrag + ":";
    username.resize(length, 'x');
    called.one.send(Stun(Stun::kRequest)
                        .text(Stun::kUsername, username)
                        .number(Stun::kPriority, 1, 4)
                        .number(Stun::kControlling, 1, 8)
                        .integrity(called.one.other.pwd)
                        .fingerprint()
                        .bytes());
  }
  called.expect_alive();
}

TEST(HostileStun, ConsentWithdrawnBeforeThereIsAPairIsNotFollowed) {
  Called called;
  for (int i = 0; i < 3; ++i) called.one.send(called.one.refusal(called.check(), 403));
  called.expect_alive();
}

TEST(HostileStun, ConsentWithdrawnEndsTheLeg) {  // RFC 7675 §5.2
  Called called;
  called.connect();
  ASSERT_TRUE(eventually([&] {
    while (const auto datagram = called.one.receive(0ms)) {
      if (support::stun_type(*datagram) != Stun::kRequest) continue;
      called.one.send(called.one.refusal(*datagram, 403));
    }
    return called.leg.log_.count<LegFailed>(called.leg.leg()) > 0;
  }));
}

TEST(HostileStun, AnIntegrityThatIsTooShortIsNotReadBeyondItsEnd) {
  Called called;
  for (std::size_t length = 0; length < 60; ++length) {
    if (length == 20) continue;
    Stun message(Stun::kRequest);
    message.text(Stun::kUsername, called.one.other.ufrag + ":" + called.one.ufrag)
        .attribute(Stun::kMessageIntegrity, Bytes(length, 7));
    called.one.send(message.fingerprint().bytes());
    called.one.send(message.bytes());
  }
  called.expect_alive();
}

TEST(HostileStun, LengthsThatOverflowAreRefused) {
  Called called;
  for (const std::uint16_t lie : {0x0001, 0x7FFC, 0x8000, 0xFFF0, 0xFFFC, 0xFFFF}) {
    for (const auto type : {Stun::kUsername, Stun::kMessageIntegrity, Stun::kFingerprint}) {
      auto message = Stun(Stun::kRequest).number(type, 0, 4).fingerprint().bytes();
      message[22] = static_cast<std::uint8_t>(lie >> 8);
      message[23] = static_cast<std::uint8_t>(lie);
      called.one.send(message);
      message[2] = message[22];
      message[3] = message[23];
      called.one.send(message);
    }
  }
  called.expect_alive();
}

// As many as a datagram can hold.
TEST(HostileStun, SixteenThousandAttributesAreRefused) {
  Called called;
  Stun empty(Stun::kRequest), unknown(Stun::kRequest);
  unknown.text(Stun::kUsername, called.one.other.ufrag + ":" + called.one.ufrag);
  while (empty.bytes().size() < 65000) empty.attribute(Stun::kPriority, {});
  while (unknown.bytes().size() < 65000) unknown.attribute(0x7000, {});
  unknown.integrity(called.one.other.pwd);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(called.one.send(empty.bytes()));
    ASSERT_TRUE(called.one.send(unknown.bytes()));
  }
  called.expect_alive();
}

TEST(HostileStun, AWrongUsernameOrPasswordIsUnauthorized) {  // RFC 8489 §9.1.3
  Called called;
  const auto ask = [&](const std::string& username, const std::string& password) {
    const auto answer = called.answer_to(Stun(Stun::kRequest)
                                             .text(Stun::kUsername, username)
                                             .number(Stun::kPriority, 1, 4)
                                             .integrity(password)
                                             .fingerprint()
                                             .bytes());
    return answer ? support::stun_error_code(*answer) : -1;
  };
  EXPECT_EQ(ask("nobody:" + called.one.ufrag, called.one.other.pwd), 401);
  EXPECT_EQ(ask("", called.one.other.pwd), 401);
  EXPECT_EQ(ask(called.one.other.ufrag + ":" + called.one.ufrag, "guessed"), 401);
  const auto unsigned_check = called.answer_to(
      Stun(Stun::kRequest).text(Stun::kUsername, called.one.other.ufrag).fingerprint().bytes());
  ASSERT_TRUE(unsigned_check);
  EXPECT_EQ(support::stun_error_code(*unsigned_check), 400);
  called.expect_alive();
}

// RFC 8445 §7.3: nor while the leg waits for a STUN server, to which it speaks without.
TEST(HostileStun, ACheckWithoutAPasswordIsNoneWhileAServerIsAsked) {
  IceEnd server, nobody;
  PeerOptions options;
  options.ice.servers = {{IceServer::Kind::stun, "127.0.0.1", server.port(), "", ""}};
  Called called(options);
  ASSERT_TRUE(server.receive(1000ms)) << "the server is not asked";
  nobody.other = called.addresses.at(0);
  for (int i = 0; i < 5; ++i) {
    nobody.send(Stun(Stun::kRequest).number(Stun::kPriority, 0x7FFFFFFF, 4).bytes());
    ASSERT_TRUE(called.answer_to(called.one.check()));  // what came before has been read
    while (const auto datagram = nobody.receive(10ms)) {
      EXPECT_NE(support::stun_type(*datagram), Stun::kSuccess);
      EXPECT_NE(support::stun_type(*datagram), Stun::kRequest);
    }
  }
}

// RFC 8445 §7.3.1.1: each of them makes an agent change its role, or refuse to.
TEST(HostileStun, ARoleConflictWithoutEndIsAnsweredAndLeavesThePair) {
  Called called;
  called.connect();
  for (int i = 0; i < 500; ++i) {
    const auto role = i % 2 == 0 ? Stun::kControlling : Stun::kControlled;
    const std::uint64_t tie = i % 4 < 2 ? 0 : ~std::uint64_t{0};
    called.one.send(Stun(Stun::kRequest)
                        .text(Stun::kUsername, called.one.other.ufrag + ":" + called.one.ufrag)
                        .number(Stun::kPriority, 1845501695, 4)
                        .number(role, tie, 8)
                        .attribute(Stun::kUseCandidate, {})
                        .integrity(called.one.other.pwd)
                        .fingerprint()
                        .bytes());
    while (const auto datagram = called.one.receive(i % 20 == 0 ? 20ms : 0ms)) {
      if (support::stun_type(*datagram) == Stun::kRequest) {
        called.one.send(called.one.refusal(*datagram, 487));
      }
    }
  }
  called.expect_alive();
}

// RFC 8445 §7.2.5.2.1: it must come back the way that the check went. Else libnice has a pair that
// hangs on another's, and aborts when that one fails and the peer asks for the former.
TEST(HostileStun, AnAnswerToAnotherSocketOfTheLegIsNone) {
  PeerOptions options;
  options.ice.addresses = {"127.0.0.1", "127.0.0.2"};
  Called called(options);
  called.one.send(called.one.check());
  ASSERT_TRUE(eventually([&] {  // a pair is selected: DTLS comes
    while (const auto datagram = called.one.receive(10ms)) {
      if (datagram->at(0) == 22) return true;
      if (support::stun_type(*datagram) != Stun::kRequest) continue;
      for (const auto& address : called.addresses) {
        called.one.other = address;
        called.one.send(called.one.success(*datagram));
      }
    }
    return false;
  }));

  IceEnd stranger, silent;
  const auto checked = [&](IceEnd& end) {
    std::optional<Bytes> check;
    EXPECT_TRUE(eventually([&] {
      end.other = called.addresses.at(0);
      end.send(end.check(false, 0xFFFFFFFF));  // worth more than the pair that is selected
      while ((check = end.receive(100ms))) {
        if (support::stun_type(*check) == Stun::kRequest) return true;
      }
      return false;
    }));
    return check.value_or(Bytes(20));
  };
  const auto unanswered = checked(silent);
  const auto answered = checked(stranger);
  const auto say = [&](std::size_t to, const Bytes& message) {
    stranger.other = called.addresses.at(to);
    stranger.send(message);
  };
  const auto heard = [&](std::size_t at) {  // one socket after the other
    called.one.other = called.addresses.at(at);
    const auto answer = called.answer_to(called.one.check());
    return answer && support::stun_type(*answer) == Stun::kSuccess;
  };
  say(1, stranger.success(answered));
  ASSERT_TRUE(heard(1));
  say(0, stranger.refusal(unanswered, 403));
  ASSERT_TRUE(heard(0));
  say(1, stranger.check(false));
  EXPECT_TRUE(heard(1));
}

// What one may hear from whom in one breath; the choices are the seed's.
class Liar {
 public:
  Liar(Called& called, test::Dice& dice) : called_(called), dice_(dice) {}

  void say_something() {
    for (auto* end : {&called_.one, &called_.two}) {
      end->other = dice_.one_of(called_.addresses);
      while (auto datagram = end->receive(dice_.chance(0.05) ? 20ms : 0ms)) {
        if (support::stun_type(*datagram) != Stun::kRequest) continue;
        asked_.push_back(std::move(*datagram));
        if (asked_.size() > 8) asked_.erase(asked_.begin());
      }
    }
    IceEnd& end = dice_.chance(0.7) ? called_.one : called_.two;
    Bytes message = dice_.chance(0.5) || asked_.empty() ? check(end) : answer(end);
    if (dice_.chance(0.1)) message[dice_.below(message.size())] ^= 1U << dice_.below(8);
    if (dice_.chance(0.1)) message = wrapped(message);
    end.send(message);
  }

 private:
  Bytes check(const IceEnd& end) {
    std::string username = end.other.ufrag + ":" + end.ufrag;
    if (dice_.chance(0.1)) username.resize(dice_.below(1300), 'x');
    Stun message(dice_.chance(0.95) ? Stun::kRequest : Stun::kIndication);
    if (dice_.chance(0.95)) message.text(Stun::kUsername, username);
    if (dice_.chance(0.9)) message.number(Stun::kPriority, dice_.chance(0.9) ? dice_.bits() : 0, 4);
    for (const auto role : {Stun::kControlling, Stun::kControlled}) {
      if (dice_.chance(0.5)) message.number(role, dice_.bits(), dice_.chance(0.95) ? 8 : 4);
    }
    if (dice_.chance(0.5)) message.attribute(Stun::kUseCandidate, {});
    if (dice_.chance(0.05)) message.attribute(static_cast<std::uint16_t>(dice_.bits()), {});
    return sealed(message, end.other.pwd);
  }
  Bytes answer(const IceEnd& end) {
    const auto transaction = support::stun_transaction(dice_.one_of(asked_));
    if (dice_.chance(0.4)) {
      const std::vector<int> codes{300, 400, 401, 403, 403, 420, 438, 487, 487, 500, 699};
      Stun message(Stun::kError, transaction);
      if (dice_.chance(0.95)) message.error(dice_.one_of(codes));
      return sealed(message, end.pwd);
    }
    Stun message(Stun::kSuccess, transaction);
    const auto& address = dice_.one_of(called_.addresses);
    const std::string elsewhere = "10.0.0." + std::to_string(dice_.below(4));
    if (dice_.chance(0.9)) {
      message.mapped(dice_.chance(0.5) ? address.ip : elsewhere,
                     dice_.chance(0.5) ? address.port : static_cast<std::uint16_t>(dice_.below(9)));
    } else {
      message.attribute(Stun::kXorMappedAddress, Bytes(dice_.below(24), 2));
    }
    return sealed(message, end.pwd);
  }
  Bytes sealed(Stun& message, const std::string& password) {
    if (dice_.chance(0.97)) message.integrity(dice_.chance(0.97) ? password : "x");
    if (dice_.chance(0.03)) message.attribute(Stun::kMessageIntegrity, Bytes(dice_.below(24), 1));
    if (dice_.chance(0.97)) message.fingerprint();
    return message.bytes();
  }
  // As a TURN server passes it on (RFC 8656 §11.4, §12.4).
  Bytes wrapped(const Bytes& message) {
    if (dice_.chance(0.5)) return Stun(0x0017).attribute(0x0013, message).bytes();
    Bytes channel{0x40, 0, static_cast<std::uint8_t>(message.size() >> 8),
                  static_cast<std::uint8_t>(message.size())};
    channel.insert(channel.end(), message.begin(), message.end());
    return channel;
  }

  Called& called_;
  test::Dice& dice_;
  std::vector<Bytes> asked_;
};

void lie_for_a_while(test::Dice& dice, int legs) {
  for (int i = 0; i < legs; ++i) {
    PeerOptions options{.controlling = i % 3 == 0, .rtcp_mux = i % 5 != 0};
    options.ice.addresses = {"127.0.0.1", "127.0.0.2"};
    Called called(options);
    Liar liar(called, dice);
    for (int step = 0; step < 300; ++step) {
      liar.say_something();
      if (step % 100 == 99) {
        called.leg.io_.restart_ice(called.leg.leg(),
                                   {.remote = IceCredentials{called.one.ufrag, called.one.pwd}});
      }
    }
    called.leg.io_.close(called.leg.leg());
    EXPECT_TRUE(called.leg.log_.wait_for<LegClosed>(called.leg.leg()));
  }
}

TEST(HostileStun, WhoKnowsThePasswordMaySayAnythingAndLeavesNothing) {
  const auto seed = test_support::test_seed();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  test::Dice dice(seed);
  lie_for_a_while(dice, 6);  // and what is allocated once and for all
  malloc_trim(0);
  const int fds = open_fds();
  const auto memory = test_support::resident_kib();
  lie_for_a_while(dice, 12);
  malloc_trim(0);
  EXPECT_EQ(open_fds(), fds);
  Called honest;
  honest.connect();
  if (test_support::kSanitized) GTEST_SKIP() << "a sanitizer keeps freed memory";
  EXPECT_LT(test_support::resident_kib(), memory + 2048) << "12 legs left more than 2 MiB";
}

}  // namespace
}  // namespace media::gst
