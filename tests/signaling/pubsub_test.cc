#include "signaling/pubsub.h"

#include <gmock/gmock.h>

#include <pugixml.hpp>

#include "signaling/limits.h"
#include "tests/support/generators.h"
#include "tests/support/seed.h"

namespace jingle::pubsub {
namespace {

using test::Dice;

Xml xml(const std::string& text) {
  auto parsed = Xml::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Xml());
}
Result<Request> read(const std::string& text) { return parse(xml(text).root()); }
Result<Request> read_inside(const std::string& children) {
  return read("<pubsub xmlns='http://jabber.org/protocol/pubsub'>" + children + "</pubsub>");
}
std::string refusal(const Result<Request>& request) {
  return request ? "" : request.error().condition + "/" + request.error().app_name;
}
std::optional<Event> event(const std::string& children, const std::string& type = "headline") {
  Message message;
  message.type = type;
  message.xml = xml("<message xmlns='jabber:client'>" + children + "</message>");
  return parse_event(message);
}
std::optional<Event> event_of(const std::string& children) {
  return event("<event xmlns='http://jabber.org/protocol/pubsub#event'>" + children + "</event>");
}

Item random_item(Dice& dice) {
  Item item{dice.one_of<std::string>({"current", "1", "<&>"}), {}};
  if (dice.chance(0.8)) item.payload = xml("<tune xmlns='urn:t'><a>&lt;</a></tune>");
  return item;
}

Request random_request(Dice& dice) {
  const auto node = dice.one_of<std::string>({"urn:xmpp:viewing:0", "a'b"});
  const Jid jid = *Jid::parse(dice.one_of<std::string>({"ann@a.example", "b@c/d"}));
  switch (dice.below(6)) {
    case 0: {
      Publish publish{node, random_item(dice)};
      publish.item.payload = xml("<mood xmlns='urn:m'/>");
      if (dice.chance(0.7)) {
        publish.options =
            NodeOptions{.access = dice.chance(0.5) ? Access::roster : Access::presence,
                        .persist = dice.chance(0.5),
                        .max_items = static_cast<std::uint32_t>(dice.below(9))};
        if (dice.chance(0.5)) publish.options->roster_groups = {"Friends", "<x>"};
        if (dice.chance(0.5)) publish.options->max_items.reset();
      }
      return publish;
    }
    case 1: return Retract{node, "current"};
    case 2: {
      GetItems get{node};
      if (dice.chance(0.5)) get.max_items = 1;
      if (dice.chance(0.5)) get.ids = {"a", "b"};
      return get;
    }
    case 3: return Subscribe{node, jid};
    case 4: return Manage{dice.one_of<std::string>({"create", "configure", "delete"}), node};
    default: return Unsubscribe{node, jid};
  }
}

TEST(Pubsub, WhatIsWrittenIsReadAgain) {
  const auto seed = test_support::test_seed();
  Dice dice(seed);
  for (int round = 0; round < 500; ++round) {
    const Request request = random_request(dice);
    const auto again = read(write(request));
    ASSERT_TRUE(again) << "TEST_SEED=" << seed << " " << write(request);
    EXPECT_EQ(*again, request) << "TEST_SEED=" << seed << " " << write(request);

    Event told{"urn:xmpp:viewing:0"};
    if (dice.chance(0.2)) {
      told.emptied = true;
    } else {
      for (auto n = dice.below(3); n > 0; --n) told.items.push_back(random_item(dice));
      for (auto n = dice.below(3); n > 0; --n) told.retracted.emplace_back("x");
    }
    EXPECT_EQ(event(write(told)), told) << "TEST_SEED=" << seed << " " << write(told);
  }
}

// XEP-0060 §7.1.5.
TEST(Pubsub, ConditionsOfAPublisherAreAForm) {
  const std::string text =
      write(Publish{"n", {"current", xml("<tune xmlns='t'/>")}, NodeOptions{.roster_groups = {}}});
  EXPECT_EQ(text,
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'><item "
            "id='current'><tune xmlns='t'/></item></publish><publish-options><x "
            "xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>"
            "http://jabber.org/protocol/pubsub#publish-options</value></field><field "
            "var='pubsub#access_model'><value>presence</value></field><field "
            "var='pubsub#persist_items'><value>true</value></field><field "
            "var='pubsub#max_items'><value>1</value></field></x></publish-options></pubsub>");
}

// XEP-0060 §6, §7.
TEST(Pubsub, RequestsOutOfShapeAreRefusedByName) {
  const std::string item = "<item id='x'><a xmlns='b'/></item>";
  const auto with_option = [&](const std::string& field) {
    return refusal(read_inside("<publish node='n'>" + item +
                               "</publish><publish-options><x "
                               "xmlns='jabber:x:data' type='submit'>" +
                               field + "</x></publish-options>"));
  };
  EXPECT_EQ(refusal(read_inside("<publish>" + item + "</publish>")), "bad-request/nodeid-required");
  EXPECT_EQ(refusal(read_inside("<publish node='n'/>")), "bad-request/item-required");
  EXPECT_EQ(refusal(read_inside("<publish node='n'><item/></publish>")),
            "bad-request/invalid-payload");
  EXPECT_EQ(refusal(read_inside("<publish node='n'>" + item + item + "</publish>")),
            "bad-request/invalid-payload");
  EXPECT_EQ(refusal(read_inside("<retract node='n'/>")), "bad-request/item-required");
  EXPECT_EQ(refusal(read_inside("<subscribe node='n' jid='@'/>")), "bad-request/invalid-jid");
  EXPECT_EQ(refusal(read_inside("<frobnicate node='n'/>")), "feature-not-implemented/unsupported");
  EXPECT_EQ(refusal(read_inside("")), "feature-not-implemented/unsupported");
  EXPECT_EQ(refusal(read("<pubsub xmlns='urn:other'/>")), "feature-not-implemented/unsupported");
  const std::string form_type =
      "<field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value>"
      "</field>";
  EXPECT_EQ(with_option(form_type), "");
  EXPECT_EQ(with_option(""), "conflict/precondition-not-met");
  EXPECT_EQ(with_option(form_type + "<field var='pubsub#frobnicate'><value>1</value></field>"),
            "conflict/precondition-not-met");
  EXPECT_EQ(with_option(form_type + "<field var='pubsub#access_model'><value>x</value></field>"),
            "conflict/precondition-not-met");
}

// XEP-0060 §6.1.3.9.
TEST(Pubsub, WhatIsUnsupportedIsNamed) {
  const auto refused = read_inside("<affiliations/>");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().feature, "retrieve-affiliations");
  const std::string text = refused.error().xml();
  EXPECT_EQ(StanzaError::parse(xml("<iq>" + text + "</iq>").root()), refused.error()) << text;
}

