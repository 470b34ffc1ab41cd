// The laws of mixer/roster.h by the dice: a roster after any history is what a model that works
// everything out afresh each time says (RFC 4575 §5).
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "coin/xml.h"
#include "mixer/roster.h"
#include "tests/support/data.h"
#include "tests/support/generators.h"
#include "tests/support/schema_walker.h"
#include "tests/support/seed.h"
#include "tests/support/xsd_validator.h"

namespace {

using namespace std::chrono_literals;
using mixer::Departure;
using mixer::Disclose;
using mixer::Participant;
using mixer::TimePoint;

constexpr char kRoom[] = "room@mixer.localhost";
const std::vector<std::string> kDone = {"Recording", "Playing: x"};  // by other foci
jingle::Jid jid(const std::string& text) { return *jingle::Jid::parse(text); }
bool connected(const coin::User& user) {
  for (const auto& endpoint : user.endpoints) {
    if (endpoint.status == coin::EndpointStatus::connected) return true;
    if (endpoint.status == coin::EndpointStatus::on_hold) return true;
  }
  return false;
}

struct Model {
  struct Gone {
    Participant was;
    Departure how;
    TimePoint until;
  };
  struct Link {
    std::string conference;
    std::vector<coin::User> behind;
    std::string does;
  };
  Disclose disclose;
  std::map<media::LegId, Participant> legs;
  std::map<jingle::Jid, Gone> gone;
  std::map<media::LegId, Link> links;
  std::map<jingle::Jid, std::string> tokens;  // of the users listed
  std::map<jingle::Jid, std::vector<std::string>> shared = {};
  std::map<jingle::Jid, std::string> nicks = {};
  bool recorded = false;
  std::optional<mixer::NowPlaying> playing = {};

  bool is_here(const jingle::Jid& bare) const {
    return std::ranges::any_of(legs, [&](const auto& e) { return e.second.peer.bare() == bare; });
  }
  bool is_behind(const jingle::Jid& bare) const {
    for (const auto& [leg, link] : links) {
      for (const auto& user : link.behind) {
        if (user.entity.starts_with(bare.uri())) return true;
      }
    }
    return false;
  }
  // What follows from any change at all.
  void settle() {
    std::erase_if(links, [&](const auto& e) { return !legs.contains(e.first); });
    std::erase_if(gone, [&](const auto& e) { return is_here(e.first) || is_behind(e.first); });
    std::erase_if(tokens,
                  [&](const auto& e) { return !is_here(e.first) && !gone.contains(e.first); });
    std::erase_if(shared, [&](const auto& e) { return !is_here(e.first); });
    for (const auto& [leg, participant] : legs) {
      tokens.emplace(participant.peer.bare(), participant.token);
    }
  }

