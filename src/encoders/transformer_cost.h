// What a transformer over patches costs, by its sizes.
#pragma once

#include "encoders/encoder.h"

namespace vllama::encoders {

// A product of [rows, inputs] with [inputs, outputs]; a multiplication and its addition count as
// two.
constexpr double product_flops(double rows, double inputs, double outputs) {
  return 2 * rows * inputs * outputs;
}

// Scores and their weighted sum, `queries` times `keys`, in all heads together.
constexpr double attention_flops(double queries, double keys, double width) {
  return 2 * product_flops(queries, keys, width);
}

// Of a unit whose tokens are a class token and patches with `patch_elements` numbers each;
// `extra_keys` are attended to beside the tokens. Without gradients about four widths of the
// feed-forward layer are in memory for each token.
template <class Sizes>
EncoderCost transformer_cost(const Sizes& sizes, std::int64_t patch_elements,
                             double extra_keys = 0) {
  const auto tokens = static_cast<double>(sizes.num_tokens());
  const auto width = static_cast<double>(sizes.width);
  const auto mlp_width = static_cast<double>(sizes.mlp_width);
  const double block = product_flops(tokens, width, 4 * width) +
                       2 * product_flops(tokens, width, mlp_width) +
                       attention_flops(tokens, tokens + extra_keys, width);
  return {.flops = static_cast<double>(sizes.num_blocks) * block +
                   product_flops(tokens - 1, static_cast<double>(patch_elements), width),
          .working_numbers = sizes.num_tokens() * 4 * sizes.mlp_width};
}

}  // namespace vllama::encoders
