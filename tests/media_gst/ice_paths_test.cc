#include "media/gst/ice_paths.h"

#include "media/gst/transport_limits.h"
#include "tests/media_gst/ice_side.h"
#include "tests/media_gst/transport_peer.h"

namespace media::gst {
namespace {

using namespace std::chrono_literals;

class Watch : public IcePaths::Observer {
 public:
  void ice_candidates(News news, std::vector<IceCandidate> found) override {
    if (news != News::more) candidates.clear();
    candidates.insert(candidates.end(), found.begin(), found.end());
  }
  void ice_connected(int) override {}
  void ice_restart_done() override { done++; }
  void ice_lost() override { lost++; }
  void ice_heard() override {}
  void ice_flooded() override { flooded++; }
  void ice_received(int, std::span<std::uint8_t>) override { received++; }
  void ice_schedule() override {}
  std::vector<IceCandidate> candidates;  // of the newest session
  int done = 0, lost = 0, flooded = 0, received = 0;
};

// A leg's paths and their observer.
struct End {
  End(GMainContext* context, const IceConfig& config, bool controlling)
      : paths(context, config, controlling, watch) {}
  // Answers what `other` has, in its newest session, and lets it begin too.
  void answer(End& other, IcePaths::TimePoint now) {
    ASSERT_TRUE(paths.restart(1, {.remote = other.paths.credentials(), .moved_to = {}}, now));
    introduce(other);
  }
  void introduce(End& other) {
    EXPECT_EQ(paths.add_remote_candidates(other.watch.candidates), 0U);
    ASSERT_TRUE(other.paths.begin_checks(paths.credentials()));
    EXPECT_EQ(other.paths.add_remote_candidates(watch.candidates), 0U);
  }
  Watch watch;
  IcePaths paths;
};

class IcePathsTest : public TurnedByHand {
 protected:
  // The peer's checks come from that many addresses nobody named; all are answered.
  void check_from(IcePaths& paths, const Watch& watch, int addresses) {
    std::vector<std::unique_ptr<Side>> sources;
    for (int i = 0; i < addresses; ++i) {
      auto& source = sources.emplace_back(std::make_unique<Side>(context_.get(), true, loopback_));
      ASSERT_TRUE(source->agent.gather());
      ASSERT_TRUE(source->agent.set_remote_credentials(paths.credentials()));
      source->agent.add_remote_candidates(watch.candidates);
    }
    EXPECT_TRUE(turn_until([&] {
      return watch.flooded > 0 || std::all_of(sources.begin(), sources.end(),
                                              [](const auto& each) { return each->connected > 0; });
    }));
  }
  const IceCredentials peer_{"peer", std::string(22, 'p')};
  const IceRestart by_peer_{.remote = peer_, .moved_to = {}};
  const IcePaths::TimePoint start_ = std::chrono::steady_clock::now();
};

// RFC 8445 §19.5.1
TEST_F(IcePathsTest, RestartsMakeRoomForOneLearnedAddressASecondAndNoMore) {
  Watch watch;
  IcePaths paths(context_.get(), loopback_, false, watch);
  ASSERT_TRUE(paths.open(1));
  ASSERT_TRUE(paths.begin_checks(peer_));
  const int each = static_cast<int>(limits::kCandidatePairs) / 3;
  auto now = start_;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(paths.restart(1, by_peer_, now += each * 1s));
    check_from(paths, watch, each);
  }
  EXPECT_EQ(watch.flooded, 0) << "as many as seconds passed";
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(paths.restart(1, by_peer_, now += 1s));
    check_from(paths, watch, each);
  }
  EXPECT_EQ(watch.flooded, 1);
}

TEST_F(IcePathsTest, LearnTooManyAddressesWithoutAnyRestart) {
  Watch watch;
  IcePaths paths(context_.get(), loopback_, false, watch);
  ASSERT_TRUE(paths.open(1));
  ASSERT_TRUE(paths.begin_checks(peer_));
  check_from(paths, watch, static_cast<int>(limits::kCandidatePairs) + 1);
  EXPECT_EQ(watch.flooded, 1);
  EXPECT_EQ(watch.lost, 0) << "it is no loss that another restart could mend";
}

