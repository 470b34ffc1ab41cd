// Whoever says something to a room is answered once, whatever his client says of itself and when; a
// program (XEP-0030 client/bot) never is.
#include "mixer/chatters.h"

#include <gmock/gmock.h>

#include "mixer/limits.h"
#include "tests/support/focus_bench.h"
#include "tests/support/generators.h"
#include "tests/support/seed.h"

namespace {

using namespace test;
using mixer::SendMessage;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kBob[] = "bob@localhost/phone";
constexpr char kRoom[] = "room@mixer.localhost";
constexpr char kProgram[] =
    "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='bot'/>"
    "</query>";
constexpr char kRefused[] =
    "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
    "</error>";

// Nobody answers by himself.
struct Chat : Bench {
  Chat() {
    answers = false;
    up();
  }
  Step say(const std::string& text, const std::string& from = kBob) {
    return message(from, kRoom, "<body>" + text + "</body>");
  }
  static std::vector<std::string> said(const Step& step) {
    std::vector<std::string> out;
    for (const auto& message : step.all<SendMessage>()) out.push_back(message.payload);
    return out;
  }
};

TEST(Chatter, WhoOnlyChatsIsAskedWhatHisClientIsAndAnsweredOnce) {
  Chat chat;
  const Step first = chat.say("who");
  EXPECT_THAT(Chat::said(first), IsEmpty());
  const auto asked = first.all<mixer::SendIq>();
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].to, jid(kBob));
  EXPECT_NE(asked[0].payload.find("disco#info"), std::string::npos);
  const Step second = chat.say("mute");
  EXPECT_THAT(second.commands, IsEmpty()) << "asked once";
  EXPECT_THAT(Chat::said(chat.answered(asked[0], "result", disco(""))),
              ElementsAre("<body>Call this address first.</body>",
                          "<body>mute NAME: let nobody hear that participant</body>"));
  EXPECT_THAT(Chat::said(chat.wait(1min)), IsEmpty());
  EXPECT_THAT(Chat::said(chat.say("who")), SizeIs(1)) << "it is known now";
}

TEST(Chatter, AProgramThatOnlyChatsIsNotAnswered) {
  Chat chat;
  for (const char* text : {"help", "Hello there", "help"}) {
    const Step step = chat.say(text);
    EXPECT_THAT(Chat::said(step), IsEmpty()) << text;
    for (const auto& iq : step.all<mixer::SendIq>()) {
      EXPECT_THAT(Chat::said(chat.answered(iq, "result", kProgram)), IsEmpty()) << text;
    }
    EXPECT_THAT(Chat::said(chat.wait(1min)), IsEmpty()) << text;
  }
}

TEST(Chatter, WhoseClientSaysNothingIsTakenForAPerson) {
  Chat chat;
  chat.say("who");
  EXPECT_THAT(Chat::said(chat.wait(mixer::limits::kDiscoTimeout - 1ms)), IsEmpty());
  EXPECT_THAT(Chat::said(chat.wait(1ms)), SizeIs(1));
  EXPECT_THAT(Chat::said(chat.say("who")), SizeIs(1)) << "without waiting again";
  const Step refused = chat.say("who", "cyd@localhost/x");
  EXPECT_THAT(Chat::said(chat.answered(refused.all<mixer::SendIq>().at(0), "error", kRefused)),
              SizeIs(1));
  EXPECT_THAT(Chat::said(chat.say("who", "cyd@localhost/x")), SizeIs(1));
}

TEST(Chatter, AProgramThatSaysSoLateIsAnsweredNoMore) {
  Chat chat;
  const auto asked = chat.say("who").all<mixer::SendIq>().at(0);
  EXPECT_THAT(Chat::said(chat.wait(10s)), SizeIs(1));
  chat.answered(asked, "result", kProgram);
  EXPECT_THAT(Chat::said(chat.say("who")), IsEmpty());
}

TEST(Chatter, WhoeverIsAPersonIsAnsweredOnceInOrderAndNoProgramIs) {
  const auto seed = test_support::test_seed();
  Dice dice(seed);
  for (int round = 0; round < 50; ++round) {
    SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
    Chat chat;
    enum class Manner { person, program, refuses, silent };
    std::vector<Manner> manners;
    std::vector<std::string> expected(6), heard(6);
    for (int i = 0; i < 6; ++i) manners.push_back(static_cast<Manner>(dice.below(4)));
    const auto who = [](const jingle::Jid& full) { return std::stoul(full.resource()); };
    std::vector<mixer::SendIq> asked;
    const auto keep = [&](const Step& step) {
      for (const auto& message : step.all<SendMessage>()) {
        heard[who(message.to)] += message.payload.find("kick") != std::string::npos ? 'k' : 'm';
      }
      for (const auto& iq : step.all<mixer::SendIq>()) asked.push_back(iq);
    };
    for (int i = 0; i < 60; ++i) {
      if (!asked.empty() && dice.chance(0.3)) {
        const auto at = asked.begin() + static_cast<std::ptrdiff_t>(dice.below(asked.size()));
        const mixer::SendIq iq = *at;
        asked.erase(at);
        const Manner manner = manners[who(iq.to)];
        if (manner == Manner::silent) continue;
        const bool refuses = manner == Manner::refuses;
        keep(chat.answered(iq, refuses ? "error" : "result",
                           refuses                     ? kRefused
                           : manner == Manner::program ? kProgram
                                                       : disco("")));
      } else if (dice.chance(0.7)) {
        const auto from = dice.below(6);
        const bool kick = dice.chance(0.5);
        if (manners[from] != Manner::program) expected[from] += kick ? 'k' : 'm';
        keep(chat.say(kick ? "kick" : "mute",
                      "u" + std::to_string(from) + "@localhost/" + std::to_string(from)));
      } else {
        // A program that says so in time.
        for (const auto& iq : std::exchange(asked, {})) {
          if (manners[who(iq.to)] == Manner::program) {
            keep(chat.answered(iq, "result", kProgram));
          } else {
            asked.push_back(iq);
          }
        }
        keep(chat.wait(dice.up_to(8000ms)));
      }
    }
    for (const auto& iq : asked) {
      if (manners[who(iq.to)] == Manner::program) keep(chat.answered(iq, "result", kProgram));
    }
    keep(chat.wait(1min));
    EXPECT_EQ(heard, expected);
  }
}

TEST(Chatters, AreBounded) {
  using Then = mixer::Chatters::Then;
  mixer::Chatters chatters;
  TimePoint now{1000s};
  const auto hear = [&](std::size_t i) {
    return chatters.hear({.room = "room",
                          .from = jid("u" + std::to_string(i) + "@localhost/x"),
                          .type = "chat",
                          .told = {}},
                         now);
  };
  for (std::size_t i = 0; i < mixer::limits::kMaxChatters; ++i) EXPECT_EQ(hear(i), Then::ask);
  EXPECT_EQ(hear(mixer::limits::kMaxChatters), Then::wait) << "and is forgotten";
  now += mixer::limits::kDiscoTimeout;
  EXPECT_EQ(chatters.take_due(now).size(), mixer::limits::kMaxChatters);
  EXPECT_EQ(hear(7), Then::answer);
  EXPECT_EQ(hear(mixer::limits::kMaxChatters), Then::ask) << "in place of one that was silent";
  now += mixer::limits::kDiscoLifetime;
  EXPECT_EQ(hear(7), Then::ask) << "it may be another program";
}

}  // namespace
