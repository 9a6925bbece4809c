#include "inference/generate/generator.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "inference/generate/beam_search.h"
#include "inference/generate/token_choice.h"

namespace vllama::inference {

// An answer under way.
struct Generator::Sequence {
  std::size_t prompt;  // number in the batch
  std::uint64_t id;
  std::int64_t slot;
  AnswerText text;
};

void check_generation(const GenerationConfig& config) {
  if (config.num_beams > 1 && config.do_sample)
    throw UserError(
        "num_beams above 1 follows the most probable answers: leave do_sample off, or take one "
        "beam");
}

std::int64_t max_prompt_tokens(const GenerationConfig& config, const language::LlamaConfig& model) {
  return std::min(config.max_context_tokens, model.max_positions) - config.max_new_tokens;
}

Generator::Generator(const language::Llama& model, const text::Tokenizer& tokenizer,
                     const StopRules& rules, const GenerationConfig& config)
    : Generator(model, rules, config) {
  tokenizer_ = &tokenizer;
}

Generator::Generator(const language::Llama& model, const StopRules& rules,
                     const GenerationConfig& config)
    : model_(&model), tokenizer_(nullptr), rules_(&rules), config_(config) {
  check_generation(config);
}

std::int64_t Generator::max_prompt_tokens() const {
  return inference::max_prompt_tokens(config_, model_->config());
}

void Generator::check_length(const Prompt& prompt) const {
  VLLAMA_ASSERT(prompt.length() > 0 && prompt.inputs_TH.size(0) == prompt.length(),
                fmt::format("every embedding of a prompt has an id: {} ids for {} embeddings",
                            prompt.length(), prompt.inputs_TH.size(0)));
  if (prompt.length() > max_prompt_tokens())
    throw UserError(fmt::format(
        "a prompt of {} tokens and an answer of up to {} do not fit into a context of {} tokens: "
        "lower max_new_tokens, or shorten the question",
        prompt.length(), config_.max_new_tokens, max_prompt_tokens() + config_.max_new_tokens));
}

language::KeyValueCache Generator::make_cache(std::int64_t num_slots, std::int64_t capacity) const {
  return {model_->config(), model_->dtype(), model_->head().device(), num_slots, capacity};
}

// Prompt i into slot i -> the last hidden row of each. The CPU reads them one by one: a matrix
// product may round differently for another number of sequences.
at::Tensor Generator::read_prompts(std::span<const Prompt> prompts,
                                   language::KeyValueCache& cache) const {
  const std::size_t at_once = model_->head().is_cpu() ? 1 : prompts.size();
  std::vector<at::Tensor> last_rows;
  for (std::size_t begin = 0; begin < prompts.size(); begin += at_once) {
    std::vector<at::Tensor> inputs;
    std::vector<std::int64_t> lengths, slots, ends;
    for (std::size_t i = begin; i < std::min(begin + at_once, prompts.size()); ++i) {
      inputs.push_back(prompts[i].inputs_TH);
      lengths.push_back(prompts[i].length());
      slots.push_back(static_cast<std::int64_t>(i));
      ends.push_back((ends.empty() ? -1 : ends.back()) + lengths.back());
    }
    const at::Tensor hidden_TH =
        model_->extend(at::cat(inputs), nn::Segments(lengths), slots, cache);
    last_rows.push_back(
        hidden_TH.index_select(0, at::tensor(ends, at::kLong).to(hidden_TH.device())));
  }
  return at::cat(last_rows);
}

void Generator::write_answers(std::vector<Sequence> sequences, at::Tensor last_RH,
                              language::KeyValueCache& cache, const AnswerListener& listener,
                              std::span<Answer> answers) const {
  while (!sequences.empty()) {
    const at::Tensor logits_RV =
        model_->logits(model_->final_norm(last_RH)).to(at::kCPU).contiguous();
    std::vector<Sequence> unfinished;
    std::vector<std::int64_t> tokens, slots;
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      Sequence& sequence = sequences[i];
      const at::Tensor logits_V = logits_RV[static_cast<std::int64_t>(i)];
      const std::int64_t token = choose_token(
          {logits_V.mutable_data_ptr<float>(), static_cast<std::size_t>(logits_V.numel())},
          sequence.text.pushed(), sequence.id, config_);
      AnswerEnd end = sequence.text.push(token);
      const auto num_made = static_cast<std::int64_t>(sequence.text.pushed().size());
      if (end == AnswerEnd::none && num_made == config_.max_new_tokens) end = AnswerEnd::length;
      if (listener && !listener(sequence.prompt, sequence.text.take(end != AnswerEnd::none)) &&
          end == AnswerEnd::none)
        end = AnswerEnd::cancelled;
      if (end == AnswerEnd::none) {
        tokens.push_back(token);
        slots.push_back(sequence.slot);
        unfinished.push_back(std::move(sequence));
        continue;
      }
      Answer& answer = answers[sequence.prompt];
      answer.ids = sequence.text.answer_ids();
      answer.text = sequence.text.text();
      answer.end = end;
      answer.num_new_tokens = num_made;
    }
    sequences = std::move(unfinished);
    if (sequences.empty()) return;
    const at::Tensor inputs_RH = model_->embed(at::tensor(tokens, at::kLong).to(last_RH.device()));
    last_RH =
        model_->extend(inputs_RH, nn::Segments::equal(std::ssize(sequences), 1), slots, cache);
  }
}