  std::string person(const jingle::Jid& bare) const {
    if (disclose == Disclose::nick) return "xmpp:" + (kRoom + ("/" + tokens.at(bare)));
    return bare.uri();
  }
  std::optional<coin::Execution> info(coin::Execution info) const {
    if (!info.by) return std::nullopt;
    const jingle::Jid by = *jingle::Jid::parse_uri(*info.by);
    if (by.bare() == jid(kRoom)) return info;
    if (disclose == Disclose::bare) info.by = by.bare().uri();
    if (disclose == Disclose::nick) info.by.reset();
    if (disclose == Disclose::nick && tokens.contains(by.bare())) info.by = person(by.bare());
    if (!info.by && !info.reason) return std::nullopt;
    return info;
  }
  coin::Endpoint endpoint(const Participant& of) const {
    coin::Endpoint endpoint;
    endpoint.entity = disclose == Disclose::full   ? of.peer.uri()
                      : disclose == Disclose::bare ? of.peer.bare().uri() + "/" + of.token
                                                   : "xmpp:" + (kRoom + ("/" + of.token)) + "-e";
    endpoint.status = of.status;
    endpoint.joining_method = of.joining_method;
    endpoint.joining_info = info(of.joining_info);
    if (of.contributor_id != 0) {
      coin::Media media;
      media.id = media.type.emplace("audio");
      media.src_id = std::to_string(of.contributor_id);
      media.status = mixer::media_status(of.plan);
      endpoint.media.push_back(media);
    }
    return endpoint;
  }
  // The focus itself, while it does something.
  std::optional<coin::User> own() const {
    if (!recorded && !playing) return std::nullopt;
    coin::User focus;
    focus.entity = jid(kRoom).uri();
    focus.display_text = recorded ? playing ? "Recording; playing: x" : "Recording" : "Playing: x";
    coin::Endpoint endpoint;
    endpoint.entity = focus.entity;
    endpoint.status = !recorded && playing->paused ? coin::EndpointStatus::on_hold
                                                   : coin::EndpointStatus::connected;
    endpoint.joining_method = coin::JoiningMethod::focus_owner;
    coin::Media media;
    media.id = media.type.emplace("audio");
    media.status = !playing   ? coin::MediaStatus::recvonly
                   : recorded ? coin::MediaStatus::sendrecv
                              : coin::MediaStatus::sendonly;
    endpoint.media.push_back(media);
    focus.endpoints.push_back(endpoint);
    return focus;
  }
  // Users with what they do in place of their names.
  coin::Users users(std::optional<media::LegId> without) const {
    std::map<std::string, coin::User> all;
    for (const auto& [leg, participant] : legs) {
      coin::User& user = all[person(participant.peer.bare())];
      user.endpoints.push_back(endpoint(participant));
      const auto shown = shared.find(participant.peer.bare());
      if (shown != shared.end()) user.foreign.elements = shown->second;
      if (!links.contains(leg)) continue;
      user.cascaded_focus = links.at(leg).conference;
      if (!links.at(leg).does.empty()) user.display_text = links.at(leg).does;
    }
    for (const auto& [bare, who] : gone) {
      coin::Endpoint left = endpoint(who.was);
      left.status = coin::EndpointStatus::disconnected;
      left.media.clear();
      left.disconnection_method = who.how.method;
      left.disconnection_info = info(who.how.info);
      all[person(bare)].endpoints = {left};
    }
    for (const auto& [leg, link] : links) {
      for (const coin::User& user : link.behind) {
        const jingle::Jid bare = jingle::Jid::parse_uri(user.entity)->bare();
        if (bare == jid(kRoom) || is_here(bare)) continue;
        all.try_emplace(user.entity, user).first->second.display_text.reset();
      }
    }
    if (without && links.contains(*without)) {
      for (const coin::User& user : links.at(*without).behind) {
        const jingle::Jid bare = jingle::Jid::parse_uri(user.entity)->bare();
        if (bare != jid(kRoom) && !is_here(bare)) all.erase(user.entity);
      }
    }
    coin::Users users;
    for (auto& [entity, user] : all) {
      user.entity = entity;
      users.users.push_back(user);
    }
    if (const auto focus = own()) users.users.push_back(*focus);
    return users;
  }
};

class RosterLaws : public testing::TestWithParam<Disclose> {
 protected:
  using Names = std::map<std::string, std::string>;  // by user entity

