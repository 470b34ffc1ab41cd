// tests/peers/peer.h: a client that calls a room, or is called, by its script, and watches the
// mixer as strictly as it would. Pure: time and stanzas are given to it. One thread.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "media/media_engine.h"
#include "tests/peers/client.h"

namespace peers {

// What stands in place of the capture's ICE and DTLS values, for a call that is to connect.
struct LocalMedia {
  media::IceCredentials ice;
  media::DtlsFingerprint fingerprint;
  std::vector<media::IceCandidate> candidates;
};

class Peer {
 public:
  // `self` is a full JID, `room` a bare one. Without JMI the session-initiate goes to `dials`. Who
  // is called makes no sid.
  struct Place {
    std::string self, room, dials, sid;
  };
  Peer(const Client& client, Place place, Part part = Part::calls);

  const Client& client() const { return client_; }
  const std::string& sid() const { return sid_; }
  Part part() const { return part_; }
  bool calls() const { return part_ == Part::calls; }
  const Memory& memory() const { return memory_; }
  // From the next step on; with other credentials for an ICE restart.
  void use(LocalMedia media);
  // The script ends before hanging up.
  void stay();

  // What the next step does; nullptr: there is none, or its time has not come.
  const Step* upcoming() const;
  // Its stanza, which counts as sent; it has no xmlns of its own. nullopt: nothing to say now.
  std::optional<std::string> next(TimePoint now);
  // What it answers; empty: nothing.
  std::string receive(const jingle::Xml& stanza, TimePoint now);
  void connected(TimePoint now);
  void pass(TimePoint now);
  // The mixer is going to end the call, and may.
  void may_be_ended() { memory_.may_be_ended = true; }

  bool accepted() const;  // by the mixer, or by this
  bool done() const { return script_.empty(); }
  bool ended() const { return ended_; }
  // By the mixer: the reason's condition and text.
  const std::string& reason() const { return reason_; }
  const std::string& reason_text() const { return reason_text_; }
  // Rules broken, in words, each once. A client would have given up at the first.
  const std::vector<std::string>& complaints() const { return complaints_; }
  bool complains_of(const Kind& kind) const;

 private:
  void judge(Node stanza);
  bool may_say(const Step& step) const;
  std::string dressed(const Step& step);
  void fit(Node stanza, Act act) const;
  void dress_transports(Node stanza, Act act);
  std::string answer(const jingle::Xml& stanza);
  void heard(const jingle::Xml& stanza);

  const Client& client_;
  const std::vector<Rule>& rules_;
  const Place place_;
  const Part part_;
  std::string sid_;
  Memory memory_;
  std::deque<Step> script_;
  std::optional<LocalMedia> media_;
  std::size_t trickled_ = 0;  // candidates of media_
  int ids_ = 0;
  bool ended_ = false;
  std::string reason_, reason_text_;
  std::vector<std::string> complaints_;
  std::vector<const Kind*> broken_;
};

}  // namespace peers
