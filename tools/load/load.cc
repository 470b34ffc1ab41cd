#include "tools/load/load.h"

#include <algorithm>
#include <cmath>
#include <pugixml.hpp>
#include <sstream>
#include <utility>

#include "signaling/namespaces.h"
#include "signaling/strophe_connection.h"

namespace load {
namespace {

using namespace std::chrono_literals;

// Deadlines of callers are seconds; to look at a thousand of them costs some microseconds.
constexpr auto kLook = 20ms;
constexpr auto kLeaving = 15s;  // those who have not ended by then are left alone

std::string random_sid(std::mt19937_64& random) {
  std::ostringstream text;
  text << std::hex << random() << random();
  return text.str();
}

std::set<std::size_t> sampled(const std::vector<Role>& roles) {
  std::set<std::size_t> numbers;
  for (std::size_t i = 0; i < roles.size(); ++i) {
    if (roles[i].sampled) numbers.insert(i);
  }
  return numbers;
}

Crowd::Spec crowd_spec(const Options& options, const Cast& cast) {
  return {.address = options.address,
          .plain = false,
          .line = options.line,
          .seed = options.seed,
          .markers = cast.markers,
          .callers = cast.roles};
}

}  // namespace

class Load::CrowdEvents : public mixer::EventSource {
 public:
  explicit CrowdEvents(Load& load) : load_(load) {}
  int poll_fd() const override { return load_.mailbox_.fd(); }
  void on_ready(short, TimePoint) override {
    for (CrowdEvent& event : load_.mailbox_.take()) {
      if (const auto* second = std::get_if<Second>(&event)) {
        load_.on_second(*second);
      } else {
        auto& media = std::get<media::Event>(event);
        const auto leg = media::leg_of(media);
        if (leg) load_.handle(leg->value - 1, std::move(media));
      }
    }
  }

 private:
  Load& load_;
};

Load::Load(Options options, std::function<void(const Progress&)> progress)
    : options_(std::move(options)),
      progress_(std::move(progress)),
      start_(clock_.now()),
      cast_(make_cast(options_)),
      random_(options_.seed),
      mailbox_(0, [](const CrowdEvent&) { return false; }),
      crowd_(crowd_spec(options_, cast_),
             [this](CrowdEvent event) { mailbox_.push(std::move(event)); }),
      coin_(cast_.roles.size(), sampled(cast_.roles)),
      loop_(clock_),
      crowd_events_(std::make_unique<CrowdEvents>(*this)),
      signals_([this](TimePoint now) {
        if (phase_ >= Phase::leaving) return false;
        stopped_ = true;
        if (phase_ == Phase::measuring) end_measuring();
        enter(Phase::leaving, now);
        return true;
      }),
      pump_at_(start_),
      look_at_(start_),
      slots_(cast_.roles.size()) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const std::string bare = "caller" + std::to_string(i + 1) + "@" + options_.component.domain();
    slots_[i].jid = bare + "/load";
    numbers_[slots_[i].jid] = i;
    coin_.set_entity(i, "xmpp:" + bare);
  }
  connection_ = jingle::make_strophe_connection({.mode = jingle::StropheConfig::Mode::component,
                                                 .jid = options_.component,
                                                 .password = options_.secret,
                                                 .host = options_.host,
                                                 .port = options_.port},
                                                *this);
}

Load::~Load() = default;

int Load::run() {
  mixer::signaling_thread.assert_here();
  loop_.add(crowd_events_.get());
  loop_.add(&signals_);
  loop_.add(this);
  phase_ends_ = clock_.now() + options_.patience;
  connection_->connect();
  while (phase_ != Phase::over) loop_.turn();
  const bool good = lost_link_.empty() && refused_.empty() && failed_.empty() && missing_ == 0 &&
                    ended_ == ended_vanished_;
  return good ? 0 : 1;
}

void Load::on_up(const jingle::XmppConnection::Up&) {
  up_ = true;
  enter(Phase::joining, clock_.now());
}

void Load::on_down(const jingle::XmppConnection::Down& down) {
  up_ = false;
  if (phase_ == Phase::over) return;
  lost_link_ = down.reason;
  if (phase_ == Phase::measuring) end_measuring();
  phase_ = Phase::over;
}

void Load::on_stanza(jingle::Stanza stanza) {
  if (const auto* iq = std::get_if<jingle::Iq>(&stanza)) return on_iq(*iq);
  const auto& to =
      std::visit([](const auto& each) -> const jingle::Jid& { return each.to; }, stanza);
  const auto found = numbers_.find(to.str());
  if (found != numbers_.end() && slots_[found->second].caller) {
    handle(found->second, call::StanzaReceived{std::move(stanza)});
  }
}

