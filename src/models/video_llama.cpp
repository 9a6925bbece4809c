#include "models/video_llama.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "models/modules.h"

namespace vllama::models {
namespace {

// N target tokens, and the rows of hidden states that predict them: each token is predicted by the
// row before it. The first token of a sequence is never a target.
struct Targets {
  at::Tensor rows_N, tokens_N;
};

Targets targets_of(const samples::Batch& batch) {
  const at::Tensor places_N = batch.labels_T.ge(0).nonzero().flatten();
  return {places_N.sub(1), batch.labels_T.index_select(0, places_N)};
}

}  // namespace

VideoLlama::VideoLlama(const ModelConfig& config, const language::LlamaConfig& language_config)
    : config_(config),
      trained_modules_(models::trained_modules(config)),
      branches_(make_branches(config, language_config.width)),
      language_model_(language_config,
                      trains(ModuleName::lora) ? std::optional(config.lora) : std::nullopt) {
  // Sizes that do not fit each other make no model: the parts say so when they are declared.
  nn::ParameterList parameters = branch_parameters();
  for (Branch& branch : branches_) {
    branch.declare_encoders(parameters);
    branch.declare_resampler(parameters);
  }
  for (Branch& branch : branches_) {
    branch.set_trained_blocks(num_trained_blocks(trained_modules_, branch.names().place,
                                                 branch.encoders().back()->num_blocks()));
    if (trains(branch.names().encoder_lora)) branch.add_adapters();
  }
  for (std::size_t i = 0; i < branches_.size(); ++i) {
    // What an encoder or a resampler that trains makes of media is another thing every time.
    const std::int64_t most_bytes =
        trains(branches_[i].names().resampler) || branches_[i].num_trained_blocks() > 0
            ? 0
            : config.feature_memory_bytes;
    for (std::size_t number = 0; number < branches_[i].encoders().size(); ++number)
      encoders_.push_back({i, number, encoders::FeatureMemory(most_bytes)});
  }
}

bool VideoLlama::trains(std::optional<ModuleName> module) const {
  return std::ranges::any_of(trained_modules_, [module](const TrainedModule& trained) {
    return trained.module == module;
  });
}

nn::ParameterList VideoLlama::module_parameters() {
  nn::ParameterList list;
  for (Branch& branch : branches_) {
    branch.declare_encoder_module(list);
    branch.declare_adapters(list);
    branch.declare_resampler(list);
  }
  std::ranges::move(branch_parameters(), std::back_inserter(list));
  language_model_.declare(list, "llama_model.");
  language_model_.declare_lora(list, "llama_model.");
  std::erase_if(list, [](const nn::Parameter& entry) { return !module_of(entry.name); });
  return list;
}

void VideoLlama::merge_adapters() {
  for (Branch& branch : branches_) branch.merge_adapters();
  language_model_.merge_lora();
}

nn::ParameterList VideoLlama::trainable_parameters() {
  nn::ParameterList list = module_parameters();
  std::erase_if(list, [this](const nn::Parameter& entry) {
    return !trains(module_of(entry.name)) || is_of_frozen_block(entry.name);
  });
  return list;
}

bool VideoLlama::is_of_frozen_block(const std::string& name) const {
  const auto module = module_of(name);
  for (const TrainedModule& trained : trained_modules_) {
    if (trained.module != module || trained.last_blocks == 0) continue;
    for (const Branch& branch : branches_)
      if (branch.names().encoder == trained.module)
        return !branch.encoders().back()->is_in_last_blocks(name, trained.last_blocks);
  }
  return false;
}

nn::ParameterList VideoLlama::branch_parameters() {
  nn::ParameterList list;
  for (Branch& branch : branches_) branch.declare_trainable(list);
  return list;
}

at::Tensor VideoLlama::media_embeddings(std::size_t encoder, const samples::MediaGroup& group,
                                        double dropout_rate) const {
  VLLAMA_ASSERT(
      encoder < encoders_.size(),
      fmt::format("a medium needs encoder {}, and the model has {}", encoder, encoders_.size()));
  EncoderInUse& in_use = encoders_[encoder];
  const Branch& branch = branches_[in_use.branch];
  const nn::Dropout dropout =
      dropout_rate > 0
          ? nn::Dropout(dropout_rate, branch.dropout_keys(group.extents, group.dropout_keys),
                        device())
          : nn::Dropout();
  const auto encode = [&](const at::Tensor& values, const Branch::Media& media) {
    return branch.encode(in_use.number, values.to(device()), media);
  };
  const at::Tensor features = in_use.features(group.values, group.extents, encode);
  return branch.embed(features, group.extents, dropout);
}

VideoLlama::MediaEmbeddings VideoLlama::media_embeddings(const samples::Batch& batch,
                                                         double dropout_rate) const {
  MediaEmbeddings media(batch.media.size());
  for (std::size_t i = 0; i < media.size(); ++i)
    if (!batch.media[i].empty()) media[i] = media_embeddings(i, batch.media[i], dropout_rate);
  return media;
}

at::Tensor VideoLlama::spliced_inputs(const samples::Batch& batch,
                                      const MediaEmbeddings& media) const {
  at::Tensor inputs_TH = language_model_.embed(batch.token_ids_T.to(device()));
  for (std::size_t i = 0; i < media.size(); ++i) {
    if (batch.media[i].empty()) continue;
    const at::Tensor& positions_M = batch.media[i].positions_M;
    VLLAMA_ASSERT(
        media[i].size(0) == positions_M.size(0),
        fmt::format("every place of media needs one embedding: {} embeddings for {} places",
                    media[i].size(0), positions_M.size(0)));
    inputs_TH =
        inputs_TH.index_copy(0, positions_M.to(device()), media[i].to(inputs_TH.scalar_type()));
  }
  return inputs_TH;
}

at::Tensor VideoLlama::loss(const samples::Batch& batch, double dropout_rate,
                            nn::Gradients gradients) const {
  const at::AutoGradMode with_graph(gradients == nn::Gradients::accumulate);
  return loss_given_media(batch, media_embeddings(batch, dropout_rate), gradients);
}

at::Tensor VideoLlama::loss_given_media(const samples::Batch& batch, const MediaEmbeddings& media,
                                        nn::Gradients gradients) const {
  const at::AutoGradMode with_graph(gradients == nn::Gradients::accumulate);
  const at::Tensor hidden_TH = language_model_.hidden(
      spliced_inputs(batch, media), nn::Segments(batch.sequence_lengths), config_.recompute_layers);
  const Targets targets = targets_of(batch);
  const at::Tensor predicting_NH = hidden_TH.index_select(0, targets.rows_N.to(device()));
  const at::Tensor sum =
      nn::token_loss(language_model_.final_norm(predicting_NH), language_model_.head(),
                     targets.tokens_N.to(device()), config_.loss_rows_at_once, gradients);
  language_model_.complete_gathers();
  return sum;
}

}  // namespace vllama::models
