// The focus's dealings by personal eventing (XEP-0163): what the account shows of itself, and what
// participants show of themselves.
#include <pugixml.hpp>

#include "mixer/focus.h"
#include "mixer/limits.h"
#include "signaling/namespaces.h"

namespace mixer {

void Focus::show_extended(TimePoint now) {
  if (!publisher_) return;
  const std::string& name = config_.xmpp.jid.local();
  const RoomConfig& config = config_of(name);
  Situation situation;
  situation.topic = !config.subject.empty()        ? config.subject
                    : !config.display_text.empty() ? config.display_text
                                                   : config_.xmpp.jid.unescaped_local();
  if (const auto room = rooms_.find(name); room != rooms_.end()) {
    const Conference& conference = room->second.conference;
    situation.users = conference.users();
    if (std::string subject = conference.subject(); !subject.empty()) {
      situation.topic = std::move(subject);
    }
    situation.playing = conference.now_playing();
    situation.status = room->second.status;
  }
  // Most events change nothing of it, and an avatar is not hashed for each.
  if (situation == shown_) return;
  publisher_->show(extended_presence(config_.presence, situation), now);
  shown_ = std::move(situation);
}

// Only what a user himself publishes, which his server says in his name (XEP-0163 §4.3).
void Focus::notified(const std::string& room, const jingle::Jid& from,
                     const jingle::pubsub::Event& event, TimePoint now) {
  Conference* conference = find(room);
  if (!conference || !from.is_bare()) return;
  conference->published(from, event, out_);
  settle(room, now);
}

void Focus::items_answered(const Awaited& awaited, const jingle::Iq& iq, TimePoint now) {
  if (iq.type == jingle::Iq::Type::error) return;  // there is none, or it is not for us
  auto items = jingle::pubsub::parse_items(iq.xml.root(), awaited.node);
  if (!items.empty()) notified(awaited.room, iq.from, {awaited.node, std::move(items)}, now);
}

void Focus::end_sharing(const std::string& room, const jingle::Jid& user, TimePoint now) {
  Conference* conference = find(room);
  if (!conference) return;
  conference->unshare(user);
  settle(room, now);
}

}  // namespace mixer
