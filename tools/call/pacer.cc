#include "tools/call/pacer.h"

#include <chrono>

#include "media/audio_frame.h"

namespace call {

Pacer::Pacer(media::gst::IoThread& io, const Voice& voice)
    : io_(io), voice_(voice), thread_([this](const std::stop_token& stop) { run(stop); }) {}

Pacer::~Pacer() = default;  // jthread: asks to stop and joins before what it uses goes

void Pacer::add(media::LegId leg, std::uint32_t ssrc, const media::RtpParameters& rtp) {
  const media::MutexLock lock(mutex_);
  senders_.erase(leg);
  senders_.emplace(leg, Sender{RtpSender(ssrc, rtp, ssrc ^ 0x5bd1e995U)});
}

void Pacer::set_sending(media::LegId leg, bool sending) {
  const media::MutexLock lock(mutex_);
  if (const auto found = senders_.find(leg); found != senders_.end()) {
    found->second.sending = sending;
  }
}

void Pacer::press(media::LegId leg, char digit) {
  const media::MutexLock lock(mutex_);
  if (const auto found = senders_.find(leg); found != senders_.end())
    found->second.rtp.press(digit);
}

void Pacer::remove(media::LegId leg) {
  const media::MutexLock lock(mutex_);
  senders_.erase(leg);
}

void Pacer::run(const std::stop_token& stop) {
  auto next = std::chrono::steady_clock::now();
  while (!stop.stop_requested()) {
    tick();
    next += media::kTick;
    std::this_thread::sleep_until(next);
  }
}

void Pacer::tick() {
  {
    const media::MutexLock lock(mutex_);
    for (auto& [leg, sender] : senders_) {
      const OpusFrame* frame = sender.sending ? voice_.frame(sender.ticks) : nullptr;
      if (sender.sending || sender.ticks > 0) ++sender.ticks;
      for (const auto& packet : sender.rtp.tick(frame)) {
        io_.enqueue(leg,
                    media::gst::BufferPtr(gst_buffer_new_memdup(packet.data(), packet.size())));
      }
    }
  }
  io_.flush();
}

}  // namespace call
