#include "tests/media_gst/test_caller.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "media/audio_frame.h"
#include "media/rtp_header.h"

namespace media::gst {

CallerThread::CallerThread()
    : io_(std::make_unique<IoThread>(IceConfig{.addresses = {"127.0.0.1"}}, identity_,
                                     [this](Event event) { log_.push(std::move(event)); })),
      thread_([this] { run(); }) {}

CallerThread::~CallerThread() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void CallerThread::add(TestCaller* caller) {
  const std::lock_guard lock(mutex_);
  talkers_.push_back(caller);
}

void CallerThread::remove(TestCaller* caller) {
  const std::lock_guard lock(mutex_);
  std::erase(talkers_, caller);
}

void CallerThread::run() {
  auto next = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  while (!stop_) {
    for (auto* talker : talkers_) talker->say_20_ms();
    io_->flush();
    next += kTick;
    changed_.wait_until(lock, next, [this] { return stop_; });
  }
}

TestCaller::TestCaller(CallerThread& thread, LegId leg, double tone_hz)
    : thread_(thread),
      leg_(leg),
      ssrc_(static_cast<std::uint32_t>(0x10000 + leg.value)),
      tone_hz_(tone_hz),
      encoder_(opus_encoder_create(48000, 1, OPUS_APPLICATION_AUDIO, nullptr),
               &opus_encoder_destroy) {
  opus_encoder_ctl(encoder_.get(), OPUS_SET_BITRATE(64000));
}

TestCaller::~TestCaller() {
  thread_.remove(this);
  thread_.io().close(leg_);
  thread_.log().wait_for<LegClosed>(leg_);  // the receiver is used until then
}

void TestCaller::open(bool controlling) {
  thread_.io().open(
      {.leg = leg_, .ssrc = ssrc_, .ice_controlling = controlling, .leg_src = receiver_.leg_src()});
}

LegRemote TestCaller::half(DtlsRole role_of_mixer) {
  const auto opened = thread_.log().wait_for<LegOpened>(leg_);
  EXPECT_TRUE(opened);
  LegRemote half;
  half.ice = opened->ice;
  half.candidates = opened->candidates;
  half.fingerprint = opened->fingerprint;
  half.our_role = role_of_mixer;
  return half;
}

void TestCaller::connect(const LegOpened& mixer, DtlsRole our_role) {
  LegRemote remote;
  remote.ice = mixer.ice;
  remote.candidates = mixer.candidates;
  remote.fingerprint = mixer.fingerprint;
  remote.our_role = our_role;
  thread_.io().connect(leg_, remote);
}

bool TestCaller::wait_connected() { return thread_.log().wait_for<LegConnected>(leg_).has_value(); }

void TestCaller::talk() { thread_.add(this); }

DtlsFingerprint TestCaller::other_fingerprint() const {
  auto fingerprint = thread_.identity().fingerprint();
  fingerprint.value[0] = fingerprint.value[0] == 'A' ? 'B' : 'A';
  return fingerprint;
}

void TestCaller::say_20_ms() {
  const auto samples =
      test_support::tone(tone_hz_, 32767 * std::pow(10, kLevel_dbfs / 20), kFrame_samples, said_);
  std::vector<std::uint8_t> packet(kMaxRtpHeaderBytes + limits::kMaxOpusBytes);
  const RtpHeader header{.marker = said_ == 0,
                         .payload_type = 111,
                         .sequence = static_cast<std::uint16_t>(said_ / kFrame_samples),
                         .timestamp = static_cast<std::uint32_t>(said_),
                         .ssrc = ssrc_};
  const auto begin = write_rtp_header(header, {}, 0, packet);
  const auto length = opus_encode(encoder_.get(), samples.data(), kFrame_samples,
                                  packet.data() + begin, limits::kMaxOpusBytes);
  said_ += kFrame_samples;
  thread_.io().enqueue(leg_, BufferPtr(gst_buffer_new_memdup(
                                 packet.data(), begin + static_cast<std::size_t>(length))));
}

bool TestCaller::wait_for_sound(std::size_t samples) {
  return receiver_.wait_for_packets(samples / kFrame_samples);
}

test_support::Samples TestCaller::last_samples(std::size_t count) const {
  const std::unique_ptr<OpusDecoder, decltype(&opus_decoder_destroy)> decoder(
      opus_decoder_create(48000, 1, nullptr), &opus_decoder_destroy);
  test_support::Samples heard;
  for (const auto& bytes : receiver_.packets()) {
    const auto packet = parse_rtp(bytes);
    if (!packet) continue;
    std::array<std::int16_t, 5760> decoded;
    const int n = opus_decode(decoder.get(), packet->payload.data(),
                              static_cast<opus_int32>(packet->payload.size()), decoded.data(),
                              decoded.size(), 0);
    if (n > 0) heard.insert(heard.end(), decoded.begin(), decoded.begin() + n);
  }
  if (heard.size() > count)
    heard.erase(heard.begin(), heard.end() - static_cast<std::ptrdiff_t>(count));
  return heard;
}

}  // namespace media::gst