  void check(std::optional<media::LegId> without) {
    coin::ConferenceInfo info = roster_.info(without);
    const std::string document = coin::write(info);
    ASSERT_EQ(schema_.complaint(document), std::nullopt) << document;
    ASSERT_EQ(order_.complaint(document), std::nullopt) << document;
    ASSERT_EQ(info.description->free_text.has_value(), model_.recorded) << document;
    std::set<std::string> names, entities;
    std::size_t count = 0;
    for (coin::User& user : info.users->users) {
      ASSERT_TRUE(names.insert(user.display_text.value()).second) << document;
      ASSERT_TRUE(entities.insert(user.entity).second) << document;
      if (user.entity == jid(kRoom).uri()) continue;
      count += connected(user) ? 1 : 0;
      const auto before = names_.find(user.entity);
      const auto [does, name] = split(*user.display_text);
      const bool ours = user.endpoints.at(0).joining_method.has_value();
      const bool stays = ours && before != names_.end() && !nicks_play_;
      ASSERT_EQ(name, stays ? before->second : name) << document;
      user.display_text = does;
    }
    ASSERT_NO_FATAL_FAILURE(check_nicks(info)) << document;
    ASSERT_EQ(info.conference_state->user_count, count) << document;
    ASSERT_EQ(*info.users, model_.users(without)) << document;
    if (without) return;
    names_ = ours_of(roster_.info());
    const auto here = roster_.names();
    ASSERT_EQ(here.size(), count);
    ASSERT_EQ(std::set(here.begin(), here.end()).size(), count);
  }
  // Nobody's nick is what another participant is called by his address.
  void check_nicks(const coin::ConferenceInfo& info) {
    std::map<std::string, std::string> addresses;  // by entity
    for (const auto& [leg, who] : model_.legs) {
      addresses[model_.person(who.peer.bare())] = who.peer.local();
    }
    for (const coin::User& user : info.users->users) {
      const auto own = addresses.find(user.entity);
      if (own == addresses.end()) continue;
      const std::string name = split(*user.display_text).second;
      if (name.starts_with(own->second)) continue;
      for (const auto& [entity, local] : addresses)
        ASSERT_FALSE(mixer::same_in_any_case(name, local));
    }
  }
  // "Recording (ann)": what a focus does, and its name.
  static std::pair<std::optional<std::string>, std::string> split(const std::string& text) {
    for (const std::string& does : kDone) {
      if (!text.starts_with(does + " (")) continue;
      return {does, text.substr(does.size() + 2, text.size() - does.size() - 3)};
    }
    return {std::nullopt, text};
  }
  // Those whose names must stay: participants, whom nobody else tells of.
  static Names ours_of(const coin::ConferenceInfo& info) {
    Names names;
    for (const coin::User& user : info.users->users) {
      if (!user.endpoints.at(0).joining_method) continue;
      names.emplace(user.entity, split(*user.display_text).second);
    }
    return names;
  }
  void check_all() {
    ASSERT_NO_FATAL_FAILURE(check(std::nullopt));
    for (const auto& [leg, participant] : model_.legs) ASSERT_NO_FATAL_FAILURE(check(leg));
    std::optional<TimePoint> next;
    for (const auto& [bare, who] : model_.gone)
      next = std::min(next.value_or(who.until), who.until);
    ASSERT_EQ(roster_.next_deadline(), next);
    std::set<jingle::Jid> users;
    for (const auto& [leg, who] : model_.legs) {
      if (who.status == coin::EndpointStatus::connected ||
          who.status == coin::EndpointStatus::on_hold) {
        users.insert(who.peer.bare());
      }
    }
    ASSERT_EQ(roster_.users(), users.size());
  }

