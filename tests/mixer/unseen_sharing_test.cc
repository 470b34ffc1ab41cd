// Whoever shares what we may not see is told so and asked, and it shows as soon as he says yes.
#include <gmock/gmock.h>

#include <regex>

#include "tests/mixer/sharing_room.h"

namespace {

using namespace test;
using mixer::OwnSubscription;
using mixer::SendPresence;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kSeen[] = "<body>The call sees of you: mood. To end that say: unshare</body>";
constexpr char kUnseen[] =
    "<body>The call sees of you: mood, once this address may see your presence: accept its "
    "request, or add it to your contacts. To end that say: unshare</body>";

enum class As { room, bot };

class Unseen : public testing::TestWithParam<As> {
 protected:
  Unseen() : bench(config()) {
    bench.client = disco("", "urn:xmpp:coin:1");
    connect("none");
    for (const auto& [jid, sid] : {std::pair(kAnn, "A"), std::pair(kBob, "B")}) {
      bench.join(jid, full(), Offer{.sid = sid});
    }
    bench.wait(3s);
  }
  static bool bot() { return GetParam() == As::bot; }
  static std::string bare() { return bot() ? "bot@localhost" : kRoom; }
  static std::string full() { return bot() ? "bot@localhost/focus" : kFocus; }
  static mixer::Config config() {
    mixer::Config config = bot() ? client_config() : component_config();
    config.presence.relay = {jingle::pep::Node::mood, jingle::pep::Node::tune};
    return config;
  }
  // A bot's server says how it is with Ann.
  void connect(const std::string& subscription) {
    bench.answers = false;
    const Step step = bench.up(false, bot() ? full() : "mixer.localhost");
    bench.answers = true;
    for (const auto& iq : step.all<mixer::SendIq>()) {
      bench.answered(iq, "result",
                     "<query xmlns='jabber:iq:roster'><item jid='ann@localhost' subscription='" +
                         subscription + "'/></query>");
    }
  }
  Step says(const std::string& text) {
    return bench.message(kAnn, bare(), "<body>" + text + "</body>");
  }
  Step presence(const std::string& type) { return bench.presence("ann@localhost", bare(), type); }
  static std::string answer(const Step& step) {
    const auto messages = step.all<mixer::SendMessage>();
    return messages.empty() ? "" : messages.back().payload;
  }
  // "type from to" of each presence, available ones as "available".
  static std::vector<std::string> shown(const Step& step) {
    std::vector<std::string> out;
    for (const auto& each : step.all<SendPresence>()) {
      if (each.to.empty()) continue;  // to all contacts
      out.push_back((each.type.empty() ? "available" : each.type) + ' ' + each.from.str() + ' ' +
                    each.to.str());
    }
    return out;
  }
  // The nodes that are asked for.
  static std::vector<std::string> asked(const Step& step) {
    static const std::regex items("<items[^>]* node=.http://jabber.org/protocol/(\\w+)");
    std::vector<std::string> out;
    for (const auto& iq : step.all<mixer::SendIq>()) {
      std::smatch found;
      if (std::regex_search(iq.payload, found, items)) out.push_back(found.str(1));
    }
    return out;
  }
  static std::string request() { return "subscribe " + bare() + " ann@localhost"; }
  static std::string available() { return "available " + full() + " ann@localhost"; }

