#include "media/gst/ice_agent.h"

#include <nice/agent.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "media/gst/ice_gate.h"
#include "media/gst/ice_servers.h"
#include "media/gst/socket_poller.h"
#include "media/gst/transport_limits.h"

namespace media::gst {
namespace {

constexpr guint kRtpComponent = 1;

thread_local int agents_giving_back = 0;

struct CandidateFree {
  void operator()(NiceCandidate* candidate) const { nice_candidate_free(candidate); }
};
using CandidatePtr = std::unique_ptr<NiceCandidate, CandidateFree>;

NiceCandidateType to_nice(CandidateType type) {
  switch (type) {
    case CandidateType::host: return NICE_CANDIDATE_TYPE_HOST;
    case CandidateType::srflx: return NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE;
    case CandidateType::prflx: return NICE_CANDIDATE_TYPE_PEER_REFLEXIVE;
    case CandidateType::relay: return NICE_CANDIDATE_TYPE_RELAYED;
  }
  return NICE_CANDIDATE_TYPE_HOST;
}

CandidateType from_nice(NiceCandidateType type) {
  switch (type) {
    case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE: return CandidateType::srflx;
    case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE: return CandidateType::prflx;
    case NICE_CANDIDATE_TYPE_RELAYED: return CandidateType::relay;
    case NICE_CANDIDATE_TYPE_HOST: break;
  }
  return CandidateType::host;
}

std::string ip_of(const NiceAddress& address) {
  std::array<char, NICE_ADDRESS_STRING_LEN> text{};
  nice_address_to_string(&address, text.data());
  return text.data();
}

IceCandidate from_nice(const NiceCandidate& nice) {
  IceCandidate candidate;
  candidate.component = static_cast<int>(nice.component_id);
  candidate.foundation = nice.foundation;
  candidate.ip = ip_of(nice.addr);
  candidate.port = static_cast<std::uint16_t>(nice_address_get_port(&nice.addr));
  candidate.priority = nice.priority;
  candidate.type = from_nice(nice.type);
  if (candidate.type != CandidateType::host) {
    candidate.rel_addr = ip_of(nice.base_addr);
    candidate.rel_port = static_cast<std::uint16_t>(nice_address_get_port(&nice.base_addr));
  }
  return candidate;
}

CandidatePtr to_nice(const IceCandidate& candidate) {
  CandidatePtr nice(nice_candidate_new(to_nice(candidate.type)));
  if (!nice_address_set_from_string(&nice->addr, candidate.ip.c_str())) return nullptr;
  nice_address_set_port(&nice->addr, candidate.port);
  nice->base_addr = nice->addr;
  nice->component_id = static_cast<guint>(candidate.component);
  nice->transport = NICE_CANDIDATE_TRANSPORT_UDP;
  nice->priority = candidate.priority;
  g_strlcpy(nice->foundation, candidate.foundation.c_str(), sizeof(nice->foundation));
  return nice;
}

std::string describe(const NiceCandidate& candidate) {
  static constexpr const char* kNames[] = {"host", "srflx", "prflx", "relay"};
  const auto ip = ip_of(candidate.addr);
  const bool v6 = ip.find(':') != std::string::npos;
  return std::string(kNames[candidate.type]) + ' ' + (v6 ? "[" + ip + "]" : ip) + ':' +
         std::to_string(nice_address_get_port(&candidate.addr));
}

}  // namespace

class IceAgent::Impl {
 public:
  Impl(GMainContext* context, const IceConfig& config, bool controlling, int components,
       Observer& observer)
      : context_(context),
        config_(config),
        observer_(observer),
        local_(config.addresses.empty() ? interface_addresses() : config.addresses),
        filter_(config.addresses, config.deny_peers),
        components_(components) {
    const auto options = static_cast<NiceAgentOption>(NICE_AGENT_OPTION_ICE_TRICKLE |
                                                      NICE_AGENT_OPTION_CONSENT_FRESHNESS);
    agent_ = ObjectPtr<NiceAgent>::adopt(
        nice_agent_new_full(context, NICE_COMPATIBILITY_RFC5245, options));
    g_object_set(agent_.get(), "upnp", FALSE, "ice-tcp", FALSE, "controlling-mode",
                 static_cast<gboolean>(controlling), "max-connectivity-checks",
                 static_cast<guint>(limits::kCandidatePairs), "keepalive-conncheck", TRUE, nullptr);
    use_stun();
    for (const auto& text : local_) {
      NiceAddress address;
      nice_address_init(&address);
      if (nice_address_set_from_string(&address, text.c_str())) {
        nice_agent_add_local_address(agent_.get(), &address);
      }
    }
    stream_ = nice_agent_add_stream(agent_.get(), static_cast<guint>(components));
    for (guint component = 1; component <= static_cast<guint>(components); ++component) {
      configure(component, context);
    }
    connect_signals();
  }

