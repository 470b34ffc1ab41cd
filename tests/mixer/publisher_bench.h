// tests/mixer/publisher_bench.h: an account's Publisher before a service that keeps nodes, each
// with its access and one item, and answers when the test says so. One thread.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <pugixml.hpp>

#include "mixer/publisher.h"
#include "tests/support/presence_schema.h"

namespace mixer::publisher_bench {

using namespace std::chrono_literals;
namespace pep = jingle::pep;
namespace pubsub = jingle::pubsub;
using pep::Node;

inline const jingle::Jid kBot = *jingle::Jid::parse("bot@localhost");
inline constexpr char kTune[] = "http://jabber.org/protocol/tune";
inline const jingle::Jid kSelf = *jingle::Jid::parse("bot@localhost/focus");

inline pep::Tune tune(const std::string& title) {
  pep::Tune tune;
  tune.title = title;
  return tune;
}
inline Shown one(pep::Payload payload) {
  const Node node = node_of(payload);
  return {{node, std::move(payload)}};
}

inline constexpr char kWait[] =
    "<error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
inline constexpr char kTimeout[] =
    "<error type='cancel'><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
    "</error>";
inline constexpr char kForbidden[] =
    "<error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
inline constexpr char kNotFound[] =
    "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";

class Bench {
 public:
  explicit Bench(std::vector<Published> rows = {}, pubsub::NodeOptions nodes = {},
                 const std::set<Node>& ours = {})
      : publisher(kBot, std::move(nodes), rows, ours), rows_(std::move(rows)) {}

  struct Kept {
    pubsub::Access access = pubsub::Access::presence;
    std::vector<std::string> groups = {};  // with Access::roster
    std::string id = {};
    std::optional<pep::Payload> payload = {};
  };

  void up(bool conditional = true, bool service = true) {
    publisher.connection_up(kSelf, false, out, now);
    collect();
    answer_all = [=, this](const SendIq& iq) { return serve(iq, conditional, service); };
    step();
  }
  void show(Shown wanted) {
    publisher.show(wanted, now);
    step();
  }
  // Lets time pass, deadline by deadline.
  void wait(std::chrono::milliseconds duration) {
    const TimePoint end = now + duration;
    for (int guard = 0; guard < 1000; ++guard) {
      const auto at = publisher.next_deadline();
      if (!at || *at > end) break;
      now = std::max(now, *at);
      step();
      EXPECT_TRUE(!publisher.next_deadline() || *publisher.next_deadline() > now) << "no progress";
    }
    now = end;
  }
  void step() {
    publisher.advance(out, now);
    for (collect(); answers && !asked.empty(); collect()) {
      const SendIq iq = asked.front();
      asked.erase(asked.begin());
      reply(iq, answer_all(iq));
      publisher.advance(out, now);
    }
  }
  void reply(const SendIq& iq, const std::string& inside) {
    const auto awaited = out.answered(iq.id, iq.to);
    if (!awaited) return;  // later than anybody waits
    const bool error = inside.starts_with("<error");
    auto xml = jingle::Xml::parse("<iq xmlns='jabber:client' type='" +
                                  std::string(error ? "error" : "result") + "' id='" + iq.id +
                                  "' from='bot@localhost'>" + inside + "</iq>");
    auto stanza = jingle::read_stanza(std::move(xml.value()));
    publisher.answered(*awaited, std::get<jingle::Iq>(*stanza), out, now);
  }
  std::optional<pep::Payload> shown(Node node) const {
    const auto found = service.find(std::string(pep::id_of(node)));
    if (found == service.end() || !found->second.payload) return std::nullopt;
    return is_stop(*found->second.payload) ? std::nullopt : found->second.payload;
  }

  TimePoint now{1000s};
  Outbox out{[] { return 7; }};
  Publisher publisher;
  std::map<std::string, Kept> service;
  pubsub::Access made = pubsub::Access::presence;  // nodes are, where nobody says otherwise
  bool heeds = true;                               // who does, when he makes one
  std::vector<pubsub::Publish> published;          // in order
  std::vector<std::string> log;
  std::vector<SendIq> asked;
  bool answers = true;
  std::string disco;  // what the service says of itself; empty: the truth
  std::size_t queries = 0;
  std::function<std::string(const SendIq&)> answer_all;
  std::function<std::string()> fault;  // empty: none
  std::vector<Published> rows() const { return rows_; }
  bool has_row(Node node) const {
    return std::ranges::any_of(rows_,
                               [&](const auto& row) { return row.node == pep::id_of(node); });
  }

