#include "tests/support/schema_walker.h"

#include <algorithm>
#include <limits>
#include <pugixml.hpp>
#include <stdexcept>

namespace test_support {
namespace {

std::string_view local(std::string_view name) { return name.substr(name.find(':') + 1); }

// Enough for what is walked: prefixes are declared on the element itself or above.
std::string namespace_of(const pugi::xml_node& element) {
  const std::string_view name = element.name();
  const std::size_t colon = name.find(':');
  const std::string declaration =
      colon == std::string_view::npos ? "xmlns" : "xmlns:" + std::string(name.substr(0, colon));
  for (pugi::xml_node node = element; node; node = node.parent()) {
    if (const pugi::xml_attribute found = node.attribute(declaration.c_str())) {
      return found.value();
    }
  }
  return {};
}

std::size_t occurs(const pugi::xml_node& particle, const char* name) {
  const pugi::xml_attribute value = particle.attribute(name);
  if (!value) return 1;
  if (std::string_view(value.value()) == "unbounded") return std::numeric_limits<size_t>::max();
  return value.as_uint();
}

}  // namespace

SchemaWalker::SchemaWalker(const std::string& path) {
  pugi::xml_document xsd;
  if (!xsd.load_file(path.c_str())) throw std::runtime_error(path + ": cannot be read");
  const pugi::xml_node schema = xsd.document_element();
  ns_ = schema.attribute("targetNamespace").value();
  const pugi::xml_node root = schema.child("xs:element");
  root_ = root.attribute("name").value();
  root_type_ = root.attribute("type").value();
  for (const pugi::xml_node& simple : schema.children("xs:simpleType")) {
    std::vector<std::string>& words = words_[simple.attribute("name").value()];
    for (const pugi::xml_node& word : simple.child("xs:restriction").children("xs:enumeration")) {
      words.emplace_back(word.attribute("value").value());
    }
  }
  words_["xs:boolean"] = {"true", "false"};  // canonical; met() is about what we write
  for (const pugi::xml_node& type : schema.children("xs:complexType")) read_type(type);
}

void SchemaWalker::read_type(const pugi::xml_node& complex) {
  const std::string name = complex.attribute("name").value();
  Type& type = types_[name];
  type.choice = !complex.child("xs:choice").empty();
  for (const pugi::xml_node& particle :
       complex.child(type.choice ? "xs:choice" : "xs:sequence").children()) {
    if (particle.type() != pugi::node_element) continue;
    const bool any = local(particle.name()) == "any";
    type.particles.push_back({any ? "*" : particle.attribute("name").value(),
                              particle.attribute("type").value(), occurs(particle, "minOccurs"),
                              occurs(particle, "maxOccurs")});
    expect(name + "/" + type.particles.back().name, type.particles.back().type);
  }
  for (const pugi::xml_node& attribute : complex.children("xs:attribute")) {
    type.attributes.push_back({attribute.attribute("name").value(),
                               attribute.attribute("type").value(),
                               std::string_view(attribute.attribute("use").value()) == "required"});
    expect(name + "/@" + type.attributes.back().name, type.attributes.back().type);
  }
  type.any_attribute = !complex.child("xs:anyAttribute").empty();
  if (type.any_attribute) expect(name + "/@*", "");
}

void SchemaWalker::expect(const std::string& what, const std::string& type) {
  met_[what] = 0;
  const auto words = words_.find(type);
  if (words == words_.end()) return;
  for (const std::string& word : words->second) met_[what + "=" + word] = 0;
}

bool SchemaWalker::word(const std::string& what, const std::string& type,
                        const std::string& value) {
  const auto words = words_.find(type);
  if (words == words_.end() || words->second.empty()) return true;
  ++met_[what + "=" + value];
  return std::find(words->second.begin(), words->second.end(), value) != words->second.end();
}

std::optional<std::string> SchemaWalker::complaint(std::string_view document) {
  pugi::xml_document xml;
  if (!xml.load_buffer(document.data(), document.size())) return "not well-formed";
  const pugi::xml_node root = xml.document_element();
  if (local(root.name()) != root_ || namespace_of(root) != ns_) return "the root is another";
  const std::string error = element(root, root_type_);
  if (error.empty()) return std::nullopt;
  return error;
}

std::string SchemaWalker::element(const pugi::xml_node& node, const std::string& type) {
  if (types_.count(type) == 0) {
    return std::any_of(node.begin(), node.end(),
                       [](const auto& child) { return child.type() == pugi::node_element; })
               ? node.path() + ": an element in simple content"
               : "";
  }
  const std::string error = attributes(node, type);
  return error.empty() ? children(node, type) : error;
}

std::string SchemaWalker::attributes(const pugi::xml_node& node, const std::string& type_name) {
  const Type& type = types_.at(type_name);
  for (const pugi::xml_attribute& attribute : node.attributes()) {
    const std::string name = attribute.name();
    if (name == "xmlns" || name.substr(0, 6) == "xmlns:") continue;
    if (name.find(':') != std::string::npos) {
      if (!type.any_attribute) return node.path() + ": foreign attribute " + name;
      ++met_[type_name + "/@*"];
      continue;
    }
    const auto known = std::find_if(type.attributes.begin(), type.attributes.end(),
                                    [&name](const Attribute& a) { return a.name == name; });
    if (known == type.attributes.end()) return node.path() + ": unknown attribute " + name;
    ++met_[type_name + "/@" + name];
    if (!word(type_name + "/@" + name, known->type, attribute.value())) {
      return node.path() + "/@" + name + ": unknown word " + attribute.value();
    }
  }
  for (const Attribute& attribute : type.attributes) {
    if (attribute.required && !node.attribute(attribute.name.c_str())) {
      return node.path() + ": no attribute " + attribute.name;
    }
  }
  return {};
}

std::string SchemaWalker::children(const pugi::xml_node& node, const std::string& type_name) {
  const Type& type = types_.at(type_name);
  std::size_t at = 0, count = 0;  // the particle we are in and how often it was met
  bool branch_taken = false;
  for (const pugi::xml_node& child : node.children()) {
    if (child.type() != pugi::node_element) continue;
    const std::string ns = namespace_of(child);
    if (ns.empty()) return child.path() + ": no namespace";
    const std::string name = ns == ns_ ? std::string(local(child.name())) : "*";
    while (at < type.particles.size() &&
           (type.particles[at].name != name || count == type.particles[at].max)) {
      if (type.choice ? branch_taken : count < type.particles[at].min) {
        return child.path() + ": something required is missing before it, or a choice was made";
      }
      ++at;
      count = 0;
    }
    if (at == type.particles.size()) return child.path() + ": out of order or too often";
    branch_taken = true;
    ++count;
    const Particle& particle = type.particles[at];
    ++met_[type_name + "/" + name];
    if (name == "*") continue;
    if (!word(type_name + "/" + name, particle.type, child.child_value())) {
      return child.path() + ": unknown word " + child.child_value();
    }
    const std::string error = element(child, particle.type);
    if (!error.empty()) return error;
  }
  for (; !type.choice && at < type.particles.size(); ++at, count = 0) {
    if (count < type.particles[at].min) return node.path() + ": something is missing at its end";
  }
  return {};
}

}  // namespace test_support
