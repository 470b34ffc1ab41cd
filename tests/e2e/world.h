// tests/e2e/world.h: the whole thing on loopback: a real server, the built jingle-mixer, callers
// as processes of their own. Everything ends with its owner. Waits are for conditions, with
// deadlines wide enough for a loaded machine and sanitizers.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/prosody.h"
#include "tests/support/temp_dir.h"
#include "tools/call/json.h"

namespace e2e {

inline constexpr std::chrono::seconds kWait{60};
inline constexpr char kPassword[] = "secret";

// A sine of `hz`, 8 s, as a WAV file in `folder`: -14 dBFS, inside the range in which Opus keeps
// three tones apart by more than 50 dB.
inline constexpr double kTone_dbfs = -14;
std::string tone_file(const support::TempDir& folder, double hz);

// ann, bob, cyd and the mixer's account bot at localhost; eve at stranger.example; caller1 …
// caller50 at localhost; the components mixer.localhost, mixer-b.localhost, mixer-c.localhost.
support::ProsodySpec prosody_spec();

// Where clients and components connect to.
struct Server {
  template <typename S>
  Server(const S& server)  // Prosody or Ejabberd
      : c2s_port(server.c2s_port()),
        component_port(server.component_port()),
        tls(!server.certificate().pem.empty()) {}
  std::uint16_t c2s_port, component_port;
  bool tls;
};

class Mixer {
 public:
  struct Spec {
    bool client_mode = false;
    // The [media] table. At 32 kbit/s Opus now and then takes two tones for speech and adds up to
    // -46 dB of its own where silence is measured; from 72 kbit/s on it never does.
    std::string media = "addresses = [\"127.0.0.1\"]\nbitrate = 96000";
    std::string more = {};  // other tables
    std::string secret = kPassword;
    std::string component = "mixer.localhost";
    std::string host = "127.0.0.1";  // of the server
    bool wait_until_up = true;
  };
  // Throws with its log when it does not come up.
  Mixer(const Server& server, Spec spec);
  explicit Mixer(const Server& server) : Mixer(server, Spec()) {}
  // Stops it; a failure of the test when it does not end well (a sanitizer's complaint, a crash).
  ~Mixer();
  Mixer(const Mixer&) = delete;
  Mixer& operator=(const Mixer&) = delete;

  // Whom to dial: a room of that name, or in client mode the bot.
  std::string jid(const std::string& room = "room") const;
  support::Process& process() { return *process_; }
  // SIGKILL, which is no failure of the test.
  void crash();
  std::string log() const { return process_->output(); }
  std::size_t threads() const;
  // How many times `text` is in the log.
  int logged(const std::string& text) const;

 private:
  bool client_mode_;
  std::string component_;
  support::TempDir folder_;
  std::unique_ptr<support::Process> process_;
  bool crashed_ = false;
};

struct CallSpec {
  std::string user = "ann";  // at localhost, or a whole JID
  std::string to = {};       // whom to dial; empty: is dialled itself
  std::string play = {};     // WAV
  bool record = false;
  double seconds = 0;              // 0: until told
  std::string host = "127.0.0.1";  // of the server
  std::vector<std::string> more = {};
};

// A jingle-call process, followed by the events it prints.
class Call {
 public:
  Call(const Server& server, CallSpec spec);
  virtual ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  using Events = std::vector<call::Json>;
  // All so far, in order; lines that are no JSON object are not in it.
  Events events() const;
  bool happened(const std::string& event) const;
  // False when it did not within kWait, or the caller ended before.
  bool wait_for(const std::string& event);
  bool wait_until(const std::function<bool(const Call&)>& condition);
  // Everybody in the last roster: "Name" or "Name:on-hold/recvonly" where not connected/sendrecv.
  std::vector<std::string> roster() const;
  call::Json roster_entry(const std::string& display_text) const;
  // The documents received, as XML.
  std::vector<std::string> documents() const;
  // "mute", "dtmf 5", "hangup" ...
  void say(const std::string& command);

  // Hangs up if it still runs, and waits for the end. The exit status; nullopt: it hangs.
  std::optional<int> finish();
  // After finish(): the object of the (only, or `number`-th) caller.
  call::Json report(std::size_t number = 0) const;
  std::string recording() const { return recording_; }
  std::string output() const { return process_->output(); }
  support::Process& process() { return *process_; }

 protected:
  Call() = default;
  // Runs that program, which say() talks to.
  void start(const std::vector<std::string>& argv);
  support::TempDir folder_;
  std::string recording_ = (folder_ / "heard.wav").string();
  std::unique_ptr<support::Process> process_;

 private:
  int commands_fd_ = -1;
};

// Every recording holds the tones of the others within 3 dB of what was sent, and its own, if at
// all, at least 50 dB below them.
struct Heard {
  std::string recording;
  double own_hz;
  std::vector<double> others_hz;
};
void expect_all_but_own_heard(const std::vector<Heard>& recordings);
// Level of the tone in the last `seconds` of a recording that may still be growing.
double last_dbfs(const std::string& recording, double hz, double seconds = 1,
                 std::size_t channel = 0);
// Until the recording (still growing) holds `seconds` in which all of `tones_hz` sound.
bool wait_until_heard(const std::string& recording, std::span<const double> tones_hz,
                      double seconds);

}  // namespace e2e
