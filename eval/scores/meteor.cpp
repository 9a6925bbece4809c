#include "eval/scores/meteor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <tuple>

#include "eval/scores/porter2.h"

namespace vllama::eval {
namespace {

constexpr std::size_t kBeamWidth = 40;
constexpr double kAlpha = 0.85, kBeta = 0.2, kGamma = 0.6;
constexpr double kExactWeight = 1, kStemWeight = 0.6;

enum Sum { kExact, kStem, kChunks, kHypothesisLength, kReferenceLength, kNumSums };

struct Candidate {
  std::size_t place;  // in the reference
  bool is_exact;
};

// Matches of the first words of a hypothesis.
struct Partial {
  MeteorAlignment counts;
  std::int64_t distance = 0;
  std::vector<bool> is_used;  // per word of the reference
  std::int64_t last_hypothesis = -2, last_reference = -2;

  // The less, the better. Pairs of stems count nothing here: the official program sums weights, of
  // which theirs is 0.6, in whole numbers.
  auto rank() const { return std::tuple(-counts.num_exact, counts.num_chunks, distance); }
};

std::vector<std::string> stems_of(const Words& words) {
  std::vector<std::string> stems;
  for (const std::string& word : words) stems.push_back(porter2_stem(word));
  return stems;
}

Partial extended(const Partial& partial, std::size_t place, const Candidate& candidate) {
  Partial next = partial;
  const auto hypothesis = static_cast<std::int64_t>(place);
  const auto reference = static_cast<std::int64_t>(candidate.place);
  ++(candidate.is_exact ? next.counts.num_exact : next.counts.num_stem);
  const bool continues =
      hypothesis == partial.last_hypothesis + 1 && reference == partial.last_reference + 1;
  if (!continues) ++next.counts.num_chunks;
  next.is_used[candidate.place] = true;
  next.last_hypothesis = hypothesis;
  next.last_reference = reference;
  return next;
}

// For each word of the hypothesis the words of the reference that it could be matched with.
std::vector<std::vector<Candidate>> candidates_of(const Words& hypothesis, const Words& reference) {
  const std::vector<std::string> hypothesis_stems = stems_of(hypothesis);
  const std::vector<std::string> reference_stems = stems_of(reference);
  std::vector<std::vector<Candidate>> candidates(hypothesis.size());
  for (std::size_t place = 0; place < hypothesis.size(); ++place) {
    for (std::size_t i = 0; i < reference.size(); ++i) {
      const bool is_exact = hypothesis[place] == reference[i];
      if (is_exact || hypothesis_stems[place] == reference_stems[i])
        candidates[place].push_back({i, is_exact});
    }
  }
  return candidates;
}

// `is_definite`: neither word could be matched otherwise.
std::vector<Partial> next_beam(std::vector<Partial> beam, std::size_t place,
                               const std::vector<Candidate>& candidates, bool is_definite) {
  std::vector<Partial> next;
  for (Partial& partial : beam) {
    for (const Candidate& candidate : candidates) {
      if (partial.is_used[candidate.place]) continue;
      next.push_back(extended(partial, place, candidate));
      // The official program charges a pair's distance to the alternatives that it tries later.
      const std::int64_t distance =
          std::abs(static_cast<std::int64_t>(place) - static_cast<std::int64_t>(candidate.place));
      (is_definite ? next.back() : partial).distance += distance;
    }
    if (!is_definite) next.push_back(partial);  // the word stays without a match
  }
  std::ranges::stable_sort(next, {}, &Partial::rank);
  if (next.size() > kBeamWidth) next.erase(next.begin() + kBeamWidth, next.end());
  return next;
}

double meteor_value(std::span<const double> sums) {
  const double num_matches = sums[kExact] + sums[kStem];
  if (num_matches == 0) return 0;
  const double weighted = kExactWeight * sums[kExact] + kStemWeight * sums[kStem];
  const double precision = weighted / sums[kHypothesisLength];
  const double recall = weighted / sums[kReferenceLength];
  const double mean = precision * recall / (kAlpha * precision + (1 - kAlpha) * recall);
  const double fragmentation = sums[kChunks] / num_matches;
  return mean * (1 - kGamma * std::pow(fragmentation, kBeta));
}

std::array<double, kNumSums> best_sums(const CaptionWords& words) {
  std::array<double, kNumSums> best{};
  double best_value = -1;
  for (const Words& reference : words.references) {
    MeteorAlignment alignment = meteor_alignment(words.hypothesis, reference);
    // A text that is matched as a whole counts as not fragmented at all.
    const auto num_matches = static_cast<std::size_t>(alignment.num_exact + alignment.num_stem);
    if (alignment.num_chunks == 1 && num_matches == words.hypothesis.size() &&
        num_matches == reference.size())
      alignment.num_chunks = 0;
    const std::array<double, kNumSums> sums = {
        static_cast<double>(alignment.num_exact), static_cast<double>(alignment.num_stem),
        static_cast<double>(alignment.num_chunks), static_cast<double>(words.hypothesis.size()),
        static_cast<double>(reference.size())};
    const double value = meteor_value(sums);
    if (value <= best_value) continue;
    best = sums;
    best_value = value;
  }
  return best;
}

}  // namespace

MeteorAlignment meteor_alignment(const Words& hypothesis, const Words& reference) {
  if (hypothesis == reference) {
    const auto num_words = static_cast<std::int64_t>(hypothesis.size());
    return {.num_exact = num_words, .num_chunks = num_words > 0 ? 1 : 0};
  }
  const auto candidates = candidates_of(hypothesis, reference);
  std::vector<std::size_t> num_matches(reference.size(), 0);
  for (const auto& of_word : candidates)
    for (const Candidate& candidate : of_word) ++num_matches[candidate.place];
  std::vector<Partial> beam(1);
  beam.front().is_used.assign(reference.size(), false);
  for (std::size_t place = 0; place < hypothesis.size(); ++place) {
    if (candidates[place].empty()) continue;
    const bool is_definite =
        candidates[place].size() == 1 && num_matches[candidates[place].front().place] == 1;
    beam = next_beam(std::move(beam), place, candidates[place], is_definite);
  }
  return beam.front().counts;
}

Measurement meteor_exact_stem(const std::vector<Prediction>& predictions,
                              const TokenizedCaptions& captions) {
  Measurement result = empty_measurement("meteor_exact_stem", predictions);
  result.num_statistics = kNumSums;
  result.scale = Scale{};
  result.value = meteor_value;
  result.facts["tokenizer"] = captions.tokenizer;
  for (const CaptionWords& words : captions.captions) {
    const auto sums = best_sums(words);
    result.statistics.insert(result.statistics.end(), sums.begin(), sums.end());
    result.per_sample.push_back(meteor_value(sums));
  }
  return result;
}

}  // namespace vllama::eval
