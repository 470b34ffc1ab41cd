// mixer/config_reader.cc: the only file that sees toml++.
#include "mixer/config_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "mixer/shell_limits.h"

namespace mixer {
namespace {

int line_of(const toml::node& node) { return static_cast<int>(node.source().begin.line); }

const char* type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "a list";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "an integer";
    case toml::node_type::floating_point: return "a floating-point number";
    case toml::node_type::boolean: return "a boolean";
    default: return "a date or time";
  }
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string dotted(std::string_view section, std::string_view key) {
  if (section.empty() || key.empty()) return std::string(section).append(key);
  return std::string(section).append(".").append(key);
}

// Far enough for a typo, not for another word.
std::size_t typo_reach(std::string_view word) { return std::max<std::size_t>(2, word.size() / 3); }

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

// ConfigSection

const toml::node* ConfigSection::ask(std::string_view key) {
  reader_.note(name_, key);
  return table_ ? table_->get(key) : nullptr;
}

bool ConfigSection::has(std::string_view key) const { return table_ && table_->contains(key); }

std::vector<std::string> ConfigSection::keys() const {
  std::vector<std::string> keys;
  if (!table_) return keys;
  for (const auto& [key, value] : *table_) keys.emplace_back(key.str());
  std::sort(keys.begin(), keys.end());
  return keys;
}

void ConfigSection::add(ConfigProblem::Kind kind, std::string_view key, std::string text) {
  const toml::node* node = table_ ? table_->get(key) : nullptr;
  reader_.problems_.push_back(
      {kind, node ? line_of(*node) : line_, dotted(name_, key), std::move(text)});
}

void ConfigSection::error(std::string_view key, std::string text) {
  add(ConfigProblem::Kind::error, key, std::move(text));
}

void ConfigSection::warning(std::string_view key, std::string text) {
  add(ConfigProblem::Kind::warning, key, std::move(text));
}

std::optional<std::string> ConfigSection::string(std::string_view key) {
  const toml::node* node = ask(key);
  if (!node) return std::nullopt;
  const auto* text = node->as_string();
  if (!text) {
    error(key, std::string("is ") + type_name(*node) + "; expected a string");
    return std::nullopt;
  }
  if (has_control(text->get())) {
    error(key, "contains a control character");
    return std::nullopt;
  }
  return text->get();
}

std::optional<std::string> ConfigSection::text(std::string_view key) {
  const toml::node* node = table_ ? table_->get(key) : nullptr;
  const bool number = node && node->is_number();
  if (!number) return string(key);
  (void)ask(key);
  if (const auto* integer = node->as_integer()) return std::to_string(integer->get());
  std::array<char, 512> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(),
                                 node->as_floating_point()->get(), std::chars_format::fixed);
  return std::string(text.data(), end.ptr);
}

std::optional<std::int64_t> ConfigSection::integer(std::string_view key, std::int64_t min,
                                                   std::int64_t max) {
  const toml::node* node = ask(key);
  if (!node) return std::nullopt;
  const auto* number = node->as_integer();
  if (!number) {
    error(key, std::string("is ") + type_name(*node) + "; expected an integer");
    return std::nullopt;
  }
  if (number->get() < min || number->get() > max) {
    error(key, "is " + std::to_string(number->get()) + "; expected " + std::to_string(min) +
                   " to " + std::to_string(max));
    return std::nullopt;
  }
  return number->get();
}

std::optional<bool> ConfigSection::boolean(std::string_view key) {
  const toml::node* node = ask(key);
  if (!node) return std::nullopt;
  if (const auto* value = node->as_boolean()) return value->get();
  error(key, std::string("is ") + type_name(*node) + "; expected true or false");
  return std::nullopt;
}

std::optional<std::vector<std::string>> ConfigSection::strings(std::string_view key) {
  const toml::node* node = ask(key);
  if (!node) return std::nullopt;
  const toml::array* array = node->as_array();
  if (!array) {
    if (!node->is_string()) {
      error(key, std::string("is ") + type_name(*node) + "; expected a list of strings");
      return std::nullopt;
    }
    const auto one = string(key);
    if (!one) return std::nullopt;
    return std::vector<std::string>{*one};
  }
  std::vector<std::string> values;
  bool good = true;
  for (const toml::node& element : *array) {
    const auto* text = element.as_string();
    if (!text || has_control(text->get())) {
      error(key, std::string("contains ") + (text ? "a control character" : type_name(element)) +
                     "; expected a list of strings");
      good = false;
      continue;
    }
    values.push_back(text->get());
  }
  if (!good) return std::nullopt;
  return values;
}

