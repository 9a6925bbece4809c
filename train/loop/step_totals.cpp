#include "train/loop/step_totals.h"

#include <ATen/ops/zeros.h>

#include <cmath>

#include "core/error.h"

namespace vllama::train {
namespace {

constexpr std::int64_t kNumSums = 7, kNumOfRank = 3;

}  // namespace

std::int64_t StepTotals::num_elements(std::int64_t num_ranks) {
  return kNumSums + kNumOfRank * num_ranks;
}

at::Tensor StepTotals::to_tensor(std::int64_t rank, std::int64_t num_ranks) const {
  VLLAMA_ASSERT(reports.size() == 1, "a rank reports for itself");
  at::Tensor tensor = at::zeros({num_elements(num_ranks)}, at::kFloat);
  float* number = tensor.mutable_data_ptr<float>();
  const auto upper = static_cast<float>(loss);
  *number++ = upper;
  *number++ = std::isfinite(upper) ? static_cast<float>(loss - static_cast<double>(upper)) : 0;
  for (const std::int64_t count :
       {num_samples, num_tokens, num_target_tokens, num_shortened, num_dropped})
    *number++ = static_cast<float>(count);
  number += kNumOfRank * rank;
  *number++ = static_cast<float>(reports.front().compute_seconds);
  *number++ = static_cast<float>(reports.front().data_wait_seconds);
  *number++ = static_cast<float>(reports.front().stop_signal);
  return tensor;
}

StepTotals StepTotals::from_tensor(const at::Tensor& sums) {
  const at::Tensor on_cpu = sums.cpu();
  const float* number = on_cpu.const_data_ptr<float>();
  StepTotals totals;
  const double upper = *number++;
  totals.loss = upper + static_cast<double>(*number++);
  for (std::int64_t* count : {&totals.num_samples, &totals.num_tokens, &totals.num_target_tokens,
                              &totals.num_shortened, &totals.num_dropped})
    *count = std::llround(*number++);
  const std::int64_t num_ranks = (sums.numel() - kNumSums) / kNumOfRank;
  for (std::int64_t rank = 0; rank < num_ranks; ++rank, number += kNumOfRank)
    totals.reports.push_back({number[0], number[1], static_cast<int>(std::lround(number[2]))});
  return totals;
}

}  // namespace vllama::train
