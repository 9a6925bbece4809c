#include "datasets/mixing.h"

#include <algorithm>

#include "datasets/data_rules.h"

namespace vllama::datasets {

double share_of(const DatasetConfig& set) {
  return set.num_samples > 0 ? static_cast<double>(set.num_samples) : set.weight;
}

OrderSettings order_settings(const DataConfig& config, const RunSize& run, std::uint64_t seed) {
  const bool has_counts = std::ranges::any_of(
      config.sets, [](const DatasetConfig& set) { return set.num_samples > 0; });
  require_none(broken_mixing_rules(config, run));
  Mixing mixing = has_counts ? Mixing::apportioned_steps : Mixing::drawn_steps;
  if (config.mixing == "within_step") mixing = Mixing::within_step;
  return {.samples_per_step = run.samples_per_step,
          .shuffle = config.shuffle,
          .seed = seed,
          .mixing = mixing};
}

}  // namespace vllama::datasets
