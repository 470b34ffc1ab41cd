// Our invitations by themselves: one per target, whom to leave alone, who yields to whom.
#include "mixer/dialling.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "mixer/limits.h"
#include "tests/support/seed.h"

namespace {

using namespace std::chrono_literals;
using mixer::Dial;
using mixer::Dialling;
using mixer::InviteRefusal;
using mixer::TimePoint;
using Crossing = mixer::Dialling::Crossing;

const TimePoint kNow{1000s};
const jingle::Jid kOwn = jingle::Jid::of("room", "mixer.example", "focus");

jingle::Jid jid(const std::string& text) { return jingle::Jid::parse(text).value(); }

Dial dial(const std::string& target, std::uint64_t leg = 1, const std::string& sid = "m",
          const std::string& room = "room") {
  return {.room = room,
          .leg = {leg},
          .sid = {sid},
          .target = jid(target),
          .by = std::nullopt,
          .message_id = "id-" + sid};
}

TEST(Dialling, ATargetHasOneOpenInvitationWhateverTheRoomAndTheResource) {
  Dialling dialling;
  EXPECT_FALSE(dialling.refuses(jid("ann@x"), kNow));
  dialling.propose(dial("ann@x"), kNow);
  EXPECT_EQ(dialling.refuses(jid("ann@x"), kNow), InviteRefusal::already_invited);
  EXPECT_EQ(dialling.refuses(jid("ann@x/phone"), kNow), InviteRefusal::already_invited);
  EXPECT_FALSE(dialling.refuses(jid("bob@x"), kNow));
  EXPECT_NE(dialling.of("room", jid("ann@x/phone")), nullptr);
  EXPECT_EQ(dialling.of("another", jid("ann@x")), nullptr);
}

TEST(Dialling, WhoDidNotComeIsLeftAloneForTenMinutes) {
  Dialling dialling;
  dialling.propose(dial("ann@x"), kNow);
  dialling.end({1}, true, kNow);
  EXPECT_EQ(dialling.refuses(jid("ann@x/phone"), kNow + 10min - 1s), InviteRefusal::refused_lately);
  EXPECT_FALSE(dialling.refuses(jid("ann@x"), kNow + 10min));
}

TEST(Dialling, WhoCameMayBeDialledAgainAtOnce) {
  Dialling dialling;
  dialling.call(dial("ann@x"), jid("ann@x/phone"));
  dialling.end({1}, false, kNow);
  EXPECT_FALSE(dialling.refuses(jid("ann@x"), kNow));
}

TEST(Dialling, MemoryIsBoundedAndTheOldestGo) {
  Dialling dialling;
  for (std::size_t i = 0; i <= mixer::limits::kMaxLeftAlone; ++i) {
    dialling.propose(dial("u" + std::to_string(i) + "@x", i), kNow + i * 1us);
    dialling.end({i}, true, kNow + i * 1us);
  }
  EXPECT_FALSE(dialling.refuses(jid("u0@x"), kNow + 1s));
  EXPECT_TRUE(dialling.refuses(jid("u1@x"), kNow + 1s));
  for (std::size_t i = 0; i < mixer::limits::kMaxDials; ++i) {
    ASSERT_FALSE(dialling.refuses(jid("v" + std::to_string(i) + "@x"), kNow));
    dialling.propose(dial("v" + std::to_string(i) + "@x", i), kNow);
  }
  EXPECT_EQ(dialling.refuses(jid("w@x"), kNow), InviteRefusal::over_limit);
}

TEST(Dialling, OnlyDevicesOfTheTargetAnswerAndOnlyThatProposal) {
  Dialling dialling;
  dialling.propose(dial("ann@x", 1, "S"), kNow);
  EXPECT_EQ(dialling.proposal("room", jid("bob@x/phone"), {"S"}), nullptr);
  EXPECT_EQ(dialling.proposal("another", jid("ann@x/phone"), {"S"}), nullptr);
  EXPECT_EQ(dialling.proposal("room", jid("ann@x/phone"), {"T"}), nullptr);
  EXPECT_EQ(dialling.rang("room", jid("bob@x/phone"), {"S"}), nullptr);
  EXPECT_NE(dialling.rang("room", jid("ann@x/phone"), {"S"}), nullptr);
  EXPECT_EQ(dialling.rang("room", jid("ann@x/tablet"), {"S"}), nullptr) << "it rings already";
  ASSERT_NE(dialling.proposal("room", jid("ann@x/tablet"), {"S"}), nullptr);
  dialling.call(Dial(*dialling.proposal("room", jid("ann@x/tablet"), {"S"})), jid("ann@x/tablet"));
  EXPECT_EQ(dialling.proposal("room", jid("ann@x/phone"), {"S"}), nullptr) << "too late";
}

TEST(Dialling, SilenceIsReportedOnceAndEndsAtAnyReactionButAReceipt) {
  Dialling dialling;
  dialling.propose(dial("ann@x", 1, "A"), kNow);
  dialling.propose(dial("bob@x", 2, "B"), kNow);
  dialling.propose(dial("cat@x", 3, "C"), kNow);
  (void)dialling.rang("room", jid("bob@x/phone"), {"B"});
  dialling.delivered("room", jid("cat@x/phone"), "id-C");
  dialling.delivered("room", jid("ann@x/phone"), "id-C");
  EXPECT_EQ(dialling.next_deadline(), kNow + 5s);
  EXPECT_TRUE(dialling.take_silent(kNow + 5s - 1ms).empty());
  const auto silent = dialling.take_silent(kNow + 5s);
  ASSERT_EQ(silent.size(), 2u);
  EXPECT_EQ(silent[0].target, jid("ann@x"));
  EXPECT_EQ(silent[0].delivered_to, std::vector<jingle::Jid>());
  EXPECT_EQ(silent[1].delivered_to, std::vector{jid("cat@x/phone")});
  EXPECT_TRUE(dialling.take_silent(kNow + 6s).empty());
  EXPECT_EQ(dialling.next_deadline(), kNow + 45s);
}

TEST(Dialling, ProposalsExpireAndCallsDoNot) {
  Dialling dialling;
  dialling.propose(dial("ann@x", 1), kNow);
  (void)dialling.rang("room", jid("ann@x/phone"), {"m"});
  dialling.call(dial("bob@x/phone", 2), jid("bob@x/phone"));
  EXPECT_TRUE(dialling.expired(kNow + 45s - 1ms).empty());
  const auto expired = dialling.expired(kNow + 45s);
  ASSERT_EQ(expired.size(), 1u);
  EXPECT_EQ(expired[0].target, jid("ann@x"));
  dialling.end(expired[0].leg, true, kNow + 45s);
  EXPECT_FALSE(dialling.next_deadline());
  EXPECT_EQ(dialling.all().size(), 1u) << "its call has timers of its own";
}

TEST(Dialling, OnlyTheTargetItselfBouncesItsProposal) {
  Dialling dialling;
  dialling.propose(dial("ann@x", 1, "S"), kNow);
  EXPECT_EQ(dialling.bounced("room", jid("ann@x/phone"), "id-S"), nullptr) << "one device of many";
  EXPECT_EQ(dialling.bounced("room", jid("ann@x"), "id-T"), nullptr);
  EXPECT_NE(dialling.bounced("room", jid("ann@x"), "id-S"), nullptr);
}

// XEP-0353 §4.1.
TEST(Dialling, OfCrossingProposalsTheLowerIdStands) {
  Dialling dialling;
  dialling.propose(dial("ann@x", 1, "m"), kNow);
  const auto crosses = [&](const std::string& from, const std::string& sid) {
    return dialling.proposal_crosses("room", jid(from), {sid}, kOwn);
  };
  EXPECT_EQ(crosses("ann@x/phone", "a"), Crossing::yield);
  EXPECT_EQ(crosses("ann@x/phone", "z"), Crossing::prevail);
  EXPECT_EQ(crosses("ann@x/phone", "M"), Crossing::yield) << "i;octet, not the alphabet";
  EXPECT_EQ(crosses("ann@x/phone", "\xC3\xA4"), Crossing::prevail) << "octets are unsigned";
  EXPECT_EQ(crosses("ann@x/phone", "m"), Crossing::yield) << "ann@x is lower than room@mixer";
  EXPECT_EQ(crosses("bob@x/phone", "a"), Crossing::none);
  dialling.propose(dial("zoe@x", 2, "m"), kNow);
  EXPECT_EQ(crosses("zoe@x/phone", "m"), Crossing::prevail);
}

// XEP-0166 §7.2.16.
TEST(Dialling, OfCrossingSessionInitiatesTheLowerSidStands) {
  Dialling dialling;
  dialling.call(dial("ann@x", 1, "m"), jid("ann@x/phone"));
  const auto crosses = [&](const std::string& from, const std::string& sid) {
    return dialling.session_crosses("room", jid(from), {sid}, kOwn);
  };
  EXPECT_EQ(crosses("ann@x/phone", "a"), Crossing::yield);
  EXPECT_EQ(crosses("ann@x/phone", "z"), Crossing::prevail);
  EXPECT_EQ(crosses("ann@x/phone", "m"), Crossing::yield);
  EXPECT_EQ(crosses("ann@x/tablet", "z"), Crossing::yield) << "not the party that we call";
  EXPECT_EQ(dialling.session_crosses("another", jid("ann@x/phone"), {"z"}, kOwn), Crossing::none);
}

TEST(Dialling, ASessionInitiateStandsBeforeAProposal) {
  Dialling dialling;
  dialling.propose(dial("ann@x", 1, "a"), kNow);
  EXPECT_EQ(dialling.session_crosses("room", jid("ann@x/phone"), {"z"}, kOwn), Crossing::yield);
  dialling.call(dial("bob@x", 2, "z"), jid("bob@x/phone"));
  EXPECT_EQ(dialling.proposal_crosses("room", jid("bob@x/phone"), {"a"}, kOwn), Crossing::prevail);
  EXPECT_EQ(dialling.proposal_crosses("room", jid("bob@x/tablet"), {"z"}, kOwn), Crossing::yield);
}

// Law: of two that cross, exactly one stands, whoever looks.
TEST(Dialling, BothSidesOfACrossingJudgeAlike) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  const auto word = [&] {
    std::string out;
    for (std::size_t n = 1 + random() % 3; n > 0; --n) out += static_cast<char>('a' + random() % 2);
    return out;
  };
  int decided = 0;
  for (int i = 0; i < 20000; ++i) {
    const jingle::Jid a = jid(word() + "@" + word() + "." + word() + "/" + word());
    const jingle::Jid b = jid(word() + "@" + word() + "." + word() + "/" + word());
    if (a.bare() == b.bare()) continue;
    const std::string sid_a = word(), sid_b = word();
    const bool a_called = random() % 2 == 0, b_called = random() % 2 == 0;
    Dialling at_a, at_b;
    a_called ? at_a.call(dial(b.str(), 1, sid_a), b)
             : at_a.propose(dial(b.bare().str(), 1, sid_a), kNow);
    b_called ? at_b.call(dial(a.str(), 1, sid_b), a)
             : at_b.propose(dial(a.bare().str(), 1, sid_b), kNow);
    const Crossing judged_by_a = b_called ? at_a.session_crosses("room", b, {sid_b}, a)
                                          : at_a.proposal_crosses("room", b, {sid_b}, a);
    const Crossing judged_by_b = a_called ? at_b.session_crosses("room", a, {sid_a}, b)
                                          : at_b.proposal_crosses("room", a, {sid_a}, b);
    ASSERT_NE(judged_by_a, Crossing::none);
    ASSERT_NE(judged_by_b, Crossing::none);
    ASSERT_NE(judged_by_a, judged_by_b)
        << a.str() << ' ' << sid_a << ' ' << b.str() << ' ' << sid_b;
    ++decided;
  }
  EXPECT_GT(decided, 10000);
}

TEST(Dialling, EveryRefusalHasWordsOfItsOwn) {
  std::set<std::string_view> words;
  for (int i = 0; i <= static_cast<int>(InviteRefusal::over_limit); ++i) {
    words.insert(to_string(static_cast<InviteRefusal>(i)));
  }
  EXPECT_EQ(words.size(), static_cast<std::size_t>(InviteRefusal::over_limit) + 1);
  EXPECT_FALSE(words.contains(""));
}

}  // namespace
