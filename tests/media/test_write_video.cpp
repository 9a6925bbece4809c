// Clips and sound files come back from our own readers as they were written.
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/error.h"
#include "core/files.h"
#include "media/audio.h"
#include "media/video.h"
#include "media/write_video.h"
#include "media/write_wav.h"
#include "tests/media/clips.h"

using namespace vllama;
using media::Image;

namespace {

constexpr int kRate = 16000;

// A white square on dark green that goes to the right.
std::vector<Image> pictures(int count, std::int64_t side) {
  std::vector<Image> clip;
  for (int i = 0; i < count; ++i) {
    Image image{side, side, {}};
    for (std::int64_t y = 0; y < side; ++y)
      for (std::int64_t x = 0; x < side; ++x) {
        const bool is_inside = y >= side / 4 && y < 3 * side / 4 && x >= i && x < i + side / 3;
        for (const int value : is_inside ? std::array{240, 240, 240} : std::array{20, 70, 30})
          image.rgb.push_back(static_cast<std::uint8_t>(value));
      }
    clip.push_back(image);
  }
  return clip;
}

std::vector<float> tone(std::size_t num_samples) {
  std::vector<float> samples(num_samples);
  for (std::size_t i = 0; i < num_samples; ++i)
    samples[i] =
        0.4F * std::sin(2 * std::numbers::pi_v<float> * 440 * static_cast<float>(i) / kRate);
  return samples;
}

double correlation(const std::vector<float>& a, const std::vector<float>& b) {
  const auto dot = [](const std::vector<float>& x, const std::vector<float>& y) {
    return std::inner_product(x.begin(),
                              x.begin() + static_cast<std::ptrdiff_t>(std::min(x.size(), y.size())),
                              y.begin(), 0.0);
  };
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

}  // namespace

TEST_CASE("video: reading gives the written pictures at their times") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "clip.mp4";
  // The edge of a white shape on a dark ground loses most: its colour has half the resolution.
  constexpr double kMeanDifference = 4;
  for (const int count : {1, 7, 32}) {
    CAPTURE(count);
    const auto clip = pictures(count, 56);
    media::write_video(clip, 4, {}, path);
    media::VideoReader reader(path);
    CHECK(reader.facts().num_frames == count);
    CHECK(reader.facts().frames_per_second == Approx(4));
    CHECK(reader.facts().codec == "h264");
    CHECK_FALSE(reader.facts().has_audio);
    std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
    std::iota(indices.begin(), indices.end(), 0);
    const auto read = reader.frames(indices);
    CHECK(read.num_concealed == 0);
    for (std::size_t i = 0; i < clip.size(); ++i)
      CHECK(test::difference(read.images[i].rgb, clip[i].rgb).mean < kMeanDifference);
  }
}

TEST_CASE(
    "video: sound comes back in place, followed by silence to a whole block or the pictures' end") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "clip.mp4";
  for (const std::size_t num_samples :
       {std::size_t{128000}, std::size_t{12345}, std::size_t{500}}) {
    CAPTURE(num_samples);
    const auto samples = tone(num_samples);
    media::write_video(pictures(8, 56), 4, {kRate, samples}, path);
    CHECK(media::VideoReader(path).facts().has_audio);
    const media::Waveform sound = media::read_audio(path);
    CHECK(sound.sample_rate_hz == kRate);
    REQUIRE(sound.channels.size() == 1);
    const std::size_t whole_blocks = (num_samples + 1023) / 1024 * 1024;
    CHECK(sound.num_samples() == std::max<std::int64_t>(static_cast<std::int64_t>(whole_blocks),
                                                        8 * kRate / 4));  // 8 pictures
    CHECK(correlation(sound.channels[0], samples) > 0.99);  // 0.9 if off by two samples
  }
}

TEST_CASE("video: no picture depends on others") {
  const test::TemporaryFolder folder;
  const auto last_picture = [&](const std::vector<Image>& clip) {
    media::write_video(clip, 4, {}, folder.path() / "clip.mp4");
    const std::vector<std::int64_t> last{static_cast<std::int64_t>(clip.size()) - 1};
    return media::VideoReader(folder.path() / "clip.mp4").frames(last).images.at(0).rgb;
  };
  const auto clip = pictures(12, 56);
  std::vector<Image> other(clip.rbegin() + 1, clip.rend());
  other.push_back(clip.back());
  CHECK(last_picture(clip) == last_picture(other));
  CHECK(last_picture(clip) == last_picture({clip.back()}));
}

TEST_CASE("video: the same input gives the same bytes") {
  const auto clip = pictures(9, 56);
  const auto samples = tone(36000);
  const std::string first = media::encode_video(clip, 4, {kRate, samples});
  CHECK(media::encode_video(clip, 4, {kRate, samples}) == first);
  CHECK(media::encode_video(pictures(9, 64), 4, {kRate, samples}) != first);
}

TEST_CASE("video: bad input, and files that appear whole or not at all") {
  const test::TemporaryFolder folder;
  CHECK_THROWS_AS(media::encode_video({}, 4), InternalError);
  CHECK_THROWS_AS(media::encode_video(pictures(2, 55), 4), InternalError);
  CHECK_THROWS_AS(media::encode_video(pictures(2, 56), 0), InternalError);
  auto clip = pictures(2, 56);
  clip[1].rgb.pop_back();
  CHECK_THROWS_AS(media::encode_video(clip, 4), InternalError);
  CHECK_THROWS_AS(media::write_video(pictures(2, 56), 4, {}, folder.path() / "no/clip.mp4"),
                  RunFailure);
  media::write_video(pictures(2, 56), 4, {}, folder.path() / "clip.mp4");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  CHECK_NOTHROW(media::require_video_encoders(true));
}

TEST_CASE("WAV: reading gives the written samples") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "sound.wav";
  auto samples = tone(4001);
  samples[0] = 2, samples[1] = -1, samples[2] = 1;
  media::write_wav(samples, kRate, path);
  const media::Waveform sound = media::read_audio(path);
  CHECK(sound.sample_rate_hz == kRate);
  REQUIRE(sound.channels.size() == 1);
  REQUIRE(sound.num_samples() == 4001);
  samples[0] = 1;
  constexpr float kHalfStep = 1.0F / 32768;  // and the reader divides by 32768, not 32767
  for (std::size_t i = 0; i < samples.size(); ++i)
    CHECK(std::abs(sound.channels[0][i] - samples[i]) < 1.5F * kHalfStep);
  CHECK(read_file(path).size() == 44 + 2 * 4001);
}
