// Payloads that are a list of elements with a text or a number each: tune, viewing, geoloc,
// physical location. Reader and writer walk one table each, in the order of the schema.
#include <charconv>
#include <pugixml.hpp>
#include <span>

#include "signaling/attributes.h"
#include "signaling/date_time.h"
#include "signaling/pep_codec.h"
#include "signaling/pubsub.h"
#include "signaling/stanza.h"

namespace jingle::pep {
namespace {

template <typename T>
struct Text {
  std::string T::*member;
};
template <typename T>
struct Uri {
  std::string T::*member;
};
template <typename T>
struct Time {
  std::string T::*member;
};
template <typename T>
struct Number {
  std::optional<std::uint32_t> T::*member;
  std::uint32_t min, max;
};
template <typename T>
struct Decimal {
  std::optional<double> T::*member;
  double min, max;
};

template <typename T>
struct Field {
  const char* name;
  std::variant<Text<T>, Uri<T>, Time<T>, Number<T>, Decimal<T>> kind;
};

constexpr std::uint32_t kMost = 0xffffffff;
constexpr double kFar = 1e9;  // metres, and metres a second: no place on earth is beyond

constexpr Field<Tune> kTune[] = {
    {"artist", Text<Tune>{&Tune::artist}},
    {"composer", Text<Tune>{&Tune::composer}},
    {"date", Text<Tune>{&Tune::date}},
    {"genre", Text<Tune>{&Tune::genre}},
    {"language", Text<Tune>{&Tune::language}},
    {"length", Number<Tune>{&Tune::length_s, 0, 65535}},
    {"lyricist", Text<Tune>{&Tune::lyricist}},
    {"performer", Text<Tune>{&Tune::performer}},
    {"rating", Number<Tune>{&Tune::rating, 1, 10}},
    {"source", Text<Tune>{&Tune::source}},
    {"title", Text<Tune>{&Tune::title}},
    {"track", Text<Tune>{&Tune::track}},
    {"uri", Uri<Tune>{&Tune::uri}},
};

constexpr Field<Viewing> kViewing[] = {
    {"author", Text<Viewing>{&Viewing::author}},
    {"cast", Text<Viewing>{&Viewing::cast}},
    {"channel_name", Text<Viewing>{&Viewing::channel_name}},
    {"description", Text<Viewing>{&Viewing::description}},
    {"duration", Number<Viewing>{&Viewing::duration_s, 1, kMost}},
    {"end_time", Time<Viewing>{&Viewing::end_time}},
    {"episode", Text<Viewing>{&Viewing::episode}},
    {"program_name", Text<Viewing>{&Viewing::program_name}},
    {"program_type", Text<Viewing>{&Viewing::program_type}},
    {"start_time", Time<Viewing>{&Viewing::start_time}},
    {"subprogram_type", Text<Viewing>{&Viewing::subprogram_type}},
    {"uri", Uri<Viewing>{&Viewing::uri}},
    {"user_comment", Text<Viewing>{&Viewing::user_comment}},
    {"user_rating", Number<Viewing>{&Viewing::user_rating, 1, 10}},
};

constexpr Field<Geoloc> kGeoloc[] = {
    {"accuracy", Decimal<Geoloc>{&Geoloc::accuracy_m, 0, kFar}},
    {"alt", Decimal<Geoloc>{&Geoloc::alt_m, -kFar, kFar}},
    {"altaccuracy", Decimal<Geoloc>{&Geoloc::altaccuracy_m, 0, kFar}},
    {"area", Text<Geoloc>{&Geoloc::area}},
    {"bearing", Decimal<Geoloc>{&Geoloc::bearing_deg, 0, 360}},
    {"building", Text<Geoloc>{&Geoloc::building}},
    {"country", Text<Geoloc>{&Geoloc::country}},
    {"countrycode", Text<Geoloc>{&Geoloc::countrycode}},
    {"datum", Text<Geoloc>{&Geoloc::datum}},
    {"description", Text<Geoloc>{&Geoloc::description}},
    {"floor", Text<Geoloc>{&Geoloc::floor}},
    {"lat", Decimal<Geoloc>{&Geoloc::lat_deg, -90, 90}},
    {"locality", Text<Geoloc>{&Geoloc::locality}},
    {"lon", Decimal<Geoloc>{&Geoloc::lon_deg, -180, 180}},
    {"postalcode", Text<Geoloc>{&Geoloc::postalcode}},
    {"region", Text<Geoloc>{&Geoloc::region}},
    {"room", Text<Geoloc>{&Geoloc::room}},
    {"speed", Decimal<Geoloc>{&Geoloc::speed_mps, 0, kFar}},
    {"street", Text<Geoloc>{&Geoloc::street}},
    {"text", Text<Geoloc>{&Geoloc::text}},
    {"timestamp", Time<Geoloc>{&Geoloc::timestamp}},
    {"tzo", Text<Geoloc>{&Geoloc::tzo}},
    {"uri", Uri<Geoloc>{&Geoloc::uri}},
};

using Place = PhysicalLocation;
constexpr Field<Place> kPlace[] = {
    {"country", Text<Place>{&Place::country}},       {"region", Text<Place>{&Place::region}},
    {"locality", Text<Place>{&Place::locality}},     {"area", Text<Place>{&Place::area}},
    {"street", Text<Place>{&Place::street}},         {"building", Text<Place>{&Place::building}},
    {"floor", Text<Place>{&Place::floor}},           {"room", Text<Place>{&Place::room}},
    {"postalcode", Text<Place>{&Place::postalcode}}, {"text", Text<Place>{&Place::text}},
};

std::span<const Field<Tune>> fields(const Tune&) { return kTune; }
std::span<const Field<Viewing>> fields(const Viewing&) { return kViewing; }
std::span<const Field<Geoloc>> fields(const Geoloc&) { return kGeoloc; }
std::span<const Field<Place>> fields(const Place&) { return kPlace; }
template <typename T>
std::span<const Field<T>> fields(const T&) {
  return {};
}

// xs:dateTime with its zone; XEP-0197 shows it without seconds (2006-08-29T03:30Z). nullopt: none.
std::optional<std::string> date_time(std::string text) {
  constexpr std::size_t kToMinutes = 16;
  if (text.size() < kToMinutes) return std::nullopt;
  if (text[kToMinutes] != ':') text.insert(kToMinutes, ":00");
  std::string utc = text;
  if (const auto sign = utc.find_first_of("+-", kToMinutes); sign != std::string::npos) {
    // Which offset it is does not matter here: that of a valid time of day is valid.
    const std::string offset = utc.substr(sign + 1);
    if (!parse_date_time("2000-01-01T" + offset + ":00Z") || offset > "14:00") return std::nullopt;
    utc = utc.substr(0, sign) + "Z";
  }
  return parse_date_time(utc) ? std::optional(text) : std::nullopt;
}

// xs:decimal: no exponent, no infinity.
std::optional<double> decimal(const std::string& text) {
  constexpr std::size_t kLongest = 32;
  if (text.empty() || text.size() > kLongest) return std::nullopt;
  const char* begin = text.data() + (text.front() == '+' ? 1 : 0);
  const char* end = text.data() + text.size();
  double value = 0;
  const auto [rest, error] = std::from_chars(begin, end, value, std::chars_format::fixed);
  const bool digits = text.find_first_of("0123456789") != std::string::npos;  // not "inf"
  if (error != std::errc() || rest != end || !digits) return std::nullopt;
  return value;
}

std::string decimal(double value) {
  std::array<char, 512> text;
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  return error == std::errc() ? std::string(text.data(), end) : std::string();
}

template <typename T>
struct Reader {
  T& out;
  std::string text;