tl::expected<SmallFile, std::string> read_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return tl::unexpected(std::string(std::generic_category().message(errno)));
  struct Closer {
    int fd;
    ~Closer() { close(fd); }
  } const closer{fd};
  SmallFile file;
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    return tl::unexpected(std::string("not a regular file"));
  }
  file.world_readable = (status.st_mode & S_IROTH) != 0;
  std::array<char, 4096> buffer;
  ssize_t got = 0;
  while ((got = read(fd, buffer.data(), buffer.size())) > 0) {
    file.text.append(buffer.data(), static_cast<std::size_t>(got));
    if (file.text.size() > limits::kMaxConfigBytes) {
      return tl::unexpected(std::string("larger than ") + std::to_string(limits::kMaxConfigBytes) +
                            " bytes");
    }
  }
  if (got < 0) return tl::unexpected(std::string(std::generic_category().message(errno)));
  return file;
}

// ConfigReader

ConfigReader::ConfigReader(const std::string& text, const std::string& file,
                           std::vector<ConfigProblem>& problems)
    : problems_(problems) {
  try {
    root_ = std::make_unique<toml::table>(toml::parse(text, file));
  } catch (const toml::parse_error& e) {
    problems_.push_back({ConfigProblem::Kind::error, static_cast<int>(e.source().begin.line), "",
                         std::string(e.description())});
  }
}

ConfigReader::~ConfigReader() = default;

ConfigSection ConfigReader::open(const toml::node* node, std::string name) {
  const toml::table* table = node ? node->as_table() : nullptr;
  if (node && !table) {
    problems_.push_back(
        {ConfigProblem::Kind::error, line_of(*node), name,
         std::string("is ") + type_name(*node) + "; expected a section [" + name + "]"});
  }
  seen_.push_back({table, name, {}});
  return ConfigSection(*this, table, std::move(name), table ? line_of(*table) : 0);
}

ConfigSection ConfigReader::section(std::string_view name) {
  return open(root_ ? root_->get(name) : nullptr, std::string(name));
}

std::vector<std::string> ConfigReader::children(std::string_view parent) {
  return section(parent).keys();
}

ConfigSection ConfigReader::section(std::string_view parent, const std::string& child) {
  const toml::table* table = root_ ? root_->get_as<toml::table>(parent) : nullptr;
  note(std::string(parent), child);
  return open(table ? table->get(child) : nullptr, dotted(parent, child));
}

void ConfigReader::note(const std::string& section, std::string_view key) {
  for (Seen& seen : seen_) {
    if (seen.name == section) seen.keys.emplace_back(key);
  }
}

std::string ConfigReader::suggestion(const Seen& section, const std::string& key) const {
  std::string best;
  std::size_t best_distance = typo_reach(key) + 1;
  for (const std::string& known : section.keys) {
    const std::size_t distance = edit_distance(key, known);
    if (distance < best_distance) best_distance = distance, best = known;
  }
  if (!best.empty()) return "; did you mean \"" + best + "\"?";
  for (const Seen& other : seen_) {
    if (std::find(other.keys.begin(), other.keys.end(), key) != other.keys.end()) {
      return "; it belongs into [" + other.name + "]";
    }
  }
  return {};
}

void ConfigReader::report_unknown() {
  if (!root_) return;
  Seen top{root_.get(), "", {}};
  for (const Seen& seen : seen_) {
    if (seen.name.find('.') == std::string::npos) top.keys.push_back(seen.name);
  }
  seen_.push_back(std::move(top));
  for (const Seen& seen : seen_) {
    if (!seen.table) continue;
    for (const auto& [key, value] : *seen.table) {
      const std::string name(key.str());
      if (std::find(seen.keys.begin(), seen.keys.end(), name) != seen.keys.end()) continue;
      const char* what = seen.name.empty() && value.is_table() ? "unknown section" : "unknown key";
      problems_.push_back({ConfigProblem::Kind::warning, static_cast<int>(key.source().begin.line),
                           dotted(seen.name, name),
                           what + std::string(", ignored") + suggestion(seen, name)});
    }
  }
}

}  // namespace mixer