  ~Impl() {
    g_signal_handlers_disconnect_by_data(agent_.get(), this);
    for (auto& path : paths_) SocketPoller::clear_direct(path.fd, &path);
    for (const auto& gate : gates_) gate->shut();
    for (guint component = 1; component <= static_cast<guint>(components_); ++component) {
      // Not null, with which libnice would no longer read: it awaits answers from the TURN server.
      nice_agent_attach_recv(
          agent_.get(), stream_, component, context_,
          [](NiceAgent*, guint, guint, guint, gchar*, gpointer) {}, nullptr);
    }
    // Allocations on a TURN server are given back, which takes a round trip; the agent keeps itself
    // until then.
    if (uses_turn_) {
      agents_giving_back++;
      nice_agent_close_async(
          agent_.get(), [](GObject*, GAsyncResult*, gpointer) { agents_giving_back--; }, nullptr);
    }
  }

  bool gather() {
    if (local_.empty()) return false;
    gathering_ = true;
    const bool ok = nice_agent_gather_candidates(agent_.get(), stream_) != FALSE;
    gathering_ = false;
    if (!ok) return false;
    install_gates();
    publish_local();
    return true;
  }

  IceCredentials credentials() const {
    gchar* ufrag = nullptr;
    gchar* pwd = nullptr;
    if (!nice_agent_get_local_credentials(agent_.get(), stream_, &ufrag, &pwd)) return {};
    IceCredentials credentials{ufrag, pwd};
    g_free(ufrag);
    g_free(pwd);
    return credentials;
  }

  bool set_remote_credentials(const IceCredentials& remote) {
    return usable(remote) &&
           nice_agent_set_remote_credentials(agent_.get(), stream_, remote.ufrag.c_str(),
                                             remote.pwd.c_str()) != FALSE;
  }

  std::size_t add_remote_candidates(const std::vector<IceCandidate>& candidates) {
    std::size_t skipped = 0;
    for (const auto& candidate : candidates) {
      if (!add_remote_candidate(candidate)) skipped++;
    }
    return skipped;
  }

  bool send(int component, std::span<const std::uint8_t> datagram) {
    const auto& path = path_of(component);
    if (path.way.fd >= 0) return path.way.send(datagram);
    if (!path.connected || !path.allowed) return false;
    SocketPoller::glib_has_news();
    return nice_agent_send(agent_.get(), stream_, static_cast<guint>(component),
                           static_cast<guint>(datagram.size()),
                           reinterpret_cast<const gchar*>(datagram.data())) > 0;
  }

  TimePoint next_deadline() const {
    auto next = TimePoint::max();
    for (std::size_t i = 0; i < paths_.size(); ++i) next = std::min(next, consent_ends(i));
    return next;
  }

  void on_deadline(TimePoint now) {
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      if (now >= consent_ends(i)) failed(static_cast<guint>(i + 1));
    }
  }

  void always_through_agent(bool on) {
    always_through_agent_ = on;
    for (auto& path : paths_) open_way(path);
  }
  const Way& way(int component) { return path_of(component).way; }
  const std::string& selected_local() const { return selected_local_; }
  const std::string& selected_remote() const { return selected_remote_; }

 private:
  struct Path {  // where a component's datagrams go
    bool connected = false, failed = false;
    bool allowed = true;  // the filter allows the selected pair's remote address
    int fd = -1;          // the agent's; -1: send through the agent
    Way way;
    Impl* of = nullptr;
  };

