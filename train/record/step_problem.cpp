#include "train/record/step_problem.h"

#include <array>

namespace vllama::train {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 4> kNames{"no_targets", "nonfinite_loss",
                                                 "nonfinite_gradient", "loss_spike"};

}  // namespace

std::string problem_name(StepProblem problem) {
  return std::string(kNames.at(static_cast<std::size_t>(problem)));
}

std::optional<StepProblem> problem_named(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<StepProblem>(i);
  return std::nullopt;
}

}  // namespace vllama::train
