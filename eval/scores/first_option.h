// Answers in words to questions with options: which option the model named.
#pragma once

#include <optional>

#include "eval/scores/measurement.h"

namespace vllama::eval {

// The place in `options` of the one whose words occur first in `answer`, one next to the other; of
// several that begin at the same word, the longest. Case and punctuation do not count: a word is a
// run of letters, digits and bytes that are not ASCII. Nothing if the answer names none. Throws
// UserError for an option without a word.
std::optional<std::size_t> first_named_option(const std::string& answer,
                                              const std::vector<std::string>& options);

// Share of answers of which the option named first is a right one. Parts: types. Throws UserError
// naming the question if it has no options, or no reference among them.
Measurement first_option(const std::vector<Prediction>& predictions);

// Of a choice by likelihood, the same of what the model wrote beside it (Prediction::in_words).
// Nothing where that was not measured for every answer, or an option has no word.
std::optional<Measurement> first_option_in_words(std::vector<Prediction> predictions);

// The share of written answers that name any option. Such predictions only.
double share_that_names_an_option(const std::vector<Prediction>& predictions);

}  // namespace vllama::eval
