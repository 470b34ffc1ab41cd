// tests/support/schema_walker.h: a document against the sequences of its schema, read from the .xsd
// itself: an order check that does not trust libxml2 (which lets foreign elements stand where they
// may not), and a count of everything met, to see that a generator reaches every corner.
// Understands what conference-info.xsd uses: named complex types of sequence or choice with element
// and any, attributes, enumerations. One thread.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pugi {
class xml_node;
}

namespace test_support {

class SchemaWalker {
 public:
  // Throws std::runtime_error.
  explicit SchemaWalker(const std::string& path);

  // Where children stand in the wrong order or number, attributes are unknown or missing, or a word
  // is none of the enumeration; nullopt: nowhere. Counts on the way.
  std::optional<std::string> complaint(std::string_view document);

  // Everything the schema names and how often it was met: "user-type/endpoint", "user-type/@state",
  // "user-type/@state=deleted", "user-type/*" (xs:any), "user-type/@*" (xs:anyAttribute),
  // "conference-state-type/active=true".
  const std::map<std::string, std::size_t>& met() const { return met_; }

 private:
  struct Particle {
    std::string name;  // "*": xs:any
    std::string type;
    std::size_t min, max;
  };
  struct Attribute {
    std::string name, type;
    bool required;
  };
  struct Type {
    bool choice = false, any_attribute = false;
    std::vector<Particle> particles;
    std::vector<Attribute> attributes;
  };

  void read_type(const pugi::xml_node& type);
  void expect(const std::string& what, const std::string& type);
  bool word(const std::string& what, const std::string& type, const std::string& value);
  std::string element(const pugi::xml_node& node, const std::string& type);
  std::string attributes(const pugi::xml_node& node, const std::string& type);
  std::string children(const pugi::xml_node& node, const std::string& type);

  std::string ns_, root_, root_type_;
  std::map<std::string, Type> types_;
  std::map<std::string, std::vector<std::string>> words_;  // of a simple type
  std::map<std::string, std::size_t> met_;
};

}  // namespace test_support
