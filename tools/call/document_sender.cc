#include "tools/call/document_sender.h"

#include <pugixml.hpp>
#include <sstream>
#include <utility>

namespace call {
namespace {

constexpr std::string_view kSid = "{sid}";

// The root element alone: a file's XML declaration and comments have no place in a stream.
std::string root_of(const std::string& document) {
  pugi::xml_document xml;
  if (!xml.load_string(document.c_str())) return {};
  std::ostringstream text;
  xml.document_element().print(text, "", pugi::format_raw | pugi::format_skip_control_chars);
  return text.str();
}

}  // namespace

void DocumentSender::add(std::string document) {
  waiting_.push_back(std::move(document));
  send_next();
}

void DocumentSender::start(const jingle::Jid& peer, const jingle::Sid& sid) {
  peer_ = peer;
  sid_ = sid;
  in_flight_.clear();  // an answer that was on its way went down with the connection
  send_next();
}

bool DocumentSender::on_answer(const jingle::Iq& iq) {
  if (in_flight_.empty() || iq.id != in_flight_) return false;
  in_flight_.clear();
  const bool good = iq.type == jingle::Iq::Type::result;
  out_.tell("document-answer",
            good ? "result" : jingle::StanzaError::parse(iq.xml.root()).condition);
  send_next();
  return true;
}

void DocumentSender::send_next() {
  while (!peer_.empty() && in_flight_.empty() && !waiting_.empty()) {
    std::string document = std::exchange(waiting_.front(), {});
    waiting_.pop_front();
    if (const auto at = document.find(kSid); at != std::string::npos) {
      document.replace(at, kSid.size(), jingle::escape(sid_.value));
    }
    if (const auto xml = jingle::Xml::parse(root_of(document))) {  // pugixml is not strict
      in_flight_ = out_.send_iq(peer_, xml->str());
    } else {
      out_.tell("document-answer", "not well-formed");
    }
  }
}

}  // namespace call
