#include "tests/models/padded_batch.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

namespace vllama::test {

at::Tensor packed(const at::Tensor& padded_BS, const at::Tensor& mask_BS) {
  const nn::Segments sequences = sequences_of(mask_BS);
  std::vector<at::Tensor> rows;
  for (std::int64_t b = 0; b < padded_BS.size(0); ++b)
    rows.push_back(padded_BS[b].narrow(0, 0, sequences.length(b)));
  return at::cat(rows);
}

nn::Segments sequences_of(const at::Tensor& mask_BS) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t b = 0; b < mask_BS.size(0); ++b)
    lengths.push_back(mask_BS[b].sum().item<std::int64_t>());
  return nn::Segments(lengths);
}

std::pair<at::Tensor, at::Tensor> targets_of(const at::Tensor& labels_T,
                                             const nn::Segments& sequences) {
  std::vector<std::int64_t> rows, targets;
  for (std::int64_t i = 0; i < sequences.count(); ++i)
    for (std::int64_t t = 1; t < sequences.length(i); ++t) {
      const auto label = labels_T[sequences.start(i) + t].item<std::int64_t>();
      if (label < 0) continue;
      rows.push_back(sequences.start(i) + t - 1);
      targets.push_back(label);
    }
  return {at::tensor(rows, at::kLong), at::tensor(targets, at::kLong)};
}

}  // namespace vllama::test
