#include "processors/frame_sampler.h"

#include <algorithm>

#include "core/error.h"

namespace vllama::processors {
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

}  // namespace

std::vector<std::int64_t> uniform_indices(std::int64_t num_frames, std::int64_t clip_length) {
  VLLAMA_ASSERT(num_frames >= 0 && clip_length >= 1, "a clip without frames cannot be sampled");
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < num_frames; ++i) indices.push_back(i * clip_length / num_frames);
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

}  // namespace vllama::processors