 private:
  void collect() {
    for (Command& command : out.take()) {
      if (auto* iq = std::get_if<SendIq>(&command)) {
        EXPECT_EQ(iq->to, kBot);
        EXPECT_EQ(iq->from, kSelf);
        asked.push_back(*iq);
      } else if (const auto* save = std::get_if<SavePublished>(&command)) {
        rows_.push_back(save->row);
      } else if (const auto* forget = std::get_if<ForgetPublished>(&command)) {
        EXPECT_EQ(std::erase_if(rows_, [&](const auto& row) { return row.node == forget->node; }),
                  1u);
      } else if (const auto* line = std::get_if<Log>(&command)) {
        if (line->level != Log::Level::debug) log.push_back(line->text);
      }
    }
  }
  std::string serve(const SendIq& iq, bool conditional, bool is_service) {
    const auto xml = jingle::Xml::parse(iq.payload);
    const auto root = xml->root();
    if (jingle::local_name(root) == "query") {
      ++queries;
      if (!disco.empty()) return disco;
      return std::string("<query xmlns='http://jabber.org/protocol/disco#info'><identity ") +
             (is_service ? "category='pubsub' type='pep'"
                         : "category='account' type='registered'") +
             "/>" +
             (conditional ? "<feature var='http://jabber.org/protocol/pubsub#publish-options'/>"
                          : "") +
             "</query>";
    }
    const bool looks = iq.payload.find("<items ") != std::string::npos;
    const std::string wrong = fault ? fault() : "";
    // What it has published itself an account may always see.
    if (!wrong.empty() && !(looks && wrong == kForbidden)) return wrong;
    if (jingle::effective_ns(root) == "http://jabber.org/protocol/pubsub#owner") {
      const std::string node = jingle::first_element(root).attribute("node").value();
      if (!iq.is_set) {
        if (!service.contains(node)) return kNotFound;
        return pubsub::configure(node, {service[node].access, service[node].groups});
      }
      const auto iq_xml = jingle::Xml::parse("<iq>" + iq.payload + "</iq>");
      const auto wanted = pubsub::parse_configuration(iq_xml->root());
      service[node].access = wanted->access;
      service[node].groups = wanted->roster_groups;
      return "";
    }
    const auto request = pubsub::parse(root).value();
    if (const auto* create = std::get_if<pubsub::Manage>(&request)) {
      EXPECT_EQ(root.select_node("//*[@var='pubsub#access_model']/*").node().text().get(),
                to_string(pubsub::Access::presence));
      service[create->node].access = heeds ? pubsub::Access::presence : made;
      return "";
    }
    if (const auto* get = std::get_if<pubsub::GetItems>(&request)) {
      EXPECT_FALSE(iq.is_set);
      const auto found = service.find(get->node);
      if (found == service.end()) return kNotFound;
      std::vector<pubsub::Item> items;
      if (const auto& payload = found->second.payload) {
        items.push_back({found->second.id, jingle::Xml::parse(pep::write(*payload)).value()});
      }
      return pubsub::items_xml(get->node, items);
    }
    const auto publish = std::get<pubsub::Publish>(request);
    // ejabberd 23.01: "Unknown field"
    if (publish.options &&
        (!publish.options->roster_groups.empty() || publish.options->max_items)) {
      return kWait;
    }
    published.push_back(publish);
    const auto node = *pep::node_of(publish.node);
    const auto payload = pep::parse(node, publish.item.payload.root(), publish.item.id);
    EXPECT_TRUE(payload) << iq.payload;
    EXPECT_EQ(test_support::presence_complaint(node, publish.item.payload.str()), std::nullopt);
    // Nothing but a stop goes without its condition, nor without a row.
    if (!is_stop(*payload)) {
      EXPECT_EQ(publish.options.has_value(), conditional);
      EXPECT_TRUE(node == Node::avatar_data || has_row(node));
    }
    Kept& kept = service.try_emplace(publish.node, Kept{.access = made}).first->second;
    if (publish.options && publish.options->access != kept.access) {
      return "<error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
             "<precondition-not-met xmlns='http://jabber.org/protocol/pubsub#errors'/></error>";
    }
    if (!is_stop(*payload)) {
      EXPECT_LE(kept.access, pubsub::Access::presence) << "shown to anybody";
    }
    kept.id = publish.item.id;
    kept.payload = *payload;
    return "";
  }

  std::vector<Published> rows_;
};

}  // namespace mixer::publisher_bench
