#include "eval/scores/question_answering.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/error.h"
#include "eval/scores/baselines.h"
#include "eval/scores/words.h"

namespace vllama::eval {
namespace {

std::string question_word(const std::string& question) {
  const std::vector<std::string> words = split_words(lower_ascii(question));
  constexpr std::array kWords = {"what", "who", "how", "when", "where"};
  const bool is_known = !words.empty() && std::ranges::find(kWords, words.front()) != kWords.end();
  return is_known ? words.front() : "other";
}

std::vector<std::string> types_or_question_words(const std::vector<Prediction>& predictions) {
  std::vector<std::string> parts = types_of(predictions);
  if (parts.empty())
    for (const Prediction& prediction : predictions)
      parts.push_back(question_word(prediction.question));
  return parts;
}

bool has_answer(const Prediction& prediction) {
  return !prediction.is_missing() && !stripped(prediction.prediction).empty();
}

void require_references(const Prediction& prediction, std::size_t at_least = 1) {
  if (prediction.references.size() < at_least)
    throw UserError(fmt::format("question '{}' has {} references ('answer_gt'), needs at least {}",
                                prediction.id, prediction.references.size(), at_least));
}

// The mean of `value_of_answer(prediction)` where there is an answer, and 0 elsewhere.
template <class Function>
Measurement mean_over_answers(const std::string& name, const std::vector<Prediction>& predictions,
                              std::size_t least_references, const Function& value_of_answer) {
  std::vector<double> values;
  for (const Prediction& prediction : predictions) {
    require_references(prediction, least_references);
    values.push_back(has_answer(prediction) ? static_cast<double>(value_of_answer(prediction)) : 0);
  }
  return mean_measurement(name, predictions, std::move(values), Scale{});
}

std::int64_t activitynet_type(const Prediction& prediction) {
  const std::string& type = prediction.type;
  if (type.size() != 1 || type[0] < '0' || type[0] > '8')
    throw UserError(
        fmt::format("question '{}' has the type '{}'; those of ActivityNet-QA are 0 to 8",
                    prediction.id, type));
  return type[0] - '0';
}

Measurement activitynet_free(const std::vector<Prediction>& predictions) {
  std::vector<Prediction> of_free_types;
  for (const Prediction& prediction : predictions)
    if (activitynet_type(prediction) >= 3) of_free_types.push_back(prediction);
  return mean_over_answers("free", of_free_types, 1, [](const Prediction& prediction) {
    return prediction.prediction == prediction.references.front();
  });
}

// The first word of an option, or of a reply.
std::string first_word(const std::string& text) {
  const std::vector<std::string> words = split_words(lower_ascii(text));
  return words.empty() ? "" : words.front();
}

bool names_option(const Prediction& prediction) {
  const std::string option = first_word(prediction.references.front());
  const std::string reply = first_word(prediction.prediction);
  if (option.empty())
    throw UserError(fmt::format("question '{}': the right option is empty", prediction.id));
  std::string without_dots = reply;
  std::erase(without_dots, '.');
  const bool lies_in_option =
      !without_dots.empty() && option.find(without_dots) != std::string::npos;
  return lies_in_option || reply.find(option) != std::string::npos;
}

bool likeliest_is_right(const Prediction& prediction) {
  if (prediction.options.empty() || prediction.options.size() != prediction.option_scores.size())
    throw UserError(fmt::format("question '{}' has {} options and {} option scores", prediction.id,
                                prediction.options.size(), prediction.option_scores.size()));
  if (std::ranges::find(prediction.options, prediction.references.front()) ==
      prediction.options.end())
    throw UserError(fmt::format("question '{}': the right answer '{}' is not among its options",
                                prediction.id, prediction.references.front()));
  const auto best = std::ranges::max_element(prediction.option_scores);
  const auto place = static_cast<std::size_t>(best - prediction.option_scores.begin());
  return prediction.options[place] == prediction.references.front();
}

}  // namespace

Measurement exact_match(const std::vector<Prediction>& predictions,
                        const NormalisationOptions& options) {
  Measurement result =
      mean_over_answers("exact_match", predictions, 1, [&](const Prediction& prediction) {
        const std::string answer = normalised_answer(prediction.prediction, options);
        return std::ranges::any_of(prediction.references, [&](const std::string& reference) {
          return normalised_answer(reference, options) == answer;
        });
      });
  result.parts = types_or_question_words(predictions);
  return result;
}

Measurement contained(const std::vector<Prediction>& predictions,
                      const NormalisationOptions& options) {
  Measurement result =
      mean_over_answers("contained", predictions, 1, [&](const Prediction& prediction) {
        const std::string answer =
            fmt::format(" {} ", normalised_answer(prediction.prediction, options));
        return std::ranges::any_of(prediction.references, [&](const std::string& reference) {
          return answer.find(fmt::format(" {} ", normalised_answer(reference, options))) !=
                 std::string::npos;
        });
      });
  result.parts = types_or_question_words(predictions);
  return result;
}

Measurement vqa_v2(const std::vector<Prediction>& predictions,
                   const NormalisationOptions& options) {
  Measurement result =
      mean_over_answers("vqa_v2", predictions, 2, [&](const Prediction& prediction) {
        const std::string answer = normalised_answer(prediction.prediction, options);
        std::vector<bool> is_equal;
        for (const std::string& reference : prediction.references)
          is_equal.push_back(normalised_answer(reference, options) == answer);
        const auto num_equal = static_cast<double>(std::ranges::count(is_equal, true));
        double sum = 0;
        for (const bool left_out : is_equal)
          sum += std::min(1.0, (num_equal - (left_out ? 1 : 0)) / 3);
        return sum / static_cast<double>(is_equal.size());
      });
  result.parts = types_of(predictions);
  return result;
}

std::vector<Measurement> activitynet_official(const std::vector<Prediction>& predictions) {
  Measurement all =
      mean_over_answers("activitynet_official", predictions, 1, [](const Prediction& prediction) {
        return prediction.prediction == prediction.references.front();
      });
  std::vector<std::int64_t> types, first_types;
  for (const Prediction& prediction : predictions) {
    types.push_back(activitynet_type(prediction));
    all.parts.push_back(prediction.type);
    if (first_types.size() < 3 && std::ranges::find(first_types, types.back()) == first_types.end())
      first_types.push_back(types.back());
  }
  std::vector<Measurement> result{all};
  if (std::ranges::any_of(types, [](std::int64_t type) { return type >= 3; }))
    result.push_back(activitynet_free(predictions));
  Measurement official = all;
  official.name = "free_official";
  official.parts.clear();
  official.per_sample.clear();
  double num_counted = 0;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const bool is_counted = std::ranges::find(first_types, types[i]) == first_types.end();
    official.statistics[2 * i] = types[i] >= 3 ? all.per_sample[i] : 0;
    official.statistics[2 * i + 1] = is_counted;
    num_counted += is_counted;
  }
  if (num_counted > 0) result.push_back(official);
  return result;
}

