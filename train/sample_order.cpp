#include "train/sample_order.h"

#include "datasets/mixing.h"

namespace vllama::train {

datasets::SampleOrder sample_order(const RunConfig& config,
                                   std::vector<datasets::SampleOrder::Source> sources) {
  const datasets::RunSize run{config.training.num_steps(), config.training.batch_size};
  return {std::move(sources), datasets::order_settings(config.data, run, config.seed)};
}

}  // namespace vllama::train
