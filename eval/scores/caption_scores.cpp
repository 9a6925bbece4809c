#include "eval/scores/caption_scores.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/error.h"
#include "eval/scores/meteor.h"
#include "eval/scores/ngrams.h"

namespace vllama::eval {
namespace {

Measurement mean_over_captions(const std::string& name, const std::vector<Prediction>& predictions,
                               const TokenizedCaptions& captions, std::vector<double> values,
                               const Scale& scale) {
  Measurement result = mean_measurement(name, predictions, std::move(values), scale);
  result.facts["tokenizer"] = captions.tokenizer;
  return result;
}

// Sums of a BLEU: for k = 1..4 the clipped matches, for k = 1..4 the n-grams of the captions, the
// words of the captions, the words of their references.
constexpr std::size_t kGuesses = kLongestNgram;
constexpr std::size_t kCaptionLength = 2 * kLongestNgram;
constexpr std::size_t kReferenceLength = kCaptionLength + 1;
constexpr std::size_t kNumBleuSums = kReferenceLength + 1;

// As pycocoevalcap's bleu_scorer: tiny constants keep the quotients finite.
double bleu_value(std::span<const double> sums, std::size_t longest) {
  double product = 1;
  for (std::size_t k = 0; k < longest; ++k)
    product *= (sums[k] + 1e-15) / (sums[kGuesses + k] + 1e-9);
  const double ratio = (sums[kCaptionLength] + 1e-15) / (sums[kReferenceLength] + 1e-9);
  const double brevity_penalty = ratio >= 1 ? 1 : std::exp(1 - 1 / ratio);
  return std::pow(product, 1 / static_cast<double>(longest)) * brevity_penalty;
}

std::size_t closest_length(const CaptionWords& words) {
  const auto length = static_cast<std::int64_t>(words.hypothesis.size());
  std::int64_t best = static_cast<std::int64_t>(words.references.front().size());
  for (const Words& reference : words.references) {
    const auto candidate = static_cast<std::int64_t>(reference.size());
    const auto distance = std::abs(candidate - length), least = std::abs(best - length);
    if (distance < least || (distance == least && candidate < best)) best = candidate;
  }
  return static_cast<std::size_t>(best);
}

std::array<double, kNumBleuSums> bleu_statistics(const CaptionWords& words) {
  Vocabulary vocabulary;
  NgramCounts most;
  for (const Words& reference : words.references)
    for (const auto& [ngram, count] : vocabulary.count(reference))
      most[ngram] = std::max(most[ngram], count);
  std::array<double, kNumBleuSums> sums{};
  for (const auto& [ngram, count] : vocabulary.count(words.hypothesis)) {
    const std::size_t k = ngram_length(ngram) - 1;
    const auto found = most.find(ngram);
    sums[k] += static_cast<double>(found == most.end() ? 0 : std::min(count, found->second));
    sums[kGuesses + k] += static_cast<double>(count);
  }
  sums[kCaptionLength] = static_cast<double>(words.hypothesis.size());
  sums[kReferenceLength] = static_cast<double>(closest_length(words));
  return sums;
}

std::size_t longest_common_subsequence(const Words& first, const Words& second) {
  std::vector<std::size_t> row(second.size() + 1, 0);
  for (const std::string& word : first) {
    std::size_t diagonal = 0;
    for (std::size_t j = 0; j < second.size(); ++j) {
      const std::size_t above = row[j + 1];
      row[j + 1] = word == second[j] ? diagonal + 1 : std::max(above, row[j]);
      diagonal = above;
    }
  }
  return row.back();
}

double rouge_l_of(const CaptionWords& words) {
  constexpr double kBetaSquared = 1.2 * 1.2;
  if (words.hypothesis.empty()) return 0;
  double precision = 0, recall = 0;
  for (const Words& reference : words.references) {
    if (reference.empty()) continue;
    const auto common =
        static_cast<double>(longest_common_subsequence(words.hypothesis, reference));
    precision = std::max(precision, common / static_cast<double>(words.hypothesis.size()));
    recall = std::max(recall, common / static_cast<double>(reference.size()));
  }
  if (precision == 0 || recall == 0) return 0;
  return (1 + kBetaSquared) * precision * recall / (recall + kBetaSquared * precision);
}

// tf-idf weights of a text's n-grams, their norms per length, and the number of its bigrams, which
// CIDEr-D takes for the text's length.
struct CiderVector {
  std::unordered_map<Ngram, double, NgramHash> weights;
  std::array<double, kLongestNgram> norms{};
  double length = 0;
};

CiderVector cider_vector(const NgramCounts& counts, const NgramCounts& document_frequency,
                         double log_num_samples) {
  CiderVector vector;
  for (const auto& [ngram, count] : counts) {
    const auto found = document_frequency.find(ngram);
    const auto frequency =
        static_cast<double>(found == document_frequency.end() ? 1 : found->second);
    const double weight = static_cast<double>(count) * (log_num_samples - std::log(frequency));
    const std::size_t n = ngram_length(ngram) - 1;
    vector.weights[ngram] = weight;
    vector.norms[n] += weight * weight;
    if (n == 1) vector.length += static_cast<double>(count);
  }
  for (double& norm : vector.norms) norm = std::sqrt(norm);
  return vector;
}

// Mean over n of the clipped cosine similarities, with the penalty for other lengths.
double cider_similarity(const CiderVector& hypothesis, const CiderVector& reference) {
  constexpr double kSigma = 6;
  std::array<double, kLongestNgram> similarities{};
  for (const auto& [ngram, weight] : hypothesis.weights) {
    const auto found = reference.weights.find(ngram);
    if (found == reference.weights.end()) continue;
    similarities[ngram_length(ngram) - 1] += std::min(weight, found->second) * found->second;
  }
  double sum = 0;
  for (std::size_t n = 0; n < kLongestNgram; ++n) {
    const double norms = hypothesis.norms[n] * reference.norms[n];
    sum += norms == 0 ? similarities[n] : similarities[n] / norms;
  }
  const double difference = hypothesis.length - reference.length;
  return sum / kLongestNgram * std::exp(-difference * difference / (2 * kSigma * kSigma));
}

}  // namespace

std::vector<Measurement> bleu(const std::vector<Prediction>& predictions,
                              const TokenizedCaptions& captions) {
  Measurement whole = empty_measurement("bleu", predictions);
  whole.num_statistics = kNumBleuSums;
  whole.scale = Scale{};
  whole.facts["tokenizer"] = captions.tokenizer;
  for (const CaptionWords& words : captions.captions) {
    const auto sums = bleu_statistics(words);
    whole.statistics.insert(whole.statistics.end(), sums.begin(), sums.end());
  }
  std::vector<Measurement> result;
  for (std::size_t longest = 1; longest <= kLongestNgram; ++longest) {
    Measurement& measurement = result.emplace_back(whole);
    measurement.name = "bleu_" + std::to_string(longest);
    measurement.value = [longest](std::span<const double> sums) {
      return bleu_value(sums, longest);
    };
    for (std::size_t i = 0; i < whole.num_samples(); ++i)
      measurement.per_sample.push_back(
          bleu_value(std::span(whole.statistics).subspan(i * kNumBleuSums, kNumBleuSums), longest));
  }
  return result;
}

Measurement rouge_l(const std::vector<Prediction>& predictions, const TokenizedCaptions& captions) {
  std::vector<double> values;
  for (const CaptionWords& words : captions.captions) values.push_back(rouge_l_of(words));
  return mean_over_captions("rouge_l", predictions, captions, std::move(values), Scale{});
}

Measurement cider_d(const std::vector<Prediction>& predictions, const TokenizedCaptions& captions) {
  Vocabulary vocabulary;
  NgramCounts document_frequency;
  for (const CaptionWords& words : captions.captions) {
    NgramCounts of_sample;
    for (const Words& reference : words.references) of_sample.merge(vocabulary.count(reference));
    for (const auto& [ngram, count] : of_sample) ++document_frequency[ngram];
  }
  const double log_num_samples = std::log(static_cast<double>(captions.captions.size()));
  const auto vector_of = [&](const Words& words) {
    return cider_vector(vocabulary.count(words), document_frequency, log_num_samples);
  };
  std::vector<double> values;
  for (const CaptionWords& words : captions.captions) {
    const CiderVector hypothesis = vector_of(words.hypothesis);
    double sum = 0;
    for (const Words& reference : words.references)
      sum += cider_similarity(hypothesis, vector_of(reference));
    values.push_back(10 * sum / static_cast<double>(words.references.size()));
  }
  return mean_over_captions("cider_d", predictions, captions, std::move(values),
                            Scale{.lowest = 0, .highest = 10});
}

std::vector<Measurement> caption_measurements(const std::vector<Prediction>& predictions,
                                              const TokenizedCaptions& captions) {
  std::vector<Measurement> result = bleu(predictions, captions);
  result.push_back(meteor_exact_stem(predictions, captions));
  result.push_back(rouge_l(predictions, captions));
  result.push_back(cider_d(predictions, captions));
  return result;
}

}  // namespace vllama::eval
