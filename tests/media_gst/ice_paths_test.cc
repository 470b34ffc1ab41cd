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
  void ice_flooded() override { flooded++; }
  void ice_received(int, std::span<std::uint8_t>) override {}
  void ice_schedule() override {}
  std::vector<IceCandidate> candidates;  // of the newest session
  int done = 0, lost = 0, flooded = 0;
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
  const IcePaths::TimePoint start_{1000s};
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

}  // namespace
}  // namespace media::gst
