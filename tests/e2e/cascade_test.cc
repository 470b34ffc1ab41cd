// Mixers that dial each other (RFC 4575 §5.6.5): each caller hears every other exactly once and
// never himself, and every roster shows all of them.
#include <gtest/gtest.h>

#include <memory>

#include "tests/e2e/world.h"

namespace e2e {
namespace {

using Names = std::vector<std::string>;

constexpr double kAnn_hz = 440;
constexpr double kBob_hz = 610;
constexpr double kCyd_hz = 970;

class CascadeOfMixers : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_PROSODY(); }

  std::unique_ptr<Mixer> mixer(const std::string& component, const std::string& invited) {
    return std::make_unique<Mixer>(
        prosody_, Mixer::Spec{.more = "[room.room]\ndeparted-seconds = 0\ninvite = [\"room@" +
                                      invited + "\"]",
                              .component = component});
  }
  CallSpec caller(const std::string& user, double hz, const Mixer& mixer) {
    return {.user = user, .to = mixer.jid(), .play = tone_file(folder_, hz), .record = true};
  }
  // Whoever is no mixer.
  static Names people(const Call& call) {
    Names names = call.roster();
    std::erase_if(names, [](const std::string& name) { return name.starts_with("room"); });
    return names;
  }
  static bool sees(Call& call, const Names& names) {
    return call.wait_until([&](const Call& each) { return people(each) == names; });
  }

  support::TempDir folder_;
  support::Prosody prosody_{prosody_spec()};
};

TEST_F(CascadeOfMixers, TwoThatDialEachOtherAtOnceShareOneCall) {
  const auto a = mixer("mixer.localhost", "mixer-b.localhost");
  const auto b = mixer("mixer-b.localhost", "mixer.localhost");
  Call ann(prosody_, caller("ann", kAnn_hz, *a));
  Call bob(prosody_, caller("bob", kBob_hz, *b));
  for (Call* each : {&ann, &bob}) EXPECT_TRUE(sees(*each, {"ann", "bob"})) << each->output();
  const std::vector<Heard> recordings{{ann.recording(), kAnn_hz, {kBob_hz}},
                                      {bob.recording(), kBob_hz, {kAnn_hz}}};
  for (const auto& [recording, own_hz, others_hz] : recordings) {
    EXPECT_TRUE(wait_until_heard(recording, others_hz, 6)) << recording;
  }
  for (Call* each : {&ann, &bob}) EXPECT_EQ(each->finish(), 0) << each->output();
  expect_all_but_own_heard(recordings);
  if (HasFailure()) ADD_FAILURE() << a->log() << b->log();
}

TEST_F(CascadeOfMixers, ThreeInARingDoNotLoop) {
  const auto a = mixer("mixer.localhost", "mixer-b.localhost");
  const auto b = mixer("mixer-b.localhost", "mixer-c.localhost");
  const auto c = mixer("mixer-c.localhost", "mixer.localhost");
  Call ann(prosody_, caller("ann", kAnn_hz, *a));
  Call bob(prosody_, caller("bob", kBob_hz, *b));
  Call cyd(prosody_, caller("cyd", kCyd_hz, *c));
  const Names all{"ann", "bob", "cyd"};
  for (Call* each : {&ann, &bob, &cyd}) EXPECT_TRUE(sees(*each, all)) << each->output();
  const std::vector<Heard> recordings{{ann.recording(), kAnn_hz, {kBob_hz, kCyd_hz}},
                                      {bob.recording(), kBob_hz, {kAnn_hz, kCyd_hz}},
                                      {cyd.recording(), kCyd_hz, {kAnn_hz, kBob_hz}}};
  for (const auto& [recording, own_hz, others_hz] : recordings) {
    EXPECT_TRUE(wait_until_heard(recording, others_hz, 6)) << recording;
  }
  // A caller who leaves is gone from everybody's roster, whatever lies between.
  cyd.say("hangup");
  EXPECT_EQ(cyd.finish(), 0) << cyd.output();
  for (Call* each : {&ann, &bob}) EXPECT_TRUE(sees(*each, {"ann", "bob"})) << each->output();
  for (Call* each : {&ann, &bob}) EXPECT_EQ(each->finish(), 0) << each->output();
  expect_all_but_own_heard(recordings);
  if (HasFailure()) ADD_FAILURE() << a->log() << b->log() << c->log();
}

}  // namespace
}  // namespace e2e
