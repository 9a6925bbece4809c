#include "eval/evaluate/choice_note.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eval/scores/first_option.h"
#include "eval/scores/score.h"

namespace vllama::eval {
namespace {

constexpr double kMuch = 0.1;
// From here on the words say what the model answers, and a bare option is no answer of its kind.
constexpr double kMostAnswers = 0.8;

const Measurement* find(const std::vector<Measurement>& measurements, const char* name) {
  const auto found = std::ranges::find(measurements, name, &Measurement::name);
  return found == measurements.end() ? nullptr : &*found;
}

}  // namespace

std::string note_on_choice(const std::vector<Measurement>& measurements,
                           const std::vector<Prediction>& predictions) {
  const Measurement* const likelihood = find(measurements, "option_likelihood");
  const Measurement* const words = find(measurements, "first_option");
  if (likelihood == nullptr || words == nullptr) return "";
  Measurement second = *words;
  second.name = likelihood->name;
  const Comparison found = compare(*likelihood, second);
  if (std::abs(found.difference) < kMuch || (found.low <= 0 && found.high >= 0)) return "";
  const double share = share_that_names_an_option(predictions);
  return fmt::format(
      "option_likelihood ({:.2f}) and first_option ({:.2f}) differ. The first is the share of "
      "questions whose right option is the likeliest as a whole answer, the second of those whose "
      "right option the model names first in its own words. It names one in {:.0f} % of its "
      "answers: {}",
      found.first, found.second, 100 * share,
      share >= kMostAnswers
          ? "it answers in words, and first_option says what it answers (choose_by: first_named "
            "asks for nothing else)."
          : "option_likelihood is the one to read, or the prompt should ask for an option.");
}

}  // namespace vllama::eval
