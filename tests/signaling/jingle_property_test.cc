// Laws of the Jingle codec over seeded random requests, and what we write against the schemas of
// the specifications.
#include <gtest/gtest.h>

#include <map>
#include <pugixml.hpp>
#include <string>

#include "signaling/iq_router.h"
#include "signaling/namespaces.h"
#include "tests/support/data.h"
#include "tests/support/golden.h"
#include "tests/support/jingle_generator.h"
#include "tests/support/xsd_validator.h"

namespace jingle {
namespace {

// Each element that a schema describes, against it. The extensions' elements inside are left out:
// the schemas do not foresee them (XEP-0167's has no wildcard), and know nothing of each other.
class Schemas {
 public:
  Schemas() {
    add(ns::kJingle, "jingle", "xep-0166-jingle-1");
    add(ns::kRtp, "description", "xep-0167-jingle-apps-rtp-1");
    add(ns::kIceUdp, "transport", "xep-0176-jingle-transports-ice-udp-1");
    add(ns::kSsma, "source", "xep-0339-jingle-apps-rtp-ssma-0");
    add(ns::kCoin, "conference-info", "xep-0298-coin-1");
    for (const char* name : {"active", "hold", "unhold", "ringing", "mute", "unmute"}) {
      add(ns::kRtpInfo, name, "xep-0167-jingle-apps-rtp-info-1");
    }
    for (const char* name : {"crypto-required", "invalid-crypto"}) {
      add(ns::kRtpErrors, name, "xep-0167-jingle-apps-rtp-errors-1");
    }
    for (const char* name : {"out-of-order", "tie-break", "unknown-session", "unsupported-info"}) {
      add(ns::kJingleErrors, name, "xep-0166-jingle-errors-1");
    }
    add(ns::kDiscoInfo, "query", "xep-0030-disco-info");
    add(ns::kDiscoItems, "query", "xep-0030-disco-items");
    add(ns::kCaps, "c", "xep-0115-caps");
  }

  void check(const pugi::xml_node& node) {
    const auto name = std::string(effective_ns(node)) + " " + std::string(local_name(node));
    if (const auto found = validators_.find(name); found != validators_.end()) {
      ++checked_[name];
      const std::string text = without_foreign(node).str();
      EXPECT_EQ(found->second->complaint(text), std::nullopt) << text;
    }
    for (const auto& child : node.children()) check(child);
  }
  void check(const std::string& text) {
    const auto xml = Xml::parse(text);
    ASSERT_TRUE(xml) << text;
    check(xml->root());
  }
  const std::map<std::string, int>& checked() const { return checked_; }
  std::size_t size() const { return validators_.size(); }

 private:
  void add(const std::string& ns, const std::string& name, const std::string& schema) {
    auto& validator = loaded_[schema];
    if (!validator) {
      validator = std::make_shared<test_support::XsdValidator>(test_support::data("schemas/") +
                                                               schema + ".xsd");
    }
    validators_[ns + " " + name] = validator;
  }

  static void strip(pugi::xml_node node, const std::string& ns) {
    for (auto child = node.first_child(); child;) {
      const auto next = child.next_sibling();
      if (child.type() == pugi::node_element) {
        effective_ns(child) == ns ? strip(child, ns) : void(node.remove_child(child));
      }
      child = next;
    }
  }

  static Xml without_foreign(const pugi::xml_node& node) {
    Xml out;
    const std::string ns(effective_ns(node));
    auto copy = out.document().append_copy(node);
    copy.remove_attribute("xmlns");
    copy.prepend_attribute("xmlns").set_value(ns.c_str());
    strip(copy, ns);
    return out;
  }

