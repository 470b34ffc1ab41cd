// The focus's answers to IQ requests: service discovery, ping, Jingle, Coin.
#include <algorithm>
#include <pugixml.hpp>

#include "mixer/features.h"
#include "mixer/focus.h"
#include "mixer/limits.h"
#include "mixer/reasons.h"
#include "signaling/namespaces.h"

namespace mixer {

using jingle::Iq;
using Answer = jingle::Result<std::string>;

namespace {

constexpr char kRosterNs[] = "jabber:iq:roster";  // RFC 6121 §2

Answer to_answer(std::optional<jingle::StanzaError> error) {
  if (error) return tl::unexpected(std::move(*error));
  return std::string();
}

}  // namespace

// Calls overtake what is only asked for: documents, and what is large.
Reply Focus::reply_to(const Iq& iq, TimePoint now) {
  Reply reply{iq.to, iq.from, iq.id, answer(iq, now)};
  if (iq.type != Iq::Type::get) return reply;
  const bool document =
      !jingle::child(iq.xml.root(), jingle::ns::kConferenceInfo, "conference-info").empty();
  const std::size_t bytes = reply.result ? reply.result->size() : 0;
  const bool large = bytes > limits::kLargeAnswer;
  if (document || large) reply.priority = jingle::Priority::normal;
  if (large && !document && !may_have(bytes, iq.from, now)) {
    reply.result = tl::unexpected(jingle::resource_constraint("Too many large answers."));
  }
  return reply;
}

bool Focus::may_have(std::size_t bytes, const jingle::Jid& who, TimePoint now) {
  if (large_answer_bytes_.ready_at() > now) return false;
  if (!large_answers_.take(chat_rooms_.user_of(who).str(), now)) return false;
  large_answer_bytes_.spend(bytes, now);
  return true;
}

Answer Focus::answer(const Iq& iq, TimePoint now) {
  if (is_roster_push(iq)) {
    ask_roster(now);
    return std::string();
  }
  const auto request = jingle::route(iq);
  if (!request) {
    const bool document =
        iq.type == Iq::Type::set &&
        jingle::child(iq.xml.root(), jingle::ns::kConferenceInfo, "conference-info");
    Conference* conference =
        document && place_of(iq.to) == Place::room ? find(room_of(iq.to)) : nullptr;
    if (conference) conference->malformed_document_from(iq.from, request.error(), out_);
    return tl::unexpected(request.error());
  }
  if (place_of(iq.to) == Place::nowhere) return tl::unexpected(jingle::service_unavailable());
  return std::visit([&](const auto& payload) { return handle(iq, payload, now); }, *request);
}

// RFC 6121 §2.1.6: only the account's own server may say so.
bool Focus::is_roster_push(const Iq& iq) const {
  const bool own = iq.from.empty() || iq.from == config_.xmpp.jid;
  return client_mode() && own && iq.type == Iq::Type::set &&
         jingle::child(iq.xml.root(), kRosterNs, "query");
}

Answer Focus::handle(const Iq& iq, const jingle::DiscoInfoQuery& query, TimePoint) {
  if (place_of(iq.to) == Place::domain) return disco_info(domain_features(), query.node);
  const std::string room = room_of(iq.to);
  if (!room_exists(room)) return tl::unexpected(jingle::item_not_found());
  jingle::DiscoInfo info = room_features(config_.xmpp.mode, config_.presence.relay);
  if (has_node(iq, query.node)) {  // XEP-0060 §5.3
    return jingle::DiscoInfo{{{"pubsub", "leaf", "", ""}}, {jingle::ns::kPubsub}}.xml(query.node);
  }
  // More than what caps tell of the full JID.
  const bool service = eventing_ && iq.to.is_bare() && query.node.empty();
  if (service && !config_.presence.publish.empty()) eventing_->announce(info);
  return disco_info(info, query.node);
}

// One of a room's that the asker may read.
bool Focus::has_node(const Iq& iq, const std::string& node) const {
  if (!eventing_ || place_of(iq.to) != Place::room || !iq.to.is_bare()) return false;
  const auto nodes = eventing_->nodes(room_of(iq.to), iq.from.bare());
  return std::ranges::find(nodes, node) != nodes.end();
}

Answer Focus::handle(const Iq& iq, const jingle::DiscoItemsQuery& query, TimePoint) {
  std::vector<jingle::DiscoItem> items;
  if (!query.node.empty()) {
    if (!has_node(iq, query.node)) return tl::unexpected(jingle::item_not_found());
    return jingle::disco_items_xml(items,
                                   query.node);  // XEP-0060 §5.5: its items are asked for there
  }
  if (place_of(iq.to) == Place::domain) {
    std::map<std::string, std::string> listed;
    for (const auto& [name, room] : config_.rooms) {
      if (room.is_public) listed.emplace(name, room.display_text);
    }
    for (const auto& [name, room] : rooms_) {
      const RoomConfig& config = room.conference.place().config;
      if (config.is_public) listed.emplace(name, config.display_text);
    }
    for (const auto& [name, text] : listed) {
      items.push_back({bare_of(name), text.empty() ? name : text, {}});
    }
  } else {
    const std::string room = room_of(iq.to);
    if (!room_exists(room)) return tl::unexpected(jingle::item_not_found());
    // SylkServer finds whom to call among the bare JID's items.
    if (iq.to.is_bare()) items.push_back({full_of(room), {}, {}});
    if (eventing_ && iq.to.is_bare()) {
      for (std::string& node : eventing_->nodes(room, iq.from.bare())) {
        items.push_back({iq.to, {}, std::move(node)});
      }
    }
  }
  return jingle::disco_items_xml(items, query.node);
}

Answer Focus::handle(const Iq& iq, const jingle::XmppPing&, TimePoint) {
  if (place_of(iq.to) == Place::room && !room_exists(room_of(iq.to))) {
    return tl::unexpected(jingle::service_unavailable());
  }
  return std::string();
}

Answer Focus::handle(const Iq& iq, const jingle::PubsubRequest& asked, TimePoint now) {
  if (!eventing_ || place_of(iq.to) != Place::room || !iq.to.is_bare()) {
    return tl::unexpected(jingle::service_unavailable());
  }
  const std::string room = room_of(iq.to);
  if (!room_exists(room)) return tl::unexpected(jingle::item_not_found());
  if (!asked.request) return tl::unexpected(asked.request.error());
  return eventing_->answer(room, iq.from, *asked.request, now);
}

Answer Focus::handle(const Iq& iq, const jingle::ExternalServices& push, TimePoint now) {
  return ice_services_.pushed(iq, push, out_, now);
}

Answer Focus::handle(const Iq& iq, const jingle::ConferenceInfoSet& set, TimePoint now) {
  if (place_of(iq.to) == Place::room) {
    const std::string room = room_of(iq.to);
    if (Conference* conference = find(room)) {
      auto error = conference->document_from(iq.from, set.info, out_, now);
      settle(room, now);
      return to_answer(std::move(error));
    }
  }
  return tl::unexpected(jingle::unknown_session());
}

Answer Focus::handle(const Iq& iq, const jingle::ConferenceInfoGet&, TimePoint now) {
  if (place_of(iq.to) == Place::room) {
    const std::string room = room_of(iq.to);
    if (Conference* conference = find(room)) {
      auto document = conference->document_for(iq.from, out_, now);
      settle(room, now);
      return document;
    }
  }
  return tl::unexpected(jingle::unknown_session());
}

Answer Focus::handle(const Iq& iq, const jingle::Request& request, TimePoint now) {
  const auto* offer = std::get_if<jingle::SessionInitiate>(&request.payload);
  if (place_of(iq.to) == Place::domain) {
    return tl::unexpected(offer ? jingle::service_unavailable() : jingle::unknown_session());
  }
  const std::string room = room_of(iq.to);
  Conference* conference = find(room);
  const bool live = conference && conference->has_session(iq.from, request.sid);
  // Two that call each other may even have drawn the same sid (XEP-0166 §7.2.16).
  const bool crosses = offer && crossing_of(iq, request.sid, *offer) != Dialling::Crossing::none;
  if (offer && (!live || crosses)) return initiate(iq, request.sid, *offer, now);
  if (!live) return tl::unexpected(jingle::unknown_session());
  auto error = conference->request(iq.from, request, out_, now);
  // An accept of what was not offered has ended the call: that one cannot be called.
  if (!error && std::holds_alternative<jingle::SessionAccept>(request.payload) &&
      conference->has_session(iq.from, request.sid)) {
    dialling_.answered(room, iq.from, request.sid);
  }
  settle(room, now);
  return to_answer(std::move(error));
}

Answer Focus::initiate(const Iq& iq, const jingle::Sid& sid, const jingle::SessionInitiate& offer,
                       TimePoint now) {
  const std::string room = room_of(iq.to);
  if (!access_.allows(iq.from)) {
    log_refusal("session-initiate", iq.from, now);
    return tl::unexpected(jingle::service_unavailable());
  }
  if (!room_exists(room)) return tl::unexpected(jingle::service_unavailable());
  const auto crossing = crossing_of(iq, sid, offer);
  if (crossing == Dialling::Crossing::prevail) return tl::unexpected(jingle::tie_break());
  const auto invitation = invitations_.take(room, iq.from, sid);
  const auto refuse = [&](std::string_view what, jingle::StanzaError error) -> Answer {
    log_refusal(what, iq.from, now);
    if (invitation) finish(*invitation, reasons::of(error), {}, now);
    return tl::unexpected(std::move(error));
  };
  if (auto error = over_limits(iq.from, invitation.has_value(), now)) {
    return refuse("session-initiate over a limit", std::move(*error));
  }
  Conference* conference = open(room, iq.from, now);
  if (!conference) {
    return refuse("a new room over the limit",
                  jingle::resource_constraint("Too many new conferences."));
  }
  if (crossing == Dialling::Crossing::yield) {
    yield_to(*conference, Dial(*dialling_.of(room, iq.from)), sid, now);
  }
  const media::LegId leg{++last_leg_};
  const bool accepted =
      conference->initiate({.sid = sid,
                            .local = iq.to,
                            .peer = iq.from,
                            .offer = &offer,
                            .leg = leg,
                            .proposed = invitation.has_value(),
                            .replaces = invitation ? invitation->replaces : std::nullopt,
                            .occupant = chat_rooms_.is_occupant(iq.from),
                            .profile = clients_.known(iq.from, now)},
                           out_, now);
  if (accepted) legs_.emplace(leg, Leg{room, std::nullopt});
  settle(room, now);
  return std::string();
}

// Of two session-initiates for the same (XEP-0166 §7.2.16): who is called and offers a file
// meanwhile does not answer by it.
Dialling::Crossing Focus::crossing_of(const Iq& iq, const jingle::Sid& sid,
                                      const jingle::SessionInitiate& offer) const {
  const bool audio = std::ranges::any_of(offer.contents, [](const jingle::Content& content) {
    return content.rtp() && content.rtp()->media == "audio";
  });
  if (!audio) return Dialling::Crossing::none;
  const std::string room = room_of(iq.to);
  return dialling_.session_crosses(room, iq.from, sid, full_of(room));
}

std::optional<jingle::StanzaError> Focus::over_limits(const jingle::Jid& caller, bool proposed,
                                                      TimePoint now) {
  const jingle::Jid user = chat_rooms_.user_of(caller);
  if (calls_.blocked(user.str(), now)) return jingle::service_unavailable();
  if (shutting_down_) return jingle::resource_constraint("The mixer is shutting down.");
  if (legs_.size() >= static_cast<std::size_t>(config_.limits.participants)) {
    return jingle::resource_constraint("The mixer is full.");
  }
  if (no_port_until_ && now < *no_port_until_) {
    return jingle::resource_constraint("The mixer has no port left.");
  }
  if (pending_of(user) >= config_.limits.pending_per_jid) {
    calls_.refused(user.str(), now);
    return jingle::resource_constraint("You have too many calls under way.");
  }
  // A proposal was counted when it came.
  if (!proposed && !calls_.take(user.str(), now)) {
    return jingle::resource_constraint("You call too often.");
  }
  return std::nullopt;
}

int Focus::pending_of(const jingle::Jid& user) const {
  int pending = invitations_.pending_of(user);
  for (const auto& [name, room] : rooms_) pending += room.conference.pending_of(user);
  return pending;
}

bool Focus::room_exists(const std::string& room) const {
  return client_mode() || config_.create_rooms_on_dial || config_.rooms.contains(room);
}

const RoomConfig& Focus::config_of(const std::string& room) const {
  const auto listed = config_.rooms.find(room);
  return listed == config_.rooms.end() ? config_.room_defaults : listed->second;
}

Conference* Focus::open(const std::string& room, const jingle::Jid& caller, TimePoint now) {
  if (Conference* conference = find(room)) return conference;
  const bool listed = client_mode() || config_.rooms.contains(room);
  if (!listed && !new_rooms_.take(caller.domain(), now)) return nullptr;
  Conference::Place place{.name = room,
                          .bare = bare_of(room),
                          .full = full_of(room),
                          .config = config_of(room),
                          .media_room = {++last_media_room_}};
  const auto added = rooms_.emplace(
      room, Room{.conference = Conference(std::move(place), config_, documents_, nicks_, wall_),
                 .deadline = std::nullopt});
  return &added.first->second.conference;
}

}  // namespace mixer
