// mixer/config_reader.h: a TOML document read key by key. Every problem is kept with its line, and
// what nobody asked for is reported at the end with the key it was probably meant to be. One
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mixer/config.h"

namespace toml {
inline namespace v3 {
class node;
class table;
}  // namespace v3
}  // namespace toml

namespace mixer {

class ConfigReader;

// One [section]. All keys read as absent when the file does not have the section. A value of the
// wrong type or out of range is an error, and reads as absent.
class ConfigSection {
 public:
  std::optional<std::string> string(std::string_view key);
  // A string or a number, as text.
  std::optional<std::string> text(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max);
  std::optional<bool> boolean(std::string_view key);
  // A list of strings; a single string counts as a list of one.
  std::optional<std::vector<std::string>> strings(std::string_view key);
  // One of the spellings in `words`.
  template <typename T, std::size_t N>
  std::optional<T> choice(std::string_view key,
                          const std::array<std::pair<std::string_view, T>, N>& words) {
    const auto text = string(key);
    if (!text) return std::nullopt;
    std::string expected;
    for (const auto& [word, value] : words) {
      if (word == *text) return value;
      expected.append(expected.empty() ? "" : ", ").append(1, '"').append(word).append(1, '"');
    }
    error(key, "is \"" + *text + "\"; expected one of " + expected);
    return std::nullopt;
  }

  bool has(std::string_view key) const;
  // All that are there, in alphabetical order.
  std::vector<std::string> keys() const;
  // At the key's line; at the section's, if the key is missing.
  void error(std::string_view key, std::string text);
  void warning(std::string_view key, std::string text);

 private:
  friend class ConfigReader;
  ConfigSection(ConfigReader& reader, const toml::table* table, std::string name, int line)
      : reader_(reader), table_(table), name_(std::move(name)), line_(line) {}
  const toml::node* ask(std::string_view key);
  void add(ConfigProblem::Kind kind, std::string_view key, std::string text);

  ConfigReader& reader_;
  const toml::table* table_;  // nullptr: not in the file
  std::string name_;
  int line_;
};

class ConfigReader {
 public:
  // `file` names the text in a syntax error. After a syntax error there is one problem, and
  // everything reads as absent.
  ConfigReader(const std::string& text, const std::string& file,
               std::vector<ConfigProblem>& problems);
  ~ConfigReader();

  bool parsed() const { return root_ != nullptr; }
  // Sections are remembered: ask for each once.
  ConfigSection section(std::string_view name);
  // The NAMEs of [parent.NAME], in alphabetical order, and one of them; its parent first.
  std::vector<std::string> children(std::string_view parent);
  ConfigSection section(std::string_view parent, const std::string& child);

  // Call last: warns of every section and key that was never asked for.
  void report_unknown();

 private:
  friend class ConfigSection;
  struct Seen {
    const toml::table* table;
    std::string name;
    std::vector<std::string> keys;
  };
  ConfigSection open(const toml::node* node, std::string name);
  void note(const std::string& section, std::string_view key);
  std::string suggestion(const Seen& section, const std::string& key) const;

  std::vector<ConfigProblem>& problems_;
  std::unique_ptr<toml::table> root_;
  std::vector<Seen> seen_;
};

struct SmallFile {
  std::string text;
  bool world_readable = false;
};
// At most limits::kMaxConfigBytes of a file; the error is for people.
tl::expected<SmallFile, std::string> read_file(const std::string& path);

// [presence] and what is under it, which has a file of its own (config_presence.cc).
void read_presence(ConfigReader& reader, Config& config, const std::string& config_file);

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace mixer
