// Any frames, asked for in any way, equal those of decoding the whole clip in sequence.
#include <algorithm>
#include <catch2/catch.hpp>

#include "core/random.h"
#include "media/video.h"
#include "tests/media/clips.h"

using namespace vllama;
using media::VideoReader;

namespace {

const std::vector<std::string> kClips = {
    "boat.mp4",       "dog_barking.mp4", "applausing.mp4", "skateboarding_dog.mp4",
    "nasa_13013.mp4", "h265_video.mp4",  "video_0.mov",    "video_90.mov"};

void check_frames(VideoReader& reader, const std::vector<std::uint64_t>& expected,
                  const std::vector<std::int64_t>& indices) {
  const auto frames = reader.frames(indices);
  CHECK(frames.num_concealed == 0);
  REQUIRE(frames.images.size() == indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    INFO("frame " << indices[i]);
    CHECK(test::fingerprint(frames.images[i]) == expected[static_cast<std::size_t>(indices[i])]);
  }
}

// All frames of a clip in requests of every `stride`-th frame, so that much is left out each time.
void check_strides(VideoReader& reader, const std::vector<std::uint64_t>& expected,
                   std::int64_t stride) {
  for (std::int64_t first = 0; first < std::min(stride, reader.facts().num_frames); ++first) {
    std::vector<std::int64_t> indices;
    for (std::int64_t i = first; i < reader.facts().num_frames; i += stride) indices.push_back(i);
    check_frames(reader, expected, indices);
  }
}

void check_each_alone(VideoReader& reader, const std::vector<std::uint64_t>& expected) {
  for (std::int64_t i = 0; i < reader.facts().num_frames; ++i) check_frames(reader, expected, {i});
}

}  // namespace

TEST_CASE("every frame of every real clip equals plain decoding") {
  for (const std::string& name : kClips) {
    VLLAMA_SHARED_FILE(clip, "fixtures/media/" + name);
    INFO(name);
    VideoReader reader(clip);
    const auto expected = test::plain_fingerprints(clip, reader.facts().num_frames);
    check_strides(reader, expected, 7);
    RandomStream random(random_key({1}));
    for (int i = 0; i < 3; ++i)
      check_frames(reader, expected,
                   {static_cast<std::int64_t>(
                       random.below(static_cast<std::uint64_t>(reader.facts().num_frames)))});
  }
}

TEST_CASE("every frame of every real clip alone equals plain decoding", "[.exhaustive]") {
  for (const std::string& name : kClips) {
    VLLAMA_SHARED_FILE(clip, "fixtures/media/" + name);
    INFO(name);
    VideoReader reader(clip);
    check_each_alone(reader, test::plain_fingerprints(clip, reader.facts().num_frames));
  }
}

TEST_CASE("indices may repeat and come in any order") {
  VLLAMA_SHARED_FILE(clip, "fixtures/media/h265_video.mp4");
  VideoReader reader(clip);
  const auto expected = test::plain_fingerprints(clip, reader.facts().num_frames);
  check_frames(reader, expected, {9, 0, 5, 5, 3, 9});
  CHECK(reader.frames({}).images.empty());
}

