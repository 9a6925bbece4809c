// Steps of a run once more: every sample of the global batch, as the model got it.
#pragma once

#include "train/show/show.h"

namespace vllama::train {

// The step options.step, or the steps of options.bad_steps; see show(). Writes steps.html.
std::string replay(const RunConfig& config, const ShowOptions& options);

}  // namespace vllama::train
