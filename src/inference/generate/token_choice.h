// Which token comes next, given the model's numbers for all of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/random.h"
#include "inference/generate/generation_config.h"

namespace vllama::inference {

struct WeighedToken {
  std::int64_t id;
  double probability;
};

struct ScoredToken {
  float score;
  std::int64_t id;
};

// Throws RunFailure if one of the model's numbers is not a number.
void require_numbers(std::span<const float> logits);

// The `count` tokens with the largest numbers, in their order; of equal ones the first.
std::vector<ScoredToken> largest(std::span<const float> scores, std::size_t count);

// Divides the positive logits, and multiplies the negative ones, of the tokens of an answer (Keskar
// et al., arXiv 1909.05858). A token counts once.
void penalize_repetition(std::span<float> logits, std::span<const std::int64_t> answer_ids,
                         double penalty);

// The token with the largest logit; of equal ones the first. Throws RunFailure if a logit is not a
// number.
std::int64_t most_probable(std::span<const float> logits);

// The tokens that may be drawn, most probable first, with probabilities that sum to 1: logits are
// divided by the temperature; the top_k largest stay; of those the fewest whose probabilities reach
// top_p together. Throws RunFailure if a logit is not a number.
std::vector<WeighedToken> drawable_tokens(std::span<const float> logits,
                                          const GenerationConfig& config);

// Draws from drawable_tokens().
std::int64_t draw_token(std::span<const float> logits, const GenerationConfig& config,
                        RandomStream random);

// The next token by all of `config` but its beams. Changes `logits`. The random number depends on
// nothing but the seed, the prompt and the length of the answer so far.
std::int64_t choose_token(std::span<float> logits, std::span<const std::int64_t> answer_ids,
                          std::uint64_t prompt_id, const GenerationConfig& config);

}  // namespace vllama::inference
