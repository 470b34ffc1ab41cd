// The checks themselves: a validator that accepts everything would prove nothing.
#include <filesystem>

#include "tests/support/data.h"
#include "tests/support/schema_walker.h"
#include "tests/support/xsd_validator.h"

namespace test_support {
namespace {

const std::string kSchema = test_support::data("schemas/conference-info.xsd");

std::string in_user(const std::string& inside) {
  return "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='a'><users>"
         "<user entity='u'>" +
         inside + "</user></users></conference-info>";
}

TEST(SchemaChecks, BothAcceptWhatIsRight) {
  const XsdValidator validator(kSchema);
  SchemaWalker walker(kSchema);
  const std::string right = in_user(
      "<display-text>U</display-text><languages>en de</languages><endpoint entity='e'><media "
      "id='m'>"
      "<status>sendrecv</status></media><call-info><sip><call-id/><from-tag/><to-tag/></sip>"
      "</call-info></endpoint><endpoint/><x xmlns='urn:x'/><y xmlns='urn:y'/>");
  EXPECT_EQ(validator.complaint(right), std::nullopt);
  EXPECT_EQ(walker.complaint(right), std::nullopt);
  EXPECT_EQ(walker.met().at("user-type/endpoint"), 2u);
  EXPECT_EQ(walker.met().at("user-type/*"), 2u);
  EXPECT_EQ(walker.met().at("media-type/status=sendrecv"), 1u);
  EXPECT_EQ(walker.met().at("media-type/status=inactive"), 0u);
}

TEST(SchemaChecks, BothRefuseWhatIsWrong) {
  const XsdValidator validator(kSchema);
  SchemaWalker walker(kSchema);
  const std::string wrong[] = {
      "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info'/>",
      "<conference-info entity='a'/>",
      in_user("<endpoint entity='e'/><display-text/>"),
      in_user("<display-text/><display-text/>"),
      in_user("<endpoint entity='e'><status>away</status></endpoint>"),
      in_user("<endpoint entity='e' state='gone'/>"),
      in_user("<endpoint entity='e'><media/></endpoint>"),
      in_user("<endpoint entity='e' sid='S'/>"),
      in_user("<x xmlns=''/>"),
      in_user("<roles/>"),
      in_user("<display-text><b/></display-text>"),
      in_user("<endpoint><call-info><sip><call-id/><to-tag/></sip></call-info></endpoint>"),
      in_user("<unknown/>"),
      in_user("<endpoint")};
  for (const std::string& text : wrong) {
    EXPECT_NE(validator.complaint(text), std::nullopt) << text;
    EXPECT_NE(walker.complaint(text), std::nullopt) << text;
  }
}

TEST(SchemaChecks, TheWalkerSeesWhatLibxml2LetsPass) {
  // libxml2 2.9.14 accepts a foreign element before the last particle, and both branches of a
  // choice.
  SchemaWalker walker(kSchema);
  EXPECT_NE(walker.complaint(in_user("<x xmlns='urn:x'/><endpoint entity='e'/>")), std::nullopt);
  const std::string sip = "<sip><call-id/><from-tag/><to-tag/></sip>", other = "<x xmlns='urn:x'/>";
  const auto with_call_info = [](const std::string& inside) {
    return in_user("<endpoint entity='e'><call-info>" + inside + "</call-info></endpoint>");
  };
  EXPECT_EQ(walker.complaint(with_call_info(sip)), std::nullopt);
  EXPECT_EQ(walker.complaint(with_call_info(other + other)), std::nullopt);
  EXPECT_NE(walker.complaint(with_call_info(other + sip)), std::nullopt);
  EXPECT_NE(walker.complaint(with_call_info(sip + other)), std::nullopt);
  EXPECT_NE(walker.complaint(with_call_info(sip + sip)), std::nullopt);
}

TEST(SchemaChecks, TheValidatorSeesWhatIsNotWellFormedInNamespaces) {
  const XsdValidator validator(kSchema);
  EXPECT_NE(validator.complaint(in_user("<x:y/>")), std::nullopt);
  EXPECT_NE(validator.complaint(in_user("<x xmlns='urn:x' a='' a=''/>")), std::nullopt);
  EXPECT_NE(validator.complaint(in_user("<display-text>\x01</display-text>")), std::nullopt);
}

TEST(SchemaChecks, EverySchemaCompiles) {
  int schemas = 0;
  for (const auto& file : std::filesystem::directory_iterator(test_support::data("schemas"))) {
    EXPECT_NO_THROW(XsdValidator(file.path().string())) << file.path();
    ++schemas;
  }
  EXPECT_GE(schemas, 13);
  EXPECT_THROW(XsdValidator(test_support::data("schemas/none.xsd")), std::runtime_error);
}

}  // namespace
}  // namespace test_support
