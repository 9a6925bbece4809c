#include "inference/media_embedding.h"

#include <ATen/ops/cat.h>

#include <vector>

#include "models/video_llama.h"
#include "samples/media_builder.h"

namespace vllama::inference {
namespace {

at::Tensor embedding(const models::VideoLlama& model, const samples::MediaInput& input) {
  samples::MediaGroup group;
  group.values = input.values;
  group.extents = {input.extent()};
  return model.media_embeddings(input.encoder, group);
}

at::Tensor in_order_of(const std::vector<samples::MediaRun>& runs,
                       const std::vector<at::Tensor>& embeddings) {
  std::vector<std::int64_t> num_taken(embeddings.size());
  std::vector<at::Tensor> parts;
  for (const auto& [medium, num_tokens] : runs) {
    parts.push_back(embeddings[medium].narrow(0, num_taken[medium], num_tokens));
    num_taken[medium] += num_tokens;
  }
  return at::cat(parts);
}

}  // namespace

MediaBlocks media_blocks(const models::VideoLlama& model, const samples::BuiltMedium& medium) {
  std::vector<at::Tensor> embeddings;
  for (const samples::MediaInput& input : medium.inputs)
    embeddings.push_back(embedding(model, input));
  if (medium.is_interleaved) return {.frames_QH = in_order_of(medium.runs, embeddings)};
  MediaBlocks blocks;
  for (std::size_t i = 0; i < embeddings.size(); ++i)
    (medium.inputs[i].kind == MediaKind::sound ? blocks.sound_QH : blocks.frames_QH) =
        embeddings[i];
  return blocks;
}

}  // namespace vllama::inference
