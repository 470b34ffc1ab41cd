#include "media/gst/recorder.h"

#include <pthread.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "media/limits.h"

namespace media::gst {
namespace {

constexpr const char* kSuffix = ".opus";
constexpr const char* kNoLonger = "It may last no longer.";
constexpr const char* kNoMore = "Recordings may take no more room.";
constexpr const char* kDiskFills = "The disk has too little room left.";

void append(RecordFile& file, OggOpusWriter& pages) {
  file.write(pages.pages());
  pages.clear();
}

}  // namespace

Recorder::Recorder(RecordSpec spec, Parts parts)
    : spec_(std::move(spec)),
      parts_(std::move(parts)),
      tap_(std::make_shared<RecordTap>(spec_.speakers)),
      synced_(std::chrono::steady_clock::now()),
      looked_(synced_ - kLook) {
  thread_ = std::thread([this] { run(); });
}

Recorder::~Recorder() {
  finish();
  thread_.join();
}

void Recorder::begin() {
  {
    const MutexLock lock(mutex_);
    beginning_ = !finishing_;
  }
  changed_.notify_all();
}

void Recorder::finish() {
  {
    const MutexLock lock(mutex_);
    finishing_ = true;
  }
  changed_.notify_all();
}

template <class Visit>
void Recorder::each_file(Visit visit) {
  if (mix_) visit(mix_->writer, mix_->file);
  for (auto& [id, speaker] : speakers_) visit(speaker.track.file(), speaker.file);
}

void Recorder::run() {
  pthread_setname_np(pthread_self(), "mixer-record");
  RecordEnded ended{.record = spec_.record};
  try {
    prepare();
    if (begins()) ended.text = keep();
    if (!ended.text.empty()) ended.cause = RecordEnd::bound;
  } catch (const std::runtime_error& error) {
    ended.cause = RecordEnd::error;
    ended.text = error.what();
  }
  tell_lost();
  ended.lost = lost_;
  if (mix_ && mix_->file.bytes() > 0) {
    ended.file = mix_->file.name();
    ended.length = std::chrono::milliseconds(now_samples_ * 1000 / kSampleRate_hz);
  }
  ended.bytes = bytes();
  each_file([&ended](const OggOpusWriter&, const RecordFile& file) {
    ended.files += file.bytes() > 0 ? 1 : 0;
  });
  parts_.over(std::move(ended));
}

// Nobody is to hear of one that cannot begin.
void Recorder::prepare() {
  mkdir(spec_.directory.c_str(), S_IRWXU);  // it may be gone; if it cannot be made, that shows next
  { const RecordFile empty(spec_.directory, ".try-" + std::to_string(random_())); }
  if (const auto text = bound(); !text.empty()) throw std::runtime_error(text);
  parts_.on_event(RecordReady{spec_.record});
}

// False: it is to end before.
bool Recorder::begins() {
  const MutexLock lock(mutex_);
  while (!beginning_ && !finishing_) changed_.wait(mutex_);
  return beginning_;
}

// Until it is to end, or has come to a bound: that.
std::string Recorder::keep() {
  open();
  std::string reached;
  while (reached.empty() && wait()) {
    take();
    write();
    sync();
    tell_lost();
    reached = bound();
  }
  take();
  end();
  return reached;
}

// False: it is to end.
bool Recorder::wait() {
  const MutexLock lock(mutex_);
  if (!finishing_) changed_.wait_for(mutex_, kRound);
  return !finishing_;
}

void Recorder::open() {
  name_ = spec_.name;
  // Of two rooms with names alike, or after an end and a beginning in one second.
  for (int i = 2; RecordFile::exists(spec_.directory, name_ + kSuffix) && i < 100; ++i) {
    name_ = spec_.name + '-' + std::to_string(i);
  }
  // What is played may be stereo, later.
  mix_ = std::make_unique<Mix>(info(2), spec_.directory, name_ + kSuffix);
  parts_.on_event(RecordStarted{.record = spec_.record, .file = mix_->file.name()});
}

std::uint64_t Recorder::bytes() {
  std::uint64_t all = 0;
  each_file([&all](const OggOpusWriter&, const RecordFile& file) { all += file.bytes(); });
  return all;
}

// What it must not go beyond, as a sentence, if it has come to it.
std::string Recorder::bound() {
  if (spec_.longest.count() > 0 &&
      now_samples_ >= static_cast<std::uint64_t>(spec_.longest.count()) * kSampleRate_hz) {
    return kNoLonger;
  }
  if (spec_.most_bytes == 0 && spec_.least_free_bytes == 0) return {};
  const std::uint64_t ours = bytes();
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_ >= kLook) {
    looked_ = now;
    others_bytes_ = std::max(RecordFile::bytes_in(spec_.directory), ours) - ours;
    std::error_code none;  // what cannot be told is enough
    free_bytes_ = std::filesystem::space(spec_.directory, none).available;
  }
  if (free_bytes_ < spec_.least_free_bytes) return kDiskFills;
  return spec_.most_bytes > 0 && others_bytes_ + ours >= spec_.most_bytes ? kNoMore : "";
}

// The time first: all that came before it is in the queue then, or lost.
void Recorder::take() {
  now_samples_ = tap_->now_samples();
  tap_->queue().drain([this](const RecordedPacket& packet) { take(packet); });
  // Nothing else comes of before; but a silence is written now and then, not packet by packet.
  if (mix_->writer.samples() + OggOpusWriter::kPage_samples / 2 <= now_samples_) {
    mix_->writer.conceal_to(now_samples_);
  }
  for (auto& [id, speaker] : speakers_) speaker.track.advance(now_samples_);
}

void Recorder::take(const RecordedPacket& packet) {
  if (packet.contributor_id == 0) {
    mix_->writer.put(packet.now_samples, packet.payload);
    return;
  }
  auto speaker = speakers_.find(packet.contributor_id);
  if (speaker == speakers_.end()) {
    if (speakers_.size() >= limits::kMaxRecordTracks) return crowded();
    const std::string name = name_ + '-' + std::to_string(packet.contributor_id) + kSuffix;
    speaker = speakers_.try_emplace(packet.contributor_id, info(0), spec_.directory, name).first;
  }
  speaker->second.track.put(packet.now_samples, packet.ssrc, packet.timestamp, packet.payload);
}

void Recorder::crowded() {
  if (std::exchange(crowded_, true)) return;
  parts_.on_event(RecordCrowded{.record = spec_.record, .speakers = speakers_.size()});
}

void Recorder::write() {
  each_file([](OggOpusWriter& pages, RecordFile& file) { append(file, pages); });
}

void Recorder::sync() {
  const auto now = std::chrono::steady_clock::now();
  if (now - synced_ < kSync) return;
  synced_ = now;
  each_file([](OggOpusWriter&, RecordFile& file) { file.sync(); });
}

void Recorder::end() {
  mix_->writer.conceal_to(now_samples_);
  mix_->writer.finish();
  for (auto& [id, speaker] : speakers_) speaker.track.finish(now_samples_);
  write();
  each_file([](OggOpusWriter&, RecordFile& file) { file.sync(); });
}

void Recorder::tell_lost() {
  const std::uint64_t lost = tap_->queue().lost();
  if (std::exchange(lost_, lost) == lost) return;
  parts_.on_event(RecordLost{.record = spec_.record, .packets = lost});
}

}  // namespace media::gst
