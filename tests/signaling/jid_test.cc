#include "signaling/jid.h"

#include <gtest/gtest.h>
#include <stringprep.h>

#include <array>
#include <string>

namespace jingle {
namespace {

TEST(Jid, SplitsAtTheFirstSlashAndTheFirstAt) {
  const auto jid = Jid::parse("room@mixer.example/a/b@c");
  ASSERT_TRUE(jid);
  EXPECT_EQ(jid->local(), "room");
  EXPECT_EQ(jid->domain(), "mixer.example");
  EXPECT_EQ(jid->resource(), "a/b@c");
  EXPECT_EQ(jid->str(), "room@mixer.example/a/b@c");
  EXPECT_EQ(jid->bare().str(), "room@mixer.example");
  EXPECT_EQ(jid->with_resource("focus").str(), "room@mixer.example/focus");
}

TEST(Jid, FoldsCaseInLocalpartAndDomainAndKeepsItInTheResource) {
  EXPECT_EQ(Jid::parse("Room@Mixer.Example/Focus")->str(), "room@mixer.example/Focus");
  EXPECT_EQ(Jid::parse("ÄÖ@BÜCHER.example/Ä")->str(), "äö@bücher.example/Ä");
}

TEST(Jid, IsItsOwnNormalForm) {
  for (const char* text : {"a@b", "b", "b/c", "Straße@STRASSE.de/ß", "ΣΊΣΥΦΟΣ@x.example/ΣΊΣΥΦΟΣ",
                           "fussball@example.com", "henryⅣ@example.com", "①@example.com"}) {
    const auto once = Jid::parse(text);
    ASSERT_TRUE(once) << text;
    EXPECT_EQ(Jid::parse(once->str()), once) << text;
  }
}

// NFKC of Unicode 3.2 is not stable for Hangul with marks between its parts (Corrigendum #5).
TEST(Jid, RefusesWhatChangesAgainWhenPreparedAgain) {
  const std::string unstable = "\xE1\x84\x82\xCC\x9F\xE1\x85\xAF\xCC\xA1";
  for (const std::string& text : {unstable + "@b", "a@b/" + unstable, unstable}) {
    const auto once = Jid::parse(text);
    EXPECT_TRUE(!once || Jid::parse(once->str()) == once) << text;
  }
}

TEST(Jid, DropsTheDotAtTheEndOfTheDomain) {
  EXPECT_EQ(Jid::parse("a@example.com./r")->domain(), "example.com");
}

TEST(Jid, TakesAddressesAsDomains) {
  EXPECT_EQ(Jid::parse("a@127.0.0.1")->domain(), "127.0.0.1");
  EXPECT_EQ(Jid::parse("a@[2001:DB8::1]/r")->domain(), "[2001:db8::1]");
  EXPECT_EQ(Jid::parse("a@::1")->domain(), "::1");
  EXPECT_FALSE(Jid::parse("a@[2001:db8::1"));
  EXPECT_FALSE(Jid::parse("a@[example]"));
  EXPECT_FALSE(Jid::parse("a@1::2::3"));
}

// RFC 7622 §3.5, table 2, and more of its kind.
TEST(Jid, RefusesWhatIsNoJid) {
  using std::string_literals::operator""s;
  const std::string hostile[] = {
      ""s,
      "@"s,
      "/"s,
      "@/"s,
      "@example.com"s,
      "example.com/"s,
      "a@"s,
      "a@/b"s,
      "\"juliet\"@example.com"s,
      "foo bar@example.com"s,
      "a@b@c"s,
      "a'b@example.com"s,
      "a@exa mple.com"s,
      "a@example..com"s,
      "a@.example.com"s,
      "a@."s,
      "a@<b>"s,
      "a@b/\n"s,
      "a\n@b"s,
      "a@b\0.c"s,
      "a\0@b"s,
      "a@b/c\0"s,
      "\xC3\xA4\0x@b"s,
      "a@b/\xC3\xA4\0x"s,
      "a@\xC3\xA4\0x"s,
      "a\x7F@b"s,
      "a@b/\x7F"s,
      "\xFF@b"s,
      "a@b/\xC3"s,
      "a@b/\xE2\x82"s,
      "a@b/\xF0\x80\x80\xAF"s,
      "a@b/\xED\xA0\x80"s,
      "a@\xE2"s,
      "\xC2\xAD@b"s,      // a soft hyphen prepares to nothing
      "\xEF\xBC\xA0@b"s,  // a full-width @ prepares to @
      "a@b\xEF\xBC\x8F"
      "c"s  // a full-width / in the domain
  };
  for (const auto& text : hostile) EXPECT_FALSE(Jid::parse(text)) << ::testing::PrintToString(text);
}

TEST(Jid, BoundsEachPartAt1023Octets) {
  const std::string most(1023, 'x');
  EXPECT_TRUE(Jid::parse(most + "@example.com/" + most));
  EXPECT_FALSE(Jid::parse(most + "x@example.com"));
  EXPECT_FALSE(Jid::parse("example.com/" + most + "x"));
  EXPECT_FALSE(Jid::parse("a@" + most)) << "a label has at most 63";
  std::string domain = "x";
  while (domain.size() < 1020) domain += ".x";
  EXPECT_TRUE(Jid::parse(domain));
  EXPECT_FALSE(Jid::parse(domain + ".xx"));
  std::string umlauts;
  for (int i = 0; i < 512; ++i) umlauts += "ä";
  EXPECT_FALSE(Jid::parse(umlauts + "@example.com"));
}

// ASCII takes a short way past libidn: it must lead to the same place.
TEST(Jid, PreparesAsciiAsLibidnDoes) {
  for (int c = 1; c < 128; ++c) {
    for (const bool local : {true, false}) {
      std::array<char, 8> buffer{'x', static_cast<char>(c), 'x', 0};
      const int result =
          stringprep(buffer.data(), buffer.size(), static_cast<Stringprep_profile_flags>(0),
                     local ? stringprep_xmpp_nodeprep : stringprep_xmpp_resourceprep);
      const std::string part{'x', static_cast<char>(c), 'x'};
      const auto jid = Jid::parse(local ? part + "@b" : "b/" + part);
      if (local && (c == '/' || c == '@')) continue;  // these end the part
      ASSERT_EQ(jid.has_value(), result == STRINGPREP_OK) << c << (local ? " local" : " resource");
      if (!jid) continue;
      EXPECT_EQ(local ? jid->local() : jid->resource(), buffer.data());
    }
  }
}

// XEP-0106 §5: examples of its table.
TEST(Jid, UnescapesTheLocalpartForPeople) {
  EXPECT_EQ(Jid::parse("space\\20cadet@example.com")->unescaped_local(), "space cadet");
  EXPECT_EQ(Jid::parse("call\\20me\\20\\22ishmael\\22@example.com")->unescaped_local(),
            "call me \"ishmael\"");
  EXPECT_EQ(Jid::parse("at\\26t\\20guy@example.com")->unescaped_local(), "at&t guy");
  EXPECT_EQ(Jid::parse("d\\27artagnan@example.com")->unescaped_local(), "d'artagnan");
  EXPECT_EQ(Jid::parse("\\2f.fanboy@example.com")->unescaped_local(), "/.fanboy");
  EXPECT_EQ(Jid::parse("\\3a\\3afoo\\3a\\3a@example.com")->unescaped_local(), "::foo::");
  EXPECT_EQ(Jid::parse("\\3cfoo\\3e@example.com")->unescaped_local(), "<foo>");
  EXPECT_EQ(Jid::parse("user\\40host@example.com")->unescaped_local(), "user@host");
  EXPECT_EQ(Jid::parse("c\\3a\\cool\\5cstuff@example.com")->unescaped_local(), "c:\\cool\\stuff");
  EXPECT_EQ(Jid::parse("c\\5c20x@example.com")->unescaped_local(), "c\\20x");
  EXPECT_EQ(Jid::parse("\\20x\\20@example.com")->unescaped_local(), "\\20x\\20");
  EXPECT_EQ(Jid::parse("\\@example.com")->unescaped_local(), "\\");
}

TEST(Jid, WritesUrisPercentEncoded) {
  EXPECT_EQ(Jid::parse("room@mixer.example.org")->uri(), "xmpp:room@mixer.example.org");
  EXPECT_EQ(Jid::parse("bob@b.ex/x")->uri(), "xmpp:bob@b.ex/x");
  // RFC 5122 §2.7.2's example and what Jitsi would cut at.
  EXPECT_EQ(Jid::parse("jiři@čechy.example/v Praze")->uri(),
            "xmpp:ji%C5%99i@%C4%8Dechy.example/v%20Praze");
  EXPECT_EQ(Jid::parse("muc@rooms.ex/a/b?c#d;e%f")->uri(),
            "xmpp:muc@rooms.ex/a%2Fb%3Fc%23d%3Be%25f");
  EXPECT_EQ(Jid::parse("a@[::1]")->uri(), "xmpp:a@[::1]");
}

TEST(Jid, ReadsTheUrisItWritesAndThoseOfOthers) {
  for (const char* text : {"room@mixer.example.org", "bob@b.ex/x", "mixer.localhost", "a@[::1]",
                           "jiři@čechy.example/v Praze", "muc@rooms.ex/a/b?c#d;e%f@g"}) {
    const auto jid = Jid::parse(text);
    EXPECT_EQ(Jid::parse_uri(jid->uri()), jid) << text;
  }
  EXPECT_EQ(Jid::parse_uri("XMPP:Ann@A.example/My Phone?message#x"),
            Jid::parse("ann@a.example/My Phone"));
  for (const char* text :
       {"", "xmpp:", "ann@a.example", "sip:ann@a.example", "xmpp:ann@a.example/", "xmpp:@a.example",
        "xmpp://me@b.example/ann@a.example", "xmpp:a%2Fb@a.example", "xmpp:a%40b.example",
        "xmpp:ann@a.example/%4", "xmpp:ann@a.example/%zz", "xmpp:ann@a.example/%FF"}) {
    EXPECT_EQ(Jid::parse_uri(text), std::nullopt) << text;
  }
}

TEST(Jid, OrdersByItsParts) {
  EXPECT_LT(*Jid::parse("a@b"), *Jid::parse("b@a"));
  EXPECT_LT(*Jid::parse("a@b"), *Jid::parse("a@b/c"));
  EXPECT_TRUE(Jid().empty());
  EXPECT_EQ(Jid().str(), "");
}

}  // namespace
}  // namespace jingle