TEST_CASE("clips that do not fit into memory are read again, with equal frames") {
  VLLAMA_SHARED_FILE(clip, "fixtures/media/boat.mp4");
  VideoReader reader(clip, {.packet_memory_bytes = 100'000});
  const auto expected = test::plain_fingerprints(clip, reader.facts().num_frames);
  check_frames(reader, expected, {180, 22, 90, 0});
}

TEST_CASE("every frame of clips of many kinds equals plain decoding") {
  struct Kind {
    std::string name, encoder, options;
    int num_frames = 40;
    std::string size = "64x48";
  };
  const std::string x265 = "-x265-params log-level=none:keyint=10:";
  const Kind kinds[] = {
      {"b_frames.mp4", "libx264", "-c:v libx264 -bf 3 -refs 3 -g 12"},
      {"pyramid.mp4", "libx264", "-c:v libx264 -bf 7 -b_strategy 0 -g 16 -x264-params b-pyramid=2"},
      {"open_gop.mp4", "libx264", "-c:v libx264 -bf 3 -b_strategy 0 -g 8 -x264-params open-gop=1"},
      {"open_gop.mkv", "libx264", "-c:v libx264 -bf 3 -b_strategy 0 -g 8 -x264-params open-gop=1"},
      {"intra_refresh.mp4", "libx264", "-c:v libx264 -g 10 -x264-params intra-refresh=1"},
      {"high10.mp4", "libx264", "-c:v libx264 -pix_fmt yuv420p10le -g 10"},
      {"yuv444.mp4", "libx264", "-c:v libx264 -pix_fmt yuv444p -g 10"},
      {"full_range.mp4", "libx264", "-c:v libx264 -pix_fmt yuvj420p -g 10"},
      {"bt709.mp4", "libx264",
       "-c:v libx264 -g 10 -colorspace bt709 -color_primaries bt709 -color_trc bt709"},
      {"interlaced.mp4", "libx264", "-c:v libx264 -g 10 -flags +ildct+ilme"},
      {"fragmented.mp4", "libx264",
       "-c:v libx264 -g 10 -movflags frag_keyframe+empty_moov+default_base_moof"},
      {"transport.ts", "libx264", "-c:v libx264 -bf 2 -g 10"},
      {"closed.hevc.mp4", "libx265", "-c:v libx265 " + x265 + "open-gop=0"},
      {"open.hevc.mp4", "libx265", "-c:v libx265 " + x265 + "open-gop=1:bframes=4:b-adapt=0"},
      {"open.hevc.mkv", "libx265", "-c:v libx265 " + x265 + "open-gop=1:bframes=4:b-adapt=0"},
      {"layers.hevc.mp4", "libx265",
       "-c:v libx265 " + x265 + "temporal-layers=1:bframes=4:b-adapt=0"},
      {"main10.hevc.mp4", "libx265", "-c:v libx265 -pix_fmt yuv420p10le " + x265 + "open-gop=1"},
      {"mpeg4.mp4", "mpeg4", "-c:v mpeg4 -bf 2 -g 10"},
      {"mpeg4.mkv", "mpeg4", "-c:v mpeg4 -bf 2 -g 10"},
      {"mpeg2.ts", "mpeg2video", "-c:v mpeg2video -bf 2 -g 10"},
      {"h263.3gp", "h263", "-c:v h263 -g 10", 40, "176x144"},
      {"vp8.webm", "libvpx", "-c:v libvpx -g 10 -auto-alt-ref 0"},
      {"vp9.webm", "libvpx-vp9", "-c:v libvpx-vp9 -g 10 -auto-alt-ref 1 -lag-in-frames 16"},
      {"av1.mp4", "libaom-av1", "-c:v libaom-av1 -cpu-used 8 -g 10", 24},
      {"av1.webm", "libaom-av1", "-c:v libaom-av1 -cpu-used 8 -g 10", 24},
      {"motion.mov", "mjpeg", "-c:v mjpeg -pix_fmt yuvj422p"},
      {"animation.gif", "gif", "-c:v gif"},
      {"odd.mp4", "libx264", "-vf crop=61:45 -c:v libx264 -pix_fmt yuv444p -g 10"},
  };
  const test::TemporaryFolder folder;
  for (const Kind& kind : kinds) {
    const auto clip = test::make_clip(
        folder, kind.name, test::moving_picture(kind.size, 10, kind.num_frames) + kind.options,
        kind.encoder);
    if (!clip) continue;
    INFO(kind.name);
    VideoReader reader(*clip);
    CHECK(reader.facts().num_frames == kind.num_frames);
    CHECK(reader.facts().frames_per_second == Approx(10).margin(0.5));
    CHECK_FALSE(reader.facts().has_audio);
    const auto expected = test::plain_fingerprints(*clip, reader.facts().num_frames);
    CHECK(std::count(expected.begin(), expected.end(), 0) == 0);
    check_each_alone(reader, expected);
    check_strides(reader, expected, 3);
  }
}
