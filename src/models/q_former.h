// The BLIP-2 Q-Former: learned queries that read encoder states by cross-attention (post-norm BERT
// layers). One class serves images (frozen), video and audio (trained). Shapes: N samples, Q
// queries, D width, S encoder tokens of all samples end to end, E their width.
#pragma once

#include "models/modules.h"
#include "models/q_former_config.h"
#include "nn/attention.h"
#include "nn/linear.h"
#include "nn/norm.h"

namespace vllama::models {

// Attention of BERT: projections, heads, output projection, residual and norm.
struct BertAttention {
  nn::Linear query, key, value, output;
  nn::LayerNorm norm;
  std::int64_t num_heads;

  BertAttention(const QFormerConfig& config, std::int64_t key_width);
  void declare(nn::ParameterList& list, const std::string& prefix);
  at::Tensor operator()(const at::Tensor& hidden_RD, const at::Tensor& states_SE,
                        const nn::Segments& query_segments, const nn::Segments& state_segments,
                        nn::Dropout& dropout) const;
};

struct QFormerLayer {
  BertAttention self_attention;
  std::optional<BertAttention> cross_attention;
  nn::Linear intermediate, output;
  nn::LayerNorm norm;

  QFormerLayer(const QFormerConfig& config, std::int64_t encoder_width, bool looks_at_encoder);
  void declare(nn::ParameterList& list, const std::string& prefix);
  at::Tensor operator()(const at::Tensor& hidden_RD, const at::Tensor& states_SE,
                        const nn::Segments& query_segments, const nn::Segments& state_segments,
                        nn::Dropout& dropout) const;
};

class QFormer {
 public:
  QFormer(const QFormerConfig& config, std::int64_t encoder_width);

  std::int64_t num_tokens() const { return config_.num_queries; }
  std::int64_t width() const { return config_.width; }

  // The query tokens under the part's own name, or the layers below it ("Qformer.bert...").
  void declare(nn::ParameterList& list, const PublishedPart& part);

  // states_SE holds the encoder tokens of all samples, divided by state_segments -> [N * Q, D] in
  // their type.
  at::Tensor operator()(const at::Tensor& states_SE, const nn::Segments& state_segments,
                        nn::Dropout dropout = {}) const;

  // Floating-point operations of the matrix products and attention of one sample, forward.
  double flops(std::int64_t num_states) const;

  const QFormerConfig& config() const { return config_; }
  std::int64_t encoder_width() const { return encoder_width_; }

 private:
  QFormerConfig config_;
  std::int64_t encoder_width_;
  at::Tensor queries_1QD_;
  nn::LayerNorm input_norm_;
  std::vector<QFormerLayer> layers_;
};

}  // namespace vllama::models