TEST(Pubsub, ASubscriptionIsConfirmed) {
  EXPECT_EQ(subscribed_xml({"n", *Jid::parse("ann@a.example")}),
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscription node='n' "
            "jid='ann@a.example' subscription='subscribed'/></pubsub>");
}

TEST(Pubsub, PurgingAndDeletingEmptyANode) {
  for (const char* name : {"purge", "delete"}) {
    const auto read = event_of(std::string("<") + name + " node='n'/>");
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, (Event{.node = "n", .emptied = true}));
  }
  EXPECT_EQ(event_of("<items node='n'><retract id='current'/></items>"),
            (Event{.node = "n", .retracted = {"current"}}));
}

TEST(Pubsub, OtherMessagesAreNoNotification) {
  EXPECT_EQ(event("<body>x</body>"), std::nullopt);
  EXPECT_EQ(event_of(""), std::nullopt);
  EXPECT_EQ(event_of("<items/>"), std::nullopt);
  EXPECT_EQ(event_of("<configuration node='n'/>"), std::nullopt);
  EXPECT_EQ(event("<event xmlns='http://jabber.org/protocol/pubsub#event'><purge "
                  "node='n'/></event>",
                  "error"),
            std::nullopt);
}

TEST(Pubsub, OneNotificationIsBounded) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "<item/><retract id='x'/>";
  const auto read = event_of("<items node='n'>" + many + "</items>");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->items.size(), limits::kMaxEventItems);
  EXPECT_EQ(read->retracted.size(), limits::kMaxEventItems);
}

