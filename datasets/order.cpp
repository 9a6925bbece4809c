#include "datasets/order.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"

namespace vllama::datasets {
namespace {

std::uint64_t unsigned_of(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

std::uint64_t key_of(RandomPurpose purpose) {
  return static_cast<std::uint64_t>(purpose);
}

}  // namespace

RandomStream PlannedSample::random(RandomPurpose purpose, std::size_t medium) const {
  const std::uint64_t key =
      random_key({seed, key_of(purpose), unsigned_of(step), unsigned_of(position)});
  return RandomStream(medium == 0 ? key : random_key({key, medium}));
}

SampleOrder::SampleOrder(std::vector<Source> sources, OrderSettings settings, DatasetChoice choice)
    : sources_(std::move(sources)), settings_(settings), choice_(std::move(choice)) {
  VLLAMA_ASSERT(settings_.samples_per_step >= 1, "a step has samples");
  double sum = 0;
  for (const Source& source : sources_) {
    if (source.size < 1) throw UserError("a data set without valid records cannot be trained on");
    if (!std::isfinite(source.weight) || source.weight < 0)
      throw UserError(fmt::format("weights of data sets must be 0 or more, not {}", source.weight));
    sum += source.weight;
  }
  if (!(sum > 0) || !std::isfinite(sum))
    throw UserError("at least one data set needs a weight above 0");
  if (!choice_) choice_ = [this](std::int64_t step) { return draw_dataset(step); };
  steps_before_block_.emplace_back(sources_.size(), 0);
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

std::int64_t SampleOrder::num_earlier_steps(std::int64_t step, std::int64_t dataset) const {
  const std::int64_t block = step / kBlockSteps;
  std::int64_t count;
  {
    const std::lock_guard lock(mutex_);
    while (static_cast<std::int64_t>(steps_before_block_.size()) <= block) {
      const auto first = (static_cast<std::int64_t>(steps_before_block_.size()) - 1) * kBlockSteps;
      std::vector<std::int64_t> counts = steps_before_block_.back();
      for (std::int64_t s = first; s < first + kBlockSteps; ++s)
        ++counts[static_cast<std::size_t>(choice_(s))];
      steps_before_block_.push_back(std::move(counts));
    }
    count = steps_before_block_[static_cast<std::size_t>(block)][static_cast<std::size_t>(dataset)];
  }
  for (std::int64_t s = block * kBlockSteps; s < step; ++s) count += choice_(s) == dataset;
  return count;
}

std::vector<PlannedSample> SampleOrder::step(std::int64_t step) const {
  VLLAMA_ASSERT(step >= 0, "steps count from 0");
  const std::int64_t dataset = choice_(step);
  VLLAMA_ASSERT(dataset >= 0 && dataset < static_cast<std::int64_t>(sources_.size()),
                "a step takes from one of the data sets");
  const std::int64_t size = sources_[static_cast<std::size_t>(dataset)].size;
  const std::int64_t batch = settings_.samples_per_step;
  const std::int64_t pass_length = settings_.shuffle || size < batch ? size : size / batch * batch;
  const std::int64_t first = num_earlier_steps(step, dataset) * batch;
  std::vector<PlannedSample> samples;
  for (std::int64_t position = 0; position < batch; ++position) {
    const std::int64_t pass = (first + position) / pass_length;
    std::int64_t index = (first + position) % pass_length;
    if (settings_.shuffle) {
      const Permutation permutation(random_key({settings_.seed, key_of(RandomPurpose::permutation),
                                                unsigned_of(dataset), unsigned_of(pass)}),
                                    unsigned_of(size));
      index = static_cast<std::int64_t>(permutation(unsigned_of(index)));
    }
    samples.push_back({dataset, index, pass, settings_.seed, step, position});
  }
  return samples;
}

std::span<const PlannedSample> slice(std::span<const PlannedSample> samples, const Share& share) {
  VLLAMA_ASSERT(share.rank >= 0 && share.rank < share.num_ranks && share.micro_step >= 0 &&
                    share.micro_step < share.num_micro_steps,
                "a share must exist");
  const std::int64_t num_parts = share.num_ranks * share.num_micro_steps;
  const std::int64_t part = share.micro_step * share.num_ranks + share.rank;
  const auto size = static_cast<std::int64_t>(samples.size());
  const std::int64_t begin = size * part / num_parts, end = size * (part + 1) / num_parts;
  return samples.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
}

}  // namespace vllama::datasets