  Bench bench;
};

TEST_P(Unseen, IsToldSoAndAsked) {
  const Step step = says("share mood");
  EXPECT_EQ(answer(step), kUnseen);
  EXPECT_THAT(shown(step), ElementsAre(request()));
  EXPECT_THAT(asked(step), ElementsAre("mood")) << "for whatever anybody may see";
}

TEST_P(Unseen, IsShownOurCapsAndAskedForWhatHeSharesOnceHeSaysYes) {
  says("share mood tune");
  const Step step = presence("subscribed");
  EXPECT_THAT(shown(step), ElementsAre(available()));
  EXPECT_THAT(step.all<SendPresence>().at(0).payload, HasSubstr("http://jabber.org/protocol/caps"));
  EXPECT_THAT(asked(step), ElementsAre("tune", "mood"));
  EXPECT_THAT(asked(presence("subscribed")), IsEmpty()) << "once";
}

TEST_P(Unseen, MayAddTheAddressInstead) {
  says("share mood");
  EXPECT_THAT(shown(presence("subscribe")), testing::Contains(request()));
  const Step step = presence("subscribed");
  EXPECT_THAT(shown(step), ElementsAre(available()));
  EXPECT_THAT(asked(step), ElementsAre("mood"));
}

TEST_P(Unseen, IsAskedOnlyForWhatHeShares) {
  for (const char* text : {"share", "share weather", "share geoloc", "unshare", "unshare mood"}) {
    EXPECT_THAT(shown(says(text)), IsEmpty()) << text;
  }
  says("share mood tune");
  EXPECT_THAT(shown(says("unshare mood")), IsEmpty());
  EXPECT_THAT(shown(says("unshare tune")), IsEmpty());
  EXPECT_THAT(asked(presence("subscribed")), IsEmpty());
}

TEST_P(Unseen, IsAskedAgainWhenHeSharesAgain) {
  says("share mood");
  presence("unsubscribed");
  const Step step = says("share mood");
  EXPECT_EQ(answer(step), kUnseen);
  EXPECT_THAT(shown(step), ElementsAre(request()));
  EXPECT_THAT(asked(presence("subscribed")), ElementsAre("mood"));
}

TEST_P(Unseen, IsNobodyWhoLetsUsSeeHim) {
  if (bot()) {
    bench.handle(mixer::ConnectionDown{});
    connect("to");
  } else {
    presence("subscribe");
    presence("subscribed");
  }
  const Step step = says("share mood");
  EXPECT_EQ(answer(step), kSeen);
  EXPECT_THAT(shown(step), IsEmpty());
  EXPECT_THAT(asked(step), ElementsAre("mood"));
  EXPECT_THAT(asked(presence("subscribed")), IsEmpty());
}

// ejabberd takes caps only from presence that comes after the consent.
TEST_P(Unseen, IsShownOurCapsWhenHeSaysYesThoughHeSharesNothing) {
  presence("subscribe");
  const Step step = presence("subscribed");
  EXPECT_THAT(shown(step), ElementsAre(available()));
  EXPECT_THAT(asked(step), IsEmpty());
}

TEST_P(Unseen, GetsNothingForAnAnswerToNoQuestion) {
  EXPECT_THAT(shown(bench.presence("eve@stranger.example", bare(), "subscribed")), IsEmpty());
  if (bot()) return;  // whose server lets only answers through (RFC 6121 §3.1.6)
  EXPECT_THAT(shown(presence("subscribed")), IsEmpty());
  presence("subscribe");
  presence("subscribed");
  EXPECT_THAT(shown(presence("subscribed")), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Each, Unseen, testing::Values(As::room, As::bot),
                         [](const auto& info) { return info.param == As::bot ? "bot" : "room"; });

// XEP-0353 §3.4: being on the roster is not being shown our presence.
TEST(UnseenBot, IsShownToACallerWhomItHasOnlyAsked) {
  for (const auto& [subscription, times] :
       {std::pair("none", 1u), std::pair("to", 1u), std::pair("from", 0u), std::pair("both", 0u)}) {
    Bench bench(client_config());
    bench.answers = false;
    for (const auto& iq : bench.up(false, "bot@localhost/focus").all<mixer::SendIq>()) {
      bench.answered(iq, "result",
                     std::string("<query xmlns='jabber:iq:roster'><item jid='ann@localhost' "
                                 "subscription='") +
                         subscription + "'/></query>");
    }
    const Step step =
        bench.message(kAnn, "bot@localhost",
                      "<propose xmlns='urn:xmpp:jingle-message:0' id='P'><description "
                      "xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>");
    EXPECT_THAT(step.all<SendPresence>(), SizeIs(times)) << subscription;
  }
}

TEST(UnseenRoom, KeepsWhatBecomesOfItsRequest) {
  Bench bench(relaying(), 1, {{jid(kRoom), jid("ann@localhost"), OwnSubscription::refused}});
  bench.up();
  bench.join(kAnn, kRoom, Offer{.sid = "A"});
  const auto kept = [](const Step& step) {
    const auto rows = step.all<mixer::SaveSubscription>();
    return rows.size() == 1 ? std::optional(rows[0].row.own) : std::nullopt;
  };
  EXPECT_EQ(kept(bench.message(kAnn, kRoom, "<body>share mood</body>")), OwnSubscription::asked);
  EXPECT_EQ(kept(bench.presence("ann@localhost", kRoom, "subscribed")), OwnSubscription::granted);
}

}  // namespace