std::vector<Answer> Generator::search_answers(std::span<const Prompt> prompts,
                                              const AnswerListener& listener) const {
  std::vector<Answer> answers(prompts.size());
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    language::KeyValueCache cache =
        make_cache(config_.num_beams, prompts[i].length() + config_.max_new_tokens);
    const at::Tensor last_1H = read_prompts(prompts.subspan(i, 1), cache);
    for (std::int64_t slot = 1; slot < config_.num_beams; ++slot) cache.copy_from(cache, 0, slot);
    const BestBeam best =
        beam_search(*model_, AnswerText(tokenizer_, *rules_), config_, last_1H, cache);
    answers[i] = {.ids = best.text.answer_ids(),
                  .text = best.text.text(),
                  .end = best.end,
                  .num_prompt_tokens = prompts[i].length(),
                  .num_new_tokens = std::ssize(best.text.pushed()),
                  .log_probability = best.log_probability};
    if (listener) listener(i, answers[i].text);
  }
  return answers;
}

std::vector<Answer> Generator::operator()(std::span<const Prompt> prompts,
                                          const AnswerListener& listener) const {
  const at::AutoGradMode no_graph(false);
  for (const Prompt& prompt : prompts) check_length(prompt);
  if (config_.num_beams > 1) return search_answers(prompts, listener);
  std::vector<Answer> answers(prompts.size());
  if (prompts.empty()) return answers;
  std::int64_t longest = 0;
  std::vector<Sequence> sequences;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    longest = std::max(longest, prompts[i].length());
    answers[i].num_prompt_tokens = prompts[i].length();
    sequences.push_back(
        {i, prompts[i].id, static_cast<std::int64_t>(i), AnswerText(tokenizer_, *rules_)});
  }
  language::KeyValueCache cache = make_cache(std::ssize(prompts), longest + config_.max_new_tokens);
  const at::Tensor last_RH = read_prompts(prompts, cache);
  write_answers(std::move(sequences), last_RH, cache, listener, answers);
  return answers;
}

Answer Generator::answer(const Prompt& prompt, KeptTokens& kept,
                         const AnswerListener& listener) const {
  const at::AutoGradMode no_graph(false);
  check_length(prompt);
  const std::int64_t capacity = max_prompt_tokens() + config_.max_new_tokens;
  if (!kept.cache || kept.cache->capacity() < capacity) {
    kept.cache.emplace(make_cache(1, capacity));
    kept.ids.clear();
  }
  const auto [end_kept, end_prompt] = std::ranges::mismatch(kept.ids, prompt.ids);
  const std::int64_t num_equal =
      std::min({static_cast<std::int64_t>(end_prompt - prompt.ids.begin()), prompt.length() - 1,
                kept.cache->length(0)});
  kept.cache->shorten(0, num_equal);
  kept.ids = prompt.ids;
  const std::int64_t slot = 0, num_new = prompt.length() - num_equal;
  const at::Tensor hidden_TH = model_->extend(prompt.inputs_TH.narrow(0, num_equal, num_new),
                                              nn::Segments({num_new}), {&slot, 1}, *kept.cache);
  std::vector<Answer> answers(1);
  answers[0].num_prompt_tokens = prompt.length();
  answers[0].num_cached_tokens = num_equal;
  write_answers({{0, prompt.id, slot, AnswerText(tokenizer_, *rules_)}},
                hidden_TH.narrow(0, num_new - 1, 1), *kept.cache, listener, answers);
  kept.ids.insert(kept.ids.end(), answers[0].ids.begin(), answers[0].ids.end());
  kept.ids.resize(std::min(kept.ids.size(), static_cast<std::size_t>(kept.cache->length(slot))));
  return answers[0];
}

}  // namespace vllama::inference
