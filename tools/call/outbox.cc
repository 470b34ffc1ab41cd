#include "tools/call/outbox.h"

#include <utility>

namespace call {
namespace {

std::string to_attribute(const jingle::Jid& to) {
  return to.empty() ? std::string() : " to='" + jingle::escape(to.str()) + "'";
}

}  // namespace

Commands Outbox::take() { return std::exchange(commands_, {}); }

std::string Outbox::send_iq(const jingle::Jid& to, const std::string& payload) {
  std::string id = "call" + std::to_string(++iqs_sent_);
  put(Send{jingle::Priority::urgent,
           "<iq type='set' id='" + id + "'" + to_attribute(to) + ">" + payload + "</iq>"});
  return id;
}

std::string Outbox::send_jingle(const jingle::Jid& to, const jingle::Sid& sid,
                                jingle::Payload payload) {
  return send_iq(to, jingle::write_jingle({sid, std::move(payload)}));
}

void Outbox::send_jmi(const jingle::Jid& to, const jingle::Sid& sid, jingle::jmi::Payload payload) {
  const bool proposes = std::holds_alternative<jingle::jmi::Propose>(payload);
  const auto id = proposes ? proposal_id(sid) : "jm" + std::to_string(++iqs_sent_);
  put(Send{jingle::Priority::urgent,
           "<message type='chat' id='" + jingle::escape(id) + "'" + to_attribute(to) + ">" +
               jingle::jmi::write({sid, std::move(payload)}) + "</message>"});
}

void Outbox::answer(const jingle::Iq& iq, const jingle::Result<std::string>& result,
                    std::size_t at) {
  std::string xml = "<iq type='";
  xml += result ? "result'" : "error'";
  xml += " id='" + jingle::escape(iq.id) + "'" + to_attribute(iq.from) + ">";
  xml += result ? *result : result.error().xml();
  xml += "</iq>";
  commands_.insert(commands_.begin() + static_cast<std::ptrdiff_t>(at),
                   Send{jingle::Priority::urgent, std::move(xml)});
}

void Outbox::tell(std::string event, Json detail) {
  const std::chrono::duration<double> t = now_ - start_;
  told_.push_back({t.count(), event});
  put(Tell{std::move(event), std::move(detail)});
}

std::string proposal_id(const jingle::Sid& sid) { return "jm-propose-" + sid.value; }

}  // namespace call