  Path& path_of(int component) { return paths_[component == 2 ? 1 : 0]; }

  // On the agent's own thread only, and refreshed with each selected pair: the agent closes its
  // socket when it likes, and the number is used again.
  void open_way(Path& path) const {
    path.way.fd = path.connected && path.allowed && !always_through_agent_ ? path.fd : -1;
  }

  TimePoint consent_ends(std::size_t index) const {
    return paths_[index].connected ? gates_[index]->consented() + limits::kConsentLasts
                                   : TimePoint::max();
  }

  // libnice checks every 4 to 6 s, as RFC 7675 §5.1 has it, but gives up after 10 s: with one lost
  // datagram, half of the time. As if it had been made without, it goes on checking; withdrawn
  // consent (403) it knows from when its streams were made. Not earlier: without, and without a
  // pair, it looks only every 25 s whether there is something to check.
  void time_consent_ourselves() {
    auto* const object = G_OBJECT(agent_.get());
    auto* const of_class = G_OBJECT_GET_CLASS(object);
    auto* const property = g_object_class_find_property(of_class, "consent-freshness");
    GValue off = G_VALUE_INIT;
    g_value_init(&off, G_TYPE_BOOLEAN);
    of_class->set_property(object, property->param_id, &off, property);  // else only when made
  }

  // libnice asks one STUN server, and from addresses of its family only.
  void use_stun() {
    for (const auto& server : config_.servers) {
      const auto address = IpAddress::parse(server.host);
      const auto reachable = [&](const std::string& text) {
        const auto local = IpAddress::parse(text);
        return local && address && local->is_v4() == address->is_v4();
      };
      if (server.kind != IceServer::Kind::stun ||
          std::none_of(local_.begin(), local_.end(), reachable)) {
        continue;
      }
      g_object_set(agent_.get(), "stun-server", server.host.c_str(), "stun-server-port",
                   static_cast<guint>(server.port), nullptr);
      return;
    }
  }

  void configure(guint component, GMainContext* context) {
    if (config_.port_min != 0) {
      nice_agent_set_port_range(agent_.get(), stream_, component, config_.port_min,
                                config_.port_max);
    }
    for (const auto& server : config_.servers) {
      if (server.kind != IceServer::Kind::turn) continue;
      uses_turn_ = true;
      nice_agent_set_relay_info(agent_.get(), stream_, component, server.host.c_str(), server.port,
                                server.username.c_str(), server.password.c_str(),
                                NICE_RELAY_TYPE_TURN_UDP);
    }
    nice_agent_attach_recv(agent_.get(), stream_, component, context, &Impl::on_receive, this);
  }

  void connect_signals() {
    g_signal_connect(agent_.get(), "component-state-changed", G_CALLBACK(&Impl::on_state), this);
    g_signal_connect(agent_.get(), "new-selected-pair-full", G_CALLBACK(&Impl::on_selected), this);
    g_signal_connect(agent_.get(), "new-candidate-full", G_CALLBACK(&Impl::on_candidate), this);
    g_signal_connect(agent_.get(), "new-remote-candidate-full", G_CALLBACK(&Impl::on_learned),
                     this);
  }

  // Those of TURN servers read from the same.
  void install_gates() {
    for (guint component = 1; component <= static_cast<guint>(components_); ++component) {
      GPtrArray* sockets = nice_agent_get_sockets(agent_.get(), stream_, component);
      for (guint i = 0; i < sockets->len; ++i) {
        IceGate::install(static_cast<GSocket*>(g_ptr_array_index(sockets, i)),
                         gates_[component - 1]);
      }
      g_ptr_array_unref(sockets);
    }
  }

