// Frames of a clip compared with what the program ffmpeg shows of it.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>

#include "core/files.h"
#include "core/random.h"
#include "media/video.h"
#include "tests/media/clips.h"

namespace vllama::test {

using media::VideoReader;

constexpr media::FrameSize kSmall{56, 56};
using Fingerprints = std::vector<std::uint64_t>;

inline Fingerprints frames_of(VideoReader& reader, const std::vector<std::int64_t>& indices) {
  const auto frames = reader.frames(indices, kSmall);
  CHECK(frames.num_concealed == 0);
  Fingerprints found;
  for (const media::Image& image : frames.images) found.push_back(fingerprint(image));
  return found;
}

inline Fingerprints all_frames(VideoReader& reader) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(reader.facts().num_frames));
  std::iota(indices.begin(), indices.end(), 0);
  return frames_of(reader, indices);
}

// All frames at once, some in any order, and each of a few alone.
inline void check_frames(VideoReader& reader, const Fingerprints& expected) {
  REQUIRE(reader.facts().num_frames == std::ssize(expected));
  REQUIRE(reader.facts().times_seconds.size() == expected.size());
  CHECK(std::ranges::is_sorted(reader.facts().times_seconds));
  CHECK(reader.facts().end_seconds >= reader.facts().times_seconds.back());
  CHECK(all_frames(reader) == expected);
  RandomStream random(random_key({expected.size()}));
  for (const int count : {1, 1, 1, 8}) {
    std::vector<std::int64_t> indices;
    Fingerprints wanted;
    for (int i = 0; i < count; ++i) {
      indices.push_back(static_cast<std::int64_t>(random.below(expected.size())));
      wanted.push_back(expected[static_cast<std::size_t>(indices.back())]);
    }
    CHECK(frames_of(reader, indices) == wanted);
  }
}

inline void check_as_program(const TemporaryFolder& folder, const std::filesystem::path& clip,
                             std::int64_t num_frames) {
  INFO(clip);
  VideoReader reader(clip);
  CHECK(reader.facts().num_frames == num_frames);
  check_frames(reader, program_fingerprints(folder, clip));
}

// Frames at a constant rate that begin at 0.
inline void check_times(const std::filesystem::path& clip, double frames_per_second) {
  INFO(clip);
  const VideoReader reader(clip);
  CHECK(reader.facts().frames_per_second == Approx(frames_per_second).epsilon(0.02));
  const auto& times = reader.facts().times_seconds;
  for (std::size_t i = 0; i < times.size(); ++i)
    CHECK(times[i] == Approx(static_cast<double>(i) / frames_per_second).margin(0.0011));
}

// The mean of all samples of each frame.
inline std::vector<double> means_of(const std::filesystem::path& clip) {
  VideoReader reader(clip);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(reader.facts().num_frames));
  std::iota(indices.begin(), indices.end(), 0);
  const auto frames = reader.frames(indices, kSmall);
  CHECK(frames.num_concealed == 0);
  std::vector<double> means;
  for (const media::Image& image : frames.images)
    means.push_back(std::accumulate(image.rgb.begin(), image.rgb.end(), 0.0) /
                    static_cast<double>(image.rgb.size()));
  return means;
}

// Of a frame of one luma; 16 and 235 stand for black and white. Pictures that follow one another
// differ by 4.6 at least; scaling rounds down by up to two levels.
inline void check_mean(double mean, double luma) {
  CHECK(mean == Approx((luma - 16) * 255 / 219).margin(2.3));
}

inline Fingerprints without_repeats(Fingerprints frames) {
  frames.erase(std::unique(frames.begin(), frames.end()), frames.end());
  return frames;
}

inline std::filesystem::path copy_of(const TemporaryFolder& folder,
                                     const std::filesystem::path& clip, const std::string& name,
                                     const std::string& options = "") {
  return *make_clip(folder, name, "-i '" + clip.string() + "' -map 0 -c copy " + options);
}

inline std::filesystem::path written(const TemporaryFolder& folder, const std::string& name,
                                     const std::string& content) {
  write_file_atomically(folder.path() / name, content);
  return folder.path() / name;
}

}  // namespace vllama::test
