#include "tests/peers/peer.h"

#include <strings.h>

#include <algorithm>

#include "tests/peers/rules.h"

namespace peers {
namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); !from.empty() && at != text.npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string attribute(Node stanza, const char* xpath) {
  return stanza.select_node(xpath).attribute().value();
}

std::string bare(const std::string& jid) { return jid.substr(0, jid.find('/')); }

void write(Node candidate, const media::IceCandidate& ours, std::size_t number) {
  static constexpr const char* kTypes[] = {"host", "prflx", "relay", "srflx"};
  const auto put = [&](const char* name, const std::string& value) {
    candidate.attribute(name).set_value(value.c_str());
  };
  put("component", std::to_string(ours.component));
  put("foundation", ours.foundation);
  put("id", candidate.attribute("id").value() + std::to_string(number));
  put("ip", ours.ip);
  put("port", std::to_string(ours.port));
  put("priority", std::to_string(ours.priority));
  put("type", kTypes[static_cast<int>(ours.type)]);
}

bool is_message(const Step& step) { return step.stanza.starts_with("<message"); }

// An answer has nothing of a list that the offer has not, and the offer's ids.
void keep_offered(Node answer, Node offer, const std::string& xpath,
                  std::initializer_list<const char*> keys) {
  for (const auto& found : answer.select_nodes(xpath.c_str())) {
    const Node ours = found.node();
    Node theirs;
    for (const auto& offered : offer.select_nodes(xpath.c_str())) {
      const bool same = std::ranges::all_of(keys, [&](const char* key) {
        return strcasecmp(ours.attribute(key).value(), offered.node().attribute(key).value()) == 0;
      });
      if (same) theirs = offered.node();
    }
    if (theirs) {
      set(ours, "id", theirs.attribute("id").value());
    } else {
      ours.parent().remove_child(ours);
    }
  }
}

}  // namespace

const std::vector<Step>& script(const Client& client, Part part) {
  switch (part) {
    case Part::calls: break;
    case Part::is_proposed_to: return client.proposed_to;
    case Part::is_called: return client.called;
    case Part::declines: return client.declines;
  }
  return client.script;
}

Peer::Peer(const Client& client, Place place, Part part)
    : client_(client),
      rules_(part == Part::calls ? client.rules : client.called_rules),
      place_(std::move(place)),
      part_(part),
      sid_(place_.sid),
      script_(peers::script(client, part).begin(), peers::script(client, part).end()) {
  memory_.self = place_.self;
  memory_.room = place_.room;
  if (calls() && script_.front().act != Act::propose) memory_.called = place_.dials;
}

void Peer::use(LocalMedia media) {
  media_ = std::move(media);
  trickled_ = 0;
}

void Peer::stay() {
  std::erase_if(script_, [](const Step& step) { return step.act == Act::hang_up; });
}

bool Peer::accepted() const {
  return calls() ? memory_.find(kAccept) != nullptr : memory_.when(Act::accept).has_value();
}

bool Peer::complains_of(const Kind& kind) const {
  return std::ranges::find(broken_, &kind) != broken_.end();
}

const Step* Peer::upcoming() const {
  return script_.empty() || ended_ || !may_say(script_.front()) ? nullptr : &script_.front();
}

bool Peer::may_say(const Step& step) const {
  const bool in_session = calls() || memory_.offer.root();
  switch (step.act) {
    case Act::propose: return true;
    case Act::initiate: return !memory_.called.empty();
    case Act::ring:
    case Act::proceed:
    case Act::accept:
    case Act::decline: return is_message(step) ? !memory_.called.empty() : in_session;
    case Act::trickle:
      if (!memory_.connected) return in_session;
      break;
    default: break;
  }
  // One thing after the other, as people do.
  return memory_.connected && accepted() && memory_.requests.empty() &&
         std::ranges::none_of(rules_, [&](const Rule& rule) { return rule.pending(memory_); });
}

