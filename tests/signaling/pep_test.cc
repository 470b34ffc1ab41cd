// The suite of XEP-0119: what is read of it, what is refused, and that what is written is valid.
#include "signaling/pep.h"

#include <gmock/gmock.h>

#include <pugixml.hpp>

#include "signaling/limits.h"
#include "signaling/stanza.h"
#include "tests/support/generators.h"
#include "tests/support/presence_schema.h"
#include "tests/support/seed.h"

namespace jingle::pep {
namespace {

using test::Dice;

const std::string kTuneNs = "http://jabber.org/protocol/tune";

Result<Payload> read(Node node, const std::string& text, const std::string& id = "current") {
  const auto xml = Xml::parse(text);
  EXPECT_TRUE(xml) << text;
  return xml ? parse(node, xml->root(), id) : tl::unexpected(bad_request("not XML"));
}
Result<Payload> read(Node node, const char* root, const std::string& children) {
  const std::string id(id_of(node));
  return read(node,
              "<" + std::string(root) + " xmlns='" + id + "'>" + children + "</" + root + ">");
}
template <typename T>
T read_as(Node node, const char* root, const std::string& children) {
  const auto payload = read(node, root, children);
  EXPECT_TRUE(payload) << children << ": " << payload.error().text;
  return payload ? std::get<T>(*payload) : T{};
}
// "condition/application condition", "" when it was read.
std::string refusal(const Result<Payload>& payload) {
  return payload ? "" : payload.error().condition + "/" + payload.error().app_name;
}
constexpr char kInvalid[] = "bad-request/invalid-payload";
constexpr char kTooBig[] = "not-acceptable/payload-too-big";

std::string words(Dice& dice) {
  static const std::vector<std::string> kWords = {"Heart", "of", "the", "<Sunrise>", "&amp;",
                                                  "“é”",   "'",  "\"",  "日本",      "x  y"};
  std::string out;
  for (auto n = 1 + dice.below(4); n > 0; --n)
    out += (out.empty() ? "" : " ") + dice.one_of(kWords);
  return out;
}

// Any payload that can be: each field by chance, and each value that its field takes.
Payload random_payload(Dice& dice, Node node) {
  Payload out = stop_of(node);
  const std::vector<std::string> values = {words(dice),
                                           std::to_string(dice.below(12)),
                                           std::to_string(dice.below(65536)),
                                           "-12.25",
                                           "52.516275",
                                           "2006-08-29T03:30:00Z",
                                           "0.000001",
                                           "http://www.mst3kinfo.com/?a=b#c",
                                           "xmpp:a@b?x",
                                           "2006-08-29T03:30:00.5-05:00"};
  static const std::vector<std::string> kFields = {
      "artist",      "composer",  "date",         "genre",        "language",       "length",
      "lyricist",    "performer", "rating",       "source",       "title",          "track",
      "uri",         "author",    "cast",         "channel_name", "description",    "duration",
      "end_time",    "episode",   "program_name", "program_type", "start_time",     "user_comment",
      "user_rating", "accuracy",  "alt",          "altaccuracy",  "area",           "bearing",
      "building",    "country",   "countrycode",  "datum",        "floor",          "lat",
      "locality",    "lon",       "postalcode",   "region",       "room",           "speed",
      "street",      "text",      "timestamp",    "tzo",          "subprogram_type"};
  for (const std::string& field : kFields) {
    if (dice.chance(0.5)) set_field(out, field, dice.one_of(values));
  }
  if (dice.chance(0.1)) return out;
  if (node == Node::status) out = Status{words(dice)};
  if (node == Node::mood) out = Mood{dice.one_of<std::string>({"happy", "in_awe"}), words(dice)};
  if (node == Node::activity) {
    out = Activity{"talking", dice.chance(0.5) ? "on_the_phone" : "",
                   dice.chance(0.5) ? words(dice) : ""};
  }
  if (node == Node::avatar) {
    AvatarInfo info;
    info.id = avatar_id(words(dice)), info.type = "image/png";
    info.bytes = static_cast<std::uint32_t>(dice.below(100000));
    if (dice.chance(0.5)) info.height = info.width = 64;
    if (dice.chance(0.5)) info.url = "http://avatars.example.org/a.png";
    out = AvatarMetadata{{info, info}};
  }
  if (node == Node::avatar_data) {
    std::string image;
    for (auto n = dice.below(2000); n > 0; --n) image += static_cast<char>(dice.bits());
    out = AvatarData{image};
  }
  if (node == Node::nick) out = Nick{words(dice)};
  return out;
}

std::string item_id(const Payload& payload) {
  const auto* data = std::get_if<AvatarData>(&payload);
  return data ? avatar_id(data->image) : "current";
}

TEST(ExtendedPresence, WhatIsWrittenIsReadAgainAndValid) {
  const auto seed = test_support::test_seed();
  Dice dice(seed);
  for (std::size_t i = 0; i < kNodes; ++i) {
    const auto node = static_cast<Node>(i);
    for (int round = 0; round < 200; ++round) {
      const Payload payload = random_payload(dice, node);
      const std::string text = write(payload);
      const auto again = read(node, text, item_id(payload));
      ASSERT_TRUE(again) << "TEST_SEED=" << seed << " " << text << ": " << again.error().text;
      EXPECT_EQ(*again, payload) << "TEST_SEED=" << seed << " " << text;
      EXPECT_EQ(node_of(*again), node);
      EXPECT_EQ(test_support::presence_complaint(node, text), std::nullopt) << "TEST_SEED=" << seed;
    }
  }
}

// Those two are ours, so that they could be too kind.
TEST(ExtendedPresence, TheSchemasOfPlaceAndStatusRefuseWhatTheStandardsDoNotHave) {
  const auto valid = [](Node node, const char* root, const std::string& children) {
    return !test_support::presence_complaint(node, "<" + std::string(root) + " xmlns='" +
                                                       std::string(id_of(node)) + "'>" + children +
                                                       "</" + root + ">");
  };
  EXPECT_TRUE(valid(Node::geoloc, "geoloc", "<lat>1.5</lat><lon>-2</lon>"));
  for (const char* wrong : {"<lon>-2</lon><lat>1.5</lat>", "<lat>1.5</lat><lat>1.5</lat>",
                            "<lat>north</lat>", "<timestamp>now</timestamp>", "<error>1</error>"}) {
    EXPECT_FALSE(valid(Node::geoloc, "geoloc", wrong)) << wrong;
  }
  EXPECT_TRUE(valid(Node::status, "status", "<text>Away!</text>"));
  for (const char* wrong : {"<text/>", "<text>a</text><text>b</text>", "<show>away</show>"}) {
    EXPECT_FALSE(valid(Node::status, "status", wrong)) << wrong;
  }
}

// XEP-0118 §2, XEP-0197 §2.2, User Status §2.2, XEP-0084 §4.2, and the others.
TEST(ExtendedPresence, StoppingIsTheEmptyElement) {
  for (std::size_t i = 0; i < kNodes; ++i) {
    const auto node = static_cast<Node>(i);
    const std::string text = write(stop_of(node));
    const auto xml = Xml::parse(text);
    ASSERT_TRUE(xml);
    EXPECT_FALSE(xml->root().first_child()) << text;
    const auto payload = parse(node, xml->root(), "x");
    ASSERT_TRUE(payload) << text;
    EXPECT_TRUE(is_stop(*payload));
  }
  EXPECT_TRUE(is_stop(read(Node::avatar, "metadata", "<stop/>").value()));
}

// XEP-0119 §5: "The NodeIDs MUST be as follows"
TEST(ExtendedPresence, NodesAreNamedAsTheSuiteSays) {
  EXPECT_EQ(id_of(Node::activity), "http://jabber.org/protocol/activity");
  EXPECT_EQ(id_of(Node::geoloc), "http://jabber.org/protocol/geoloc");
  EXPECT_EQ(id_of(Node::mood), "http://jabber.org/protocol/mood");
  EXPECT_EQ(id_of(Node::location), "http://jabber.org/protocol/physloc");
  EXPECT_EQ(id_of(Node::tune), "http://jabber.org/protocol/tune");
  EXPECT_EQ(id_of(Node::viewing), "urn:xmpp:viewing:0");
  EXPECT_EQ(id_of(Node::status), "http://jabber.org/protocol/status");
  EXPECT_EQ(id_of(Node::avatar), "urn:xmpp:avatar:metadata");
  for (std::size_t i = 0; i < kNodes; ++i) {
    const auto node = static_cast<Node>(i);
    EXPECT_EQ(node_of(id_of(node)), node);
    if (node != Node::avatar_data) {
      EXPECT_EQ(node_named(name_of(node)), node);
    }
  }
  EXPECT_EQ(node_named(""), std::nullopt);
  EXPECT_EQ(node_of(std::string_view("http://jabber.org/protocol/avatar#metadata")), std::nullopt);
}

TEST(Tune, IsReadAsTheStandardShowsIt) {
  const auto tune = read_as<Tune>(
      Node::tune, "tune",
      "<artist>Yes</artist><title>Heart of the Sunrise</title><source>Yessongs</source>"
      "<track>3</track><length>686</length><x xmlns='urn:other'>686</x><unknown/>");
  Tune wanted;
  wanted.artist = "Yes", wanted.title = "Heart of the Sunrise", wanted.source = "Yessongs";
  wanted.track = "3", wanted.length_s = 686;
  EXPECT_EQ(tune, wanted);
}

TEST(Tune, OutOfRangeIsRefused) {
  for (const char* wrong :
       {"<length>70000</length>", "<length>-1</length>", "<length>4:30</length>",
        "<length>99999999999999999999</length>", "<rating>11</rating>", "<rating>0</rating>",
        "<uri>not a uri</uri>", "<uri>%zz</uri>", "<title>A</title><title>B</title>"}) {
    EXPECT_EQ(refusal(read(Node::tune, "tune", wrong)), kInvalid) << wrong;
  }
  EXPECT_EQ(refusal(read(Node::tune, "tune", "<length> 65535 </length><rating>10</rating>")), "");
}

TEST(ExtendedPresence, AnotherRootIsRefused) {
  EXPECT_EQ(refusal(read(Node::tune, "<tune xmlns='urn:other'/>")), kInvalid);
  EXPECT_EQ(refusal(read(Node::tune, "<mood xmlns='http://jabber.org/protocol/mood'/>")), kInvalid);
  EXPECT_EQ(refusal(read(Node::status, "<status xmlns='jabber:client'><text>x</text></status>")),
            kInvalid);
}

TEST(ExtendedPresence, MoreThanEightKibAreRefused) {
  const std::string much(limits::kMaxPayloadBytes, 'x');
  EXPECT_EQ(refusal(read(Node::status, "status", "<text>" + much + "</text>")), kTooBig);
  EXPECT_EQ(refusal(read(Node::status, "status", "<text>x</text><y a='" + much + "'/>")), kTooBig);
  std::string many;
  for (int i = 0; i < 3000; ++i) many += "<abc/>";
  EXPECT_EQ(refusal(read(Node::mood, "mood", many)), kTooBig);
  EXPECT_EQ(refusal(read(Node::status, "status", "<text>" + much.substr(100) + "</text>")), "");
}

// XEP-0197 §2.1: "All elements are OPTIONAL."
TEST(Viewing, MayHaveAnyOfItsElementsAlone) {
  const std::pair<std::string, std::string> elements[] = {
      {"author", "Robert Duncan"},
      {"cast", "Trace Beaulieu, Frank Conniff"},
      {"channel_name", "Sci-Fi Channel"},
      {"description", "Terror From The Year 5000"},
      {"duration", "1800"},
      {"end_time", "2006-08-29T03:30:00Z"},
      {"episode", "807"},
      {"program_name", "Mystery Science Theater 3000"},
      {"program_type", "Comedy"},
      {"start_time", "2006-08-29T03:00:00Z"},
      {"subprogram_type", "Cast interview"},
      {"uri", "http://www.mst3kinfo.com/"},
      {"user_comment", "MST3K forever!"},
      {"user_rating", "9"}};
  for (const auto& [name, text] : elements) {
    const std::string child = "<" + name + ">" + text + "</" + name + ">";
    EXPECT_EQ(write(read_as<Viewing>(Node::viewing, "video", child)),
              "<video xmlns='urn:xmpp:viewing:0'>" + child + "</video>");
  }
}

TEST(Viewing, IsReadAsTheStandardShowsIt) {
  const auto viewing = read_as<Viewing>(
      Node::viewing, "video",
      "<name>Mystery Science Theater 3000</name><episode>807</episode>"
      "<start_time>2006-08-29T03:00Z</start_time><description>Terror From The Year "
      "5000</description><user_rating>9</user_rating><uri>http://www.mst3kinfo.com/</uri>");
  EXPECT_EQ(viewing.program_name, "Mystery Science Theater 3000");
  EXPECT_EQ(viewing.start_time, "2006-08-29T03:00:00Z");
  EXPECT_EQ(viewing.user_rating, 9u);
  for (const char* wrong :
       {"<duration>0</duration>", "<user_rating>11</user_rating>", "<end_time>noon</end_time>",
        "<end_time>2006-02-30T00:00Z</end_time>", "<end_time>2006-02-03T00:00:00+25:00</end_time>",
        "<name>A</name><program_name>B</program_name>"}) {
    EXPECT_EQ(refusal(read(Node::viewing, "video", wrong)), kInvalid) << wrong;
  }
}

TEST(Activity, HasOneGeneralAndOneSpecific) {
  const auto activity = read_as<Activity>(
      Node::activity, "activity",
      "<relaxing><partying/><x xmlns='urn:other'/><not_a_word/></relaxing>"
      "<text xml:lang='en'>My nurse&apos;s birthday!</text><text xml:lang='de'>x</text>");
  EXPECT_EQ(activity, (Activity{"relaxing", "partying", "My nurse's birthday!"}));
  for (const char* wrong :
       {"<talking/><eating/><drinking/>", "<frobnicating/>", "<text>just text</text>",
        "<talking><on_the_phone/><in_a_car/></talking>"}) {
    EXPECT_EQ(refusal(read(Node::activity, "activity", wrong)), kInvalid) << wrong;
  }
}

TEST(Mood, IsOneOfTheStandard) {
  EXPECT_EQ(
      read_as<Mood>(Node::mood, "mood", "<happy><ecstatic xmlns='urn:x'/></happy><text>Yay</text>"),
      (Mood{"happy", "Yay"}));
  // In XEP-0107's table, and not in its schema.
  EXPECT_EQ(read_as<Mood>(Node::mood, "mood", "<grateful/>"), (Mood{"grateful", ""}));
  EXPECT_FALSE(is_mood("grateful"));
  EXPECT_EQ(write(Mood{"grieving", "Alas"}), write(Mood{"undefined", "Alas"}));
  for (const char* wrong : {"<happy/><sad/>", "<frobnicated/>", "<text>Yay</text>"}) {
    EXPECT_EQ(refusal(read(Node::mood, "mood", wrong)), kInvalid) << wrong;
  }
}

// XEP-xxxx §2.1: "All described elements are REQUIRED."
TEST(Status, HasAText) {
  EXPECT_EQ(read_as<Status>(Node::status, "status", "<text>\n Away! </text>"), Status{"Away!"});
  EXPECT_EQ(refusal(read(Node::status, "status", "<text/>")), kInvalid);
  EXPECT_EQ(refusal(read(Node::status, "status", "<dnd/>")), kInvalid);
}

TEST(Geoloc, IsWhereOnEarth) {
  const auto place = read_as<Geoloc>(
      Node::geoloc, "geoloc",
      "<lat>45.44</lat><accuracy>20</accuracy><country>Italy</country><lon>12.33</lon>"
      "<error>10</error><timestamp>2004-02-19T21:12Z</timestamp>");
  EXPECT_EQ(place.lat_deg, 45.44);
  EXPECT_EQ(place.lon_deg, 12.33);
  EXPECT_EQ(place.accuracy_m, 20);
  for (const char* wrong :
       {"<lat>90.1</lat>", "<lon>-181</lon>", "<lat>1e1</lat>", "<lat>nan</lat>", "<alt>inf</alt>",
        "<accuracy>-1</accuracy>", "<lat>4 5</lat>"}) {
    EXPECT_EQ(refusal(read(Node::geoloc, "geoloc", wrong)), kInvalid) << wrong;
  }
}

// XEP-0084 §4.1, §3.1.
TEST(Avatar, IsTheImageOfItsId) {
  const std::string image = "\x89PNG\r\n\x1a\n and so on";
  const std::string text = write(AvatarData{image});
  EXPECT_EQ(avatar_id("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(refusal(read(Node::avatar_data, text, avatar_id(image))), "");
  EXPECT_EQ(refusal(read(Node::avatar_data, text, avatar_id("another"))), kInvalid);
  EXPECT_EQ(refusal(read(Node::avatar_data, "data", "not base64!")), kInvalid);
  const std::string big(limits::kMaxAvatarBytes + 1, 'x');
  EXPECT_EQ(refusal(read(Node::avatar_data, write(AvatarData{big}), avatar_id(big))), kTooBig);
}

TEST(Avatar, MetadataNamesAHash) {
  const std::string id = avatar_id("x");
  for (const std::string& wrong :
       std::vector<std::string>{std::string("<info bytes='1' type='image/png'/>"),
                                "<info id='" + id + "x' bytes='1' type='image/png'/>",
                                "<info id='" + id + "' bytes='1'/>",
                                "<info id='" + id + "' bytes='-1' type='image/png'/>",
                                "<info id='" + id + "' bytes='1' type='image/png' height='70000'/>",
                                "<info id='" + id + "' bytes='1' type='image/png' url='a b'/>"}) {
    EXPECT_EQ(refusal(read(Node::avatar, "metadata", wrong)), kInvalid) << wrong;
  }
  std::string many;
  for (std::size_t i = 0; i <= limits::kMaxAvatarInfos; ++i) {
    many += "<info id='" + id + "' bytes='1' type='image/png'/>";
  }
  EXPECT_EQ(refusal(read(Node::avatar, "metadata", many)), kInvalid);
}

TEST(ExtendedPresence, UriReferencesAreWhatSchemasTake) {
  for (const char* good : {"http://a.example/b?c=d#e", "xmpp:a@b", "../song.ogg", "song.ogg",
                           "http://u:p@a.example:80/", "urn:x:y", "a%20b", "?x", "#x", "//a/b"}) {
    EXPECT_TRUE(is_uri_reference(good)) << good;
  }
  for (const char* wrong : {"", "a b", "%", "%1", "%zz", "1:x", "http://a:b/", "a#b#c", "<a>",
                            "http://[::1]/", "a\\b", "a\nb"}) {
    EXPECT_FALSE(is_uri_reference(wrong)) << wrong;
  }
}

TEST(ExtendedPresence, NoiseIsReadOrRefusedAndWhatIsReadIsValid) {
  const auto seed = test_support::test_seed();
  Dice dice(seed);
  const std::vector<std::string> pieces = {"<text>a</text>",
                                           "<text/>",
                                           "<happy/>",
                                           "<talking/>",
                                           "<talking><coding/></talking>",
                                           "<title>",
                                           "</title>",
                                           "<length>1</length>",
                                           "<length>-1</length>",
                                           "<lat>1</lat>",
                                           "<x xmlns='u'/>",
                                           "<info id='a'/>",
                                           "&#65;",
                                           "%",
                                           "<uri>http://a b</uri>"};
  for (int round = 0; round < 5000; ++round) {
    const auto node = static_cast<Node>(dice.below(kNodes));
    const std::string root = Xml::parse(write(stop_of(node)))->root().name();
    std::string text = "<" + root + " xmlns='" + std::string(id_of(node)) + "'>";
    for (auto n = dice.below(5); n > 0; --n) text += dice.one_of(pieces);
    const auto xml = Xml::parse(text + "</" + root + ">");
    if (!xml) continue;
    const auto payload = parse(node, xml->root(), "current");
    if (!payload) {
      EXPECT_THAT(refusal(payload), testing::AnyOf(kInvalid, kTooBig)) << "TEST_SEED=" << seed;
      continue;
    }
    const auto again = read(node, write(*payload));
    ASSERT_TRUE(again) << "TEST_SEED=" << seed << " " << text;
    EXPECT_EQ(*again, *payload) << "TEST_SEED=" << seed << " " << text;
  }
}

}  // namespace
}  // namespace jingle::pep
