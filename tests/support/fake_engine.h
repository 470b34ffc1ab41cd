// tests/support/fake_engine.h: a MediaEngine without media. Keeps the books of legs, so that leaks
// and double closes show, and answers when told to. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "media/media_engine.h"

namespace test {

class FakeEngine : public media::MediaEngine {
 public:
  struct Leg {
    media::LegSpec spec;
    std::vector<media::IceCandidate> trickled;
    bool opened = false, connected = false, closing = false;
    int restarts = 0;                                     // ICE sessions after the first
    std::optional<media::IceCredentials> restarted_with;  // the peer's, of the last restart
    std::string begun_with;  // its ufrag, if the restart was the peer's
  };

  void set_ice_servers(std::vector<media::IceServer> servers) override {
    ice_servers_ = std::move(servers);
  }
  void open_leg(media::LegSpec spec) override;
  void connect_leg(media::LegId leg, media::LegRemote remote) override;
  void add_remote_candidates(media::LegId leg,
                             std::vector<media::IceCandidate> candidates) override;
  void restart_ice(media::LegId leg, std::optional<media::IceCredentials> remote) override;
  void close_leg(media::LegId leg) override;
  void set_mix_plan(media::RoomId room, media::MixPlan plan) override;
  void play(media::PlaySpec spec) override { plays_.push_back(std::move(spec)); }
  void pause_play(media::PlayId, bool) override {}
  void seek_play(media::PlayId, std::chrono::milliseconds) override {}
  void stop_play(media::PlayId play) override {
    std::erase_if(plays_, [play](const auto& each) { return each.play == play; });
  }
  void prepare_record(media::RecordSpec spec) override { prepared_[spec.record] = std::move(spec); }
  void record(media::RecordId record) override {
    const auto ready = prepared_.extract(record);
    if (ready) records_.push_back(ready.mapped());
  }
  void stop_record(media::RecordId record) override {
    prepared_.erase(record);
    std::erase_if(records_, [record](const auto& each) { return each.record == record; });
  }

  // The events that a real engine would raise sooner or later.
  media::LegOpened opened(media::LegId leg);
  media::IceRestarted restarted(media::LegId leg);  // requires: a restart
  // No port is left: what comes next is no answer to it.
  media::IceRestarted restart_failed(media::LegId leg);
  media::LegConnected connected(media::LegId leg);
  media::LegClosed closed(media::LegId leg);  // requires: closing; the leg is gone afterwards

  const std::vector<media::IceServer>& ice_servers() const { return ice_servers_; }
  const std::map<media::LegId, Leg>& legs() const { return legs_; }
  const std::vector<media::PlaySpec>& plays() const { return plays_; }  // but those stopped
  // Those that have begun, but those stopped; and those that are to.
  const std::vector<media::RecordSpec>& records() const { return records_; }
  const std::map<media::RecordId, media::RecordSpec>& prepared() const { return prepared_; }
  const std::map<media::RoomId, media::MixPlan>& plans() const { return plans_; }
  // Breaches of the contract: a leg opened or closed twice, an unknown one closed.
  const std::vector<std::string>& faults() const { return faults_; }
  std::uint64_t opened_count() const { return opened_count_; }
  std::uint64_t close_count() const { return close_count_; }

 private:
  std::vector<media::IceServer> ice_servers_;
  std::map<media::LegId, Leg> legs_;
  std::set<media::LegId> ever_;
  std::map<media::RoomId, media::MixPlan> plans_;
  std::vector<media::PlaySpec> plays_;
  std::map<media::RecordId, media::RecordSpec> prepared_;
  std::vector<media::RecordSpec> records_;
  std::vector<std::string> faults_;
  std::uint64_t opened_count_ = 0, close_count_ = 0;
};

}  // namespace test
