// What clips of unusual make mean: rotation, times, colours, sizes.
#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>

#include "core/error.h"
#include "core/files.h"
#include "media/video.h"
#include "tests/media/clips.h"

using namespace vllama;
using media::Image;
using media::VideoReader;

namespace {

std::vector<std::int64_t> all_indices(const VideoReader& reader) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(reader.facts().num_frames));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

// All frames at 56x56 as FFmpeg's own filters give them, which also turn as the header says.
std::vector<std::uint8_t> filtered(const test::TemporaryFolder& folder,
                                   const std::filesystem::path& clip, media::FrameScaling scaler) {
  const auto raw = test::make_clip(folder, "filtered.rgb",
                                   "-i '" + clip.string() + "' -vf scale=56:56:flags=" +
                                       config::name_of(scaler) + ",format=rgb24 -f rawvideo");
  REQUIRE(raw);
  const std::string pixels = read_file(*raw);
  return {pixels.begin(), pixels.end()};
}

std::vector<std::uint8_t> scaled(VideoReader& reader) {
  std::vector<std::uint8_t> pixels;
  for (const Image& image : reader.frames(all_indices(reader), media::FrameSize{56, 56}).images)
    pixels.insert(pixels.end(), image.rgb.begin(), image.rgb.end());
  return pixels;
}

}  // namespace

TEST_CASE("frames are turned as the header says") {
  // FFmpeg's transpose filter does not know 4:2:2 and converts it first, to another format than
  // ours: there, only the way up is compared.
  constexpr double kOtherFormat = 3;
  const test::TemporaryFolder folder;
  for (const std::string format : {"yuv420p", "yuv420p10le", "yuv444p", "gbrp", "yuv422p"}) {
    const std::string encoder = format == "gbrp" ? "libx264rgb" : "libx264";
    const auto straight = test::make_clip(folder, format + ".mp4",
                                          test::moving_picture("64x48", 10, 5) + "-c:v " + encoder +
                                              (format == "gbrp" ? "" : " -pix_fmt " + format),
                                          encoder);
    if (!straight) return;
    for (int degrees = 90; degrees <= 270; degrees += 90) {
      const auto clip =
          test::make_clip(folder, format + std::to_string(degrees) + ".mp4",
                          "-i '" + straight->string() +
                              "' -c copy -metadata:s:v rotate=" + std::to_string(360 - degrees));
      VideoReader reader(*clip);
      INFO(format << " " << degrees);
      CHECK(reader.facts().orientation ==
            media::Orientation{degrees != 180, degrees <= 180, degrees >= 180});
      CHECK(reader.facts().width == (degrees == 180 ? 64 : 48));
      CHECK(reader.facts().height == (degrees == 180 ? 48 : 64));
      const auto found =
          test::difference(scaled(reader), filtered(folder, *clip, media::FrameScaling::bilinear));
      if (format == "yuv422p" && degrees != 180)
        CHECK(found.mean < kOtherFormat);
      else
        CHECK(found.max == 0);
    }
  }
}

TEST_CASE("scaled pixels equal those of FFmpeg's own filter, whatever the colours are tagged as") {
  const test::TemporaryFolder folder;
  struct Kind {
    std::string name, options, encoder = "libx264";
  };
  const Kind kinds[] = {
      {"untagged.mp4", "-c:v libx264 -pix_fmt yuv420p"},
      {"bt709.mp4", "-c:v libx264 -pix_fmt yuv420p -colorspace bt709"},
      {"smpte170m.mp4", "-c:v libx264 -pix_fmt yuv420p -colorspace smpte170m"},
      {"smpte240m.mp4", "-c:v libx264 -pix_fmt yuv420p -colorspace smpte240m"},
      {"bt2020.mp4", "-c:v libx264 -pix_fmt yuv420p10le -colorspace bt2020nc"},
      {"full.mp4", "-c:v libx264 -pix_fmt yuvj420p"},
      {"full709.mp4", "-c:v libx264 -pix_fmt yuv420p -color_range pc -colorspace bt709"},
      {"yuv422.mp4", "-c:v libx264 -pix_fmt yuv422p"},
      {"yuv444.mp4", "-c:v libx264 -pix_fmt yuv444p"},
      {"rgb.mp4", "-c:v libx264rgb", "libx264rgb"},
      {"grey.mp4", "-c:v libx264 -pix_fmt gray"},
      {"motion.mov", "-c:v mjpeg -pix_fmt yuvj422p", "mjpeg"},
      {"animation.gif", "-c:v gif", "gif"},
  };
  for (const Kind& kind : kinds)
    for (const auto scaler : {media::FrameScaling::bilinear, media::FrameScaling::bicubic}) {
      const auto clip = test::make_clip(
          folder, kind.name, test::moving_picture("90x70", 10, 4) + kind.options, kind.encoder);
      if (!clip) continue;
      INFO(kind.name << " " << config::name_of(scaler));
      VideoReader reader(*clip, {.scaler = scaler});
      CHECK(test::difference(scaled(reader), filtered(folder, *clip, scaler)).max == 0);
    }
}

