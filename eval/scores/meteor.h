// METEOR with the two of its matchers that need no word lists: equal words, and equal stems.
#pragma once

#include <cstdint>

#include "eval/scores/caption_text.h"
#include "eval/scores/measurement.h"

namespace vllama::eval {

// The alignment of two texts, and what a score needs of it.
struct MeteorAlignment {
  std::int64_t num_exact = 0, num_stem = 0;  // matched pairs of words
  std::int64_t num_chunks = 0;               // runs of pairs that are adjacent in both texts
};

// Matches each word with at most one, as the program of METEOR 1.5 does: pairs that leave no choice
// first; then the most pairs of equal words, the fewest chunks, the least sum of distances between
// places, among what a beam of 40 partial alignments finds from left to right.
MeteorAlignment meteor_alignment(const Words& hypothesis, const Words& reference);

// "meteor_exact_stem": METEOR 1.5 (Denkowski and Lavie 2014) with its English parameters alpha
// 0.85, beta 0.2, gamma 0.6 and matcher weights 1 (exact) and 0.6 (stem, Porter 2), without
// synonyms, paraphrases and the weights of function words: what the official program gives with -m
// 'exact stem' -w '1.0 0.6' -p '0.85 0.2 0.6 0.5'. Per sample the best reference counts; the whole
// set's value is the formula on the summed counts of those. Below the usual METEOR, so not to be
// compared with published values.
Measurement meteor_exact_stem(const std::vector<Prediction>& predictions,
                              const TokenizedCaptions& captions);

}  // namespace vllama::eval