TEST(Pubsub, ItemsAreReadFromTheNodeThatWasAskedFor) {
  const std::vector<Item> items = {{"current", xml("<tune xmlns='t'><a/></tune>")}};
  const Xml iq = xml("<iq>" + items_xml("n", items) + "</iq>");
  EXPECT_EQ(parse_items(iq.root(), "n"), items);
  EXPECT_TRUE(parse_items(iq.root(), "m").empty());
  EXPECT_TRUE(parse_items(xml("<iq/>").root(), "n").empty());
}

TEST(Pubsub, WhoMayReadIsInANodesConfiguration) {
  const auto answer = [](const std::string& form) {
    return parse_configuration(xml("<iq><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'>"
                                   "<configure node='n'><x xmlns='jabber:x:data' type='form'>" +
                                   form + "</x></configure></pubsub></iq>")
                                   .root());
  };
  const std::string roster = "<field var='pubsub#access_model'><value>roster</value></field>";
  EXPECT_EQ(answer(roster), NodeOptions{.access = Access::roster});
  EXPECT_EQ(answer(roster + "<field var='pubsub#roster_groups_allowed'><value>a</value>"
                            "<value>b</value></field>"),
            (NodeOptions{.access = Access::roster, .roster_groups = {"a", "b"}}));
  EXPECT_EQ(answer("<field var='pubsub#access_model'><value>x</value></field>"), std::nullopt);
  EXPECT_EQ(answer(""), std::nullopt);
  const NodeOptions options{.access = Access::roster, .roster_groups = {"<x>"}};
  EXPECT_EQ(parse_configuration(xml("<iq>" + configure("n", options) + "</iq>").root()), options);
}

TEST(Pubsub, ANodeOfOtherRosterGroupsIsNotAsStrict) {
  const auto roster = [](std::vector<std::string> groups) {
    return NodeOptions{.access = Access::roster, .roster_groups = std::move(groups)};
  };
  const NodeOptions wanted = roster({"a", "b"});
  EXPECT_TRUE(is_as_strict(wanted, wanted));
  EXPECT_TRUE(is_as_strict(roster({"b"}), wanted));
  EXPECT_FALSE(is_as_strict(roster({"b", "c"}), wanted));
  EXPECT_FALSE(is_as_strict(roster({}), wanted));
  EXPECT_TRUE(is_as_strict(roster({"c"}), {.access = Access::presence}));
  EXPECT_FALSE(is_as_strict({.access = Access::presence}, wanted));
  EXPECT_FALSE(is_as_strict({.access = Access::open}, {.access = Access::presence}));
  EXPECT_TRUE(is_as_strict({.access = Access::whitelist}, {.access = Access::presence}));
}

// XEP-0060 §6.5.7.
TEST(Pubsub, HowManyItemsAreAskedForIsAPositiveNumber) {
  const auto ask = [](const std::string& number) {
    return read("<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n' max_items='" +
                number + "'/></pubsub>");
  };
  EXPECT_EQ(ask("3"), Request(GetItems{.node = "n", .max_items = 3}));
  for (const char* wrong : {"0", "-1", "max", ""}) EXPECT_FALSE(ask(wrong)) << wrong;
}

// XEP-0060 §8.1.3.
TEST(Pubsub, ANodeIsMadeWithItsConfiguration) {
  EXPECT_EQ(create("n", {.access = Access::whitelist}),
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='n'/><configure>"
            "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>"
            "http://jabber.org/protocol/pubsub#node_config</value></field>"
            "<field var='pubsub#access_model'><value>whitelist</value></field>"
            "<field var='pubsub#persist_items'><value>true</value></field>"
            "<field var='pubsub#max_items'><value>1</value></field></x></configure></pubsub>");
}

}  // namespace
}  // namespace jingle::pubsub