  void publish_local() {
    std::vector<IceCandidate> all;
    for (guint component = 1; component <= static_cast<guint>(components_); ++component) {
      GSList* list = nice_agent_get_local_candidates(agent_.get(), stream_, component);
      for (const GSList* item = list; item; item = item->next) {
        const auto* nice = static_cast<const NiceCandidate*>(item->data);
        auto candidate = from_nice(*nice);
        if (const auto address = IpAddress::parse(candidate.ip)) {
          ours_.push_back({*address, candidate.port});
        }
        publish(std::move(candidate), all);
      }
      g_slist_free_full(
          list, [](gpointer data) { nice_candidate_free(static_cast<NiceCandidate*>(data)); });
    }
    observer_.ice_candidates(std::move(all));
  }

  // 1:1 NAT: the world knows the host by another address and the same port.
  void publish(IceCandidate candidate, std::vector<IceCandidate>& into) const {
    const auto external = IpAddress::parse(config_.external_address);
    const auto own = IpAddress::parse(candidate.ip);
    if (external && own && external->is_v4() == own->is_v4()) {
      if (candidate.type == CandidateType::host) candidate.ip = config_.external_address;
      if (candidate.type == CandidateType::srflx) candidate.rel_addr = config_.external_address;
    }
    const auto same = [&](const IceCandidate& other) {
      return other.component == candidate.component && other.ip == candidate.ip &&
             other.port == candidate.port;
    };
    if (std::none_of(into.begin(), into.end(), same)) into.push_back(std::move(candidate));
  }

  bool add_remote_candidate(const IceCandidate& candidate) {
    if (candidate.component < 1 || candidate.component > components_) return false;
    if (remote_count_ >= limits::kRemoteCandidates || !filter_.allows(candidate, ours_)) {
      return false;
    }
    const auto nice = to_nice(candidate);
    if (!nice) return false;
    GSList item{nice.get(), nullptr};
    remote_count_++;
    return nice_agent_set_remote_candidates(agent_.get(), stream_, nice->component_id, &item) >= 0;
  }

  void state_changed(guint component, NiceComponentState state) {
    auto& path = path_of(static_cast<int>(component));
    if (path.failed) return;  // RFC 7675 §5.1: without consent never again, whatever comes
    if (state == NICE_COMPONENT_STATE_CONNECTED || state == NICE_COMPONENT_STATE_READY) {
      if (!path.connected) {
        path.connected = true;
        open_way(path);
        observer_.ice_connected(static_cast<int>(component));
      }
    } else if (state == NICE_COMPONENT_STATE_FAILED && path.connected) {
      // Before, it says only that the candidates so far failed; more may be trickled.
      failed(component);
    }
  }

  void failed(guint component) {
    auto& path = path_of(static_cast<int>(component));
    SocketPoller::clear_direct(path.fd, &path);
    path = Path{};
    path.failed = true;
    gates_[component - 1]->shut();
    observer_.ice_failed(static_cast<int>(component));
  }

  void selected(guint component, const NiceCandidate& local, const NiceCandidate& remote) {
    auto& path = path_of(static_cast<int>(component));
    gates_[component - 1]->selected();
    time_consent_ourselves();
    SocketPoller::clear_direct(path.fd, &path);
    path.fd = path.way.fd = -1;
    // The peer's checks may come from where the filter lets nothing go; libnice knows no filter.
    const auto address = IpAddress::parse(ip_of(remote.addr));
    path.allowed = address && filter_.allows(*address);
    if (component == kRtpComponent) {
      selected_local_ = describe(local);
      selected_remote_ = describe(remote);
    }
    // null for a relayed local candidate
    auto socket =
        ObjectPtr<GSocket>::adopt(nice_agent_get_selected_socket(agent_.get(), stream_, component));
    if (!socket) return;
    const bool v6 = nice_address_ip_version(&remote.addr) == 6;
    path.way.to = {};
    nice_address_copy_to_sockaddr(&remote.addr, reinterpret_cast<sockaddr*>(&path.way.to));
    path.way.to_length = v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    path.fd = g_socket_get_fd(socket.get());
    path.of = this;
    open_way(path);
    if (path.allowed) {
      SocketPoller::set_direct(path.fd,
                               {.from = path.way.to, .receive = &Impl::on_direct, .self = &path});
    }
  }

