#include "eval/scores/yes_no.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "eval/scores/words.h"

namespace vllama::eval {
namespace {

enum Sum { kTruePositive, kFalsePositive, kTrueNegative, kFalseNegative, kYes, kUnclear, kNumSums };

bool is_word_character(char character) {
  const auto byte = static_cast<unsigned char>(character);
  return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte >= 0x80;
}

// Lower-case words of the first sentence that has any, without punctuation around them.
std::vector<std::string> words_of_first_sentence(std::string_view answer) {
  std::vector<std::string> result;
  while (result.empty() && !answer.empty()) {
    const std::size_t end = std::min(answer.find('.'), answer.size());
    for (const std::string& word : split_words(lower_ascii(answer.substr(0, end)))) {
      const auto begin = std::ranges::find_if(word, is_word_character);
      const auto last = std::find_if(word.rbegin(), word.rend(), is_word_character).base();
      if (begin < last) result.emplace_back(begin, last);
    }
    answer.remove_prefix(std::min(end + 1, answer.size()));
  }
  return result;
}

bool says_no(const std::string& word) {
  return word == "no" || word == "not" || word.ends_with("n't") || word.ends_with("n\xE2\x80\x99t");
}

bool expects_yes(const Prediction& prediction) {
  const std::string reference =
      prediction.references.size() == 1 ? lower_ascii(stripped(prediction.references[0])) : "";
  if (reference != "yes" && reference != "no")
    throw UserError(
        fmt::format("question '{}': its reference ('answer_gt') must be yes or no", prediction.id));
  return reference == "yes";
}

std::array<double, kNumSums> statistics_of(const Prediction& prediction) {
  std::array<double, kNumSums> sums{};
  const bool expected = expects_yes(prediction);
  const YesNo answer = prediction.is_missing() ? YesNo::none : parse_yes_no(prediction.prediction);
  const bool is_right = answer == (expected ? YesNo::yes : YesNo::no);
  if (is_right)
    sums[expected ? kTruePositive : kTrueNegative] = 1;
  else
    sums[expected ? kFalseNegative : kFalsePositive] = 1;
  if (answer == YesNo::yes) {
    sums[kYes] = 1;
    const auto words = words_of_first_sentence(prediction.prediction);
    sums[kUnclear] = std::ranges::find(words, "yes") == words.end();
  }
  return sums;
}

double quotient(double part, double whole) {
  return whole == 0 ? 0 : part / whole;
}

using Sums = std::span<const double>;

double number_of(Sums sums) {
  return sums[kTruePositive] + sums[kFalsePositive] + sums[kTrueNegative] + sums[kFalseNegative];
}
double accuracy(Sums sums) {
  return quotient(sums[kTruePositive] + sums[kTrueNegative], number_of(sums));
}
double precision(Sums sums) {
  return quotient(sums[kTruePositive], sums[kTruePositive] + sums[kFalsePositive]);
}
double recall(Sums sums) {
  return quotient(sums[kTruePositive], sums[kTruePositive] + sums[kFalseNegative]);
}
double f1(Sums sums) {
  return quotient(2 * sums[kTruePositive],
                  2 * sums[kTruePositive] + sums[kFalsePositive] + sums[kFalseNegative]);
}
double number_of_yes(Sums sums) {
  return sums[kTruePositive] + sums[kFalsePositive];
}
double number_to_find(Sums sums) {
  return sums[kTruePositive] + sums[kFalseNegative];
}
double number_of_f1(Sums sums) {
  return sums[kTruePositive] + sums[kFalsePositive] + sums[kFalseNegative];
}
double yes_share(Sums sums) {
  return quotient(sums[kYes], number_of(sums));
}
double unclear_share(Sums sums) {
  return quotient(sums[kUnclear], number_of(sums));
}

}  // namespace

YesNo parse_yes_no(std::string_view answer) {
  const std::vector<std::string> words = words_of_first_sentence(answer);
  if (words.empty()) return YesNo::none;
  return std::ranges::any_of(words, says_no) ? YesNo::no : YesNo::yes;
}

std::vector<Measurement> yes_no_measurements(const std::vector<Prediction>& predictions) {
  Measurement whole = empty_measurement("yes_no", predictions);
  whole.num_statistics = kNumSums;
  whole.scale = Scale{};
  bool has_types = false;
  for (const Prediction& prediction : predictions) {
    const auto sums = statistics_of(prediction);
    whole.statistics.insert(whole.statistics.end(), sums.begin(), sums.end());
    whole.parts.push_back(prediction.type);
    has_types = has_types || !prediction.type.empty();
  }
  if (!has_types) whole.parts.clear();
  struct Metric {
    const char* name;
    double (*value)(Sums);
    double (*num_counted)(Sums);
  };
  constexpr Metric kMetrics[] = {
      {"accuracy", accuracy, number_of},   {"precision", precision, number_of_yes},
      {"recall", recall, number_to_find},  {"f1", f1, number_of_f1},
      {"yes_share", yes_share, number_of}, {"unclear_share", unclear_share, number_of}};
  std::vector<Measurement> result;
  for (const Metric& metric : kMetrics) {
    Measurement& measurement = result.emplace_back(whole);
    measurement.name = metric.name;
    measurement.value = metric.value;
    measurement.num_counted = metric.num_counted;
  }
  for (std::size_t i = 0; i < whole.num_samples(); ++i)
    result.front().per_sample.push_back(
        accuracy(Sums(whole.statistics).subspan(i * kNumSums, kNumSums)));
  return result;
}

}  // namespace vllama::eval