TEST_F(IcePathsTest, TheLastOfManyRestartsHasItsChanceButNotForEver) {
  Watch watch;
  IcePaths paths(context_.get(), loopback_, false, watch);
  ASSERT_TRUE(paths.open(1));
  ASSERT_TRUE(paths.begin_checks(peer_));
  const auto end = start_ + limits::kConnectTime;
  struct Row {
    IcePaths::TimePoint at, until;
  };
  for (const auto& [at, until] :
       {Row{start_, end}, Row{start_ + 10s, end}, Row{end - 1s, end - 1s + limits::kRestartChance},
        Row{end + 3s, end + 3s + limits::kRestartChance},
        Row{end + limits::kConnectTime - 1s, end + limits::kConnectTime}}) {
    ASSERT_TRUE(paths.restart(1, by_peer_, at));
    EXPECT_EQ(paths.next_deadline(), until) << (at - start_) / 1s;
  }
}

TEST_F(IcePathsTest, AnOfferThatNobodyAnsweredIsNoReasonToWaitLess) {
  Watch watch;
  IcePaths paths(context_.get(), loopback_, false, watch);
  ASSERT_TRUE(paths.open(1));
  ASSERT_TRUE(paths.begin_checks(peer_));
  ASSERT_TRUE(paths.restart(1, {}, start_));
  EXPECT_TRUE(paths.awaits_answer());
  ASSERT_TRUE(paths.restart(1, by_peer_, start_ + 20s));
  EXPECT_EQ(paths.next_deadline(), start_ + 20s + limits::kConnectTime);
}

TEST_F(IcePathsTest, ARestartWithoutAPortEndsAtOnceAndTheNextHasItsTime) {
  const auto port = free_port();
  IceConfig config = loopback_;
  config.port_min = config.port_max = port;
  Watch watch;
  IcePaths paths(context_.get(), config, false, watch);
  ASSERT_TRUE(paths.open(1));
  ASSERT_TRUE(paths.begin_checks(peer_));
  EXPECT_FALSE(paths.restart(1, {}, start_));
  EXPECT_FALSE(paths.awaits_answer());
  EXPECT_LE(paths.next_deadline(), start_);
  config.port_max = 0;
  config.port_min = 0;
  ASSERT_TRUE(paths.restart(1, by_peer_, start_ + 1s));
  EXPECT_EQ(paths.next_deadline(), start_ + 1s + limits::kConnectTime);
}

TEST_F(IcePathsTest, ARestartHasThePortOfTheUnfinishedOneItReplaces) {
  IceConfig config = loopback_;
  Watch watch;
  IcePaths paths(context_.get(), config, false, watch);
  ASSERT_TRUE(paths.open(1));
  ASSERT_TRUE(paths.begin_checks(peer_));
  config.port_min = config.port_max = free_port();
  EXPECT_TRUE(paths.restart(1, by_peer_, start_));
  EXPECT_TRUE(paths.restart(1, by_peer_, start_ + 1s));
}

// RFC 7675 §5.1: over the old pair nothing is sent any more, but the restart may still mend it.
class IcePathsLostMeanwhile : public IcePathsTest, public testing::WithParamInterface<bool> {};

TEST_P(IcePathsLostMeanwhile, ConsentThatEndsDuringARestartWaitsForItsEnd) {
  End a(context_.get(), loopback_, true), b(context_.get(), loopback_, false);
  ASSERT_TRUE(a.paths.open(1));
  ASSERT_TRUE(b.paths.open(1));
  ASSERT_TRUE(b.paths.begin_checks(a.paths.credentials()));
  b.introduce(a);
  ASSERT_TRUE(turn_until([&] { return a.paths.connected(1) && b.paths.connected(1); }));
  const std::uint8_t packet[] = {0x80};
  ASSERT_TRUE(a.paths.send(1, packet));
  const auto ends = a.paths.next_deadline();
  EXPECT_GE(ends, start_ + limits::kConsentLasts);
  const auto offered = ends - 5s;
  ASSERT_TRUE(a.paths.restart(1, {}, offered));
  EXPECT_EQ(a.paths.next_deadline(), ends);
  a.paths.on_deadline(ends);
  EXPECT_FALSE(a.paths.connected(1));
  EXPECT_FALSE(a.paths.send(1, packet));
  EXPECT_EQ(a.watch.lost, 0);
  EXPECT_EQ(a.paths.next_deadline(), offered + limits::kConnectTime);
  const bool answered = GetParam();
  if (answered) {
    b.answer(a, offered);
    EXPECT_TRUE(turn_until([&] { return a.watch.done == 1; }));
    EXPECT_TRUE(a.paths.connected(1));
    EXPECT_TRUE(a.paths.send(1, packet));
  } else {
    a.paths.on_deadline(offered + limits::kConnectTime);
  }
  EXPECT_EQ(a.watch.lost, answered ? 0 : 1);
}
INSTANTIATE_TEST_SUITE_P(Answered, IcePathsLostMeanwhile, testing::Bool());

