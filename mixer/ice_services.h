// mixer/ice_services.h: which STUN and TURN servers legs use: the configuration's own first, then
// those that the XMPP server knows (XEP-0215), asked for by type, refreshed before they expire, and
// kept up to date by its pushes. What they need to be kept secret stays out of the log. Pure;
// signaling thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "media/media_engine.h"
#include "mixer/clock.h"
#include "mixer/config.h"
#include "mixer/outbox.h"
#include "signaling/external_services.h"
#include "signaling/stanza.h"

namespace mixer {

// The configuration's own.
std::vector<media::IceServer> ice_servers(const Config::Media& media);

class IceServices {
 public:
  // Asked is [media] discover-services; by default the account's server, or the one above the
  // component's domain (Access has the same rule).
  IceServices(const Config& config, WallTime wall);

  // `self`: as whom to ask. What is known stays in use until answers come, and across a connection
  // that is down, but never beyond its expiry.
  void connection_up(const jingle::Jid& self, bool resumed, Outbox& out, TimePoint now);
  void connection_down() { connected_ = false; }
  // The answer to a question of one of the three purposes.
  void answered(const Awaited& awaited, const jingle::Iq& iq, Outbox& out, TimePoint now);
  // XEP-0215 §3.2. service-unavailable: from anybody but the server that is asked.
  jingle::Result<std::string> pushed(const jingle::Iq& iq, const jingle::ExternalServices& push,
                                     Outbox& out, TimePoint now);
  void advance(Outbox& out, TimePoint now);
  std::optional<TimePoint> next_deadline() const;

 private:
  struct Known {
    jingle::ExternalService service;
    std::optional<TimePoint> refresh, expires;  // of its credentials
  };
  struct List {  // of one type
    std::string type;
    Purpose purpose;
    bool asking = false;
    std::optional<TimePoint> due;  // when to ask; while asking, until when to wait
    std::vector<Known> known;
  };
  using Faults = std::vector<std::string>;

  void ask(List& list, Outbox& out, TimePoint now);
  void learned(List& list, const jingle::ExternalServices& services, Outbox& out, TimePoint now);
  void credentials(const jingle::Iq& iq, Outbox& out, TimePoint now);
  void failed(List& list, const std::string& condition, Outbox& out, TimePoint now);
  // Adds or replaces, if it is of use; asks for the credentials it lacks. `before`: where it may
  // have had some.
  void take(List& list, const jingle::ExternalService& service, const std::vector<Known>& before,
            Faults& faults, Outbox& out, TimePoint now);
  void refresh_in_time(List& list, TimePoint now);
  // Log lines: of a failure once until there is another, or an answer.
  void complain(const std::string& condition, Outbox& out);
  void report(const Faults& faults, Outbox& out) const;
  // Tells the engine, if something has changed.
  void settle(Outbox& out);

  // Constant after construction.
  const std::vector<media::IceServer> configured_;
  const jingle::Jid server_;  // empty: nobody is asked
  const WallTime wall_;

  jingle::Jid self_;
  bool connected_ = false;
  std::string failure_;  // the last one in the log
  std::array<List, 2> lists_;
  std::vector<media::IceServer> told_;
};

}  // namespace mixer
