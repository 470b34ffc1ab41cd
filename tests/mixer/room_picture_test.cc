#include "mixer/room_picture.h"

#include <gtest/gtest.h>
#include <png.h>

#include <set>

#include "mixer/extended_presence.h"

namespace mixer {
namespace {

// As any program reads it, a character a pixel: '#' is ink.
std::string drawn(const std::string& png) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_TRUE(png_image_begin_read_from_memory(&image, png.data(), png.size())) << image.message;
  image.format = PNG_FORMAT_GRAY;
  std::string pixels(PNG_IMAGE_SIZE(image), '\0');
  EXPECT_TRUE(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr)) << image.message;
  for (char& pixel : pixels) pixel = pixel == '\xff' ? '#' : '.';
  return pixels;
}
// The dots of a square raster.
std::string raster(const std::string& pixels, int left, int top, int size, int wide, int high) {
  std::string out;
  for (int y = 0; y < high; ++y) {
    for (int x = 0; x < wide; ++x) {
      out += pixels[static_cast<std::size_t>((top + y * size + size / 2) * 64 + left + x * size +
                                             size / 2)];
    }
    out += '\n';
  }
  return out;
}

TEST(Initials, AreOfTheFirstTwoWordsThatHaveAny) {
  EXPECT_EQ(initials("room"), "R");
  EXPECT_EQ(initials("Tea-time, daily"), "TT");
  EXPECT_EQ(initials("team42"), "T");
  EXPECT_EQ(initials("7 of 9"), "7O");
  EXPECT_EQ(initials("ann's tea"), "AT");
  EXPECT_EQ(initials("Øresund bridge"), "B") << "no word begins within one";
  EXPECT_EQ(initials("茶"), "");
  EXPECT_EQ(initials(""), "");
}

// XEP-0084 §5.
TEST(RoomPicture, IsASmallSquarePngThatOthersCanRead) {
  for (const char* name : {"room", "Tea time", "茶", ""}) {
    const std::string png = room_picture(name);
    const auto size = png_size(png);
    ASSERT_TRUE(size) << name;
    EXPECT_EQ(size->width, 64u);
    EXPECT_EQ(size->height, 64u);
    EXPECT_LT(png.size(), 1024u) << name;
    EXPECT_EQ(room_picture(name), png);
  }
}

TEST(RoomPicture, ShowsTheInitials) {
  EXPECT_EQ(raster(drawn(room_picture("room")), 14, 7, 7, 5, 7),
            "####.\n#...#\n#...#\n####.\n#.#..\n#..#.\n#...#\n");
  EXPECT_EQ(raster(drawn(room_picture("tea 2")), 4, 14, 5, 11, 7),
            "#####..###.\n..#...#...#\n..#.......#\n..#......#.\n..#.....#..\n..#....#...\n"
            "..#...#####\n");
}

TEST(RoomPicture, DiffersWithTheName) {
  std::set<std::string> pictures, patterns;
  for (char c = 'a'; c <= 'z'; ++c) pictures.insert(drawn(room_picture(std::string(1, c))));
  EXPECT_EQ(pictures.size(), 26u);
  for (const char* name : {"茶", "コーヒー", "чай", "τσάι"}) {
    const std::string pattern = drawn(room_picture(name));
    EXPECT_NE(pattern.find('#'), std::string::npos) << name;
    patterns.insert(pattern);
  }
  EXPECT_EQ(patterns.size(), 4u);
}

}  // namespace
}  // namespace mixer