  coin::Execution random_info() {
    if (dice_.chance(0.4)) return {};
    return {.when = "2026-01-01T00:00:00Z",
            .reason = dice_.one_of<std::string>({"Tea", "tired"}),
            .by = dice_.one_of<std::string>({"xmpp:room@mixer.localhost", "xmpp:ann@home.example",
                                             "xmpp:bob@home.example/phone"}),
            .foreign = {}};
  }
  Participant random_participant(media::LegId leg) {
    const auto known = model_.legs.find(leg);
    const std::vector<std::string> people = {"ann@home.example", "bob@home.example",
                                             "cyd@home.example", "ann@other.example",
                                             "mix@far.example"};
    const bool is_known = known != model_.legs.end();
    const jingle::Jid bare = is_known ? known->second.peer.bare() : jid(dice_.one_of(people));
    static int tokens = 0;
    return {.peer = leg.value == 1 && dice_.chance(0.5)
                        ? bare
                        : bare.with_resource("phone" + std::to_string(leg.value)),
            .token = is_known ? known->second.token : "t" + std::to_string(++tokens),
            .contributor_id = dice_.chance(0.3) ? 0 : static_cast<std::uint32_t>(leg.value + 100),
            .plan = {.leg = leg, .in_mix = dice_.chance(0.5), .receives = dice_.chance(0.5)},
            .status = dice_.one_of<coin::EndpointStatus>(
                {coin::EndpointStatus::connected, coin::EndpointStatus::connected,
                 coin::EndpointStatus::on_hold, coin::EndpointStatus::dialing_out,
                 coin::EndpointStatus::alerting, coin::EndpointStatus::pending}),
            .joining_method = dice_.chance(0.5) ? coin::JoiningMethod::dialed_in
                                                : coin::JoiningMethod::dialed_out,
            .joining_info = random_info(),
            .nick = model_.nicks[bare]};
  }
  std::vector<coin::User> random_behind(const std::string& conference) {
    std::map<std::string, coin::User> users;
    for (std::uint64_t n = dice_.below(5); n > 0; --n) {
      coin::User user;
      user.entity = dice_.one_of<std::string>(
          {"xmpp:ann@home.example", "xmpp:cyd@home.example/desk", "xmpp:ann@far.example",
           "xmpp:room@mixer.localhost/t1", "xmpp:dan@far.example", "xmpp:eve@far.example"});
      user.display_text = dice_.one_of<std::string>({"ann", "ann (2)", "bob", "", "eve\n"});
      user.cascaded_focus = conference;
      coin::Endpoint endpoint;
      endpoint.entity = user.entity;
      endpoint.status =
          dice_.chance(0.7) ? coin::EndpointStatus::connected : coin::EndpointStatus::disconnected;
      user.endpoints.push_back(endpoint);
      users.insert_or_assign(user.entity, user);
    }
    std::vector<coin::User> out;
    for (auto& [entity, user] : users) out.push_back(user);
    return out;
  }

  // What the roster answered must be true of what is seen.
  void step() {
    const coin::ConferenceInfo before = roster_.info();
    const media::LegId leg{1 + dice_.below(7)};
    const bool there = model_.legs.contains(leg);
    const std::uint64_t what = dice_.below(12);
    std::string did;
    bool answered = false, exact = true;
    if (what < 4) {
      if (nicks_play_ && dice_.chance(0.3)) {
        model_.nicks[jid(dice_.one_of<std::string>({"ann@home.example", "bob@home.example"}))] =
            dice_.one_of<std::string>({"", "Cyd", "bob", "MIX", "Eve", "ann (2)"});
      }
      const Participant participant = random_participant(leg);
      answered = roster_.set(leg, participant);
      model_.legs.insert_or_assign(leg, participant);
    } else if (what < 5) {
      ASSERT_EQ(roster_.remove(leg), there);
      model_.legs.erase(leg);
      exact = false;
    } else if (what < 7) {
      const Departure how{dice_.chance(0.5) ? coin::DisconnectionMethod::departed
                                            : coin::DisconnectionMethod::failed,
                          random_info()};
      const TimePoint until = now_ + dice_.up_to(5s);
      ASSERT_EQ(roster_.depart(leg, how, until), there);
      if (there) {
        const Participant was = model_.legs.at(leg);
        model_.legs.erase(leg);
        model_.links.erase(leg);
        model_.gone.insert_or_assign(was.peer.bare(), Model::Gone{was, how, until});
      }
      exact = false;
    } else if (what < 8) {
      now_ += dice_.up_to(3s);
      answered = roster_.expire(now_);
      std::erase_if(model_.gone, [&](const auto& e) { return e.second.until <= now_; });
    } else if (what < 9) {
      const jingle::Jid bare = there ? model_.legs.at(leg).peer.bare() : jid("eve@home.example");
      std::vector<std::string> elements;
      if (dice_.chance(0.7)) elements.emplace_back("<mood xmlns=\"urn:m\"><calm/></mood>");
      if (dice_.chance(0.3)) elements.emplace_back("<tune xmlns=\"urn:t\"/>");
      answered = roster_.set_shared(bare, elements);
      if (there) model_.shared[bare] = elements;
    } else if (what < 10) {
      model_.recorded = dice_.chance(0.5);
      model_.playing.reset();
      if (dice_.chance(0.5)) {
        model_.playing = mixer::NowPlaying{.title = "x", .paused = dice_.chance(0.5)};
      }
      answered = roster_.set_doing(model_.recorded, model_.playing);
    } else {
      const std::string conference =
          dice_.one_of<std::string>({"", "xmpp:one@far.example", "xmpp:two@far.example"});
      const auto behind = random_behind(conference);
      const std::string does = dice_.chance(0.5) ? "" : dice_.one_of(kDone);
      answered = roster_.set_cascade(leg, conference, behind, does);
      if (there) model_.links[leg] = {conference, behind, does};
      if (there && conference.empty()) model_.links.erase(leg);
      exact = false;
      ASSERT_TRUE(answered || roster_.info() == before);
    }
    model_.settle();
    ASSERT_TRUE(!exact || answered == (roster_.info() != before));
  }

