// Facts and pixels of real clips against numbers recorded from decord 0.6.0 and torchcodec.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "media/error.h"
#include "media/video.h"
#include "tests/support/fixtures.h"
#include "tests/support/safetensors_file.h"

using namespace vllama;
using media::DecodedFrames;
using media::FrameSize;
using media::VideoReader;

namespace {

constexpr FrameSize kModelSize{224, 224};

std::vector<std::int64_t> uniform_indices(std::int64_t num_frames, std::int64_t count) {
  std::vector<std::int64_t> indices;
  const std::int64_t wanted = std::min(count, num_frames);
  for (std::int64_t i = 0; i < wanted; ++i) indices.push_back(i * num_frames / wanted);
  return indices;
}

struct Difference {
  int max = 0;
  double mean = 0;
};

Difference difference(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  REQUIRE(a.size() == b.size());
  Difference result;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const int distance = std::abs(int{a[i]} - int{b[i]});
    result.max = std::max(result.max, distance);
    result.mean += distance;
  }
  result.mean /= static_cast<double>(std::max<std::size_t>(a.size(), 1));
  return result;
}

std::vector<std::uint8_t> joined(const DecodedFrames& frames) {
  std::vector<std::uint8_t> pixels;
  for (const auto& image : frames.images)
    pixels.insert(pixels.end(), image.rgb.begin(), image.rgb.end());
  return pixels;
}

}  // namespace

TEST_CASE("frames at the model's size equal decord's bit for bit") {
  VLLAMA_SHARED_FILE(goldens, "goldens/media/frames_u8.safetensors");
  const test::SafetensorsFile file(goldens);
  for (const std::string name : {"boat", "dog_barking", "skateboarding_dog"}) {
    VLLAMA_SHARED_FILE(clip, "fixtures/media/" + name + ".mp4");
    VideoReader reader(clip);
    const auto frames = reader.frames(uniform_indices(reader.facts().num_frames, 8), kModelSize);
    REQUIRE(frames.images.size() == 8);
    CHECK(frames.num_concealed == 0);
    const auto found = difference(joined(frames), file.values<std::uint8_t>(name));
    INFO(name << ": mean " << found.mean);
    CHECK(found.max == 0);
  }
}

TEST_CASE("facts of real clips") {
  VLLAMA_SHARED_FILE(goldens, "goldens/media/frame_indices.json");
  const auto clips = nlohmann::json::parse(read_file(goldens)).at("clips");
  REQUIRE(clips.size() == 4);
  for (const auto& [name, expected] : clips.items()) {
    VLLAMA_SHARED_FILE(clip, "fixtures/media/" + name);
    const VideoReader reader(clip);
    INFO(name);
    CHECK(reader.facts().num_frames == expected.at("decord_num_frames").get<std::int64_t>());
    CHECK(reader.facts().frames_per_second == Approx(expected.at("avg_fps").get<double>()));
    CHECK(reader.facts().height == expected.at("native_hw").at(0).get<std::int64_t>());
    CHECK(reader.facts().width == expected.at("native_hw").at(1).get<std::int64_t>());
    CHECK(reader.facts().has_audio);
  }
}

TEST_CASE("means of eight uniform frames equal decord's") {
  struct Row {
    const char* name;
    std::int64_t num_frames;
    double frames_per_second;
    double means[3];
  };
  const Row rows[] = {
      {"boat.mp4", 181, 29.970, {151.7048, 150.0319, 150.7091}},
      {"dog_barking.mp4", 170, 24, {96.8031, 71.8086, 59.7102}},
      {"applausing.mp4", 299, 29.970, {42.1255, 26.0095, 30.8884}},
      {"skateboarding_dog.mp4", 421, 29.970, {98.0073, 122.4267, 113.8277}},
      {"nasa_13013.mp4", 390, 29.970, {23.0931, 19.3946, 21.8061}},
      {"h265_video.mp4", 10, 10, {11.5964, 11.7683, 251.2888}},
      {"video_0.mov", 3, 30, {109.5999, 98.9180, 89.0838}},
      {"video_90.mov", 3, 30, {103.5499, 93.7604, 84.8401}},
  };
  constexpr double kPrinted = 0.5e-4;  // the reference is written with four decimals
  for (const Row& row : rows) {
    VLLAMA_SHARED_FILE(clip, std::string("fixtures/media/") + row.name);
    VideoReader reader(clip);
    INFO(row.name);
    CHECK(reader.facts().num_frames == row.num_frames);
    CHECK(reader.facts().frames_per_second == Approx(row.frames_per_second).margin(1e-3));
    const auto frames = reader.frames(uniform_indices(row.num_frames, 8), kModelSize);
    const auto pixels = joined(frames);
    double sums[3] = {};
    for (std::size_t i = 0; i < pixels.size(); ++i) sums[i % 3] += pixels[i];
    for (int channel = 0; channel < 3; ++channel)
      CHECK(sums[channel] * 3 / static_cast<double>(pixels.size()) ==
            Approx(row.means[channel]).epsilon(0).margin(kPrinted * 1.001));
  }
}