  bool operator()(const Text<T>& field) { return out.*field.member = text, true; }
  bool operator()(const Uri<T>& field) {
    out.*field.member = text;
    return is_uri_reference(text);
  }
  bool operator()(const Time<T>& field) {
    const auto time = date_time(text);
    out.*field.member = time.value_or("");
    return time.has_value();
  }
  bool operator()(const Number<T>& field) {
    const auto value = parse_unsigned(text);
    out.*field.member = value;
    return value && *value >= field.min && *value <= field.max;
  }
  bool operator()(const Decimal<T>& field) {
    const auto value = decimal(text);
    out.*field.member = value;
    return value && *value >= field.min && *value <= field.max;
  }
};

template <typename T>
struct Writer {
  const T& from;

  std::string operator()(const Text<T>& field) { return from.*field.member; }
  std::string operator()(const Uri<T>& field) { return from.*field.member; }
  std::string operator()(const Time<T>& field) { return from.*field.member; }
  std::string operator()(const Number<T>& field) {
    const auto& value = from.*field.member;
    return value ? std::to_string(*value) : std::string();
  }
  std::string operator()(const Decimal<T>& field) {
    const auto& value = from.*field.member;
    return value ? decimal(*value) : std::string();
  }
};

template <typename T>
const Field<T>* field_named(const T& payload, std::string_view name) {
  for (const Field<T>& field : fields(payload)) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

// nullopt: as it should be.
template <typename T>
std::optional<StanzaError> read(T& out, const pugi::xml_node& root) {
  std::vector<const Field<T>*> seen;
  for (const auto& node : root.children()) {
    if (node.type() != pugi::node_element || effective_ns(node) != effective_ns(root)) continue;
    auto name = local_name(node);
    if (std::is_same_v<T, Viewing> && name == "name") name = "program_name";
    const Field<T>* field = field_named(out, name);
    if (!field) continue;
    for (const Field<T>* known : seen) {
      if (known == field) return pubsub::invalid_payload(std::string(field->name) + " given twice");
    }
    seen.push_back(field);
    std::string text = trimmed_text(node);
    if (text.empty()) continue;
    if (!std::visit(Reader<T>{out, std::move(text)}, field->kind)) {
      return pubsub::invalid_payload(std::string(field->name) + " is out of range");
    }
  }
  return std::nullopt;
}

}  // namespace

Result<Payload> parse_fields(Node node, const pugi::xml_node& root) {
  Payload payload = stop_of(node);
  auto wrong = std::visit([&](auto& value) { return read(value, root); }, payload);
  if (wrong) return tl::unexpected(std::move(*wrong));
  return payload;
}

void write_fields(pugi::xml_node& root, const Payload& payload) {
  std::visit(
      [&](const auto& value) {
        for (const auto& field : fields(value)) {
          const std::string text =
              std::visit(Writer<std::decay_t<decltype(value)>>{value}, field.kind);
          if (!text.empty()) add_child(root, field.name).text().set(text.c_str());
        }
      },
      payload);
}

bool set_field(Payload& payload, std::string_view name, std::string_view text) {
  return std::visit(
      [&](auto& value) {
        using T = std::decay_t<decltype(value)>;
        const Field<T>* field = field_named(value, name);
        if (!field) return false;
        T changed = value;
        std::string wanted = trimmed(text);
        if (wanted.empty()) {
          std::visit([&](const auto& kind) { changed.*kind.member = {}; }, field->kind);
        } else if (!std::visit(Reader<T>{changed, std::move(wanted)}, field->kind)) {
          return false;
        }
        value = std::move(changed);
        return true;
      },
      payload);
}

}  // namespace jingle::pep
