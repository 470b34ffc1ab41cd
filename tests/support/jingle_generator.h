// tests/support/jingle_generator.h: seeded random Jingle requests, every shape the codec knows.
#pragma once

#include <random>
#include <string>

#include "signaling/jingle.h"

namespace test_support {

class JingleGenerator {
 public:
  explicit JingleGenerator(unsigned seed) : random_(seed) {}

  // What we might send: the schemas of XEP-0166, 0167, 0176 and 0339 hold for it.
  jingle::Request valid();
  // What a peer might: besides, every odd thing that the parser lets pass.
  jingle::Request tolerated();

  jingle::Payload payload(bool strict);
  // 0 to n-1.
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  bool chance(unsigned percent) { return below(100) < percent; }

 private:
  std::string word(bool strict);  // an NCName, or any text without control characters
  std::string ncname();
  std::vector<std::pair<std::string, std::string>> parameters(bool strict);
  jingle::PayloadType payload_type(bool strict);
  jingle::RtpDescription description(bool strict);
  jingle::Candidate candidate(bool strict);
  jingle::Fingerprint fingerprint();
  jingle::IceUdpTransport transport(bool strict);
  jingle::Content content(bool strict, unsigned index);
  std::vector<jingle::Content> contents(bool strict, unsigned least);
  std::vector<jingle::Group> groups(const std::vector<jingle::Content>& contents);
  jingle::Reason reason(bool strict);
  jingle::SessionInfo session_info(bool strict);

  std::mt19937 random_;
};

}  // namespace test_support
