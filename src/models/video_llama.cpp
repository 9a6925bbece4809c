#include "models/video_llama.h"

#include <ATen/core/grad_mode.h>

#include "core/error.h"

namespace vllama::models {

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
  const at::Tensor media_MH = media_embeddings(batch.frames_FHWC, batch.frames_per_sample, dropout);
  const at::Tensor hidden_TH =
      language_model_.hidden(spliced_inputs(batch, media_MH), nn::Segments(batch.sequence_lengths),
                             config_.recompute_layers);
  const at::Tensor at_targets_MH = hidden_TH.index_select(0, batch.target_rows_N.to(device()));
  return nn::token_loss(language_model_.final_norm(at_targets_MH), language_model_.head(),
                        batch.targets_N.to(device()), config_.loss_rows_at_once, gradients);
}

}  // namespace vllama::models
