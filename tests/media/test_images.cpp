// Pictures of all kinds: pixels against Pillow's, formats by content, damage as typed errors.
#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>

// jpeglib.h needs the types of cstdio, so it comes after the standard headers.
#include <jpeglib.h>

#include "core/files.h"
#include "core/random.h"
#include "media/error.h"
#include "media/image.h"
#include "tests/media/clips.h"
#include "tests/support/safetensors_file.h"

using namespace vllama;
using media::Image;
using media::MediaError;
using media::MediaFailure;
using media::read_image;

namespace {

std::vector<std::uint8_t> crop(const Image& image, std::int64_t height, std::int64_t width) {
  std::vector<std::uint8_t> pixels;
  for (std::int64_t y = 0; y < height; ++y) {
    const auto row = image.rgb.begin() + y * image.width * 3;
    pixels.insert(pixels.end(), row, row + width * 3);
  }
  return pixels;
}

MediaFailure failure_for(const std::filesystem::path& path) {
  try {
    read_image(path);
  } catch (const MediaError& error) {
    CHECK_THAT(error.what(), Catch::Contains(path.string()));
    return error.reason;
  }
  FAIL("no error for " << path);
  return {};
}

std::filesystem::path write(const test::TemporaryFolder& folder, const std::string& name,
                            const std::string& content) {
  const auto path = folder.path() / name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

// A picture of 8 x 8 pixels of one colour, in the inverted form that Adobe's programs write.
std::filesystem::path write_cmyk(const test::TemporaryFolder& folder,
                                 const std::array<std::uint8_t, 4>& cmyk) {
  const auto path = folder.path() / "cmyk.jpg";
  constexpr int kSize = 8;
  jpeg_compress_struct codec{};
  jpeg_error_mgr errors{};
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  std::FILE* file = std::fopen(path.c_str(), "wb");
  REQUIRE(file != nullptr);
  jpeg_stdio_dest(&codec, file);
  codec.image_width = codec.image_height = kSize;
  codec.input_components = 4;
  codec.in_color_space = JCS_CMYK;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, 100, TRUE);
  jpeg_start_compress(&codec, TRUE);
  std::vector<std::uint8_t> row;
  for (int x = 0; x < kSize; ++x)
    for (const std::uint8_t ink : cmyk) row.push_back(static_cast<std::uint8_t>(255 - ink));
  JSAMPROW line = row.data();
  for (int y = 0; y < kSize; ++y) jpeg_write_scanlines(&codec, &line, 1);
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  std::fclose(file);
  return path;
}

}  // namespace

TEST_CASE("CMYK becomes RGB") {
  const test::TemporaryFolder folder;
  struct Colour {
    std::array<std::uint8_t, 4> cmyk;
    std::array<int, 3> rgb;  // (255 - ink) (255 - black) / 255
  };
  for (const Colour& colour :
       {Colour{{0, 0, 0, 0}, {255, 255, 255}}, Colour{{255, 0, 0, 0}, {0, 255, 255}},
        Colour{{0, 0, 0, 255}, {0, 0, 0}}, Colour{{51, 102, 153, 51}, {163, 122, 82}}}) {
    const Image image = read_image(write_cmyk(folder, colour.cmyk));
    REQUIRE(image.rgb.size() == 8 * 8 * 3);
    // The coding may change an ink by 1, the product is rounded.
    for (std::size_t i = 0; i < image.rgb.size(); ++i)
      CHECK(std::abs(int{image.rgb[i]} - colour.rgb[i % 3]) <= 2);
  }
}

