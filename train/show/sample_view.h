// One sample of a run's order, built by the code that builds its training samples.
#pragma once

#include <optional>

#include "datasets/loading/mixture.h"
#include "train/show/example_view.h"
#include "train/show/sample_losses.h"

namespace vllama::train {

struct SampleView {
  ExampleView example;
  std::optional<std::string> dropped;  // why training drops it
  std::optional<SampleLoss> loss;      // where `losses` were asked for
};

// `losses` may be null.
SampleView view_sample(const datasets::Mixture& data, const datasets::PlannedSample& sample,
                       const text::Tokenizer& tokenizer, SampleLosses* losses);

}  // namespace vllama::train
