#include "media/stun_screen.h"

#include <gtest/gtest.h>

#include "media/limits.h"
#include "tests/support/stun.h"

namespace media {
namespace {

using support::Bytes;
using support::Stun;

Bytes check() {  // as Chromium makes one
  return Stun(Stun::kRequest)
      .text(Stun::kUsername, "ours:theirs")
      .number(0xC057, 1, 4)
      .number(Stun::kControlling, 1, 8)
      .attribute(Stun::kUseCandidate, {})
      .number(Stun::kPriority, 1, 4)
      .integrity("password")
      .fingerprint()
      .bytes();
}
Bytes refusal(int code) {
  return Stun(Stun::kError).error(code).integrity("p").fingerprint().bytes();
}
Bytes indication(const Bytes& inside) {
  return Stun(0x0017).text(0x0012, "address!").attribute(0x0013, inside).bytes();
}
Bytes channel_data(const Bytes& inside) {
  Bytes out{0x40, 0x01, static_cast<std::uint8_t>(inside.size() >> 8),
            static_cast<std::uint8_t>(inside.size())};
  out.insert(out.end(), inside.begin(), inside.end());
  return out;
}

TEST(StunScreen, ChecksAndTheirAnswersPass) {
  EXPECT_EQ(screen_stun(check()), Screened::check);
  EXPECT_EQ(screen_stun(refusal(487)), Screened::answer);
  EXPECT_EQ(
      screen_stun(Stun(Stun::kSuccess).mapped("192.0.2.1", 9).integrity("p").fingerprint().bytes()),
      Screened::answer);
  EXPECT_EQ(screen_stun(refusal(403)), Screened::forbidden);
  EXPECT_EQ(screen_stun(Stun(Stun::kRequest)
                            .text(Stun::kUsername, std::string(513, 'u'))
                            .integrity("p")
                            .fingerprint()
                            .bytes()),
            Screened::check)
      << "the longest that RFC 8489 §14.3 allows";
}

TEST(StunScreen, AServersAnswersAreToldApart) {
  EXPECT_EQ(screen_stun(Stun(0x0113).error(401).bytes()), Screened::server_answer);
  EXPECT_EQ(screen_stun(Stun(0x0103).bytes()), Screened::server_answer);
  auto rfc3489 = Stun(Stun::kSuccess).mapped("192.0.2.1", 9).bytes();
  rfc3489[4] = 0;
  EXPECT_EQ(screen_stun(rfc3489), Screened::answer);
}

// Some agents take them for answers.
TEST(StunScreen, IndicationsAndRequestsThatAreNoChecksAreRefused) {
  auto rfc3489 = check();
  rfc3489[4] = 0;
  for (const auto& each : {Stun(Stun::kIndication).fingerprint().bytes(), Stun(0x0003).bytes(),
                           Stun(0x0016).bytes(), Stun(0x0017).bytes(), rfc3489}) {
    EXPECT_EQ(screen_stun(each), Screened::refused) << testing::PrintToString(each);
  }
}

TEST(StunScreen, WhatATurnServerWrapsComesOut) {
  const Bytes inside = check();
  for (const Bytes& wrapped : {indication(inside), channel_data(inside)}) {
    const auto found = unwrap_turn(wrapped);
    ASSERT_TRUE(found);
    EXPECT_EQ(Bytes(found->begin(), found->end()), inside);
  }
  auto padded = channel_data({1, 2, 3});
  padded.push_back(0);  // RFC 8656 §12.5
  EXPECT_EQ(unwrap_turn(padded)->size(), 3U);
  for (const Bytes& each : {Bytes{}, Bytes{0x40, 1, 0}, Bytes{0x40, 0x01, 0xFF, 0xFF, 0}, inside,
                            Stun(0x0017).bytes(), Bytes(160, 0x80)}) {
    EXPECT_FALSE(unwrap_turn(each)) << testing::PrintToString(each);
  }
}

TEST(StunScreen, ARequestIsKnownByItsTransaction) {
  const Bytes request = check();
  const auto id = stun_request_id(request);
  ASSERT_TRUE(id);
  EXPECT_TRUE(std::equal(id->begin(), id->end(), request.begin() + 4));
  const auto answer = Stun(Stun::kSuccess, support::stun_transaction(request)).bytes();
  EXPECT_EQ(stun_id(answer), *id);
  EXPECT_FALSE(stun_request_id(answer));
  EXPECT_FALSE(stun_request_id(Bytes(19)));
}

TEST(StunScreen, WhatHarmsAnAgentIsRefused) {
  const Bytes harmful[] = {
      Stun(Stun::kRequest).text(Stun::kUsername, std::string(1232, 'u')).bytes(),
      Stun(Stun::kRequest).attribute(Stun::kMessageIntegrity, Bytes(19)).bytes(),
      Stun(Stun::kRequest).attribute(Stun::kMessageIntegrity, {}).fingerprint().bytes(),
      Stun(Stun::kRequest).attribute(Stun::kFingerprint, Bytes(3)).bytes(),
      Stun(Stun::kRequest).fingerprint().number(Stun::kPriority, 1, 4).bytes(),
      Stun(Stun::kError).fingerprint().bytes(),
      Stun(Stun::kError).attribute(Stun::kErrorCode, Bytes(3)).bytes(),
      refusal(200),
      refusal(799),
      Stun(Stun::kError).error(487).error(403).bytes(),
  };
  for (const Bytes& each : harmful) {
    SCOPED_TRACE(testing::PrintToString(each));
    EXPECT_EQ(screen_stun(each), Screened::refused);
  }
}

TEST(StunScreen, AttributesAreCountedAndTheirLengthsChecked) {
  Stun many(Stun::kRequest);
  for (std::size_t i = 0; i < limits::kMaxStunAttributes; ++i) many.attribute(0x8000, {});
  EXPECT_EQ(screen_stun(many.bytes()), Screened::check);
  EXPECT_EQ(screen_stun(many.attribute(0x8000, {}).bytes()), Screened::refused);
  const Bytes good = check();
  for (std::size_t size = 20; size < good.size(); ++size) {
    EXPECT_EQ(screen_stun(std::span(good).first(size)), Screened::refused) << size;
  }
  for (std::size_t length = good.size(); length < 0x10000; ++length) {
    auto lie = good;
    lie[22] = static_cast<std::uint8_t>(length >> 8);
    lie[23] = static_cast<std::uint8_t>(length);
    ASSERT_EQ(screen_stun(lie), Screened::refused) << length;
  }
}

TEST(StunScreen, AllElseIsOthersBusiness) {
  const Bytes others[] = {{},
                          {0},
                          Bytes(19),
                          Bytes(1472, 0x80),  // RTP
                          Bytes(1200, 22),    // DTLS
                          channel_data(check())};
  for (const Bytes& each : others) {
    EXPECT_EQ(screen_stun(each), Screened::other) << testing::PrintToString(each);
  }
}

}  // namespace
}  // namespace media
