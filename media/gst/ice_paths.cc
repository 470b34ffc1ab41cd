#include "media/gst/ice_paths.h"

#include <algorithm>
#include <utility>

#include "media/gst/transport_limits.h"

namespace media::gst {
namespace {

constexpr IcePaths::TimePoint kPassed{};

}  // namespace

struct IcePaths::Path final : IceAgent::Observer {
  Path(IcePaths& of, int component_count, const std::vector<std::string>& moved_to)
      : paths(of),
        components(component_count),
        moved(moved_to.empty() ? std::nullopt : std::optional(of.config_)),
        agent(of.context_, config(moved_to), of.controlling_, component_count, *this) {}
  ~Path() override { paths.rerouted(); }
  const IceConfig& config(const std::vector<std::string>& moved_to) {
    if (!moved) return paths.config_;
    moved->addresses = moved_to;
    return *moved;
  }

  void ice_candidates(std::vector<IceCandidate> all) override {
    paths.candidates(*this, std::move(all));
  }
  void ice_connected(int component) override {
    connected[component == 2] = true;
    paths.rerouted();
    paths.path_connected(*this, component);
  }
  void ice_failed(int component) override {
    connected[component == 2] = false;
    paths.rerouted();
    paths.path_failed(*this, component);
  }
  void ice_learned() override { paths.learned(); }
  void ice_heard() override { paths.observer_.ice_heard(); }
  void ice_received(int component, std::span<std::uint8_t> datagram) override {
    paths.observer_.ice_received(component, datagram);
  }

  IcePaths& paths;
  const int components;
  bool told = false;       // its first candidates
  bool checks = false;     // the peer's credentials are known
  bool lost = false;       // component 1 was connected once
  bool abandoned = false;  // ends at the next deadline: its agent may be calling
  bool passed = false;     // one begun later is in use: only heard
  std::array<bool, 2> connected{};
  std::vector<IceCandidate> held;  // before `checks`
  std::optional<IceConfig> moved;
  IceAgent agent;  // first to be destroyed: its last calls find all of this
};

IcePaths::IcePaths(GMainContext* context, const IceConfig& config, bool controlling,
                   Observer& observer)
    : context_(context), config_(config), controlling_(controlling), observer_(observer) {}
IcePaths::~IcePaths() = default;

bool IcePaths::open(int components) {
  path_ = std::make_unique<Path>(*this, components, std::vector<std::string>());
  return path_->agent.gather();
}

bool IcePaths::begin_checks(const IceCredentials& credentials) {
  Path* const path = newest();
  if (!path || !path->agent.set_remote_credentials(credentials)) return false;
  path->checks = true;
  add_remote_candidates(std::exchange(path->held, {}));
  return true;
}

std::size_t IcePaths::add_remote_candidates(const std::vector<IceCandidate>& candidates) {
  Path* const path = newest();
  if (!path) return candidates.size();
  if (path->checks) return path->agent.add_remote_candidates(candidates);
  const auto room = limits::kRemoteCandidates - path->held.size();
  const auto taken = std::min(room, candidates.size());
  path->held.insert(path->held.end(), candidates.begin(),
                    candidates.begin() + static_cast<std::ptrdiff_t>(taken));
  return candidates.size() - taken;
}

bool IcePaths::restart(int components, const IceRestart& restart, TimePoint now) {
  if (restart.remote && !IceAgent::usable(*restart.remote)) return false;
  if (next_ && next_->connected[0]) take_over();
  retired_until_.reset();
  // Who restarts again and again and never connects is waited for hardly longer than another: the
  // last one must have its chance.
  const bool waited_for = next_ && next_->checks && !next_->abandoned && !connected(1);
  if (!waited_for) waits_since_ = now;
  const auto once = waits_since_ + limits::kConnectTime;
  restart_until_ =
      std::max(once, std::min(now + limits::kRestartChance, once + limits::kConnectTime));
  // Restarts make room for one more address a second (RFC 8445 §19.5.1).
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now - counted_at_.value_or(now));
  learned_ -= std::min(learned_, static_cast<std::size_t>(seconds.count()));
  counted_at_ = now;
  if (next_ && next_->checks && !next_->abandoned) superseded_ = std::move(next_);
  next_.reset();
  if (!restart.moved_to.empty()) {
    for (auto* path : {&retired_, &superseded_, &path_}) path->reset();
  }
  bool begun = start(components, restart);
  if (!begun && (retired_ || superseded_)) {  // their port may be the last one
    retired_.reset();
    superseded_.reset();
    begun = start(components, restart);
  }
  if (!begun) {
    abandon();
  } else if (restart.remote) {
    begin_checks(*restart.remote);
  }
  observer_.ice_schedule();
  return begun;
}

