#include "mixer/client_profile.h"

#include <algorithm>

#include "signaling/namespaces.h"

namespace mixer {
namespace {

bool called(const ClientSigns& signs, std::string_view prefix) {
  return std::ranges::any_of(signs.info.identities, [&](const jingle::Identity& identity) {
    return identity.name.starts_with(prefix);
  });
}

struct Row {
  ClientProfile profile;
  bool (*fits)(const ClientSigns&);
};

// clang-format off
constexpr Row kRows[] = {
    // 0.4.2 and 0.5.1 crash on a document before their media runs, and never answer one.
    {{.name = "dino", .takes_documents = false},
     [](const ClientSigns& s) { return called(s, "Dino") || s.caps_node == "http://dino.im" ||
                                       s.caps_node == "https://dino.im"; }},
    // Consumes only what its own SIP side brings; refuses documents with service-unavailable.
    {{.name = "sylkserver", .takes_documents = false},
     [](const ClientSigns& s) { return called(s, "Sylk"); }},
    // Announces no Coin at HEAD, yet has the fullest consumer; ignores isfocus in session-accept.
    {{.name = "jitsi", .announced_coin = true, .shows_roster = true, .isfocus_again = true,
      .form = DocumentForm::jitsi},
     [](const ClientSigns& s) { return called(s, "Jitsi"); }},
    {{.name = "standard", .announced_coin = true, .shows_roster = true},
     [](const ClientSigns& s) { return s.info.features.contains(jingle::ns::kCoin) ||
                                       s.info.features.contains(jingle::ns::kCoinJitsi); }},
    // Chosen in the configuration only.
    {{.name = "none", .takes_documents = false}, [](const ClientSigns&) { return false; }},
    {{.name = "unannounced"}, [](const ClientSigns&) { return true; }},
};
// clang-format on

}  // namespace

const ClientProfile& profile_of(const ClientSigns& signs) {
  return std::ranges::find_if(kRows, [&](const Row& row) { return row.fits(signs); })->profile;
}

const ClientProfile* profile_named(std::string_view name) {
  const auto row = std::ranges::find(kRows, name, [](const Row& r) { return r.profile.name; });
  return row == std::end(kRows) ? nullptr : &row->profile;
}

std::vector<std::string_view> profile_names() {
  std::vector<std::string_view> names;
  for (const Row& row : kRows) names.push_back(row.profile.name);
  return names;
}

const ClientProfile& profile_of_asker(const ClientProfile& before) {
  static constexpr ClientProfile kAsker{
      .name = "coin-asker", .announced_coin = true, .shows_roster = true};
  return before.announced_coin || !before.takes_documents ? before : kAsker;
}

const ClientProfile& profile_of_sender(const ClientProfile& before) {
  static constexpr ClientProfile kSender{.name = "coin-sender",
                                         .announced_coin = true,
                                         .shows_roster = true,
                                         .form = DocumentForm::jitsi};
  return before.announced_coin || !before.takes_documents ? before : kSender;
}

}  // namespace mixer