TEST_F(IcePathsTest, NothingIsSentOnAPathThatIsGone) {
  End a(context_.get(), loopback_, true), b(context_.get(), loopback_, false);
  ASSERT_TRUE(a.paths.open(1));
  ASSERT_TRUE(b.paths.open(1));
  ASSERT_TRUE(b.paths.begin_checks(a.paths.credentials()));
  b.introduce(a);
  ASSERT_TRUE(turn_until([&] { return a.paths.connected(1); }));
  const std::uint8_t packet[] = {0x80};
  EXPECT_TRUE(a.paths.send(1, packet));
  EXPECT_TRUE(a.paths.send(1, packet)) << "as it has found the way before";
  a.paths.close();
  EXPECT_FALSE(a.paths.send(1, packet));
}

// One end may have moved to the new pair when the other gives the restart up for another one, which
// the first answers sooner or later; either sends where it is.
class IcePathsOneMoved : public IcePathsTest, public testing::WithParamInterface<bool> {};

TEST_P(IcePathsOneMoved, ARestartThatReplacesAnotherLosesNoPacket) {
  End a(context_.get(), loopback_, true), b(context_.get(), loopback_, false);
  ASSERT_TRUE(a.paths.open(1));
  ASSERT_TRUE(b.paths.open(1));
  ASSERT_TRUE(b.paths.begin_checks(a.paths.credentials()));
  b.introduce(a);
  const auto both = [&](auto condition) { return condition(a) && condition(b); };
  const auto connected = [](End& each) { return each.paths.connected(1); };
  ASSERT_TRUE(turn_until([&] { return both(connected); }));
  int sent = 0;
  const auto talk = [&] {
    const std::uint8_t packet[] = {0x80};
    if (!a.paths.send(1, packet) || !b.paths.send(1, packet)) return false;
    ++sent;
    return turn_until([&] { return a.watch.received == sent && b.watch.received == sent; });
  };

  ASSERT_TRUE(a.paths.restart(1, {}, start_));
  b.answer(a, start_);
  while (a.watch.done == b.watch.done) g_main_context_iteration(context_.get(), TRUE);
  ASSERT_EQ(a.watch.done + b.watch.done, 1);
  End& moved = a.watch.done == 1 ? a : b;
  End& stays = a.watch.done == 1 ? b : a;
  auto now = start_ + 1s;
  ASSERT_TRUE(stays.paths.restart(1, {}, now));
  const bool at_once = GetParam();
  EXPECT_TRUE(at_once || talk()) << "offered";
  ASSERT_TRUE(moved.paths.restart(1, {.remote = stays.paths.credentials(), .moved_to = {}}, now));
  EXPECT_TRUE(talk()) << "answered";
  moved.introduce(stays);
  ASSERT_TRUE(turn_until([&] { return talk() && moved.watch.done == 2; }));
  for (int i = 0; i < 3; ++i) {
    both([&](End& each) {
      each.paths.on_deadline(now);
      return true;
    });
    EXPECT_TRUE(talk());
    now += limits::kRestartLinger;
  }
  EXPECT_EQ(a.watch.lost + b.watch.lost, 0);
}
INSTANTIATE_TEST_SUITE_P(Answered, IcePathsOneMoved, testing::Bool());

}  // namespace
}  // namespace media::gst
