// Playing by chat, through a real server: from a web server of the test's own, which is listed, and
// what is refused. What is said is what README shows.
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>

#include "tests/e2e/contact.h"
#include "tests/e2e/world.h"
#include "tests/support/eventually.h"
#include "tests/support/https_server.h"
#include "tools/call/tones.h"
#include "tools/call/wav.h"

namespace e2e {
namespace {

constexpr char kRoom[] = "room@mixer.localhost";
constexpr double kTone_hz = 970;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string chunk(const std::string& name, const std::string& text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  std::string bytes = name;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(size >> (8 * i));
  return bytes + text + std::string(size % 2, '\0');
}

// The WAV file with a title, an artist and an album: LIST INFO before its `data`.
void write_tagged(const std::string& wav, const std::string& to) {
  std::string bytes = read_file(wav);
  const std::string tags = chunk("LIST", "INFO" + chunk("INAM", "Nocturne") +
                                             chunk("IART", "Field") + chunk("IPRD", "Evenings"));
  bytes.insert(bytes.find("data"), tags);
  std::ofstream(to, std::ios::binary) << chunk("RIFF", bytes.substr(8));
}

class Playing : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_PROSODY();
    if (const auto why = Contact::missing(); !why.empty()) GTEST_SKIP() << why;
    const std::string plain = (folder_ / "plain.wav").string();
    call::WavWriter(plain).write(call::sine(kTone_hz, kTone_dbfs, 60));
    write_tagged(plain, (folder_ / "nocturne.wav").string());
  }
  Mixer::Spec spec() const {
    return {
        .more =
            "moderators = [\"ann@localhost\"]\n[play]\nhosts = [\"localhost\"]\nmedia-dir = \"" +
            folder_.path().string() + "\"\nca-file = \"" + server_.ca_file() + "\""};
  }
  // What ann says and what she is told, as people would write it down.
  void say(Contact& ann, const std::string& text) {
    std::string command("say ");  // not in one sum: GCC 12 sees an overflow there
    command += kRoom;
    command += ' ';
    command += text;
    ann.say(command);
    transcript_.append("ann> ").append(text).append("\n");
  }
  void hears(const Contact& ann, const std::string& text) {
    const auto all = [&] {
      return ann.events([](const call::Json& event) { return event["event"].string() == "chat"; });
    };
    ASSERT_TRUE(support::eventually([&] { return all().size() > heard_; }, kWait)) << ann.output();
    EXPECT_EQ(all()[heard_++]["text"].string(), text) << transcript_;
    transcript_ += "     " + text + "\n";
  }
  // The test's server under a name that people may read.
  std::string readable() const {
    std::string text = transcript_;
    const std::string ours = server_.url("");
    for (std::size_t at = 0; (at = text.find(ours)) != text.npos;) {
      text.replace(at, ours.size(), "https://radio.example.org");
    }
    return text;
  }

  support::TempDir folder_;
  support::HttpsServer server_{folder_.path().string()};
  std::string transcript_;
  std::size_t heard_ = 0;
};

TEST_F(Playing, AModeratorPlaysByChatAndIsToldWhatCannotBe) {
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody, spec());
  Contact contact(prosody, "ann");
  Call ann(prosody, {.user = "ann", .to = kRoom, .record = true});
  ASSERT_TRUE(ann.wait_for("connected")) << ann.output();

  say(contact, "play file:///etc/passwd");
  hears(contact, "That is neither a file's name nor an https URL.");
  say(contact, "play ../../etc/passwd");
  hears(contact, "Done.");
  hears(contact, "../../etc/passwd: There is no such file.");
  const std::string url = server_.url("/nocturne.wav");
  say(contact, "play " + url);
  hears(contact, "Done.");
  EXPECT_TRUE(
      support::eventually([&] { return last_dbfs(ann.recording(), kTone_hz, 0.5) > -40; }, kWait))
      << mixer.log();
  say(contact, "playing");
  hears(contact, "Nocturne by Field, from Evenings (1:00).");
  const std::string trap = server_.url("/to?https://169.254.169.254/latest");
  say(contact, "play " + trap);
  hears(contact, "Done.");
  say(contact, "skip");
  hears(contact, "Done.");
  hears(contact, trap + ": 169.254.169.254 is no public host, nor one that may be played from.");
  say(contact, "playing");
  hears(contact, "Nothing is played.");

  EXPECT_EQ(ann.finish(), 0) << ann.output();
  EXPECT_EQ(mixer.logged("not played: "), 2) << "a line for each: " << mixer.log();
  EXPECT_NE(read_file(TEST_DATA "/../README.md").find(readable()), std::string::npos)
      << "README is to show\n"
      << readable();
}

}  // namespace
}  // namespace e2e
