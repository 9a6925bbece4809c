#include "inference/generate/log_likelihood.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace vllama::inference {
namespace {

using Ids = std::vector<std::int64_t>;

// Logits of this many tokens exist at the same time.
constexpr std::int64_t kLogitRows = 256;

// ln p(targets[i]) given the hidden row i.
std::vector<double> log_probabilities(const language::Llama& model, const at::Tensor& hidden_NH,
                                      const Ids& targets) {
  std::vector<double> result;
  for (std::int64_t begin = 0; begin < hidden_NH.size(0); begin += kLogitRows) {
    const std::int64_t count = std::min(kLogitRows, hidden_NH.size(0) - begin);
    const at::Tensor targets_N1 =
        at::tensor(Ids(targets.begin() + begin, targets.begin() + begin + count), at::kLong)
            .to(hidden_NH.device())
            .unsqueeze(1);
    const at::Tensor chosen_N =
        at::log_softmax(model.logits(model.final_norm(hidden_NH.narrow(0, begin, count))), 1)
            .gather(1, targets_N1)
            .flatten()
            .to(at::kCPU, at::kDouble);
    for (std::int64_t i = 0; i < count; ++i) result.push_back(chosen_N[i].item<double>());
  }
  return result;
}

void check(const language::Llama& model, const Prompt& prompt, std::span<const Ids> continuations) {
  for (const Ids& ids : continuations) {
    for (const std::int64_t id : ids)
      if (id < 0 || id >= model.config().vocabulary_size)
        throw UserError(fmt::format("token {} of a continuation has no embedding", id));
    if (prompt.length() + std::ssize(ids) > model.config().max_positions)
      throw UserError(fmt::format(
          "a prompt of {} tokens and a continuation of {} are longer than the {} positions of the "
          "language model",
          prompt.length(), ids.size(), model.config().max_positions));
  }
}

// Continuations [begin, end) whose inner tokens are read together.
std::size_t end_of_group(std::span<const Ids> continuations, std::size_t begin,
                         std::int64_t tokens_at_once) {
  std::size_t end = begin;
  for (std::int64_t num_tokens = 0; end < continuations.size(); ++end) {
    num_tokens += std::ssize(continuations[end]);
    if (end > begin && num_tokens > tokens_at_once) break;
  }
  return end;
}

class Reading {
 public:
  Reading(const language::Llama& model, const Prompt& prompt, std::span<const Ids> continuations)
      : model_(model), continuations_(continuations), prompt_(new_cache(1, prompt.length())) {
    const std::int64_t slot = 0;
    const at::Tensor hidden_TH =
        model.extend(prompt.inputs_TH, nn::Segments({prompt.length()}), {&slot, 1}, prompt_);
    last_1H_ = hidden_TH.narrow(0, prompt.length() - 1, 1);
  }

  // Of the continuations [begin, end).
  std::vector<LogLikelihood> group(std::size_t begin, std::size_t end) const {
    std::vector<at::Tensor> predicting;
    Ids targets;
    const at::Tensor inner_NH = inner_states(begin, end);
    std::int64_t row = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const Ids& ids = continuations_[i];
      if (ids.empty()) continue;
      targets.insert(targets.end(), ids.begin(), ids.end());
      predicting.push_back(last_1H_);
      if (ids.size() == 1) continue;
      predicting.push_back(inner_NH.narrow(0, row, std::ssize(ids) - 1));
      row += std::ssize(ids) - 1;
    }
    std::vector<LogLikelihood> results;
    if (targets.empty()) return std::vector<LogLikelihood>(end - begin);
    const auto each = log_probabilities(model_, at::cat(predicting), targets);
    auto next = each.begin();
    for (std::size_t i = begin; i < end; ++i) {
      LogLikelihood& result = results.emplace_back();
      result.num_tokens = std::ssize(continuations_[i]);
      for (std::int64_t k = 0; k < result.num_tokens; ++k) result.sum += *next++;
    }
    return results;
  }

 private:
  language::KeyValueCache new_cache(std::int64_t num_slots, std::int64_t capacity) const {
    return {model_.config(), model_.dtype(), model_.head().device(), num_slots, capacity};
  }

  // Hidden states of all tokens but the last of each continuation, end to end.
  at::Tensor inner_states(std::size_t begin, std::size_t end) const {
    Ids tokens, lengths, slots;
    for (std::size_t i = begin; i < end; ++i) {
      const Ids& ids = continuations_[i];
      if (ids.size() < 2) continue;
      tokens.insert(tokens.end(), ids.begin(), ids.end() - 1);
      lengths.push_back(std::ssize(ids) - 1);
      slots.push_back(std::ssize(slots));
    }
    if (tokens.empty()) return {};
    language::KeyValueCache cache =
        new_cache(std::ssize(slots), prompt_.length(0) + *std::ranges::max_element(lengths));
    for (const std::int64_t slot : slots) cache.copy_from(prompt_, 0, slot);
    return model_.extend(model_.embed(at::tensor(tokens, at::kLong).to(model_.head().device())),
                         nn::Segments(lengths), slots, cache);
  }

  const language::Llama& model_;
  std::span<const Ids> continuations_;
  language::KeyValueCache prompt_;
  at::Tensor last_1H_;
};

}  // namespace

std::vector<LogLikelihood> log_likelihoods(const language::Llama& model, const Prompt& prompt,
                                           std::span<const Ids> continuations,
                                           std::int64_t tokens_at_once) {
  const at::AutoGradMode no_graph(false);
  check(model, prompt, continuations);
  std::vector<LogLikelihood> results;
  if (continuations.empty()) return results;
  const Reading reading(model, prompt, continuations);
  for (std::size_t begin = 0; begin < continuations.size();) {
    const std::size_t end = end_of_group(continuations, begin, tokens_at_once);
    std::ranges::copy(reading.group(begin, end), std::back_inserter(results));
    begin = end;
  }
  return results;
}

}  // namespace vllama::inference
