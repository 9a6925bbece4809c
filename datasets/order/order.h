// Which samples make up which optimizer step: a pure function of the seed and the step's number.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "samples/sample_key.h"

namespace vllama::datasets {

// One place in the plan of a run.
struct PlannedSample {
  std::int64_t dataset = 0;   // in the order of the configuration
  std::int64_t index = 0;     // of the record in the data set
  std::int64_t pass = 0;      // how often the data set had been gone through before
  std::uint64_t seed = 0;     // of the run
  std::int64_t step = 0;      // optimizer step, from 0
  std::int64_t position = 0;  // in the step's global batch

  samples::SampleKey key() const { return {seed, step, position}; }

  bool operator==(const PlannedSample&) const = default;
};

// How the samples of a step are divided among the data sets. Whichever it is, they do not depend on
// the number of ranks.
enum class Mixing {
  drawn_steps,        // all from one data set, drawn with probability weight / sum of weights
  apportioned_steps,  // all from one data set; steps take turns so that at any time each data set
                      // has had its share of them (apportion.h)
  within_step,        // from all data sets, each of which has had its share at any time
};

struct OrderSettings {
  std::int64_t samples_per_step = 1;  // over all ranks and micro-batches
  bool shuffle = true;
  std::uint64_t seed = 0;
  Mixing mixing = Mixing::drawn_steps;
};

// A data set is gone through pass after pass. Shuffled, each pass is another permutation, and
// passes follow each other without a gap. In file order, where a step takes from one data set, a
// pass leaves out the samples at its end that do not fill a step, unless the data set is smaller
// than a step; within steps it leaves out none.
class SampleOrder {
 public:
  struct Source {
    std::int64_t size;  // records, at least 1
    double weight;      // share of the samples, relative; 0 for never
  };
  // Names the data set of a step; must be pure.
  using DatasetChoice = std::function<std::int64_t(std::int64_t step)>;

  // `choice` takes the place of the draw of Mixing::drawn_steps. Throws UserError unless some
  // weight is positive, all are finite and not negative, and every source has a record.
  SampleOrder(std::vector<Source> sources, OrderSettings settings, DatasetChoice choice = {});

  // The samples of a step, settings().samples_per_step of them, data set by data set. May be called
  // from several threads.
  std::vector<PlannedSample> step(std::int64_t step) const;
  // How many samples of each data set are in the steps before `step`.
  std::vector<std::int64_t> num_samples_before(std::int64_t step) const;

  const OrderSettings& settings() const { return settings_; }
  const std::vector<Source>& sources() const { return sources_; }

 private:
  std::int64_t draw_dataset(std::int64_t step) const;
  // How many of the steps before `step` were drawn for each data set.
  std::vector<std::int64_t> num_draws_before(std::int64_t step) const;
  // How many samples make a pass of a data set.
  std::int64_t pass_length(std::size_t dataset) const;
  PlannedSample sample(std::size_t dataset, std::int64_t number, std::int64_t step,
                       std::int64_t position) const;

  std::vector<Source> sources_;
  std::vector<double> weights_;
  OrderSettings settings_;
  DatasetChoice choice_;
  // Draws per data set before step k * kBlockSteps, for all k asked for so far.
  static constexpr std::int64_t kBlockSteps = 1024;
  mutable std::mutex mutex_;
  mutable std::vector<std::vector<std::int64_t>> draws_before_block_;
};

// Which of several equal shares of a step belongs to a rank's micro-batch.
struct Share {
  std::int64_t rank = 0, num_ranks = 1;
  std::int64_t micro_step = 0, num_micro_steps = 1;
};

// A step's samples, dealt like cards: of n = num_ranks * num_micro_steps shares, share number
// micro_step * num_ranks + rank takes every n-th sample. As the samples of a data set lie together,
// the numbers that two shares, or two ranks, have of any data set differ by one at most, and no
// rank waits for another with longer videos.
std::vector<PlannedSample> slice(std::span<const PlannedSample> samples, const Share& share);

}  // namespace vllama::datasets
