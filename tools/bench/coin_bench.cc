// What telling everybody who is there costs the focus (XEP-0298): the real Focus on a simulated
// clock, an engine that connects at once, clients that speak Coin and acknowledge what they get.
//   join storm  N calls into one room within 10 s, until every roster looked at is true
//   mute        one of N mutes, in a room that has been quiet for minutes; "build" is what the
//   document costs when one receiver is ready for
//               it, "told" what it costs to tell all
// CPU is the focus's own (handle() and next_deadline()), stanzas already parsed, not yet written.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "coin/diff.h"
#include "coin/xml.h"
#include "mixer/focus.h"
#include "mixer/focus_agent.h"
#include "signaling/stanza.h"

namespace {

using namespace std::chrono_literals;
using mixer::TimePoint;

constexpr auto kRoundTrip = 50ms;    // to a client and back
constexpr auto kConnecting = 100ms;  // ICE and DTLS

double cpu_us() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.at(values.size() / 2);
}

std::string session_initiate(const std::string& sid) {
  return "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='" + sid +
         "'><content creator='initiator' name='a'><description xmlns='urn:xmpp:jingle:apps:rtp:1' "
         "media='audio'><payload-type id='111' name='opus' clockrate='48000' channels='2'/>"
         "<rtcp-mux/></description><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' "
         "ufrag='S0dl' pwd='qzwvx5m/k0sxr6B3r7xnbmeo'><fingerprint "
         "xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' setup='actpass'>95:78:01:78:3F:95:34:"
         "1C:F8:8C:9A:57:59:03:78:6A:B3:21:50:B8:FD:C9:E0:6C:BC:76:6F:43:ED:38:1F:1A</fingerprint>"
         "</transport></content></jingle>";
}

constexpr char kSpeaksCoin[] =
    "<query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:coin:1'/></query>";

mixer::Config config() {
  mixer::Config config;
  config.xmpp.jid = *jingle::Jid::parse("mixer.localhost");
  config.media.discover_services = jingle::Jid();  // nobody here to ask
  config.limits.participants_per_room = config.limits.participants = 100000;
  return config;
}

std::chrono::sys_seconds wall_time(TimePoint at) {
  return std::chrono::sys_seconds(
      std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()));
}

struct Caller {
  std::string jid;
  bool acknowledges = true;
  std::vector<std::pair<TimePoint, std::size_t>> documents = {};  // bytes of the stanza
  std::unique_ptr<coin::View> view = nullptr;                     // of a few
};

// A room full of callers.
class World {
 public:
  explicit World(std::size_t callers)
      : focus_(
            config(), [this] { return random_(); }, wall_time) {
    for (std::size_t i = 0; i < callers; ++i) {
      callers_.push_back({.jid = "caller" + std::to_string(i) + "@load.localhost/load"});
      numbers_[callers_.back().jid] = i;
      if (i % std::max<std::size_t>(1, callers / 8) == 0) {
        callers_.back().view = std::make_unique<coin::View>();
      }
    }
    handle(mixer::ConnectionUp{{*jingle::Jid::parse("mixer.localhost"), false}});
  }

  // All dial within `duration`; returns when their rosters are true, with the time it took.
  std::chrono::milliseconds storm(std::chrono::milliseconds duration) {
    const TimePoint begin = now_;
    for (std::size_t i = 0; i < callers_.size(); ++i) {
      later(duration * i / callers_.size(),
            [this, i] { request(i, session_initiate("s" + std::to_string(i))); });
    }
    const bool told = run(10min, [this] { return rosters_are_true(); });
    if (!told) {
      std::fprintf(stderr, "coin_bench: not every roster became true\n");
      std::exit(1);
    }
    return std::chrono::duration_cast<std::chrono::milliseconds>(now_ - begin);
  }
  void mute(std::size_t caller, bool on) {
    request(caller, "<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='s" +
                        std::to_string(caller) + "'><" + (on ? "mute" : "unmute") +
                        " xmlns='urn:xmpp:jingle:apps:rtp:info:1' creator='initiator'/></jingle>");
  }
  // Lets time pass; true as soon as `done`.
  bool run(std::chrono::milliseconds duration, const std::function<bool()>& done = {}) {
    const TimePoint end = now_ + duration;
    while (true) {
      const double begin = cpu_us();
      const auto deadline = focus_.next_deadline();
      cpu.looking_us += cpu_us() - begin;
      const bool ours = deadline && (agenda_.empty() || *deadline <= agenda_.begin()->first);
      if (!ours && agenda_.empty()) break;
      const TimePoint next = ours ? *deadline : agenda_.begin()->first;
      if (next > end) break;
      now_ = std::max(now_, next);
      if (ours) {
        handle(mixer::DeadlinePassed{});
      } else {
        agenda_.extract(agenda_.begin()).mapped()();
      }
      if (done && done()) return true;
    }
    now_ = end;
    return false;
  }