void Load::on_iq(const jingle::Iq& iq) {
  const auto found = numbers_.find(iq.to.str());
  const bool asks = iq.type == jingle::Iq::Type::get || iq.type == jingle::Iq::Type::set;
  const std::string head = " id='" + jingle::escape(iq.id) + "' from='" +
                           jingle::escape(iq.to.str()) + "' to='" + jingle::escape(iq.from.str()) +
                           "'";
  if (found == numbers_.end() || !slots_[found->second].caller ||
      slots_[found->second].caller->finished()) {
    if (asks) {
      connection_->send(
          jingle::Priority::normal,
          "<iq type='error'" + head + ">" + jingle::service_unavailable().xml() + "</iq>");
    }
    return;
  }
  const auto document =
      jingle::child(iq.xml.root(), jingle::ns::kConferenceInfo, "conference-info");
  if (iq.type != jingle::Iq::Type::set || !document) {
    return handle(found->second, call::StanzaReceived{iq});
  }
  if (slots_[found->second].vanished) return;
  coin_.document(found->second, document, clock_.now());
  connection_->send(jingle::Priority::normal, "<iq type='result'" + head + "/>");
}

int Load::poll_fd() const { return connection_->poll_fd(); }
short Load::poll_events() const { return connection_->poll_events(); }
std::optional<TimePoint> Load::deadline() const { return std::min(pump_at_, look_at_); }

void Load::on_ready(short, TimePoint now) {
  connection_->pump();
  if (now >= look_at_) {
    look_at_ = now + kLook;
    advance(now);
    serve_deadlines(now);
  }
  pump_at_ = now + connection_->poll_timeout();
}

void Load::begin_call(std::size_t number) {
  Slot& slot = slots_[number];
  call::CallerSpec spec;
  spec.sid = random_sid(random_);
  spec.to = room_of(options_, number);
  spec.offer.ptime_ms = static_cast<std::uint32_t>(options_.ptime.count());
  spec.patience = options_.patience;
  slot.dialled_at = clock_.now();
  slot.caller = std::make_unique<call::Caller>(std::move(spec), slot.dialled_at);
  ++slot.calls;
  handle(number, call::Online{*jingle::Jid::parse(slot.jid)});
}

void Load::handle(std::size_t number, const call::Event& event) {
  Slot& slot = slots_[number];
  if (!slot.caller) return;
  for (const auto& command : slot.caller->handle(event, clock_.now())) carry_out(number, command);
  // Not before it was told to send.
  if (std::exchange(slot.to_mute, false)) {
    handle(number, call::UserAsked{.what = call::UserAsked::What::mute});
  }
  if (std::exchange(slot.to_hang_up, false)) {
    handle(number, call::UserAsked{.what = call::UserAsked::What::hang_up});
  }
}

void Load::carry_out(std::size_t number, const call::Command& command) {
  const media::LegId leg{number + 1};
  if (const auto* send = std::get_if<call::Send>(&command)) {
    send_as(slots_[number], send->xml);
  } else if (std::get_if<call::OpenLeg>(&command) != nullptr) {
    crowd_.open(leg);
  } else if (const auto* connect = std::get_if<call::ConnectLeg>(&command)) {
    crowd_.connect(leg, connect->remote);
  } else if (const auto* add = std::get_if<call::AddRemoteCandidates>(&command)) {
    crowd_.add_candidates(leg, add->candidates);
  } else if (std::get_if<call::CloseLeg>(&command) != nullptr) {
    crowd_.close(leg);
  } else if (const auto* set = std::get_if<call::SetSending>(&command)) {
    const bool says = cast_.roles[number].talker || options_.listeners != Options::Listeners::none;
    crowd_.set_sending(leg, set->sending && says);
  } else if (std::get_if<call::Disconnect>(&command) != nullptr) {
    handle(number, call::Offline{""});
    call_over(number);
  } else if (const auto* tell = std::get_if<call::Tell>(&command)) {
    note(number, *tell);
  }
}

// A component says who speaks (XEP-0114 §3); what is for the server alone it does not say at all.
void Load::send_as(const Slot& slot, std::string xml) {
  if (slot.vanished) return;
  const auto head_end = xml.find('>');
  if (xml.find(" to='") > head_end) return;
  xml.insert(xml.find_first_of(" >"), " from='" + jingle::escape(slot.jid) + "'");
  connection_->send(jingle::Priority::urgent, std::move(xml));
  pump_at_ = std::min(pump_at_, clock_.now());
}

void Load::note(std::size_t number, const call::Tell& tell) {
  Slot& slot = slots_[number];
  const TimePoint now = clock_.now();
  const auto since = [now](TimePoint then) {
    return std::chrono::duration<double, std::milli>(now - then).count();
  };
  if (tell.event == "connected") {
    slot.connected = true;
    slot.to_hang_up = phase_ == Phase::leaving;
    (slot.calls == 1 ? join_ms_ : rejoin_ms_).push_back(since(slot.dialled_at));
    coin_.connected(number, now);
    const std::size_t rank = number / static_cast<std::size_t>(options_.rooms);
    if (rank < static_cast<std::size_t>(options_.muted) && cast_.roles[number].talker) {
      slot.to_mute = true;
    }
  } else if (tell.event == "ended") {
    slot.connected = false;
    coin_.left(number);
    if (slot.vanished) vanish_noticed_s_.push_back(since(vanished_at_) / 1000);
  }
}

