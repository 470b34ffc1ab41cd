// tests/mixer/sharing_room.h: a room whose participants may share what they publish.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tests/support/focus_bench.h"

namespace test {

inline constexpr char kAnn[] = "ann@localhost/phone";
inline constexpr char kBob[] = "bob@localhost/desk";
inline constexpr char kRoom[] = "room@mixer.localhost";
inline constexpr char kFocus[] = "room@mixer.localhost/focus";
inline constexpr char kMoodNs[] = "http://jabber.org/protocol/mood";

inline mixer::Config relaying(std::set<jingle::pep::Node> nodes = {jingle::pep::Node::mood,
                                                                   jingle::pep::Node::tune}) {
  mixer::Config config = component_config();
  config.presence.relay = std::move(nodes);
  return config;
}

inline std::string mood(const std::string& word) {
  return std::string("<mood xmlns='") + kMoodNs + "'>" + (word.empty() ? "" : "<" + word + "/>") +
         "</mood>";
}
inline std::string event(const std::string& inside, const std::string& node = kMoodNs) {
  return "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='" + node + "'>" +
         inside + "</items></event>";
}
// Ann and Bob, whose client reads documents, are in the room, and let it see them.
class SharingInARoom : public testing::Test {
 protected:
  explicit SharingInARoom(mixer::Config config = relaying())
      : bench(std::move(config), 1,
              {{jid(kRoom), jid("ann@localhost"), mixer::OwnSubscription::granted},
               {jid(kRoom), jid("bob@localhost"), mixer::OwnSubscription::granted}}) {
    bench.client = disco("", "urn:xmpp:coin:1");
    bench.up();
    bench.join(kAnn, kRoom, Offer{.sid = "A"});
    bench.join(kBob, kRoom, Offer{.sid = "B"});
    bench.wait(3s);
  }
  // The answer; "" for silence.
  std::string says(const std::string& text, const std::string& from = kAnn) {
    const Step step = bench.message(from, kRoom, "<body>" + text + "</body>");
    for (const auto& message : step.all<mixer::SendMessage>()) {
      if (message.payload.starts_with("<body>")) return message.payload;
    }
    return "";
  }
  Step publishes(const std::string& event, const std::string& from = "ann@localhost") {
    return bench.message(from, kFocus, event, "headline");
  }
  // The documents that come of it in that time.
  auto documents_after(const std::string& event, std::chrono::milliseconds duration) {
    auto documents = publishes(event).documents();
    for (auto& document : bench.wait(duration).documents()) documents.push_back(document);
    return documents;
  }
  // What Bob sees of Ann.
  std::vector<std::string> seen() {
    bench.wait(3s);
    const auto* ann = bench.listed("B", "xmpp:ann@localhost");
    return ann ? ann->foreign.elements : std::vector<std::string>{"not listed"};
  }
  static std::string shown(const std::string& word) {
    return std::string("<mood xmlns=\"") + kMoodNs + "\"><" + word + "/></mood>";
  }

  Bench bench;
};

}  // namespace test
