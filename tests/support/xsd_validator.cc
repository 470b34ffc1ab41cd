#include "tests/support/xsd_validator.h"

#include <libxml/parser.h>
#include <libxml/xmlIO.h>
#include <libxml/xmlschemas.h>

#include <fstream>
#include <stdexcept>

namespace test_support {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Doc = std::unique_ptr<xmlDoc, Freed<xmlFreeDoc>>;
using Schema = std::unique_ptr<xmlSchema, Freed<xmlSchemaFree>>;
using SchemaParser = std::unique_ptr<xmlSchemaParserCtxt, Freed<xmlSchemaFreeParserCtxt>>;
using SchemaValidator = std::unique_ptr<xmlSchemaValidCtxt, Freed<xmlSchemaFreeValidCtxt>>;
using Parser = std::unique_ptr<xmlParserCtxt, Freed<xmlFreeParserCtxt>>;

// Keeps the first error: the others follow from it.
void remember(void* first, xmlErrorPtr error) {
  auto& text = *static_cast<std::string*>(first);
  if (!text.empty() || error == nullptr) return;
  text = std::to_string(error->line) + ": " + (error->message != nullptr ? error->message : "?");
  while (!text.empty() && text.back() == '\n') text.pop_back();
}

}  // namespace

struct XsdValidator::Impl {
  Schema schema;
};

XsdValidator::XsdValidator(const std::string& path) : impl_(std::make_unique<Impl>()) {
  xmlSetExternalEntityLoader(xmlNoNetExternalEntityLoader);
  if (!std::ifstream(path)) throw std::runtime_error(path + ": cannot be read");
  const SchemaParser parser(xmlSchemaNewParserCtxt(path.c_str()));
  std::string error;
  xmlSchemaSetParserStructuredErrors(
      parser.get(), [](void* first, xmlErrorPtr what) { remember(first, what); }, &error);
  impl_->schema.reset(xmlSchemaParse(parser.get()));
  if (!impl_->schema) throw std::runtime_error(path + ":" + error);
}

XsdValidator::~XsdValidator() = default;

std::optional<std::string> XsdValidator::complaint(std::string_view document) const {
  const Parser parser(xmlNewParserCtxt());
  const Doc doc(xmlCtxtReadMemory(parser.get(), document.data(), static_cast<int>(document.size()),
                                  "document.xml", "UTF-8",
                                  XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
  if (!doc || parser->wellFormed == 0 || parser->nsWellFormed == 0) {
    std::string error;
    remember(&error, xmlCtxtGetLastError(parser.get()));
    return "not well-formed: " + error;
  }
  const SchemaValidator validator(xmlSchemaNewValidCtxt(impl_->schema.get()));
  std::string error;
  xmlSchemaSetValidStructuredErrors(
      validator.get(), [](void* first, xmlErrorPtr what) { remember(first, what); }, &error);
  if (xmlSchemaValidateDoc(validator.get(), doc.get()) == 0) return std::nullopt;
  return error.empty() ? "invalid" : error;
}

}  // namespace test_support
