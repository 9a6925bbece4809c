#include "models/flops.h"

#include <numeric>

#include "encoders/transformer_cost.h"

namespace vllama::models {
namespace {

using encoders::attention_flops;
using encoders::product_flops;

constexpr double kTrainedPasses = 3;  // forward, gradients of activations, gradients of weights
constexpr double kAttentionBackward = 2.5;

// Forward through all of it, and backward through the blocks that train, or with adapters only to
// what is in front of them.
double passes_of_encoder(const Branch& branch, const encoders::Encoder& encoder) {
  const double share =
      static_cast<double>(branch.num_trained_blocks()) / static_cast<double>(encoder.num_blocks());
  return 1 + (branch.has_adapters() ? 1 : kTrainedPasses - 1) * share;
}

double decoder_linears_per_token(const language::LlamaConfig& config) {
  const auto width = static_cast<double>(config.width);
  const auto query_width = static_cast<double>(config.num_heads * config.head_width);
  const auto key_width = static_cast<double>(config.num_key_value_heads * config.head_width);
  return static_cast<double>(config.num_layers) *
         (product_flops(1, width, 2 * query_width + 2 * key_width) +
          product_flops(1, width, 3 * static_cast<double>(config.mlp_width)));
}

// A token attends to itself and those before it: half of all pairs.
double causal_attention(const language::LlamaConfig& config, double tokens) {
  const auto query_width = static_cast<double>(config.num_heads * config.head_width);
  return static_cast<double>(config.num_layers) * attention_flops(tokens, tokens, query_width) / 2;
}

void add_language(StepFlops& flops, const language::LlamaConfig& language, const StepShape& shape) {
  for (const std::int64_t length : shape.sequence_lengths) {
    const auto tokens = static_cast<double>(length);
    const double linears = tokens * decoder_linears_per_token(language);
    const double attended = causal_attention(language, tokens);
    flops.language_forward += linears + attended;
    flops.language_backward += linears + kAttentionBackward * attended;
  }
  flops.logits = 2 * product_flops(static_cast<double>(shape.num_logit_tokens),
                                   static_cast<double>(language.width),
                                   static_cast<double>(language.vocabulary_size));
}

}  // namespace

double StepFlops::total() const {
  return std::accumulate(encoders.begin(), encoders.end(), 0.0) + resampler + connector +
         language_forward + language_backward + logits;
}

StepFlops step_flops(const Branch& branch, const language::LlamaConfig& language,
                     const StepShape& shape) {
  StepFlops flops;
  const Connector& connector = branch.connector();
  const auto projection = [&](std::int64_t num_tokens) {
    return product_flops(static_cast<double>(num_tokens), static_cast<double>(connector.width()),
                         static_cast<double>(language.width));
  };
  for (std::size_t i = 0; i < shape.media.size(); ++i) {
    const encoders::Encoder& encoder = *branch.encoders().at(i);
    double& of_encoder = flops.encoders.emplace_back(0);
    for (const samples::MediaExtent& extent : shape.media[i]) {
      const auto units = static_cast<double>(extent.num_units);
      const MediumShape medium = shape_of(extent, branch.tokens_per_unit());
      of_encoder += units * encoder.cost_per_unit().flops * passes_of_encoder(branch, encoder);
      if (branch.resampler() != nullptr)
        flops.resampler += units * branch.resampler()->flops(encoder.tokens_per_unit());
      flops.connector +=
          kTrainedPasses * (connector.flops(medium) + projection(connector.num_tokens(medium)));
    }
  }
  add_language(flops, language, shape);
  return flops;
}

}  // namespace vllama::models
