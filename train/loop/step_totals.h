// What the ranks add up in an optimizer step besides the gradients.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace vllama::train {

// What a rank tells the others with a step.
struct RankReport {
  double compute_seconds = 0;    // its own work in the step before, without waiting for anything
  double data_wait_seconds = 0;  // in the step before
  int stop_signal = 0;           // that asks it to stop, or 0
};

struct StepTotals {
  double loss = 0;  // sum over target tokens
  std::int64_t num_samples = 0, num_tokens = 0, num_target_tokens = 0, num_shortened = 0,
               num_dropped = 0;
  std::vector<RankReport> reports;  // of all ranks

  static std::int64_t num_elements(std::int64_t num_ranks);

  // The numbers as a tensor that may be added up: fp32 [num_elements(num_ranks)] on the CPU, the
  // report in the place of `rank`, the loss in two parts that keep 48 of its bits. Counts up to
  // 2^24 are exact. `reports` must hold the report of this rank alone.
  at::Tensor to_tensor(std::int64_t rank, std::int64_t num_ranks) const;
  // The sums.
  static StepTotals from_tensor(const at::Tensor& sums);
};

}  // namespace vllama::train
