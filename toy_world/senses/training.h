// The training loop of the base models: AdamW, cosine, clipped gradients, a line of progress now
// and then.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "nn/parameter.h"
#include "optim/adamw.h"
#include "optim/flat_parameters.h"

namespace vllama::toy {

struct TrainingSettings {
  std::string name;  // for lines of progress
  std::int64_t num_steps;
  double peak_learning_rate = 1e-3;  // a warm-up rises to it; a cosine falls to a twentieth
  std::int64_t warmup_steps = 50;
  double weight_decay = 0.05;
};

// Trains initialised parameters by `loss_of_step`, which gives a scalar with autograd history, and
// leaves them as plain tensors without gradients. Returns the loss of every step. Throws RunFailure
// when a gradient is not a number.
std::vector<double> train(const nn::ParameterList& parameters, const TrainingSettings& settings,
                          const std::function<at::Tensor(std::int64_t)>& loss_of_step);

// The end of a step: shortens the gradients to a norm of 1 at most and updates the parameters.
// Throws RunFailure, whose message begins with `step`, when a gradient is not a number.
void update(optim::FlatParameters& parameters, optim::AdamW& optimizer, double learning_rate,
            const std::string& step);

}  // namespace vllama::toy
