// The log's one line of a call, field by field.
#include "mixer/call_record.h"

#include <gtest/gtest.h>

#include "mixer/limits.h"
#include "mixer/reasons.h"

namespace {

using namespace std::chrono_literals;
using mixer::CallRecord;
using mixer::TimePoint;

const media::LegStatistics kStatistics{
    .sent = 3140, .received = 3101, .lost = 2, .jitter_ms = 1.26, .rtt_ms = 24};

CallRecord a_call() {
  return {.room = "tea",
          .peer = *jingle::Jid::parse("ann@example.org/phone"),
          .sid = {"S1"},
          .began = TimePoint(100s),
          .ended = TimePoint(163200ms),
          .connected = TimePoint(100440ms),
          .reason = mixer::reasons::make("success"),
          .by_peer = true,
          .local = "host 192.0.2.1:20000",
          .remote = "srflx 198.51.100.7:50312",
          .rtp = media::RtpParameters()};
}

// The value of that field, as it stands there; "-" if there is none.
std::string in(const std::string& line, const std::string& key) {
  const std::size_t at = line.find(' ' + key + '=');
  if (at == std::string::npos) return "-";
  const std::size_t from = at + key.size() + 2;
  const bool quoted = line[from] == '"';
  std::size_t end = quoted ? from + 1 : line.find(' ', from);
  if (quoted) {
    while (line.at(end) != '"') end += line[end] == '\\' ? 2 : 1;
    ++end;
  }
  return line.substr(from, end == std::string::npos ? end : end - from);
}
std::string field_of(const CallRecord& call, const std::string& key) {
  return in(to_log(call, &kStatistics), key);
}

TEST(CallRecord, IsOneLineThatBeginsWithWhatHappened) {
  EXPECT_EQ(to_log(a_call(), &kStatistics),
            "call=ended room=tea direction=in peer=ann@example.org/phone sid=S1 seconds=63.2 "
            "connected_after=0.4 reason=success by=peer codec=opus/111 bitrate=32000 "
            "ice_local=\"host 192.0.2.1:20000\" ice_remote=\"srflx 198.51.100.7:50312\" sent=3140 "
            "received=3101 lost=2 jitter_ms=1.3 rtt_ms=24.0");
}

TEST(CallRecord, SaysWhoCalledWhom) {
  CallRecord call = a_call();
  call.dialled_out = true;
  call.peer = *jingle::Jid::parse("bob@example.org");
  EXPECT_EQ(field_of(call, "direction"), "out");
  EXPECT_EQ(field_of(call, "peer"), "bob@example.org");
  call.dialled_out = false;
  EXPECT_EQ(field_of(call, "direction"), "in");
}

TEST(CallRecord, SaysHowLongItWasAndWhenItConnected) {
  CallRecord call = a_call();
  call.ended = call.began + 90061s;
  call.connected = call.began + 2s;
  EXPECT_EQ(field_of(call, "seconds"), "90061.0");
  EXPECT_EQ(field_of(call, "connected_after"), "2.0");
  EXPECT_EQ(field_of(call, "connected"), "-");
}

TEST(CallRecord, OfACallThatNeverConnectedSaysSoAndNothingOfItsSound) {
  CallRecord call = a_call();
  call.connected.reset();
  call.rtp.reset();
  EXPECT_EQ(field_of(call, "connected"), "no");
  for (const char* key : {"connected_after", "ice_local", "ice_remote", "codec", "bitrate", "sent",
                          "received", "lost", "jitter_ms", "rtt_ms"}) {
    EXPECT_EQ(field_of(call, key), "-") << key;
  }
}

TEST(CallRecord, SaysWhyAndByWhomItEnded) {
  CallRecord call = a_call();
  call.reason = mixer::reasons::make("decline", "Not now.");
  EXPECT_EQ(field_of(call, "reason"), "decline");
  EXPECT_EQ(field_of(call, "text"), "\"Not now.\"");
  EXPECT_EQ(field_of(call, "by"), "peer");
  call.by_peer = false;
  EXPECT_EQ(field_of(call, "by"), "mixer");
  call.reason = mixer::reasons::make("");
  EXPECT_EQ(field_of(call, "reason"), "none") << "XEP-0166 §7.4 lets it be absent";
  EXPECT_EQ(field_of(call, "text"), "-");
}

TEST(CallRecord, SaysWhatTheEngineSaidOfALegThatFailed) {
  CallRecord call = a_call();
  EXPECT_EQ(field_of(call, "cause"), "-");
  call.cause = "no answer from 192.0.2.9";
  EXPECT_EQ(field_of(call, "cause"), "\"no answer from 192.0.2.9\"");
}

TEST(CallRecord, SaysTheCodecAndWhatItMaySend) {
  CallRecord call = a_call();
  call.rtp->opus_payload_type = 96;
  call.rtp->max_bitrate_bps = 20000;
  EXPECT_EQ(field_of(call, "codec"), "opus/96");
  EXPECT_EQ(field_of(call, "bitrate"), "20000");
}

TEST(CallRecord, SaysWhichPairIceSelected) {
  EXPECT_EQ(field_of(a_call(), "ice_local"), "\"host 192.0.2.1:20000\"");
  EXPECT_EQ(field_of(a_call(), "ice_remote"), "\"srflx 198.51.100.7:50312\"");
}

TEST(CallRecord, SaysWhatWasSentReceivedAndLost) {
  EXPECT_EQ(field_of(a_call(), "sent"), "3140");
  EXPECT_EQ(field_of(a_call(), "received"), "3101");
  EXPECT_EQ(field_of(a_call(), "lost"), "2");
  EXPECT_EQ(in(to_log(a_call()), "lost"), "-") << "of a leg whose statistics nobody knows";
}

TEST(CallRecord, SaysJitterAndTheRoundTripIfItIsKnown) {
  EXPECT_EQ(field_of(a_call(), "jitter_ms"), "1.3");
  EXPECT_EQ(field_of(a_call(), "rtt_ms"), "24.0");
  media::LegStatistics silent = kStatistics;
  silent.rtt_ms = 0;
  EXPECT_EQ(in(to_log(a_call(), &silent), "rtt_ms"), "-") << "the peer sends no reports";
}

TEST(CallRecord, WhatPeersSayForgesNoFieldAndNoLineAndHasAnEnd) {
  CallRecord call = a_call();
  const std::string forged = "x by=mixer\nlevel=error \"quoted\" \x1b[2J \xe2\x80\xae";
  call.room = call.cause = call.local = call.remote = forged;
  call.sid.value = forged;
  call.reason.condition = "success by=mixer";
  call.reason.text = forged;
  const std::string line = to_log(call, &kStatistics);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_EQ(line.find("\xe2\x80\xae"), std::string::npos);
  const std::string escaped =
      "\"x by=mixer\\nlevel=error \\\"quoted\\\" \\x1b[2J \\xe2\\x80\\xae\"";
  for (const char* key : {"room", "sid", "text", "cause", "ice_local", "ice_remote"}) {
    EXPECT_EQ(in(line, key), escaped) << key;
  }
  EXPECT_EQ(in(line, "reason"), "\"success by=mixer\"");

  call.reason.condition = std::string(10000, 'c');
  call.reason.text.assign(mixer::limits::kMaxLoggedTextBytes - 1, 't');
  call.reason.text.append("\xc3\xbc rest");
  EXPECT_EQ(field_of(call, "reason"), std::string(mixer::limits::kMaxLoggedReasonBytes, 'c'));
  EXPECT_EQ(field_of(call, "text"), std::string(mixer::limits::kMaxLoggedTextBytes - 1, 't'))
      << "no character is cut in two";
}

}  // namespace