  struct Cpu {  // µs
    double requests_us = 0, answers_us = 0, media_us = 0, deadlines_us = 0, looking_us = 0;
    double all_us() const {
      return requests_us + answers_us + media_us + deadlines_us + looking_us;
    }
  } cpu;
  std::vector<double> telling_us;  // of each handle() that sent documents
  std::size_t documents = 0, document_bytes = 0, stanzas = 0, bytes = 0;

  std::vector<Caller>& callers() { return callers_; }
  // The most documents that anybody was sent within a second.
  std::size_t most_per_second() const {
    std::size_t most = 0;
    for (const Caller& caller : callers_) {
      const auto& sent = caller.documents;
      for (std::size_t first = 0, last = 0; last < sent.size(); ++last) {
        while (sent[last].first - sent[first].first >= 1s) ++first;
        most = std::max(most, last - first + 1);
      }
    }
    return most;
  }

 private:
  void later(std::chrono::milliseconds delay, std::function<void()> what) {
    agenda_.emplace(now_ + delay, std::move(what));
  }
  bool rosters_are_true() const {
    return std::ranges::all_of(callers_, [this](const Caller& caller) {
      if (!caller.view) return true;
      const auto& info = caller.view->info();
      return info && info->users && info->users->users.size() == callers_.size();
    });
  }
  jingle::Iq iq(const std::string& type, const std::string& id, const std::string& from,
                const std::string& to, const std::string& payload) {
    const std::string text = "<iq xmlns='jabber:client' type='" + type + "' id='" + id +
                             "' from='" + from + "' to='" + to + "'>" + payload + "</iq>";
    return std::get<jingle::Iq>(*jingle::read_stanza(*jingle::Xml::parse(text)));
  }
  void request(std::size_t caller, const std::string& payload) {
    handle(mixer::IqReceived{iq("set", "i" + std::to_string(++ids_), callers_[caller].jid,
                                "room@mixer.localhost", payload)});
  }

  double& account(const mixer::Event& event) {
    if (std::holds_alternative<mixer::IqReceived>(event)) return cpu.requests_us;
    if (std::holds_alternative<mixer::IqAnswered>(event)) return cpu.answers_us;
    if (std::holds_alternative<media::Event>(event)) return cpu.media_us;
    return cpu.deadlines_us;
  }
  void handle(const mixer::Event& event) {
    const double begin = cpu_us();
    const mixer::Commands commands = focus_.handle(event, now_);
    const double spent = cpu_us() - begin;
    account(event) += spent;
    const std::size_t before = documents;
    for (const mixer::Command& command : commands) {
      if (const auto* open = std::get_if<mixer::OpenLeg>(&command)) opened(open->spec.leg);
      if (const auto* iq = std::get_if<mixer::SendIq>(&command)) sent(*iq);
      if (const auto* reply = std::get_if<mixer::Reply>(&command)) count(to_xml(*reply));
      if (const auto* message = std::get_if<mixer::SendMessage>(&command)) count(to_xml(*message));
      if (const auto* shown = std::get_if<mixer::SendPresence>(&command)) count(to_xml(*shown));
    }
    if (documents > before) telling_us.push_back(spent);
  }
  std::size_t count(const std::string& xml) {
    ++stanzas;
    bytes += xml.size();
    return xml.size();
  }
  void opened(media::LegId leg) {
    later(0ms, [this, leg] {
      handle(media::Event(media::LegOpened{.leg = leg,
                                           .ice = {"ufrag", "a password of 22 letters"},
                                           .candidates = {},
                                           .fingerprint = {"sha-256", "AA:BB"},
                                           .ssrc = static_cast<std::uint32_t>(leg.value)}));
    });
    later(kConnecting, [this, leg] { handle(media::Event(media::LegConnected{leg, "", ""})); });
  }
  void sent(const mixer::SendIq& sent) {
    const std::size_t size = count(mixer::to_xml(sent));
    Caller& caller = callers_.at(numbers_.at(sent.to.str()));
    if (sent.payload.starts_with("<conference-info ")) {
      ++documents;
      document_bytes += size;
      caller.documents.emplace_back(now_, size);
      if (caller.view) caller.view->receive(coin::parse(sent.payload).value());
      if (!caller.acknowledges) return;
    }
    later(kRoundTrip,
          [this, id = sent.id, from = sent.to.str(), to = sent.from.str(), asked = !sent.is_set] {
            handle(mixer::IqAnswered{iq("result", id, from, to, asked ? kSpeaksCoin : "")});
          });
  }

  std::mt19937_64 random_{1};
  mixer::Focus focus_;
  TimePoint now_{1000s};
  std::multimap<TimePoint, std::function<void()>> agenda_;
  std::vector<Caller> callers_;
  std::unordered_map<std::string, std::size_t> numbers_;
  std::size_t ids_ = 0;
};