TEST_CASE("an unknown scaler is the user's mistake") {
  CHECK_THROWS_AS(
      config::read<media::VideoOptions>(config::load_text("scaler: nearest", "run.yaml")),
      UserError);
}

TEST_CASE("frames at uneven times are numbered, and the rate is the average") {
  const test::TemporaryFolder folder;
  const auto clip = test::make_clip(folder, "uneven.mp4",
                                    test::moving_picture("64x48", 30, 60) +
                                        "-vf 'select=not(mod(n\\,3))+lt(mod(n\\,10)\\,2)' "
                                        "-vsync vfr -c:v libx264 -bf 2 -g 10",
                                    "libx264");
  if (!clip) return;
  VideoReader reader(*clip);
  CHECK(reader.facts().num_frames == 28);
  CHECK(reader.facts().frames_per_second == Approx(28 / 1.9).epsilon(0.1));
  const auto expected = test::plain_fingerprints(*clip, 28);
  const auto frames = reader.frames(all_indices(reader));
  for (std::size_t i = 0; i < 28; ++i) CHECK(test::fingerprint(frames.images[i]) == expected[i]);
}

TEST_CASE("a clip without a duration still has a rate") {
  const test::TemporaryFolder folder;
  const auto clip = test::make_clip(
      folder, "live.webm",
      test::moving_picture("64x48", 10, 20) + "-c:v libvpx-vp9 -f webm -live 1", "libvpx-vp9");
  if (!clip) return;
  VideoReader reader(*clip);
  CHECK(reader.facts().num_frames == 20);
  CHECK(reader.facts().frames_per_second == Approx(10).margin(0.5));
}

TEST_CASE("frames of different sizes are each scaled from their own") {
  const test::TemporaryFolder folder;
  std::string joined;
  for (const std::string size : {"64x48", "96x80"}) {
    const auto part = test::make_clip(
        folder, size + ".ts", test::moving_picture(size, 10, 10) + "-c:v libx264 -g 5", "libx264");
    if (!part) return;
    joined += read_file(*part);
  }
  const auto path = folder.path() / "joined.ts";
  write_file_atomically(path, joined);
  VideoReader reader(path);
  CHECK(reader.facts().num_frames == 20);
  const auto own = reader.frames(all_indices(reader));
  CHECK(std::count_if(own.images.begin(), own.images.end(),
                      [](const Image& image) { return image.width == 96; }) == 10);
  const auto small = reader.frames(all_indices(reader), media::FrameSize{32, 32});
  CHECK(std::all_of(small.images.begin(), small.images.end(),
                    [](const Image& image) { return image.width == 32; }));
}

TEST_CASE("one frame of one pixel") {
  const test::TemporaryFolder folder;
  const auto clip = test::make_clip(folder, "tiny.mov",
                                    test::moving_picture("16x16", 1, 1) + "-vf scale=1:1 -c:v png");
  if (!clip) return;
  VideoReader reader(*clip);
  CHECK(reader.facts().num_frames == 1);
  CHECK(reader.facts().width == 1);
  CHECK(reader.frames(std::vector<std::int64_t>{0, 0}).images.size() == 2);
}

TEST_CASE("sound beside a video is reported") {
  VLLAMA_SHARED_FILE(clip, "fixtures/media/boat.mp4");
  const VideoReader reader(clip);
  CHECK(reader.facts().has_audio);
  CHECK(reader.facts().audio_sample_rate == 44100);
  CHECK(reader.facts().num_audio_channels == 2);
  CHECK(reader.facts().codec == "h264");
}
