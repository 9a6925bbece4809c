#include "train/sample_order.h"

namespace vllama::train {

datasets::SampleOrder sample_order(const RunConfig& config,
                                   std::vector<datasets::SampleOrder::Source> sources) {
  return {std::move(sources),
          {.samples_per_step = config.training.batch_size * config.training.accumulation_steps,
           .shuffle = config.data.shuffle,
           .seed = config.seed}};
}

}  // namespace vllama::train
