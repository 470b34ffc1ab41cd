// signaling/stanza_error.h: stanza errors (RFC 6120 §8.3) with Jingle's conditions (XEP-0166 §10).
// Values; any thread.
#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace pugi {
class xml_node;
}

namespace jingle {

struct StanzaError {
  std::string type;              // auth, cancel, continue, modify, wait
  std::string condition;         // e.g. item-not-found
  std::string app_ns, app_name;  // application condition; empty: none
  std::string text;
  std::string address = {};  // of gone and redirect (RFC 6120 §8.3.3.5, §8.3.3.14): an IRI
  std::string feature = {};  // of an application condition: what is unsupported (XEP-0060 §6.1.3.9)

  // By itself, some time; nothing is known of what was asked for. Prosody gives the type cancel to
  // what was on a stream that broke off (XEP-0198 §5; RFC 6120 §8.3.3.13 has wait).
  bool passes() const {
    return type == "wait" || condition == "remote-server-timeout" ||
           condition == "recipient-unavailable";
  }
  std::string xml() const;  // <error .../>
  // Reads the <error/> child of an IQ of type error; undefined-condition where it says nothing
  // useful.
  static StanzaError parse(const pugi::xml_node& iq);
  bool operator==(const StanzaError&) const = default;
};

template <typename T>
using Result = tl::expected<T, StanzaError>;

// XEP-0166 §10, RFC 6120 §8.3.3.
StanzaError bad_request(std::string text = {});          // modify
StanzaError service_unavailable();                       // cancel
StanzaError item_not_found();                            // cancel
StanzaError feature_not_implemented();                   // cancel
StanzaError not_allowed();                               // cancel
StanzaError forbidden();                                 // auth
StanzaError unknown_session();                           // cancel item-not-found
StanzaError out_of_order();                              // wait unexpected-request
StanzaError tie_break();                                 // cancel conflict
StanzaError unsupported_info();                          // modify feature-not-implemented
StanzaError security_required();                         // cancel not-acceptable
StanzaError resource_constraint(std::string text = {});  // wait

}  // namespace jingle
