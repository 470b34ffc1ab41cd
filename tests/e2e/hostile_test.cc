// One peer does its worst, through a real server, while three others talk: each fault has its
// answer, the three hear no gap, and the mixer has nothing left of it afterwards.
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <thread>

#include "tests/e2e/hostile_client.h"
#include "tests/e2e/listening.h"
#include "tests/e2e/world.h"
#include "tests/support/eventually.h"
#include "tests/support/resident.h"
#include "tests/support/sanitized.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using support::IceEnd;
using support::Stun;

class Hostile : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_PROSODY();
    prosody_ = std::make_unique<support::Prosody>(prosody_spec());
    mixer_ = std::make_unique<Mixer>(*prosody_);
    room_ = mixer_->jid();
    const std::vector<std::pair<std::string, double>> people{
        {"ann", 440}, {"bob", 610}, {"cyd", 970}};
    for (const auto& [user, hz] : people) {
      callers_.push_back(std::make_unique<Call>(
          *prosody_,
          CallSpec{.user = user, .to = room_, .play = tone_file(folder_, hz), .record = true}));
      tones_.push_back(hz);
    }
    for (std::size_t i = 0; i < 3; ++i) {
      ASSERT_TRUE(wait_until_heard(callers_[i]->recording(), others(i), 1))
          << callers_[i]->output() << mixer_->log();
    }
  }
  std::vector<double> others(std::size_t i) const {
    std::vector<double> out = tones_;
    out.erase(out.begin() + static_cast<std::ptrdiff_t>(i));
    return out;
  }
  std::vector<Tone> what_each_hears() const {
    std::vector<Tone> out;
    for (std::size_t i = 0; i < callers_.size(); ++i) {
      for (const double hz : others(i)) out.push_back({callers_[i]->recording(), hz});
    }
    return out;
  }
  std::size_t open_files() const {
    const auto files = std::filesystem::directory_iterator("/proc/" + pid() + "/fd");
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
  }
  std::string pid() const { return std::to_string(mixer_->process().pid()); }

  // Calls that were taken for certain; each ends with a line in the log.
  int taken_ = 0;
  void expect_all_ended() {
    EXPECT_TRUE(support::eventually([&] { return mixer_->logged("call=ended ") >= taken_; }, kWait))
        << taken_ << " calls were taken" << mixer_->log();
  }

  void malformed_xml();
  void jingle_out_of_order();
  void storms();
  void stun_and_candidates();
  void too_many_calls(const std::string& user);

  const support::TempDir folder_;
  std::unique_ptr<support::Prosody> prosody_;
  std::unique_ptr<Mixer> mixer_;
  std::string room_;
  std::vector<std::unique_ptr<Call>> callers_;
  std::vector<double> tones_;
};

// What the server does not close the stream for has an answer.
void Hostile::malformed_xml() {
  std::string attributes, open, close;
  for (int i = 0; i < 10000; ++i) attributes += " a" + std::to_string(i) + "=''";
  for (int i = 0; i < 200; ++i) open += "<a>", close += "</a>";
  const std::string prefix(64 * 1024, 'p');
  const std::string bad[] = {
      "<a xmlns='urn:a'>" + std::string(512 * 1024, 'x') + "</a>",
      "<a xmlns='urn:a'" + attributes + "/>",
      "<q xmlns='urn:a'>" + open + close + "</q>",
      "<" + prefix + ":a xmlns:" + prefix + "='urn:p'/>",
      "<a xmlns='urn:a'>\xFF\xFE</a>",
      "<a xmlns='urn:a'>\xC0\x80</a>",
      "<a xmlns='urn:a'>\0</a>"s,
      "<a xmlns='urn:a'>&#0;</a>",
      "<a xmlns='urn:a'><!-- x --></a>",
      "<a xmlns='urn:a'><?x y?></a>",
      "<a xmlns='urn:a'>&lol;</a>",
      "<!DOCTYPE a [<!ENTITY l 'lol'>]><a xmlns='urn:a'>&l;</a>",
  };
  for (const auto& each : bad) {
    HostileClient eve(*prosody_, "caller1");
    const std::string answer = eve.ask(room_, each);
    EXPECT_NE(answer, "result") << each.substr(0, 60);
  }
  EXPECT_EQ(mixer_->logged("xmpp=up"), 1) << "the stream was lost" << mixer_->log();
}

void Hostile::jingle_out_of_order() {
  HostileClient eve(*prosody_, "caller2");
  IceEnd end;
  const auto expect = [&](const std::string& payload, const std::string& condition) {
    const std::string answer = eve.ask(room_, payload);
    EXPECT_NE(answer.find(condition), std::string::npos) << payload << "\n" << answer;
  };
  const auto in_session = HostileClient::in_session;
  const std::string content = "<content creator='initiator' name='0'/>";
  std::string hundred, thousand;
  for (int i = 0; i < 100; ++i) hundred += "<content name='x" + std::to_string(i) + "'/>";
  for (int i = 1; i <= 1000; ++i) thousand += HostileClient::candidate("192.0.2.1", i);
  expect(in_session("E", "session-accept", content), "unknown-session");
  expect(in_session("E", "session-initiate", ""), "bad-request");
  expect(in_session("E", "session-initiate", hundred), "bad-request");
  expect(in_session("E", "frobnicate", content), "bad-request");
  expect(HostileClient::offer("E", HostileClient::transport(end, thousand)), "bad-request");
  ASSERT_TRUE(eve.call(room_, "E", end));
  ++taken_;
  expect(HostileClient::offer("E", HostileClient::transport(end, "")), "out-of-order");
  expect(in_session("E", "session-accept", content), "out-of-order");
  expect(in_session("E", "session-info", "<dance xmlns='urn:dance'/>"), "unsupported-info");
  {
    HostileClient other(*prosody_, "caller3");
    const auto answer = other.ask(room_, HostileClient::terminate("E"));
    EXPECT_NE(answer.find("unknown-session"), std::string::npos) << answer;
  }
  expect(in_session("E", "content-remove", content), "result");
  expect(HostileClient::terminate("E"), "unknown-session");
}

