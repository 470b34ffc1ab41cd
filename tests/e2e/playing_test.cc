// Playing by chat, through a real server: from a web server of the test's own, which is listed, and
// what is refused. What is said is what README shows.
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>

#include "tests/e2e/chat.h"
#include "tests/e2e/world.h"
#include "tests/support/eventually.h"
#include "tests/support/https_server.h"
#include "tests/support/readme.h"
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
  // The test's server under a name that people may read.
  std::string readable(std::string text) const {
    const std::string ours = server_.url("");
    for (std::size_t at = 0; (at = text.find(ours)) != text.npos;) {
      text.replace(at, ours.size(), "https://radio.example.org");
    }
    return text;
  }

  support::TempDir folder_;
  support::HttpsServer server_{folder_.path().string()};
};

TEST_F(Playing, AModeratorPlaysByChatAndIsToldWhatCannotBe) {
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody, spec());
  Contact contact(prosody, "ann");
  Chat chat(contact, kRoom);
  Call ann(prosody, {.user = "ann", .to = kRoom, .record = true});
  ASSERT_TRUE(ann.wait_for("connected")) << ann.output();

  chat.say("play file:///etc/passwd");
  chat.hears("That is neither a file's name nor an https URL.");
  chat.say("play ../../etc/passwd");
  chat.hears("Done.");
  chat.hears("../../etc/passwd: There is no such file.");
  const std::string url = server_.url("/nocturne.wav");
  chat.say("play " + url);
  chat.hears("Done.");
  EXPECT_TRUE(
      support::eventually([&] { return last_dbfs(ann.recording(), kTone_hz, 0.5) > -40; }, kWait))
      << mixer.log();
  chat.say("playing");
  chat.hears("Nocturne by Field, from Evenings (1:00).");
  const std::string trap = server_.url("/to?https://169.254.169.254/latest");
  chat.say("play " + trap);
  chat.hears("Done.");
  chat.say("skip");
  chat.hears("Done.");
  chat.hears(trap + ": 169.254.169.254 is no public host, nor one that may be played from.");
  chat.say("playing");
  chat.hears("Nothing is played.");

  EXPECT_EQ(ann.finish(), 0) << ann.output();
  EXPECT_EQ(mixer.logged("not played: "), 2) << "a line for each: " << mixer.log();
  EXPECT_TRUE(support::readme_shows(readable(chat.transcript())));
}

}  // namespace
}  // namespace e2e