void join_storm(std::size_t callers) {
  World world(callers);
  const auto took = world.storm(10s);
  std::size_t most = 0, most_bytes = 0;
  for (const Caller& caller : world.callers()) {
    std::size_t bytes = 0;
    for (const auto& [at, size] : caller.documents) bytes += size;
    most = std::max(most, caller.documents.size());
    most_bytes = std::max(most_bytes, bytes);
  }
  const auto n = static_cast<double>(callers);
  std::printf(
      "%6zu %8.1f %9zu %6.1f %5zu %5zu %8zu %8.1f %8.1f %8.1f %9.0f (%.0f %.0f %.0f %.0f %.0f)\n",
      callers, static_cast<double>(took.count()) / 1e3, world.documents,
      static_cast<double>(world.documents) / n, most, world.most_per_second(), world.stanzas,
      static_cast<double>(world.bytes) / 1e6, static_cast<double>(world.document_bytes) / n / 1e3,
      static_cast<double>(most_bytes) / 1e3, world.cpu.all_us() / 1e3, world.cpu.requests_us / 1e3,
      world.cpu.answers_us / 1e3, world.cpu.media_us / 1e3, world.cpu.deadlines_us / 1e3,
      world.cpu.looking_us / 1e3);
  std::fflush(stdout);
}

struct Mute {
  double idle_bytes_per_s = 0;  // of documents, before
  double build_us = 0, told_us = 0, answers_us = 0;
  std::size_t documents = 0, bytes = 0;
};

Mute mute(std::size_t callers) {
  World world(callers);
  world.storm(10s);
  world.run(3min);  // what is yet to be healed is healed
  Mute result;
  const std::size_t before = world.document_bytes;
  world.run(1min);
  result.idle_bytes_per_s = static_cast<double>(world.document_bytes - before) / 60;
  std::vector<double> told, answers;
  for (int i = 0; i < 9; ++i) {
    world.cpu = {};
    world.documents = world.document_bytes = 0;
    world.mute(0, i % 2 == 0);
    world.run(2s);
    told.push_back(world.cpu.all_us());
    answers.push_back(world.cpu.answers_us + world.cpu.looking_us);
  }
  result.told_us = median(told);
  result.answers_us = median(answers);
  result.documents = world.documents;
  result.bytes = world.document_bytes / std::max<std::size_t>(1, world.documents);
  // With all but one still to acknowledge, a document is built for that one.
  for (std::size_t i = 1; i < callers; ++i) world.callers()[i].acknowledges = false;
  world.mute(0, false);  // the last one was a mute
  world.run(600ms);
  world.telling_us.clear();
  for (int i = 0; i < 7; ++i) {
    world.mute(0, i % 2 == 0);
    world.run(600ms);
  }
  result.build_us = median(world.telling_us);
  return result;
}

void storms(const std::vector<std::size_t>& sizes) {
  std::printf(
      "join storm: N calls in 10 s; CPU in ms: all (requests, answers, media, deadlines, looking "
      "for the next one)\n"
      "     N  true/s documents   each  most per s  stanzas       MB  kB each  kB most       "
      "CPU\n");
  for (const std::size_t callers : sizes) join_storm(callers);
}

void mutes(const std::vector<std::size_t>& sizes) {
  std::printf(
      "one mute of N: us of CPU\n"
      "     N  idle kB/s documents  bytes of one    build     told  (of it answers and looking)\n");
  std::vector<Mute> all;
  for (const std::size_t callers : sizes) {
    const Mute& one = all.emplace_back(mute(callers));
    std::printf("%6zu %10.1f %9zu %13zu %8.0f %8.0f  %8.0f\n", callers, one.idle_bytes_per_s / 1e3,
                one.documents, one.bytes, one.build_us, one.told_us, one.answers_us);
    std::fflush(stdout);
  }
  std::printf("last / first: build %.2f (1: O(changed)), told %.2f (%.2f: O(participants))\n",
              all.back().build_us / all.front().build_us, all.back().told_us / all.front().told_us,
              static_cast<double>(sizes.back()) / static_cast<double>(sizes.front()));
}

}  // namespace

// coin_bench [storm | mute [N...]]
int main(int count, char** arguments) {
  const std::string what = count > 1 ? arguments[1] : "";
  std::vector<std::size_t> sizes;
  for (int i = 2; i < count; ++i) sizes.push_back(std::strtoul(arguments[i], nullptr, 10));
  if (what != "mute") storms(sizes.empty() ? std::vector<std::size_t>{125, 250, 500, 1000} : sizes);
  if (what != "storm") mutes(sizes.empty() ? std::vector<std::size_t>{250, 1000} : sizes);
}