Measurement option_letter(const std::vector<Prediction>& predictions) {
  Measurement result = mean_over_answers("option_letter", predictions, 1, names_option);
  result.parts = types_of(predictions);
  return result;
}

Measurement option_likelihood(const std::vector<Prediction>& predictions) {
  std::vector<double> values;
  for (const Prediction& prediction : predictions) {
    require_references(prediction);
    values.push_back(!prediction.is_missing() && likeliest_is_right(prediction));
  }
  Measurement result =
      mean_measurement("option_likelihood", predictions, std::move(values), Scale{});
  result.parts = types_of(predictions);
  add_option_baselines(result, predictions);
  return result;
}

Measurement mean_of_parts(const Measurement& measurement, const std::string& name) {
  VLLAMA_ASSERT(measurement.num_statistics == 2, "needs a mean");
  if (measurement.parts.empty())
    throw UserError(fmt::format("{}: the questions have no types to take the mean over", name));
  const std::set<std::string> names(measurement.parts.begin(), measurement.parts.end());
  const std::vector<std::string> order(names.begin(), names.end());
  Measurement result = measurement;
  result.name = name;
  result.num_statistics = 2 * order.size();
  result.num_counted = {};
  result.statistics.assign(measurement.num_samples() * result.num_statistics, 0);
  result.per_sample.clear();
  result.parts.clear();
  result.chance.clear();
  result.right_answers.clear();
  for (std::size_t i = 0; i < measurement.num_samples(); ++i) {
    const auto place = std::ranges::lower_bound(order, measurement.parts[i]) - order.begin();
    double* const row = result.statistics.data() + i * result.num_statistics + 2 * place;
    std::copy_n(measurement.statistics.data() + 2 * i, 2, row);
  }
  result.value = [](std::span<const double> sums) {
    double sum = 0;
    std::int64_t num_parts = 0;
    for (std::size_t i = 0; i < sums.size(); i += 2) {
      if (sums[i + 1] == 0) continue;  // a part of which a resample holds nothing
      sum += sums[i] / sums[i + 1];
      ++num_parts;
    }
    return sum / static_cast<double>(num_parts);
  };
  return result;
}

}  // namespace vllama::eval
