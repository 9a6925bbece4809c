#include "processors/batch.h"

#include <ATen/ops/empty.h>

#include <cstring>

#include "core/error.h"
#include "text/prompt.h"

namespace vllama::processors {
namespace {

at::Tensor to_tensor(const std::vector<std::int64_t>& values) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())}, at::kLong);
  if (!values.empty())
    std::memcpy(tensor.data_ptr(), values.data(), values.size() * sizeof(std::int64_t));
  return tensor;
}

at::Tensor concatenate_frames(std::span<const Example> examples) {
  if (examples.empty()) return at::empty({0, 0, 0, 3}, at::kByte);
  std::int64_t num_frames = 0;
  const auto frame_shape = examples[0].frames_FHWC.sizes().slice(1);
  for (const Example& example : examples) {
    const at::Tensor& frames = example.frames_FHWC;
    VLLAMA_ASSERT(frames.dim() == 4 && frames.size(3) == 3 && frames.scalar_type() == at::kByte &&
                      frames.is_contiguous() && frames.sizes().slice(1) == frame_shape,
                  "frames of a batch must be contiguous uint8 [F, S, S, 3] of one size");
    num_frames += frames.size(0);
  }
  at::Tensor packed =
      at::empty({num_frames, frame_shape[0], frame_shape[1], frame_shape[2]}, at::kByte);
  auto* output = packed.mutable_data_ptr<std::uint8_t>();
  for (const Example& example : examples) {
    std::memcpy(output, example.frames_FHWC.const_data_ptr<std::uint8_t>(),
                example.frames_FHWC.nbytes());
    output += example.frames_FHWC.nbytes();
  }
  return packed;
}

}  // namespace

Batch pack(std::span<const Example> examples, std::int64_t image_token) {
  Batch batch;
  std::vector<std::int64_t> token_ids, labels, media_positions;
  for (const Example& example : examples) {
    VLLAMA_ASSERT(example.token_ids.size() == example.labels.size() && !example.labels.empty(),
                  "an example has one label for each token");
    for (std::size_t i = 0; i < example.token_ids.size(); ++i) {
      const bool is_media = example.token_ids[i] == image_token;
      const bool is_target = example.labels[i] != text::kIgnoredLabel;
      VLLAMA_ASSERT(!is_target || (!is_media && i > 0),
                    "neither media nor the first token of a sequence can be learned");
      if (is_media) media_positions.push_back(static_cast<std::int64_t>(token_ids.size()));
      token_ids.push_back(is_media ? 0 : example.token_ids[i]);
      labels.push_back(example.labels[i]);
      batch.num_targets += is_target;
    }
    batch.sample_ids.push_back(example.id);
    batch.dropout_keys.push_back(example.dropout_key);
    batch.frames_per_sample.push_back(example.frames_FHWC.size(0));
    batch.sequence_lengths.push_back(static_cast<std::int64_t>(example.token_ids.size()));
    batch.num_shortened += example.text_shortened;
    batch.num_concealed_frames += example.num_concealed_frames;
  }
  batch.frames_FHWC = concatenate_frames(examples);
  batch.token_ids_T = to_tensor(token_ids);
  batch.labels_T = to_tensor(labels);
  batch.media_positions_M = to_tensor(media_positions);
  return batch;
}

}  // namespace vllama::processors
