#include "datasets/mixing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "core/error.h"

namespace vllama::datasets {
namespace {

void check_counts(const DataConfig& config, const RunSize& run) {
  std::int64_t sum = 0;
  for (const DatasetConfig& set : config.sets) {
    if (set.num_samples == 0)
      throw UserError(
          fmt::format("data set '{}' has no num_samples but others have: give it to all data sets, "
                      "or weights to all",
                      set.name));
    if (set.weight != DatasetConfig().weight)
      throw UserError(
          fmt::format("data set '{}' has both weight and num_samples; leave one out", set.name));
    sum += set.num_samples;
  }
  if (std::abs(sum - run.num_samples()) >= run.samples_per_step)
    throw UserError(
        fmt::format("num_samples of the data sets add up to {}, but the run takes {} ({} steps of "
                    "{}): change the numbers or the length of the run",
                    sum, run.num_samples(), run.num_steps, run.samples_per_step));
}

}  // namespace

double share_of(const DatasetConfig& set) {
  return set.num_samples > 0 ? static_cast<double>(set.num_samples) : set.weight;
}

OrderSettings order_settings(const DataConfig& config, const RunSize& run, std::uint64_t seed) {
  const bool has_counts = std::ranges::any_of(
      config.sets, [](const DatasetConfig& set) { return set.num_samples > 0; });
  if (has_counts) check_counts(config, run);
  Mixing mixing = has_counts ? Mixing::apportioned_steps : Mixing::drawn_steps;
  if (config.mixing == "within_step") mixing = Mixing::within_step;
  return {.samples_per_step = run.samples_per_step,
          .shuffle = config.shuffle,
          .seed = seed,
          .mixing = mixing};
}

}  // namespace vllama::datasets
