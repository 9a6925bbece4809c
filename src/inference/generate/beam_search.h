// The best of several answers that are followed at the same time.
#pragma once

#include "inference/generate/answer_text.h"
#include "inference/generate/generation_config.h"
#include "language/llama.h"

namespace vllama::inference {

struct BestBeam {
  AnswerText text;
  AnswerEnd end;
  double log_probability;  // of all its tokens, stop tokens included
};

// Beam search as transformers 4.57 defines it with early_stopping = False. In a step, of all
// continuations of the n = num_beams running answers by one token the 2n most probable are taken.
// Of these, those that end and are among the first n become finished, with the score
//   (sum of ln p of their tokens) / (number of their tokens) ^ length_penalty,
// and the n best that do not end run on. The n best finished ones are kept. It is over when there
// are n of them and the best running answer, scored at its present length, is not better than the
// worst of them; or when nothing can run on. A repetition penalty acts on ln p.
//
// `cache` has n slots, all holding the prompt; last_1H is the hidden row of its last token.
BestBeam beam_search(const language::Llama& model, const AnswerText& empty,
                     const GenerationConfig& config, const at::Tensor& last_1H,
                     language::KeyValueCache& cache);

}  // namespace vllama::inference
