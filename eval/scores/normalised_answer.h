// The normal form in which the answers of open-ended question answering are compared.
#pragma once

#include <string>
#include <string_view>

namespace vllama::eval {

struct NormalisationOptions {
  // As the evaluation code of VQA does it: only the first 32 full stops are looked at, for it
  // passes a regular-expression flag (re.UNICODE, 32) as a count.
  bool compat_32_dots = false;
};

// VQA normalisation (salesforce/LAVIS, vqa_eval.py): punctuation, number words from none to ten,
// articles, contractions, lower case for ASCII letters, single spaces. docs/metrics.md has the
// rules.
std::string normalised_answer(std::string_view text, const NormalisationOptions& options = {});

}  // namespace vllama::eval
