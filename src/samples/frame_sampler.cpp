#include "samples/frame_sampler.h"

#include <algorithm>

#include "core/error.h"

namespace vllama::samples {
namespace {

// `count` ascending indices of [begin, end), distinct if there are that many.
void append_draws(std::int64_t begin, std::int64_t end, std::int64_t count, RandomStream& stream,
                  std::vector<std::int64_t>& indices) {
  std::vector<std::int64_t> offsets;
  if (count <= end - begin) {
    offsets = sorted_sample(stream, end - begin, count);
  } else {
    for (std::int64_t i = 0; i < count; ++i)
      offsets.push_back(
          static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(end - begin))));
    std::sort(offsets.begin(), offsets.end());
  }
  for (const std::int64_t offset : offsets) indices.push_back(begin + offset);
}

// Times of media are whole microseconds: what is nearer is the same moment.
constexpr double kSameMoment = 0.6e-6;

// The number of frames that appear up to a moment, or before it.
std::int64_t num_until(std::span<const double> times_seconds, double moment) {
  return std::ranges::upper_bound(times_seconds, moment + kSameMoment) - times_seconds.begin();
}
std::int64_t num_before(std::span<const double> times_seconds, double moment) {
  return std::ranges::lower_bound(times_seconds, moment - kSameMoment) - times_seconds.begin();
}

}  // namespace

FrameStretch frames_between(std::span<const double> times_seconds, double clip_end_seconds,
                            double start_seconds, double end_seconds) {
  if (start_seconds > 0 && start_seconds > clip_end_seconds - kSameMoment) return {};
  const std::int64_t begin =
      start_seconds > 0 ? std::max<std::int64_t>(num_until(times_seconds, start_seconds) - 1, 0)
                        : 0;
  return {begin, std::max<std::int64_t>(num_before(times_seconds, end_seconds) - begin, 0)};
}

std::vector<std::int64_t> uniform_indices(std::int64_t num_frames, std::int64_t clip_length) {
  VLLAMA_ASSERT(num_frames >= 0 && clip_length >= 1, "a clip without frames cannot be sampled");
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < num_frames; ++i) indices.push_back(i * clip_length / num_frames);
  return indices;
}

std::vector<std::int64_t> uniform_time_indices(std::int64_t num_frames,
                                               std::span<const double> times_seconds,
                                               double start_seconds, double end_seconds) {
  VLLAMA_ASSERT(num_frames >= 0 && !times_seconds.empty(), "no frames to choose from");
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < num_frames; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(num_frames);
    const double moment = start_seconds + (end_seconds - start_seconds) * part;
    indices.push_back(std::max<std::int64_t>(num_until(times_seconds, moment) - 1, 0));
  }
  return indices;
}

std::vector<std::int64_t> headtail_indices(std::int64_t num_frames, std::int64_t clip_length,
                                           RandomStream& stream) {
  VLLAMA_ASSERT(num_frames >= 0 && clip_length >= 1, "a clip without frames cannot be sampled");
  const std::int64_t middle = clip_length / 2;
  const std::int64_t num_head = num_frames / 2;
  std::vector<std::int64_t> indices;
  // A clip of one frame has an empty first half: frame 0 stands for both.
  append_draws(0, std::max<std::int64_t>(middle, 1), num_head, stream, indices);
  append_draws(middle, clip_length, num_frames - num_head, stream, indices);
  return indices;
}

}  // namespace vllama::samples
