// What is over leaves nothing behind: whatever strangers and callers do, and however often, a focus
// keeps no more of it than limits.h allows, and forgets the oldest for the newest.
#include "tests/support/focus_bench.h"
#include "tests/support/in_use.h"

namespace {

using namespace test;

constexpr char kAnn[] = "ann@localhost/phone";  // a moderator, who is always there
constexpr char kRoom[] = "room@mixer.localhost";
mixer::Config open_to_all() {
  mixer::Config config = component_config();
  config.room_defaults.moderators = {jid("ann@localhost")};
  config.limits.rooms_per_domain_and_hour = 100000;
  config.limits.calls_per_minute_per_jid = 1000;
  config.play.media_dir = "/music";
  config.record.directory = "/recordings";
  return config;
}

class Busy : public Bench {
 public:
  Busy() : Bench(open_to_all()) {
    up();
    join(kAnn, kRoom, {.sid = "ann"});
  }
  // All as long.
  static std::string numbered(const std::string& what, int number) {
    return what + std::to_string(1'000'000 + number);
  }
  std::string nth(const std::string& what) const { return numbered(what, event); }
  std::string user() const { return numbered("u", person); }
  std::string caller() const { return user() + "@localhost/phone"; }
  media::LegId joins(const std::string& room = kRoom, const std::string& more = "") {
    return join(caller(), room, {.sid = nth("S"), .more_jingle = more});
  }
  void leaves(const std::string& room = kRoom) { iq(caller(), room, terminate(nth("S"))); }
  Step says(const std::string& from, const std::string& text) {
    return message(from, kRoom, "<body>" + text + "</body>");
  }
  // What the moderator may say is limited by the minute.
  Step orders(const std::string& text) {
    wait(2s);
    return says(kAnn, text);
  }
  int event = 0, person = 0;
};

// Strangers beyond every bound in limits.h, or the same ten people again and again.
struct Habit {
  const char* name;
  void (*act)(Busy&);
  int times = 12000, people = 1'000'000;
};
std::ostream& operator<<(std::ostream& out, const Habit& habit) { return out << habit.name; }

class EachTime : public testing::TestWithParam<Habit> {
 protected:
  std::size_t most_in_use_meanwhile() {
    std::size_t most = 0;
    for (int i = 0; i < GetParam().times; ++i) {
      room_.person = ++room_.event % GetParam().people;
      GetParam().act(room_);
      room_.wait(100ms);
      if (i % 50 != 0) continue;
      room_.views.clear();  // the bench's own books
      room_.engine = FakeEngine();
      most = std::max(most, test_support::bytes_in_use());
    }
    return most;
  }
  Busy room_;
};

TEST_P(EachTime, NothingIsKeptForEver) {
  if (!test_support::kKnowsInUse) GTEST_SKIP() << "a sanitizer keeps what was freed";
  const std::size_t first = most_in_use_meanwhile();
  const auto times = static_cast<std::size_t>(GetParam().times);
  EXPECT_LT(most_in_use_meanwhile(), first + std::max(4 * times, std::size_t{16384}));
  EXPECT_EQ(room_.focus.rooms(), 1u) << "only the moderator's";
  EXPECT_LE(room_.focus.legs(), 200u);
}

void call(Busy& room) {
  room.joins();
  room.leaves();
}
void call_unanswered(Busy& room) {
  room.answers = false;
  call(room);
}
void call_a_room_each(Busy& room) {
  const std::string own = room.nth("r") + "@mixer.localhost";
  room.joins(own);
  room.leaves(own);
  room.wait(1s);
}
void be_refused(Busy& room) {
  const std::string stranger = room.nth("x") + "@elsewhere.example/x";
  room.iq(stranger, kRoom, Offer{.sid = room.nth("S")}.xml());
  room.presence(stranger, kRoom, "subscribe");
  room.says(stranger, "who");
}
void offer_nothing(Busy& room) {
  Offer offer{.sid = room.nth("S")};
  offer.payload_types = "";
  room.iq(room.caller(), kRoom, offer.xml());
}
void vanish(Busy& room) {
  const auto leg = room.joins();
  room.media(media::LegFailed{leg, media::LegFailure::consent_lost, "gone"});
  room.presence(room.caller(), kRoom, "unavailable");
}
void be_muted(Busy& room) {
  room.joins();
  room.orders("mute " + room.user());
  room.leaves();
}
void speak(Busy& room) {
  for (const char* text : {"who", "help", "hello"}) room.says(room.caller(), text);
}
void be_a_mixer_that_fails(Busy& room) {
  room.joins(kRoom, "<conference-info xmlns='urn:xmpp:coin:1' isfocus='true'/>");
  const std::string conference = "xmpp:" + room.user() + "@localhost";
  const auto tell = [&](const std::string& state, const std::string& users) {
    room.iq(room.caller(), kRoom,
            "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' xmlns:c='urn:xmpp:"
            "coin:1' entity='" +
                conference + "' state='" + state + "' version='7' c:sid='" + room.nth("S") + "'>" +
                users + "</conference-info>");
  };
  tell("full", "<users><user entity='xmpp:" + room.nth("b") +
                   "@far.example'><endpoint entity='e'><status>connected</status></endpoint>"
                   "</user></users>");
  tell("partial", "<users><user/></users>");
  tell("partial", "<users state='partial'><user entity='" + room.nth("c") + "'/></users>");
  room.leaves();
}
void play(Busy& room) {
  const auto played = room.orders("play tea.ogg").all<mixer::Play>();
  if (played.size() != 1) return ADD_FAILURE() << "not played";
  const media::PlayId id = played[0].spec.play;
  room.media(media::PlayStarted{.play = id, .tags = {.title = room.nth("tune")}});
  room.orders("stop");
  room.media(media::PlayEnded{id, media::PlayEnd::stopped, ""});
}
void record(Busy& room) {
  room.joins();
  const auto tones = room.orders("record").all<mixer::Play>();
  if (tones.size() != 1) return ADD_FAILURE() << "not announced";
  room.media(media::PlayEnded{tones[0].spec.play, media::PlayEnd::finished, ""});
  const auto begun = room.wait(2s).all<mixer::Record>();
  if (begun.size() != 1) return ADD_FAILURE() << "not recorded";
  const media::RecordId id = begun[0].record;
  room.media(media::RecordStarted{id, room.nth("file")});
  room.orders("record stop");
  room.media(media::RecordEnded{.record = id, .cause = media::RecordEnd::stopped, .text = ""});
  room.leaves();
}
void propose(Busy& room) {
  const std::string id = " xmlns='urn:xmpp:jingle-message:0' id='" + room.nth("S") + "'";
  room.message(room.caller(), kRoom,
               "<propose" + id +
                   "><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>");
  if (room.event % 2 == 0) room.message(room.caller(), kRoom, "<retract" + id + "/>");
}
void decline(Busy& room) {
  const std::string bare = room.user() + "@localhost";
  const auto invited = room.perform(
      room.focus.invite({.room = "room", .target = jid(bare), .by = std::nullopt}, room.now)
          .commands);
  const auto proposals = invited.jmi();
  if (proposals.empty()) return ADD_FAILURE() << "not invited";
  room.message(room.caller(), std::string(kRoom) + "/focus",
               "<reject xmlns='urn:xmpp:jingle-message:0' id='" + proposals[0].id.value + "'/>");
}
void subscribe_for_a_while(Busy& room) {
  room.presence(room.user() + "@localhost", kRoom, "subscribe");
  room.presence(room.user() + "@localhost", kRoom, "subscribed");
  room.wait(2s);
  room.presence(room.user() + "@localhost", kRoom, "unsubscribe");
}
void show_caps(Busy& room) {
  room.client = disco(room.nth("program"));
  const auto said = jingle::Xml::parse(room.client);
  room.presence(room.caller(), kRoom, "",
                "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:n' ver='" +
                    jingle::DiscoInfo::parse(said->root())->caps_ver() + "'/>");
  call(room);
}
void claim_a_chat_room(Busy& room) {
  room.presence(room.nth("c") + "@localhost/nick", kRoom, "",
                "<x xmlns='http://jabber.org/protocol/muc#user'/>");
}

INSTANTIATE_TEST_SUITE_P(
    Focus, EachTime,
    testing::Values(
        Habit{"call", call}, Habit{"call_unanswered", call_unanswered, 1000, 10},
        Habit{"call_a_room_each", call_a_room_each, 4000, 10}, Habit{"be_refused", be_refused},
        Habit{"offer_nothing", offer_nothing}, Habit{"vanish", vanish, 2000, 1000},
        Habit{"be_muted", be_muted, 1000, 10}, Habit{"speak", speak},
        Habit{"be_a_mixer_that_fails", be_a_mixer_that_fails, 1000, 10},
        Habit{"play", play, 1000, 10}, Habit{"record", record, 1000, 10}, Habit{"propose", propose},
        Habit{"decline", decline}, Habit{"subscribe_for_a_while", subscribe_for_a_while},
        Habit{"show_caps", show_caps, 5000, 10}, Habit{"claim_a_chat_room", claim_a_chat_room}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
