// What people tell a room by chat (control.h), and what it answers.
#include <algorithm>
#include <pugixml.hpp>

#include "mixer/display_name.h"
#include "mixer/focus.h"
#include "mixer/limits.h"
#include "mixer/overloaded.h"
#include "signaling/namespaces.h"

namespace mixer {
namespace {

const std::string kNobody = "Nobody is in the call.";
const std::string kNotHere = "Call this address first.";

}  // namespace

void Focus::told(const std::string& room, const jingle::Message& message, TimePoint now) {
  const pugi::xml_node stanza = message.xml.root();
  const pugi::xml_node body = jingle::child(stanza, jingle::effective_ns(stanza), "body");
  if (!body || (message.type != "chat" && message.type != "normal" && !message.type.empty()))
    return;
  // Two programs that answer each other would never stop, and what was kept on its way (XEP-0203)
  // nobody waits for.
  if (jingle::child(stanza, jingle::ns::kDelay, "delay") || clients_.is_bot(message.from)) return;
  const std::string sender = chat_rooms_.user_of(message.from).str();
  const Said said{.room = room,
                  .from = message.from,
                  .type = message.type.empty() ? "normal" : message.type,
                  .told = parse_control(jingle::text_of(body))};
  if (!(said.told ? controls_ : hints_).take(sender, now)) return;
  if (clients_.said_of_itself(said.from)) return respond(said, now);
  switch (chatters_.hear(said, now)) {
    case Chatters::Then::answer: return respond(said, now);
    case Chatters::Then::ask:
      out_.ask_disco_info(full_of(room), {said.from, Purpose::chatter, room, {}, now});
      break;
    case Chatters::Then::wait: break;
  }
}

void Focus::chatter_answered(const jingle::Iq& iq, TimePoint now) {
  const pugi::xml_node query = jingle::child(iq.xml.root(), jingle::ns::kDiscoInfo, "query");
  auto info = jingle::DiscoInfo::parse(query);
  const bool known = iq.type != jingle::Iq::Type::error && info;
  if (known) clients_.learned(iq.from, std::move(*info), now);
  for (const Said& said : chatters_.answered(iq.from, known)) {
    if (!clients_.is_bot(said.from)) respond(said, now);
  }
}

void Focus::respond(const Said& said, TimePoint now) {
  std::string answer = "This address takes calls. Say \"help\" to see what else it understands.";
  if (said.told) answer = carry_out(said.room, said.from, *said.told, now);
  out_.put(SendMessage{full_of(said.room), said.from, said.type, out_.next_id(),
                       "<body>" + jingle::escape(answer) + "</body>"});
  settle(said.room, now);
}

Role Focus::role_of(const std::string& room, const jingle::Jid& who) const {
  const auto& moderators = config_of(room).moderators;
  // A bare JID is a chat room's, or a user's; only he is known by it.
  const jingle::Jid user = chat_rooms_.user_of(who);
  if (std::ranges::find(moderators, user) != moderators.end()) return Role::moderator;
  const auto found = rooms_.find(room);
  const bool here = found != rooms_.end() && found->second.conference.has_participant(user);
  return here ? Role::participant : Role::anybody;
}

// What would only be refused is not offered.
std::set<std::string_view> Focus::switched_off(const std::string& room) const {
  std::set<std::string_view> off;
  if (!publishes(jingle::pep::Node::status)) off.insert("status");
  if (!publishes(jingle::pep::Node::viewing)) off.insert("viewing");
  if (config_.presence.relay.empty()) off.insert({"share", "unshare"});
  if (!config_of(room).record || config_.record.directory.empty()) off.insert("record");
  return off;
}

std::string Focus::carry_out(const std::string& room, const jingle::Jid& who, const Told& told,
                             TimePoint now) {
  const Role role = role_of(room, who);
  if (!told.control) return help_for(role, told.name);
  const Role needed = needed_for(*told.control);
  if (needed > role) {
    return needed == Role::moderator ? "Only moderators may say that." : kNotHere;
  }
  if (needed == Role::moderator) {
    out_.log(Log::Level::info, "control: " + field("room", room) + ' ' + field("by", who.str()) +
                                   ' ' + field("said", describe(told)));
  }
  Conference* const conference = find(room);
  const auto with = [&](const std::string& name, auto&& act) -> std::string {
    const auto user = conference ? conference->user_called(name) : std::nullopt;
    return user ? act(*user) : "Nobody here has that name: " + displayable(name);
  };
  return std::visit(
      Overloaded{
          [&](const control::Help& help) {
            const std::string lines = help_for(role, help.about, switched_off(room));
            return lines.empty() ? "There is no such command. Say \"help\"." : lines;
          },
          [&](const control::Who&) { return conference ? conference->who() : kNobody; },
          [&](const control::Topic& topic) {
            if (!conference) return kNobody;
            if (topic.text) conference->set_subject(*topic.text);
            const std::string subject = conference->subject();
            return subject.empty() ? "There is no topic." : "Topic: " + subject;
          },
          [&](const control::Status& status) {
            if (!publishes(jingle::pep::Node::status)) {
              return std::string("No status is published here.");
            }
            const auto found = rooms_.find(room);
            if (found == rooms_.end()) return kNobody;
            if (status.text) found->second.status = *status.text;
            return found->second.status.empty() ? "The status is the configured one."
                                                : "Status: " + found->second.status;
          },
          [&](const ShareWish& wish) {
            if (!conference) return kNotHere;
            const jingle::Jid user = who.bare();
            const auto answer = conference->share(user, wish, sees(room, user), out_, now);
            if (wish.share && conference->shares_unseen(user)) ask_to_see(room, user);
            return answer.value_or(kNotHere);
          },
          [&](const control::Invite& invite) {
            const auto refused = dial({room, invite.whom, who.bare(), invite.reason}, now);
            return refused ? std::string(to_string(*refused)) : invite.whom.str() + " is called.";
          },
          [&](const control::Mute& mute) {
            return with(mute.whom, [&](const jingle::Jid& user) {
              return conference->mute(user, true, out_, now) ? "Muted." : "Muted already.";
            });
          },
          [&](const control::Unmute& unmute) {
            return with(unmute.whom, [&](const jingle::Jid& user) {
              return conference->mute(user, false, out_, now) ? "Not muted any more."
                                                              : "Not muted.";
            });
          },
          [&](const control::Kick& kick) {
            return with(kick.whom, [&](const jingle::Jid& user) {
              conference->kick(user, out_, now);
              return "The call was ended.";
            });
          },
          [&](const control::Playing&) {
            return conference ? conference->tell_what_plays(role == Role::moderator)
                              : "Nothing is played.";
          },
          [&](const PlayOrder& order) {
            if (!conference) return kNobody;
            if (order.what == PlayOrder::What::viewing && !publishes(jingle::pep::Node::viewing)) {
              return std::string("What is watched is not published here.");
            }
            const auto refused = conference->order(order, who, out_);
            if (refused) return std::string(to_string(*refused));
            const auto piece = conference->now_playing();
            const bool sound = piece && !piece->video && !piece->broadcast;
            return std::string(order.what == PlayOrder::What::viewing && sound
                                   ? "Done, but that is told of videos and broadcasts only."
                                   : "Done.");
          },
          [&](const RecordOrder& order) {
            if (!conference) return kNobody;
            auto refused = conference->record(order, who, out_, now);
            if (refused) return *std::move(refused);
            return std::string(order.what == RecordOrder::What::stop
                                   ? "The recording ends."
                                   : "The call is recorded as soon as all have heard three tones.");
          },
      },
      *told.control);
}

}  // namespace mixer
