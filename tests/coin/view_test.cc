// coin::View (RFC 4575 §4.6): which document is applied, and that a full one heals everything.
#include <map>
#include <random>

#include "coin/diff.h"
#include "coin/xml.h"
#include "tests/support/conference_generator.h"
#include "tests/support/conference_printer.h"

namespace coin {
namespace {

using Outcome = View::Outcome;
using test_support::ConferenceGenerator;

ConferenceInfo document(State state, std::optional<std::uint32_t> version,
                        std::vector<std::string> users = {}) {
  ConferenceInfo info;
  info.entity = "xmpp:r@mix.example";
  info.state = state;
  info.version = version;
  info.users.emplace().state = state;
  for (const std::string& entity : users) info.users->users.emplace_back().entity = entity;
  return info;
}
ConferenceInfo full(std::optional<std::uint32_t> version, std::vector<std::string> users = {}) {
  return document(State::full, version, std::move(users));
}
ConferenceInfo partial(std::optional<std::uint32_t> version, std::vector<std::string> users = {}) {
  return document(State::partial, version, std::move(users));
}
ConferenceInfo deleted(std::optional<std::uint32_t> version) {
  return document(State::deleted, version);
}

// RFC 4575 §4.6: "who has nothing yet can use a full document only"
TEST(View, TheFirstDocumentMustBeFull) {
  View view;
  EXPECT_EQ(view.info(), std::nullopt);
  EXPECT_FALSE(view.stale());
  EXPECT_EQ(view.receive(partial(1)), Outcome::no_base);
  EXPECT_EQ(view.receive(deleted(2)), Outcome::no_base);
  EXPECT_EQ(view.info(), std::nullopt);
  EXPECT_TRUE(view.stale());
  EXPECT_EQ(view.receive(full(1, {"a"})), Outcome::applied);
  EXPECT_FALSE(view.stale());
  EXPECT_EQ(view.info(), full(1, {"a"}));
}

// RFC 4575 §4.6: "a partial applies to the version before it; after a gap the whole state is"
TEST(View, APartialFollowsItsPredecessorOnly) {
  View view;
  view.receive(full(4, {"a"}));
  EXPECT_EQ(view.receive(partial(4, {"b"})), Outcome::stale);
  EXPECT_EQ(view.receive(partial(3, {"b"})), Outcome::stale);
  EXPECT_EQ(view.receive(partial(5, {"b"})), Outcome::applied);
  EXPECT_EQ(view.info(), full(5, {"a", "b"}));
  EXPECT_FALSE(view.stale());
}

// RFC 4575 §4.6: "a partial applies to the version before it; after a gap the whole state is"
TEST(View, AGapLeavesItStaleUntilTheNextFull) {
  View view;
  view.receive(full(1, {"a"}));
  EXPECT_EQ(view.receive(partial(3, {"c"})), Outcome::gap);
  EXPECT_TRUE(view.stale());
  EXPECT_EQ(view.info(), full(1, {"a"}));
  // What was late still fits, but 3 is lost all the same.
  EXPECT_EQ(view.receive(partial(2, {"b"})), Outcome::applied);
  EXPECT_TRUE(view.stale());
  EXPECT_EQ(view.receive(partial(4, {"d"})), Outcome::gap);
  EXPECT_EQ(view.receive(full(9, {"x"})), Outcome::applied);
  EXPECT_FALSE(view.stale());
  EXPECT_EQ(view.info(), full(9, {"x"}));
}

// RFC 4575 §4.6: "a full document replaces everything known"
TEST(View, AFullDocumentOfAHigherVersionReplacesEverything) {
  View view;
  view.receive(full(1, {"a", "b"}));
  EXPECT_EQ(view.receive(full(1, {"c"})), Outcome::stale);
  EXPECT_EQ(view.receive(full(100, {"c"})), Outcome::applied);
  EXPECT_EQ(view.info(), full(100, {"c"}));
}

// RFC 4575 §4.6: "a conference that is deleted is over"
TEST(View, ADeletedConferenceIsOverUntilAFullDocumentOfItComes) {
  View view;
  view.receive(full(1, {"a"}));
  EXPECT_EQ(view.receive(deleted(1)), Outcome::stale);
  EXPECT_EQ(view.receive(deleted(7)), Outcome::applied);
  EXPECT_EQ(view.info()->state, State::deleted);
  EXPECT_EQ(view.info()->users, std::nullopt);
  EXPECT_EQ(view.receive(partial(8)), Outcome::no_base);
  EXPECT_TRUE(view.stale());
  EXPECT_EQ(view.receive(full(9, {"a"})), Outcome::applied);
  EXPECT_EQ(view.info(), full(9, {"a"}));
  EXPECT_FALSE(view.stale());
}

// RFC 4575 §5.2: "a version has 32 bits"
TEST(View, VersionsHaveThirtyTwoBitsAndDoNotWrap) {
  View view;
  view.receive(full(0xFFFFFFFE, {"a"}));
  EXPECT_EQ(view.receive(partial(0xFFFFFFFF, {"b"})), Outcome::applied);
  EXPECT_EQ(view.receive(partial(0, {"c"})), Outcome::stale);
  EXPECT_EQ(view.receive(full(0, {"c"})), Outcome::stale);
}

TEST(View, WithoutVersionOnlyWhatNeedsNoOrderIsApplied) {
  View view;
  EXPECT_EQ(view.receive(full({}, {"a"})), Outcome::applied);
  EXPECT_EQ(view.receive(partial(1)), Outcome::gap);
  EXPECT_TRUE(view.stale());
  EXPECT_EQ(view.receive(full({}, {"b"})), Outcome::applied);
  EXPECT_FALSE(view.stale());
  EXPECT_EQ(view.receive(full(5, {"c"})), Outcome::applied);
  EXPECT_EQ(view.receive(partial({}, {"d"})), Outcome::gap);
  EXPECT_EQ(view.receive(full({}, {"e"})), Outcome::applied);
  EXPECT_EQ(view.receive(full(1, {"f"})), Outcome::applied);
  EXPECT_EQ(view.receive(deleted({})), Outcome::applied);
  EXPECT_EQ(view.info()->state, State::deleted);
}

// A focus sends a history, the way loses, repeats and reorders it. Whatever the view shows is what
// the focus had at that version, and one full document at the end makes it whole.
// RFC 4575 §4.6: "a document whose version is not above the local one is discarded"
TEST(View, AnyLossRepetitionAndOrderHealsWithAFullDocument) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    ConferenceGenerator generator(seed);
    std::map<std::uint32_t, ConferenceInfo> history;
    std::vector<ConferenceInfo> sent;
    ConferenceInfo now = generator.full();
    std::uint32_t version = 0;
    const auto send = [&](ConferenceInfo document) {
      document.version = ++version;
      history[version] = now;
      sent.push_back(std::move(document));
    };
    send(now);
    for (int step = 0; step < 30; ++step) {
      const ConferenceInfo next = generator.edited(now);
      const auto document = diff(now, next);
      now = next;
      if (document) send(generator.chance(10) ? now : *document);
    }
    std::vector<ConferenceInfo> arriving;
    for (const ConferenceInfo& document : sent) {
      if (generator.chance(15)) continue;
      arriving.push_back(document);
      if (generator.chance(15)) arriving.push_back(document);
      if (generator.chance(15) && arriving.size() > 1) {
        std::swap(arriving.back(), arriving[arriving.size() - 2]);
      }
    }
    View view;
    bool lossless = true;
    const auto receive = [&](const ConferenceInfo& document) {
      const Outcome outcome = view.receive(document);
      lossless = lossless && outcome == Outcome::applied;
      if (!view.info()) return;
      ConferenceInfo expected = history.at(view.info()->version.value());
      expected.version = view.info()->version;
      ASSERT_EQ(view.info(), expected) << "seed " << seed;
    };
    for (const ConferenceInfo& document : arriving) ASSERT_NO_FATAL_FAILURE(receive(document));
    send(now);
    ASSERT_NO_FATAL_FAILURE(receive(sent.back()));
    EXPECT_FALSE(view.stale()) << "seed " << seed;
    EXPECT_EQ(view.info()->version, version) << "seed " << seed;
  }
}

}  // namespace
}  // namespace coin
