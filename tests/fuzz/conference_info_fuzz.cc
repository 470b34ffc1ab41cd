// Any bytes as a conference document: what is accepted is kept by writing, stays itself when read
// again, and follows the laws of diff and merge against a fixed conference.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "coin/diff.h"
#include "coin/limits.h"
#include "coin/xml.h"

namespace {

using coin::ConferenceInfo;
using coin::State;

void require(bool law, const char* name, const ConferenceInfo& info) {
  if (law) return;
  std::fprintf(stderr, "broken: %s\n%s\n", name, coin::write(info).c_str());
  std::abort();
}

const ConferenceInfo& fixed() {
  static const ConferenceInfo info = *coin::parse(
      "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='xmpp:r@x' "
      "version='1'>"
      "<conference-description><display-text>R</display-text></conference-description>"
      "<conference-state><user-count>2</user-count></conference-state><users>"
      "<user entity='xmpp:a@x'><display-text>A</display-text><endpoint entity='xmpp:a@x/1'>"
      "<status>connected</status><media id='audio'><src-id>1</src-id></media></endpoint></user>"
      "<user entity='xmpp:b@x'/></users></conference-info>");
  return info;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto info = coin::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!info) return 0;

  const std::string text = coin::write(*info);
  if (text.size() > coin::limits::kDocumentBytes) return 0;  // escapes and states made it longer
  const auto again = coin::parse(text);
  require(again && *again == *info, "parse(write(x)) == x", *info);
  require(coin::write(*again) == text, "writing is canonical", *info);

  // Whatever it is, receiving it leaves a whole conference, and once more changes nothing.
  const ConferenceInfo received = coin::merge(fixed(), *info);
  require(received.state != State::partial, "merge() gives no partial", *info);
  require(coin::merge(fixed(), *info) == received, "merge() is a function", *info);
  if (received.state == State::deleted) return 0;

  const auto there = coin::diff(fixed(), received), back = coin::diff(received, fixed());
  ConferenceInfo unnumbered = received, base = fixed();
  for (ConferenceInfo* side : {&unnumbered, &base}) {
    side->version.reset();
    side->sid.reset();
  }
  require(there.has_value() == (base != unnumbered), "nothing is sent when nothing changed", *info);
  if (there)
    require(coin::merge(fixed(), *there) == unnumbered, "merge(a, diff(a, b)) == b", *info);
  if (back) require(coin::merge(received, *back) == base, "merge(b, diff(b, a)) == a", *info);

  coin::View view;
  view.receive(fixed());
  view.receive(*info);
  ConferenceInfo healing = fixed();
  healing.version = 0xFFFFFFFF;
  const bool last = view.info()->version == healing.version;  // nothing can follow that
  view.receive(healing);
  require(last || (view.info() == healing && !view.stale()), "a full document heals", *info);
  return 0;
}
