// Which modules of the model train, each at which learning rate. Everything else is frozen.
#pragma once

#include <vector>

#include "config/fields.h"
#include "models/modules.h"

namespace vllama::models {

struct ModelConfig;

struct TrainedModule {
  ModuleName module{};
  double learning_rate = 0;  // of its peak; 0: the schedule's

  template <class Visitor>
  void visit(Visitor&& field) {
    field("module", module, "what trains", config::Required{});
    field("learning_rate", learning_rate,
          "peak rate of this module, which follows the schedule in proportion; 0: the schedule's",
          config::Range{0.0, 1.0});
  }
};

// What `config.trainable` names; when it names nothing, what the published training of the model's
// branches trains. Throws UserError for a module that the model lacks, one named twice, and for
// lora together with language_model.
std::vector<TrainedModule> trained_modules(const ModelConfig& config);

}  // namespace vllama::models
