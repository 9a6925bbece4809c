// How the ranks of a run find each other and how long they wait.
#pragma once

#include "config/fields.h"

namespace vllama::distributed {

struct DistributedConfig {
  double join_timeout_seconds = 300;
  double timeout_seconds = 600;
  double silence_seconds = 60;
  std::int64_t straggler_every_steps = 50;
  bool shard_optimizer = false;
  bool shard_language_model = false;

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::Range<double> seconds{0.1, 604800.0};
    field("join_timeout_seconds", join_timeout_seconds,
          "how long a rank waits for all others to start", seconds);
    field("timeout_seconds", timeout_seconds,
          "how long a rank waits for the others in one operation before it gives up", seconds);
    field("silence_seconds", silence_seconds,
          "a process that gave no sign of life for so long is taken for dead", seconds);
    field("straggler_every_steps", straggler_every_steps,
          "how often the slowest rank is named; 0: never", config::AtLeast<std::int64_t>{0});
    field("shard_optimizer", shard_optimizer,
          "each rank holds the optimizer's moments of its part of the trained parameters: less "
          "memory, and the updated parts are exchanged in every step");
    field("shard_language_model", shard_language_model,
          "the ranks of a machine hold the layers of the frozen language model together and gather "
          "each for its use: less memory, more time; needs model.recompute_layers");
  }
};

}  // namespace vllama::distributed
