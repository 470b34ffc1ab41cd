// signaling/jid.h: JIDs (RFC 7622; prepared with the stringprep profiles of RFC 6122, as Prosody
// and ejabberd do). A value; any thread.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace jingle {

class Jid {
 public:
  Jid() = default;  // the empty JID: "nobody said"

  // nullopt unless every part is valid; parts are normalised (Room@Mixer.Example ->
  // room@mixer.example).
  static std::optional<Jid> parse(std::string_view text);
  // From an xmpp: URI (RFC 5122 §2.2); query and fragment are left aside, an authority is refused.
  static std::optional<Jid> parse_uri(std::string_view uri);
  // Joins parts that are already prepared, as this class returns them.
  static Jid of(std::string_view local, std::string_view domain, std::string_view resource = {});

  const std::string& local() const { return local_; }
  const std::string& domain() const { return domain_; }
  const std::string& resource() const { return resource_; }
  bool empty() const { return domain_.empty(); }
  bool is_bare() const { return resource_.empty(); }
  Jid bare() const { return of(local_, domain_); }
  Jid with_resource(std::string_view resource) const { return of(local_, domain_, resource); }
  std::string str() const;
  // The localpart with XEP-0106 escapes undone, for showing to people.
  std::string unescaped_local() const;
  // xmpp: URI (RFC 5122), percent-encoded.
  std::string uri() const;

  auto operator<=>(const Jid&) const = default;

 private:
  std::string local_, domain_, resource_;
};

}  // namespace jingle