std::optional<std::string> Peer::next(TimePoint now) {
  pass(now);
  if (!upcoming()) return std::nullopt;
  const Step step = std::move(script_.front());
  script_.pop_front();
  const bool candidate = step.stanza.find("<candidate ") != step.stanza.npos;
  if (step.act == Act::trickle && candidate && media_ && trickled_ >= media_->candidates.size()) {
    return next(now);  // the capture's had more addresses
  }
  std::string stanza = dressed(step);
  memory_.said[step.act] = now;
  if (step.act == Act::hang_up || step.act == Act::decline) ended_ = true;
  return stanza;
}

// The client's own bytes, but for what belongs to this call.
std::string Peer::dressed(const Step& step) {
  auto xml = jingle::Xml::parse(step.stanza).value();
  std::string sid = attribute(xml.root(), "/iq/jingle/@sid");
  if (sid.empty())
    sid = attribute(xml.root(),
                    "/message/*[self::propose or self::ringing or "
                    "self::proceed or self::reject]/@id");
  xml = jingle::Xml::parse(replaced(step.stanza, sid, sid_)).value();
  Node stanza = xml.root();
  stanza.remove_attribute("xmlns");
  set(stanza, "from", place_.self.c_str());
  set(stanza, "to", step.act == Act::propose ? place_.room.c_str() : memory_.called.c_str());
  std::string id = stanza.attribute("id").value();
  if (id.find(sid_) == id.npos) id = sid_ + "-" + std::to_string(++ids_);
  set(stanza, "id", id.c_str());
  remove_each(stanza, "/message/stanza-id");  // a server's
  const auto& initiator = calls() ? place_.self : memory_.called;
  const auto& responder = calls() ? memory_.called : place_.self;
  for (const auto& [name, jid] : {std::pair{"initiator", initiator}, {"responder", responder}}) {
    auto party = stanza.child("jingle").attribute(name);
    const bool full = std::string(party.value()).find('/') != std::string::npos;
    if (party) party.set_value((full ? jid : bare(jid)).c_str());
  }
  if (!calls()) fit(stanza, step.act);
  if (media_) dress_transports(stanza, step.act);
  if (step.act == Act::initiate) memory_.offer = xml;
  if (stanza.name() == std::string("iq")) memory_.requests[id] = memory_.now;
  return xml.str();
}

// To what it is called with: the capture's caller had other names and ids.
void Peer::fit(Node stanza, Act act) const {
  if (const auto* proposal = memory_.find("/message/propose")) {
    set_each(stanza, "/message/received", "id", proposal->stanza.root().attribute("id").value());
  }
  const Node offer = memory_.offer.root();
  const std::string name = attribute(offer, "/iq/jingle/content/@name");
  if (act != Act::tell)
    set_each(stanza, "/iq/jingle//*[@name='0' or @name='audio']", "name", name.c_str());
  if (act != Act::accept) return;
  for (const auto& found : stanza.select_nodes("//content"))
    set(found.node(), "name", name.c_str());
  keep_offered(stanza, offer, "//payload-type", {"name", "clockrate"});
  keep_offered(stanza, offer, "//rtp-hdrext", {"uri"});
}

void Peer::dress_transports(Node stanza, Act act) {
  for (const auto& found : stanza.select_nodes("//transport")) {
    Node transport = found.node();
    transport.attribute("ufrag").set_value(media_->ice.ufrag.c_str());
    transport.attribute("pwd").set_value(media_->ice.pwd.c_str());
    if (Node fingerprint = transport.child("fingerprint")) {
      set(fingerprint, "hash", media_->fingerprint.hash.c_str());
      fingerprint.text().set(media_->fingerprint.value.c_str());
    }
    const Node pattern = transport.child("candidate");
    if (!pattern) continue;
    const bool one = act == Act::trickle;
    const std::size_t first = one ? trickled_++ : 0;
    const std::size_t last = one ? first + 1 : media_->candidates.size();
    for (std::size_t i = first; i < last; ++i) {
      write(transport.insert_copy_before(pattern, pattern), media_->candidates[i], i);
    }
    for (Node old = pattern; old;) {
      const Node after = old.next_sibling("candidate");
      transport.remove_child(old);
      old = after;
    }
  }
}

