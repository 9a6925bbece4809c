// Video-LLaMA: clips become a few vectors that stand in the prompt of a frozen language model.
// Shapes: T tokens of all samples end to end, N media of one route with Q embeddings each, H width.
#pragma once

#include <array>
#include <optional>

#include "encoders/feature_memory.h"
#include "language/llama.h"
#include "models/model_config.h"
#include "nn/token_loss.h"
#include "samples/batch.h"

namespace vllama::models {

class VideoLlama {
 public:
  VideoLlama(const ModelConfig& config, const language::LlamaConfig& language_config);
  VideoLlama(const VideoLlama&) = delete;  // parameter lists point into the model
  VideoLlama& operator=(const VideoLlama&) = delete;

  // What trains, fp32, under the names of a checkpoint: the image Q-Former, the branches in the
  // order of a published checkpoint, the language model or its adapters below "llama_model.";
  // module_of() tells the module of a name.
  nn::ParameterList trainable_parameters();

  // The Q-Formers, positions and projections of the branches, trained or not: what a published
  // checkpoint holds, in its order. They compute in fp32.
  nn::ParameterList branch_parameters();

  // The modules of trainable_parameters().
  const std::vector<TrainedModule>& trained_modules() const { return trained_modules_; }
  bool trains(const std::string& module) const;

  // Of every module that can train, whether it does or not.
  nn::ParameterList module_parameters();

  // Null if the model lacks the branch.
  VisionBranch* vision() { return vision_ ? &*vision_ : nullptr; }
  AudioBranch* audio() { return audio_ ? &*audio_ : nullptr; }
  language::Llama& language_model() { return language_model_; }
  const ModelConfig& config() const { return config_; }

  // Embeddings of all media of a route: [N * Q, H], fp32, medium by medium. The group's values may
  // be on any device. Each medium has its own dropout masks.
  at::Tensor media_embeddings(samples::MediaRoute route, const samples::MediaGroup& group,
                              double dropout_rate = 0) const;

  // Of every route of the batch; undefined tensors for routes without media.
  using MediaEmbeddings = std::array<at::Tensor, samples::kNumMediaRoutes>;
  MediaEmbeddings media_embeddings(const samples::Batch& batch, double dropout_rate = 0) const;

  // Token embeddings with the media embeddings in their places: [T, H] in the language model's
  // dtype.
  at::Tensor spliced_inputs(const samples::Batch& batch, const MediaEmbeddings& media) const;

  // The sum over target tokens of -log p(token), a fp64 scalar on the device. With
  // Gradients::accumulate its gradient is added to the gradients of the trainable parameters.
  // Together, if the language model is held in parts by several processes: each calls loss(), or
  // take_part() if it has no batch.
  at::Tensor loss(const samples::Batch& batch, double dropout_rate, nn::Gradients gradients) const;

  // Brings this process's parts of the language model to others that compute a loss.
  void take_part() const { language_model_.complete_gathers(); }

  // loss() from media embeddings that are already there.
  at::Tensor loss_given_media(const samples::Batch& batch, const MediaEmbeddings& media,
                              nn::Gradients gradients) const;

  at::Device device() const { return language_model_.head().device(); }

 private:
  // The frozen part of a route, of the values of one medium or more.
  at::Tensor encode(samples::MediaRoute route, const at::Tensor& values) const;

  ModelConfig config_;
  std::vector<TrainedModule> trained_modules_;
  std::optional<VisionBranch> vision_;
  std::optional<AudioBranch> audio_;
  language::Llama language_model_;
  mutable std::array<encoders::FeatureMemory, samples::kNumMediaRoutes> features_;
};

}  // namespace vllama::models
