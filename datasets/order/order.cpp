#include "datasets/order/order.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"
#include "datasets/order/apportion.h"

namespace vllama::datasets {
namespace {

std::uint64_t unsigned_of(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

std::uint64_t key_of(RandomPurpose purpose) {
  return static_cast<std::uint64_t>(purpose);
}

}  // namespace

SampleOrder::SampleOrder(std::vector<Source> sources, OrderSettings settings, DatasetChoice choice)
    : sources_(std::move(sources)), settings_(settings), choice_(std::move(choice)) {
  VLLAMA_ASSERT(settings_.samples_per_step >= 1, "a step has samples");
  double sum = 0;
  for (const Source& source : sources_) {
    if (source.size < 1) throw UserError("a data set without valid records cannot be trained on");
    if (!std::isfinite(source.weight) || source.weight < 0)
      throw UserError(fmt::format("weights of data sets must be 0 or more, not {}", source.weight));
    sum += source.weight;
    weights_.push_back(source.weight);
  }
  if (!(sum > 0) || !std::isfinite(sum))
    throw UserError("at least one data set needs a weight above 0");
  if (!choice_) choice_ = [this](std::int64_t step) { return draw_dataset(step); };
  draws_before_block_.emplace_back(sources_.size(), 0);
}

std::int64_t SampleOrder::draw_dataset(std::int64_t step) const {
  double sum = 0;
  for (const Source& source : sources_) sum += source.weight;
  RandomStream stream(
      random_key({settings_.seed, key_of(RandomPurpose::dataset_choice), unsigned_of(step)}));
  double remaining = stream.uniform() * sum;
  std::size_t last_possible = 0;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].weight == 0) continue;
    if (remaining < sources_[i].weight) return static_cast<std::int64_t>(i);
    remaining -= sources_[i].weight;
    last_possible = i;
  }
  return static_cast<std::int64_t>(last_possible);  // rounding ate the last bit of the sum
}

std::vector<std::int64_t> SampleOrder::num_draws_before(std::int64_t step) const {
  const auto add_draws = [this](std::int64_t begin, std::int64_t end, auto& counts) {
    for (std::int64_t s = begin; s < end; ++s) {
      const std::int64_t dataset = choice_(s);
      VLLAMA_ASSERT(dataset >= 0 && dataset < static_cast<std::int64_t>(counts.size()),
                    "a step takes from one of the data sets");
      ++counts[static_cast<std::size_t>(dataset)];
    }
  };
  const std::int64_t block = step / kBlockSteps;
  std::vector<std::int64_t> counts;
  {
    const std::lock_guard lock(mutex_);
    while (static_cast<std::int64_t>(draws_before_block_.size()) <= block) {
      const auto end = static_cast<std::int64_t>(draws_before_block_.size()) * kBlockSteps;
      counts = draws_before_block_.back();
      add_draws(end - kBlockSteps, end, counts);
      draws_before_block_.push_back(counts);
    }
    counts = draws_before_block_[static_cast<std::size_t>(block)];
  }
  add_draws(block * kBlockSteps, step, counts);
  return counts;
}

std::vector<std::int64_t> SampleOrder::num_samples_before(std::int64_t step) const {
  VLLAMA_ASSERT(step >= 0, "steps count from 0");
  if (settings_.mixing == Mixing::within_step)
    return apportion(weights_, step * settings_.samples_per_step);
  auto counts =
      settings_.mixing == Mixing::drawn_steps ? num_draws_before(step) : apportion(weights_, step);
  for (std::int64_t& count : counts) count *= settings_.samples_per_step;
  return counts;
}

std::int64_t SampleOrder::pass_length(std::size_t dataset) const {
  const std::int64_t size = sources_[dataset].size, batch = settings_.samples_per_step;
  const bool is_whole =
      settings_.shuffle || settings_.mixing == Mixing::within_step || size < batch;
  return is_whole ? size : size / batch * batch;
}

PlannedSample SampleOrder::sample(std::size_t dataset, std::int64_t number, std::int64_t step,
                                  std::int64_t position) const {
  const std::int64_t pass = number / pass_length(dataset);
  std::int64_t index = number % pass_length(dataset);
  if (settings_.shuffle) {
    const Permutation permutation(random_key({settings_.seed, key_of(RandomPurpose::permutation),
                                              dataset, unsigned_of(pass)}),
                                  unsigned_of(sources_[dataset].size));
    index = static_cast<std::int64_t>(permutation(unsigned_of(index)));
  }
  return {static_cast<std::int64_t>(dataset), index, pass, settings_.seed, step, position};
}

std::vector<PlannedSample> SampleOrder::step(std::int64_t step) const {
  const auto begin = num_samples_before(step), end = num_samples_before(step + 1);
  std::vector<PlannedSample> samples;
  for (std::size_t dataset = 0; dataset < sources_.size(); ++dataset)
    for (std::int64_t number = begin[dataset]; number < end[dataset]; ++number)
      samples.push_back(sample(dataset, number, step, static_cast<std::int64_t>(samples.size())));
  return samples;
}

std::vector<PlannedSample> slice(std::span<const PlannedSample> samples, const Share& share) {
  VLLAMA_ASSERT(share.rank >= 0 && share.rank < share.num_ranks && share.micro_step >= 0 &&
                    share.micro_step < share.num_micro_steps,
                "a share must exist");
  const auto num_shares = static_cast<std::size_t>(share.num_ranks * share.num_micro_steps);
  std::vector<PlannedSample> dealt;
  for (auto i = static_cast<std::size_t>(share.micro_step * share.num_ranks + share.rank);
       i < samples.size(); i += num_shares)
    dealt.push_back(samples[i]);
  return dealt;
}

}  // namespace vllama::datasets
