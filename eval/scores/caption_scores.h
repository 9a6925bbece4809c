// Metrics of captions, in the definitions of pycocoevalcap. `captions` are those of `predictions`;
// a missing answer counts as an empty caption. The tokenizer's name is in the facts.
#pragma once

#include "eval/scores/caption_text.h"
#include "eval/scores/measurement.h"

namespace vllama::eval {

// BLEU of the whole set, "bleu_1" to "bleu_4": clipped counts and the closest reference length are
// summed over samples.
std::vector<Measurement> bleu(const std::vector<Prediction>& predictions,
                              const TokenizedCaptions& captions);

// "rouge_l": mean over samples of the F-measure (beta 1.2) of the longest common subsequence,
// precision and recall each taken from its best reference.
Measurement rouge_l(const std::vector<Prediction>& predictions, const TokenizedCaptions& captions);

// "cider_d": CIDEr-D with sigma 6, times 10. Document frequencies are those of the references of
// all samples, in resamples too. Needs more than one sample to be other than zero.
Measurement cider_d(const std::vector<Prediction>& predictions, const TokenizedCaptions& captions);

// BLEU-1..4, meteor_exact_stem (meteor.h), ROUGE-L, CIDEr-D.
std::vector<Measurement> caption_measurements(const std::vector<Prediction>& predictions,
                                              const TokenizedCaptions& captions);

}  // namespace vllama::eval
