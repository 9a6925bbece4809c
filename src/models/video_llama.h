// Video-LLaMA: clips become a few vectors that stand in the prompt of a frozen language model.
// Shapes: T tokens of all samples end to end, N media of one encoder with Q embeddings each, H
// width.
#pragma once

#include <span>
#include <vector>

#include "encoders/feature_memory.h"
#include "language/llama.h"
#include "models/branch.h"
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
  // No module, as of a name that never trains, does not.
  bool trains(std::optional<ModuleName> module) const;

  // Of every module that can train, whether it does or not.
  nn::ParameterList module_parameters();

  // Every adapter goes into its matrix, rounded to the type of that, and is gone.
  void merge_adapters();

  // Vision first.
  std::span<Branch> branches() { return branches_; }
  std::span<const Branch> branches() const { return branches_; }
  language::Llama& language_model() { return language_model_; }
  const ModelConfig& config() const { return config_; }

  // Embeddings of all media that an encoder reads, by its number (model_input.h): [N * Q, H], fp32,
  // medium by medium. The group's values may be on any device. Each medium has its own dropout
  // masks.
  at::Tensor media_embeddings(std::size_t encoder, const samples::MediaGroup& group,
                              double dropout_rate = 0) const;

  // Of the batch, by encoder; undefined tensors for those without media.
  using MediaEmbeddings = std::vector<at::Tensor>;
  MediaEmbeddings media_embeddings(const samples::Batch& batch, double dropout_rate = 0) const;

  // Token embeddings with the media embeddings in their places: [T, H] in the language model's
  // dtype.
  at::Tensor spliced_inputs(const samples::Batch& batch, const MediaEmbeddings& media) const;

  // The sum over target tokens of -log p(token), a fp64 scalar on the device. With
  // Gradients::accumulate its gradient is added to the gradients of the trainable parameters.
  // Together, if the language model is held in parts by several processes: each calls loss(), or
  // complete_gathers() if it has no batch.
  at::Tensor loss(const samples::Batch& batch, double dropout_rate, nn::Gradients gradients) const;

  // Brings this process's parts of the language model to others that compute a loss.
  void complete_gathers() const { language_model_.complete_gathers(); }

  // loss() from media embeddings that are already there.
  at::Tensor loss_given_media(const samples::Batch& batch, const MediaEmbeddings& media,
                              nn::Gradients gradients) const;

  at::Device device() const { return language_model_.head().device(); }

 private:
  // Of an encoder that trains in part, by the name that it has in a saved step.
  bool is_of_frozen_block(const std::string& name) const;

  ModelConfig config_;
  std::vector<TrainedModule> trained_modules_;
  std::vector<Branch> branches_;
  language::Llama language_model_;
  // By number: where an encoder stands, and what it has made.
  struct EncoderInUse {
    std::size_t branch, number;  // among those of the branch
    encoders::FeatureMemory features;
  };
  mutable std::vector<EncoderInUse> encoders_;
};

}  // namespace vllama::models
