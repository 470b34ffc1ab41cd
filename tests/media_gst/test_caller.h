// tests/media_gst/test_caller.h: a caller for tests of the engine: the project's own transport, an
// Opus encoder that says a tone, a decoder that keeps what is heard. No threads of its own but the
// one CallerThread that all share.
#pragma once

#include <opus/opus.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/media_gst/transport_peer.h"
#include "tests/support/audio.h"

namespace media::gst {

class TestCaller;

// The I/O thread of all callers, and a thread that lets those who talk say 20 ms every 20 ms.
class CallerThread {
 public:
  CallerThread();
  ~CallerThread();
  IoThread& io() { return *io_; }
  EventLog& log() { return log_; }
  const DtlsIdentity& identity() const { return identity_; }
  void add(TestCaller* caller);
  void remove(TestCaller* caller);

 private:
  void run();
  DtlsIdentity identity_;
  EventLog log_;
  std::unique_ptr<IoThread> io_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  std::vector<TestCaller*> talkers_;
  std::thread thread_;
};

class TestCaller {
 public:
  static constexpr double kLevel_dbfs = -14;

  TestCaller(CallerThread& thread, LegId leg, double tone_hz);
  ~TestCaller();

  void open(bool controlling = true);
  LegRemote half(DtlsRole role_of_mixer);  // ours, as the mixer gets it
  void connect(const LegOpened& mixer, DtlsRole our_role);
  bool wait_connected();
  void talk();  // from now on
  // A fingerprint that is not ours.
  DtlsFingerprint other_fingerprint() const;

  bool wait_for_sound(std::size_t samples);
  test_support::Samples last_samples(std::size_t count) const;
  std::vector<std::vector<std::uint8_t>> packets() const { return receiver_.packets(); }
  LegId leg() const { return leg_; }
  std::uint32_t ssrc() const { return ssrc_; }

 private:
  friend class CallerThread;
  void say_20_ms();

  CallerThread& thread_;
  LegId leg_;
  std::uint32_t ssrc_;
  double tone_hz_;
  Receiver receiver_;
  std::unique_ptr<OpusEncoder, decltype(&opus_encoder_destroy)> encoder_;
  std::size_t said_ = 0;  // samples
};

}  // namespace media::gst
