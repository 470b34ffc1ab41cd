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
  EXPECT_EQ(screen_stun(check()), Screened::binding);
  EXPECT_EQ(screen_stun(refusal(487)), Screened::binding);
  EXPECT_EQ(
      screen_stun(Stun(Stun::kSuccess).mapped("192.0.2.1", 9).integrity("p").fingerprint().bytes()),
      Screened::binding);
  EXPECT_EQ(screen_stun(Stun(Stun::kIndication).fingerprint().bytes()), Screened::binding);
  EXPECT_EQ(screen_stun(Stun(Stun::kRequest)
                            .text(Stun::kUsername, std::string(513, 'u'))
                            .integrity("p")
                            .fingerprint()
                            .bytes()),
            Screened::binding)
      << "the longest that RFC 8489 §14.3 allows";
}

TEST(StunScreen, WithdrawnConsentIsToldApart) {
  EXPECT_EQ(screen_stun(refusal(403)), Screened::forbidden);
  EXPECT_EQ(screen_stun(indication(refusal(403))), Screened::forbidden);
  EXPECT_EQ(screen_stun(channel_data(refusal(403))), Screened::forbidden);
}

TEST(StunScreen, WhatHarmsAnAgentIsRefusedInAnyWrapping) {
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
    EXPECT_EQ(screen_stun(indication(each)), Screened::refused);
    EXPECT_EQ(screen_stun(channel_data(each)), Screened::refused);
  }
}

TEST(StunScreen, AttributesAreCountedAndTheirLengthsChecked) {
  Stun many(Stun::kRequest);
  for (std::size_t i = 0; i < limits::kMaxStunAttributes; ++i) many.attribute(0x8000, {});
  EXPECT_EQ(screen_stun(many.bytes()), Screened::binding);
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
  auto no_cookie = check();
  no_cookie[4] = 0;
  const Bytes others[] = {{},
                          {0},
                          Bytes(19),
                          no_cookie,
                          Bytes(1472, 0x80),                // RTP
                          Bytes(1200, 22),                  // DTLS
                          Stun(0x0113).error(401).bytes(),  // Allocate: the TURN server's
                          indication(Bytes(160, 0x80)),
                          channel_data(Bytes(160, 0x80)),
                          {0x40, 0x01, 0xFF, 0xFF, 0},
                          Stun(0x0017).bytes()};
  for (const Bytes& each : others) {
    EXPECT_EQ(screen_stun(each), Screened::other) << testing::PrintToString(each);
  }
}

}  // namespace
}  // namespace media
