// The law of mixer/listing.h: however the news came, whole or in parts, the list is the document's,
// and what changed since any moment makes it of the list of that moment.
#include "mixer/listing.h"

#include <gtest/gtest.h>

#include "coin/diff.h"
#include "tests/support/conference_generator.h"
#include "tests/support/sanitized.h"
#include "tests/support/seed.h"

namespace {

using mixer::DocumentForm;
using mixer::Listing;
using mixer::News;

std::shared_ptr<const coin::User> user(const std::string& entity, const std::string& name) {
  coin::User user;
  user.entity = entity;
  user.display_text = name;
  return std::make_shared<const coin::User>(std::move(user));
}
News part(std::map<std::string, mixer::SharedUser> users) {
  return {.rest = {}, .users = std::move(users), .whole = false};
}

coin::Users users_of(const Listing& listing) {
  coin::Users users;
  users.users = listing.users();
  return users;
}

// Two of them in one key now and then, as Jitsi reads them; nobody is listed twice.
coin::ConferenceInfo crowded(coin::ConferenceInfo info) {
  if (!info.users) info.users.emplace();
  for (coin::User& user : info.users->users) {
    for (coin::Endpoint& endpoint : user.endpoints) endpoint.entity += '#' + user.entity;
    char& last = user.entity.back();
    if (last % 2 == 0) {
      --last;
      user.entity = "XMPP" + user.entity.substr(4) + ";even";
    }
  }
  return info;
}

News part_of(const coin::ConferenceInfo& before, const coin::ConferenceInfo& now) {
  News news = mixer::whole(now);
  const News old = mixer::whole(before);
  news.whole = false;
  for (const auto& [entity, user] : old.users) {
    const auto found = news.users.try_emplace(entity).first;
    if (found->second && *found->second == *user) news.users.erase(found);
  }
  return news;
}

class Listings : public testing::TestWithParam<DocumentForm> {};

TEST_P(Listings, AreTheDocumentsAndKnowWhatChangedSinceAnyMoment) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  test_support::ConferenceGenerator generate(seed);
  int partial = 0, forgotten = 0;
  for (int run = 0; run < (test_support::kSanitized ? 5 : 50); ++run) {
    Listing listing(GetParam());
    coin::ConferenceInfo info = generate.full(), seen;
    std::vector<std::pair<std::uint64_t, coin::Users>> moments;
    for (int step = 0; step < 80; ++step) {
      const coin::ConferenceInfo now = crowded(info);
      const coin::Users before = users_of(listing);
      const bool changed =
          listing.take(generate.chance(20) ? mixer::whole(now) : part_of(seen, now));
      seen = now;
      const coin::Users users = users_of(listing);
      coin::Users truth = *shaped(now, GetParam()).users;
      truth.foreign = {};
      ASSERT_EQ(users, truth);
      ASSERT_EQ(listing.size(), users.users.size());
      ASSERT_TRUE(changed || users == before);
      moments.emplace_back(listing.revision(), users);
      if (generate.chance(1)) listing.forget_changes();
      for (const auto& [revision, then] : moments) {
        const auto since = listing.since(revision, {});
        if (!since) {
          ++forgotten;
          continue;
        }
        coin::ConferenceInfo base, document;
        base.users = then;
        document.state = coin::State::partial;
        document.users.emplace().state = coin::State::partial;
        document.users->users = *since;
        ASSERT_EQ(coin::merge(base, document).users, users);
        ++partial;
      }
      ASSERT_TRUE(listing.since(listing.revision(), {})->empty());
      info = generate.edited(std::move(info));
    }
  }
  EXPECT_GT(partial, 100);
  EXPECT_GT(forgotten, 10);
}

INSTANTIATE_TEST_SUITE_P(Forms, Listings,
                         testing::Values(DocumentForm::standard, DocumentForm::jitsi));

TEST(Listing, SaysOnlyWhoIsShownOtherwiseThanThen) {
  Listing listing(DocumentForm::standard);
  listing.take(part({{"xmpp:a", user("xmpp:a", "A")}, {"xmpp:b", user("xmpp:b", "B")}}));
  const std::uint64_t then = listing.revision();
  EXPECT_FALSE(listing.take(part({{"xmpp:a", user("xmpp:a", "A")}, {"xmpp:x", nullptr}})));
  EXPECT_EQ(listing.revision(), then);
  EXPECT_TRUE(listing.take(part({{"xmpp:a", user("xmpp:a", "Ann")}})));
  ASSERT_EQ(listing.since(then, {})->size(), 1u);
  EXPECT_EQ(listing.since(then, {})->at(0).display_text, "Ann");
  listing.take(part({{"xmpp:a", user("xmpp:a", "A")}}));
  EXPECT_TRUE(listing.since(then, {})->empty()) << "taken back";
  EXPECT_EQ(listing.since(then + 1, {})->size(), 1u) << "for some it is news";
}

TEST(Listing, WhatIsOwedIsSaidWhateverItIs) {
  Listing listing(DocumentForm::standard);
  listing.take(part({{"xmpp:a", user("xmpp:a", "A")}, {"xmpp:b", user("xmpp:b", "B")}}));
  const auto owed = listing.since(listing.revision(), {"xmpp:a", "xmpp:gone"});
  ASSERT_EQ(owed->size(), 2u);
  EXPECT_EQ(owed->at(0).state, coin::State::full);
  EXPECT_EQ(owed->at(1).entity, "xmpp:gone");
  EXPECT_EQ(owed->at(1).state, coin::State::deleted);
}

TEST(Listing, RemembersSoManyChangesOnly) {
  Listing listing(DocumentForm::standard);
  listing.take(part({{"xmpp:a", user("xmpp:a", "0")}}));
  const std::uint64_t then = listing.revision();
  for (int i = 1; i <= 64; ++i) {
    listing.take(part({{"xmpp:a", user("xmpp:a", std::to_string(i))}}));
  }
  ASSERT_TRUE(listing.since(then, {}));
  listing.take(part({{"xmpp:a", user("xmpp:a", "more")}}));
  EXPECT_FALSE(listing.since(then, {}));
  EXPECT_TRUE(listing.since(then + 1, {}));
}

}  // namespace
