// The laws of coin/diff.h by the dice.
#include "coin/diff.h"

#include <map>

#include "coin/xml.h"
#include "tests/support/conference_generator.h"
#include "tests/support/conference_printer.h"
#include "tests/support/data.h"
#include "tests/support/schema_walker.h"
#include "tests/support/xsd_validator.h"

namespace coin {
namespace {

using test_support::ConferenceGenerator;

constexpr std::uint64_t kSeed = 44;

void expect_law(const ConferenceInfo& base, const ConferenceInfo& target, const std::string& at) {
  const auto document = diff(base, target);
  ASSERT_EQ(document.has_value(), base != target) << at;
  if (!document) return;
  ASSERT_EQ(document->version, std::nullopt) << at;
  ASSERT_EQ(document->sid, std::nullopt) << at;
  const auto received = parse(write(*document));
  ASSERT_TRUE(received) << at;
  ASSERT_EQ(merge(base, *received), target) << at << "\nbase " << write(base) << "\ntarget "
                                            << write(target) << "\ndiff " << write(*document);
}

// RFC 4575 §5.2: "a partial document holds what has changed"
TEST(DiffProperty, MergingTheDifferenceOfAnyTwoGivesTheSecond) {
  ConferenceGenerator generator(kSeed);
  for (int i = 0; i < 5'000; ++i) {
    const ConferenceInfo base = generator.full(), target = generator.full();
    const std::string at = "seed " + std::to_string(kSeed) + " pair " + std::to_string(i);
    ASSERT_NO_FATAL_FAILURE(expect_law(base, target, at));
  }
}

TEST(DiffProperty, AReceiverFollowsAnyHistory) {
  ConferenceGenerator generator(kSeed);
  int partial = 0, full = 0;
  for (int i = 0; i < 500; ++i) {
    ConferenceInfo now = generator.full();
    ConferenceInfo receiver = now;
    for (int step = 0; step < 20; ++step) {
      const ConferenceInfo next = generator.edited(now);
      const std::string at = "seed " + std::to_string(kSeed) + " history " + std::to_string(i) +
                             " step " + std::to_string(step);
      ASSERT_NO_FATAL_FAILURE(expect_law(now, next, at));
      if (const auto document = diff(now, next)) {
        receiver = merge(receiver, *document);
        ++(document->state == State::partial ? partial : full);
      }
      ASSERT_EQ(receiver, next) << at;
      now = next;
    }
  }
  EXPECT_GT(partial, 3'000);
  EXPECT_GT(full, 500);
}

TEST(DiffProperty, AnotherOrderIsNoDifference) {
  ConferenceGenerator generator(kSeed);
  for (int i = 0; i < 1'000; ++i) {
    const ConferenceInfo info = generator.full();
    ASSERT_EQ(diff(info, generator.shuffled(info)), std::nullopt) << "document " << i;
  }
}

TEST(DiffProperty, PartialsAreWhatEveryClientCanTake) {
  const test_support::XsdValidator validator(test_support::data("schemas/conference-info.xsd"));
  test_support::SchemaWalker walker(test_support::data("schemas/conference-info.xsd"));
  ConferenceGenerator generator(kSeed);
  int partials = 0;
  for (int i = 0; i < 3'000; ++i) {
    const ConferenceInfo base = generator.full(), target = generator.edited(base);
    const auto document = diff(base, target);
    ASSERT_EQ(document, diff(base, target)) << "document " << i;
    if (!document) continue;
    const std::string text = write(*document);
    ASSERT_EQ(validator.complaint(text), std::nullopt) << "document " << i << "\n" << text;
    ASSERT_EQ(walker.complaint(text), std::nullopt) << "document " << i << "\n" << text;
    if (document->state != State::partial) continue;
    ++partials;
    EXPECT_EQ(document->description, target.description) << "document " << i;
    EXPECT_EQ(document->conference_state, target.conference_state) << "document " << i;
    ASSERT_TRUE(document->users) << "document " << i;
    EXPECT_EQ(document->users->state, State::partial);
    for (const User& user : document->users->users) {
      EXPECT_NE(user.state, State::partial);
      for (const Endpoint& endpoint : user.endpoints) EXPECT_EQ(endpoint.state, State::full);
    }
  }
  EXPECT_GT(partials, 1'000);
}

// RFC 4575 §4.4: "whatever is in an element that is full is full"
TEST(DiffProperty, WhateverIsReceivedTheResultIsFullAtEveryLevel) {
  ConferenceGenerator generator(kSeed);
  for (int i = 0; i < 3'000; ++i) {
    ConferenceInfo document = generator.chance(50) ? generator.partial() : generator.document();
    const ConferenceInfo base = generator.full();
    const ConferenceInfo result = merge(base, document);
    EXPECT_EQ(result.version, document.version);
    EXPECT_EQ(result.sid, document.sid);
    if (document.state == State::deleted) {
      EXPECT_EQ(result.state, State::deleted);
      EXPECT_EQ(result.users, std::nullopt);
      continue;
    }
    // Seen from outside: nothing in it says partial or deleted.
    const std::string text = write(result);
    ASSERT_EQ(text.find("state=\"partial\""), std::string::npos) << "document " << i << text;
    ASSERT_EQ(text.find("state=\"deleted\""), std::string::npos) << "document " << i << text;
    // And receiving the same once more changes nothing.
    ASSERT_EQ(merge(result, document), result) << "document " << i << "\n" << write(document);
  }
}

// What another focus may send for a changed user: only what changed, down to the stream. nullopt: a
// partial cannot say it.
template <class T>
bool shrink(const std::optional<T>& base, std::optional<T>& target) {
  if (base && !target) return false;
  if (base == target) target.reset();
  return true;
}

std::optional<Endpoint> finer(const Endpoint& base, Endpoint target) {
  target.state = State::partial;
  bool can = base.foreign == target.foreign && shrink(base.display_text, target.display_text) &&
             shrink(base.referred, target.referred) && shrink(base.status, target.status) &&
             shrink(base.joining_method, target.joining_method) &&
             shrink(base.joining_info, target.joining_info) &&
             shrink(base.disconnection_method, target.disconnection_method) &&
             shrink(base.disconnection_info, target.disconnection_info) &&
             shrink(base.call_info, target.call_info);
  for (const Media& media : base.media) {
    const auto same = std::find_if(target.media.begin(), target.media.end(),
                                   [&media](const Media& m) { return m.id == media.id; });
    if (same == target.media.end()) {
      can = false;
    } else if (*same == media) {
      target.media.erase(same);
    }
  }
  target.foreign = {};
  return can ? std::optional(target) : std::nullopt;
}

std::optional<User> finer(const User& base, User target) {
  target.state = State::partial;
  const bool can =
      base.foreign == target.foreign && shrink(base.display_text, target.display_text) &&
      shrink(base.associated_aors, target.associated_aors) && shrink(base.roles, target.roles) &&
      shrink(base.cascaded_focus, target.cascaded_focus) &&
      (base.languages.empty() || !target.languages.empty());
  if (!can) return std::nullopt;
  target.foreign = {};
  if (base.languages == target.languages) target.languages.clear();
  std::map<std::string, Endpoint> before;
  for (const Endpoint& endpoint : base.endpoints) before[endpoint.entity] = endpoint;
  std::vector<Endpoint> changed;
  for (const Endpoint& endpoint : target.endpoints) {
    const auto old = before.find(endpoint.entity);
    if (old == before.end()) {
      changed.push_back(endpoint);
      continue;
    }
    if (old->second != endpoint) {
      changed.push_back(finer(old->second, endpoint).value_or(endpoint));
    }
    before.erase(old);
  }
  for (const auto& [entity, endpoint] : before) {
    Endpoint gone;
    gone.entity = entity;
    gone.state = State::deleted;
    changed.push_back(gone);
  }
  target.endpoints = changed;
  return target;
}

TEST(DiffProperty, PartialUsersAndEndpointsOfOthersMergeToTheSame) {
  ConferenceGenerator generator(kSeed);
  int finer_users = 0;
  for (int i = 0; i < 5'000; ++i) {
    const ConferenceInfo base = generator.full(), target = generator.edited(base);
    auto document = diff(base, target);
    if (!document || document->state != State::partial) continue;
    for (User& user : document->users->users) {
      for (const User& old : base.users->users) {
        if (user.state == State::deleted || old.entity != user.entity) continue;
        if (const auto smaller = finer(old, user)) {
          user = *smaller;
          ++finer_users;
          break;
        }
      }
    }
    ASSERT_EQ(merge(base, *document), target) << "seed " << kSeed << " pair " << i << "\n"
                                              << write(base) << "\n"
                                              << write(*document);
  }
  EXPECT_GT(finer_users, 300);
}

}  // namespace
}  // namespace coin
