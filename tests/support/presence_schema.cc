#include "tests/support/presence_schema.h"

#include <map>
#include <regex>

#include "tests/support/data.h"
#include "tests/support/xsd_validator.h"

namespace test_support {
namespace {

using jingle::pep::Node;

const char* schema_of(Node node) {
  switch (node) {
    case Node::tune: return "xep-0118-tune";
    case Node::viewing: return "xep-0197-viewing-0";
    case Node::status: return "protoxep-user-status";
    case Node::activity: return "xep-0108-activity";
    case Node::mood: return "xep-0107-mood";
    case Node::geoloc: return "xep-0080-geoloc";
    case Node::location: return "xep-0112-physloc";
    case Node::avatar: return "xep-0084-avatar-metadata";
    case Node::avatar_data: return "xep-0084-avatar-data";
    case Node::nick: return "xep-0172-nick";
  }
  return "";
}

}  // namespace

std::optional<std::string> presence_complaint(Node node, const std::string& element) {
  static std::map<Node, XsdValidator> validators;
  const auto validator =
      validators.try_emplace(node, test_support::data("schemas/") + schema_of(node) + ".xsd").first;
  std::string text = element;
  // XEP-0197's schema calls its root `room`.
  if (node == Node::viewing) text = std::regex_replace(text, std::regex("(</?)video"), "$1room");
  const auto complaint = validator->second.complaint(text);
  if (!complaint) return std::nullopt;
  return *complaint + ": " + element;
}

}  // namespace test_support
