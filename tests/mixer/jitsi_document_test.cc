// Jitsi desktop reads every document its notifier form makes, and lists who is there.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <pugixml.hpp>
#include <set>
#include <stdexcept>

#include "coin/xml.h"
#include "mixer/document_form.h"
#include "mixer/notifier.h"
#include "tests/support/conference_generator.h"
#include "tests/support/focus_bench.h"
#include "tests/support/sanitized.h"
#include "tests/support/seed.h"

namespace {

using namespace std::chrono_literals;

// Jitsi closes its XMPP stream.
struct Fatal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <std::size_t N>
void check_word(const std::optional<std::string>& word, const char* const (&known)[N]) {
  if (!word || std::ranges::find(known, *word) == std::end(known)) {
    throw Fatal("unknown word: " + word.value_or("(none)"));
  }
}
int integer(const std::optional<std::string>& text) {
  int value = 0;
  const char* end = text ? text->data() + text->size() : nullptr;
  if (!text || std::from_chars(text->data(), end, value).ptr != end || text->empty()) {
    throw Fatal("no integer: " + text.value_or("(none)"));
  }
  return value;
}

// Who is listed, as the window shows him.
struct Member {
  std::optional<std::string> name;
  std::string status;
  std::optional<std::string> src_id, media_status;
  bool operator==(const Member&) const = default;
};
void PrintTo(const Member& member, std::ostream* out) {
  *out << member.name.value_or("(none)") << ' ' << member.status << ' '
       << member.src_id.value_or("(none)") << ' ' << member.media_status.value_or("(none)");
}
using Members = std::map<std::string, Member>;

std::string key_of(std::string entity) {
  entity.resize(std::min(entity.find(';'), entity.size()));
  for (char& c : entity) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return entity;
}

// A model of its reader and its memory, written from what is known of them, not from our writer. It
// pulls tokens and looks at local names only; a name that ends an element ends it wherever it
// stands.
class Jitsi {
 public:
  void receive(const std::string& payload) {
    pugi::xml_document xml;
    const auto flags = pugi::parse_default | pugi::parse_ws_pcdata;
    if (!xml.load_string(payload.c_str(), flags)) throw Fatal("not well-formed");
    tokens_.clear();
    at_ = 0;
    flatten(xml.document_element());
    document();
  }

  Members members;
  std::optional<std::string> title;
  int count = -1;
  int applied = 0;

 private:
  struct Token {
    enum Kind { start, text, end } kind = start;
    std::string local, value;
    pugi::xml_node element;
  };
  struct User {
    std::string entity, state;
    Member shown;
  };

  void flatten(const pugi::xml_node& node) {
    std::string local = node.name();
    local.erase(0, local.find(':') + 1);
    tokens_.push_back({Token::start, local, {}, node});
    for (const pugi::xml_node child : node.children()) {
      if (child.type() == pugi::node_element) {
        flatten(child);
      } else {
        tokens_.push_back({Token::text, {}, child.value(), {}});
      }
    }
    tokens_.push_back({Token::end, local, {}, {}});
  }
  const Token& next() {
    if (at_ >= tokens_.size()) throw Fatal("read past the end");
    return tokens_[at_++];
  }
  // The last text before any element's end; nullopt: none, which Jitsi has as null.
  std::optional<std::string> text() {
    std::optional<std::string> result;
    for (;;) {
      const Token& token = next();
      if (token.kind == Token::end) return result;
      if (token.kind == Token::text) result = token.value;
    }
  }
  template <typename F>
  void children(const char* until, F on_start) {
    for (;;) {
      const Token& token = next();
      if (token.kind == Token::end && token.local == until) return;
      if (token.kind == Token::start) on_start(token);
    }
  }
  static std::string state_of(const pugi::xml_node& element) {
    if (!element.attribute("state")) return "full";
    const std::string state = element.attribute("state").value();
    check_word(state, {"full", "partial", "deleted"});
    return state;
  }

