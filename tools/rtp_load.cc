// rtp-load: the crowd of jingle-load with bare RTP, for mixers that have no Jingle: what both are
// measured with is the same. Prints its UDP ports as a JSON array, reads a line "IP PORT" for each,
// with whom it is to speak, and reports.
#include <gst/gst.h>
#include <unistd.h>

#include <iostream>
#include <thread>

#include "media/gst/file_limit.h"
#include "mixer/mailbox.h"
#include "tools/load/cast.h"
#include "tools/load/crowd.h"
#include "tools/load/figures.h"

namespace {

using call::Json;

// The payload type that Janus' AudioBridge takes when none is given.
constexpr std::uint8_t kOpusPayloadType = 100;

Json run(const load::Options& options) {
  const load::Cast cast = load::make_cast(options);
  mixer::Mailbox<load::CrowdEvent> mailbox(0, [](const load::CrowdEvent&) { return false; });
  load::Crowd crowd({.address = options.address,
                     .plain = true,
                     .line = options.line,
                     .seed = options.seed,
                     .markers = cast.markers,
                     .callers = cast.roles},
                    [&mailbox](load::CrowdEvent event) { mailbox.push(std::move(event)); });
  Json::Array ports(cast.roles.size());
  for (std::size_t i = 0; i < ports.size(); ++i) crowd.open({i + 1});
  for (std::size_t opened = 0; opened < ports.size();) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    for (const auto& event : mailbox.take()) {
      const auto* media = std::get_if<media::Event>(&event);
      if (media == nullptr) continue;
      if (const auto* leg = std::get_if<media::LegOpened>(media)) {
        ports[leg->leg.value - 1] = static_cast<double>(leg->candidates.at(0).port);
        ++opened;
      } else if (const auto* failed = std::get_if<media::LegFailed>(media)) {
        throw std::runtime_error(failed->text);
      }
    }
  }
  std::cout << Json(std::move(ports)).str() << std::endl;
  for (std::size_t i = 0; i < cast.roles.size(); ++i) {
    media::LegRemote remote;
    remote.rtp.opus_payload_type = kOpusPayloadType;
    remote.candidates.resize(1);
    if (!(std::cin >> remote.candidates[0].ip >> remote.candidates[0].port) ||
        !load::Address::parse(remote.candidates[0].ip, remote.candidates[0].port)) {
      throw std::runtime_error("too few lines \"IP PORT\"");
    }
    crowd.connect({i + 1}, std::move(remote));
    crowd.set_sending({i + 1},
                      cast.roles[i].talker || options.listeners != load::Options::Listeners::none);
  }
  std::this_thread::sleep_for(options.settle);
  const auto usage = [](int pid) { return pid > 0 ? load::sample_process(pid) : std::nullopt; };
  crowd.begin();
  const auto own_first = usage(getpid());
  const auto watched_first = usage(options.watch_pid);
  std::this_thread::sleep_for(options.seconds);
  crowd.end();
  const auto own_last = usage(getpid());
  const auto watched_last = usage(options.watch_pid);

  const load::Measured measured = crowd.finish();
  auto report = load::to_json(measured, cast.roles);
  const double time_s = std::chrono::duration<double>(measured.to - measured.from).count();
  const auto add = [&](const char* who, const auto& first, const auto& last) {
    report.emplace_back(
        who, first && last ? load::usage(*first, *last, time_s, cast.roles.size()) : Json());
  };
  add("own", own_first, own_last);
  add("watched", watched_first, watched_last);
  return report;
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = load::parse_options(load::Program::rtp_load, argc, argv);
  if (const auto* status = std::get_if<int>(&parsed)) return *status;
  media::gst::raise_file_limit();
  gst_init(nullptr, nullptr);
  try {
    std::cout << run(std::get<load::Options>(parsed)).str() << std::endl;
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "rtp-load: " << error.what() << "\n";
    return 1;
  }
}