TEST_CASE("of an animated GIF the first frame is taken; an animated WebP is a typed error") {
  const test::TemporaryFolder folder;
  const std::string colours =
      "-f lavfi -i color=c=0xf00000:size=8x6:rate=1:duration=1 "
      "-f lavfi -i color=c=0x0000f0:size=8x6:rate=1:duration=2 -filter_complex "
      "'[0][1]concat=n=2,format=rgb24,split[a][b];[a]palettegen=reserve_transparent=0[p];"
      "[b][p]paletteuse'";
  const auto gif = test::make_clip(folder, "animated.gif", colours);
  if (!gif) return;
  const Image first = read_image(*gif);
  REQUIRE(first.rgb.size() == 8 * 6 * 3);
  CHECK(first.rgb[0] > 200);
  CHECK(first.rgb[2] < 50);
  const auto webp =
      test::make_clip(folder, "animated.webp",
                      test::moving_picture("32x24", 2, 4) + "-c:v libwebp_anim", "libwebp_anim");
  if (!webp) return;
  REQUIRE(read_file(*webp).find("ANIM") != std::string::npos);
  CHECK(failure_for(*webp) == MediaFailure::corrupt);
}

TEST_CASE("JPEG pixels equal Pillow's") {
  VLLAMA_SHARED_FILE(goldens, "goldens/media/images_eval.safetensors");
  const test::SafetensorsFile file(goldens);
  for (const std::string name : {"dog", "Statue_of_Liberty"}) {
    VLLAMA_SHARED_FILE(path, "fixtures/media/" + name + ".jpg");
    const Image image = read_image(path);
    CHECK(file.values<std::int64_t>(name + ".decoded_size_hw") ==
          std::vector<std::int64_t>{image.height, image.width});
    const auto expected = file.values<std::uint8_t>(name + ".decoded_crop_u8");
    CHECK(test::difference(crop(image, 64, 64), expected).max == 0);
  }
}

TEST_CASE("pictures without loss keep their pixels in any pixel format") {
  const test::TemporaryFolder folder;
  const auto reference = test::make_clip(
      folder, "rgb.png", test::moving_picture("64x48", 1, 1) + "-vf format=rgb24,crop=37:23");
  if (!reference) return;
  const Image expected = read_image(*reference);
  CHECK(expected.width == 37);
  CHECK(expected.height == 23);
  CHECK(expected.rgb.size() == 37 * 23 * 3);
  struct Kind {
    std::string name, options;
    int max_difference = 0;  // 1 where ffmpeg's own widening to 16 bits rounds down
    std::string encoder = "";
  };
  const Kind kinds[] = {
      {"alpha.png", "-pix_fmt rgba -c:v png"},
      {"deep.png", "-pix_fmt rgb48be -c:v png", 1},
      {"deep_alpha.png", "-pix_fmt rgba64be -c:v png", 1},
      {"picture.bmp", "-pix_fmt bgr24 -c:v bmp"},
      {"lossless.webp", "-c:v libwebp -lossless 1 -pix_fmt bgra", 0, "libwebp"},
  };
  for (const Kind& kind : kinds) {
    const auto path = test::make_clip(
        folder, kind.name, "-i '" + reference->string() + "' " + kind.options, kind.encoder);
    if (!path) continue;
    INFO(kind.name);
    const Image image = read_image(*path);
    CHECK(image.width == expected.width);
    CHECK(test::difference(image.rgb, expected.rgb).max <= kind.max_difference);
  }
}

TEST_CASE("grey is replicated") {
  const test::TemporaryFolder folder;
  for (const std::string format : {"gray", "gray16be", "monob", "ya8"}) {
    const auto path = test::make_clip(
        folder, format + ".png",
        test::moving_picture("64x48", 1, 1) + "-vf scale=17:9 -c:v png -pix_fmt " + format);
    if (!path) return;
    INFO(format);
    const Image image = read_image(*path);
    REQUIRE(image.rgb.size() == 17 * 9 * 3);
    std::uint8_t largest = 0;
    for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
      CHECK(image.rgb[i] == image.rgb[i + 1]);
      CHECK(image.rgb[i] == image.rgb[i + 2]);
      largest = std::max(largest, image.rgb[i]);
    }
    CHECK(largest > 200);  // white is white, also of one bit
  }
}

