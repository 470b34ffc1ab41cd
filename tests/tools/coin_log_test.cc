#include "tools/call/coin_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace call {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string document(const std::string& state, const std::string& version,
                     const std::string& users) {
  return "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' "
         "entity='xmpp:room@mixer' state='" +
         state + "' version='" + version + "'><conference-description/><users state='" + state +
         "'>" + users + "</users></conference-info>";
}
const std::string kAnn =
    "<user entity='xmpp:ann@x'><endpoint entity='xmpp:ann@x/1'><status>connected</status>"
    "</endpoint></user>";

std::vector<std::string> after(CoinLog& log, const std::string& xml) {
  return log.on(1.25, Tell{"document", xml});
}

TEST(CoinLog, SaysWhatADocumentIsAndWhatItChanges) {
  CoinLog log(false);
  EXPECT_EQ(log.table({}), "");
  const auto xml = document("full", "1", kAnn);
  EXPECT_THAT(
      after(log, xml),
      ElementsAre("   1.25 s  document: " + std::to_string(xml.size()) + " bytes, version 1, full",
                  "    this is xmpp:room@mixer", "    xmpp:ann@x came: connected"));
  EXPECT_THAT(log.table({}), HasSubstr("xmpp:ann@x"));
  EXPECT_THAT(after(log, document("partial", "2", "<user entity='xmpp:ann@x' state='deleted'/>")),
              ElementsAre(HasSubstr("version 2, partial"), "    xmpp:ann@x went"));
}

TEST(CoinLog, NoticesNonsenseAndKeepsWhatItKnew) {
  CoinLog log(false);
  EXPECT_THAT(after(log, document("partial", "1", kAnn)),
              ElementsAre(HasSubstr("partial"), StartsWith("    nonsense: no base")));
  after(log, document("full", "3", kAnn));
  const auto table = log.table({});
  EXPECT_THAT(after(log, document("full", "3", "")),
              ElementsAre(HasSubstr("version 3"), StartsWith("    nonsense: stale")));
  EXPECT_THAT(after(log, document("partial", "5", "")),
              ElementsAre(HasSubstr("version 5"), StartsWith("    nonsense: gap")));
  EXPECT_EQ(log.table({}), table);
}

TEST(CoinLog, NoticesACountThatDisagrees) {
  CoinLog log(false);
  auto xml = document("full", "1", kAnn);
  const std::string end = "<conference-description/>";
  xml.replace(xml.find(end), end.size(),
              end + "<conference-state><user-count>7</user-count></conference-state>");
  EXPECT_THAT(after(log, xml), testing::Contains("    nonsense: user-count is 7, but 1 take part"));
}

// RFC 4575 §5.7.4.
TEST(CoinLog, TheFocusItselfMayBeCountedOrNot) {
  for (const char* count : {"0", "1"}) {
    CoinLog log(false);
    auto xml = document("full", "1",
                        "<user entity='xmpp:room@x'><endpoint entity='e'><status>connected</status>"
                        "<joining-method>focus-owner</joining-method></endpoint></user>");
    const std::string end = "<conference-description/>";
    xml.replace(
        xml.find(end), end.size(),
        end + "<conference-state><user-count>" + count + "</user-count></conference-state>");
    EXPECT_THAT(after(log, xml), testing::Not(testing::Contains(HasSubstr("nonsense"))));
  }
}

TEST(CoinLog, RawShowsTheXmlIndentedAndHarmless) {
  CoinLog log(true);
  const auto lines =
      after(log, document("full", "1",
                          "<user entity='xmpp:ann@x'><display-text>\u202ea</display-text></user>"));
  EXPECT_THAT(lines, testing::Contains("          <display-text>&#x202e;a</display-text>"));
}

TEST(CoinLog, OtherEventsAreLinesUnlessTheDocumentSaidItAll) {
  CoinLog log(false);
  EXPECT_THAT(log.on(2, Tell{"ended", "success"}), ElementsAre("   2.00 s  ended: success"));
  for (const char* event : {"roster", "gap", "stale document"}) {
    EXPECT_THAT(log.on(2, Tell{event, {}}), ElementsAre()) << event;
  }
}

}  // namespace
}  // namespace call
