// Which modules of the model train, each at which learning rate. Everything else is frozen.
#pragma once

#include <vector>

#include "config/fields.h"
#include "models/modules.h"

namespace vllama::models {

struct ModelConfig;

struct TrainedModule {
  ModuleName module{};
  double learning_rate = 0;      // of its peak; 0: the schedule's
  std::int64_t last_blocks = 0;  // of an encoder; 0: all of it

  template <class Visitor>
  void visit(Visitor&& field) {
    field("module", module, "what trains", config::Required{});
    field("learning_rate", learning_rate,
          "peak rate of this module, which follows the schedule in proportion; 0: the schedule's",
          config::Range{0.0, 1.0});
    field("last_blocks", last_blocks,
          "of an encoder, or of its adapters: so many of its blocks, from the end, and what is "
          "behind them; 0: all of it",
          config::AtLeast<std::int64_t>{0});
  }
};

// What `config.trainable` names; when it names nothing, what trains in the original, or stands
// in its place. Throws UserError for a module that the model lacks, one named twice, and for
// adapters together with what they adapt.
std::vector<TrainedModule> trained_modules(const ModelConfig& config);

// How many of the `num_blocks` blocks of a branch's encoder train, or have adapters that do, from
// its end.
std::int64_t num_trained_blocks(const std::vector<TrainedModule>& trained, ModulePlace branch,
                                std::int64_t num_blocks);

}  // namespace vllama::models