TEST_CASE("palettes are applied") {
  const test::TemporaryFolder folder;
  for (const std::string name : {"palette.png", "palette.gif"}) {
    const auto path =
        test::make_clip(folder, name,
                        "-f lavfi -i color=c=0x40a0e0:size=8x6:rate=1:duration=1,format=rgb24 -vf "
                        "'split[a][b];[a]palettegen=reserve_transparent=0[p];[b][p]paletteuse'");
    if (!path) return;
    const Image image = read_image(*path);
    REQUIRE(image.rgb.size() == 8 * 6 * 3);
    const std::vector<std::uint8_t> first(image.rgb.begin(), image.rgb.begin() + 3);
    CHECK(first == std::vector<std::uint8_t>{0x40, 0xa0, 0xe0});
  }
}

TEST_CASE("the bytes decide the format, not the name") {
  const test::TemporaryFolder folder;
  VLLAMA_SHARED_FILE(jpeg, "fixtures/media/Statue_of_Liberty.jpg");
  const auto renamed = write(folder, "picture.png", read_file(jpeg));
  CHECK(test::fingerprint(read_image(renamed)) == test::fingerprint(read_image(jpeg)));
}

TEST_CASE("what is not a picture is a typed error") {
  const test::TemporaryFolder folder;
  CHECK(failure_for(folder.path() / "none.jpg") == MediaFailure::not_found);
  CHECK(failure_for(folder.path()) == MediaFailure::not_media);
  CHECK(failure_for(write(folder, "empty.jpg", "")) == MediaFailure::empty);
  CHECK(failure_for(write(folder, "page.jpg", "<!DOCTYPE html><html></html>")) ==
        MediaFailure::not_media);
  CHECK(failure_for(write(folder, "short.jpg", "\xff\xd8\xff")) == MediaFailure::corrupt);
  CHECK(failure_for(write(folder, "riff.webp", "RIFF")) == MediaFailure::not_media);
  VLLAMA_SHARED_FILE(video, "fixtures/media/boat.mp4");
  CHECK(failure_for(video) == MediaFailure::not_media);
}

TEST_CASE("a picture cut short anywhere is corrupt") {
  const test::TemporaryFolder folder;
  std::vector<std::filesystem::path> pictures;
  for (const std::string arguments : {"a.png -pix_fmt rgb24", "b.jpg -c:v mjpeg", "c.bmp -c:v bmp",
                                      "d.webp -c:v libwebp", "e.webp -c:v libwebp -lossless 1"}) {
    const auto space = arguments.find(' ');
    if (auto path =
            test::make_clip(folder, arguments.substr(0, space),
                            test::moving_picture("40x30", 1, 1) + arguments.substr(space),
                            arguments.find("libwebp") == std::string::npos ? "" : "libwebp"))
      pictures.push_back(*path);
  }
  for (const auto& picture : pictures) {
    const std::string content = read_file(picture);
    CHECK_NOTHROW(read_image(picture));
    for (std::size_t length = 16; length + 16 < content.size(); length += 1 + content.size() / 90) {
      INFO(picture << " cut to " << length << " of " << content.size() << " bytes");
      CHECK(failure_for(write(folder, "cut", content.substr(0, length))) == MediaFailure::corrupt);
    }
  }
}

TEST_CASE("a picture with flipped bits decodes or is a typed error") {
  const test::TemporaryFolder folder;
  for (const std::string name : {"a.png", "b.jpg", "c.bmp", "d.webp", "e.gif"}) {
    const auto picture = test::make_clip(folder, name, test::moving_picture("40x30", 1, 1),
                                         name == "d.webp" ? "libwebp" : "");
    if (!picture) continue;
    const std::string content = read_file(*picture);
    for (std::uint64_t round = 0; round < 100; ++round) {
      RandomStream random(random_key({7, round}));
      std::string changed = content;
      const std::size_t range =
          round % 2 == 0 ? content.size() : std::min<std::size_t>(content.size(), 100);
      for (std::uint64_t i = 0; i <= random.below(6); ++i)
        changed[random.below(range)] ^= static_cast<char>(1u << random.below(8));
      INFO(name << " round " << round);
      try {
        const Image image = read_image(write(folder, "flipped", changed));
        CHECK(image.rgb.size() == static_cast<std::size_t>(image.width * image.height) * 3);
      } catch (const MediaError&) {
      }
    }
  }
}
