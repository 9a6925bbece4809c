// Pictures and videos stand upright: every display matrix and every orientation of EXIF data.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <numeric>

#include "core/files.h"
#include "core/random.h"
#include "media/image.h"
#include "media/orientation.h"
#include "media/video.h"
#include "tests/media/clips.h"

namespace vllama::test {
namespace {

using media::Image;
using media::Turning;

// FFmpeg's filters for the eight orientations, in the order of EXIF's numbers from 1 on.
constexpr std::array kFilters = {"null",
                                 "hflip",
                                 "hflip,vflip",
                                 "vflip",
                                 "transpose=cclock_flip",
                                 "transpose=clock",
                                 "transpose=clock_flip",
                                 "transpose=cclock"};

void append(std::string& bytes, std::uint64_t value, int num_bytes, bool is_little_endian = false) {
  for (int i = 0; i < num_bytes; ++i)
    bytes += static_cast<char>(value >> 8 * (is_little_endian ? i : num_bytes - 1 - i) & 0xff);
}

std::string with_matrix(std::string mp4, const std::array<std::int32_t, 4>& matrix) {
  const std::size_t place = mp4.find("tkhd") + 4 + 40;
  REQUIRE(place < mp4.size());
  std::string bytes;
  for (const int index : {0, 1}) append(bytes, static_cast<std::uint32_t>(matrix[index]) << 16, 4);
  append(bytes, 0, 4);
  for (const int index : {2, 3}) append(bytes, static_cast<std::uint32_t>(matrix[index]) << 16, 4);
  return mp4.replace(place, bytes.size(), bytes);
}

// All frames at their own size as the ffmpeg program shows them.
std::string shown(const TemporaryFolder& folder, const std::filesystem::path& clip) {
  const auto raw =
      make_clip(folder, "shown.rgb",
                "-i '" + clip.string() + "' -vf scale=flags=bilinear,format=rgb24 -f rawvideo");
  return read_file(raw.value());
}

std::string ours(const std::filesystem::path& clip) {
  media::VideoReader reader(clip);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(reader.facts().num_frames));
  std::iota(indices.begin(), indices.end(), 0);
  std::string pixels;
  for (const Image& image : reader.frames(indices).images) {
    CHECK(image.width == reader.facts().width);
    CHECK(image.height == reader.facts().height);
    pixels.append(image.rgb.begin(), image.rgb.end());
  }
  return pixels;
}

// A directory of a TIFF with one tag, EXIF's orientation.
std::string exif_data(int orientation, bool is_little_endian) {
  std::string bytes = is_little_endian ? "II*" : "MM";
  bytes += is_little_endian ? std::string(1, '\0') : std::string("\0*", 2);
  append(bytes, 8, 4, is_little_endian);
  append(bytes, 1, 2, is_little_endian);
  append(bytes, 274, 2, is_little_endian);
  append(bytes, 3, 2, is_little_endian);
  append(bytes, 1, 4, is_little_endian);
  append(bytes, static_cast<std::uint32_t>(orientation), 2, is_little_endian);
  append(bytes, 0, 6, is_little_endian);
  return bytes;
}

std::uint32_t crc(const std::string& bytes) {
  std::uint32_t sum = 0xffffffff;
  for (const char byte : bytes) {
    sum ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum;
}

std::string png_with(std::string png, const std::string& exif) {
  std::string chunk;
  append(chunk, static_cast<std::uint32_t>(exif.size()), 4);
  const std::string content = "eXIf" + exif;
  chunk += content;
  append(chunk, crc(content), 4);
  return png.insert(8 + 25, chunk);  // behind the header
}

std::string jpeg_with(std::string jpeg, const std::string& exif) {
  std::string segment = "\xff\xe1";
  append(segment, static_cast<std::uint32_t>(exif.size() + 8), 2);
  segment += std::string("Exif\0\0", 6) + exif;
  const std::size_t first_length =
      static_cast<std::uint8_t>(jpeg[4]) << 8 | static_cast<std::uint8_t>(jpeg[5]);
  return jpeg.insert(4 + first_length, segment);  // behind the JFIF segment
}

std::string webp_with(const std::string& webp, const Image& size, const std::string& exif) {
  std::string body = "WEBPVP8X";
  append(body, 10, 4, true);
  append(body, 8, 4, true);  // there are EXIF data
  append(body, static_cast<std::uint32_t>(size.width - 1), 3, true);
  append(body, static_cast<std::uint32_t>(size.height - 1), 3, true);
  body += webp.substr(12) + "EXIF";
  append(body, static_cast<std::uint32_t>(exif.size()), 4, true);
  body += exif + (exif.size() % 2 == 1 ? std::string(1, '\0') : "");
  std::string file = "RIFF";
  append(file, static_cast<std::uint32_t>(body.size()), 4, true);
  return file + body;
}

}  // namespace

TEST_CASE("a mirrored video is shown as ffmpeg shows it, as reported") {
  VLLAMA_SHARED_FILE(path, "reports/media/mirrored.mp4");
  const TemporaryFolder folder;
  CHECK(ours(path) == shown(folder, path));
  media::VideoReader reader(path);
  const std::int64_t first[] = {0};
  const Image image = reader.frames(first).images.at(0);
  const auto colour_at = [&](std::int64_t x, std::int64_t y) {
    const std::uint8_t* pixel = &image.rgb[(y * image.width + x) * 3];
    return std::string{pixel[0] > 128 ? 'r' : '-', pixel[1] > 128 ? 'g' : '-',
                       pixel[2] > 128 ? 'b' : '-'};
  };
  const std::int64_t right = image.width * 3 / 4, low = image.height * 3 / 4;
  CHECK(colour_at(5, 5) == "-g-");
  CHECK(colour_at(right, 5) == "r--");
  CHECK(colour_at(5, low) == "rgb");
  CHECK(colour_at(right, low) == "--b");
}

TEST_CASE("every display matrix is followed as ffmpeg follows it") {
  const TemporaryFolder folder;
  for (const std::string extension : {"mp4", "mov"})
    for (const std::string format : {"yuv420p", "yuv444p", "yuv420p10le"}) {
      if (extension == "mov" && format != "yuv420p") continue;  // the same boxes
      // 4:4:4 alone allows odd sizes.
      const std::string size = format == "yuv444p" ? "63x47" : "64x48";
      const auto stored =
          make_clip(folder, "stored." + extension,
                    moving_picture(size, 10, 3) + "-c:v libx264 -pix_fmt " + format, "libx264");
      if (!stored) return;
      const std::string bytes = read_file(*stored);
      for (const std::array<std::int32_t, 4>& matrix :
           std::vector<std::array<std::int32_t, 4>>{{1, 0, 0, 1},
                                                    {-1, 0, 0, 1},
                                                    {-1, 0, 0, -1},
                                                    {1, 0, 0, -1},
                                                    {0, 1, 1, 0},
                                                    {0, 1, -1, 0},
                                                    {0, -1, -1, 0},
                                                    {0, -1, 1, 0},
                                                    {-2, 0, 0, 2},
                                                    {0, 0, 0, 0}}) {
        const auto clip = folder.path() / ("turned." + extension);
        write_file_atomically(clip, with_matrix(bytes, matrix));
        INFO(extension << " " << format << " " << matrix[0] << " " << matrix[1] << " " << matrix[2]
                       << " " << matrix[3]);
        CHECK(ours(clip) == shown(folder, clip));
      }
    }
}

TEST_CASE("pictures of a video that tell their orientation themselves are followed") {
  const TemporaryFolder folder;
  const auto stored =
      make_clip(folder, "stored.mp4",
                moving_picture("64x48", 10, 3) + "-c:v libx264 -pix_fmt yuv420p", "libx264");
  if (!stored) return;
  for (const std::string options : {"rotate=90", "rotate=180", "flip=horizontal", "flip=vertical"})
    for (const std::string extension : {"mp4", "ts", "mkv"}) {
      const auto clip =
          make_clip(folder, "told." + extension,
                    "-i '" + stored->string() +
                        "' -c copy -bsf:v h264_metadata=display_orientation=insert:" + options);
      INFO(options << " " << extension);
      const std::int64_t first[] = {0};
      const auto image = media::VideoReader(clip.value()).frames(first).images.at(0);
      CHECK(std::string(image.rgb.begin(), image.rgb.end()) ==
            shown(folder, *clip).substr(0, image.rgb.size()));
    }
}

TEST_CASE("pictures stand upright as their EXIF data say, or as they are stored") {
  const TemporaryFolder folder;
  const auto png = make_clip(folder, "stored.png", moving_picture("61x40", 1, 1) + "-frames:v 1");
  const auto jpeg = make_clip(folder, "stored.jpg", moving_picture("61x40", 1, 1) + "-frames:v 1");
  if (!png || !jpeg) return;
  const auto webp =
      make_clip(folder, "stored.webp", moving_picture("60x40", 1, 1) + "-frames:v 1", "libwebp");
  const Image stored = media::read_image(*png);
  const auto check = [&](const std::string& name, const std::string& bytes, const Image& as_stored,
                         const Image& expected) {
    const auto path = folder.path() / name;
    write_file_atomically(path, bytes);
    const Image kept = media::read_image(path, Turning::as_stored);
    CHECK(kept.width == as_stored.width);
    CHECK(kept.rgb == as_stored.rgb);
    const Image turned = media::read_image(path);
    CHECK(turned.width == expected.width);
    CHECK(turned.height == expected.height);
    CHECK(turned.rgb == expected.rgb);
  };
  for (int number = 1; number <= 8; ++number) {
    INFO(number);
    const auto upright = [&](const std::filesystem::path& source) {
      // Through the pixels that we read, so that FFmpeg's own decoders play no part.
      const Image image = media::read_image(source, Turning::as_stored);
      const auto raw = folder.path() / "stored.rgb";
      write_file_atomically(raw, std::string(image.rgb.begin(), image.rgb.end()));
      const auto made =
          make_clip(folder, "upright.png",
                    "-f rawvideo -pix_fmt rgb24 -s " + std::to_string(image.width) + "x" +
                        std::to_string(image.height) + " -i '" + raw.string() + "' -vf " +
                        kFilters[static_cast<std::size_t>(number - 1)] + " -frames:v 1");
      return media::read_image(made.value());
    };
    const Image upright_png = upright(*png), upright_jpeg = upright(*jpeg);
    const Image upright_webp = webp ? upright(*webp) : Image();
    for (const bool is_little_endian : {false, true}) {
      const std::string exif = exif_data(number, is_little_endian);
      check("a.png", png_with(read_file(*png), exif), stored, upright_png);
      check("a.jpg", jpeg_with(read_file(*jpeg), exif), media::read_image(*jpeg), upright_jpeg);
      if (!webp) continue;
      const Image plain = media::read_image(*webp);
      check("a.webp", webp_with(read_file(*webp), plain, exif), plain, upright_webp);
    }
  }
}

TEST_CASE("EXIF data that make no sense turn nothing") {
  const auto jpeg_of = [](int number) {
    return jpeg_with(std::string("\xff\xd8\xff\xe0\0\4ab\xff\xda", 10), exif_data(number, true));
  };
  CHECK(media::exif_orientation(jpeg_of(6)) == media::Orientation{true, true, false});
  for (const int number : {0, 1, 9, 255, 65535})
    CHECK(media::exif_orientation(jpeg_of(number)) == media::Orientation{});
  const std::string exif = exif_data(6, true);
  for (const std::string& whole :
       {jpeg_of(6), png_with("\x89PNG\r\n\x1a\n" + std::string(25, '\0'), exif),
        "RIFF0000WEBPEXIF" + std::string("\x1a\0\0\0", 4) + exif}) {
    for (std::size_t length = 0; length < whole.size(); ++length)
      media::exif_orientation(whole.substr(0, length));
    RandomStream random(random_key({8, whole.size()}));
    for (int round = 0; round < 5000; ++round) {
      std::string damaged = whole;
      for (std::uint64_t i = 0; i <= random.below(4); ++i)
        damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
      media::exif_orientation(damaged);
    }
  }
}

}  // namespace vllama::test