  static void on_learned(NiceAgent*, NiceCandidate*, gpointer self) noexcept {
    io_thread.assert_here();
    static_cast<Impl*>(self)->observer_.ice_learned();
  }
  static void on_state(NiceAgent*, guint, guint component, guint state, gpointer self) noexcept {
    io_thread.assert_here();
    static_cast<Impl*>(self)->state_changed(component, static_cast<NiceComponentState>(state));
  }
  static void on_selected(NiceAgent*, guint, guint component, NiceCandidate* local,
                          NiceCandidate* remote, gpointer self) noexcept {
    io_thread.assert_here();
    static_cast<Impl*>(self)->selected(component, *local, *remote);
  }
  static void on_candidate(NiceAgent*, NiceCandidate* nice, gpointer data) noexcept {
    io_thread.assert_here();
    auto* self = static_cast<Impl*>(data);
    if (self->gathering_) return;  // host candidates: publish_local() has them all
    std::vector<IceCandidate> one;
    self->publish(from_nice(*nice), one);
    self->observer_.ice_candidates(std::move(one));
  }
  static void on_receive(NiceAgent*, guint, guint component, guint length, gchar* data,
                         gpointer self) noexcept {
    io_thread.assert_here();
    static_cast<Impl*>(self)->observer_.ice_received(
        static_cast<int>(component), {reinterpret_cast<std::uint8_t*>(data), length});
  }

  static void on_direct(void* path, std::span<std::uint8_t> datagram) {
    io_thread.assert_here();
    auto* const self = static_cast<Path*>(path)->of;
    self->observer_.ice_received(path == &self->paths_[0] ? 1 : 2, datagram);
  }

  GMainContext* const context_;
  const IceConfig& config_;
  Observer& observer_;
  std::vector<std::string> local_;
  CandidateFilter filter_;
  int components_;
  ObjectPtr<NiceAgent> agent_;
  guint stream_ = 0;
  bool uses_turn_ = false;
  bool gathering_ = false, always_through_agent_ = false;
  std::vector<Endpoint> ours_;
  std::size_t remote_count_ = 0;
  std::array<Path, 2> paths_;
  const std::array<std::shared_ptr<IceGate>, 2> gates_{
      std::make_shared<IceGate>([this] { observer_.ice_heard(); }),
      std::make_shared<IceGate>([this] { observer_.ice_heard(); })};
  std::string selected_local_, selected_remote_;
};

IceAgent::IceAgent(GMainContext* context, const IceConfig& config, bool controlling, int components,
                   Observer& observer)
    : impl_(std::make_unique<Impl>(context, config, controlling, components, observer)) {}
IceAgent::~IceAgent() = default;

bool IceAgent::gather() { return impl_->gather(); }
IceCredentials IceAgent::credentials() const { return impl_->credentials(); }
bool IceAgent::set_remote_credentials(const IceCredentials& credentials) {
  return impl_->set_remote_credentials(credentials);
}
bool IceAgent::usable(const IceCredentials& credentials) {
  const auto fits = [](const std::string& text) {
    return !text.empty() && text.size() <= limits::kIceString;
  };
  return fits(credentials.ufrag) && fits(credentials.pwd);
}
std::size_t IceAgent::add_remote_candidates(const std::vector<IceCandidate>& candidates) {
  return impl_->add_remote_candidates(candidates);
}
bool IceAgent::Way::send(std::span<const std::uint8_t> datagram) const {
  const auto sent = ::sendto(fd, datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&to), to_length);
  return sent == static_cast<ssize_t>(datagram.size());
}
const IceAgent::Way& IceAgent::way(int component) const { return impl_->way(component); }
bool IceAgent::send(int component, std::span<const std::uint8_t> datagram) {
  return impl_->send(component, datagram);
}
IceAgent::TimePoint IceAgent::next_deadline() const { return impl_->next_deadline(); }
void IceAgent::on_deadline(TimePoint now) { impl_->on_deadline(now); }
void IceAgent::always_through_agent(bool on) { impl_->always_through_agent(on); }
int IceAgent::giving_back() { return agents_giving_back; }
std::string IceAgent::selected_local() const { return impl_->selected_local(); }
std::string IceAgent::selected_remote() const { return impl_->selected_remote(); }

}  // namespace media::gst
