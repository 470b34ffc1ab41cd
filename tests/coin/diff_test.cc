// coin/diff.h by example: what is sent, and what becomes of it.
#include "coin/diff.h"

#include "coin/xml.h"
#include "tests/support/conference_printer.h"

namespace coin {
namespace {

using ::testing::HasSubstr;

User user(const std::string& entity, const std::string& name = "") {
  User user;
  user.entity = entity;
  if (!name.empty()) user.display_text = name;
  Endpoint endpoint;
  endpoint.entity = entity + "/phone";
  endpoint.status = EndpointStatus::connected;
  endpoint.joining_method = JoiningMethod::dialed_in;
  endpoint.media.push_back({"audio", {}, "audio", {}, "2124", MediaStatus::sendrecv, {}});
  user.endpoints.push_back(endpoint);
  return user;
}

ConferenceInfo conference(std::vector<User> users) {
  ConferenceInfo info;
  info.entity = "xmpp:r@mix.example";
  info.description.emplace().display_text = "Room r";
  info.conference_state.emplace().user_count = static_cast<std::uint32_t>(users.size());
  info.users.emplace().users = std::move(users);
  return info;
}

UriEntry uri(const std::string& key, const std::string& purpose = "p") {
  return {key, {}, purpose, {}, {}};
}
Uris uris(State state, std::vector<UriEntry> entries) { return {state, std::move(entries), {}}; }

ConferenceInfo partial_of(ConferenceInfo document) {
  document.state = State::partial;
  if (document.users) document.users->state = State::partial;
  return document;
}

// ---- diff

TEST(Diff, NothingIsSentWhenNothingChanged) {
  const ConferenceInfo info = conference({user("a"), user("b")});
  EXPECT_EQ(diff(info, info), std::nullopt);
  ConferenceInfo numbered = info;
  numbered.version = 9;
  numbered.sid = "S";
  EXPECT_EQ(diff(info, numbered), std::nullopt);
  EXPECT_EQ(diff(info, conference({user("b"), user("a")})), std::nullopt);
}

TEST(Diff, AJoinSendsTheNewUserWhole) {
  const auto document = diff(conference({user("a")}), conference({user("a"), user("b", "Bob")}));
  ASSERT_TRUE(document);
  EXPECT_EQ(document->state, State::partial);
  EXPECT_EQ(document->description->display_text, "Room r");
  EXPECT_EQ(document->conference_state->user_count, 2u);
  EXPECT_EQ(document->users->state, State::partial);
  EXPECT_EQ(document->users->users, (std::vector<User>{user("b", "Bob")}));
}

// RFC 4575 §4.4: "a deleted element has no content"
TEST(Diff, ALeaverIsDeletedByHisKeyAlone) {
  const auto document = diff(conference({user("a"), user("b")}), conference({user("a")}));
  ASSERT_TRUE(document);
  EXPECT_THAT(write(*document), HasSubstr("<users state=\"partial\">"
                                          "<user entity=\"b\" state=\"deleted\"/></users>"));
}

TEST(Diff, AChangedUserIsSentWholeAndFull) {
  User muted = user("b");
  muted.endpoints[0].media[0].status = MediaStatus::recvonly;
  const auto document = diff(conference({user("a"), user("b")}), conference({user("a"), muted}));
  ASSERT_TRUE(document);
  EXPECT_EQ(document->users->users, (std::vector<User>{muted}));
}

TEST(Diff, AllIsSentWhenNoUserStaysAsHeWas) {
  const ConferenceInfo target = conference({user("a", "A"), user("b", "B")});
  EXPECT_EQ(diff(conference({user("a"), user("b")}), target), target);
  EXPECT_EQ(diff(conference({user("a")}), conference({})), conference({}));
  EXPECT_EQ(diff(conference({}), target), target);
}

TEST(Diff, AllIsSentWhenAPartialCannotSayIt) {
  const ConferenceInfo plain = conference({user("a")});
  const auto state_of = [](const ConferenceInfo& base, const ConferenceInfo& target) {
    const auto document = diff(base, target);
    return document ? std::optional(document->state) : std::nullopt;
  };
  const auto expect_one_way = [&](const ConferenceInfo& with) {
    EXPECT_EQ(state_of(plain, with), State::partial) << write(with);
    EXPECT_EQ(state_of(with, plain), State::full) << write(with);
  };
  ConferenceInfo with = plain;
  with.host_info.emplace().web_page = "http://x";
  expect_one_way(with);
  with = plain;
  with.foreign.elements = {"<x xmlns=\"urn:x\"/>"};
  expect_one_way(with);
  with = plain;
  with.foreign.attributes = {{"urn:x", "a", "1"}};
  expect_one_way(with);
  with = plain;
  with.users->foreign.elements = {"<x xmlns=\"urn:x\"/>"};
  expect_one_way(with);
  with = plain;
  with.sidebars_by_ref = uris(State::full, {uri("u")});
  expect_one_way(with);

  ConferenceInfo without = plain;
  without.description.reset();
  EXPECT_EQ(state_of(plain, without), State::full);
  without = plain;
  without.users.reset();
  EXPECT_EQ(state_of(plain, without), State::full);
  EXPECT_EQ(state_of(without, plain), State::full);
  ConferenceInfo renamed = plain;
  renamed.entity = "xmpp:other@mix.example";
  EXPECT_EQ(state_of(plain, renamed), State::full);
}

TEST(Diff, AKeyGivenTwiceIsSentInFull) {
  const ConferenceInfo plain = conference({user("a"), user("b")});
  const ConferenceInfo twice = conference({user("a"), user("b"), user("b", "again")});
  EXPECT_EQ(diff(plain, twice), twice);
  EXPECT_EQ(diff(twice, plain), plain);
  EXPECT_EQ(diff(twice, twice), std::nullopt);
}

TEST(Diff, UrisAreAddedInPartAndTakenAwayWhole) {
  ConferenceInfo one = conference({user("a")}), two = one;
  one.sidebars_by_ref = uris(State::full, {uri("x")});
  two.sidebars_by_ref = uris(State::full, {uri("x"), uri("y")});
  EXPECT_EQ(diff(one, two)->sidebars_by_ref, uris(State::partial, {uri("y")}));
  EXPECT_EQ(diff(two, one)->sidebars_by_ref, uris(State::full, {uri("x")}));
  EXPECT_EQ(diff(two, one)->state, State::partial);
}

TEST(Diff, SidebarsComeAndGoByTheirEntity) {
  ConferenceInfo one = conference({user("a")}), two = one, none = one;
  ConferenceInfo s1 = conference({user("a")}), s2 = conference({});
  s1.entity = "s1";
  s2.entity = "s2";
  one.sidebars_by_val.emplace().entries = {s1};
  two.sidebars_by_val.emplace().entries = {s2};
  const auto change = diff(one, two);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->state, State::partial);
  EXPECT_THAT(write(*change), HasSubstr("<entry entity=\"s1\" state=\"deleted\"/>"));
  EXPECT_EQ(diff(one, none)->sidebars_by_val->state, State::deleted);
  EXPECT_EQ(merge(one, *change), two);
}

// RFC 4575 §5.2: "a partial document holds what has changed"
TEST(Diff, OneChangeAmongAThousandUsersIsSmall) {
  std::vector<User> users;
  for (int i = 0; i < 1'000; ++i) {
    const std::string number = std::to_string(i);
    users.push_back(user("xmpp:participant" + number + "@example.org", "Participant " + number));
  }
  const ConferenceInfo base = conference(users);
  users[500].endpoints[0].status = EndpointStatus::on_hold;
  const auto document = diff(base, conference(users));
  ASSERT_TRUE(document);
  EXPECT_LT(write(*document).size(), 2'048u);
  EXPECT_GT(write(base).size(), 100u * write(*document).size());
}

// ---- merge

TEST(Merge, FullReplacesAndItsChildrenAreFull) {
  ConferenceInfo document = conference({user("b"), user("c"), user("d")});
  document.users->state = State::partial;
  document.users->users[0].state = State::partial;
  document.users->users[0].endpoints[0].state = State::partial;
  document.users->users[1].state = State::deleted;
  document.users->users[2].endpoints[0].state = State::deleted;
  document.version = 3;
  document.sid = "S";
  User d = user("d");
  d.endpoints.clear();
  ConferenceInfo expected = conference({user("b"), d});
  expected.conference_state->user_count = 3;
  expected.version = 3;
  expected.sid = "S";
  EXPECT_EQ(merge(conference({user("a")}), document), expected);
}

TEST(Merge, DeletedLeavesNothingButTheEntity) {
  ConferenceInfo document = conference({user("b")});
  document.state = State::deleted;
  document.version = 4;
  const ConferenceInfo result = merge(conference({user("a")}), document);
  EXPECT_EQ(write(result),
            "<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" "
            "entity=\"xmpp:r@mix.example\" state=\"deleted\" version=\"4\"/>");
}

// RFC 4575 §4.6: "in a partial: what has no key replaces its namesake, and what is absent stays"
TEST(Merge, AbsentIsKeptAndPresentReplacesWhole) {
  ConferenceInfo base = conference({user("a")});
  base.description->subject = "old";
  base.host_info.emplace().web_page = "http://x";
  ConferenceInfo document;
  document.entity = base.entity;
  document.state = State::partial;
  EXPECT_EQ(merge(base, document), base);
  document.description.emplace().display_text = "new";
  const ConferenceInfo result = merge(base, document);
  EXPECT_EQ(result.description->display_text, "new");
  EXPECT_EQ(result.description->subject, std::nullopt);
  EXPECT_EQ(result.host_info, base.host_info);
  EXPECT_EQ(result.users, base.users);
}

// RFC 4575 §4.6: "in a partial: full replaces or is added, deleted goes, partial is merged into"
TEST(Merge, UsersByTheirState) {
  ConferenceInfo document = partial_of(conference({user("b", "B"), user("c"), user("d")}));
  document.users->users[1].state = State::deleted;
  document.users->users[2].state = State::deleted;  // unknown: nothing to do
  EXPECT_EQ(merge(conference({user("a"), user("b"), user("c")}), document).users->users,
            (std::vector<User>{user("a"), user("b", "B")}));
  document.users->state = State::deleted;
  EXPECT_EQ(merge(conference({user("a")}), document).users, std::nullopt);
  document.users->state = State::full;
  EXPECT_EQ(merge(conference({user("a")}), document).users->users,
            (std::vector<User>{user("b", "B")}));
}

// RFC 4575 §4.6: "in a partial: full replaces or is added, deleted goes, partial is merged into"
// RFC 4575 §5.6: "a user has other addresses, roles and languages"
TEST(Merge, APartialUserKeepsWhatIsNotSaid) {
  User base = user("a", "Ann");
  base.languages = {"en"};
  base.roles.emplace().entries = {"host"};
  base.endpoints.push_back(user("a2").endpoints[0]);
  User change;
  change.entity = "a";
  change.state = State::partial;
  change.roles.emplace().entries = {"guest"};
  Endpoint endpoint;
  endpoint.entity = "a/phone";
  endpoint.state = State::partial;
  endpoint.status = EndpointStatus::on_hold;
  endpoint.media = {{"video", {}, {}, {}, {}, MediaStatus::inactive, {}}};
  change.endpoints = {endpoint};

  User expected = base;
  expected.roles = change.roles;
  expected.endpoints[0].status = EndpointStatus::on_hold;
  expected.endpoints[0].media.push_back(endpoint.media[0]);
  EXPECT_EQ(merge(conference({base}), partial_of(conference({change}))).users->users,
            (std::vector<User>{expected}));
}

TEST(Merge, AnUnknownPartialUserOrEndpointIsInserted) {
  User change = user("b", "Bob");
  change.state = State::partial;
  change.endpoints[0].state = State::partial;
  EXPECT_EQ(merge(conference({user("a")}), partial_of(conference({change}))).users->users,
            (std::vector<User>{user("a"), user("b", "Bob")}));
}

// RFC 4575 §5.6: "a user has other addresses, roles and languages"
TEST(Merge, UriListsByTheirState) {
  User base = user("a");
  base.associated_aors = uris(State::full, {uri("x"), uri("y")});
  const auto merged = [&base](const Uris& list) {
    User change;
    change.entity = "a";
    change.state = State::partial;
    change.associated_aors = list;
    return merge(conference({base}), partial_of(conference({change})))
        .users->users.at(0)
        .associated_aors;
  };
  EXPECT_EQ(merged(uris(State::partial, {uri("y", "new"), uri("z")})),
            uris(State::full, {uri("x"), uri("y", "new"), uri("z")}));
  EXPECT_EQ(merged(uris(State::full, {uri("z")})), uris(State::full, {uri("z")}));
  EXPECT_EQ(merged(uris(State::deleted, {uri("z")})), std::nullopt);
}

TEST(Merge, APartialUriListInADescriptionGoesOnFromTheOldOne) {
  ConferenceInfo base = conference({});
  base.description->conf_uris = uris(State::full, {uri("x")});
  base.description->service_uris = uris(State::full, {uri("s")});
  ConferenceInfo document = partial_of(conference({}));
  document.description->conf_uris = uris(State::partial, {uri("y")});
  const ConferenceInfo result = merge(base, document);
  EXPECT_EQ(result.description->conf_uris, uris(State::full, {uri("x"), uri("y")}));
  EXPECT_EQ(result.description->service_uris, std::nullopt);
}

TEST(Merge, ForeignElementsReplaceTheirNamesakes) {
  ConferenceInfo base = conference({});
  base.foreign.elements = {"<a xmlns=\"urn:1\">1</a>", "<b xmlns=\"urn:1\"/>",
                           "<a xmlns=\"urn:1\">2</a>", "<a xmlns=\"urn:2\"/>"};
  base.foreign.attributes = {{"urn:1", "x", "1"}, {"urn:2", "x", "1"}};
  ConferenceInfo document = partial_of(conference({}));
  document.foreign.elements = {"<c xmlns=\"urn:1\"/>", "<a xmlns=\"urn:1\">3</a>"};
  document.foreign.attributes = {{"urn:2", "x", "2"}, {"urn:3", "x", "3"}};
  const Foreign merged = merge(base, document).foreign;
  EXPECT_EQ(merged.elements,
            (std::vector<std::string>{"<a xmlns=\"urn:1\">3</a>", "<b xmlns=\"urn:1\"/>",
                                      "<a xmlns=\"urn:2\"/>", "<c xmlns=\"urn:1\"/>"}));
  EXPECT_EQ(merged.attributes, (std::vector<ForeignAttribute>{
                                   {"urn:1", "x", "1"}, {"urn:2", "x", "2"}, {"urn:3", "x", "3"}}));
}

TEST(Merge, OfAKeyGivenTwiceTheLastCounts) {
  const ConferenceInfo twice = conference({user("a"), user("b", "1"), user("b", "2")});
  EXPECT_EQ(merge(twice, partial_of(conference({user("b", "3"), user("b", "4")}))).users->users,
            (std::vector<User>{user("a"), user("b", "4")}));
  User change;
  change.entity = "b";
  change.state = State::partial;
  EXPECT_EQ(merge(twice, partial_of(conference({change}))).users->users,
            (std::vector<User>{user("a"), user("b", "2")}));
  // The same when the changes are many.
  std::vector<User> many{change}, expected{user("a"), user("b", "2")};
  for (int i = 0; i < 50; ++i) {
    many.push_back(user("n" + std::to_string(i)));
    expected.push_back(many.back());
  }
  EXPECT_EQ(merge(twice, partial_of(conference(many))).users->users, expected);
}

// ---- equality

TEST(Equality, IgnoresTheOrderOfKeyedChildrenOnly) {
  EXPECT_EQ(conference({user("a"), user("b")}), conference({user("b"), user("a")}));
  EXPECT_NE(conference({user("a"), user("b")}), conference({user("a"), user("b", "B")}));
  ConferenceInfo one = conference({}), two = one;
  one.description->keywords = {"a", "b"};
  two.description->keywords = {"b", "a"};
  EXPECT_NE(one, two);
}

TEST(Equality, ComparesRepeatedKeysInTheirOrder) {
  const ConferenceInfo info = conference({user("a", "1"), user("b"), user("a", "2")});
  EXPECT_EQ(info, conference({user("b"), user("a", "1"), user("a", "2")}));
  EXPECT_NE(info, conference({user("b"), user("a", "2"), user("a", "1")}));
  EXPECT_NE(info, conference({user("b"), user("b"), user("a", "1")}));
}

}  // namespace
}  // namespace coin
