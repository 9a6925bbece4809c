#include "models/q_former.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/gelu.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "encoders/transformer_cost.h"
#include "nn/shape_text.h"

namespace vllama::models {
namespace {

constexpr double kBertEpsilon = 1e-12;

at::Tensor dropped(const at::Tensor& values_RD, std::int64_t num_samples, nn::Dropout& dropout) {
  dropout.next_site();
  return dropout(values_RD, 0, num_samples);
}

}  // namespace

BertAttention::BertAttention(const QFormerConfig& config, std::int64_t key_width)
    : query(config.width, config.width),
      key(key_width, config.width),
      value(key_width, config.width),
      output(config.width, config.width),
      norm(config.width, kBertEpsilon),
      num_heads(config.num_heads) {}

void BertAttention::declare(nn::ParameterList& list, const std::string& prefix) {
  query.declare(list, prefix + ".self.query");
  key.declare(list, prefix + ".self.key");
  value.declare(list, prefix + ".self.value");
  output.declare(list, prefix + ".output.dense");
  norm.declare(list, prefix + ".output.LayerNorm");
}

at::Tensor BertAttention::operator()(const at::Tensor& hidden_RD, const at::Tensor& states_SE,
                                     const nn::Segments& query_segments,
                                     const nn::Segments& state_segments,
                                     nn::Dropout& dropout) const {
  const auto heads = [this](const at::Tensor& rows) {
    return rows.view({rows.size(0), num_heads, -1});
  };
  const at::Tensor q = heads(query(hidden_RD)), k = heads(key(states_SE)),
                   v = heads(value(states_SE));
  dropout.next_site();
  const at::Tensor context_RHK =
      dropout.active()
          ? nn::attention_with_dropout(q, k, v, query_segments, state_segments, dropout)
          : nn::attention(q, k, v, query_segments, state_segments, /*causal=*/false);
  return norm(hidden_RD + dropped(output(context_RHK.flatten(1)), query_segments.count(), dropout));
}

QFormerLayer::QFormerLayer(const QFormerConfig& config, std::int64_t encoder_width,
                           bool looks_at_encoder)
    : self_attention(config, config.width),
      intermediate(config.width, config.mlp_width),
      output(config.mlp_width, config.width),
      norm(config.width, kBertEpsilon) {
  if (looks_at_encoder) cross_attention.emplace(config, encoder_width);
}

void QFormerLayer::declare(nn::ParameterList& list, const std::string& prefix) {
  self_attention.declare(list, prefix + ".attention");
  if (cross_attention) cross_attention->declare(list, prefix + ".crossattention");
  intermediate.declare(list, prefix + ".intermediate_query.dense");
  output.declare(list, prefix + ".output_query.dense");
  norm.declare(list, prefix + ".output_query.LayerNorm");
}

at::Tensor QFormerLayer::operator()(const at::Tensor& hidden_RD, const at::Tensor& states_SE,
                                    const nn::Segments& query_segments,
                                    const nn::Segments& state_segments,
                                    nn::Dropout& dropout) const {
  at::Tensor h = self_attention(hidden_RD, hidden_RD, query_segments, query_segments, dropout);
  if (cross_attention)
    h = (*cross_attention)(h, states_SE, query_segments, state_segments, dropout);
  return norm(h + dropped(output(at::gelu(intermediate(h))), query_segments.count(), dropout));
}

QFormer::QFormer(const QFormerConfig& config, std::int64_t encoder_width)
    : config_(config), encoder_width_(encoder_width), input_norm_(config.width, kBertEpsilon) {
  for (std::int64_t i = 0; i < config.num_layers; ++i)
    layers_.emplace_back(config, encoder_width, i % config.cross_attention_every == 0);
}

void QFormer::declare(nn::ParameterList& list, const PublishedPart& part) {
  if (config_.width % config_.num_heads != 0)
    throw UserError("model: the width of a Q-Former must be a multiple of its num_heads");
  const std::string name(part.beginning);
  if (part.kind == PartKind::queries) {
    list.push_back(
        {name, {1, config_.num_queries, config_.width}, &queries_1QD_, nn::normal(0.02)});
    return;
  }
  const std::string prefix = name + ".bert";
  input_norm_.declare(list, prefix + ".embeddings.LayerNorm");
  for (std::size_t i = 0; i < layers_.size(); ++i)
    layers_[i].declare(list, prefix + ".encoder.layer." + std::to_string(i));
}

at::Tensor QFormer::operator()(const at::Tensor& states_SE, const nn::Segments& state_segments,
                               nn::Dropout dropout) const {
  VLLAMA_ASSERT(states_SE.dim() == 2 && states_SE.size(1) == encoder_width_,
                fmt::format("encoder states must be [S, {}], not {}", encoder_width_,
                            nn::shape_text(states_SE)));
  const std::int64_t num_samples = state_segments.count();
  const auto query_segments = nn::Segments::equal(num_samples, config_.num_queries);
  const at::Tensor queries_RD = nn::in_type_of(input_norm_(queries_1QD_), states_SE)
                                    .expand({num_samples, config_.num_queries, config_.width})
                                    .reshape({-1, config_.width});
  at::Tensor h = dropped(queries_RD, num_samples, dropout);
  for (const QFormerLayer& layer : layers_)
    h = layer(h, states_SE, query_segments, state_segments, dropout);
  return h;
}

double QFormer::flops(std::int64_t num_states) const {
  using encoders::attention_flops;
  using encoders::product_flops;
  const auto queries = static_cast<double>(config_.num_queries);
  const auto width = static_cast<double>(config_.width);
  const auto states = static_cast<double>(num_states);
  const double self =
      product_flops(queries, width, 4 * width) + attention_flops(queries, queries, width);
  const double cross = product_flops(queries, width, 2 * width) +
                       2 * product_flops(states, static_cast<double>(encoder_width_), width) +
                       attention_flops(queries, states, width);
  const double feed_forward =
      2 * product_flops(queries, width, static_cast<double>(config_.mlp_width));
  const auto num_cross = std::ranges::count_if(
      layers_, [](const auto& layer) { return layer.cross_attention.has_value(); });
  return static_cast<double>(config_.num_layers) * (self + feed_forward) +
         static_cast<double>(num_cross) * cross;
}

}  // namespace vllama::models
