// The text of an answer while its tokens are made: what is certain, and where it stops.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "text/chat.h"
#include "text/tokenizers/tokenizer.h"

namespace vllama::inference {

// An answer ends with any of these sequences of tokens, or where any of these texts begins.
struct StopRules {
  std::vector<std::vector<std::int64_t>> sequences;
  std::vector<std::string> texts;
};

StopRules stop_rules(const text::Tokenizer& tokenizer, const text::PromptLayout& layout);

enum class AnswerEnd {
  none,       // goes on
  end_token,  // the model ended it
  stop_text,  // a stop text, or its tokens
  length,     // max_new_tokens
  cancelled,  // the listener did not want more
};
// "end_token" and so on.
std::string_view name_of(AnswerEnd end);

class AnswerText {
 public:
  // Both outlive the object. Without a tokenizer tokens have no text.
  AnswerText(const text::Tokenizer* tokenizer, const StopRules& rules)
      : tokenizer_(tokenizer), rules_(&rules) {}

  // Takes the next token; the answer goes on if it returns AnswerEnd::none.
  AnswerEnd push(std::int64_t id);

  // All tokens that were pushed.
  const std::vector<std::int64_t>& pushed() const { return ids_; }
  // Those of the answer: without stop tokens, and without tokens behind a stop text.
  std::vector<std::int64_t> answer_ids() const;
  // The text up to the stop, without white space at its ends.
  std::string text() const;

  // What has become certain since the last call: never a part of a character, of a stop text or of
  // white space at the end. All pieces together are text(), once `is_whole`.
  std::string take(bool is_whole = false);

 private:
  std::string decoded(std::size_t num_ids) const;

  const text::Tokenizer* tokenizer_;
  const StopRules* rules_;
  std::vector<std::int64_t> ids_;
  std::size_t num_stop_ids_ = 0;
  std::string decoded_;                              // of all but the stop ids
  std::size_t stop_text_begin_ = std::string::npos;  // in decoded_
  std::string taken_;
};

}  // namespace vllama::inference
