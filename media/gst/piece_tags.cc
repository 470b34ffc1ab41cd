#include "media/gst/piece_tags.h"

#include <charconv>
#include <cstdint>
#include <string_view>

#include "media/limits.h"

namespace media::gst {

PieceTags::~PieceTags() { gst_tag_list_unref(tags_); }

void PieceTags::add(GstMessage* message) {
  GstTagList* more = nullptr;
  gst_message_parse_tag(message, &more);
  tags_ = gst_tag_list_make_writable(tags_);
  gst_tag_list_insert(tags_, more, GST_TAG_MERGE_REPLACE);
  gst_tag_list_unref(more);
  lines_ = line(GST_TAG_TITLE) + line(GST_TAG_ARTIST) + line(GST_TAG_ALBUM) + track() +
           line(GST_TAG_GENRE) + line(GST_TAG_COMPOSER) + line(GST_TAG_LANGUAGE_CODE) +
           line(GST_TAG_PERFORMER) + date();
}

std::string PieceTags::line(const gchar* tag) const {
  gchar* value = nullptr;
  std::string line;
  if (gst_tag_list_get_string(tags_, tag, &value)) line = value;
  g_free(value);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return line.substr(0, limits::kMaxTagBytes + 4) + '\n';  // the player cuts between characters
}

std::string PieceTags::track() const {
  guint number = 0;
  const bool known = gst_tag_list_get_uint(tags_, GST_TAG_TRACK_NUMBER, &number);
  return (known ? std::to_string(number) : "") + '\n';
}

// ISO 8601, as much of it as is known.
std::string PieceTags::date() const {
  gchar* text = nullptr;
  GstDateTime* when = nullptr;
  GDate* day = nullptr;
  if (gst_tag_list_get_date_time(tags_, GST_TAG_DATE_TIME, &when)) {
    text = gst_date_time_to_iso8601_string(when);
    gst_date_time_unref(when);
  } else if (gst_tag_list_get_date(tags_, GST_TAG_DATE, &day)) {
    text = g_strdup_printf("%04d-%02d-%02d", g_date_get_year(day), g_date_get_month(day),
                           g_date_get_day(day));
    g_date_free(day);
  }
  const std::string date = text ? text : "";
  g_free(text);
  return date + '\n';
}

std::optional<double> PieceTags::gain_db(double target_lufs) const {
  // RFC 7845 §5.2.1: to -23 LUFS, in 1/256 dB. GStreamer passes it on as it is.
  const guint comments = gst_tag_list_get_tag_size(tags_, GST_TAG_EXTENDED_COMMENT);
  for (guint i = 0; i < comments; ++i) {
    constexpr std::string_view kName = "R128_TRACK_GAIN=";
    const gchar* text = nullptr;
    if (!gst_tag_list_peek_string_index(tags_, GST_TAG_EXTENDED_COMMENT, i, &text) ||
        g_ascii_strncasecmp(text, kName.data(), kName.size()) != 0) {
      continue;
    }
    const std::string_view digits = std::string_view(text).substr(kName.size());
    std::int16_t gain = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), gain);
    if (error == std::errc()) return gain / 256.0 + target_lufs + 23;
  }
  gdouble gain_db = 0;  // ReplayGain 2.0: to -18 LUFS
  if (!gst_tag_list_get_double(tags_, GST_TAG_TRACK_GAIN, &gain_db)) return {};
  return gain_db + target_lufs + 18;
}

}  // namespace media::gst