  void document() {
    const Token root = next();
    const auto attribute = [&](const char* name) -> std::optional<std::string> {
      const pugi::xml_attribute found = root.element.attribute(name);
      return found ? std::optional<std::string>(found.value()) : std::nullopt;
    };
    const int version = integer(attribute("version"));
    const std::string state = state_of(root.element);
    std::optional<std::string> new_title;
    std::optional<std::vector<User>> users;
    std::string users_state;
    int new_count = -1;
    bool described = false;
    children("conference-info", [&](const Token& child) {
      if (child.local == "conference-description") {
        described = true;
        new_title = description();
      } else if (child.local == "conference-state") {
        new_count = conference_state();
      } else if (child.local == "users") {
        users_state = state_of(child.element);
        users.emplace();
        children("users", [&](const Token& token) {
          if (token.local == "user") users->push_back(user(token.element));
        });
      } else if (child.local == "uris" || child.local == "sidebars-by-val") {
        throw Fatal("read by a parser that takes anything apart: " + child.local);
      }
    });
    if (!attribute("sid") || !attribute("entity")) throw std::logic_error("dropped: whose is it?");
    if (!described || !users) throw Fatal("no description or no users");
    if (state == "deleted") throw std::logic_error("dropped: root deleted");
    if (version_ == 0 ? state != "full" : version <= version_) throw std::logic_error("dropped");
    if (state == "partial" && version != version_ + 1) throw std::logic_error("dropped: gap");
    version_ = version;
    title = new_title;
    count = new_count;
    ++applied;
    remember(*users, users_state);
  }

  void remember(const std::vector<User>& users, const std::string& users_state) {
    if (users_state != "partial") members.clear();
    if (users_state == "deleted") return;
    for (const User& user : users) {
      if (user.state == "partial") throw Fatal("a partial user is misread, or unknown");
      if (user.state == "full") {
        members[key_of(user.entity)] = user.shown;
      } else {
        members.erase(key_of(user.entity));
      }
    }
  }

