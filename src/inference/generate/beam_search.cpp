#include "inference/generate/beam_search.h"

#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "core/error.h"
#include "inference/generate/token_choice.h"

namespace vllama::inference {
namespace {

struct Beam {
  AnswerText text;
  double log_probability = 0;
  std::int64_t slot = 0;
};

struct Finished {
  BestBeam beam;
  double score;
};

struct Continuation {
  std::size_t beam;  // that it continues
  std::int64_t token;
  double log_probability;
};

class Search {
 public:
  Search(const language::Llama& model, const GenerationConfig& config,
         language::KeyValueCache& cache)
      : model_(model),
        config_(config),
        cache_(cache),
        num_prompt_tokens_(cache.length(0)),
        num_beams_(static_cast<std::size_t>(config.num_beams)) {}

  BestBeam operator()(const AnswerText& empty, at::Tensor last_RH) {
    running_ = {{empty, 0, 0}};
    for (std::int64_t length = 1; !running_.empty(); ++length) {
      take(best_continuations(last_RH), length);
      if (running_.empty() || cannot_improve(length)) break;
      last_RH = extend();
    }
    VLLAMA_ASSERT(!finished_.empty(), "the longest answers are finished ones");
    return finished_.front().beam;
  }

 private:
  double score(double log_probability, std::int64_t length) const {
    return log_probability / std::pow(static_cast<double>(length), config_.length_penalty);
  }

  std::vector<Continuation> best_continuations(const at::Tensor& last_RH) const {
    const at::Tensor log_p_RV =
        at::log_softmax(model_.logits(model_.final_norm(last_RH)), 1).to(at::kCPU).contiguous();
    std::vector<Continuation> all;
    for (std::size_t i = 0; i < running_.size(); ++i) {
      const at::Tensor log_p_V = log_p_RV[static_cast<std::int64_t>(i)];
      const std::span<float> log_p(log_p_V.mutable_data_ptr<float>(),
                                   static_cast<std::size_t>(log_p_V.numel()));
      require_numbers(log_p);
      penalize_repetition(log_p, running_[i].text.pushed(), config_.repetition_penalty);
      for (const ScoredToken& token : largest(log_p, 2 * num_beams_))
        all.push_back({i, token.id, running_[i].log_probability + token.score});
    }
    std::ranges::stable_sort(all, std::ranges::greater{}, &Continuation::log_probability);
    all.resize(std::min(all.size(), 2 * num_beams_));
    return all;
  }

  // Divides the continuations, which have `length` tokens, into finished and running ones.
  void take(const std::vector<Continuation>& continuations, std::int64_t length) {
    std::vector<Beam> next;
    for (std::size_t rank = 0; rank < continuations.size(); ++rank) {
      const Continuation& continuation = continuations[rank];
      const Beam& parent = running_[continuation.beam];
      Beam beam{parent.text, continuation.log_probability, parent.slot};
      AnswerEnd end = beam.text.push(continuation.token);
      if (end == AnswerEnd::none && length == config_.max_new_tokens) end = AnswerEnd::length;
      if (end == AnswerEnd::none) {
        if (next.size() < num_beams_) next.push_back(std::move(beam));
      } else if (rank < num_beams_) {
        finished_.push_back({{std::move(beam.text), end, beam.log_probability},
                             score(beam.log_probability, length)});
      }
    }
    std::ranges::stable_sort(finished_, std::ranges::greater{}, &Finished::score);
    if (finished_.size() > num_beams_)
      finished_.erase(finished_.begin() + static_cast<std::ptrdiff_t>(num_beams_), finished_.end());
    running_ = std::move(next);
  }

  bool cannot_improve(std::int64_t length) const {
    return finished_.size() == num_beams_ &&
           score(running_.front().log_probability, length) <= finished_.back().score;
  }

  // Gives each running beam a slot of its own, with what its parent's slot holds.
  void part_slots() {
    std::set<std::int64_t> free;
    for (std::int64_t slot = 0; slot < cache_.num_slots(); ++slot) free.insert(slot);
    for (const Beam& beam : running_) free.erase(beam.slot);
    std::set<std::int64_t> taken;
    for (Beam& beam : running_) {
      if (taken.insert(beam.slot).second) continue;
      const std::int64_t slot = free.extract(free.begin()).value();
      cache_.copy_from(cache_, beam.slot, slot, num_prompt_tokens_);
      beam.slot = slot;
    }
  }

  at::Tensor extend() {
    part_slots();
    std::vector<std::int64_t> tokens, slots;
    for (const Beam& beam : running_) {
      tokens.push_back(beam.text.pushed().back());
      slots.push_back(beam.slot);
    }
    const at::Tensor inputs_RH =
        model_.embed(at::tensor(tokens, at::kLong).to(model_.head().device()));
    return model_.extend(inputs_RH, nn::Segments::equal(std::ssize(slots), 1), slots, cache_);
  }

  const language::Llama& model_;
  const GenerationConfig& config_;
  language::KeyValueCache& cache_;
  std::int64_t num_prompt_tokens_;
  std::size_t num_beams_;
  std::vector<Beam> running_;       // best first
  std::vector<Finished> finished_;  // best first
};

}  // namespace

BestBeam beam_search(const language::Llama& model, const AnswerText& empty,
                     const GenerationConfig& config, const at::Tensor& last_1H,
                     language::KeyValueCache& cache) {
  return Search(model, config, cache)(empty, last_1H);
}

}  // namespace vllama::inference
