// Payloads of words: mood, activity, status.
#include <algorithm>
#include <array>
#include <pugixml.hpp>

#include "signaling/attributes.h"
#include "signaling/pep_codec.h"
#include "signaling/pubsub.h"
#include "signaling/stanza.h"

namespace jingle::pep {
namespace {

// In XEP-0107's table, and not in its schema: read, and never written.
constexpr std::array<std::string_view, 2> kMoodsOfTheTable{"grateful", "grieving"};
// In alphabetical order.
constexpr std::array<std::string_view, 80> kMoods{
    "afraid",      "amazed",     "amorous",    "angry",         "annoyed",     "anxious",
    "aroused",     "ashamed",    "bored",      "brave",         "calm",        "cautious",
    "cold",        "confident",  "confused",   "contemplative", "contented",   "cranky",
    "crazy",       "creative",   "curious",    "dejected",      "depressed",   "disappointed",
    "disgusted",   "dismayed",   "distracted", "embarrassed",   "envious",     "excited",
    "flirtatious", "frustrated", "grumpy",     "guilty",        "happy",       "hopeful",
    "hot",         "humbled",    "humiliated", "hungry",        "hurt",        "impressed",
    "in_awe",      "in_love",    "indignant",  "interested",    "intoxicated", "invincible",
    "jealous",     "lonely",     "lucky",      "mean",          "moody",       "nervous",
    "neutral",     "offended",   "outraged",   "playful",       "proud",       "relaxed",
    "relieved",    "remorseful", "restless",   "sad",           "sarcastic",   "serious",
    "shocked",     "shy",        "sick",       "sleepy",        "spontaneous", "stressed",
    "strong",      "surprised",  "thankful",   "thirsty",       "tired",       "undefined",
    "weak",        "worried"};
// XEP-0108 §3; any specific one may be in any general one.
constexpr std::array<std::string_view, 12> kGeneral{
    "doing_chores", "drinking", "eating",  "exercising", "grooming",  "having_appointment",
    "inactive",     "relaxing", "talking", "traveling",  "undefined", "working"};
constexpr std::array<std::string_view, 67> kSpecific{"at_the_spa",
                                                     "brushing_teeth",
                                                     "buying_groceries",
                                                     "cleaning",
                                                     "coding",
                                                     "commuting",
                                                     "cooking",
                                                     "cycling",
                                                     "dancing",
                                                     "day_off",
                                                     "doing_maintenance",
                                                     "doing_the_dishes",
                                                     "doing_the_laundry",
                                                     "driving",
                                                     "fishing",
                                                     "gaming",
                                                     "gardening",
                                                     "getting_a_haircut",
                                                     "going_out",
                                                     "hanging_out",
                                                     "having_a_beer",
                                                     "having_a_snack",
                                                     "having_breakfast",
                                                     "having_coffee",
                                                     "having_dinner",
                                                     "having_lunch",
                                                     "having_tea",
                                                     "hiding",
                                                     "hiking",
                                                     "in_a_car",
                                                     "in_a_meeting",
                                                     "in_real_life",
                                                     "jogging",
                                                     "on_a_bus",
                                                     "on_a_plane",
                                                     "on_a_train",
                                                     "on_a_trip",
                                                     "on_the_phone",
                                                     "on_vacation",
                                                     "on_video_phone",
                                                     "other",
                                                     "partying",
                                                     "playing_sports",
                                                     "praying",
                                                     "reading",
                                                     "rehearsing",
                                                     "running",
                                                     "running_an_errand",
                                                     "scheduled_holiday",
                                                     "shaving",
                                                     "shopping",
                                                     "skiing",
                                                     "sleeping",
                                                     "smoking",
                                                     "socializing",
                                                     "studying",
                                                     "sunbathing",
                                                     "swimming",
                                                     "taking_a_bath",
                                                     "taking_a_shower",
                                                     "thinking",
                                                     "walking",
                                                     "walking_the_dog",
                                                     "watching_a_movie",
                                                     "watching_tv",
                                                     "working_out",
                                                     "writing"};

template <typename Words>
bool has(const Words& words, std::string_view word) {
  return std::ranges::binary_search(words, word);
}

struct WordAndText {
  std::vector<pugi::xml_node> words;  // at most two
  std::string text;
};

// The children of the namespace; of texts in several languages the first.
WordAndText split(const pugi::xml_node& root) {
  WordAndText out;
  bool has_text = false;
  for (const auto& node : root.children()) {
    if (node.type() != pugi::node_element || effective_ns(node) != effective_ns(root)) continue;
    if (local_name(node) != "text") {
      if (out.words.size() < 2) out.words.push_back(node);
    } else if (!std::exchange(has_text, true)) {
      out.text = trimmed_text(node);
    }
  }
  return out;
}

tl::unexpected<StanzaError> invalid(const char* what) {
  return tl::unexpected(pubsub::invalid_payload(what));
}

void write_text(pugi::xml_node& root, const std::string& text) {
  if (!text.empty()) add_child(root, "text").text().set(text.c_str());
}

}  // namespace

bool is_mood(std::string_view word) { return has(kMoods, word); }

Result<Payload> parse_status(const pugi::xml_node& root) {
  const auto [words, text] = split(root);
  if (text.empty() && count_elements(root) > 0) return invalid("no text");
  return Status{text};
}

Result<Payload> parse_mood(const pugi::xml_node& root) {
  const auto [words, text] = split(root);
  if (words.size() > 1) return invalid("more than one mood");
  if (words.empty() && count_elements(root) > 0) return invalid("no mood");
  if (words.empty()) return Mood{};
  const std::string_view mood = local_name(words.front());
  if (!is_mood(mood) && !has(kMoodsOfTheTable, mood)) return invalid("unknown mood");
  return Mood{std::string(mood), text};
}

Result<Payload> parse_activity(const pugi::xml_node& root) {
  const auto [words, text] = split(root);
  if (words.size() > 1) return invalid("more than one general activity");
  if (words.empty() && count_elements(root) > 0) return invalid("no general activity");
  if (words.empty()) return Activity{};
  Activity out{std::string(local_name(words.front())), {}, text};
  if (!has(kGeneral, out.general)) return invalid("unknown general activity");
  for (const auto& node : words.front().children()) {
    if (node.type() != pugi::node_element || effective_ns(node) != effective_ns(root)) continue;
    if (!has(kSpecific, local_name(node))) continue;
    if (!out.specific.empty()) return invalid("more than one specific activity");
    out.specific = local_name(node);
  }
  return out;
}

void write_words(pugi::xml_node& root, const Payload& payload) {
  if (const auto* status = std::get_if<Status>(&payload)) {
    write_text(root, status->text);
  } else if (const auto* mood = std::get_if<Mood>(&payload); mood && !mood->mood.empty()) {
    add_child(root, is_mood(mood->mood) ? mood->mood.c_str() : "undefined");
    write_text(root, mood->text);
  } else if (const auto* activity = std::get_if<Activity>(&payload);
             activity && !activity->general.empty()) {
    auto general = add_child(root, activity->general.c_str());
    if (!activity->specific.empty()) add_child(general, activity->specific.c_str());
    write_text(root, activity->text);
  }
}

}  // namespace jingle::pep
