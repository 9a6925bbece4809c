// The models and batches that `vllama bench step` measures: published and smaller sizes, random
// numbers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/video_llama.h"

namespace vllama::bench {

struct StepSizes {
  models::VisionConfig vision;
  language::LlamaConfig language;
};

// "tiny", "100m" (all parts together about 100 million parameters) or "video-llama-7b".
const std::vector<std::string>& step_size_names();
StepSizes step_sizes(const std::string& name);

// Draws every tensor of the list from its initial distribution, on the device.
void draw_weights(const nn::ParameterList& parameters, at::ScalarType dtype, at::Device device);

// Weights drawn on the device: frozen parts in `config.precision`, what trains in fp32.
std::unique_ptr<models::VideoLlama> random_model(const models::ModelConfig& config,
                                                 const language::LlamaConfig& language,
                                                 at::Device device);

std::int64_t num_parameters(models::VideoLlama& model);

struct BatchSizes {
  std::int64_t num_clips = 0, frames_per_clip = 0, caption_tokens = 0;
};

// A stage-1 batch in CPU memory, as a loader delivers it: BOS, the media, and a caption to learn.
// The same numbers for the same `step`.
samples::Batch random_batch(models::VideoLlama& model, const BatchSizes& sizes, std::int64_t step);

}  // namespace vllama::bench
