// Metrics of open-ended question answering. Each looks at predictions in annotation order; one
// without an answer, or with an empty one, is wrong. All throw UserError naming the question for a
// prediction without references, and if there are no predictions.
#pragma once

#include "eval/scores/measurement.h"
#include "eval/scores/normalised_answer.h"

namespace vllama::eval {

// Share of answers whose normal form is that of a reference. Parts: the type where questions have
// one, else the question word (what, who, how, when, where, other).
Measurement exact_match(const std::vector<Prediction>& predictions,
                        const NormalisationOptions& options = {});

// Share of answers in whose normal form the words of a reference stand next to each other. Never
// below exact_match; same parts.
Measurement contained(const std::vector<Prediction>& predictions,
                      const NormalisationOptions& options = {});

// VQAv2 accuracy, made for ten references: the mean over the sets that leave one reference out of
// min(1, number of equal ones / 3). Needs at least two references.
Measurement vqa_v2(const std::vector<Prediction>& predictions,
                   const NormalisationOptions& options = {});

// ActivityNet-QA as its evaluation/eval.py has it (MILVLG/activitynet-qa): raw text equality.
//   activitynet_official  all questions; parts: the types 0 to 8
//   free                  questions of the types 3 to 8
//   free_official         right ones among the types 3 to 8, divided by the number of questions of
//                         all types but the three that occur first in the annotation: the official
//                         program takes them for the types 0 to 2. May exceed 1.
// The last two are left out when they would divide by zero. Types other than 0 to 8 throw
// UserError.
std::vector<Measurement> activitynet_official(const std::vector<Prediction>& predictions);

// Share of right replies, MVBench style (check_ans): the first word of the reply without full stops
// lies in the first word of the right option, or the latter in the first word of the reply. Both in
// lower case. Parts: tasks (types).
Measurement option_letter(const std::vector<Prediction>& predictions);

// Share of questions whose right option has the greatest likelihood, the first of equal ones
// counting. Needs options and their scores; the reference is the text of the right option. Parts:
// tasks (types).
Measurement option_likelihood(const std::vector<Prediction>& predictions);

// The mean over parts of a mean measurement, as MVBench reports it.
Measurement mean_of_parts(const Measurement& measurement, const std::string& name);

}  // namespace vllama::eval
