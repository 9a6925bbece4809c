#include "datasets/order/mixing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "core/broken_rules.h"

namespace vllama::datasets {
namespace {

bool takes_counts(const DataConfig& data) {
  return std::ranges::any_of(data.sets, [](const auto& set) { return set.num_samples > 0; });
}

void add_count_rules(const DataConfig& data, const RunSize& run, std::vector<std::string>& broken) {
  std::int64_t sum = 0;
  for (const DatasetConfig& set : data.sets) {
    sum += set.num_samples;
    if (set.num_samples == 0)
      broken.push_back(
          fmt::format("data set '{}' has no num_samples but others have: give it to all data sets, "
                      "or weights to all",
                      set.name));
    else if (set.weight != DatasetConfig().weight)
      broken.push_back(
          fmt::format("data set '{}' has both weight and num_samples; leave one out", set.name));
  }
  if (broken.empty() && std::abs(sum - run.num_samples()) >= run.samples_per_step)
    broken.push_back(
        fmt::format("num_samples of the data sets add up to {}, but the run takes {} ({} steps of "
                    "{}): change the numbers or the length of the run",
                    sum, run.num_samples(), run.num_steps, run.samples_per_step));
}

}  // namespace

double share_of(const DatasetConfig& set) {
  return set.num_samples > 0 ? static_cast<double>(set.num_samples) : set.weight;
}

std::vector<std::string> broken_mixing_rules(const DataConfig& data, const RunSize& run) {
  std::vector<std::string> broken;
  if (takes_counts(data))
    add_count_rules(data, run, broken);
  else if (!data.sets.empty() &&
           std::ranges::none_of(data.sets, [](const auto& set) { return set.weight > 0; }))
    broken.emplace_back("at least one data set needs a weight above 0");
  return broken;
}

OrderSettings order_settings(const DataConfig& config, const RunSize& run, std::uint64_t seed) {
  require_none(broken_mixing_rules(config, run));
  Mixing mixing = takes_counts(config) ? Mixing::apportioned_steps : Mixing::drawn_steps;
  if (config.mixing == MixingRule::within_step) mixing = Mixing::within_step;
  return {.samples_per_step = run.samples_per_step,
          .shuffle = config.shuffle,
          .seed = seed,
          .mixing = mixing};
}

}  // namespace vllama::datasets