  std::optional<std::string> description() {
    std::optional<std::string> display_text;
    children("conference-description", [&](const Token& token) {
      if (token.local == "display-text") display_text = text();
      if (token.local == "subject" || token.local == "free-text") text();
    });
    return display_text;
  }
  int conference_state() {
    int user_count = -1;
    children("conference-state", [&](const Token& token) {
      if (token.local == "user-count") user_count = integer(text());
      if (token.local == "active" || token.local == "locked") text();
    });
    return user_count;
  }
  User user(const pugi::xml_node& element) {
    if (!element.attribute("entity")) throw Fatal("user without entity");
    User user{element.attribute("entity").value(), state_of(element), {}};
    children("user", [&](const Token& token) {
      if (token.local == "display-text") user.shown.name = text();
      if (token.local == "endpoint") endpoint(token.element, user.shown);
    });
    return user;
  }
  void endpoint(const pugi::xml_node& element, Member& member) {
    if (state_of(element) == "partial") throw Fatal("a partial endpoint keeps its old status");
    member.status = "(none)";
    children("endpoint", [&](const Token& token) {
      if (token.local == "disconnection-method") throw Fatal("disconnection-method");
      if (token.local == "status") {
        const auto word = text();
        check_word(word, {"pending", "dialing-out", "dialing-in", "alerting", "on-hold",
                          "connected", "mute-via-focus", "disconnecting", "disconnected"});
        member.status = *word;
      }
      if (token.local == "joining-method") {
        check_word(text(), {"dialed-in", "dialed-out", "focus-owner"});
      }
      if (token.local == "call-info") throw Fatal("taken apart: call-info");
      if (token.local == "media") media(token.element, member);
    });
  }
  void media(const pugi::xml_node& element, Member& member) {
    if (!element.attribute("id")) throw Fatal("media without id");
    std::optional<std::string> type, src_id, status;
    children("media", [&](const Token& token) {
      if (token.local == "type") type = text();
      if (token.local == "display-text" || token.local == "label") text();
      if (token.local == "src-id") {
        src_id = text();
        if (!src_id || src_id->find_first_not_of("0123456789") != std::string::npos) {
          throw Fatal("src-id is no number");
        }
      }
      if (token.local == "status") {
        status = text();
        check_word(status, {"sendrecv", "sendonly", "recvonly", "inactive"});
      }
    });
    if (type != "audio") return;
    member.src_id = src_id;
    member.media_status = status;
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int version_ = 0;
};

// What it has to list: of everybody's endpoints that are there, the connected ones count most, then
// those with the greater entity; users that are one to Jitsi are one.
Members truth_of(const coin::ConferenceInfo& info) {
  using coin::EndpointStatus;
  struct Person {
    std::optional<std::string> name;
    std::map<std::pair<bool, std::string>, coin::Endpoint> endpoints;
  };
  std::map<std::string, Person> people;
  for (const coin::User& user : info.users ? info.users->users : std::vector<coin::User>()) {
    std::vector<coin::Endpoint> there = user.endpoints;
    std::erase_if(there, [](const auto& e) { return e.status == EndpointStatus::disconnected; });
    if (there.empty() && !user.endpoints.empty()) continue;
    Person& person = people[key_of(user.entity)];
    if (user.display_text != "") person.name = std::max(person.name, user.display_text);
    for (const coin::Endpoint& endpoint : there) {
      const bool connected = !endpoint.status || endpoint.status == EndpointStatus::connected ||
                             endpoint.status == EndpointStatus::muted_via_focus;
      person.endpoints[{connected, endpoint.entity}] = endpoint;
    }
  }
  Members members;
  for (auto& [key, person] : people) {
    Member& member = members[key];
    member.name = person.name;
    for (auto& [rank, endpoint] : person.endpoints) {
      std::ranges::sort(endpoint.media, {}, &coin::Media::id);
      const bool muted = endpoint.status == EndpointStatus::muted_via_focus;
      const EndpointStatus status = endpoint.status.value_or(EndpointStatus::connected);
      member.status = muted ? "connected" : std::string(to_string(status));
      for (const coin::Media& media : endpoint.media) {
        if (media.type != "audio") continue;
        const std::string source = media.src_id.value_or("");
        const bool number = source.find_first_not_of("0123456789") == std::string::npos;
        member.src_id = !source.empty() && number ? std::optional(source) : std::nullopt;
        member.media_status.reset();
        if (!media.status) continue;
        member.media_status = to_string(*media.status);
        if (muted && media.status == coin::MediaStatus::sendrecv) member.media_status = "recvonly";
        if (muted && media.status == coin::MediaStatus::sendonly) member.media_status = "inactive";
      }
    }
  }
  return members;
}

// Foreign elements with the names that Jitsi reacts to, and entities that are not one to others.
void spoil(coin::ConferenceInfo& info, test_support::ConferenceGenerator& g) {
  static constexpr const char* kElements[] = {
      "<status xmlns='urn:x'>odd</status>",
      "<disconnection-method xmlns='urn:x'>departed</disconnection-method>",
      "<x xmlns='urn:x'><display-text>Mallory</display-text><user/></x>",
      "<users xmlns='urn:x' state='odd'/>",
      "<media xmlns='urn:x'/>",
      "<user-count xmlns='urn:x'>many</user-count>",
      "<x xmlns='urn:x'><endpoint><status/></endpoint></x>",
      "<conference-info xmlns='urn:x'/>"};
  const auto spoil_one = [&](coin::Foreign& foreign) {
    if (!g.chance(30)) return;
    pugi::xml_document xml;
    xml.load_string(kElements[g.below(std::size(kElements))]);
    foreign.elements.push_back(coin::foreign_element(xml.document_element()).value());
  };
  spoil_one(info.foreign);
  if (info.description) spoil_one(info.description->foreign);
  if (info.conference_state) spoil_one(info.conference_state->foreign);
  if (!info.users) return;
  spoil_one(info.users->foreign);
  std::set<std::string> entities;
  for (coin::User& user : info.users->users) {
    spoil_one(user.foreign);
    const std::string before = user.entity;
    if (g.chance(5)) user.entity = g.chance(50) ? "XMPP:User1" : "xmpp:user2;gr=1";
    while (!entities.insert(user.entity).second) user.entity += ";again";
    for (coin::Endpoint& endpoint : user.endpoints) {
      endpoint.entity += '#' + before;  // no two people have one in common
      spoil_one(endpoint.foreign);
      for (coin::Media& media : endpoint.media) spoil_one(media.foreign);
    }
  }
}

// The model would notice: each of these, alone, is refused.
TEST(JitsiDocuments, TheModelKnowsWhatIsFatal) {
  const std::string head = "<conference-info entity='e' sid='s' state='full' version='1'>";
  const std::string start = head + "<conference-description/><users state='full'>";
  const std::string user = start + "<user entity='u' state='full'>";
  const std::string end = "</user></users></conference-info>";
  EXPECT_NO_THROW(Jitsi().receive(user + "<endpoint><status>connected</status></endpoint>" + end));
  for (const std::string& fatal :
       {head + "<users/></conference-info>", head + "<conference-description/></conference-info>",
        std::string("<conference-info entity='e' sid='s'/>"),
        user + "<endpoint><status>muted-via-focus</status></endpoint>" + end,
        user + "<endpoint><status/></endpoint>" + end,
        user + "<endpoint><x:status xmlns:x='urn:x'>odd</x:status></endpoint>" + end,
        user + "<endpoint><disconnection-method>departed</disconnection-method></endpoint>" + end,
        user + "<endpoint><media/></endpoint>" + end,
        user + "<endpoint><joining-method>walked-in</joining-method></endpoint>" + end,
        start + "<user/></users></conference-info>",
        head + "<conference-state><user-count>4294967295</user-count></conference-state>",
        head + "<conference-state><user-count/></conference-state>"}) {
    EXPECT_THROW(Jitsi().receive(fatal), Fatal) << fatal;
  }
}

// RFC 4575's receivers lose nothing by it.
TEST(JitsiDocuments, TheStandardFormIsWhatTheRoomSays) {
  test_support::ConferenceGenerator generate(test_support::test_seed());
  for (int i = 0; i < 100; ++i) {
    const coin::ConferenceInfo info = generate.full();
    EXPECT_EQ(mixer::shaped(info, mixer::DocumentForm::standard), info);
  }
}

// Law: whatever conference there is, through the notifier and on the wire nothing is fatal to it,
// nothing is dropped, and its list is the truth after each document.
TEST(JitsiDocuments, TenThousandOfThemAreReadAndListTheTruth) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  test_support::ConferenceGenerator generate(seed);
  std::map<coin::State, int> told;
  constexpr int kDocuments = test_support::kSanitized ? 1000 : 10'000;
  for (int documents = 0; documents < kDocuments;) {
    std::mt19937_64 random(seed);
    mixer::Outbox out([&random] { return random(); });
    mixer::ByteBudget budget(1e9);
    mixer::Notifier notifier("room", {.sid_attribute = generate.chance(50)}, budget);
    const jingle::Jid local = test::jid("room@mixer.localhost");
    const jingle::Jid peer = test::jid("jitsi@a.example/x");
    notifier.add({1},
                 {.local = local, .peer = peer, .sid = {"J"}, .form = mixer::DocumentForm::jitsi});
    notifier.add({2}, {.local = local, .peer = test::jid("other@a.example/x"), .sid = {"O"}});
    Jitsi jitsi;
    coin::ConferenceInfo info = generate.full();
    mixer::TimePoint now{1000s};
    for (int step = 0; step < 40; ++step) {
      coin::ConferenceInfo said = info;
      spoil(said, generate);
      notifier.touch();
      // Long enough for a heal now and then, and for a document whose answer was lost.
      now += generate.chance(3) ? 61s : 6s;
      notifier.advance([&](auto, auto) { return mixer::whole(said); }, out, now);
      for (auto& command : out.take()) {
        const auto iq = std::get<mixer::SendIq>(std::move(command));
        const media::LegId leg = iq.to == peer ? media::LegId{1} : media::LegId{2};
        if (!generate.chance(3))
          budget.answered(iq.id, now), notifier.answered(leg, iq.id, nullptr, now);
        if (iq.to != peer) continue;
        ASSERT_NO_THROW(jitsi.receive(iq.payload)) << iq.payload;
        ASSERT_EQ(jitsi.members, truth_of(said)) << iq.payload;
        ++documents;
        ++told[coin::parse(iq.payload).value().state];
      }
      if (generate.chance(2)) notifier.connection_up(now);
      info = generate.edited(std::move(info));
    }
  }
  EXPECT_GE(told[coin::State::full], kDocuments / 10);
  EXPECT_GE(told[coin::State::partial], kDocuments / 10);
}

}  // namespace
