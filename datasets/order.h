// Which samples make up which optimizer step: a pure function of the seed and the step's number.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "core/random.h"

namespace vllama::datasets {

// One place in the plan of a run.
struct PlannedSample {
  std::int64_t dataset = 0;   // in the order of the configuration
  std::int64_t index = 0;     // of the record in the data set
  std::int64_t pass = 0;      // how often the data set had been gone through before
  std::uint64_t seed = 0;     // of the run
  std::int64_t step = 0;      // optimizer step, from 0
  std::int64_t position = 0;  // in the step's global batch

  // The random numbers of this sample for one purpose, the same on any rank and thread; each of its
  // media has its own.
  RandomStream random(RandomPurpose purpose, std::size_t medium = 0) const;

  bool operator==(const PlannedSample&) const = default;
};

struct OrderSettings {
  std::int64_t samples_per_step = 1;  // over all ranks and micro-batches
  bool shuffle = true;
  std::uint64_t seed = 0;
};

// Every step takes all its samples from one data set, drawn with probability weight / sum of
// weights; ranks share the draw. A data set is gone through pass after pass. Shuffled, each pass is
// another permutation, and passes follow each other without a gap. In file order, a pass leaves out
// the samples at its end that do not fill a step, unless the data set is smaller than a step.
class SampleOrder {
 public:
  struct Source {
    std::int64_t size;  // records, at least 1
    double weight;      // share of the steps, relative; 0 for never
  };
  // Names the data set of a step; must be pure.
  using DatasetChoice = std::function<std::int64_t(std::int64_t step)>;

  // `choice` takes the place of the weighted draw. Throws UserError unless some weight is positive,
  // all are finite and not negative, and every source has a record.
  SampleOrder(std::vector<Source> sources, OrderSettings settings, DatasetChoice choice = {});

  std::int64_t dataset_of_step(std::int64_t step) const { return choice_(step); }
  // The samples of a step, settings().samples_per_step of them. May be called from several threads.
  std::vector<PlannedSample> step(std::int64_t step) const;

  const OrderSettings& settings() const { return settings_; }
  const std::vector<Source>& sources() const { return sources_; }

 private:
  std::int64_t draw_dataset(std::int64_t step) const;
  // How many of the steps before `step` took from `dataset`.
  std::int64_t num_earlier_steps(std::int64_t step, std::int64_t dataset) const;

  std::vector<Source> sources_;
  OrderSettings settings_;
  DatasetChoice choice_;
  // Steps per data set before step k * kBlockSteps, for all k asked for so far.
  static constexpr std::int64_t kBlockSteps = 1024;
  mutable std::mutex mutex_;
  mutable std::vector<std::vector<std::int64_t>> steps_before_block_;
};

// Which of several equal shares of a step belongs to a rank's micro-batch: micro-batch m of all
// ranks together is one stretch of the step's samples, in which ranks follow each other.
struct Share {
  std::int64_t rank = 0, num_ranks = 1;
  std::int64_t micro_step = 0, num_micro_steps = 1;
};

std::span<const PlannedSample> slice(std::span<const PlannedSample> samples, const Share& share);

}  // namespace vllama::datasets
