// media/listener_classes.h: which listeners share an encode. At most four common ones: as long as
// there are no more wishes than that each has its own, else the nearest go together into a class
// that everybody in it can take. Pure; one thread at a time; allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace media {

struct EncoderSettings {
  // libopus makes room for in-band FEC by a narrower spectrum, down to a telephone's, and then
  // whether it does depends on whether it did before. Below this there is none.
  static constexpr std::int32_t kLeastForFec_bps = 24000;
  // Below this libopus would rather code one channel well than two badly, or change its mind.
  static constexpr std::int32_t kLeastForStereo_bps = 24000;

  std::int32_t bitrate_bps = 32000;
  bool loses = false;                // packets: with FEC, if there is room for it
  std::int32_t max_rate_hz = 48000;  // of what is heard, as a sampling rate: narrower is cheaper
  bool constant_bitrate = false;
  bool stereo = false;  // both channels of what is played; what people say has one place
  bool operator==(const EncoderSettings&) const = default;
  bool fec() const { return loses && bitrate_bps >= kLeastForFec_bps; }
};

class ListenerClasses {
 public:
  static constexpr std::size_t kClasses = 4;

  // Bitrate, loss and stereo make the class; DTX makes none, it only decides who is sent
  // what is there. What listeners would merely like makes no class either: a narrower spectrum or a
  // constant bitrate has a class if all in it would. Stereo is one who goes with those who want it
  // (RFC 7587 §6.1: who prefers it must take mono as well): where there are too many wishes, he
  // hears mono.
  //
  // begin(), add() for every listener, settle(); then class_of() each of those wishes.
  void begin();
  void add(const EncoderSettings& wish);
  // A class keeps its number where its settings stay or change least: listeners move only if they
  // must.
  void settle();

  // Laws: a class's bitrate is nobody's in it too high; who loses has one for those who do; nobody
  // hears stereo who does not want it.
  //                                                       tests/media/listener_classes_test.cc
  std::size_t class_of(const EncoderSettings& wish) const;
  bool used(std::size_t listener_class) const { return classes_[listener_class].members > 0; }
  // Requires: used.
  const EncoderSettings& settings(std::size_t listener_class) const {
    return classes_[listener_class].settings;
  }

 private:
  // Bitrates a quarter apart are one wish.
  static constexpr std::array<std::int32_t, 16> kRungs_bps{
      6000,  8000,  10000, 12000, 14000, 16000, 20000,  24000,
      28000, 32000, 40000, 48000, 64000, 96000, 128000, 256000};
  static constexpr std::size_t kWishes = kRungs_bps.size() * 2 * 2;
  struct Group {
    EncoderSettings settings;
    std::size_t members = 0;
    std::size_t rung = 0;
  };

  static std::size_t wish_of(const EncoderSettings& wish);
  static Group joined(const Group& a, const Group& b);
  static std::size_t distance(const Group& from, const Group& to);
  void join_nearest();
  void number();

  std::array<Group, kWishes> groups_;
  std::array<std::uint8_t, kWishes> group_of_{};  // by wish
  std::array<std::uint8_t, kWishes> class_of_{};  // by group
  std::size_t group_count_ = 0;
  std::array<Group, kClasses> classes_{};
};

}  // namespace media