void Peer::pass(TimePoint now) {
  memory_.now = now;
  judge({});
}

void Peer::connected(TimePoint now) {
  memory_.now = now;
  if (!memory_.connected) memory_.connected = now;
}

void Peer::judge(Node stanza) {
  for (const Rule& rule : rules_) {
    if (complains_of(*rule.kind) || !rule.broken(memory_, stanza)) continue;
    broken_.push_back(rule.kind);
    std::string text = client_.name + ": " + rule.kind->name + " (" + rule.fact + ")";
    if (stanza) {
      jingle::Xml copy;
      copy.document().append_copy(stanza);
      text += ": " + copy.str();
    }
    complaints_.push_back(std::move(text));
  }
}

std::string Peer::receive(const jingle::Xml& stanza, TimePoint now) {
  memory_.now = now;
  const std::string type = stanza.root().attribute("type").value();
  const bool answers = type == "result" || type == "error";
  if (!ended_) judge(stanza.root());
  if (answers) {
    memory_.requests.erase(stanza.root().attribute("id").value());
    return {};
  }
  heard(stanza);
  if (client_.sends_receipts && finds(stanza.root(), "/message/request")) {
    return "<message type='chat' from='" + place_.self + "' to='" +
           attribute(stanza.root(), "/*/@from") + "'><received xmlns='urn:xmpp:receipts' id='" +
           attribute(stanza.root(), "/*/@id") + "'/></message>";
  }
  return stanza.root().name() == std::string("iq") ? answer(stanza) : "";
}

void Peer::heard(const jingle::Xml& stanza) {
  memory_.heard.push_back({memory_.now, stanza});
  const Node root = stanza.root();
  const bool for_us = root.attribute("to").value() == place_.self;
  if (finds(root, "/message/proceed") && for_us && memory_.called.empty()) {
    memory_.called = root.attribute("from").value();
  }
  const bool waits = !calls() && !ended_;
  const bool takes_proposals = is_message(peers::script(client_, part_).front());
  if (waits && finds(root, "/message/propose") && takes_proposals) {
    memory_.called = root.attribute("from").value();
    sid_ = attribute(root, "/message/propose/@id");
  }
  if (waits && finds(root, kOffer)) {
    memory_.called = root.attribute("from").value();
    sid_ = attribute(root, "/iq/jingle/@sid");
    memory_.offer = stanza;
  }
  // Another device was faster, or nobody waits any more.
  if (waits && takes_proposals && finds(root, "/message[retract or finish]")) ended_ = true;
  if (finds(root, kEnd)) {
    ended_ = true;
    reason_ = root.select_node("//reason/*[not(self::text)]").node().name();
    reason_text_ = root.select_node("//reason/text").node().text().get();
  }
}

std::string Peer::answer(const jingle::Xml& stanza) {
  const Node iq = stanza.root();
  if (client_.silent_to && finds(iq, client_.silent_to)) return {};
  std::string type = "result", child;
  if (finds(iq, "/iq[@type='get']/query")) {
    child = "<query xmlns='http://jabber.org/protocol/disco#info'>" + client_.disco + "</query>";
  } else if (client_.refuses && finds(iq, client_.refuses)) {
    type = "error";
    child =
        "<error type='cancel'><service-unavailable "
        "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
    if (finds(iq, kDocument)) ++memory_.documents_refused;
  }
  return "<iq type='" + type + "' id='" + iq.attribute("id").value() + "' from='" + place_.self +
         "' to='" + iq.attribute("from").value() + "'>" + child + "</iq>";
}

}  // namespace peers
