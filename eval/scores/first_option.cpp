#include "eval/scores/first_option.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "eval/scores/baselines.h"
#include "eval/scores/words.h"

namespace vllama::eval {
namespace {

using Words = std::vector<std::string>;

bool is_of_word(char character) {
  return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') ||
         static_cast<unsigned char>(character) >= 0x80;
}

Words option_words(const std::string& text) {
  std::string letters = lower_ascii(text);
  std::ranges::replace_if(
      letters, [](char character) { return !is_of_word(character); }, ' ');
  return split_words(letters);
}

bool stand_at(const Words& wanted, const Words& words, std::size_t place) {
  return place + wanted.size() <= words.size() &&
         std::equal(wanted.begin(), wanted.end(), words.begin() + static_cast<long>(place));
}

bool names_right_option(const Prediction& prediction) {
  const auto is_right = [&](const std::string& option) {
    return std::ranges::find(prediction.references, option) != prediction.references.end();
  };
  if (std::ranges::none_of(prediction.options, is_right))
    throw UserError(fmt::format("question '{}': its right answer is not among its {} options",
                                prediction.id, prediction.options.size()));
  const auto named = first_named_option(prediction.prediction, prediction.options);
  return !prediction.is_missing() && named && is_right(prediction.options[*named]);
}

}  // namespace

std::optional<std::size_t> first_named_option(const std::string& answer,
                                              const std::vector<std::string>& options) {
  const Words words = option_words(answer);
  std::vector<Words> wanted;
  for (const std::string& option : options) {
    wanted.push_back(option_words(option));
    if (wanted.back().empty()) throw UserError(fmt::format("the option '{}' has no word", option));
  }
  for (std::size_t place = 0; place < words.size(); ++place) {
    std::optional<std::size_t> longest;
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (stand_at(wanted[i], words, place) &&
          (!longest || wanted[i].size() > wanted[*longest].size()))
        longest = i;
    if (longest) return longest;
  }
  return std::nullopt;
}

std::optional<Measurement> first_option_in_words(std::vector<Prediction> predictions) {
  for (Prediction& prediction : predictions) {
    const bool can_be_named = std::ranges::none_of(
        prediction.options, [](const std::string& option) { return option_words(option).empty(); });
    if (!can_be_named || (!prediction.in_words && !prediction.is_missing())) return std::nullopt;
    prediction.prediction = prediction.in_words.value_or("");
  }
  return first_option(predictions);
}

double share_that_names_an_option(const std::vector<Prediction>& predictions) {
  double num_answers = 0, num_naming = 0;
  for (const Prediction& prediction : predictions) {
    if (!prediction.in_words) continue;
    ++num_answers;
    num_naming += first_named_option(*prediction.in_words, prediction.options).has_value();
  }
  return num_answers == 0 ? 0 : num_naming / num_answers;
}

Measurement first_option(const std::vector<Prediction>& predictions) {
  std::vector<double> values;
  for (const Prediction& prediction : predictions) values.push_back(names_right_option(prediction));
  Measurement result = mean_measurement("first_option", predictions, std::move(values), Scale{});
  result.parts = types_of(predictions);
  add_option_baselines(result, predictions);
  return result;
}

}  // namespace vllama::eval