bool IcePaths::start(int components, const IceRestart& restart) {
  next_ = std::make_unique<Path>(*this, components, restart.moved_to);
  return next_->agent.gather();
}

bool IcePaths::awaits_answer() const { return next_ && !next_->checks && !next_->abandoned; }

IceCredentials IcePaths::credentials() const {
  return newest() ? newest()->agent.credentials() : IceCredentials{};
}

bool IcePaths::connected(int component) const { return route(component) != nullptr; }

IcePaths::Path* IcePaths::route(int component) const {
  for (Path* const path : {next_.get(), path_.get()}) {
    if (path && path->connected[component == 2]) return path;
  }
  return nullptr;
}

bool IcePaths::send(int component, std::span<const std::uint8_t> datagram) {
  if (component == 1 && way_ && way_->fd >= 0) return way_->send(datagram);
  Path* const path = route(component);
  if (component == 1) way_ = path ? &path->agent.way(1) : nullptr;
  return path && path->agent.send(component, datagram);
}

std::string IcePaths::selected_local() const { return route(1)->agent.selected_local(); }
std::string IcePaths::selected_remote() const { return route(1)->agent.selected_remote(); }

IcePaths::TimePoint IcePaths::next_deadline() const {
  if (!next_ && path_ && path_->lost) return kPassed;
  auto next = TimePoint::max();
  if (next_) {
    next = next_->abandoned ? kPassed : restart_until_;
  } else if (retired_ || superseded_) {
    next = retired_until_.value_or(kPassed);
  }
  for (const Path* const path : {path_.get(), next_.get()}) {
    if (path) next = std::min(next, path->agent.next_deadline());
  }
  return next;
}

void IcePaths::on_deadline(TimePoint now) {
  for (Path* const path : {path_.get(), next_.get()}) {
    if (path) path->agent.on_deadline(now);
  }
  if (next_ && (next_->abandoned || now >= restart_until_)) {
    if (next_->connected[0]) return take_over();
    next_.reset();
    if (!path_ || path_->lost) observer_.ice_lost();
  }
  if (next_) return;
  if (path_ && path_->lost) path_.reset();  // its checks end here
  if (!retired_until_) retired_until_ = now + limits::kRestartLinger;
  if (now < *retired_until_) return;
  retired_.reset();
  superseded_.reset();
}

void IcePaths::close() {
  for (auto* path : {&retired_, &superseded_, &next_, &path_}) path->reset();
}

void IcePaths::candidates(Path& path, std::vector<IceCandidate> candidates) {
  if (&path != newest()) return;  // of credentials that count no more
  const bool first = !std::exchange(path.told, true);
  using enum Observer::News;
  observer_.ice_candidates(!first                 ? more
                           : &path == next_.get() ? restarted
                                                  : opened,
                           std::move(candidates));
}

void IcePaths::path_connected(const Path& path, int component) {
  if (path.passed) return;
  observer_.ice_connected(component);
  // Reports move to the new pair too, if the old had one for them.
  const bool waits_for_reports =
      path.components == 2 && !path.connected[1] && path_ && path_->connected[1];
  if (!path.connected[0] || waits_for_reports) return;
  if (&path == next_.get()) take_over();
  if (&path == superseded_.get()) {
    const bool mends = !path_ || path_->lost;
    use(superseded_);
    if (mends) observer_.ice_restart_done();
  }
}

void IcePaths::path_failed(Path& path, int component) {
  // Without component 2 there are no reports, but sound; its consent stands for itself.
  if (component != 1 || path.passed || &path == superseded_.get()) return;
  path.lost = true;
  if (&path == next_.get()) {
    abandon();
  } else if (!next_) {
    observer_.ice_lost();
  }
}

// libnice keeps them all, looks through them at every check, and sends checks of its own to each.
void IcePaths::learned() {
  if (++learned_ == limits::kCandidatePairs) observer_.ice_flooded();
}

void IcePaths::abandon() {
  next_->connected = {};
  rerouted();
  next_->abandoned = true;
  observer_.ice_schedule();
}

void IcePaths::take_over() {
  if (superseded_) superseded_->passed = true;
  use(next_);
  observer_.ice_restart_done();
}

void IcePaths::use(std::unique_ptr<Path>& newer) {
  if (path_) {
    path_->passed = true;
    retired_ = std::move(path_);
  }
  path_ = std::move(newer);
  rerouted();
  retired_until_.reset();
  observer_.ice_schedule();
}

}  // namespace media::gst
