// What a participant shares shows on real servers as soon as he lets the room or the bot see him,
// in the middle of a call, whichever comes first; and so does what he publishes after that.
#include <gtest/gtest.h>

#include "tests/e2e/chat.h"
#include "tests/e2e/world.h"
#include "tests/support/ejabberd.h"

namespace e2e {
namespace {

enum class On { prosody, ejabberd };
struct Case {
  On server;
  bool bot;
};
void PrintTo(const Case& each, std::ostream* out) {
  *out << (each.bot ? "bot" : "room") << (each.server == On::prosody ? "Prosody" : "Ejabberd");
}

class SharingInACall : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (const auto why = Contact::missing(); !why.empty()) GTEST_SKIP() << why;
    if (GetParam().server == On::prosody) {
      REQUIRE_PROSODY();
      support::ProsodySpec spec = prosody_spec();
      spec.tls = GetParam().bot;
      prosody = std::make_unique<support::Prosody>(spec);
      return begin(*prosody);
    }
    REQUIRE_EJABBERD();
    support::EjabberdSpec spec;
    for (const char* user : {"ann", "bob", "bot"}) {
      spec.accounts.push_back({std::string(user) + "@localhost", kPassword});
    }
    spec.tls = GetParam().bot;
    ejabberd = std::make_unique<support::Ejabberd>(spec);
    begin(*ejabberd);
  }
  void begin(const Server& server) {
    contact = std::make_unique<Contact>(server, "ann");
    mixer = std::make_unique<Mixer>(server, Mixer::Spec{.client_mode = GetParam().bot,
                                                        .more = "[presence]\nrelay = [\"mood\"]"});
    ann = std::make_unique<Call>(server, CallSpec{.user = "ann", .to = mixer->jid()});
    bob = std::make_unique<Call>(server, CallSpec{.user = "bob", .to = mixer->jid()});
    ASSERT_TRUE(ann->wait_for("connected")) << ann->output() << mixer->log();
    ASSERT_TRUE(bob->wait_for("connected")) << bob->output() << mixer->log();
    ASSERT_TRUE(bob->wait_until([](const Call& call) { return call.roster().size() == 2; }));
  }
  std::string address() const { return GetParam().bot ? "bot@localhost" : "room@mixer.localhost"; }
  void expect_shown(const std::string& mood) {
    EXPECT_TRUE(bob->wait_until([&](const Call& call) {
      const auto documents = call.documents();
      return !documents.empty() && documents.back().find("<" + mood + "/>") != std::string::npos;
    })) << mood
        << contact->output() << mixer->log();
  }

  std::unique_ptr<support::Prosody> prosody;
  std::unique_ptr<support::Ejabberd> ejabberd;
  std::unique_ptr<Contact> contact;
  std::unique_ptr<Mixer> mixer;
  std::unique_ptr<Call> ann, bob;
};

TEST_P(SharingInACall, ShowsOnceTheRequestIsAccepted) {
  contact->say("mood happy");
  Chat chat(*contact, address());
  chat.say("share mood");
  chat.hears(
      "The call sees of you: mood, once this address may see your presence: accept its request, or "
      "add it to your contacts. To end that say: unshare");
  ASSERT_TRUE(contact->sees("subscribe", address())) << contact->output() << mixer->log();
  contact->say("allow " + address());
  expect_shown("happy");
  contact->say("mood calm");
  expect_shown("calm");
}

TEST_P(SharingInACall, ShowsWhatAContactThatIsNewPublishes) {
  contact->say("subscribe " + address());
  ASSERT_TRUE(contact->sees("subscribe", address())) << contact->output() << mixer->log();
  contact->say("allow " + address());
  contact->say("mood happy");
  contact->say("say " + address() + " share mood");
  expect_shown("happy");
  contact->say("mood calm");
  expect_shown("calm");
}

INSTANTIATE_TEST_SUITE_P(Each, SharingInACall,
                         testing::Values(Case{On::prosody, false}, Case{On::prosody, true},
                                         Case{On::ejabberd, false}, Case{On::ejabberd, true}),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace e2e
