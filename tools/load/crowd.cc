#include "tools/load/crowd.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <thread>

#include "mixer/mailbox.h"
#include "mixer/overloaded.h"
#include "tools/load/slot_clock.h"

namespace load {
namespace {

using namespace std::chrono_literals;

constexpr int kEventsAtOnce = 256;

struct Open {
  media::LegId leg;
};
struct Connect {
  media::LegId leg;
  media::LegRemote remote;
};
struct AddCandidates {
  media::LegId leg;
  std::vector<media::IceCandidate> candidates;
};
struct SetSending {
  media::LegId leg;
  bool sending;
};
struct Vanish {
  media::LegId leg;
};
struct Close {
  media::LegId leg;
};
struct SetSilent {
  bool silent;
};
struct Begin {};
struct End {};
struct Stop {};
using Command = std::variant<Open, Connect, AddCandidates, SetSending, Vanish, Close, SetSilent,
                             Begin, End, Stop>;

struct Delayed {
  media::LegId leg;
  bool in;
  std::vector<std::uint8_t> bytes;
};

}  // namespace

class Crowd::Impl {
 public:
  Impl(Spec spec, std::function<void(CrowdEvent)> sink)
      : spec_(std::move(spec)),
        sink_(std::move(sink)),
        random_(spec_.seed),
        commands_(0, [](const Command&) { return false; }),
        legs_(spec_.callers.size()),
        ears_(spec_.callers.size()) {
    if (!Address::parse(spec_.address, 0)) {
      throw std::runtime_error(spec_.address + " is no IP address");
    }
    measured_.traffic.resize(spec_.callers.size());
    for (std::size_t i = 0; i < ears_.size(); ++i) {
      const Role& role = spec_.callers[i];
      if (role.sampled) ears_[i] = std::make_unique<Ear>(spec_.markers, role.marker);
    }
    host_.address = spec_.address;
    host_.plain = spec_.plain;
    host_.identity = &identity_;
    host_.line = spec_.line;
    host_.random = &random_;
    host_.emit = [this](media::Event event) { sink_(std::move(event)); };
    host_.delay = [this](media::LegId leg, bool in, std::vector<std::uint8_t> bytes, TimePoint at) {
      delayed_.insert({at, {leg, in, std::move(bytes)}});
    };
    host_.said_marker = [this](const Role& role, TimePoint at) {
      if (measuring_) measured_.said.push_back({at, role.room, *role.marker});
    };
    thread_ = std::thread([this] { run(); });
  }

  ~Impl() { stop(); }

  void push(Command command) { commands_.push(std::move(command)); }

  Measured finish() {
    stop();
    return std::move(measured_);
  }

 private:
  void stop() {
    if (!thread_.joinable()) return;
    commands_.push(Stop{});
    thread_.join();
  }

  void run() {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    watch(commands_.fd(), kCommands);
    watch(timer_, kTimer);
    const TimePoint start = std::chrono::steady_clock::now();
    SlotClock slots(start);
    next_second_at_ = start + 1s;
    const auto every = std::chrono::duration_cast<std::chrono::nanoseconds>(kSlot).count();
    itimerspec interval{{0, every}, {0, every}};
    timerfd_settime(timer_, 0, &interval, nullptr);

    std::array<epoll_event, kEventsAtOnce> events;
    while (!stopping_) {
      const int count = epoll_wait(epoll_, events.data(), kEventsAtOnce, -1);
      for (int i = 0; i < count; ++i) {
        const auto what = events[static_cast<std::size_t>(i)].data.u64;
        const TimePoint now = std::chrono::steady_clock::now();
        if (what == kCommands) {
          for (Command& command : commands_.take()) {
            std::visit([this, now](auto& each) { on(each, now); }, command);
          }
        } else if (what == kTimer) {
          std::uint64_t times = 0;
          (void)!read(timer_, &times, sizeof times);
        } else if (Leg* leg = find({what})) {
          leg->readable(now);
        }
        // However much there is to hear, everybody speaks in time: else it would be jitter.
        on_timer(slots, now);
      }
    }
    legs_.clear();  // they count up to now
    if (!kept_.empty()) measured_.traffic = std::move(kept_);
    ::close(timer_);
    ::close(epoll_);
  }

  void watch(int fd, std::uint64_t what) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = what;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  Leg* find(media::LegId leg) const { return legs_.at(leg.value - 1).get(); }

  void on_timer(SlotClock& slots, TimePoint now) {
    while (!delayed_.empty() && delayed_.begin()->first <= now) {
      const Delayed datagram = std::move(delayed_.extract(delayed_.begin()).mapped());
      Leg* leg = find(datagram.leg);
      if (datagram.in) {
        leg->arrive(datagram.bytes, now);
      } else {
        leg->depart(datagram.bytes);
      }
    }
    while (const auto turn = slots.take(now)) {
      if (measuring_) {
        const std::chrono::duration<double, std::milli> late = turn->late;
        measured_.late_ms.push_back(late.count());
      }
      for (std::size_t i = turn->slot; i < legs_.size(); i += kSlots) {
        if (legs_[i]) legs_[i]->tick(std::chrono::steady_clock::now());
      }
    }
    if (now >= next_second_at_) tell_second(now);
  }