void Hostile::storms() {
  HostileClient eve(*prosody_, "caller4");
  IceEnd end;
  ASSERT_TRUE(eve.call(room_, "E", end));
  ++taken_;
  const auto in_session = HostileClient::in_session;
  std::string candidates;
  for (int i = 0; i < 64; ++i) {
    candidates += HostileClient::candidate(i % 3 == 0   ? "fe80::1"
                                           : i % 3 == 1 ? "0b1e.local"
                                                        : "127.0.0.1",
                                           i % 2 == 0 ? 0 : 65535);
  }
  for (int i = 0; i < 1000; ++i) {
    const char* const info = i % 2 == 0 ? "hold" : "active";
    eve.put(room_, in_session("E", "session-info",
                              "<"s + info + " xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>"));
    if (i % 20 != 0) continue;
    end.ufrag = "restart" + std::to_string(i);
    eve.put(room_, in_session("E", "transport-info",
                              "<content creator='initiator' name='0'>" +
                                  HostileClient::transport(end, candidates) + "</content>"));
  }
  EXPECT_EQ(eve.ask(room_, in_session("E", "session-info", "")), "result");
  EXPECT_EQ(eve.ask(room_, HostileClient::terminate("E")), "result");
}

void Hostile::stun_and_candidates() {
  HostileClient eve(*prosody_, "caller5");
  IceEnd end;
  const auto mixers = eve.call(room_, "E", end);
  ASSERT_TRUE(mixers);
  ++taken_;
  end.other = *mixers;
  for (std::size_t length = 1200; length < 1300; length += 4) {
    std::string username = mixers->ufrag + ":";
    username.resize(length, 'x');
    end.send(Stun(Stun::kRequest)
                 .text(Stun::kUsername, username)
                 .integrity(mixers->pwd)
                 .fingerprint()
                 .bytes());
  }
  for (int i = 0; i < 3; ++i) {  // its first checks
    while (const auto datagram = end.receive(1000ms)) {
      if (support::stun_type(*datagram) != Stun::kRequest) continue;
      end.send(end.refusal(*datagram, 403));
      break;
    }
  }
  const auto check = end.check();
  auto next = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) {  // 10,000 in a second
    for (int k = 0; k < 10; ++k) end.send(check);
    while (const auto datagram = end.receive(0ms)) {
      if (support::stun_type(*datagram) == Stun::kRequest) {
        end.send(end.success(*datagram, "10.0.0.1", 9));
      }
    }
    std::this_thread::sleep_until(next += 1ms);
  }
  end.send(support::Bytes{22, 0xFE, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4});  // DTLS
  // It may have ended for lack of DTLS.
  const auto answer = eve.ask(room_, HostileClient::terminate("E"));
  EXPECT_TRUE(answer == "result" || answer.find("unknown-session") != answer.npos) << answer;
}

void Hostile::too_many_calls(const std::string& user) {
  HostileClient eve(*prosody_, user);
  IceEnd end;
  const std::string transport = HostileClient::transport(end, "");
  std::string last;
  for (int i = 0; i < 150; ++i) {
    const std::string sid = "E" + std::to_string(i);
    last = eve.ask(room_, HostileClient::offer(sid, transport));
    // Of the same full JID: the first is a call, the others are told of it.
    if (last == "result" && i == 0) ++taken_;
  }
  EXPECT_NE(last.find("service-unavailable"), std::string::npos) << "blocked in the end: " << last;
  EXPECT_EQ(eve.ask(room_, HostileClient::terminate("E0")), "result");
}

TEST_F(Hostile, WhatOnePeerDoesNobodyHearsAndNothingIsLeft) {
  const auto worst = [&](const std::string& dialler) {
    malformed_xml();
    jingle_out_of_order();
    storms();
    stun_and_candidates();
    too_many_calls(dialler);
    expect_all_ended();
  };
  const Listening listening(what_each_hears());
  worst("caller6");                      // and what is allocated once and for all
  if (test_support::kSanitized) return;  // neither memory nor time is told
  const auto files = open_files();
  const auto memory = test_support::resident_kib(pid());
  worst("caller7");
  EXPECT_TRUE(support::eventually([&] { return open_files() <= files; }, kWait)) << mixer_->log();
  EXPECT_LT(test_support::resident_kib(pid()), memory + memory / 20 + 1024) << "KiB";
  // Before they leave, one after the other.
  const int excused = listening.expect_no_gaps().gaps;
  if (excused > 0) std::cout << excused << " gaps while a program waited for a CPU\n";
  for (const auto& caller : callers_) EXPECT_EQ(caller->finish(), 0) << caller->output();
}

}  // namespace
}  // namespace e2e
