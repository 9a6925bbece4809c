#include "models/video_llama.h"

#include <ATen/core/grad_mode.h>

#include "core/error.h"

namespace vllama::models {
namespace {

// N target tokens, and the rows of hidden states that predict them: each token is predicted by the
// row before it. The first token of a sequence is never a target.
struct Targets {
  at::Tensor rows_N, tokens_N;
};

Targets targets_of(const processors::Batch& batch) {
  const at::Tensor places_N = batch.labels_T.ge(0).nonzero().flatten();
  return {places_N.sub(1), batch.labels_T.index_select(0, places_N)};
}

}  // namespace

VideoLlama::VideoLlama(const ModelConfig& config, const LlamaConfig& language_config)
    : config_(config),
      vision_(config.vision, language_config.width),
      language_model_(language_config) {}

nn::ParameterList VideoLlama::trainable_parameters() {
  nn::ParameterList list;
  vision_.declare_trainable(list);
  return list;
}

at::Tensor VideoLlama::media_embeddings(const at::Tensor& frames_FHWC,
                                        const std::vector<std::int64_t>& frames_per_sample,
                                        const nn::Dropout& dropout) const {
  const at::Tensor images_FCHW =
      VisionBranch::normalize(frames_FHWC.to(device()), language_model_.head().scalar_type());
  return vision_.embed_clips(vision_.encode_frames(images_FCHW), frames_per_sample, dropout);
}

at::Tensor VideoLlama::spliced_inputs(const processors::Batch& batch,
                                      const at::Tensor& media_MH) const {
  const at::Tensor text_TH = language_model_.embed(batch.token_ids_T.to(device()));
  VLLAMA_ASSERT(media_MH.size(0) == batch.media_positions_M.size(0),
                "every media row needs one embedding");
  return text_TH.index_copy(0, batch.media_positions_M.to(device()),
                            media_MH.to(text_TH.scalar_type()));
}

at::Tensor VideoLlama::loss(const processors::Batch& batch, const nn::Dropout& dropout,
                            nn::Gradients gradients) const {
  const at::AutoGradMode with_graph(gradients == nn::Gradients::accumulate);
  return loss_given_media(
      batch, media_embeddings(batch.frames_FHWC, batch.frames_per_sample, dropout), gradients);
}

at::Tensor VideoLlama::loss_given_media(const processors::Batch& batch, const at::Tensor& media_MH,
                                        nn::Gradients gradients) const {
  const at::AutoGradMode with_graph(gradients == nn::Gradients::accumulate);
  const at::Tensor hidden_TH =
      language_model_.hidden(spliced_inputs(batch, media_MH), nn::Segments(batch.sequence_lengths),
                             config_.recompute_layers);
  const Targets targets = targets_of(batch);
  const at::Tensor predicting_NH = hidden_TH.index_select(0, targets.rows_N.to(device()));
  return nn::token_loss(language_model_.final_norm(predicting_NH), language_model_.head(),
                        targets.tokens_N.to(device()), config_.loss_rows_at_once, gradients);
}

}  // namespace vllama::models
