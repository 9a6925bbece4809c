// Answers to prompts, many at a time: each token is computed once, prompts are not padded, and what
// is finished leaves the batch.
#pragma once

#include <functional>
#include <string_view>

#include "inference/generate/answer_text.h"
#include "inference/generate/generation_config.h"
#include "inference/generate/prompt.h"

namespace vllama::inference {

struct Answer {
  std::vector<std::int64_t> ids;  // without stop tokens
  std::string text;               // up to the stop, without white space at its ends
  AnswerEnd end = AnswerEnd::none;
  std::int64_t num_prompt_tokens = 0, num_cached_tokens = 0, num_new_tokens = 0;
  double log_probability = 0;  // with beams: of all tokens made; 0 without
};

// Called after every token of an answer with its new text, which may be empty; false ends the
// answer. With beams only once, with the whole text.
using AnswerListener = std::function<bool(std::size_t prompt, std::string_view new_text)>;

// Tokens of a conversation that the model has read, for the next prompt that begins with them.
struct KeptTokens {
  std::optional<language::KeyValueCache> cache;  // one slot
  std::vector<std::int64_t> ids;                 // as Prompt::ids
};

// Throws UserError for settings that contradict each other.
void check_generation(const GenerationConfig& config);

// Most tokens of a prompt before an answer: what the context leaves for it; may be below 1.
std::int64_t max_prompt_tokens(const GenerationConfig& config, const language::LlamaConfig& model);

class Generator {
 public:
  // All but the config outlive the generator. Throws as check_generation().
  Generator(const language::Llama& model, const text::Tokenizer& tokenizer, const StopRules& rules,
            const GenerationConfig& config);
  // Without texts: answers are tokens.
  Generator(const language::Llama& model, const StopRules& rules, const GenerationConfig& config);

  // The answers, in the order of the prompts. On the CPU an answer does not depend, in any bit, on
  // what else is in the batch. Throws UserError if a prompt with its answer may be longer than the
  // context; RunFailure if the model's output is not a number.
  std::vector<Answer> operator()(std::span<const Prompt> prompts,
                                 const AnswerListener& listener = {}) const;

  // The answer to one prompt, without beams; reads only what `kept` does not hold, and keeps it.
  Answer answer(const Prompt& prompt, KeptTokens& kept, const AnswerListener& listener = {}) const;

  // Most tokens of a prompt: what the context leaves for it.
  std::int64_t max_prompt_tokens() const;
  const GenerationConfig& config() const { return config_; }

 private:
  struct Sequence;

  void check_length(const Prompt& prompt) const;
  language::KeyValueCache make_cache(std::int64_t num_slots, std::int64_t capacity) const;
  at::Tensor read_prompts(std::span<const Prompt> prompts, language::KeyValueCache& cache) const;
  std::vector<Answer> search_answers(std::span<const Prompt> prompts,
                                     const AnswerListener& listener) const;
  void write_answers(std::vector<Sequence> sequences, at::Tensor last_RH,
                     language::KeyValueCache& cache, const AnswerListener& listener,
                     std::span<Answer> answers) const;

  const language::Llama* model_;
  const text::Tokenizer* tokenizer_;
  const StopRules* rules_;
  GenerationConfig config_;
};

}  // namespace vllama::inference