  const unsigned seed_ = test_support::test_seed();
  test::Dice dice_{seed_};
  Model model_{.disclose = GetParam(), .legs = {}, .gone = {}, .links = {}, .tokens = {}};
  mixer::Roster roster_{
      jid(kRoom), {.name = "room", .display_text = "Tea", .subject = {}, .disclose = GetParam()}};
  test_support::XsdValidator schema_{test_support::data("schemas/conference-info.xsd")};
  test_support::SchemaWalker order_{test_support::data("schemas/conference-info.xsd")};
  TimePoint now_{};
  Names names_;
  bool nicks_play_ = false;
};

// XEP-0298 §3: "Reuse the existing format and XML schema already defined in RFC 4575."
// RFC 4575 §4.5: "elements that may be there several times are told apart by their keys"
// RFC 4575 §5.5: "user-count is the number of users that are in the conference"
TEST_P(RosterLaws, IsTheModelAfterAnyHistory) {
  for (int i = 0; i < 1000; ++i) {
    ASSERT_NO_FATAL_FAILURE(step()) << "TEST_SEED=" << seed_ << " step " << i;
    ASSERT_NO_FATAL_FAILURE(check_all()) << "TEST_SEED=" << seed_ << " step " << i;
  }
}

TEST_P(RosterLaws, ANickIsNobodyElsesNameAfterAnyHistory) {
  nicks_play_ = true;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_NO_FATAL_FAILURE(step()) << "TEST_SEED=" << seed_ << " step " << i;
    ASSERT_NO_FATAL_FAILURE(check_all()) << "TEST_SEED=" << seed_ << " step " << i;
  }
}

// Whoever takes the news now and then, in whatever form, lists the whole.
TEST_P(RosterLaws, NewsAddUpToTheWhole) {
  struct Reader {
    mixer::Listing listing{mixer::DocumentForm::standard};
    std::uint64_t seen = 0;
  };
  std::map<std::optional<media::LegId>, Reader> readers;
  int parts = 0;
  nicks_play_ = true;
  for (int i = 0; i < 3000; ++i) {
    ASSERT_NO_FATAL_FAILURE(step());
    const auto without =
        dice_.chance(0.5) ? std::nullopt : std::optional(media::LegId{1 + dice_.below(7)});
    if (dice_.chance(0.3)) continue;
    SCOPED_TRACE("TEST_SEED=" + std::to_string(seed_) + " step " + std::to_string(i));
    Reader& reader = readers[without];
    const mixer::News news = roster_.news(without, reader.seen);
    reader.listing.take(news);
    reader.seen = news.revision;
    parts += news.whole ? 0 : 1;
    coin::ConferenceInfo told = news.rest;
    told.users->users = reader.listing.users();
    ASSERT_EQ(told, roster_.info(without));
  }
  EXPECT_GT(parts, 1000);
}

INSTANTIATE_TEST_SUITE_P(Roster, RosterLaws,
                         testing::Values(Disclose::bare, Disclose::full, Disclose::nick));

}  // namespace