  std::map<std::string, std::shared_ptr<test_support::XsdValidator>> loaded_, validators_;
  std::map<std::string, int> checked_;
};

TEST(JingleProperties, ParsingWhatWasWrittenGivesTheSame) {
  for (unsigned seed = 1; seed <= 5000; ++seed) {
    test_support::JingleGenerator generator(seed);
    const auto request = seed % 2 == 0 ? generator.valid() : generator.tolerated();
    const auto text = write_jingle(request);
    const auto xml = Xml::parse(text);
    ASSERT_TRUE(xml) << "seed " << seed << ": " << text;
    const auto again = parse_jingle(xml->root());
    ASSERT_TRUE(again) << "seed " << seed << ": " << again.error().text << "\n" << text;
    ASSERT_TRUE(*again == request) << "seed " << seed << ": " << text << "\n"
                                   << write_jingle(*again);
  }
}

TEST(JingleProperties, WhatWeSendIsValidByTheSchemas) {
  Schemas schemas;
  for (unsigned seed = 1; seed <= 2000 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    schemas.check(write_jingle(test_support::JingleGenerator(seed).valid()));
  }
  for (const auto& error : {unknown_session(), out_of_order(), tie_break(), unsupported_info()}) {
    schemas.check(error.xml());
  }
  const DiscoInfo info{
      .identities = {{.category = "client", .type = "phone", .name = "Room", .lang = ""}},
      .features = {ns::kDiscoInfo, ns::kJingle}};
  schemas.check(info.xml("a#b"));
  schemas.check(info.caps_xml("https://mixer.example"));
  schemas.check(
      disco_items_xml({{.jid = *Jid::parse("room@mixer.example"), .name = "R", .node = ""}}));
  EXPECT_EQ(schemas.checked().size(), schemas.size()) << "every schema had something to say";
}

// What an answer echoes. Candidates are never echoed, and real ones have ids that are no NCNames.
TEST(JingleProperties, DescriptionsOfRealClientsAreValidWhenWeWriteThem) {
  Schemas schemas;
  for (const char* name :
       {"dino-session-initiate", "chromium-session-initiate", "libpurple-session-initiate",
        "qxmpp-session-initiate", "aiortc-session-accept", "example-session-initiate-srtp"}) {
    SCOPED_TRACE(name);
    const auto xml = Xml::parse(
        test_support::golden_text(test_support::data("golden/xep-0167/") + name + ".xml"));
    ASSERT_TRUE(xml);
    auto request = parse_jingle(first_element(xml->root()));
    ASSERT_TRUE(request);
    const auto echo = [](auto& payload) {
      if constexpr (requires { payload.contents; }) {
        for (auto& content : payload.contents) content.transport = IceUdpTransport{};
      }
    };
    std::visit(echo, request->payload);
    schemas.check(write_jingle(*request));
  }
}

// A routed request survives any single attribute going missing, or turning into something else,
// as a value or as an error: never as a crash, never as another error than those of the table.
TEST(JingleProperties, DamagedRequestsAreErrorsOfTheTable) {
  int errors = 0;
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    test_support::JingleGenerator generator(seed);
    auto xml = Xml::parse("<iq xmlns='jabber:client' type='set' id='1'>" +
                          write_jingle(generator.valid()) + "</iq>");
    ASSERT_TRUE(xml) << "seed " << seed;
    std::vector<pugi::xml_node> nodes;
    struct Walker : pugi::xml_tree_walker {
      std::vector<pugi::xml_node>& out;
      explicit Walker(std::vector<pugi::xml_node>& nodes) : out(nodes) {}
      bool for_each(pugi::xml_node& node) override {
        if (node.type() == pugi::node_element) out.push_back(node);
        return true;
      }
    } walker(nodes);
    first_element(xml->root()).traverse(walker);
    auto node = nodes.empty() ? first_element(xml->root())
                              : nodes[generator.below(static_cast<unsigned>(nodes.size()))];
    auto attribute = node.first_attribute();
    for (unsigned skip = generator.below(8); skip > 0 && attribute.next_attribute(); --skip) {
      attribute = attribute.next_attribute();
    }
    generator.chance(50) ? void(node.remove_attribute(attribute))
                         : void(attribute.set_value("-1 \xC3\xA4"));
    const auto stanza = read_stanza(*xml);
    ASSERT_TRUE(stanza);
    const auto request = route(std::get<Iq>(*stanza));
    if (request) continue;
    ++errors;
    const auto& condition = request.error().condition;
    ASSERT_TRUE(condition == "bad-request" || condition == "service-unavailable")
        << "seed " << seed << ": " << condition << "\n"
        << xml->str();
  }
  EXPECT_GT(errors, 500);
}

}  // namespace
}  // namespace jingle