  void tell_second(TimePoint now) {
    next_second_at_ += 1s;
    Second second{.at = now};
    std::vector<std::uint64_t> received;
    for (std::size_t i = 0; i < legs_.size(); ++i) {
      if (!legs_[i]) continue;
      const auto lately = legs_[i]->take_received_lately();
      if (!legs_[i]->connected()) continue;
      ++second.connected;
      if (!spec_.callers[i].talker) received.push_back(lately);
    }
    if (!received.empty()) {
      std::ranges::sort(received);
      second.least = received.front();
      second.median = received[received.size() / 2];
      second.most = received.back();
    }
    sink_(second);
  }

  void on(const Open& open, TimePoint) {
    const std::size_t i = open.leg.value - 1;
    try {
      legs_[i] = std::make_unique<Leg>(host_, open.leg, spec_.callers[i], measured_.traffic[i],
                                       ears_[i].get());
      watch(legs_[i]->fd(), open.leg.value);
      if (silent_ && spec_.callers[i].talker) legs_[i]->set_silent(true);
      legs_[i]->open();
    } catch (const std::exception& error) {
      sink_(media::Event(media::LegFailed{open.leg, media::LegFailure::no_port, error.what()}));
    }
  }
  void on(const Connect& connect, TimePoint now) {
    if (Leg* leg = find(connect.leg)) leg->connect(connect.remote, now);
  }
  void on(const AddCandidates& add, TimePoint) {
    if (Leg* leg = find(add.leg)) leg->add(add.candidates);
  }
  void on(const SetSending& set, TimePoint) {
    if (Leg* leg = find(set.leg)) leg->set_sending(set.sending);
  }
  void on(const Vanish& vanish, TimePoint) {
    if (Leg* leg = find(vanish.leg)) leg->vanish();
  }
  void on(const Close& close, TimePoint now) {
    media::LegClosed closed{close.leg, {}};
    if (Leg* leg = find(close.leg)) {
      closed.statistics = leg->statistics();
      leg->end_hearing(now);
      leg->say_bye(now);
      legs_[close.leg.value - 1].reset();
      // The leg's number may soon be that of another call.
      std::erase_if(delayed_, [&close](const auto& each) { return each.second.leg == close.leg; });
    }
    sink_(media::Event(closed));
  }
  void on(const SetSilent& set, TimePoint) {
    silent_ = set.silent;
    for (std::size_t i = 0; i < legs_.size(); ++i) {
      if (legs_[i] && spec_.callers[i].talker) legs_[i]->set_silent(silent_);
    }
  }
  void on(const Begin&, TimePoint now) {
    measuring_ = true;
    measured_.from = now;
    std::ranges::fill(measured_.traffic, Traffic());
    for (const auto& ear : ears_) {
      if (ear) ear->forget();
    }
  }
  void on(const End&, TimePoint now) {
    measuring_ = false;
    measured_.to = now;
    for (const auto& leg : legs_) {
      if (leg) leg->end_hearing(now);
    }
    for (std::size_t i = 0; i < ears_.size(); ++i) {
      if (ears_[i]) measured_.ears.push_back({i, ears_[i]->heard(), ears_[i]->own_db()});
    }
    kept_ = measured_.traffic;  // what comes while they hang up does not count
  }
  void on(const Stop&, TimePoint) { stopping_ = true; }

  static constexpr std::uint64_t kCommands = ~0ULL, kTimer = kCommands - 1;

  // Constant after construction
  const Spec spec_;
  const std::function<void(CrowdEvent)> sink_;
  const media::gst::DtlsIdentity identity_;

  std::mt19937_64 random_;
  mixer::Mailbox<Command> commands_;
  // The crowd's thread's; the owner's again once it has ended.
  Leg::Host host_;
  std::vector<std::unique_ptr<Leg>> legs_;
  std::vector<std::unique_ptr<Ear>> ears_;
  std::multimap<TimePoint, Delayed> delayed_;
  Measured measured_;
  std::vector<Traffic> kept_;
  int epoll_ = -1, timer_ = -1;
  TimePoint next_second_at_{};
  bool measuring_ = false, silent_ = false, stopping_ = false;

  std::thread thread_;
};

Crowd::Crowd(Spec spec, std::function<void(CrowdEvent)> sink)
    : impl_(std::make_unique<Impl>(std::move(spec), std::move(sink))) {}
Crowd::~Crowd() = default;

void Crowd::open(media::LegId leg) { impl_->push(Open{leg}); }
void Crowd::connect(media::LegId leg, media::LegRemote remote) {
  impl_->push(Connect{leg, std::move(remote)});
}
void Crowd::add_candidates(media::LegId leg, std::vector<media::IceCandidate> candidates) {
  impl_->push(AddCandidates{leg, std::move(candidates)});
}
void Crowd::set_sending(media::LegId leg, bool sending) { impl_->push(SetSending{leg, sending}); }
void Crowd::vanish(media::LegId leg) { impl_->push(Vanish{leg}); }
void Crowd::close(media::LegId leg) { impl_->push(Close{leg}); }
void Crowd::set_silent(bool silent) { impl_->push(SetSilent{silent}); }
void Crowd::begin() { impl_->push(Begin{}); }
void Crowd::end() { impl_->push(End{}); }
Measured Crowd::finish() { return impl_->finish(); }

}  // namespace load
