// tests/sim/laws.h: what must hold whatever happens to the focus, kept as books of what it was told
// and what it did. Breaches are gtest failures. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "tests/support/focus_bench.h"

namespace sim {

using namespace test;

// How far the stories went: what never happened was never tested.
struct Tally {
  int rosters = 0, with_departed = 0;
  int proposals = 0, answered = 0, direct = 0, refused = 0, connected = 0;
  int restarts = 0, restarts_of_ours = 0;
  int declined = 0, retracted = 0, bounced = 0, ties = 0;
  Tally& operator+=(const Tally& other);
};
std::ostream& operator<<(std::ostream& out, const Tally& tally);

// A call, by what was said in it.
struct Session {
  jingle::Jid room, peer;
  std::string sid;
  bool dialled = false;
  bool accepted = false;
  bool isfocus = false;  // as the peer was told last
  std::uint32_t version = 0;
};

class Laws {
 public:
  explicit Laws(const FakeEngine& engine) : engine_(engine) {}

  // What is about to be handled, then what came of it: each command before it is carried out, and
  // done() after them all.
  void happens(const mixer::Event& event, TimePoint now);
  // That room was asked to invite that one, or will by itself: whatever comes of it, the invited is
  // listed.
  void invites(const jingle::Jid& room, const jingle::Jid& target);
  void commanded(const mixer::Commands& commands);
  void commanded(const mixer::Command& command);
  void done();

  // Nothing happens any more, everybody behaves: `view` is what that peer knows of the conference.
  void quiet(const jingle::Jid& peer, const std::string& sid, const coin::View& view,
             bool departed_are_kept);
  // The focus has been shut down.
  void over(const mixer::Focus& focus) const;

  // The living leg of that session; nullopt: none, or not known (yet).
  std::optional<media::LegId> leg_of(const jingle::Jid& peer, const std::string& sid) const;
  bool alive(media::LegId leg) const;
  bool connected(media::LegId leg) const;

  Tally tally;

 private:
  // Somebody we ring, or call: not answered yet.
  struct Invitation {
    std::string sid, message_id;
    bool called = false;
    std::optional<media::LegId> leg = {};
  };
  using Key = std::pair<jingle::Jid, std::string>;  // peer, sid

  void received(const jingle::Iq& iq);
  void received(const jingle::Message& message);
  void replied(const mixer::Reply& reply);
  void sent(const mixer::SendIq& iq);
  void said(const mixer::SendIq& iq, const jingle::Request& request);
  void initiates(const mixer::SendIq& iq, const std::string& sid);
  void sent(const mixer::SendMessage& message);
  void opens(const media::LegSpec& spec);
  void closes(media::LegId leg);
  void document(const jingle::Jid& to, const std::string& text);
  void may_call(const jingle::Jid& peer, media::LegId leg, media::RoomId room, bool dialled) const;

  const FakeEngine& engine_;
  const mixer::Event* event_ = nullptr;
  TimePoint now_{};
  std::optional<jingle::Request> asked_;                  // by the IQ that is being handled
  std::optional<jingle::Jid> proceeded_;                  // by the message that is being handled
  std::map<media::LegId, Session> sessions_;              // of living legs
  std::set<Key> open_;                                    // not ended by word
  std::set<Key> ended_;                                   // by us
  std::map<std::string, Key> initiates_;                  // of ours, by id
  std::map<jingle::Jid, Invitation> invitations_;         // by bare JID
  std::map<std::string, TimePoint> were_connected_;       // by src-id, until when
  std::map<media::RoomId, std::set<jingle::Jid>> left_;   // some came back
  std::map<jingle::Jid, std::set<jingle::Jid>> invited_;  // by room
};

}  // namespace sim