void Load::call_over(std::size_t number) {
  const Slot& slot = slots_[number];
  const call::Report& report = slot.caller->report();
  if (report.result == "success") {
    ++succeeded_;
  } else {
    ++(report.result == "refused" ? refused_
       : report.result == "ended" ? ended_
                                  : failed_)[report.reason];
    if (report.result == "ended" && slot.vanished) ++ended_vanished_[report.reason];
  }
}

void Load::advance(TimePoint now) {
  switch (phase_) {
    case Phase::connecting:
      if (now >= phase_ends_) on_down({.reason = "no answer from the server"});
      break;
    case Phase::joining:
      join(now);
      if (started_ == slots_.size() && all_settled()) enter(Phase::settling, now);
      break;
    case Phase::settling:
      if (now >= phase_ends_) enter(Phase::measuring, now);
      break;
    case Phase::measuring:
      make_trouble(now);
      if (now < phase_ends_) break;
      end_measuring();
      enter(Phase::leaving, now);
      break;
    case Phase::leaving: {
      const bool done = std::ranges::all_of(slots_, [](const Slot& slot) {
        return !slot.caller || slot.caller->finished() || slot.vanished;
      });
      if (!done && now < phase_ends_) break;
      phase_ = Phase::over;
      for (const Slot& slot : slots_) {
        if (slot.caller && is_dialling(slot)) ++failed_["timeout"];
      }
      break;
    }
    case Phase::over: break;
  }
}

void Load::enter(Phase phase, TimePoint now) {
  phase_ = phase;
  switch (phase) {
    case Phase::joining: join_from_ = now; break;
    case Phase::settling: phase_ends_ = now + options_.settle; break;
    case Phase::measuring:
      phase_ends_ = now + options_.seconds;
      trouble_at_ = now + options_.seconds / 2;
      next_churn_ = now;
      crowd_.begin();
      sample_processes(true);
      break;
    case Phase::leaving:
      missing_ = slots_.size() - started_;
      hang_up_all();
      phase_ends_ = now + kLeaving;
      break;
    default: break;
  }
}

void Load::end_measuring() {
  crowd_.end();
  sample_processes(false);
}

void Load::join(TimePoint now) {
  const std::chrono::duration<double> joining = now - join_from_;
  const auto due = static_cast<std::size_t>(joining.count() * options_.join_rate) + 1;
  while (started_ < std::min(due, slots_.size())) begin_call(started_++);
}

bool Load::is_dialling(const Slot& slot) {
  return !slot.connected && !slot.vanished && !slot.caller->finished();
}

bool Load::all_settled() const { return std::ranges::none_of(slots_, is_dialling); }

std::vector<std::size_t> Load::drawn(double share) {
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.connected && !slot.vanished && !slot.rejoins) numbers.push_back(i);
  }
  std::ranges::shuffle(numbers, random_);
  numbers.resize(
      static_cast<std::size_t>(std::llround(static_cast<double>(numbers.size()) * share)));
  return numbers;
}

void Load::make_trouble(TimePoint now) {
  while (options_.churn > 0 && now >= next_churn_) {
    next_churn_ += std::chrono::duration_cast<TimePoint::duration>(
        std::chrono::duration<double>(1 / options_.churn));
    for (const std::size_t number : drawn(1)) {
      if (cast_.roles[number].talker) continue;
      rejoin(number);
      break;
    }
  }
  if (troubled_ && silence_ends_ != TimePoint() && now >= silence_ends_) {
    silence_ends_ = {};
    crowd_.set_silent(false);
  }
  if (troubled_ || now < trouble_at_) return;
  troubled_ = true;
  if (options_.silence > 0ms) {
    crowd_.set_silent(true);
    silence_ends_ = now + options_.silence;
  }
  for (const std::size_t number : drawn(options_.vanish_share)) {
    slots_[number].vanished = true;
    vanished_at_ = now;
    crowd_.vanish({number + 1});
  }
  for (const std::size_t number : drawn(options_.rejoin_share)) rejoin(number);
}

void Load::rejoin(std::size_t number) {
  slots_[number].rejoins = true;
  handle(number, call::UserAsked{.what = call::UserAsked::What::hang_up});
}

void Load::serve_deadlines(TimePoint now) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (!slot.caller) continue;
    if (const auto due = slot.caller->next_deadline(); due && now >= *due) {
      handle(i, call::DeadlinePassed{});
    }
    if (slot.rejoins && slot.caller->finished() && phase_ < Phase::leaving) {
      slot.rejoins = false;
      begin_call(i);
    }
  }
}

// Who has just dialled again is no failed call for that: he hangs up when he is connected.
void Load::hang_up_all() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.caller && !slot.vanished && (stopped_ || !is_dialling(slot))) {
      handle(i, call::UserAsked{.what = call::UserAsked::What::hang_up});
    }
  }
}

}  // namespace load
