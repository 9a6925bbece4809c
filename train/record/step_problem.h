// Why a step of training deserves a look.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vllama::train {

enum class StepProblem {
  no_targets,          // nothing to be learned, for instance because all samples were dropped
  nonfinite_loss,      // infinite or not a number
  nonfinite_gradient,  // of a finite loss
  loss_spike,          // a loss far above those before it
};

// "nonfinite_loss": the name in files and messages.
std::string problem_name(StepProblem problem);
std::optional<StepProblem> problem_named(std::string_view name);

}  // namespace vllama::train
