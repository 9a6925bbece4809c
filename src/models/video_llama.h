// Video-LLaMA: clips become a few vectors that stand in the prompt of a frozen language model.
// Shapes: B samples, T tokens of all samples end to end, M rows among them that hold media, H
// width.
#pragma once

#include "models/llama.h"
#include "models/model_config.h"
#include "nn/token_loss.h"
#include "processors/batch.h"

namespace vllama::models {

class VideoLlama {
 public:
  VideoLlama(const ModelConfig& config, const LlamaConfig& language_config);
  VideoLlama(const VideoLlama&) = delete;  // parameter lists point into the model
  VideoLlama& operator=(const VideoLlama&) = delete;

  // What trains, in the order of a published checkpoint; fp32.
  nn::ParameterList trainable_parameters();

  VisionBranch& vision() { return vision_; }
  Llama& language_model() { return language_model_; }
  const ModelConfig& config() const { return config_; }
  std::int64_t num_media_tokens() const { return config_.vision.video_q_former.num_queries; }

  // frames_FHWC uint8 on any device -> media embeddings [B * Q, H].
  at::Tensor media_embeddings(const at::Tensor& frames_FHWC,
                              const std::vector<std::int64_t>& frames_per_sample,
                              const nn::Dropout& dropout = {}) const;

  // Token embeddings with the media embeddings in their places: [T, H] in the language model's
  // dtype.
  at::Tensor spliced_inputs(const processors::Batch& batch, const at::Tensor& media_MH) const;

  // The sum over target tokens of -log p(token), a fp64 scalar on the device. With
  // Gradients::accumulate its gradient is added to the gradients of the trainable parameters.
  at::Tensor loss(const processors::Batch& batch, const nn::Dropout& dropout,
                  nn::Gradients gradients) const;

  // The same from media embeddings [M, H] that are already there.
  at::Tensor loss_given_media(const processors::Batch& batch, const at::Tensor& media_MH,
                              nn::Gradients gradients) const;

  at::Device device() const { return language_model_.head().device(); }

 private:
  ModelConfig config_;
  VisionBranch vision_;
  Llama language_model_;
};

}  // namespace vllama::models
