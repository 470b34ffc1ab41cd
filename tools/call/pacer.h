// tools/call/pacer.h: one thread that sends the packets of all callers of the process, every 20 ms.
#pragma once

#include <cstdint>
#include <map>
#include <thread>

#include "media/gst/io_thread.h"
#include "media/media_engine.h"
#include "media/thread_role.h"
#include "tools/call/rtp_sender.h"
#include "tools/call/voice.h"

namespace call {

// Any thread may call any function. A late tick is caught up with at once: timestamps go on as the
// clock does.
class Pacer {
 public:
  // Both outlive the pacer.
  Pacer(media::gst::IoThread& io, const Voice& voice);
  ~Pacer();
  Pacer(const Pacer&) = delete;
  Pacer& operator=(const Pacer&) = delete;

  // From now on the leg's time runs; it sends once set_sending() says so.
  void add(media::LegId leg, std::uint32_t ssrc, const media::RtpParameters& rtp);
  void set_sending(media::LegId leg, bool sending);
  void press(media::LegId leg, char digit);
  void remove(media::LegId leg);

 private:
  struct Sender {
    RtpSender rtp;
    bool sending = false;
    std::uint64_t ticks = 0;  // since it first sent
  };
  void run(const std::stop_token& stop);
  void tick();

  media::gst::IoThread& io_;
  const Voice& voice_;
  media::Mutex mutex_;
  std::map<media::LegId, Sender> senders_ ABSL_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace call
