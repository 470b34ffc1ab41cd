#include "mixer/client_profile.h"

#include "mixer/clients.h"
#include "tests/support/focus_bench.h"

namespace {

using mixer::ClientSigns;

ClientSigns signs(const std::string& name, std::set<std::string> features,
                  const std::string& node = "") {
  return {{{{"client", "pc", name, ""}}, std::move(features)}, node};
}

TEST(ClientProfile, EveryRowIsChosenByWhatItsClientSays) {
  EXPECT_EQ(mixer::profile_of(signs("Dino", {})).name, "dino");
  EXPECT_EQ(mixer::profile_of(signs("", {}, "http://dino.im")).name, "dino");
  EXPECT_EQ(mixer::profile_of(signs("Jitsi 2.13", {})).name, "jitsi");
  EXPECT_EQ(mixer::profile_of(signs("SylkServer", {"urn:xmpp:coin"})).name, "sylkserver");
  EXPECT_EQ(mixer::profile_of(signs("Gajim", {"urn:xmpp:coin:1"})).name, "standard");
  EXPECT_EQ(mixer::profile_of(signs("Gajim", {"urn:xmpp:coin"})).name, "standard");
  EXPECT_EQ(mixer::profile_of(signs("Gajim", {"urn:xmpp:ping"})).name, "unannounced");
  EXPECT_EQ(mixer::profile_of({}).name, "unannounced");
}

TEST(ClientProfile, DinoNeverTakesDocumentsEvenIfItSendsOne) {
  const auto& dino = mixer::profile_of(signs("Dino", {"urn:xmpp:coin:1"}));
  EXPECT_FALSE(dino.takes_documents);
  EXPECT_FALSE(mixer::profile_of_sender(dino).takes_documents);
  EXPECT_TRUE(mixer::profile_of_sender(mixer::profile_of({})).announced_coin);
}

jingle::Presence presence(const std::string& from, const std::string& type,
                          const std::string& children) {
  return std::get<jingle::Presence>(
      test::stanza("<presence xmlns='jabber:client' from='" + from + "' to='r@mixer.localhost'" +
                   (type.empty() ? "" : " type='" + type + "'") + ">" + children + "</presence>")
          .value());
}
std::string caps(const std::string& node, const std::string& ver) {
  return "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='" + node + "' ver='" + ver +
         "'/>";
}

// XEP-0298 §7: "In order for an application to determine whether an entity supports this protocol,"
TEST(Clients, WhatOneSaidServesAnotherWithTheSameVerifiedCaps) {
  mixer::Clients clients;
  const auto info = signs("Gajim", {"urn:xmpp:coin:1"}).info;
  const mixer::TimePoint now{};
  EXPECT_EQ(clients.known(test::jid("a@x/1"), now), nullptr);
  clients.presence(presence("a@x/1", "", caps("http://gajim.org", info.caps_ver())), now);
  EXPECT_EQ(clients.known(test::jid("a@x/1"), now), nullptr) << "a hash alone says nothing";
  clients.learned(test::jid("a@x/1"), info, now);
  clients.presence(presence("b@x/2", "", caps("http://gajim.org", info.caps_ver())), now);
  ASSERT_NE(clients.known(test::jid("b@x/2"), now), nullptr);
  EXPECT_EQ(clients.known(test::jid("b@x/2"), now)->name, "standard");
}

TEST(Clients, AWrongHashPoisonsNobody) {
  mixer::Clients clients;
  clients.presence(presence("a@x/1", "", caps("n", "forged")), {});
  clients.learned(test::jid("a@x/1"), signs("Dino", {}).info, {});
  clients.presence(presence("b@x/2", "", caps("n", "forged")), {});
  EXPECT_EQ(clients.known(test::jid("b@x/2"), {}), nullptr);
}

TEST(Clients, DinoIsKnownByItsPresenceAlone) {
  mixer::Clients clients;
  clients.presence(presence("a@x/1", "", caps("http://dino.im", "v")), {});
  ASSERT_NE(clients.known(test::jid("a@x/1"), {}), nullptr);
  EXPECT_EQ(clients.known(test::jid("a@x/1"), {})->name, "dino");
}

TEST(Clients, GoingOfflineIsForgetting) {
  mixer::Clients clients;
  clients.learned(test::jid("a@x/1"), signs("Jitsi", {}).info, {});
  ASSERT_NE(clients.known(test::jid("a@x/1"), {}), nullptr);
  clients.presence(presence("a@x/1", "unavailable", ""), {});
  EXPECT_EQ(clients.known(test::jid("a@x/1"), {}), nullptr);
}

TEST(Clients, WhoBringsOtherCapsIsAskedAgain) {
  mixer::Clients clients;
  const auto jitsi = signs("Jitsi", {}).info;
  clients.presence(presence("a@x/1", "", caps("n", jitsi.caps_ver())), {});
  clients.learned(test::jid("a@x/1"), jitsi, {});
  clients.presence(presence("a@x/1", "", caps("n", jitsi.caps_ver())), {});
  ASSERT_NE(clients.known(test::jid("a@x/1"), {}), nullptr) << "the same caps, once more";
  clients.presence(presence("a@x/1", "", caps("n", "other")), {});
  EXPECT_EQ(clients.known(test::jid("a@x/1"), {}), nullptr);
}

TEST(Clients, TheConfigurationGoesBeforeWhatAClientSays) {
  mixer::Clients clients(
      {{"a@x", "jitsi"}, {"x", "none"}, {"y", "standard"}, {"z", "no such row"}});
  clients.learned(test::jid("a@x/1"), signs("Dino", {}).info, {});
  EXPECT_EQ(clients.known(test::jid("a@x/1"), {})->name, "jitsi");
  EXPECT_EQ(clients.known(test::jid("b@x/1"), {})->name, "none") << "without being asked";
  EXPECT_EQ(clients.learned(test::jid("b@x/1"), signs("Jitsi", {}).info, {}).name, "none");
  EXPECT_EQ(clients.known(test::jid("b@y/1"), {})->name, "standard");
  EXPECT_EQ(clients.known(test::jid("b@z/1"), {}), nullptr);
  EXPECT_EQ(clients.known(test::jid("b@sub.x/1"), {}), nullptr);
}

TEST(ClientProfile, NoneNeverTakesADocumentAndNoSignsLeadToIt) {
  const mixer::ClientProfile* none = mixer::profile_named("none");
  ASSERT_NE(none, nullptr);
  EXPECT_FALSE(none->takes_documents);
  EXPECT_FALSE(mixer::profile_of_sender(*none).takes_documents);
  EXPECT_NE(mixer::profile_of(signs("none", {})).name, "none");
  EXPECT_EQ(mixer::profile_named("no such row"), nullptr);
}

// It need not be a Jitsi: those never ask.
TEST(ClientProfile, WhoAsksUnannouncedGetsTheStandardForm) {
  const auto& asker = mixer::profile_of_asker(mixer::profile_of({}));
  EXPECT_EQ(asker.form, mixer::DocumentForm::standard);
  EXPECT_TRUE(asker.announced_coin);
  EXPECT_EQ(mixer::profile_of_asker(mixer::profile_of(signs("Jitsi", {}))).form,
            mixer::DocumentForm::jitsi);
  EXPECT_FALSE(mixer::profile_of_asker(mixer::profile_of(signs("Dino", {}))).takes_documents);
}

TEST(ClientProfile, JitsiAndWhoSendsUnannouncedGetItsForm) {
  EXPECT_EQ(mixer::profile_of(signs("Jitsi", {})).form, mixer::DocumentForm::jitsi);
  EXPECT_EQ(mixer::profile_of_sender(mixer::profile_of({})).form, mixer::DocumentForm::jitsi);
  const auto& announced = mixer::profile_of(signs("", {"urn:xmpp:coin:1"}));
  EXPECT_EQ(mixer::profile_of_sender(announced).form, mixer::DocumentForm::standard);
}

}  // namespace
