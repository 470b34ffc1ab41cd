// tests/support/xsd_validator.h: documents against a W3C schema by libxml2, an implementation that
// is not ours. libxml2 2.9.14 wrongly accepts foreign elements before the last particle: check the
// order of children besides (schema_walker.h). Never reaches for the network. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace test_support {

class XsdValidator {
 public:
  // `path`: the .xsd. Throws std::runtime_error with libxml2's words if it does not compile.
  explicit XsdValidator(const std::string& path);
  ~XsdValidator();

  // The first complaint, "line: what"; nullopt: valid. A document that is not well-formed (in
  // namespaces too) is not valid.
  std::optional<std::string> complaint(std::string_view document) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace test_support
