// The settings of AdamW.
#pragma once

#include "config/fields.h"

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

}  // namespace vllama::optim
