// AdamW over the flat buffers: a fused update for every range that shares weight decay and rate.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>

#include "config/fields.h"
#include "distributed/communicator.h"
#include "optim/flat_parameters.h"

namespace vllama::optim {

struct AdamWConfig {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.05;

  template <class Visitor>
  void visit(Visitor&& field) {
    using config::Range;
    field("beta1", beta1, "decay of the mean gradient", Range{0.0, 1.0 - 1e-9});
    field("beta2", beta2, "decay of the mean squared gradient", Range{0.0, 1.0 - 1e-9});
    field("epsilon", epsilon, "added to the root of the mean square", Range{0.0, 1.0});
    field("weight_decay", weight_decay,
          "decoupled decay, on tensors of two or more dimensions that are not biases or norms",
          Range{0.0, 1.0});
  }
};

// Decoupled weight decay (Loshchilov, Hutter 2019), with bias correction from step 1:
//   p -= lr * decay * p;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
//   p -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)
// Both moments are fp32, flat, on the parameters' device; they do not depend on the rates.
class AdamW {
 public:
  // `parameters` must outlive the optimizer.
  AdamW(FlatParameters& parameters, const AdamWConfig& config);

  // Updates the parameters in place from their gradients, which it leaves as they are, each at
  // `learning_rate` times its own factor.
  void step(double learning_rate);

  std::int64_t num_steps() const { return num_steps_; }

  // "<name>.exp_avg" and "<name>.exp_avg_sq", shaped as the parameters, fp32, and "step", an int64
  // scalar. The moments are views: write or copy them before the next step.
  std::map<std::string, at::Tensor> state() const;

  // Together: takes over the state of rank 0.
  void copy_from_first(distributed::Communicator& ranks);

  // Takes over what state() returned, from any device; "step" may be of any number type. Checks
  // everything first: one UserError names every missing, unexpected, misshaped or mistyped entry,
  // and then nothing has changed.
  void load_state(const std::map<std::string, at::Tensor>& state);

 private:
  void update(const FlatRange& range, double learning_rate);

  FlatParameters& parameters_;
  AdamWConfig config_;
  at::Tensor exp_avg_;     // [N] running mean of the gradients
  at::Tensor exp_avg_sq_;  // [N] running mean of their squares
  at::Tensor step_count_;  // fp32 scalar on the device, as the fused kernel reads it
  std::int64_t num_steps_ = 0;
};

}  // namespace vllama::optim
