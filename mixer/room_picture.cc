#include "mixer/room_picture.h"

#include <png.h>

#include <array>
#include <cctype>
#include <cstdint>
#include <vector>

#include "signaling/digest.h"

namespace mixer {
namespace {

constexpr int kSide = 64;
constexpr int kWide = 5, kHigh = 7;  // dots of a letter
constexpr unsigned char kGround = 0, kInk = 1;

// 0 to 9, A to Z; a row is five dots, the leftmost is 16.
using Glyph = std::array<std::uint8_t, kHigh>;
constexpr std::array<Glyph, 36> kGlyphs{{
    {14, 17, 19, 21, 25, 17, 14}, {4, 12, 4, 4, 4, 4, 14},      {14, 17, 1, 2, 4, 8, 31},
    {31, 2, 4, 2, 1, 17, 14},     {2, 6, 10, 18, 31, 2, 2},     {31, 16, 30, 1, 1, 17, 14},
    {6, 8, 16, 30, 17, 17, 14},   {31, 1, 2, 4, 8, 8, 8},       {14, 17, 17, 14, 17, 17, 14},
    {14, 17, 17, 15, 1, 2, 12},   {14, 17, 17, 31, 17, 17, 17}, {30, 17, 17, 30, 17, 17, 30},
    {14, 17, 16, 16, 16, 17, 14}, {30, 17, 17, 17, 17, 17, 30}, {31, 16, 16, 30, 16, 16, 31},
    {31, 16, 16, 30, 16, 16, 16}, {14, 17, 16, 23, 17, 17, 15}, {17, 17, 17, 31, 17, 17, 17},
    {14, 4, 4, 4, 4, 4, 14},      {7, 2, 2, 2, 2, 18, 12},      {17, 18, 20, 24, 20, 18, 17},
    {16, 16, 16, 16, 16, 16, 31}, {17, 27, 21, 21, 17, 17, 17}, {17, 17, 25, 21, 19, 17, 17},
    {14, 17, 17, 17, 17, 17, 14}, {30, 17, 17, 30, 16, 16, 16}, {14, 17, 17, 17, 21, 18, 13},
    {30, 17, 17, 30, 20, 18, 17}, {15, 16, 16, 14, 1, 1, 30},   {31, 4, 4, 4, 4, 4, 4},
    {17, 17, 17, 17, 17, 17, 14}, {17, 17, 17, 17, 17, 10, 4},  {17, 17, 17, 21, 21, 21, 10},
    {17, 17, 10, 4, 10, 17, 17},  {17, 17, 17, 10, 4, 4, 4},    {31, 1, 2, 4, 8, 16, 31},
}};

// Grounds on which white can be read (WCAG 2.1 §1.4.3: 4.5 to 1).
using Colour = std::array<std::uint8_t, 3>;
constexpr std::array<Colour, 8> kColours{{{0x8e, 0x24, 0x4d},
                                          {0x5e, 0x35, 0xb1},
                                          {0x28, 0x3e, 0x9f},
                                          {0x01, 0x57, 0x9b},
                                          {0x00, 0x69, 0x5c},
                                          {0x33, 0x69, 0x1e},
                                          {0x8a, 0x4b, 0x08},
                                          {0x5d, 0x40, 0x37}}};

class Canvas {
 public:
  void dot(int x, int y, int size) {
    for (int row = y; row < y + size; ++row) {
      for (int column = x; column < x + size; ++column) pixels_[row * kSide + column] = kInk;
    }
  }
  void write(std::string_view letters) {
    const int count = static_cast<int>(letters.size());
    const int size = count == 1 ? 7 : 5;
    const int wide = (kWide * count + count - 1) * size;
    int left = (kSide - wide) / 2;
    for (const char letter : letters) {
      const Glyph& glyph =
          kGlyphs[static_cast<std::size_t>(letter <= '9' ? letter - '0' : letter - 'A' + 10)];
      for (int y = 0; y < kHigh; ++y) {
        for (int x = 0; x < kWide; ++x) {
          if (glyph[y] >> (kWide - 1 - x) & 1) {
            dot(left + x * size, (kSide - kHigh * size) / 2 + y * size, size);
          }
        }
      }
      left += (kWide + 1) * size;
    }
  }
  // The same on the left as on the right: that is easier to tell from another.
  void draw(std::string_view bits) {
    constexpr int kSize = 10, kMargin = (kSide - kWide * kSize) / 2;
    for (int i = 0; i < kWide * 3; ++i) {
      if ((static_cast<unsigned char>(bits[static_cast<std::size_t>(i) / 8]) >> i % 8 & 1) == 0) {
        continue;
      }
      const int x = i % 3, y = i / 3;
      dot(kMargin + x * kSize, kMargin + y * kSize, kSize);
      dot(kMargin + (kWide - 1 - x) * kSize, kMargin + y * kSize, kSize);
    }
  }
  std::string png(const Colour& ground) const {
    const std::array<Colour, 2> palette{ground, {0xff, 0xff, 0xff}};
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = image.height = kSide;
    image.format = PNG_FORMAT_RGB_COLORMAP;
    image.colormap_entries = palette.size();
    std::string out(kSide * kSide * 4, '\0');  // more than it can become
    png_alloc_size_t size = out.size();
    const int written =
        png_image_write_to_memory(&image, out.data(), &size, 0, pixels_.data(), 0, palette.data());
    out.resize(written ? size : 0);
    return out;
  }

 private:
  std::array<unsigned char, kSide * kSide> pixels_{kGround};
};

}  // namespace

std::string initials(std::string_view name) {
  std::string out;
  bool within = false;
  for (const unsigned char c : name) {
    const bool drawn = c < 0x80 && std::isalnum(c);
    if (drawn && !within && out.size() < 2) out += static_cast<char>(std::toupper(c));
    within = drawn || c >= 0x80 || c == '\'';
  }
  return out;
}

bool is_png(std::string_view image) {
  constexpr std::size_t kMostPixels = 4096 * 4096;
  png_image read{};
  read.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_memory(&read, image.data(), image.size())) return false;
  read.format = PNG_FORMAT_GRAY;
  std::vector<png_byte> pixels;
  const bool fits = std::size_t{read.width} * read.height <= kMostPixels;
  if (fits) pixels.resize(PNG_IMAGE_SIZE(read));
  const bool whole = fits && png_image_finish_read(&read, nullptr, pixels.data(), 0, nullptr);
  png_image_free(&read);
  return whole;
}

std::string room_picture(std::string_view name) {
  const std::string hash = jingle::sha1(name);
  const std::string letters = initials(name);
  Canvas canvas;
  if (letters.empty()) {
    canvas.draw(hash.substr(1));
  } else {
    canvas.write(letters);
  }
  return canvas.png(kColours[static_cast<unsigned char>(hash[0]) % kColours.size()]);
}

}  // namespace mixer
