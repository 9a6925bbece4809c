// How probable given continuations of a prompt are: for multiple choice, retrieval and perplexity.
#pragma once

#include "inference/generate/prompt.h"

namespace vllama::inference {

struct LogLikelihood {
  double sum = 0;  // of ln p(token), over the tokens of the continuation
  std::int64_t num_tokens = 0;

  double per_token() const { return num_tokens == 0 ? 0 : sum / static_cast<double>(num_tokens); }
};

// One result for each continuation (token ids, no BOS; may be empty). The prompt is read once;
// continuations are read together, up to `tokens_at_once` tokens at a time, with their softmax in
// fp32. A result may differ in its last bits with what it is read with. Throws UserError if prompt
// and continuation are longer than the positions of the model or a token has no embedding.
std::vector<LogLikelihood> log_likelihoods(const language::Llama& model, const Prompt& prompt,
                                           std::span<const std::vector<std::int64_t>> continuations,
                                           std::int64_t tokens_at_once = 1024);

}  // namespace vllama::inference
