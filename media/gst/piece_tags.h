// media/gst/piece_tags.h: what a piece says of itself, as GStreamer's plugins read it. One thread.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>

namespace media::gst {

class PieceTags {
 public:
  PieceTags() = default;
  PieceTags(const PieceTags&) = delete;
  PieceTags& operator=(const PieceTags&) = delete;
  ~PieceTags();

  // Of a message of tags: what it says goes before what was said until now.
  void add(GstMessage* message);
  // One for each of media::PlayTags, in its order; those that are not known are empty.
  const std::string& lines() const { return lines_; }
  // What they say brings it to that loudness (EBU R 128).
  std::optional<double> gain_db(double target_lufs) const;

 private:
  std::string line(const gchar* tag) const;
  std::string track() const;
  std::string date() const;

  GstTagList* tags_ = gst_tag_list_new_empty();
  std::string lines_;
};

}  // namespace media::gst
