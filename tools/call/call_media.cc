#include "tools/call/call_media.h"

#include <gst/gst.h>

#include <map>
#include <random>
#include <stdexcept>
#include <utility>

#include "media/gst/candidate_filter.h"
#include "media/gst/dtls_srtp.h"
#include "media/gst/ice_servers.h"
#include "media/gst/io_thread.h"
#include "tools/call/pacer.h"
#include "tools/call/recording.h"
#include "tools/call/talkers.h"
#include "tools/call/voice.h"

namespace call {

class CallMedia::Impl {
 public:
  Impl(Config config, std::function<void(media::Event)> sink)
      : talkers_(config.talkers),
        voice_(config.play.empty() ? Voice() : Voice(config.play, config.loop)),
        io_(ice_config(std::move(config.addresses), config.servers), identity_, std::move(sink)),
        pacer_(io_, voice_) {}

  void open(media::LegId id, const OpenLeg& how, const std::string& record) {
    Leg leg;
    leg.ssrc = static_cast<std::uint32_t>(random_());
    if (talkers_) {
      leg.talkers = std::make_unique<Talkers>();
    } else if (!record.empty()) {
      leg.recording =
          std::make_unique<Recording>(record, how.opus_payload_type, how.stereo ? 2 : 1);
    }
    media::gst::TransportSpec spec;
    spec.leg = id;
    spec.ssrc = leg.ssrc;
    spec.cname = "jingle-call";
    spec.ice_controlling = how.ice_controlling;
    spec.rtcp_mux = how.rtcp_mux;
    if (leg.recording) spec.leg_src = leg.recording->leg_src();
    if (leg.talkers) spec.leg_src = leg.talkers->leg_src();
    io_.open(std::move(spec));
    legs_.insert_or_assign(id, std::move(leg));
  }

  void connect(media::LegId id, media::LegRemote remote) {
    const auto leg = legs_.find(id);
    if (leg == legs_.end()) return;
    pacer_.add(id, leg->second.ssrc, remote.rtp);
    io_.connect(id, std::move(remote));
  }

  void close(media::LegId id) {
    pacer_.remove(id);
    legs_.erase(id);  // ends its pipeline before its transport
    io_.close(id);
  }

  std::set<std::uint32_t> talking(media::LegId id) const {
    const auto leg = legs_.find(id);
    if (leg == legs_.end() || !leg->second.talkers) return {};
    return leg->second.talkers->talking();
  }

  media::gst::IoThread& io() { return io_; }
  Pacer& pacer() { return pacer_; }

 private:
  struct Leg {
    std::uint32_t ssrc = 0;
    std::unique_ptr<Recording> recording;
    std::unique_ptr<Talkers> talkers;
  };
  static media::gst::IceConfig ice_config(std::vector<std::string> addresses,
                                          const std::vector<media::IceServer>& servers) {
    std::vector<std::string> unresolved;
    media::gst::IceConfig config;
    config.addresses = std::move(addresses);
    config.servers = media::gst::resolve(servers, unresolved);
    if (!unresolved.empty()) throw std::runtime_error("cannot resolve " + unresolved.front());
    return config;
  }

  const bool talkers_;
  std::random_device random_;
  const Voice voice_;
  const media::gst::DtlsIdentity identity_;
  std::map<media::LegId, Leg> legs_;
  media::gst::IoThread io_;
  Pacer pacer_;
};

CallMedia::CallMedia(Config config, std::function<void(media::Event)> sink)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(sink))) {}
CallMedia::~CallMedia() = default;

void CallMedia::open(media::LegId leg, const OpenLeg& how, const std::string& record) {
  impl_->open(leg, how, record);
}
void CallMedia::connect(media::LegId leg, media::LegRemote remote) {
  impl_->connect(leg, std::move(remote));
}
void CallMedia::add_remote_candidates(media::LegId leg,
                                      std::vector<media::IceCandidate> candidates) {
  impl_->io().add_remote_candidates(leg, std::move(candidates));
}
void CallMedia::restart_ice(media::LegId leg, const RestartIce& how) {
  const media::gst::CandidateFilter check(how.moved_to, {});
  impl_->io().restart_ice(leg, {.remote = how.remote, .moved_to = how.moved_to});
}
void CallMedia::set_sending(media::LegId leg, bool sending) {
  impl_->pacer().set_sending(leg, sending);
}
void CallMedia::press(media::LegId leg, char digit) { impl_->pacer().press(leg, digit); }
std::set<std::uint32_t> CallMedia::talking(media::LegId leg) const { return impl_->talking(leg); }
void CallMedia::close(media::LegId leg) { impl_->close(leg); }

}  // namespace call
