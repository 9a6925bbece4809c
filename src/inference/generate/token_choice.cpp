#include "inference/generate/token_choice.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/error.h"

namespace vllama::inference {
namespace {

bool comes_before(const ScoredToken& a, const ScoredToken& b) {
  return a.score != b.score ? a.score > b.score : a.id < b.id;
}

void keep_first(std::vector<ScoredToken>& candidates, std::size_t count) {
  if (candidates.size() <= count) return;
  const auto last_kept = candidates.begin() + static_cast<std::ptrdiff_t>(count - 1);
  std::nth_element(candidates.begin(), last_kept, candidates.end(), comes_before);
  candidates.resize(count);
}

// exp of what a logit is below `top`, at this temperature.
double weight(float logit, float top, double temperature) {
  return std::exp((static_cast<double>(logit) - top) / temperature);
}

}  // namespace

void require_numbers(std::span<const float> logits) {
  if (std::ranges::any_of(logits, [](float logit) { return std::isnan(logit); }))
    throw RunFailure(
        "the language model's output is not a number: its weights are damaged, or overflow in this "
        "precision");
}

std::vector<ScoredToken> largest(std::span<const float> scores, std::size_t count) {
  std::vector<ScoredToken> kept;
  float threshold = -std::numeric_limits<float>::infinity();
  for (std::size_t id = 0; id < scores.size(); ++id) {
    if (scores[id] <= threshold) continue;
    kept.push_back({scores[id], static_cast<std::int64_t>(id)});
    if (kept.size() < 2 * count) continue;
    keep_first(kept, count);
    threshold = kept.back().score;
  }
  keep_first(kept, count);
  std::ranges::sort(kept, comes_before);
  return kept;
}

void penalize_repetition(std::span<float> logits, std::span<const std::int64_t> answer_ids,
                         double penalty) {
  if (penalty == 1) return;
  const auto factor = static_cast<float>(penalty);
  for (const std::int64_t id : std::set(answer_ids.begin(), answer_ids.end())) {
    float& logit = logits[static_cast<std::size_t>(id)];
    logit = logit > 0 ? logit / factor : logit * factor;
  }
}

std::int64_t most_probable(std::span<const float> logits) {
  require_numbers(logits);
  return std::ranges::max_element(logits) - logits.begin();
}

std::vector<WeighedToken> drawable_tokens(std::span<const float> logits,
                                          const GenerationConfig& config) {
  require_numbers(logits);
  const float top = *std::ranges::max_element(logits);
  const std::size_t limit = config.top_k == 0
                                ? logits.size()
                                : std::min(static_cast<std::size_t>(config.top_k), logits.size());
  std::vector<ScoredToken> candidates;
  double total = 0;
  if (config.top_k > 0) {
    candidates = largest(logits, limit);
    for (const ScoredToken& candidate : candidates)
      total += weight(candidate.score, top, config.temperature);
  } else {
    for (const float logit : logits) total += weight(logit, top, config.temperature);
  }
  // Without top_k most of the tokens are never looked at: only as many as top_p may take are
  // sorted.
  for (std::size_t count = std::min<std::size_t>(limit, 256);;
       count = std::min(limit, 16 * count)) {
    if (config.top_k == 0) candidates = largest(logits, count);
    std::vector<WeighedToken> kept;
    double sum = 0;
    for (const ScoredToken& candidate : candidates) {
      const double share = weight(candidate.score, top, config.temperature);
      kept.push_back({candidate.id, share});
      sum += share;
      if (config.top_p < 1 && sum >= config.top_p * total) break;
    }
    const bool reached = config.top_p < 1 && sum >= config.top_p * total;
    if (!reached && candidates.size() < limit && count < limit) continue;
    for (WeighedToken& token : kept) token.probability /= sum;
    return kept;
  }
}

std::int64_t draw_token(std::span<const float> logits, const GenerationConfig& config,
                        RandomStream random) {
  const std::vector<WeighedToken> tokens = drawable_tokens(logits, config);
  double rest = random.uniform();
  for (const WeighedToken& token : tokens) {
    rest -= token.probability;
    if (rest < 0) return token.id;
  }
  return tokens.back().id;
}

std::int64_t choose_token(std::span<float> logits, std::span<const std::int64_t> answer_ids,
                          std::uint64_t prompt_id, const GenerationConfig& config) {
  penalize_repetition(logits, answer_ids, config.repetition_penalty);
  if (!config.do_sample) return most_probable(logits);
  return draw_token(
      logits, config,
      RandomStream(random_key({config.seed, static_cast<std::uint64_t>(RandomPurpose::answer),
                               prompt_id, answer_ids.size()})));
}

}  // namespace vllama::inference
